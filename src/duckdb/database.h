// SPDX-License-Identifier: MIT
// Database, Connection, Rows: the thin skin over DuckDB: what is open is closed by its destructor, errors are values.
// A Database may be used by several threads, a Connection and what comes from it by one at a time; only Interrupt() is
// for any. The Library outlives the Database, the Database its connections, a Connection its statements and rows.
//
// Errors carry DuckDB's own words, with the line of the statement where it gives one: kInvalid for a statement that is
// wrong (does not parse, names what is not there, a value that does not fit) or that is not allowed; kNoSpace when
// memory or the disk for spilling is full; kIo for files; kUnavailable ("INTERRUPT Error: Interrupted!") after
// Interrupt(); kInternal for DuckDB's own bugs, after which a Database is of no more use.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "duckdb/library.h"

namespace tmdbc::duckdb {

struct DatabaseOptions {
  std::string path = {};  // empty: in memory
  int threads = 1;        // with one, and a total order, the bytes of a Parquet file are the same each time
  std::uint64_t memory_limit = 512ull << 20;  // bytes; what is above is spilled
  std::string temporary_folder = {};          // made when it is needed; empty: nothing is spilled
  // Rows that no ORDER BY orders come in the order of the files. Costs memory.
  bool keep_order = false;
};

// What a column of a result, or of a table that is appended to, holds.
enum class Type : std::uint8_t { kBoolean, kBigint, kDouble, kDate, kTimestamp, kVarchar, kOther };

class Connection;
class Rows;

class Database {
 public:
  // Time zone UTC; extensions are neither installed nor loaded by themselves, and none is fetched.
  static Result<Database> Open(const Library& library, const DatabaseOptions& options);

  Database(Database&& other) noexcept;
  Database& operator=(Database&&) = delete;
  ~Database();

  Result<Connection> Connect();

 private:
  Database(const Functions& functions, void* database) : functions_(&functions), database_(database) {}

  const Functions* functions_;
  void* database_;
};

// One statement, ready to run.
class Statement {
 public:
  Statement(Statement&& other) noexcept;
  Statement& operator=(Statement&&) = delete;
  ~Statement();

  // DuckDB's type SELECT, to which belong FROM, WITH, VALUES, DESCRIBE, SHOW and SUMMARIZE. It writes nothing; EXPLAIN
  // ANALYZE and COPY are others.
  bool IsSelect() const;
  // Runs it; the rows come as they are made, chunk by chunk. The connection runs nothing else meanwhile.
  Result<Rows> Run();

 private:
  friend class Connection;
  Statement(const Functions& functions, void* statement) : functions_(&functions), statement_(statement) {}

  const Functions* functions_;
  void* statement_;
};

class Connection {
 public:
  Connection(Connection&& other) noexcept;
  Connection& operator=(Connection&&) = delete;
  ~Connection();

  // One or more statements; their rows, if any, are thrown away.
  Result<void> Execute(const std::string& sql);
  // One statement, run as Statement::Run().
  Result<Rows> Query(const std::string& sql);
  // The one number (BOOLEAN or a whole number; HUGEINT when it fits) of the one row. kInternal when it is not so.
  Result<std::int64_t> QueryNumber(const std::string& sql);
  // kInvalid when it does not parse, when it is not one statement but none or several, or when it does not bind.
  Result<Statement> Prepare(const std::string& sql);
  // Ends what runs on this connection, which then fails. Any thread, at any time of the connection's life.
  void Interrupt() const;

 private:
  friend class Database;
  friend class Appender;
  Connection(const Functions& functions, void* connection)
      : functions_(&functions), connection_(connection) {}

  const Functions* functions_;
  void* connection_;
};

// The rows of a query, a chunk of at most 2,048 at a time.
class Rows {
 public:
  struct Column {
    std::string name;
    Type type;
  };

  Rows(Rows&& other) noexcept;
  Rows& operator=(Rows&&) = delete;
  ~Rows();

  const std::vector<Column>& columns() const { return columns_; }

  // Goes to the next chunk; false at the end.
  Result<bool> Next();
  // Of the current chunk. Rows and columns count from 0; each reader is for its own type of column, and a NULL gives 0
  // or an empty text. Views last until Next().
  std::size_t size() const { return size_; }
  bool IsNull(std::size_t column, std::size_t row) const;
  bool Boolean(std::size_t column, std::size_t row) const;
  std::int64_t Bigint(std::size_t column, std::size_t row) const;
  double Double(std::size_t column, std::size_t row) const;
  std::int32_t Date(std::size_t column, std::size_t row) const;       // days since 1970-01-01
  std::int64_t Timestamp(std::size_t column, std::size_t row) const;  // microseconds since 1970, UTC
  std::string_view Varchar(std::size_t column, std::size_t row) const;
  // Any type, as whole number if it is one and fits.
  std::optional<std::int64_t> WholeNumber(std::size_t column, std::size_t row) const;

 private:
  friend class Statement;
  friend class ValueWriter;
  struct Vector {
    void* vector = nullptr;  // of the chunk
    const void* data = nullptr;
    const std::uint64_t* validity = nullptr;  // null: no NULL among them
  };
  struct State;

  Rows(const Functions& functions, std::unique_ptr<State> state);

  const Functions* functions_;
  std::unique_ptr<State> state_;
  std::vector<Column> columns_;
  std::vector<Vector> vectors_;  // of the current chunk
  std::size_t size_ = 0;
};

// 'it''s': a text, and "a ""name""": an identifier, as SQL writes them.
std::string Quoted(std::string_view text);
std::string QuotedName(std::string_view name);

}  // namespace tmdbc::duckdb
