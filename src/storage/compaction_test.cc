// SPDX-License-Identifier: MIT
// Compaction and purge: what they drop, what they must never lose, and that nobody who reads notices.
#include "storage/compaction.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "storage/record_line.h"
#include "storage/store_world_test.h"

namespace tmdbc {
namespace {

using std::chrono::days;
using std::chrono::hours;
using testing::FaultFileSystem;
using testing::Film;
using testing::Movie;
using testing::Season;
using testing::Show;
using testing::StoreWorld;

// "1 2 | 4 5": the runs that a plan makes, by their numbers.
std::string Plan(std::initializer_list<SegmentRow> rows, const std::set<std::uint32_t>& rewrite,
                 std::uint64_t much_larger = 0) {
  const std::vector<SegmentRow> in_order(rows);
  std::string text;
  for (const auto& run : PlanCompaction(in_order, {.small_bytes = 100, .most_bytes = 250, .much_larger = much_larger,
                                                   .rewrite = rewrite})) {
    text += text.empty() ? "" : " | ";
    for (const SegmentRow& row : run) text += fmt::format("{}{}", &row == &run[0] ? "" : " ", row.number);
  }
  return text;
}

SegmentRow Row(std::uint32_t number, std::uint64_t bytes) {
  return {.type = MediaType::kMovie, .number = number, .bytes = bytes, .sealed_at = Time{}, .origin = {}};
}

TEST(PlanCompaction, MergesNeighboursThatAreSmall) {
  EXPECT_EQ(Plan({}, {}), "");
  EXPECT_EQ(Plan({Row(1, 10)}, {}), "");
  EXPECT_EQ(Plan({Row(1, 10), Row(2, 20)}, {}), "1 2");
  EXPECT_EQ(Plan({Row(1, 99), Row(2, 100), Row(3, 99)}, {}), "");
  EXPECT_EQ(Plan({Row(1, 10), Row(2, 10), Row(3, 500), Row(4, 10), Row(5, 10), Row(6, 10)}, {}),
            "1 2 | 4 5 6");
  EXPECT_EQ(Plan({Row(1, 90), Row(2, 90), Row(3, 90), Row(4, 90), Row(5, 90)}, {}), "1 2 | 3 4");
  EXPECT_EQ(Plan({Row(9, 10), Row(6, 10), Row(8, 10)}, {}),
            "9 6 8");  // in the order of the feed, not of numbers
}

TEST(PlanCompaction, RewritesWhatMustBe) {
  EXPECT_EQ(Plan({Row(1, 500), Row(2, 500), Row(3, 500)}, {2}), "2");
  EXPECT_EQ(Plan({Row(1, 10), Row(2, 500), Row(3, 10)}, {2}), "2");  // too large to be merged with others
  EXPECT_EQ(Plan({Row(1, 10), Row(2, 150), Row(3, 10)}, {2}), "1 2 3");
  EXPECT_EQ(Plan({Row(1, 10)}, {1}), "1");
}

TEST(PlanCompaction, LeavesWhatIsMuchLargerThanAllBehindItWhenAskedTo) {
  const auto plan = [](std::initializer_list<SegmentRow> rows, std::set<std::uint32_t> rewrite) {
    return Plan(rows, std::move(rewrite), 4);
  };
  EXPECT_EQ(plan({Row(1, 90), Row(2, 10), Row(3, 10)}, {}), "2 3");
  EXPECT_EQ(plan({Row(1, 90), Row(2, 10), Row(3, 10)}, {3}), "2 3");
  EXPECT_EQ(plan({Row(1, 90), Row(2, 10), Row(3, 10)}, {1}), "1 2 3");
  EXPECT_EQ(plan({Row(1, 90), Row(2, 10), Row(3, 20)}, {}), "1 2 3");
  EXPECT_EQ(plan({Row(1, 99), Row(2, 20), Row(3, 2), Row(4, 2)}, {4}), "3 4");
  EXPECT_EQ(plan({Row(1, 10), Row(2, 1)}, {}), "");
  EXPECT_EQ(Plan({Row(1, 90), Row(2, 10), Row(3, 10)}, {}), "1 2 3");
}

TEST(PlanCompaction, LeavesFewerThanTheLeastUnlessSomethingInThemHasToGo) {
  const std::vector<SegmentRow> rows = {Row(1, 10), Row(2, 10),  Row(3, 500), Row(4, 10),  Row(5, 10),
                                        Row(6, 10), Row(7, 500), Row(8, 10),  Row(9, 500), Row(10, 10)};
  const auto numbers = [&](const std::set<std::uint32_t>& rewrite) {
    std::string text;
    for (const auto& run : PlanCompaction(
             rows, {.small_bytes = 100, .most_bytes = 250, .least_segments = 3, .rewrite = rewrite})) {
      for (const SegmentRow& row : run) text += fmt::format("{} ", row.number);
      text += "| ";
    }
    return text;
  };
  EXPECT_EQ(numbers({}), "4 5 6 | ");
  EXPECT_EQ(numbers({2, 8}), "1 2 | 4 5 6 | 8 | ");
}

TEST(PlanCompaction, KeepsTheOriginOfASegmentBounded) {
  std::vector<SegmentRow> rows;
  for (std::uint32_t i = 1; i <= kMaxOriginParts + 5; ++i) rows.push_back(Row(i, 1));
  const auto runs = PlanCompaction(rows, {.small_bytes = 100, .most_bytes = UINT64_MAX, .rewrite = {}});
  ASSERT_EQ(runs.size(), 2U);
  EXPECT_EQ(runs[0].size(), kMaxOriginParts);
}

// All that a reader can see of some ids.
struct Picture {
  std::map<MediaId, std::string> text;
  bool operator==(const Picture&) const = default;
};

struct CompactWorld : StoreWorld {
  CompactWorld() : StoreWorld({.frame_bytes = 700}) {}

  Time Now() { return clock.Now(); }
  void Run() {  // as the end of a run: what has been put becomes a segment
    Commit();
    Seal();
    clock.Advance(days(1));
  }
  CompactReport CompactAll(const CompactOptions& how = {}) {
    CompactReport all;
    for (const MediaType type : kRecordTypes) {
      const auto report = store->Compact(type, how, {});
      EXPECT_TRUE(report) << report.error().message;
      if (report) all.Add(*report);
    }
    return all;
  }
  Picture TakePicture() {
    Picture picture;
    for (const MediaType type : {MediaType::kMovie, MediaType::kTv, MediaType::kSeason}) {
      EXPECT_TRUE(store->ledger.VisitKnownIds(type, [&](std::int64_t id) {
        std::string& text = picture.text[{type, id}];
        text = View({type, id}) + " " + Steps({type, id});
        const auto history = store->reader.History({type, id});
        for (const StoredRecord& record : history.value_or(std::vector<StoredRecord>{}))
          text += record.envelope;
      }));
    }
    return picture;
  }
  struct FeedLine {
    std::int64_t sequence;
    std::string line;
    bool operator==(const FeedLine&) const = default;
  };
  std::vector<FeedLine> Feed(MediaType type, std::int64_t since = 0) {
    std::vector<FeedLine> lines;
    const auto reached =
        store->feed.Read(type, since, [&](std::int64_t sequence, std::string_view line) -> Result<bool> {
          EXPECT_GT(sequence, since);
          EXPECT_GE(sequence, lines.empty() ? 0 : lines.back().sequence);
          lines.push_back({sequence, std::string(line)});
          return true;
        });
    EXPECT_TRUE(reached) << reached.error().message;
    EXPECT_EQ(reached.value_or(-1), store->feed.NewestSequence(type).value());
    return lines;
  }
  std::vector<std::string> Segments(MediaType type) {
    std::vector<std::string> names;
    const std::string folder = fmt::format("records/{}", Name(type));
    const auto paths = files.List(folder).value();
    for (const std::string& path : paths) {
      if (!path.ends_with("state.json")) names.push_back(path.substr(path.size() - 13));
    }
    return names;
  }
  // Every version number and its kind, of all lines of the feed of one id.
  std::string LinesOf(std::int64_t id) {
    std::string text;
    for (const auto& [sequence, line] : Feed(MediaType::kMovie)) {
      const auto parsed = ParseRecordLine(line).value();
      if (parsed.id.id != id) continue;
      text +=
          fmt::format("{}{}:{} {}", text.empty() ? "" : ", ", sequence, parsed.version, Name(parsed.change));
    }
    return text;
  }
};

// Six days in the life of a store: every kind of change, each day a segment of its own.
void Fill(CompactWorld& world) {
  const auto put = [&](std::int64_t id, std::string_view title, double popularity) {
    world.Put(Movie(id, title, popularity, world.Now()));
  };
  for (int id = 1; id <= 8; ++id) put(id, fmt::format("movie {}", id), 1);
  world.Put(Show(1399, "Game of Thrones", world.Now()));
  for (int number = 0; number < 3; ++number) world.Put(Season(3620 + number, 1399, number, 4, world.Now()));
  world.Run();
  put(1, "movie 1", 2);
  put(2, "movie two", 1);
  put(3, "movie 3", 2);
  world.Run();
  put(1, "movie 1", 3);
  put(3, "movie three", 2);
  world.store->writer->PutGone(Film(4), world.Now()).value();
  world.Put(Season(3622, 1399, 2, 6, world.Now()));
  world.Run();
  put(1, "movie 1", 4);
  put(2, "movie two", 7);
  world.Run();
  put(4, "movie 4", 1);
  put(9, "movie 9", 1);
  ASSERT_TRUE(world.store->PutSeasonList(1399, {{0, 2}}, world.Now()));
  world.Run();
  put(1, "movie one", 4);
  put(2, "movie two", 9);
  world.Run();
}

// The current view by a consumer that knows nothing but the lines.
std::map<std::int64_t, std::string> Follow(const std::vector<CompactWorld::FeedLine>& feed) {
  std::map<std::int64_t, std::string> views;
  for (const auto& [sequence, line] : feed) views[ParseRecordLine(line).value().id.id] = line;
  return views;
}

TEST(Compaction, ChangesNothingThatAReaderSees) {
  CompactWorld world;
  Fill(world);
  const Picture before = world.TakePicture();
  const auto feed = world.Feed(MediaType::kMovie);
  const std::string state = world.files.Read("records/movie/state.json", 0, 1000).value();
  ASSERT_EQ(world.Segments(MediaType::kMovie).size(), 6U);

  const auto report = world.CompactAll();
  EXPECT_EQ(world.Segments(MediaType::kMovie), std::vector<std::string>{"007.jsonl.zst"});
  EXPECT_EQ(report.segments_before, 6 + 3);  // seasons have three; the show has one and nothing to merge
  EXPECT_EQ(report.segments_after, 2);
  EXPECT_EQ(report.stats_dropped, 5);
  EXPECT_EQ(report.versions_dropped, 0);
  EXPECT_EQ(report.records_kept, std::int64_t(feed.size()) - 5 + 5);
  EXPECT_LT(report.bytes_after, report.bytes_before);
  EXPECT_EQ(world.TakePicture(), before);
  EXPECT_EQ(world.Damage(), "");
  EXPECT_EQ(world.files.Read("records/movie/state.json", 0, 1000).value(),
            state);  // followers see nothing new

  // The feed: the same lines under the same numbers, but for the numbers that were replaced meanwhile.
  EXPECT_EQ(world.LinesOf(1), "1:1 insert, 6:2 update");
  EXPECT_EQ(world.LinesOf(2), "1:1 insert, 2:2 update, 6:2 stats");
  EXPECT_EQ(world.LinesOf(3), "1:1 insert, 3:2 update");
  EXPECT_EQ(world.LinesOf(4), "1:1 insert, 3:2 delete, 5:3 restore");
  const auto compacted = world.Feed(MediaType::kMovie);
  EXPECT_TRUE(
      std::ranges::all_of(compacted, [&](const auto& line) { return std::ranges::count(feed, line) == 1; }));
  EXPECT_EQ(Follow(compacted), Follow(feed));
}

TEST(Compaction, LetsAFollowerGoOnFromWhereverItWas) {
  CompactWorld world;
  Fill(world);
  const auto whole = Follow(world.Feed(MediaType::kMovie));
  for (std::int64_t since = 0; since <= 6; ++since) {
    CompactWorld again;
    Fill(again);
    std::vector<CompactWorld::FeedLine> seen;
    // In steps of one sequence number until `since`, the rest after the compaction.
    for (std::int64_t at = 0; at < since;) {
      at = again.store->feed
               .Read(MediaType::kMovie, at,
                     [&](std::int64_t sequence, std::string_view line) -> Result<bool> {
                       seen.push_back({sequence, std::string(line)});
                       return false;
                     })
               .value();
      EXPECT_EQ(seen.back().sequence, at);
    }
    again.CompactAll();
    const auto rest = again.Feed(MediaType::kMovie, since);
    EXPECT_TRUE(std::ranges::all_of(rest, [&](const auto& line) { return line.sequence > since; }));
    seen.insert(seen.end(), rest.begin(), rest.end());
    EXPECT_EQ(Follow(seen), whole) << since;
  }
}

TEST(Compaction, GoesOnWithWhatWasCompactedBefore) {
  CompactWorld world;
  Fill(world);
  world.CompactAll();  // 7 stands for 1..6
  const auto newest = [&] { return world.store->feed.NewestSequence(MediaType::kMovie).value(); };
  EXPECT_EQ(newest(), 6);
  world.Put(Movie(10, "movie 10", 1, world.Now()));
  world.Run();
  world.Put(Movie(1, "movie 1", 1, world.Now()));
  world.Put(Movie(2, "movie two", 10, world.Now()));
  world.Run();
  EXPECT_EQ(newest(), 9);
  EXPECT_EQ(world.Damage(), "");
  const Picture before = world.TakePicture();
  world.CompactAll();
  EXPECT_EQ(world.Segments(MediaType::kMovie), std::vector<std::string>{"010.jsonl.zst"});
  EXPECT_EQ(newest(), 9);
  EXPECT_EQ(world.LinesOf(2), "1:1 insert, 2:2 update, 9:2 stats");
  EXPECT_EQ(world.LinesOf(10), "8:1 insert");
  EXPECT_EQ(world.TakePicture(), before);
  EXPECT_EQ(world.Damage(), "");
  world.CompactAll();  // there is nothing left to merge
  EXPECT_EQ(world.Segments(MediaType::kMovie), std::vector<std::string>{"010.jsonl.zst"});
  world.Reopen();
  EXPECT_EQ(world.Put(Movie(10, "movie ten", 1, world.Now())), Change::kUpdate);
  world.Run();
  EXPECT_EQ(world.Segments(MediaType::kMovie), (std::vector<std::string>{"010.jsonl.zst", "011.jsonl.zst"}));
  EXPECT_EQ(newest(), 11);
  EXPECT_EQ(world.Damage(), "");
}

TEST(Compaction, SealsWhatIsOpenFirst) {
  CompactWorld world;
  world.Put(Movie(1, "one", 1, world.Now()));
  world.Run();
  world.Put(Movie(1, "two", 1, world.Now()));
  EXPECT_FALSE(world.store->Compact(MediaType::kMovie, {}, {}));  // with a batch under way
  world.Commit();
  world.CompactAll();
  EXPECT_EQ(world.Segments(MediaType::kMovie), std::vector<std::string>{"003.jsonl.zst"});
  EXPECT_EQ(world.Steps(Film(1)), "1 insert, 2 update");
  EXPECT_EQ(world.Damage(), "");
}

// At 3 fetches a second a frame holds what came in a second. Those that the clock closed are made into full ones, once.
TEST(Compaction, FillsTheFramesThatTheClockClosed) {
  const auto compact = [](StoreWorld& world) {
    return world.store->Compact(MediaType::kMovie, {.least_segments = 8}, {}).value();
  };
  StoreWorld slow, quick;
  for (int id = 1; id <= 40; ++id) {
    const Document movie = Movie(id, fmt::format("{} {}", id, std::string(5000, 'a')), 1, slow.clock.Now());
    slow.Put(movie), slow.Commit();
    quick.Put(movie);
  }
  quick.Commit();
  slow.Seal(), quick.Seal();
  const CompactReport filled = compact(slow);
  EXPECT_EQ(filled.segments_after, 1);
  EXPECT_EQ(filled.records_kept, 40);
  EXPECT_LT(filled.bytes_after, filled.bytes_before / 2);
  EXPECT_EQ(compact(slow).segments_before, 0);
  EXPECT_EQ(compact(quick).segments_before, 0);
  EXPECT_EQ(slow.View(Film(40)), quick.View(Film(40)));
  EXPECT_EQ(slow.Damage(), "");
}

TEST(Compaction, OnADryRunTellsAndDoesNothing) {
  CompactWorld world, real;
  Fill(world);
  Fill(real);
  const std::int64_t changes = world.files.changes();
  const auto foretold = world.CompactAll({.versions_before = world.Now() - days(3), .dry_run = true});
  EXPECT_EQ(world.files.changes(), changes);
  const auto done = real.CompactAll({.versions_before = real.Now() - days(3)});
  EXPECT_GT(done.versions_dropped, 0);
  EXPECT_EQ(foretold.segments_before, done.segments_before);
  EXPECT_EQ(foretold.segments_after, done.segments_after);
  EXPECT_EQ(foretold.records_kept, done.records_kept);
  EXPECT_EQ(foretold.stats_dropped, done.stats_dropped);
  EXPECT_EQ(foretold.versions_dropped, done.versions_dropped);
  EXPECT_EQ(foretold.bytes_after, done.bytes_after);
}

TEST(Compaction, DropsOldVersionsOnlyWhenToldAndKeepsWhatWasInForceThen) {
  CompactWorld world;
  const Time start = world.Now();
  Fill(world);  // the days 0..5
  // Two days back is day 4: of that day's views, and of all since, nothing goes.
  const auto report = world.CompactAll({.small_bytes = 0, .versions_before = start + days(4)});
  EXPECT_EQ(report.versions_dropped, 4);
  EXPECT_EQ(world.Steps(Film(1)), "1 insert, 2 update");  // replaced on day 5
  EXPECT_EQ(world.Steps(Film(2)), "2 update");            // replaced on day 1
  EXPECT_EQ(world.Steps(Film(3)), "2 update");            // on day 2
  EXPECT_EQ(world.Steps(Film(4)), "2 delete, 3 restore");
  EXPECT_EQ(world.Steps({MediaType::kSeason, 3622}), "2 update");
  EXPECT_EQ(world.store->reader.FindAsOf(Film(4), start + days(4) - hours(1)).value().status, 404);
  EXPECT_EQ(world.store->reader.FindAsOf(Film(1), start + days(4)).value().version, 1);
  EXPECT_EQ(world.store->reader.FindAsOf(Film(3), start).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(world.Damage(), "");
  const Picture kept = world.TakePicture();
  ASSERT_TRUE(world.store->Rebuild());
  EXPECT_EQ(world.TakePicture(), kept);
  EXPECT_EQ(world.Damage(), "");
}

TEST(Compaction, StopsWithNothingHalfDone) {
  CompactWorld world;
  Fill(world);
  const Picture before = world.TakePicture();
  int left = 0;
  for (int calls = 0; calls < 40; ++calls) {
    left = calls;
    const auto report = world.store->Compact(MediaType::kMovie, {}, [&] { return --left < 0; });
    ASSERT_TRUE(report) << report.error().message;
    EXPECT_EQ(world.TakePicture(), before);
    EXPECT_EQ(world.Damage(), "");
    if (world.Segments(MediaType::kMovie).size() == 1) return;
  }
  FAIL() << "never came to its end";
}

TEST(Compaction, LeavesADamagedSegmentAsItIs) {
  CompactWorld world;
  Fill(world);
  const std::string third = "records/movie/000/000/003.jsonl.zst";
  world.files.FlipBit(third, 20, 1);
  const std::string bytes = world.files.Read(third, 0, 1 << 20).value();
  const auto report = world.CompactAll();
  EXPECT_EQ(report.damaged_segments, 1);
  EXPECT_EQ(world.Segments(MediaType::kMovie),
            (std::vector<std::string>{"003.jsonl.zst", "007.jsonl.zst", "008.jsonl.zst"}));
  EXPECT_EQ(world.files.Read(third, 0, 1 << 20).value(), bytes);
  EXPECT_EQ(world.View(Film(2)), Movie(2, "movie two", 9, {}).data);
  EXPECT_EQ(world.View(Film(9)), Movie(9, "movie 9", 1, {}).data);
  const auto damage = world.store->Verify(true).value().damage;
  ASSERT_EQ(damage.size(), 1U);
  EXPECT_EQ(damage[0].file, third);
  // A follower is told where to go on.
  const auto read =
      world.store->feed.Read(MediaType::kMovie, 2, [](auto, auto) -> Result<bool> { return true; });
  ASSERT_FALSE(read);
  EXPECT_NE(read.error().message.find("begins after 3"), std::string::npos) << read.error().message;
  EXPECT_FALSE(world.Feed(MediaType::kMovie, 3).empty());
}

// The lines of the feed from `since` on, "3 movie:1", and "3 damaged"; the number reached last.
std::string FeedWithDamage(CompactWorld& world, std::int64_t since, std::string* damaged = nullptr) {
  std::string text;
  const auto reached = world.store->feed.Read(
      MediaType::kMovie, since,
      [&](std::int64_t sequence, std::string_view line) -> Result<bool> {
        const auto parsed = ParseRecordLine(line).value();
        text += fmt::format("{} {}, ", sequence, ToString(parsed.id));
        return true;
      },
      [&](const FeedDamage& damage) -> Result<void> {
        text += fmt::format("{} damaged, ", damage.sequence);
        if (damaged) *damaged = damage.file;
        return {};
      });
  return text + (reached ? fmt::format("{}", *reached) : reached.error().message);
}

TEST(ChangeFeed, GoesOnBehindWhatIsDamagedWhenAskedTo) {
  CompactWorld world;
  for (int day = 1; day <= 3; ++day) {
    for (int id = 1; id <= 6; ++id)
      world.Put(Movie(id, fmt::format("{} of day {}", id, day), 1, world.Now()));
    world.Run();
  }
  const std::string second = "records/movie/000/000/002.jsonl.zst";
  const std::string day3 = "3 movie:1, 3 movie:2, 3 movie:3, 3 movie:4, 3 movie:5, 3 movie:6, 3";
  const std::uint64_t size = world.files.Size(second).value();
  // In the first, the last and a middle frame: of each damaged frame nothing is told, of the others all.
  for (const std::uint64_t byte : {std::uint64_t{20}, size / 2, size - 2}) {
    world.files.FlipBit(second, byte, 1);
    std::string damaged;
    const std::string feed = FeedWithDamage(world, 1, &damaged);
    EXPECT_EQ(damaged, second);
    EXPECT_TRUE(feed.ends_with(day3)) << feed;
    EXPECT_NE(feed.find("2 damaged, "), std::string::npos) << feed;
    EXPECT_NE(feed.find("2 movie:"), std::string::npos) << feed;
    world.files.FlipBit(second, byte, 1);
  }
  EXPECT_EQ(FeedWithDamage(world, 1),
            "2 movie:1, 2 movie:2, 2 movie:3, 2 movie:4, 2 movie:5, 2 movie:6, " + day3);
  // Cut short, and gone.
  const std::string bytes = world.files.Read(second, 0, size).value();
  world.files.Put(second, bytes.substr(0, size - 30));
  EXPECT_NE(FeedWithDamage(world, 1).find("2 movie:1, "), std::string::npos);
  EXPECT_NE(FeedWithDamage(world, 1).find("2 damaged, 3 movie:1, "), std::string::npos);
  world.files.Put(second, "");
  EXPECT_EQ(FeedWithDamage(world, 1), "2 damaged, " + day3);
  ASSERT_TRUE(world.files.Remove(second));
  EXPECT_EQ(FeedWithDamage(world, 1), "2 damaged, " + day3);
}

// A follower that has read some of the numbers of a compacted segment misses no line behind the damage.
TEST(ChangeFeed, BehindDamageInACompactedSegmentNobodyMissesALine) {
  CompactWorld world;
  for (int day = 1; day <= 4; ++day) {
    for (int id = 1; id <= 6; ++id)
      world.Put(Movie(10 * day + id, fmt::format("{} of day {}", id, day), 1, world.Now()));
    world.Run();
  }
  world.CompactAll();
  world.files.FlipBit("records/movie/000/000/005.jsonl.zst", 150, 1);  // in the first frame with lines
  for (std::int64_t since = 0; since < 4; ++since) {
    const std::string feed = FeedWithDamage(world, since);
    EXPECT_NE(feed.find("4 damaged, "), std::string::npos) << feed;
    EXPECT_TRUE(feed.ends_with("4 movie:46, 4")) << feed;
    // The last of each day is not a line of the damaged frame, but for the first day.
    for (int day = std::max(2, int(since) + 1); day <= 4; ++day)
      EXPECT_NE(feed.find(fmt::format(" movie:{}6,", day)), std::string::npos) << feed;
  }
  EXPECT_EQ(FeedWithDamage(world, 4), "4");
}

TEST(Compaction, SurvivesTheLossOfTheCatalog) {
  CompactWorld world;
  Fill(world);
  world.CompactAll();
  world.Put(Movie(10, "movie 10", 1, world.Now()));
  world.Put(Movie(2, "movie zwei", 1, world.Now()));
  world.Run();
  const Picture before = world.TakePicture();
  const auto feed = world.Feed(MediaType::kMovie);
  const std::string state = world.files.Read("records/movie/state.json", 0, 1000).value();
  Database lost = Database::Open(":memory:", Database::Mode::kReadWrite).value();
  {
    const auto report = testing::StorePieces::ForReading(world.files, lost)->Rebuild();
    ASSERT_TRUE(report) << report.error().message;
    EXPECT_TRUE(report->damage.empty());
  }
  auto opened = testing::StorePieces::Open(world.files, lost, world.clock, world.options);
  ASSERT_TRUE(opened) << opened.error().message;
  world.store = *std::move(opened);
  EXPECT_EQ(world.TakePicture(), before);
  EXPECT_EQ(world.Feed(MediaType::kMovie), feed);
  EXPECT_EQ(world.Damage(), "");
  EXPECT_EQ(world.files.Read("records/movie/state.json", 0, 1000).value(), state);
  world.CompactAll();
  EXPECT_EQ(world.TakePicture(), before);
  world.store.reset();
}

TEST(Compaction, NamesADamagedOriginAndLosesNoView) {
  CompactWorld world;
  Fill(world);
  world.CompactAll();
  world.Put(Movie(3, "movie drei", 1, world.Now()));
  world.Put(Movie(2, "movie two", 11, world.Now()));
  world.Run();
  const Picture before = world.TakePicture();
  const std::string path = "records/movie/000/000/007.jsonl.zst";
  for (const std::uint64_t byte : {0, 5, 12, 30}) {
    world.files.FlipBit(path, byte, 0);
    const auto verified = world.store->Verify(true).value();
    ASSERT_FALSE(verified.damage.empty()) << byte;
    EXPECT_EQ(verified.damage[0].file, path);
    const auto report = world.store->Rebuild().value();
    EXPECT_FALSE(report.damage.empty()) << byte;
    EXPECT_EQ(world.TakePicture(), before) << byte;  // though it was read after what is newer
    world.files.FlipBit(path, byte, 0);
    ASSERT_TRUE(world.store->Rebuild().value().damage.empty()) << byte;
    EXPECT_EQ(world.TakePicture(), before) << byte;
  }
}

// --- power cuts and failing disks

TEST(CompactionOnABadDisk, LosesNothingAtAnyChange) {
  const Time start = testing::FakeClock().Now();
  const auto compact = [&](CompactWorld& world) {
    return world.store->Compact(MediaType::kMovie, {.versions_before = start + days(4)}, {});
  };
  std::int64_t changes = 0;
  Picture before, after;
  {
    CompactWorld world;
    Fill(world);
    ASSERT_TRUE(world.store->PurgeUnverified(MediaType::kMovie, world.Now() - days(6)));
    world.Run();
    before = world.TakePicture();
    changes = world.files.changes();
    ASSERT_TRUE(compact(world));
    changes = world.files.changes() - changes;
    after = world.TakePicture();
    ASSERT_NE(before, after);
    ASSERT_GE(changes, 10);
  }
  for (const char* how : {"cut", "io", "full"}) {
    for (std::int64_t nth = 1; nth <= changes; ++nth) {
      const std::string when = fmt::format("{} at change {}", how, nth);
      CompactWorld world;
      Fill(world);
      world.store->PurgeUnverified(MediaType::kMovie, world.Now() - days(6)).value();
      world.Run();
      const bool cut = how == std::string_view("cut");
      if (cut) {
        world.files.CutPowerAt(nth);
      } else {
        world.files.FailAt(nth, how == std::string_view("io") ? ErrorCode::kIo : ErrorCode::kNoSpace);
      }
      EXPECT_FALSE(compact(world)) << when;
      if (cut) {
        world.store.reset();
        world.files.Restart(std::uint64_t(nth));
        // It goes off again at each change of the recovery.
        for (int again = 1; again < 20; ++again) {
          world.files.CutPowerAt(again);
          const auto opened =
              testing::StorePieces::Open(world.files, world.catalog, world.clock, world.options);
          if (!world.files.power_is_off()) break;
          EXPECT_FALSE(opened) << when;
          world.files.Restart(std::uint64_t(nth * 100 + again));
        }
        world.files.CutPowerAt(1'000'000);
        world.Reopen();
        ASSERT_NE(world.store, nullptr) << when;
      }
      const Picture found = world.TakePicture();
      EXPECT_TRUE(found == before || found == after) << when;
      EXPECT_EQ(world.Damage(), "") << when;
      // And it goes on: with records, and with the compaction.
      world.Put(Movie(20, "movie 20", 1, world.Now()));
      world.Run();
      const auto done = compact(world);
      ASSERT_TRUE(done) << when << ": " << done.error().message;
      world.Reopen();
      ASSERT_NE(world.store, nullptr) << when;
      EXPECT_EQ(world.Damage(), "") << when;
      Picture last = world.TakePicture();
      EXPECT_EQ(last.text.erase(Film(20)), 1U);
      EXPECT_EQ(last, after) << when;
      EXPECT_EQ(world.Segments(MediaType::kMovie).size(), 1U) << when;
    }
  }
}

// --- purge

TEST(Purge, TakesAwayWhatWasNotConfirmedForTooLong) {
  CompactWorld world;
  const Time start = world.Now();
  Fill(world);
  world.Put(Movie(5, "movie 5", 1, world.Now()));  // confirmed, unchanged
  world.Put(Show(1, "another", world.Now()));
  world.Commit();
  // Of day 0 and never since: 6, 7 and 8.
  EXPECT_EQ(world.store->PurgeUnverified(MediaType::kMovie, start + days(1)).value(), 3);
  EXPECT_EQ(world.store->PurgeUnverified(MediaType::kMovie, start + days(1)).value(), 0);
  EXPECT_EQ(world.View(Film(6)), "none");
  EXPECT_EQ(world.store->reader.Find(Film(6)).error().message,
            "movie:6 was purged on 2026-11-28T00:00:00.000Z: TMDB had not confirmed it for too long");
  EXPECT_EQ(world.store->reader.History(Film(6)).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(world.store->reader.FindAsOf(Film(6), start).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(world.store->ledger.StateOf(Film(6)).value().standing, Standing::kUnknown);
  EXPECT_EQ(world.store->ledger.StateOf(Film(5)).value().standing, Standing::kLive);
  EXPECT_EQ(world.store->ledger.Counts().value()[0].second.live, 6);
  EXPECT_EQ(world.store->ledger.Counts().value()[0].second.tombstones, 0);
  world.Run();
  EXPECT_EQ(world.LinesOf(6), "1:1 insert, 7:1 purge");
  EXPECT_EQ(world.Damage(), "");

  // A show takes its seasons along, whatever their own age.
  EXPECT_EQ(world.store->PurgeUnverified(MediaType::kTv, start + days(1)).value(), 1);
  EXPECT_EQ(world.View({MediaType::kTv, 1399}), "none");
  EXPECT_EQ(world.View({MediaType::kSeason, 3622}), "none");
  EXPECT_TRUE(world.store->ledger.SeasonNumbers(1399).value().empty());
  EXPECT_NE(world.View({MediaType::kTv, 1}), "none");
  EXPECT_EQ(world.store->reader.FindSeason(1399, 2).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(world.store->reader.FindSeasonOfEpisode(362201).error().code, ErrorCode::kNotFound);
  world.Run();
  EXPECT_EQ(world.Damage(), "");

  // The bytes go with the next compaction, from large segments too.
  const auto bytes = [&](std::string_view what) {
    std::int64_t found = 0;
    for (const auto& [sequence, line] : world.Feed(MediaType::kMovie)) found += line.find(what) != line.npos;
    return found;
  };
  EXPECT_EQ(bytes("movie 6"), 1);
  const auto report = world.CompactAll({.small_bytes = 0});
  EXPECT_EQ(report.purged_dropped, 3 + 1 + 3);  // movies, the show, its live seasons' lines
  EXPECT_EQ(bytes("movie 6"), 0);
  EXPECT_EQ(world.LinesOf(6), "7:1 purge");
  EXPECT_EQ(world.Damage(), "");
  const Picture before = world.TakePicture();
  ASSERT_TRUE(world.store->Rebuild());
  EXPECT_EQ(world.TakePicture(), before);
  EXPECT_EQ(world.CompactAll({.small_bytes = 0}).segments_before, 0);  // nothing is left to do
}

TEST(Purge, IsOverWhenTheIdIsFetchedAgain) {
  CompactWorld world;
  world.Put(Movie(1, "old", 1, world.Now()));
  world.Run();
  world.Put(Movie(1, "old", 2, world.Now()));
  world.Run();
  world.Put(Movie(1, "newer", 2, world.Now()));
  world.Run();
  ASSERT_TRUE(world.store->writer->HoldDeletion(Film(1), world.Now()));
  world.Commit();
  EXPECT_EQ(world.store->PurgeUnverified(MediaType::kMovie, world.Now()).value(), 1);
  EXPECT_TRUE(world.store->ledger.HeldDeletions(MediaType::kMovie).value().empty());
  world.Run();
  const Time back = world.Now();
  EXPECT_EQ(world.Put(Movie(1, "newer", 2, back)), Change::kRestore);
  world.Run();
  EXPECT_EQ(world.Put(Movie(1, "newest", 2, world.Now())), Change::kUpdate);
  world.Run();
  EXPECT_EQ(world.Steps(Film(1)), "3 restore, 4 update");
  std::string live;
  const auto picture = [&] {
    live.clear();
    EXPECT_TRUE(world.store->ledger.VisitLive(MediaType::kMovie, [&](const LiveRecord& record) {
      live += fmt::format("{} {}", FormatTime(record.first_at), record.changes);
    }));
    return live;
  };
  const std::string expected = FormatTime(back) + " 1";
  EXPECT_EQ(picture(), expected);
  for (const char* when : {"rebuilt", "compacted", "compacted and rebuilt"}) {
    if (when == std::string_view("compacted")) {
      EXPECT_EQ(world.CompactAll().purged_dropped, 3);
    } else {
      ASSERT_TRUE(world.store->Rebuild());
    }
    EXPECT_EQ(world.Steps(Film(1)), "3 restore, 4 update") << when;
    EXPECT_EQ(world.View(Film(1)), Movie(1, "newest", 2, {}).data) << when;
    EXPECT_EQ(picture(), expected) << when;
    EXPECT_EQ(world.Damage(), "") << when;
  }
  EXPECT_EQ(world.LinesOf(1), "4:2 purge, 5:3 restore, 6:4 update");
}

TEST(Purge, CountsA404AfterItInTheLedger) {
  CompactWorld world;
  world.Put(Movie(1, "old", 1, world.Now()));
  world.Run();
  world.store->PurgeUnverified(MediaType::kMovie, world.Now()).value();
  world.clock.Advance(hours(1));
  EXPECT_EQ(world.store->writer->PutGone(Film(1), world.Now()).value(), Change::kUnchanged);
  world.Commit();
  const IdState state = world.store->ledger.StateOf(Film(1)).value();
  EXPECT_EQ(state.standing, Standing::kMissing);
  EXPECT_EQ(state.gone_answers, 1);
  EXPECT_EQ(world.store->ledger.Counts().value()[0].second.missing, 1);
  EXPECT_EQ(world.store->ledger.Counts().value()[0].second.live, 0);
}

}  // namespace
}  // namespace tmdbc
