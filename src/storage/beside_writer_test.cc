// SPDX-License-Identifier: MIT
// A second process that reads while the first one writes: real files, two connections to one catalog.db.
#include <gtest/gtest.h>
#include <zstd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <utility>

#include "storage/store_world_test.h"

namespace tmdbc {
namespace {

using testing::Movie;

class BesideAWriter : public ::testing::Test {
 protected:
  BesideAWriter() {
    writer = testing::StorePieces::Open(files, catalog, clock, {}).value();
    reading =
        std::make_unique<Database>(Database::Open(path + "/catalog.db", Database::Mode::kReadOnly).value());
    reader = testing::StorePieces::ForReading(reader_files, *reading);
  }
  ~BesideAWriter() override { std::filesystem::remove_all(path); }

  std::string Read(std::int64_t id) {
    const auto found = reader->reader.Find({MediaType::kMovie, id});
    return found ? found->data : found.error().message;
  }
  void Write(std::int64_t id, std::string_view title) {
    ASSERT_TRUE(writer->writer->Put(Movie(id, title, 1, clock.Now())));
  }

  static std::string MakeFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "tmdbc_store_XXXXXX").string();
    EXPECT_NE(mkdtemp(name.data()), nullptr);
    return name;
  }

  testing::FakeClock clock;
  const std::string path = MakeFolder();
  PosixFileSystem files{path}, reader_files{path};
  Database catalog = Database::Open(path + "/catalog.db", Database::Mode::kReadWrite).value();
  std::unique_ptr<testing::StorePieces> writer;
  std::unique_ptr<Database> reading;
  std::unique_ptr<testing::StorePieces> reader;
  std::unique_ptr<FileSystem> compacting;
};

TEST_F(BesideAWriter, SeesWhatIsCommittedAndNothingElse) {
  EXPECT_EQ(Read(550), "movie:550 is not stored");
  Write(550, "Fight Club");
  EXPECT_EQ(Read(550), "movie:550 is not stored");
  ASSERT_TRUE(writer->writer->Commit([&]() -> Result<void> {
    EXPECT_EQ(Read(550), "movie:550 is not stored");
    return {};
  }));
  EXPECT_EQ(Read(550), Movie(550, "Fight Club", 1, {}).data);
  ASSERT_TRUE(writer->writer->Seal());
  EXPECT_EQ(Read(550), Movie(550, "Fight Club", 1, {}).data);
  Write(550, "Klub walki");
  ASSERT_TRUE(writer->writer->Commit({}));
  EXPECT_EQ(Read(550), Movie(550, "Klub walki", 1, {}).data);
  EXPECT_EQ(reader->reader.History({MediaType::kMovie, 550}).value().size(), 2U);
  EXPECT_EQ(reader->ledger.Counts().value()[0].second.live, 1);
  EXPECT_TRUE(reader->Verify(true).value().damage.empty());
  EXPECT_FALSE(reader->Rebuild());
}

TEST_F(BesideAWriter, ReadsAfterAKillBeforeAnyoneRecovered) {
  Write(550, "Fight Club");
  ASSERT_TRUE(writer->writer->Commit({}));
  writer.reset();
  // Half of a batch that was being appended.
  auto file = files.OpenAppend("records/movie/000/000/001.jsonl.zst.open").value();
  ASSERT_TRUE(file->Append("\x28\xb5\x2f\xfd torn"));
  EXPECT_EQ(Read(550), Movie(550, "Fight Club", 1, {}).data);
  EXPECT_TRUE(reader->Verify(true).value().damage.empty());
}

// A reader's view of the disk. Does something once, just before the nth of its looks: between a look into the
// index and the one into the segment, or between two looks into the folder.
class BeforeLook final : public FileSystem {
 public:
  enum Kind { kReads, kAnything };
  BeforeLook(FileSystem& files, std::function<void()> act, Kind kind = kReads, int nth = 1)
      : files_(files), act_(std::move(act)), kind_(kind), left_(nth) {}
  bool done() const { return !act_; }

  Result<std::string> Read(const std::string& path, std::uint64_t offset, std::uint64_t length) override {
    Meet(kReads);
    return files_.Read(path, offset, length);
  }
  Result<std::unique_ptr<AppendFile>> OpenAppend(const std::string& path) override {
    return files_.OpenAppend(path);
  }
  Result<std::uint64_t> Size(const std::string& path) override {
    Meet(kAnything);
    return files_.Size(path);
  }
  Result<bool> Exists(const std::string& path) override {
    Meet(kAnything);
    return files_.Exists(path);
  }
  Result<void> Rename(const std::string& from, const std::string& to) override {
    return files_.Rename(from, to);
  }
  Result<void> Remove(const std::string& path) override { return files_.Remove(path); }
  Result<void> SyncFolder(const std::string& folder) override { return files_.SyncFolder(folder); }
  Result<std::vector<std::string>> List(const std::string& folder) override {
    Meet(kAnything);
    return files_.List(folder);
  }

 private:
  void Meet(Kind kind) {
    if (act_ && (kind_ == kAnything || kind == kind_) && --left_ == 0) std::exchange(act_, nullptr)();
  }

  FileSystem& files_;
  std::function<void()> act_;
  const Kind kind_;
  int left_;
};

TEST_F(BesideAWriter, FindsEveryRecordWhileItCompacts) {
  for (const char* title : {"one", "two", "three"}) {
    Write(550, title);
    Write(551, title);
    ASSERT_TRUE(writer->writer->Commit({}));
    ASSERT_TRUE(writer->writer->Seal());
    clock.Advance(std::chrono::hours(1));
  }
  const auto compact = [&] {
    const auto report = writer->Compact(MediaType::kMovie, {}, {});
    ASSERT_TRUE(report) << report.error().message;
    EXPECT_GT(report->segments_before, 0);
    // The next one has something to do again.
    Write(552, FormatTime(clock.Now()));
    ASSERT_TRUE(writer->writer->Commit({}));
    ASSERT_TRUE(writer->writer->Seal());
    clock.Advance(std::chrono::hours(1));
  };
  const auto with_compaction = [&] {
    compacting = std::make_unique<BeforeLook>(reader_files, compact);
    return testing::StorePieces::ForReading(*compacting, *reading);
  };
  EXPECT_EQ(with_compaction()->reader.Find({MediaType::kMovie, 550}).value().data,
            Movie(550, "three", 1, {}).data);
  EXPECT_EQ(with_compaction()->reader.History({MediaType::kMovie, 550}).value().size(), 3U);
  EXPECT_EQ(with_compaction()
                ->reader.FindAsOf({MediaType::kMovie, 551}, testing::FakeClock().Now())
                .value()
                .version,
            1);
  std::string versions;
  const auto reached = with_compaction()->feed.Read(MediaType::kMovie, 0,
                                                    [&](std::int64_t, std::string_view line) -> Result<bool> {
                                                      if (line.find(R"("id":550,)") != line.npos)
                                                        versions += line.substr(line.find("version"), 11);
                                                      return true;
                                                    });
  ASSERT_TRUE(reached) << reached.error().message;
  EXPECT_EQ(versions, R"(version":1,version":2,version":3,)");
  EXPECT_EQ(*reached, writer->feed.NewestSequence(MediaType::kMovie).value());
}

// Sealed, written on, compacted between any two looks of a verification.
TEST(VerifyBesideAWriter, TakesNothingForDamageThatIsJustChanging) {
  using testing::StoreWorld;
  const auto write = [](StoreWorld& world, const char* title) {
    world.clock.Advance(std::chrono::minutes(1));
    for (const int id : {1, 2}) world.Put(Movie(id, title, 1, world.clock.Now()));
    world.Commit();
  };
  const std::pair<const char*, std::function<void(StoreWorld&)>> acts[] = {
      {"seals", [&](StoreWorld& world) { world.Seal(); }},
      {"writes", [&](StoreWorld& world) { write(world, "later"); }},
      {"seals and writes on",
       [&](StoreWorld& world) {
         world.Seal();
         write(world, "later");
       }},
      {"seals twice",
       [&](StoreWorld& world) {
         world.Seal();
         write(world, "later");
         world.Seal();
       }},
      {"compacts",
       [&](StoreWorld& world) {
         const auto report = world.store->Compact(MediaType::kMovie, {}, {});
         ASSERT_TRUE(report) << report.error().message;
         EXPECT_EQ(report->segments_after, 1);
       }},
  };
  for (const auto& [what, act] : acts) {
    for (const bool deep : {false, true}) {
      int looks = 0;
      for (bool met = true; met; ++looks) {
        StoreWorld world;
        write(world, "one");
        world.Seal();
        write(world, "two");
        world.Seal();
        write(world, "three");
        BeforeLook disk(world.files, [&world, &act] { act(world); }, BeforeLook::kAnything, looks + 1);
        const auto reader = testing::StorePieces::ForReading(disk, world.catalog);
        const auto report = reader->Verify(deep);
        ASSERT_TRUE(report) << report.error().message << ": " << what << " before look " << looks + 1;
        for (const auto& damage : report->damage)
          ADD_FAILURE() << damage.file << " " << damage.what << ": " << what << " before look " << looks + 1;
        met = disk.done();
      }
      EXPECT_GT(looks, 10) << what;
    }
  }
}

TEST(VerifyBesideAWriter, WaitsForASealToBeFinishedAndTellsOfOneThatIsNot) {
  testing::StoreWorld world;
  world.Put(Movie(1, "one", 1, world.clock.Now()));
  world.Commit();
  // Each of the changes that make up a seal is still to come.
  const std::int64_t before = world.files.changes();
  bool told = false;
  for (std::int64_t nth = 1; nth < 20; ++nth) {
    world.files.FailAt(nth, ErrorCode::kNoSpace);
    if (world.store->writer->Seal()) break;
    told |= !world.store->Verify(false)->damage.empty();
    const auto waited = world.store->Verify(false, [&] { ASSERT_TRUE(world.store->writer->Seal()); });
    ASSERT_TRUE(waited) << waited.error().message;
    for (const auto& damage : waited->damage) ADD_FAILURE() << damage.file << " " << damage.what;
    world.Seal();
    world.Put(Movie(1 + nth, "more", 1, world.clock.Now()));
    world.Commit();
  }
  EXPECT_GT(world.files.changes(), before);
  EXPECT_TRUE(told);  // state.json was behind the index, and stayed so
}

TEST_F(BesideAWriter, LeavesSegmentsThatLibzstdReadsAsOneFile) {
  for (int id = 1; id <= 300; ++id) Write(id, std::string(2000, 'x'));
  ASSERT_TRUE(writer->writer->Commit({}));
  ASSERT_TRUE(writer->writer->Seal());
  const std::string bytes = files.Read("records/movie/000/000/001.jsonl.zst", 0, 64 << 20).value();
  std::string text(4 << 20, '\0');
  const std::size_t size = ZSTD_decompress(text.data(), text.size(), bytes.data(), bytes.size());
  ASSERT_FALSE(ZSTD_isError(size)) << ZSTD_getErrorName(size);
  EXPECT_EQ(std::count(text.begin(), text.begin() + std::ptrdiff_t(size), '\n'), 300);
  EXPECT_GT(ZSTD_findFrameCompressedSize(bytes.data(), bytes.size()), 0U);
  EXPECT_LT(ZSTD_findFrameCompressedSize(bytes.data(), bytes.size()), bytes.size());  // several frames
}

}  // namespace
}  // namespace tmdbc
