// SPDX-License-Identifier: MIT
// Appender: the fast way to put rows into a table: cells are written straight into chunks of 2,048 rows, which DuckDB
// takes whole. One thread; the Connection outlives it, and may run other statements meanwhile.
//
//   TRY_ASSIGN(auto rows, Appender::Open(connection, "n_movies"));
//   rows.Bigint(550); rows.Varchar("Fight Club"); rows.Null(); TRY(rows.EndRow());
//   TRY(rows.Close());
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "duckdb/database.h"

namespace tmdbc::duckdb {

class Appender {
 public:
  // kInvalid when there is no such table. Its columns are of the six types (database.h); kInternal for another.
  static Result<Appender> Open(Connection& connection, const std::string& table);

  Appender(Appender&& other) noexcept;
  Appender& operator=(Appender&&) = delete;
  // Without Close() some of the rows are in the table, others are not.
  ~Appender();

  // The next cell of the row, from the first column on; of the type of its column, which is checked by assert alone.
  void Null() {
    Column& column = columns_[next_++];
    if (!column.validity) MakeValidity(column);
    column.validity[size_ / 64] &= ~(std::uint64_t{1} << (size_ % 64));
  }
  void Boolean(bool value) { Put(value); }
  void Bigint(std::int64_t value) { Put(value); }
  void Double(double value) { Put(value); }
  void Date(std::int32_t days) { Put(days); }                       // since 1970-01-01
  void Timestamp(std::int64_t microseconds) { Put(microseconds); }  // since 1970, UTC
  void Varchar(std::string_view text) {                             // UTF-8, copied
    if (text.size() <= kInlined) {
      char* cell = static_cast<char*>(columns_[next_++].data) + size_ * kCell;
      const auto length = static_cast<std::uint32_t>(text.size());
      std::memset(cell, 0, kCell);
      std::memcpy(cell, &length, sizeof length);
      std::memcpy(cell + sizeof length, text.data(), text.size());
    } else {
      PutLong(text);
    }
  }

  // The row has all its cells. kInternal when it has not.
  Result<void> EndRow() {
    if (next_ != columns_.size()) return WrongRow();
    next_ = 0;
    if (++size_ < capacity_) return {};
    return AppendChunk();
  }
  // All rows are in the table when it returns. Needed before the table is read.
  Result<void> Close();

  std::uint64_t rows() const { return appended_ + size_; }

 private:
  // duckdb_string_t: a length and up to twelve bytes, or a length, four bytes and a pointer.
  static constexpr std::size_t kCell = 16;
  static constexpr std::size_t kInlined = 12;

  struct Column {
    void* vector = nullptr;
    void* data = nullptr;
    std::uint64_t* validity = nullptr;  // null until the chunk has a NULL
  };

  Appender(const Functions& functions, void* appender, std::string table);
  template <class T>
  void Put(T value) {
    static_cast<T*>(columns_[next_++].data)[size_] = value;
  }
  void PutLong(std::string_view text);
  void MakeValidity(Column& column);
  Result<void> MakeChunk();
  void BeginChunk();
  Result<void> AppendChunk();
  std::unexpected<Error> WrongRow() const;
  std::unexpected<Error> Fault(const char* act) const;

  const Functions* functions_;
  void* appender_;
  void* chunk_ = nullptr;
  std::string table_;
  std::vector<Column> columns_;
  std::size_t capacity_ = 0;
  std::size_t next_ = 0;  // column
  std::size_t size_ = 0;  // rows of the chunk
  std::uint64_t appended_ = 0;
};

}  // namespace tmdbc::duckdb
