// SPDX-License-Identifier: MIT
// Verify() and Rebuild().
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "base/compression.h"
#include "storage/record_index.h"
#include "storage/segment_path.h"
#include "storage/store_world_test.h"

namespace tmdbc {
namespace {

using std::chrono::minutes;
using testing::kFirst;
using testing::Movie;
using testing::Season;
using testing::Show;
using testing::StoreWorld;

// Frames of two or three movies each.
const RecordWriterOptions kSmallFrames{.frame_bytes = 900};

// Sealed and open segments, every kind of change, seasons, tombstones.
void Fill(StoreWorld& world) {
  const auto now = [&] { return world.clock.Now(); };
  for (int id = 1; id <= 6; ++id) world.Put(Movie(id, fmt::format("movie {}", id), 1, now()));
  world.Put(Show(1399, "Game of Thrones", now()));
  for (int number = 0; number < 3; ++number) world.Put(Season(3620 + number, 1399, number, 4, now()));
  world.Commit();
  world.clock.Advance(minutes(5));
  world.Put(Movie(2, "movie 2", 2, now()));
  world.Put(Movie(3, "movie three", 2, now()));
  world.store->writer->PutGone({MediaType::kMovie, 4}, now()).value();
  world.store->writer->PutGone({MediaType::kMovie, 77}, now()).value();
  world.Commit();
  world.Seal();
  world.clock.Advance(minutes(5));
  world.Put(Movie(2, "movie two", 2, now()));
  world.Put(Movie(4, "movie 4", 3, now()));
  world.Put(Movie(3, "movie three", 4, now()));
  world.Put(Season(3622, 1399, 5, 3, now()));
  ASSERT_TRUE(world.store->PutSeasonList(1399, {{0, 5}}, now()));
  world.Commit();
}

// Everything in the index that can be rebuilt, as text.
std::string IndexText(Database& catalog) {
  std::string text;
  for (const char* sql :
       {"SELECT * FROM store_records", "SELECT * FROM store_steps", "SELECT * FROM store_episodes",
        "SELECT * FROM store_missing",
        "SELECT type, number, bytes, records, crc, opened_at, sealed_at FROM store_segments"}) {
    auto query = catalog.Prepare(sql).value();
    text += std::string(sql) + "\n";
    while (query.Step().value()) {
      for (int column = 0; column < 13; ++column)
        text += fmt::format("{} ", query.IsNull(column) ? "-" : query.Text(column));
      text += "\n";
    }
  }
  return text;
}

TEST(Verify, FindsNothingWrongWithAStoreThatIsWell) {
  StoreWorld world(kSmallFrames);
  EXPECT_EQ(world.Damage(), "");  // an empty one
  Fill(world);
  const auto shallow = world.store->Verify(false).value();
  EXPECT_TRUE(shallow.damage.empty());
  EXPECT_EQ(shallow.segments, 5);
  EXPECT_EQ(shallow.records, 0);
  EXPECT_GT(shallow.bytes, 0);
  const auto deep = world.store->Verify(true).value();
  EXPECT_TRUE(deep.damage.empty()) << deep.damage[0].what;
  EXPECT_EQ(deep.records, 19);  // a verified line among them
  EXPECT_GT(deep.frames, 5);
  EXPECT_EQ(deep.bytes, shallow.bytes);
}

TEST(Verify, FindsEveryFlippedBitOfASegmentAndNamesTheRecords) {
  StoreWorld world(kSmallFrames);
  Fill(world);
  ASSERT_EQ(world.Damage(), "");
  // Which records are in which frame.
  std::map<std::uint64_t, std::set<MediaId>> frames;
  RecordIndex index(world.catalog);
  const auto add = [&](const auto& row) {
    if (row.place.segment == 1) frames[row.place.frame_at].insert(row.id);
  };
  ASSERT_TRUE(index.VisitRows(MediaType::kMovie, add));
  ASSERT_TRUE(index.VisitSteps(MediaType::kMovie, add));
  ASSERT_GE(frames.size(), 3U);

  const auto views = [&] {
    std::string text;
    for (int id = 1; id <= 6; ++id)
      text += world.View({MediaType::kMovie, id}) + world.Steps({MediaType::kMovie, id});
    return text;
  };
  const std::string before = views();

  std::int64_t harmless = 0;
  const std::uint64_t size = world.files.Size(kFirst).value();
  for (std::uint64_t byte = 0; byte < size; ++byte) {
    // Every bit of the frames' headers, one of each other byte.
    const bool header = byte - std::prev(frames.upper_bound(byte))->first < 12;
    for (int flip = header ? 0 : int(byte * 5 % 8); flip < 8; flip += header ? 1 : 8) {
      world.files.FlipBit(kFirst, byte, flip);
      const auto report = world.store->Verify(true).value();
      ASSERT_EQ(report.damage.size(), 1U) << byte << "." << flip;
      EXPECT_EQ(report.damage[0].file, kFirst);
      if (report.damage[0].records.empty()) {
        // The unused bit of a frame's header, or one that fills a table of the compressor's up to a byte:
        // found by the checksum of the file, and every record can still be read.
        ++harmless;
        EXPECT_EQ(views(), before) << byte << "." << flip;
      } else {
        const auto& records = report.damage[0].records;
        EXPECT_EQ(std::set<MediaId>(records.begin(), records.end()), frames.at(report.damage[0].offset))
            << byte;
        EXPECT_FALSE(world.store->reader.Find(records[0]).has_value() &&
                     world.Steps(records[0]).find("damaged") == std::string::npos);
      }
      world.files.FlipBit(kFirst, byte, flip);
    }
  }
  EXPECT_GE(harmless, std::int64_t(frames.size()));
  EXPECT_LT(harmless, std::int64_t(size / 50));
  EXPECT_EQ(world.Damage(), "");
}

TEST(Verify, FindsEveryFlippedBitOfTheStateWithoutGoingDeep) {
  StoreWorld world;
  Fill(world);
  const std::string path = "records/tv/state.json";
  for (std::uint64_t byte = 0; byte < world.files.Size(path).value(); ++byte) {
    for (int bit = 0; bit < 8; ++bit) {
      world.files.FlipBit(path, byte, bit);
      const auto report = world.store->Verify(false).value();
      ASSERT_EQ(report.damage.size(), 1U) << byte << "." << bit;
      EXPECT_EQ(report.damage[0].file, path);
      world.files.FlipBit(path, byte, bit);
    }
  }
}

TEST(Verify, FindsFilesThatAreMissingShortOrStrange) {
  const std::string open = "records/movie/000/000/002.jsonl.zst.open";
  struct Case {
    const char* what;
    std::function<void(StoreWorld&)> harm;
    std::string damage;
    bool records;
  };
  const Case cases[] = {
      {"a sealed segment is missing", [](StoreWorld& w) { (void)w.files.Remove(kFirst); },
       "001.jsonl.zst: missing", true},
      {"the open one is missing", [&](StoreWorld& w) { (void)w.files.Remove(open); },
       "002.jsonl.zst.open: missing", true},
      {"short", [](StoreWorld& w) { w.files.Put(kFirst, w.files.Read(kFirst, 0, 50).value()); },
       "001.jsonl.zst: 50 bytes, the index says", true},
      {"longer", [](StoreWorld& w) { w.files.Put(kFirst, w.files.Read(kFirst, 0, 5000).value() + "x"); },
       "001.jsonl.zst: ", false},
      {"unknown", [](StoreWorld& w) { w.files.Put("records/movie/000/000/003.jsonl.zst", ""); },
       "003.jsonl.zst: not in the index", false},
      {"no state", [](StoreWorld& w) { (void)w.files.Remove("records/movie/state.json"); },
       "records/movie/state.json: missing", false},
      {"a gap",
       [](StoreWorld& w) { (void)w.catalog.Execute("UPDATE store_segments SET number=3 WHERE number=2"); },
       "002.jsonl.zst: missing", false},
  };
  for (const Case& one : cases) {
    StoreWorld world;
    Fill(world);
    one.harm(world);
    const auto report = world.store->Verify(false).value();
    ASSERT_FALSE(report.damage.empty()) << one.what;
    const auto& first = report.damage[0];
    EXPECT_NE((first.file + ": " + first.what).find(one.damage), std::string::npos)
        << first.file << ": " << first.what;
    EXPECT_EQ(!first.records.empty(), one.records) << one.what;
  }
}

TEST(Verify, FindsAnIndexThatDoesNotAgree) {
  for (const char* sql : {
           "UPDATE store_records SET frame_at=frame_at+1 WHERE rowid=(SELECT min(key) FROM store_records)",
           "UPDATE store_records SET line_at=line_at+1 WHERE rowid=(SELECT min(key) FROM store_records)",
           "UPDATE store_records SET frame_length=frame_length-1 WHERE rowid=(SELECT min(key) FROM store_records)",
           "UPDATE store_records SET segment=9 WHERE rowid=(SELECT min(key) FROM store_records)",
           "UPDATE store_records SET version=version+1 WHERE rowid=(SELECT min(key) FROM store_records)",
           "UPDATE store_records SET content=content+1 WHERE rowid=(SELECT min(key) FROM store_records)",
           "UPDATE store_records SET stats=stats+1 WHERE rowid=(SELECT min(key) FROM store_records)",
           "UPDATE store_records SET fetched_at=fetched_at-1 WHERE rowid=(SELECT min(key) FROM "
           "store_records)",
           "UPDATE store_records SET change=1 WHERE rowid=(SELECT min(key) FROM store_records)",
           "UPDATE store_records SET tv_id=7 WHERE key>>52=3",
           "DELETE FROM store_records WHERE rowid=(SELECT min(key) FROM store_records)",
           "DELETE FROM store_steps WHERE version=1",
           "DELETE FROM store_episodes WHERE id=362001",
           "UPDATE store_segments SET records=records+1 WHERE number=1",
           "UPDATE store_segments SET crc=crc+1 WHERE number=2",
           "DELETE FROM store_segments WHERE number=2",
       }) {
    StoreWorld world;
    Fill(world);
    ASSERT_TRUE(world.catalog.Execute(sql)) << sql;
    EXPECT_NE(world.Damage(), "") << sql;
    ASSERT_TRUE(world.store->Rebuild()) << sql;
    EXPECT_EQ(world.Damage(), "") << sql;
  }
}

TEST(Rebuild, MakesTheSameIndex) {
  StoreWorld world(kSmallFrames);
  Fill(world);
  const std::string before = IndexText(world.catalog);
  const auto report = world.store->Rebuild();
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_TRUE(report->damage.empty());
  EXPECT_EQ(report->records, 19);
  EXPECT_EQ(IndexText(world.catalog), before);
  // And the store goes on with it.
  EXPECT_EQ(world.Put(Movie(2, "movie two", 2, world.clock.Now())), Change::kUnchanged);
  EXPECT_EQ(world.Put(Movie(9, "movie 9", 2, world.clock.Now())), Change::kInsert);
  world.Commit();
  world.Seal();
  EXPECT_EQ(world.Damage(), "");
  EXPECT_EQ(world.Steps({MediaType::kMovie, 2}), "1 insert, 2 update");
}

TEST(Rebuild, RestoresALostCatalog) {
  StoreWorld world(kSmallFrames);
  Fill(world);
  const std::string before = IndexText(world.catalog);
  Database catalog = Database::Open(":memory:", Database::Mode::kReadWrite).value();
  const auto refused = testing::StorePieces::Open(world.files, catalog, world.clock, world.options);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kCorrupt);
  EXPECT_EQ(refused.error().hint, Hint::kRebuild) << refused.error().message;

  const auto reader = testing::StorePieces::ForReading(world.files, catalog);
  const auto report = reader->Rebuild();
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(reader->reader.Find({MediaType::kMovie, 2}).value().data, Movie(2, "movie two", 2, {}).data);
  EXPECT_EQ(reader->reader.FindSeason(1399, 5).value().id.id, 3622);
  EXPECT_EQ(reader->reader.FindSeasonOfEpisode(362201).value().id.id, 3622);
  const auto opened = testing::StorePieces::Open(world.files, catalog, world.clock, world.options);
  ASSERT_TRUE(opened) << opened.error().message;
  EXPECT_TRUE((*opened)->Verify(true).value().damage.empty());
  // The ledger of ids that never were is not in the segments.
  const auto strip = [](std::string text) {
    const auto from = text.find("SELECT * FROM store_missing"), to = text.find("SELECT type");
    return text.erase(from, to - from);
  };
  EXPECT_EQ(strip(IndexText(catalog)), strip(before));
}

TEST(Rebuild, KeepsTheLedgerThePopularityAndOtherTables) {
  StoreWorld world;
  Fill(world);
  ASSERT_TRUE(world.store->popularity.Set(MediaType::kMovie, {{{550, 61.5F}}}));
  ASSERT_TRUE(world.catalog.Execute("CREATE TABLE queue(id INTEGER); INSERT INTO queue VALUES(5)"));
  ASSERT_TRUE(world.store->Rebuild());
  EXPECT_EQ(world.store->popularity.Find({MediaType::kMovie, 550}).value(), 61.5F);
  EXPECT_EQ(world.store->ledger.Counts().value()[0].second.missing, 1);
  auto query = world.catalog.Prepare("SELECT id FROM queue").value();
  ASSERT_TRUE(query.Step().value());
  EXPECT_EQ(query.Int(0), 5);
}

TEST(Rebuild, CutsTheTornTailOfAnOpenSegment) {
  StoreWorld world(kSmallFrames);
  Fill(world);
  const std::string before = IndexText(world.catalog);
  const std::string path = "records/movie/000/000/002.jsonl.zst.open";
  const std::string whole = world.files.Read(path, 0, 1 << 20).value();
  const std::string more = ZstdFrame("{}\n");
  for (std::size_t cut = 1; cut < more.size(); ++cut) {
    world.files.Put(path, whole + more.substr(0, cut));
    const auto report = world.store->Rebuild().value();
    ASSERT_EQ(report.damage.size(), 1U);
    EXPECT_EQ(report.damage[0].offset, whole.size());
    EXPECT_EQ(world.files.Read(path, 0, 1 << 20).value(), whole);
    EXPECT_EQ(IndexText(world.catalog), before);
  }
}

TEST(Rebuild, KeepsEverythingReadableBesideADamagedFrame) {
  StoreWorld world(kSmallFrames);
  Fill(world);
  // The frame of the first movies; their later versions are elsewhere.
  world.files.FlipBit(kFirst, 60, 1);
  const auto report = world.store->Rebuild().value();
  ASSERT_EQ(report.damage.size(), 1U);
  EXPECT_EQ(report.damage[0].file, kFirst);
  EXPECT_EQ(report.damage[0].offset, 0U);
  EXPECT_EQ(world.View({MediaType::kMovie, 1}), "none");  // its only record
  EXPECT_EQ(world.View({MediaType::kMovie, 2}), Movie(2, "movie two", 2, {}).data);
  EXPECT_NE(world.View({MediaType::kMovie, 6}), "none");
  EXPECT_EQ(world.Put(Movie(1, "movie 1", 1, world.clock.Now())), Change::kInsert);  // fetched again
  world.Commit();
  EXPECT_EQ(world.View({MediaType::kMovie, 1}), Movie(1, "movie 1", 1, {}).data);
  EXPECT_EQ(world.store->Verify(true).value().damage.size(), 1U);  // still said
}

TEST(Rebuild, ReportsMissingSegments) {
  StoreWorld world;
  Fill(world);
  ASSERT_TRUE(world.files.Remove(kFirst));
  const auto report = world.store->Rebuild().value();
  ASSERT_EQ(report.damage.size(), 2U);
  EXPECT_EQ(report.damage[0].file, kFirst);
  EXPECT_EQ(report.damage[1].what, "the line that began version 2 is lost");  // of numbers that are there
  EXPECT_EQ(world.View({MediaType::kMovie, 2}), Movie(2, "movie two", 2, {}).data);
  EXPECT_EQ(world.View({MediaType::kMovie, 6}), "none");
}

}  // namespace
}  // namespace tmdbc
