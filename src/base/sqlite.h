// SPDX-License-Identifier: MIT
// The thin skin over SQLite: statements that are prepared once, errors as values, one transaction that others
// may join. A Database and its statements belong to one thread. Opened for writing it runs in WAL mode with
// synchronous=FULL: when Transact() returns, the transaction survives a power cut
// (https://www.sqlite.org/pragma.html#pragma_synchronous). The pages of a file that it makes have checksums.
//
// Errors, each with the act: kNoSpace when the disk is full or a quota or a file size limit is reached;
// kBusy when another program holds the database, after a quarter of a second, so that no loop stands still
// for it; in both nothing has changed, and the same may be tried again. kUnreadable when the disk does not
// give a page back, kCorrupt when it gives back another; else kIo, or kInternal for an SQL statement of ours
// that is wrong.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

struct sqlite3;
struct sqlite3_stmt;

namespace tmdbc {

class Statement {
 public:
  Statement() = default;
  Statement(Statement&& other) noexcept;
  Statement& operator=(Statement&& other) noexcept;
  ~Statement();

  // Binds the values from ?1 on and forgets those bound before. Text and blobs must outlive the next Reset().
  // Takes integers, doubles, std::string_view (text), std::span<const std::byte> (blob), std::nullopt,
  // std::optional of these.
  template <class... Values>
  Statement& Bind(const Values&... values) {
    Reset();
    int index = 0;
    (BindOne(++index, values), ...);
    return *this;
  }
  // For statements whose number of parameters is known only at run time.
  void BindAt(int index, std::int64_t value);
  void BindAt(int index, double value);
  void BindAt(int index, std::string_view text);
  void BindAt(int index, std::span<const std::byte> blob);
  void BindNullAt(int index);
  void Reset();

  // True when there is a row to read; false at the end (the statement is then reset).
  Result<bool> Step();
  // For statements that give no rows.
  Result<void> Run();

  // Of the current row, columns from 0. Views last until the next Step(), Reset() or Bind().
  std::int64_t Int(int column) const;
  double Real(int column) const;
  std::string_view Text(int column) const;
  std::span<const std::byte> Blob(int column) const;
  bool IsNull(int column) const;

 private:
  friend class Database;
  Statement(sqlite3* db, sqlite3_stmt* statement) : db_(db), statement_(statement) {}
  template <class T>
  void BindOne(int index, const T& value) {
    if constexpr (std::is_same_v<T, std::nullopt_t>) {
      BindNullAt(index);
    } else if constexpr (std::is_integral_v<T> || std::is_enum_v<T>) {
      BindAt(index, static_cast<std::int64_t>(value));
    } else if constexpr (std::is_floating_point_v<T>) {
      BindAt(index, static_cast<double>(value));
    } else if constexpr (requires { value.has_value(); }) {
      if (value.has_value()) {
        BindOne(index, *value);
      } else {
        BindNullAt(index);
      }
    } else if constexpr (std::is_convertible_v<T, std::string_view>) {
      BindAt(index, std::string_view(value));
    } else {
      BindAt(index, std::span<const std::byte>(value));
    }
  }

  sqlite3* db_ = nullptr;
  sqlite3_stmt* statement_ = nullptr;
};

struct DamagedPage {
  std::int64_t number = 0;  // from 1
  std::int64_t at = 0;      // its offset
  std::int64_t bytes = 0;
  bool one_bit =
      false;  // has flipped where it lies: no program did that. Looked for in the first few pages only
};

class Database {
 public:
  enum class Mode : std::uint8_t { kReadWrite, kReadOnly };

  // ":memory:" gives a private database. kCorrupt when the file is not an SQLite database, kNotFound when it is
  // absent and the mode is kReadOnly. Read-only it opens on a read-only file system and in a folder that may
  // not be written to, too, as long as no unfinished log (-wal) lies beside it. Another program that holds it
  // is waited for, some seconds.
  static Result<Database> Open(const std::string& path, Mode mode);
  // A database that nobody changes, which lies where the registered VFS of that name finds it (storage/object_vfs.h).
  // It is frozen(). `path` names it in errors.
  static Result<Database> OpenThrough(const char* vfs, const std::string& path);

  Database(Database&& other) noexcept;
  Database& operator=(Database&&) = delete;
  ~Database();

  Result<Statement> Prepare(std::string_view sql);
  // One or more statements without rows or parameters.
  Result<void> Execute(std::string_view sql);

  // Runs `work` in a transaction and commits when it succeeds, rolls back when it fails. Called within
  // another Transact() it joins that one: the outer commit makes both durable, or neither; when the inner one
  // fails, so does the outer.
  Result<void> Transact(const std::function<Result<void>()>& work);
  bool InTransaction() const { return depth_ > 0; }
  // It was opened as a file that nobody changes, since nobody was writing to it and this user may not make
  // the file by which readers and writers agree: what is written from now on is never seen. Good for one
  // look; a reader that needs longer opens it again.
  bool frozen() const { return frozen_; }

  // SQLite's own look at the whole of it (integrity_check); empty when it finds nothing wrong, else what
  // it found first.
  Result<std::string> FirstFault();
  // The pages of the file that do not match their checksums (page_checksum.h), also of those that nothing
  // uses at present. What a log (-wal) holds and has not been copied yet is not looked at, and a page that it
  // will replace may be among them.
  Result<std::vector<DamagedPage>> DamagedPages();
  // Sets those pages right and says which they were: a bit that has flipped is flipped back; then, if
  // FirstFault() finds nothing, the others get the checksums of what is in them, for another program has
  // written them, SQLite's own shell say, which knows nothing of checksums. kCorrupt when it finds something:
  // the database is then as it was, but for flipped bits. Needs kReadWrite, and nobody beside: it begins by
  // taking what the log holds into the file.
  Result<std::vector<DamagedPage>> MendPages();
  // Another number than at the last call whenever something was committed meanwhile, by whatever connection; now and
  // then when nothing was, too. Beside writers it looks at the memory that they share with readers, and takes
  // nanoseconds: no lock, no system call (https://www.sqlite.org/walformat.html, section 2.1).
  Result<std::uint64_t> CommitMark();
  // Rows changed by the last statement that was run.
  std::int64_t Changes() const;

 private:
  Database(sqlite3* db, std::string path, bool frozen) : db_(db), path_(std::move(path)), frozen_(frozen) {}
  static Result<Database> OpenAs(const std::string& path, Mode mode, bool frozen, const char* vfs);
  Result<void> Configure(Mode mode);
  // The header of the log's index; all zeros when there is no such memory.
  using LogHeader = std::array<std::byte, 48>;
  LogHeader SharedLogHeader() const;

  sqlite3* db_;
  std::string path_;
  bool frozen_;
  int depth_ = 0;
  std::optional<Error> joined_failure_;  // the first of a Transact() that joined the one under way

  std::uint64_t commit_mark_ = 1;
  LogHeader log_header_{};  // zeros: not known
  std::int64_t version_ = 0;
  std::optional<Statement> ask_version_;
  bool has_log_ = false;  // known when there is an ask_version_
};

}  // namespace tmdbc
