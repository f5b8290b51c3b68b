// SPDX-License-Identifier: MIT
#include "base/sqlite.h"

#include <gtest/gtest.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <vector>

#include "testing/few_files.h"

namespace tmdbc {
namespace {

class DatabaseTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (std::filesystem::temp_directory_path() / "tmdbc-sqlite-XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
    path_ = folder_ + "/catalog.db";
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  Database Open(Database::Mode mode = Database::Mode::kReadWrite) {
    auto db = Database::Open(path_, mode);
    EXPECT_TRUE(db) << db.error().message;
    return *std::move(db);
  }
  static std::int64_t Count(Database& db, std::string_view sql) {
    Statement statement = db.Prepare(sql).value();
    EXPECT_TRUE(statement.Step().value());
    return statement.Int(0);
  }
  static Result<void> Insert(Database& db, int id) {
    TRY_ASSIGN(Statement insert, db.Prepare("INSERT INTO movie(id) VALUES(?1)"));
    return insert.Bind(id).Run();
  }

  // As a program does that has SQLite alone.
  void Foreign(const char* sql) {
    sqlite3* raw = nullptr;
    ASSERT_EQ(sqlite3_open(path_.c_str(), &raw), SQLITE_OK);
    ASSERT_EQ(sqlite3_exec(raw, sql, nullptr, nullptr, nullptr), SQLITE_OK) << sqlite3_errmsg(raw);
    sqlite3_close(raw);
  }
  std::vector<std::int64_t> DamagedPages() {
    Database db = Open(Database::Mode::kReadOnly);
    std::vector<std::int64_t> numbers;
    damaged_ = db.DamagedPages().value();
    for (const DamagedPage& page : damaged_) numbers.push_back(page.number);
    return numbers;
  }

  // Of a process that may read the folder and not write to it: of another user, where we are the superuser.
  template <class Act>
  void AsReader(const Act& act) {
    const bool root = ::geteuid() == 0;
    ::chmod(folder_.c_str(), 0555);
    ASSERT_EQ(root ? ::seteuid(65534) : 0, 0);
    act();
    ASSERT_EQ(root ? ::seteuid(0) : 0, 0);
    ::chmod(folder_.c_str(), 0755);
  }

  std::string folder_, path_;
  std::vector<DamagedPage> damaged_;  // of the last DamagedPages()
};

// The system's calls as SQLite makes them, failing while it lives with `error`.
class FailingCalls {
 public:
  FailingCalls(std::initializer_list<const char*> names, int error) {
    error_ = error;
    for (const char* name : names) {
      sqlite3_vfs* const vfs = sqlite3_vfs_find("unix");
      if (vfs->xGetSystemCall(vfs, name) == nullptr) continue;
      before_.emplace_back(name, vfs->xGetSystemCall(vfs, name));
      vfs->xSetSystemCall(vfs, name, reinterpret_cast<sqlite3_syscall_ptr>(&Fails));
    }
  }
  ~FailingCalls() {
    sqlite3_vfs* const vfs = sqlite3_vfs_find("unix");
    for (const auto& [name, call] : before_) vfs->xSetSystemCall(vfs, name, call);
  }
  FailingCalls(const FailingCalls&) = delete;
  FailingCalls& operator=(const FailingCalls&) = delete;

 private:
  static long Fails() {
    errno = error_;
    return -1;
  }
  static inline int error_ = 0;
  std::vector<std::pair<const char*, sqlite3_syscall_ptr>> before_;
};

TEST_F(DatabaseTest, GivesBackWhatWasBound) {
  Database db = Open();
  ASSERT_TRUE(db.Execute("CREATE TABLE t(a, b, c, d, e, f, g); CREATE INDEX i ON t(a)"));
  Statement insert = db.Prepare("INSERT INTO t VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)").value();
  const std::byte bytes[] = {std::byte(0), std::byte(255)};
  const std::string text("Am\xc3\xa9lie\0!", 9);
  ASSERT_TRUE(insert
                  .Bind(std::int64_t(-1) << 62, 0.5, text, std::span<const std::byte>(bytes), std::nullopt,
                        std::optional<std::string_view>(), std::optional(true))
                  .Run());
  EXPECT_EQ(db.Changes(), 1);

  Statement select = db.Prepare("SELECT * FROM t").value();
  ASSERT_TRUE(select.Step().value());
  EXPECT_EQ(select.Int(0), std::int64_t(-1) << 62);
  EXPECT_EQ(select.Real(1), 0.5);
  EXPECT_EQ(select.Text(2), text);
  ASSERT_EQ(select.Blob(3).size(), 2u);
  EXPECT_EQ(select.Blob(3)[1], std::byte(255));
  EXPECT_TRUE(select.IsNull(4));
  EXPECT_TRUE(select.IsNull(5));
  EXPECT_EQ(select.Int(6), 1);
  EXPECT_FALSE(select.Step().value());
  EXPECT_TRUE(select.Step().value()) << "at the end it begins again";
}

TEST_F(DatabaseTest, TellsEmptyFromNull) {
  Database db = Open();
  Statement select = db.Prepare("SELECT ?1 IS NULL, ?2 IS NULL, ?3 IS NULL").value();
  select.Bind(std::string_view(), std::span<const std::byte>(), std::nullopt);
  ASSERT_TRUE(select.Step().value());
  EXPECT_EQ(select.Int(0), 0);
  EXPECT_EQ(select.Int(1), 0);
  EXPECT_EQ(select.Int(2), 1);
}

TEST_F(DatabaseTest, ForgetsWhatWasBoundBefore) {
  Database db = Open();
  Statement select = db.Prepare("SELECT ?1, ?2").value();
  ASSERT_TRUE(select.Bind(1, 2).Step().value());
  ASSERT_TRUE(select.Bind(3).Step().value());
  EXPECT_EQ(select.Int(0), 3);
  EXPECT_TRUE(select.IsNull(1));
  for (int i = 1; i <= 2; ++i) select.Reset();
  select.BindAt(2, std::int64_t(7));
  ASSERT_TRUE(select.Step().value());
  EXPECT_EQ(select.Int(1), 7);
}

TEST_F(DatabaseTest, KeepsATransactionOrNothingOfIt) {
  Database db = Open();
  ASSERT_TRUE(db.Execute("CREATE TABLE movie(id INTEGER PRIMARY KEY)"));
  ASSERT_TRUE(db.Transact([&]() -> Result<void> {
    EXPECT_TRUE(db.InTransaction());
    TRY(Insert(db, 1));
    return Insert(db, 2);
  }));
  EXPECT_FALSE(db.InTransaction());
  const auto failed = db.Transact([&]() -> Result<void> {
    TRY(Insert(db, 3));
    return Insert(db, 1);
  });
  ASSERT_FALSE(failed);
  EXPECT_NE(failed.error().message.find("UNIQUE"), std::string::npos) << failed.error().message;
  EXPECT_EQ(Count(db, "SELECT count(*) FROM movie"), 2);
  ASSERT_TRUE(db.Transact([&] { return Insert(db, 3); })) << "it works again";
}

TEST_F(DatabaseTest, JoinsInnerTransactionsToTheOuterOne) {
  Database db = Open();
  ASSERT_TRUE(db.Execute("CREATE TABLE movie(id INTEGER PRIMARY KEY)"));
  const auto failed = db.Transact([&]() -> Result<void> {
    TRY(db.Transact([&] { return Insert(db, 1); }));
    return Fail(ErrorCode::kInternal, "the outer one fails later");
  });
  EXPECT_FALSE(failed);
  EXPECT_EQ(Count(db, "SELECT count(*) FROM movie"), 0);
  ASSERT_TRUE(db.Transact([&]() -> Result<void> {
    TRY(Insert(db, 1));
    return db.Transact([&] { return Insert(db, 2); });
  }));
  EXPECT_EQ(Count(db, "SELECT count(*) FROM movie"), 2);
}

TEST_F(DatabaseTest, CommitsNothingWhenAnInnerTransactionFailedUnnoticed) {
  Database db = Open();
  ASSERT_TRUE(db.Execute("CREATE TABLE movie(id INTEGER PRIMARY KEY)"));
  const auto outer = db.Transact([&]() -> Result<void> {
    (void)db.Transact([&]() -> Result<void> {
      TRY(Insert(db, 1));
      return Fail(ErrorCode::kCorrupt, "half done");
    });
    return {};
  });
  ASSERT_FALSE(outer);
  EXPECT_EQ(outer.error().message, "half done");
  EXPECT_EQ(Count(db, "SELECT count(*) FROM movie"), 0);
  ASSERT_TRUE(db.Transact([&] { return Insert(db, 1); })) << "it works again";
}

TEST_F(DatabaseTest, HoldsWhatWasCommittedAndSyncsEveryCommit) {
  {
    Database db = Open();
    ASSERT_TRUE(db.Execute("CREATE TABLE movie(id INTEGER PRIMARY KEY)"));
    ASSERT_TRUE(db.Transact([&] { return Insert(db, 550); }));
    EXPECT_EQ(Count(db, "PRAGMA synchronous"), 2) << "FULL";
    Statement mode = db.Prepare("PRAGMA journal_mode").value();
    ASSERT_TRUE(mode.Step().value());
    EXPECT_EQ(mode.Text(0), "wal");
  }
  Database reader = Open(Database::Mode::kReadOnly);
  EXPECT_EQ(Count(reader, "SELECT id FROM movie"), 550);
  EXPECT_FALSE(reader.Execute("DELETE FROM movie")) << "opened for reading";
}

TEST_F(DatabaseTest, IsReadWhileAnotherWrites) {
  Database writer = Open();
  ASSERT_TRUE(writer.Execute("CREATE TABLE movie(id INTEGER PRIMARY KEY)"));
  Database reader = Open(Database::Mode::kReadOnly);
  ASSERT_TRUE(writer.Transact([&]() -> Result<void> {
    TRY(Insert(writer, 1));
    EXPECT_EQ(Count(reader, "SELECT count(*) FROM movie"), 0);
    return {};
  }));
  EXPECT_EQ(Count(reader, "SELECT count(*) FROM movie"), 1);
}

TEST_F(DatabaseTest, TellsAnAbsentFileFromOneThatIsNoDatabase) {
  const auto absent = Database::Open(path_, Database::Mode::kReadOnly);
  ASSERT_FALSE(absent);
  EXPECT_EQ(absent.error().code, ErrorCode::kNotFound);
  EXPECT_NE(absent.error().message.find(path_), std::string::npos) << absent.error().message;
  EXPECT_FALSE(std::filesystem::exists(path_)) << "reading makes nothing";

  std::ofstream(path_) << std::string(5000, 'x');
  for (const auto mode : {Database::Mode::kReadOnly, Database::Mode::kReadWrite}) {
    const auto junk = Database::Open(path_, mode);
    ASSERT_FALSE(junk);
    EXPECT_EQ(junk.error().code, ErrorCode::kCorrupt) << junk.error().message;
    EXPECT_NE(junk.error().message.find(path_), std::string::npos) << junk.error().message;
  }
}

TEST_F(DatabaseTest, WaitsAtNoPipeAndReadsNoFolder) {
  const auto expect_refused = [&] {
    for (const auto mode : {Database::Mode::kReadOnly, Database::Mode::kReadWrite}) {
      const auto opened = Database::Open(path_, mode);
      ASSERT_FALSE(opened);
      EXPECT_EQ(opened.error().code, ErrorCode::kCorrupt);
      EXPECT_EQ(opened.error().message, "open " + path_ + ": it is not a regular file");
    }
  };
  ASSERT_EQ(::mkfifo(path_.c_str(), 0600), 0);
  expect_refused();
  std::filesystem::remove(path_);
  std::filesystem::create_directory(path_);
  expect_refused();
}

TEST_F(DatabaseTest, SaysWhenItIsFull) {
  Database db = Open();
  ASSERT_TRUE(db.Execute("CREATE TABLE blobs(bytes); PRAGMA max_page_count=20"));
  const auto failed = db.Transact([&] { return db.Execute("INSERT INTO blobs VALUES(zeroblob(1000000))"); });
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, ErrorCode::kNoSpace) << failed.error().message;
  EXPECT_EQ(Count(db, "SELECT count(*) FROM blobs"), 0);
  EXPECT_TRUE(db.Transact([&] { return db.Execute("INSERT INTO blobs VALUES('small')"); }))
      << "it works again";
}

TEST_F(DatabaseTest, TakesAQuotaForAFullDiskAndNamesIt) {
  Database db = Open();
  ASSERT_TRUE(db.Execute("CREATE TABLE movie(id INTEGER PRIMARY KEY)"));
  for (const int error : {EDQUOT, EFBIG, ENOSPC}) {
    const FailingCalls failing({"write", "pwrite", "pwrite64"}, error);
    const auto failed = db.Transact([&] { return Insert(db, 1); });
    ASSERT_FALSE(failed) << error;
    EXPECT_EQ(failed.error().code, ErrorCode::kNoSpace) << failed.error().message;
    EXPECT_EQ(failed.error().hint, Hint::kFreeSpace);
    const std::string what = std::strerror(error) + std::string(": ") + path_;
    EXPECT_NE(failed.error().message.find(what), std::string::npos) << failed.error().message;
  }
  EXPECT_TRUE(db.Transact([&] { return Insert(db, 1); })) << "it works again";
  EXPECT_EQ(Count(db, "SELECT count(*) FROM movie"), 1);
}

TEST_F(DatabaseTest, TellsADiskThatGivesNothingBackFromOtherFailures) {
  {
    Database db = Open();
    ASSERT_TRUE(db.Execute("CREATE TABLE movie(id INTEGER PRIMARY KEY)"));
  }
  Database db = Open();
  ASSERT_TRUE(db.Execute("PRAGMA shrink_memory"));
  const FailingCalls failing({"read", "pread", "pread64"}, EIO);
  const auto failed = db.Execute("SELECT count(*) FROM movie");
  ASSERT_FALSE(failed);
  EXPECT_TRUE(IsDamage(failed.error())) << failed.error().message;
  EXPECT_NE(failed.error().message.find("Input/output error: " + path_), std::string::npos)
      << failed.error().message;
  const auto pages = db.DamagedPages();
  ASSERT_FALSE(pages) << "not even the first";
  EXPECT_EQ(pages.error().code, ErrorCode::kUnreadable) << pages.error().message;
}

TEST_F(DatabaseTest, DoesNotStandStillForAnotherProgramThatHoldsIt) {
  Database db = Open();
  ASSERT_TRUE(db.Execute("CREATE TABLE movie(id INTEGER PRIMARY KEY)"));
  Database other = Open();
  ASSERT_TRUE(other.Execute("BEGIN IMMEDIATE"));
  const auto held = db.Transact([&] { return Insert(db, 1); });
  ASSERT_FALSE(held);
  EXPECT_EQ(held.error().code, ErrorCode::kBusy);
  EXPECT_TRUE(MayPass(held.error()));
  EXPECT_EQ(held.error().message, "BEGIN IMMEDIATE: another program holds " + path_);
  EXPECT_FALSE(db.InTransaction());
  ASSERT_TRUE(other.Execute("COMMIT"));
  EXPECT_TRUE(db.Transact([&] { return Insert(db, 1); }));
}

TEST_F(DatabaseTest, SaysThatAFolderOfAnotherMachineWillNotDo) {
  {
    Database db = Open();
  }
  const FailingCalls failing({"mmap"}, ENODEV);
  const auto opened = Database::Open(path_, Database::Mode::kReadWrite);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().hint, Hint::kLocalDisk) << opened.error().message;
}

TEST_F(DatabaseTest, IsReadFrozenWhereNothingMayBeMadeBesideIt) {
  {
    Database db = Open();
    ASSERT_TRUE(db.Execute("CREATE TABLE movie(id INTEGER PRIMARY KEY)"));
    ASSERT_TRUE(Insert(db, 1));
    EXPECT_FALSE(db.frozen());
    EXPECT_FALSE(Open(Database::Mode::kReadOnly).frozen());
  }
  AsReader([&] {
    Database reader = Open(Database::Mode::kReadOnly);
    EXPECT_TRUE(reader.frozen()) << "who reads for longer opens it again";
    EXPECT_EQ(Count(reader, "SELECT count(*) FROM movie"), 1);
  });
  // While somebody writes, the file by which they agree is there.
  Database writer = Open();
  ASSERT_TRUE(Insert(writer, 2));
  AsReader([&] {
    Database reader = Open(Database::Mode::kReadOnly);
    EXPECT_FALSE(reader.frozen());
    EXPECT_EQ(Count(reader, "SELECT count(*) FROM movie"), 2);
  });
}

TEST_F(DatabaseTest, SaysWhyALeftOverLogCannotBeRead) {
  {
    Database db = Open();
    ASSERT_TRUE(db.Execute("CREATE TABLE movie(id INTEGER PRIMARY KEY)"));
    std::filesystem::copy(path_ + "-wal", folder_ + "/log");
  }
  std::filesystem::rename(folder_ + "/log", path_ + "-wal");
  AsReader([&] {
    const auto opened = Database::Open(path_, Database::Mode::kReadOnly);
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().code, ErrorCode::kIo);
    EXPECT_EQ(opened.error().hint, Hint::kPermission);
    EXPECT_NE(opened.error().message.find(path_ + "-wal"), std::string::npos) << opened.error().message;
    EXPECT_NE(opened.error().message.find("this user may not"), std::string::npos) << opened.error().message;
  });
  ::chmod(path_.c_str(), 0);
  AsReader([&] {
    const auto opened = Database::Open(path_, Database::Mode::kReadOnly);
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().message, "open " + path_ + ": Permission denied");
    EXPECT_EQ(opened.error().hint, Hint::kPermission);
  });
}

TEST_F(DatabaseTest, NamesTheStatementThatFailed) {
  Database db = Open();
  const auto bad = db.Prepare("SELEC 1");
  ASSERT_FALSE(bad);
  EXPECT_EQ(bad.error().code, ErrorCode::kInternal);
  EXPECT_NE(bad.error().message.find("SELEC 1"), std::string::npos) << bad.error().message;
}

TEST_F(DatabaseTest, NamesALongStatementByItsBeginning) {
  Database db = Open();
  std::string columns = "a";
  for (int i = 0; i < 200; ++i) columns += ", column_" + std::to_string(i);
  const auto bad = db.Execute("CREATE TABLE movie(" + columns);
  ASSERT_FALSE(bad);
  EXPECT_TRUE(bad.error().message.starts_with("CREATE TABLE movie(a, ")) << bad.error().message;
  EXPECT_LT(bad.error().message.size(), 150u) << bad.error().message;
}

TEST_F(DatabaseTest, OutlivesBeingMoved) {
  Database first = Open();
  ASSERT_TRUE(first.Execute("CREATE TABLE movie(id INTEGER PRIMARY KEY)"));
  Statement insert = first.Prepare("INSERT INTO movie(id) VALUES(?1)").value();
  Database second = std::move(first);
  ASSERT_TRUE(second.Transact([&] { return insert.Bind(1).Run(); }));
  EXPECT_EQ(Count(second, "SELECT count(*) FROM movie"), 1);
}

TEST_F(DatabaseTest, FindsAFlippedBitInAnyPage) {
  {
    Database db = Open();
    ASSERT_TRUE(db.Execute("CREATE TABLE movie(id INTEGER PRIMARY KEY, title TEXT)"));
    ASSERT_TRUE(
        db.Execute("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1200) "
                   "INSERT INTO movie SELECT i, 'title ' || i FROM n"));
    // Pages that nothing uses any more.
    ASSERT_TRUE(db.Execute("DELETE FROM movie WHERE id > 600"));
  }
  EXPECT_EQ(DamagedPages(), std::vector<std::int64_t>());
  std::fstream file(path_, std::ios::in | std::ios::out | std::ios::binary);
  const auto pages = std::int64_t(std::filesystem::file_size(path_)) / 4096;
  ASSERT_GT(pages, 5);
  for (std::int64_t page = 0; page < pages; ++page) {
    for (const std::int64_t in_page : {40, 4090}) {
      const std::int64_t at = page * 4096 + in_page;
      const auto flip = [&] {
        file.seekg(at);
        const int byte = file.get() ^ 0x10;
        file.seekp(at);
        file.put(char(byte)).flush();
      };
      flip();
      EXPECT_EQ(DamagedPages(), std::vector<std::int64_t>{page + 1}) << at;
      EXPECT_TRUE(damaged_.at(0).one_bit);
      flip();
    }
  }
}

// With SQLite's own shell, say: it knows nothing of checksums.
TEST_F(DatabaseTest, CanBeUsedAfterAnotherProgramWroteToItAndTellsWhere) {
  {
    Database db = Open();
    ASSERT_TRUE(db.Execute("CREATE TABLE movie(id INTEGER PRIMARY KEY)"));
    ASSERT_TRUE(Insert(db, 1));
  }
  Foreign("UPDATE movie SET id = 2");
  EXPECT_EQ(DamagedPages(), std::vector<std::int64_t>{2});
  EXPECT_FALSE(damaged_.at(0).one_bit);
  {
    Database db = Open();
    ASSERT_TRUE(Insert(db, 3));
    EXPECT_EQ(Count(db, "SELECT sum(id) FROM movie"), 5);
  }
  EXPECT_EQ(DamagedPages(), std::vector<std::int64_t>());
}

TEST_F(DatabaseTest, SaysWhenNoMoreFilesMayBeOpened) {
  Open();
  int refused = 0;
  for (const int left : {0, 1, 2}) {  // for the file, its log, the log's index
    const testing::FewFiles few(left);
    const auto db = Database::Open(path_, Database::Mode::kReadWrite);
    if (db) continue;
    ++refused;
    EXPECT_TRUE(db.error().message.starts_with("open " + path_)) << db.error().message;
    EXPECT_NE(db.error().message.find(std::strerror(EMFILE)), std::string::npos) << left << db.error().message;
  }
  EXPECT_GE(refused, 2);
}

TEST_F(DatabaseTest, GivesPagesOfAnotherProgramTheirChecksums) {
  {
    Database db = Open();
    ASSERT_TRUE(db.Execute("CREATE TABLE movie(id INTEGER PRIMARY KEY); CREATE TABLE other(id)"));
    ASSERT_TRUE(Insert(db, 1));
  }
  Foreign("UPDATE movie SET id = 2; INSERT INTO other VALUES('x')");
  {
    Database db = Open();
    const auto mended = db.MendPages();
    ASSERT_TRUE(mended) << mended.error().message;
    EXPECT_EQ(mended->size(), 2u);
    EXPECT_TRUE(db.MendPages().value().empty());
    EXPECT_EQ(Count(db, "SELECT id FROM movie"), 2) << "nothing is lost";
  }
  EXPECT_EQ(DamagedPages(), std::vector<std::int64_t>());
}

TEST_F(DatabaseTest, FlipsAFlippedBitBackWhateverItHit) {
  {
    Database db = Open();
    ASSERT_TRUE(db.Execute("CREATE TABLE movie(id INTEGER PRIMARY KEY)"));
    ASSERT_TRUE(Insert(db, 550));
  }
  const auto flip = [&](std::int64_t at, char mask) {
    std::fstream file(path_, std::ios::in | std::ios::out | std::ios::binary);
    file.seekg(at);
    const int byte = file.get();
    file.seekp(at);
    file.put(char(byte ^ mask));
  };
  flip(4096, 0x08);      // no page of a table any more
  flip(4096 + 4093, 1);  // and back in the checksum: two bits, so both stay
  EXPECT_EQ(DamagedPages(), std::vector<std::int64_t>{2});
  {
    Database db = Open();
    const auto refused = db.MendPages();
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::kCorrupt) << refused.error().message;
  }
  EXPECT_EQ(DamagedPages(), std::vector<std::int64_t>{2}) << "it is not made to look right";
  flip(4096 + 4093, 1);
  {
    Database db = Open();
    EXPECT_EQ(db.MendPages().value().size(), 1u);
    EXPECT_EQ(Count(db, "SELECT id FROM movie"), 550);
  }
  EXPECT_EQ(DamagedPages(), std::vector<std::int64_t>());
}

// Made by SQLite's own tools, say: there is nothing to check.
TEST_F(DatabaseTest, ReadsAndWritesADatabaseWithoutChecksums) {
  Foreign("CREATE TABLE movie(id INTEGER PRIMARY KEY); INSERT INTO movie VALUES(1)");
  {
    Database db = Open();
    ASSERT_TRUE(Insert(db, 2));
  }
  Database db = Open(Database::Mode::kReadOnly);
  EXPECT_EQ(Count(db, "SELECT count(*) FROM movie"), 2);
  EXPECT_EQ(DamagedPages(), std::vector<std::int64_t>());
}

TEST_F(DatabaseTest, KnowsByItsMarkThatSomethingWasCommitted) {
  Database writer = Open();
  ASSERT_TRUE(writer.Execute("CREATE TABLE movie(id INTEGER PRIMARY KEY)"));
  Database reader = Open(Database::Mode::kReadOnly);
  Database other = Open();
  const auto mark = [&] { return reader.CommitMark().value(); };
  mark();
  mark();  // from now on it is known where to look
  auto last = mark();
  EXPECT_EQ(mark(), last);
  for (int id = 1; id <= 30; ++id) {
    Database& by = id % 3 == 0 ? other : writer;
    ASSERT_TRUE(Insert(by, id));
    EXPECT_NE(mark(), last) << id;
    last = mark();
    EXPECT_EQ(mark(), last) << id;
    if (id % 10 == 0) {
      ASSERT_TRUE(writer.Execute("PRAGMA wal_checkpoint(TRUNCATE)"));
    }
    last = mark();
  }
  ASSERT_TRUE(writer.Execute("BEGIN; INSERT INTO movie VALUES(99)"));
  EXPECT_EQ(mark(), last) << "not committed yet";
  EXPECT_EQ(Count(reader, "SELECT count(*) FROM movie"), 30);
  ASSERT_TRUE(writer.Execute("ROLLBACK"));
  EXPECT_EQ(mark(), last);
}

TEST_F(DatabaseTest, HasAMarkWithoutALogAndMakesNone) {
  {
    Database db = Open();
    ASSERT_TRUE(db.Execute("CREATE TABLE movie(id INTEGER PRIMARY KEY); PRAGMA journal_mode=DELETE"));
  }
  Database reader = Open(Database::Mode::kReadOnly);
  const auto last = reader.CommitMark().value();
  EXPECT_EQ(reader.CommitMark().value(), last);
  EXPECT_FALSE(std::filesystem::exists(path_ + "-shm"));
  sqlite3* shell = nullptr;
  ASSERT_EQ(sqlite3_open(path_.c_str(), &shell), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(shell, "INSERT INTO movie VALUES(1)", nullptr, nullptr, nullptr), SQLITE_OK);
  sqlite3_close(shell);
  EXPECT_NE(reader.CommitMark().value(), last);
}

}  // namespace
}  // namespace tmdbc
