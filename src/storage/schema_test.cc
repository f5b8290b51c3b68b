// SPDX-License-Identifier: MIT
// What a store writes when nothing but numbers, or nothing at all, has changed; and that all of it comes back from the
// segments alone.
#include <gtest/gtest.h>

#include <map>

#include "base/hash.h"
#include "storage/record_line.h"
#include "storage/store_world_test.h"

namespace tmdbc {
namespace {

using std::chrono::days;
using std::chrono::hours;
using testing::Film;
using testing::Movie;
using testing::StoreWorld;

struct SchemaWorld : StoreWorld {
  Time Now() { return clock.Now(); }
  void Run() {  // as the end of a run
    Commit();
    Seal();
    clock.Advance(days(1));
  }
  std::vector<std::string> Lines() {
    std::vector<std::string> lines;
    EXPECT_TRUE(store->feed.Read(MediaType::kMovie, 0, [&](std::int64_t, std::string_view line) -> Result<bool> {
      lines.emplace_back(line);
      return true;
    }));
    return lines;
  }
  // All that the index knows, in words. `rebuilt`: of a catalog that is made of the segments alone.
  std::string Ledger(Database& of) {
    std::string text;
    for (const char* sql : {"SELECT key, version, change, fetched_at, verified_at, content, stats, first_at, changes FROM "
                            "store_records ORDER BY key",
                            "SELECT key, version, change, fetched_at, 0,0,0,0,0 FROM store_steps ORDER BY key, version",
                            "SELECT key, attempts, last_checked, 0,0,0,0,0,0 FROM store_missing ORDER BY key",
                            "SELECT key, at, 0,0,0,0,0,0,0 FROM store_held ORDER BY key"}) {
      auto query = of.Prepare(sql).value();
      while (query.Step().value()) {
        for (int column = 0; column < 9; ++column) text += fmt::format("{} ", query.Int(column));
        text += "\n";
      }
      text += "--\n";
    }
    return text;
  }
  std::int64_t Dead(std::int64_t number) {
    auto query = catalog.Prepare(fmt::format("SELECT dead FROM store_segments WHERE type=1 AND number={}", number)).value();
    return query.Step().value() ? query.Int(0) : -1;
  }
  CompactReport CompactAll(const CompactOptions& how = {}) { return store->Compact(MediaType::kMovie, how, {}).value(); }
};

TEST(Schema, WritesNewNumbersAsAPatchOfTheBodyThatBeganTheVersion) {
  SchemaWorld world;
  world.Put(Movie(550, "Fight Club", 1, world.Now()));
  world.Run();
  world.Put(Movie(550, "Fight Club", 2, world.Now()));
  world.Run();
  world.Put(Movie(550, "Fight Club", 3, world.Now()));
  world.Run();
  const auto lines = world.Lines();
  ASSERT_EQ(lines.size(), 3U);
  EXPECT_NE(lines[2].find(R"("change":"stats","fetched_at":"2026-11-24T00:00:00.000Z","status":200,"etag":null,)"
                          R"("sha256":null,"data":null,"patch":[{"op":"replace","path":"/popularity","value":3.000},)"
                          R"({"op":"replace","path":"/vote_count","value":30}]})"),
            std::string::npos)
      << lines[2];
  // The view is whole, and says so itself.
  const StoredRecord view = world.store->reader.Find(Film(550)).value();
  EXPECT_EQ(view.data, Movie(550, "Fight Club", 3, {}).data);
  EXPECT_EQ(view.sha256, Sha256Hex(view.data));
  const RecordLine envelope = ParseRecordLine(view.envelope).value();
  EXPECT_EQ(envelope.data, view.data);
  EXPECT_EQ(envelope.change, Change::kStats);
  // The history is not changed by it, and the past has the numbers with which the version began.
  EXPECT_EQ(world.Steps(Film(550)), "1 insert");
  EXPECT_EQ(world.store->reader.FindAsOf(Film(550), world.Now() - days(3)).value().data, Movie(550, "Fight Club", 1, {}).data);
  EXPECT_EQ(world.Damage(), "");
}

TEST(Schema, HealsAVersionWhoseBodyIsDamagedWithTheNextFetch) {
  SchemaWorld world;
  world.Put(Movie(550, "Fight Club", 1, world.Now()));
  world.Run();
  world.Put(Movie(550, "Fight Club", 2, world.Now()));
  world.Run();
  world.files.FlipBit("records/movie/000/000/001.jsonl.zst", 30, 1);
  EXPECT_EQ(world.store->reader.Find(Film(550)).error().code, ErrorCode::kCorrupt);
  EXPECT_EQ(world.Put(Movie(550, "Fight Club", 3, world.Now())), Change::kUpdate);
  world.Run();
  EXPECT_EQ(world.View(Film(550)), Movie(550, "Fight Club", 3, {}).data);
  world.Put(Movie(551, "another", 1, world.Now()));
  world.Run();
  world.files.FlipBit("records/movie/000/000/003.jsonl.zst", 30, 1);
  EXPECT_EQ(world.Put(Movie(550, "Fight Club", 3, world.Now())), Change::kUpdate);  // unchanged, but for the damage
}

// A life with every kind of answer, batches of several seconds among them.
void Live(SchemaWorld& world) {
  using std::chrono::milliseconds;
  for (int id = 1; id <= 9; ++id) world.Put(Movie(id, fmt::format("movie {}", id), 1, world.Now()));
  world.Run();
  for (int id = 1; id <= 6; ++id) {
    world.Put(Movie(id, fmt::format("movie {}", id), id % 2 + 1, world.Now()));  // half of them unchanged
    world.clock.Advance(milliseconds(400));
  }
  world.store->writer->PutGone(Film(7), world.Now()).value();
  world.store->writer->PutGone(Film(70), world.Now()).value();
  world.Run();
  world.store->writer->PutGone(Film(7), world.Now()).value();
  world.store->writer->PutGone(Film(70), world.Now()).value();
  world.clock.Advance(milliseconds(300));
  world.store->writer->PutGone(Film(70), world.Now()).value();
  world.store->writer->PutGone(Film(71), world.Now()).value();
  ASSERT_TRUE(world.store->writer->HoldDeletion(Film(1), world.Now()));
  ASSERT_TRUE(world.store->writer->HoldDeletion(Film(2), world.Now()));
  ASSERT_TRUE(world.store->writer->HoldDeletion(Film(3), world.Now()));
  world.Run();
  world.Put(Movie(2, "movie 2", 1, world.Now()));  // back, unchanged
  world.Put(Movie(3, "movie drei", 1, world.Now()));
  world.Put(Movie(71, "movie 71", 1, world.Now()));
  world.Put(Movie(5, "movie 5", 2, world.Now()));
  world.Put(Movie(5, "movie 5", 3, world.Now() + milliseconds(5)));
  world.store->PurgeUnverified(MediaType::kMovie, world.Now() - days(2)).value();  // 8 and 9
  world.Run();
  world.store->writer->PutGone(Film(9), world.Now()).value();  // purged: missing now
  world.Put(Movie(4, "movie 4", 1, world.Now()));
  world.Put(Movie(71, "movie 71", 7, world.Now()));
  world.Commit();  // and an open segment
}

TEST(Schema, BringsAllThatTheCatalogKnewBackFromTheSegments) {
  for (const bool compacted : {false, true}) {
    SchemaWorld world;
    Live(world);
    if (compacted) world.CompactAll();
    const std::string before = world.Ledger(world.catalog);
    Database lost = Database::Open(":memory:", Database::Mode::kReadWrite).value();
    const auto report = Rebuild(world.files, lost);
    ASSERT_TRUE(report) << report.error().message;
    EXPECT_TRUE(report->damage.empty());
    EXPECT_EQ(world.Ledger(lost), before) << compacted;
    // And from a sound catalog, without loss and twice.
    ASSERT_TRUE(world.store->Rebuild());
    EXPECT_EQ(world.Ledger(world.catalog), before) << compacted;
    EXPECT_EQ(world.Damage(), "");
  }
}

TEST(Schema, TakesNothingFromASoundCatalogThatTheSegmentsHaveLost) {
  SchemaWorld world;
  world.Put(Movie(1, "movie 1", 1, world.Now()));
  world.Run();
  world.Put(Movie(1, "movie 1", 1, world.Now()));
  world.store->writer->PutGone(Film(70), world.Now()).value();
  world.Run();
  const std::string before = world.Ledger(world.catalog);
  ASSERT_TRUE(world.files.Remove("records/movie/000/000/002.jsonl.zst"));
  ASSERT_TRUE(world.store->Rebuild());
  EXPECT_EQ(world.Ledger(world.catalog), before);
}

TEST(Schema, CountsWhatIsDeadAndCompactsByIt) {
  SchemaWorld world;
  for (int id = 1; id <= 20; ++id) world.Put(Movie(id, "movie", 1, world.Now()));
  world.Run();
  for (int id = 1; id <= 20; ++id) world.Put(Movie(id, "movie", 2, world.Now()));
  world.Run();
  for (int id = 1; id <= 20; ++id) world.Put(Movie(id, "movie", 2, world.Now()));
  world.Run();
  EXPECT_EQ(world.Dead(1), 0);
  EXPECT_EQ(world.Dead(2), 0);
  for (int id = 1; id <= 20; ++id) world.Put(Movie(id, "movie", 3, world.Now()));
  world.Run();
  const auto lines = world.Lines();
  ASSERT_EQ(lines.size(), 20U + 20 + 1 + 20);
  std::int64_t length = 0;
  for (std::size_t i = 20; i < 40; ++i) length += std::int64_t(lines[i].size()) + 1;
  EXPECT_EQ(world.Dead(2), length);
  EXPECT_EQ(world.Dead(3), std::int64_t(std::string_view("1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,").size()));
  EXPECT_EQ(world.Dead(4), 0);
  // Large segments, too: only those that hold something dead are rewritten.
  const auto report = world.CompactAll({.small_bytes = 0, .dead_share = 0.2});
  EXPECT_EQ(report.segments_before, 2);
  EXPECT_EQ(report.stats_dropped, 20);
  EXPECT_EQ(report.ids_dropped, 20);
  EXPECT_EQ(world.Lines().size(), 40U);
  EXPECT_EQ(world.Damage(), "");
  EXPECT_EQ(world.CompactAll({.small_bytes = 0}).segments_before, 0);
}

TEST(Schema, ReframesWhatTheClockHadCutUp) {
  SchemaWorld world;
  for (int id = 1; id <= 400; ++id) {
    world.Put(Movie(id, fmt::format("movie {}", id), 1, world.Now()));
    if (id % 10 == 0) world.Commit();
  }
  world.Run();
  const auto report = world.CompactAll({.small_bytes = 0});
  EXPECT_EQ(report.segments_before, 1);
  EXPECT_LT(report.bytes_after * 3, report.bytes_before * 2);
  EXPECT_EQ(world.CompactAll({.small_bytes = 0}).segments_before, 0);
  EXPECT_EQ(world.Damage(), "");
}

TEST(Schema, TakesSixBytesForAVerifiedRecord) {
  SchemaWorld world;
  for (int id = 1; id <= 4000; ++id) world.Put(Movie(id * 239 % 1'000'003, "movie", 1, world.Now()));
  world.Run();
  const auto bytes = [&] {
    auto query = world.catalog.Prepare("SELECT bytes FROM store_segments ORDER BY number DESC LIMIT 1").value();
    return query.Step().value() ? query.Int(0) : 0;
  };
  for (int id = 1; id <= 4000; ++id) {
    world.Put(Movie(id * 239 % 1'000'003, "movie", 1, world.Now()));
    world.clock.Advance(std::chrono::milliseconds(25));
    if (id % 40 == 0) world.Commit();  // each second
  }
  world.Run();
  EXPECT_LT(bytes(), 4000 * 8);  // a frame a second
  EXPECT_EQ(world.CompactAll({.small_bytes = 0}).segments_before, 1);
  EXPECT_LT(bytes(), 4000 * 4);
}

TEST(Schema, RefusesAStoreOfTheFirstSchemaUntilItIsToBeUpgraded) {
  SchemaWorld world;
  world.Put(Movie(1, "movie 1", 1, world.Now()));
  world.Run();
  world.store.reset();
  // As the first schema had it: the same lines, another state.json, an index without a line's length.
  world.files.Put("records/movie/state.json", "{\"sequence\":1,\"schema\":1,\"timestamp\":\"2026-11-22T00:00:00.000Z\"}\n");
  ASSERT_TRUE(world.catalog.Execute("UPDATE store_properties SET value=1 WHERE name='schema'; "
                                    "DROP INDEX store_segment_places; ALTER TABLE store_records DROP COLUMN line_length; "
                                    "ALTER TABLE store_segments DROP COLUMN place"));
  const auto opened = testing::StorePieces::Open(world.files, world.catalog, world.clock, world.options);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, ErrorCode::kInvalid);
  EXPECT_EQ(opened.error().hint, Hint::kOldStore);
  EXPECT_EQ(RecordReader(world.files, world.catalog).Find(Film(1)).error().hint, Hint::kOldStore);
  EXPECT_EQ(Rebuild(world.files, world.catalog).error().hint, Hint::kOldStore);
  Database lost = Database::Open(":memory:", Database::Mode::kReadWrite).value();
  EXPECT_EQ(Rebuild(world.files, lost).error().hint, Hint::kOldStore);
  const auto upgraded = Rebuild(world.files, world.catalog, {.upgrade = true});
  ASSERT_TRUE(upgraded) << upgraded.error().message;
  EXPECT_TRUE(upgraded->damage.empty());
  world.Reopen();
  EXPECT_EQ(world.View(Film(1)), Movie(1, "movie 1", 1, {}).data);
  EXPECT_EQ(world.Damage(), "");
}

}  // namespace
}  // namespace tmdbc
