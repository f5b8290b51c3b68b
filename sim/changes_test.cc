// SPDX-License-Identifier: MIT
// The change feeds, the caches, the exports of a day and the control paths of a world that evolves, as they
// are asked for over the API.
#include "changes.h"

#include <fmt/core.h>
#include <gtest/gtest.h>

#include <set>

#include "base/compression.h"
#include "json.h"
#include "simulator.h"

namespace tmdbc::sim {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::sys_days;

constexpr sys_days kToday = std::chrono::year(2026) / 11 / 22;

class ManualClock final : public Clock {
 public:
  Time Now() const override { return now; }
  MonoTime Mono() const override { return MonoTime(now.time_since_epoch()); }
  Time now = Time(kToday) + hours(12);
};

struct Row {
  std::string id, adult;
  auto operator<=>(const Row&) const = default;
};

// An evolving world in which nothing happens by itself.
class Bench {
 public:
  explicit Bench(SimulatorOptions options = {}, DailyRates rates = {})
      : world(Small(), rates, Time(kToday - days(20))), simulator(world, Free(std::move(options)), clock) {
    world.EvolveTo(clock.now);
  }

  std::string Get(const std::string& path, int status = 200) {
    answer = simulator.Handle({.method = "GET",
                               .target = path + (path.find('?') == path.npos ? "?" : "&") +
                                         "api_key=0123456789abcdef0123456789abcdef",
                               .headers = {},
                               .body = {},
                               .peer_address = "127.0.0.1",
                               .received = clock.Mono()});
    EXPECT_EQ(answer.status, status) << path << ": " << *answer.body;
    return *answer.body;
  }
  std::string Header(std::string_view name) {
    for (const auto& [key, value] : answer.headers) {
      if (key == name) return value;
    }
    return "";
  }
  // All rows of a window, page by page.
  std::vector<Row> Rows(const std::string& kind, const std::string& window) {
    std::vector<Row> rows;
    for (int page = 1, pages = 1; page <= pages; ++page) {
      const std::string body = Get("/3/" + kind + "/changes?" + window + "&page=" + std::to_string(page));
      pages = std::stoi(std::string(*PartOf(body, "total_pages")));
      for (const std::string_view row : ElementsOf(*PartOf(body, "results")))
        rows.push_back({std::string(*PartOf(row, "id")), std::string(*PartOf(row, "adult"))});
    }
    return rows;
  }
  // Ids of the day, null ones left out.
  std::set<std::int64_t> Changed(const std::string& kind, sys_days day) {
    std::set<std::int64_t> ids;
    for (const Row& row : Rows(kind, Day(day))) {
      if (row.id == "null") continue;
      EXPECT_TRUE(ids.insert(std::stoll(row.id)).second) << row.id << " twice";
    }
    return ids;
  }
  static std::string Day(sys_days day) {
    return "start_date=" + FormatDate(day) + "&end_date=" + FormatDate(day);
  }
  std::vector<std::int64_t> Live(Kind kind, std::size_t count) {
    std::vector<std::int64_t> ids;
    world.ForEachId(kind, [&](std::int64_t id, bool) {
      if (ids.size() < count) ids.push_back(id);
    });
    return ids;
  }
  std::int64_t HappenAt(Time at, Kind kind, std::int64_t id, Event event, std::int64_t other = 0) {
    world.EvolveTo(at);
    const auto done = world.Happen(kind, id, event, other);
    EXPECT_TRUE(done) << done.error().message;
    return done.value_or(0);
  }

  ManualClock clock;
  EvolvingWorld world;
  Simulator simulator;
  http::Answer answer;

 private:
  static SyntheticOptions Small() {
    SyntheticOptions options;
    options.seed = 5;
    options.counts = {300, 30, 60, 5, 5, 5, 5};
    options.huge_show_episodes = 60;
    return options;
  }
  static SimulatorOptions Free(SimulatorOptions options) {
    options.rate = 0;
    return options;
  }
};

TEST(Changes, AreEmptyWhereNothingHappens) {
  Bench bench;
  for (const char* kind : {"movie", "tv", "person"}) {
    EXPECT_EQ(bench.Get("/3/" + std::string(kind) + "/changes"),
              R"({"results":[],"page":1,"total_pages":1,"total_results":0})");
  }
  EXPECT_EQ(bench.Get("/3/movie/550/changes"), R"({"changes":[]})");
  // There is no such feed.
  bench.Get("/3/collection/changes", 404);
}

TEST(Changes, ListEditsAdditionsAndReturnsOnTheirDay) {
  Bench bench;
  const auto ids = bench.Live(Kind::kMovie, 6);
  const Time day = Time(kToday + days(3));
  bench.HappenAt(day - Duration(1), Kind::kMovie, ids[0], Event::kTitle);
  bench.HappenAt(day, Kind::kMovie, ids[1], Event::kCast);
  bench.HappenAt(day + hours(1), Kind::kMovie, ids[1], Event::kOverview);
  bench.HappenAt(day + hours(2), Kind::kMovie, ids[2], Event::kStats);   // never listed
  bench.HappenAt(day + hours(3), Kind::kMovie, ids[3], Event::kDelete);  // never listed
  const auto added = bench.HappenAt(day + hours(4), Kind::kMovie, 0, Event::kAdd);
  bench.HappenAt(day + hours(5), Kind::kMovie, ids[4], Event::kMerge, ids[5]);
  bench.HappenAt(day + days(1) - Duration(1), Kind::kMovie, ids[3], Event::kRestore);
  bench.HappenAt(day + days(1), Kind::kMovie, ids[0], Event::kRuntime);
  bench.clock.now = Time(kToday + days(10));
  EXPECT_EQ(bench.Changed("movie", kToday + days(3)), (std::set{ids[1], added, ids[5], ids[3]}));
  EXPECT_EQ(bench.Changed("movie", kToday + days(2)), std::set{ids[0]});
  EXPECT_EQ(bench.Changed("movie", kToday + days(4)), std::set{ids[0]});
  EXPECT_TRUE(bench.Changed("tv", kToday + days(3)).empty());
}

TEST(Changes, OfTheLast24HoursAreGivenWhenNoDayIsNamed) {
  Bench bench;
  const auto ids = bench.Live(Kind::kPerson, 2);
  bench.HappenAt(bench.clock.now, Kind::kPerson, ids[0], Event::kTitle);
  bench.clock.now += hours(23);
  bench.HappenAt(bench.clock.now, Kind::kPerson, ids[1], Event::kTitle);
  EXPECT_EQ(bench.Rows("person", "").size(), 2u);
  bench.clock.now += hours(2);
  EXPECT_EQ(bench.Rows("person", "").size(), 1u);
}

TEST(Changes, ComeAHundredAPageInNoOrderOfIds) {
  Bench bench;
  for (const std::int64_t id : bench.Live(Kind::kMovie, 250))
    bench.HappenAt(bench.clock.now, Kind::kMovie, id, Event::kTitle);
  const std::string body = bench.Get("/3/movie/changes?" + Bench::Day(kToday) + "&page=3");
  const auto total = std::stoul(std::string(*PartOf(body, "total_results")));
  EXPECT_EQ(*PartOf(body, "page"), "3");
  EXPECT_EQ(*PartOf(body, "total_pages"), "3");
  EXPECT_GE(total, 250u);  // a row whose id is null may be among them
  EXPECT_EQ(ElementsOf(*PartOf(body, "results")).size(), total - 200);
  EXPECT_EQ(bench.Changed("movie", kToday).size(), 250u);
  const auto rows = bench.Rows("movie", Bench::Day(kToday));
  EXPECT_FALSE(std::is_sorted(rows.begin(), rows.end(), [](const Row& a, const Row& b) {
    return std::atoll(a.id.c_str()) < std::atoll(b.id.c_str());
  }));
  // Behind the last one there is nothing.
  EXPECT_TRUE(ElementsOf(*PartOf(bench.Get("/3/movie/changes?" + Bench::Day(kToday) + "&page=4"), "results"))
                  .empty());
}

TEST(Changes, StayAsTheyAreWhenTheDayIsOverAndWanderWhileItIsNot) {
  DailyRates rates;
  rates.at(Kind::kMovie, Family::kEdit) = 600;
  Bench bench({}, rates);
  const auto closed = bench.Rows("movie", Bench::Day(kToday - days(1)));
  const auto open = bench.Rows("movie", Bench::Day(kToday));
  bench.clock.now += hours(4);
  EXPECT_EQ(bench.Rows("movie", Bench::Day(kToday - days(1))), closed);
  const auto later = bench.Rows("movie", Bench::Day(kToday));
  EXPECT_GT(later.size(), open.size());
  std::size_t same = 0;
  for (std::size_t i = 0; i < open.size(); ++i) same += open[i] == later[i];
  EXPECT_LT(same, open.size() / 2);
}

TEST(Changes, SayOfWhatIsGoneNeitherAdultNorNot) {
  Bench bench;
  const std::int64_t id = bench.Live(Kind::kTv, 1)[0];
  bench.HappenAt(bench.clock.now, Kind::kTv, id, Event::kTitle);
  const auto adult_of = [&] {
    for (const Row& row : bench.Rows("tv", Bench::Day(kToday))) {
      if (row.id == std::to_string(id)) return row.adult;
    }
    return std::string("not listed");
  };
  EXPECT_EQ(adult_of(), "false");
  bench.clock.now += hours(1);
  bench.HappenAt(bench.clock.now, Kind::kTv, id, Event::kDelete);
  EXPECT_EQ(adult_of(), "null");
}

TEST(Changes, HaveNowAndThenARowWithoutAnId) {
  DailyRates rates;
  rates.at(Kind::kPerson, Family::kEdit) = 20;
  Bench bench({}, rates);
  int with = 0, without = 0;
  for (int day = 1; day < 20; ++day) {
    int nulls = 0;
    for (const Row& row : bench.Rows("person", Bench::Day(kToday - days(day)))) nulls += row.id == "null";
    EXPECT_LE(nulls, 1);
    ++(nulls == 0 ? without : with);
  }
  EXPECT_GT(with, 0);
  EXPECT_GT(without, 0);
}

TEST(Changes, RefuseWhatTmdbRefuses) {
  struct Case {
    const char* query;
    int status, code;
  };
  constexpr Case kCases[] = {
      {"page=0", 400, 22},
      {"page=501", 400, 22},
      {"page=two", 400, 22},
      {"start_date=2026-11-01&end_date=2026-11-16", 422, 20},
      {"start_date=2026-11-02&end_date=2026-11-01", 422, 20},
      {"start_date=11/01/2026", 400, 23},
      {"end_date=2026-13-01", 400, 23},
      {"start_date=2026-11-01&end_date=2026-11-15", 200, 0},
      {"start_date=2012-10-05&end_date=2012-10-05", 200, 0},
      {"page=500", 200, 0},
  };
  Bench bench;
  for (const Case& c : kCases) {
    const std::string body = bench.Get("/3/movie/changes?" + std::string(c.query), c.status);
    EXPECT_EQ(PartOf(body, "status_code").value_or("0"), std::to_string(c.code)) << c.query;
  }
}

TEST(Changes, AreListedAfterTheLagUnderTheTimeAtWhichTheyHappened) {
  SimulatorOptions options;
  options.feed.lag = hours(3);
  Bench bench(options);
  const std::int64_t id = bench.Live(Kind::kMovie, 1)[0];
  bench.clock.now = Time(kToday) + hours(23);
  bench.HappenAt(bench.clock.now, Kind::kMovie, id, Event::kTitle);
  bench.clock.now += hours(3) - Duration(1);
  EXPECT_TRUE(bench.Changed("movie", kToday).empty());
  bench.clock.now += Duration(1);
  EXPECT_EQ(bench.Changed("movie", kToday), std::set{id});
  EXPECT_TRUE(bench.Changed("movie", kToday + days(1)).empty());
}

TEST(Changes, OfAFloodedDayAreMoreThanTmdbLists) {
  SimulatorOptions options;
  options.feed.rows_per_page = 1;
  options.feed.floods[kToday] = 600;
  Bench bench(options);
  const std::string body = bench.Get("/3/movie/changes?" + Bench::Day(kToday) + "&page=500");
  EXPECT_EQ(*PartOf(body, "total_pages"), "600");
  EXPECT_EQ(*PartOf(ElementsOf(*PartOf(body, "results"))[0], "adult"), "true");
  bench.Get("/3/movie/changes?" + Bench::Day(kToday) + "&page=501", 400);
}

TEST(Changes, OfOneIdSayWhatWasDone) {
  Bench bench;
  const std::int64_t id = bench.Live(Kind::kTv, 2)[1];
  bench.HappenAt(Time(kToday) + hours(12), Kind::kTv, id, Event::kSeasonAdd);
  const std::string body = bench.Get("/3/tv/" + std::to_string(id) + "/changes?" + Bench::Day(kToday));
  const auto changes = ElementsOf(*PartOf(body, "changes"));
  ASSERT_EQ(changes.size(), 1u);
  EXPECT_EQ(*PartOf(changes[0], "key"), "\"season\"");
  const auto item = ElementsOf(*PartOf(changes[0], "items"))[0];
  EXPECT_EQ(*PartOf(item, "action"), "\"added\"");
  EXPECT_EQ(*PartOf(item, "time"), "\"2026-11-22 12:00:00 UTC\"");
}

TEST(Caches, ServeAnOldBodyForLessThanTheirTimeAndSayHowOld) {
  SimulatorOptions options;
  options.cache = hours(8);
  Bench bench(options);
  const std::int64_t id = bench.Live(Kind::kMovie, 1)[0];
  const std::string path = "/3/movie/" + std::to_string(id);
  const std::string before = bench.Get(path);
  bench.HappenAt(bench.clock.now, Kind::kMovie, id, Event::kTitle);
  const Time edited = bench.clock.now;
  int stale = 0, fresh = 0;
  // Every query string has its own beat.
  for (int variant = 0; variant < 40; ++variant) {
    for (const auto passed : {hours(1), hours(4), hours(7)}) {
      bench.clock.now = edited + passed;
      const bool old = bench.Get(path + "?v=" + std::to_string(variant)) == before;
      ++(old ? stale : fresh);
      const auto age = std::chrono::seconds(std::stoll(bench.Header("X-Memc-Age")));
      EXPECT_LT(age, hours(8));
      EXPECT_EQ(old, age >= passed) << age.count();
    }
    bench.clock.now = edited + hours(8);
    EXPECT_NE(bench.Get(path + "?v=" + std::to_string(variant)), before);
  }
  EXPECT_GT(stale, 20);
  EXPECT_GT(fresh, 20);
}

TEST(Caches, KeepNoErrors) {
  SimulatorOptions options;
  options.cache = hours(8);
  Bench bench(options);
  const std::int64_t id = bench.HappenAt(bench.clock.now, Kind::kMovie, 0, Event::kAdd);
  bench.Get("/3/movie/" + std::to_string(id));
}

// The ids of an export; nothing when it is not there.
std::optional<std::set<std::int64_t>> Export(Bench& bench, sys_days day, int status = 200) {
  const std::chrono::year_month_day ymd(day);
  const std::string gzip = bench.Get(fmt::format("/p/exports/movie_ids_{:02}_{:02}_{}.json.gz",
                                                 unsigned(ymd.month()), unsigned(ymd.day()), int(ymd.year())),
                                     status);
  if (status != 200) return std::nullopt;
  const auto text = GunzipWhole(gzip, 64 << 20);
  if (!text) return std::nullopt;
  std::set<std::int64_t> ids;
  std::string_view left = *text;
  while (!left.empty()) {
    const std::string_view line = left.substr(0, left.find('\n'));
    ids.insert(std::stoll(std::string(*PartOf(line, "id"))));
    left.remove_prefix(line.size() + 1);
  }
  return ids;
}

TEST(Exports, AreOfTheMorningOfTheirDay) {
  Bench bench;
  const std::int64_t id = bench.Live(Kind::kMovie, 1)[0];
  bench.HappenAt(Time(kToday) + hours(13), Kind::kMovie, id, Event::kDelete);
  bench.clock.now = Time(kToday) + days(1) + hours(9);
  EXPECT_TRUE(Export(bench, kToday)->contains(id));
  EXPECT_FALSE(Export(bench, kToday + days(1))->contains(id));
  EXPECT_TRUE(Export(bench, kToday)->contains(id));
  Export(bench, kToday + days(2), 403);
}

TEST(Exports, FailOnTheDaysThatArePlannedForIt) {
  SimulatorOptions options;
  options.exports.faults = {{kToday, ExportFault::kMissing},
                            {kToday - days(1), ExportFault::kTruncated},
                            {kToday - days(2), ExportFault::kHalved},
                            {kToday - days(3), ExportFault::kEmpty},
                            {kToday + days(1), ExportFault::kLate}};
  Bench bench(options);
  Export(bench, kToday, 403);
  EXPECT_EQ(Export(bench, kToday - days(1)), std::nullopt);  // does not inflate
  EXPECT_EQ(Export(bench, kToday - days(2))->size(), 150u);
  EXPECT_EQ(Export(bench, kToday - days(3))->size(), 0u);
  EXPECT_EQ(Export(bench, kToday - days(4))->size(), 300u);
  bench.clock.now = Time(kToday) + days(1) + hours(17);
  Export(bench, kToday + days(1), 403);
  bench.clock.now += hours(1);
  EXPECT_EQ(Export(bench, kToday + days(1))->size(), 300u);
  bench.simulator.SetExportFaults({});
  EXPECT_EQ(Export(bench, kToday)->size(), 300u);
}

TEST(Control, MakesThingsHappen) {
  Bench bench;
  const std::int64_t id = bench.Live(Kind::kMovie, 1)[0];
  const std::string path = "/3/movie/" + std::to_string(id);
  const std::string edit = "/sim/edit?kind=movie&id=" + std::to_string(id) + "&what=";
  const std::string before = bench.Get(path);
  EXPECT_EQ(bench.Get(edit + "title"), fmt::format(R"({{"id":{},"time":"2026-11-22T12:00:00.000Z"}})", id));
  EXPECT_NE(bench.Get(path), before);
  EXPECT_EQ(bench.Changed("movie", kToday), std::set{id});
  bench.Get(edit + "delete");
  bench.Get(path, 404);
  EXPECT_EQ(bench.Get(edit + "delete", 400),
            fmt::format(R"({{"error":"delete: movie:{} is not live"}})", id));
  bench.Get(edit + "quiet-restore");
  EXPECT_NE(bench.Get(path), before);
  const std::string added = bench.Get("/sim/edit?kind=movie&what=add");
  bench.Get("/3/movie/" + std::string(*PartOf(added, "id")));
  bench.Get("/sim/edit?kind=film&id=1&what=title", 400);
  bench.Get(edit + "vandalise", 400);
  bench.Get("/sim/edit?kind=movie&what=title", 400);
  const std::string truth = bench.Get("/sim/truth");
  EXPECT_NE(truth.find(R"("type":"movie","id":)" + std::string(*PartOf(added, "id"))), truth.npos);
}

TEST(Control, SetsTheClockForward) {
  Bench bench;
  bench.Get("/sim/advance?hours=24", 400);  // not this one
  VirtualClock clock(bench.clock, Time(kToday), 1000);
  Simulator simulator(bench.world, {}, clock);
  simulator.Attach(&clock);
  const auto ask = [&](const char* path) {
    const http::Answer answer = simulator.Handle({.method = "POST",
                                                  .target = path,
                                                  .headers = {},
                                                  .body = {},
                                                  .peer_address = "127.0.0.1",
                                                  .received = clock.Mono()});
    return std::pair(answer.status, *answer.body);
  };
  EXPECT_EQ(ask("/sim/time"), std::pair(200, std::string(R"({"now":"2026-11-22T00:00:00.000Z"})")));
  EXPECT_EQ(ask("/sim/advance?hours=36.5"),
            std::pair(200, std::string(R"({"now":"2026-11-23T12:30:00.000Z"})")));
  bench.clock.now += std::chrono::seconds(36);  // a thousand times as fast: ten hours
  EXPECT_EQ(ask("/sim/time"), std::pair(200, std::string(R"({"now":"2026-11-23T22:30:00.000Z"})")));
  EXPECT_EQ(ask("/sim/advance?hours=-1").first, 400);
  EXPECT_EQ(ask("/sim/advance?hours=soon").first, 400);
}

}  // namespace
}  // namespace tmdbc::sim
