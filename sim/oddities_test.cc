// SPDX-License-Identifier: MIT
// What is strange about a world by plan: bodies, feeds, exports, connections, keys, votes, languages.
#include "oddities.h"

#include <fmt/core.h>
#include <gtest/gtest.h>
#include <simdjson.h>

#include <algorithm>
#include <set>

#include "base/compression.h"
#include "json.h"
#include "simulator.h"
#include "text.h"

namespace tmdbc::sim {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::sys_days;

constexpr sys_days kToday = std::chrono::year(2026) / 11 / 22;

class ManualClock final : public Clock {
 public:
  explicit ManualClock(Time at) : now(at) {}
  Time Now() const override { return now; }
  MonoTime Mono() const override { return MonoTime(now.time_since_epoch()); }
  Time now;
};

class OddWorld {
 public:
  explicit OddWorld(SimulatorOptions options = {}, double foreign_videos = 0.3, Time now = Time(kToday) + hours(12))
      : clock(now),
        world({.seed = 5, .counts = {60, 25, 40, 5, 5, 5, 5}, .foreign_videos = foreign_videos}, {},
              Time(kToday - days(20))),
        simulator(world, Free(std::move(options)), clock) {
    world.EvolveTo(clock.now);
  }

  std::string Get(const std::string& path, int status = 200, std::uint64_t earlier = 0, Duration idle = {}) {
    answer = simulator.Handle({.method = "GET",
                               .target = path + (path.find('?') == path.npos ? "?" : "&") +
                                         "api_key=0123456789abcdef0123456789abcdef",
                               .headers = {},
                               .body = {},
                               .peer_address = "127.0.0.1",
                               .received = clock.Mono(),
                               .earlier = earlier,
                               .idle = idle});
    EXPECT_EQ(answer.status, status) << path;
    return answer.body ? *answer.body : "";
  }
  // A show of that many seasons at least.
  std::int64_t ShowOf(std::size_t seasons) {
    std::int64_t found = 0;
    world.ForEachId(Kind::kTv, [&](std::int64_t id, bool) {
      if (found == 0 && world.Seasons(id).size() >= seasons) found = id;
    });
    return found;
  }
  std::int64_t First(Kind kind) {
    std::int64_t first = 0;
    world.ForEachId(kind, [&](std::int64_t id, bool) { first = first == 0 ? id : first; });
    return first;
  }
  void Make(const char* what, Kind kind, std::int64_t id, bool on = true) {
    Get(fmt::format("/sim/odd?what={}&kind={}&id={}&on={}", what, NameOf(kind), id, on ? 1 : 0));
  }

  ManualClock clock;
  EvolvingWorld world;
  Simulator simulator;
  http::Answer answer;

 private:
  static SimulatorOptions Free(SimulatorOptions options) {
    options.rate = 0;
    return options;
  }
};

std::string Seasons(int last) {
  std::string appends = "?append_to_response=season/0";
  for (int i = 1; i <= last; ++i) appends += fmt::format(",season/{}", i);
  return appends;
}

TEST(Oddities, HaveNamesThatAreUnderstood) {
  for (int i = 0; i < kOddities; ++i)
    EXPECT_EQ(OddityOf(NameOf(static_cast<Oddity>(i))), static_cast<Oddity>(i));
  EXPECT_FALSE(OddityOf("nonsense"));
}

TEST(Oddities, AShowLosesItsListOfSeasonsAndGetsItBack) {
  OddWorld sim;
  const auto show = sim.ShowOf(3);
  const std::string path = fmt::format("/3/tv/{}{}", show, Seasons(7));
  const std::string before = sim.Get(path);
  sim.Make("empty-seasons", Kind::kTv, show);
  const std::string empty = sim.Get(path);
  EXPECT_EQ(PartOf(empty, "seasons"), "[]");
  EXPECT_EQ(PartOf(empty, "season/1"), std::nullopt);
  EXPECT_EQ(PartOf(empty, "number_of_seasons"), PartOf(before, "number_of_seasons"));
  sim.Make("empty-seasons", Kind::kTv, show, false);
  EXPECT_EQ(sim.Get(path), before);
}

TEST(Oddities, AnEntryOfTheListHasNoNumber) {
  OddWorld sim;
  const auto show = sim.ShowOf(3);
  sim.Make("null-season-number", Kind::kTv, show);
  const std::string body = sim.Get(fmt::format("/3/tv/{}{}", show, Seasons(3)));
  const auto entries = ElementsOf(*PartOf(body, "seasons"));
  EXPECT_EQ(PartOf(entries[0], "season_number"), "null");
  EXPECT_EQ(PartOf(entries[0], "id"), std::to_string(sim.world.Seasons(show)[0].id));
  EXPECT_NE(PartOf(entries[1], "season_number"), "null");
}

TEST(Oddities, BodiesHoldWhatParsersRefuse) {
  OddWorld sim;
  const auto film = sim.First(Kind::kMovie);
  const std::string path = fmt::format("/3/movie/{}?append_to_response=credits", film);
  const struct {
    const char* what;
    const char* holds;
  } cases[] = {{"lone-surrogate", "\\ud83d of two"},
               {"huge-integer", ":12345678901234567890123"},
               {"huge-real", ":1e400"},
               {"deep", "[[[[[[[["}};
  for (const auto& [what, holds] : cases) {
    sim.Make(what, Kind::kMovie, film);
    EXPECT_NE(sim.Get(path).find(holds), std::string::npos) << what;
    // The truth of it is what was sent.
    const auto truth = sim.simulator.api().Truth(Kind::kMovie, film, "credits");
    EXPECT_EQ(truth, sim.Get(path)) << what;
    sim.Make(what, Kind::kMovie, film, false);
  }
  sim.Make("byte-order-mark", Kind::kMovie, film);
  EXPECT_TRUE(sim.Get(path).starts_with("\xEF\xBB\xBF{"));
}

TEST(Oddities, HeavyAnswersFailAboveFourSeasons) {
  OddWorld sim;
  const auto show = sim.ShowOf(10);
  const auto path = [&](int last) { return fmt::format("/3/tv/{}{}", show, Seasons(last)); };
  const bool specials = sim.world.Seasons(show)[0].number == 0;
  const int four = specials ? 3 : 4;
  sim.Make("heavy-504", Kind::kTv, show);
  sim.Get(path(four));
  EXPECT_EQ(PartOf(sim.Get(path(four + 1), 504), "status_code"), "24");
  sim.Make("heavy-504", Kind::kTv, show, false);
  sim.Make("heavy-large", Kind::kTv, show);
  EXPECT_GT(sim.Get(path(four + 1)).size(), 84'000'000u);
  EXPECT_LT(sim.Get(path(four)).size(), 10'000'000u);
}

TEST(Oddities, ControlsSayWhatTheyTake) {
  OddWorld sim;
  EXPECT_NE(sim.Get("/sim/odd?what=nonsense&kind=tv", 400).find("empty-seasons"), std::string::npos);
  EXPECT_NE(sim.Get("/sim/odd?what=deep&kind=nonsense", 400).find("movie"), std::string::npos);
  EXPECT_NE(sim.Get("/sim/votes?kind=nonsense", 400).find("movie"), std::string::npos);
}

TEST(Feeds, SayOneMoreThanTheyHold) {
  OddWorld sim({.feed = {.total_off = 1}});
  ASSERT_TRUE(sim.world.Happen(Kind::kMovie, sim.First(Kind::kMovie), Event::kTitle));
  const std::string body = sim.Get("/3/movie/changes?start_date=2026-11-22&end_date=2026-11-22");
  const auto rows = ElementsOf(*PartOf(body, "results")).size();
  EXPECT_GE(rows, 1u);
  EXPECT_EQ(PartOf(body, "total_results"), std::to_string(rows + 1));
}

TEST(Feeds, HoldARowOf20Digits) {
  OddWorld sim({.feed = {.odd_rows = {kToday}}});
  const std::string body = sim.Get("/3/movie/changes?start_date=2026-11-22&end_date=2026-11-22");
  EXPECT_NE(body.find("\"id\":12345678901234567890,"), std::string::npos) << body;
  EXPECT_EQ(PartOf(sim.Get("/3/movie/changes?start_date=2026-11-21&end_date=2026-11-21"), "results"), "[]");
}

TEST(Exports, ComeInTheWrongWrapping) {
  const std::string path = "/p/exports/movie_ids_11_22_2026.json.gz";
  const auto with = [&](std::optional<ExportFault> fault) {
    SimulatorOptions options;
    if (fault) options.exports.faults[kToday] = *fault;
    return OddWorld(options).Get(path);
  };
  const std::string good = with(std::nullopt);
  const std::string lines = *GunzipWhole(good, 1 << 20);
  EXPECT_EQ(with(ExportFault::kInflated), lines);
  EXPECT_EQ(with(ExportFault::kPadded), good + std::string(1000, '\0'));
  EXPECT_EQ(*GunzipWhole(with(ExportFault::kMarked), 1 << 20), "\xEF\xBB\xBF" + lines);
  EXPECT_TRUE(with(ExportFault::kHtml).starts_with("<!DOCTYPE html>"));
}

TEST(Connections, AreFoundClosedAfterSoManyRequestsOrSoLongARest) {
  OddWorld sim({.drop_after_requests = 3, .drop_after_idle = std::chrono::seconds(5)});
  const std::string path = fmt::format("/3/movie/{}", sim.First(Kind::kMovie));
  const auto dropped = [&](std::uint64_t earlier, Duration idle) {
    sim.Get(path, 200, earlier, idle);
    return sim.answer.silent && sim.answer.ending == http::Answer::Ending::kReset;
  };
  EXPECT_FALSE(dropped(0, hours(1)));
  EXPECT_FALSE(dropped(2, std::chrono::seconds(4)));
  EXPECT_TRUE(dropped(3, {}));
  EXPECT_TRUE(dropped(1, std::chrono::seconds(5)));
  const std::string counters = sim.Get("/sim/counters");
  EXPECT_EQ(PartOf(*PartOf(counters, "connections"), "dropped"), "2");
  EXPECT_EQ(PartOf(counters, "api_requests"), "2") << "what was never seen does not count";
}

TEST(Keys, AreDeniedInTheMidst) {
  OddWorld sim({.deny_after = 2, .deny_count = 1});
  const std::string path = fmt::format("/3/movie/{}", sim.First(Kind::kMovie));
  for (const int status : {200, 200, 401, 200}) sim.Get(path, status);
  sim.Get("/sim/deny?count=-1");
  for (int i = 0; i < 3; ++i) EXPECT_EQ(PartOf(sim.Get(path, 401), "status_code"), "7");
  sim.Get("/sim/deny?count=0");
  sim.Get(path);
}

// What TMDB's own numbers do every day: nothing else changes.
TEST(Votes, ChangeNumbersAndTheOrderOfImagesAndNothingElse) {
  OddWorld sim;
  std::int64_t film = 0;
  std::size_t most = 0;
  sim.world.ForEachId(Kind::kMovie, [&](std::int64_t id, bool) {
    const auto posters = ElementsOf(*PartOf(*sim.world.Part(Kind::kMovie, id, "images"), "posters")).size();
    if (posters > most) most = posters, film = id;
  });
  ASSERT_GT(most, 5u);
  const std::string path = fmt::format("/3/movie/{}?append_to_response=images", film);
  const std::string before = sim.Get(path);
  EXPECT_EQ(PartOf(sim.Get("/sim/votes?kind=movie"), "voted"), "63");
  const std::string after = sim.Get(path);
  for (const RawPart& part : PartsOf(before)) {
    const bool number = part.name == "popularity" || part.name == "vote_average" || part.name == "vote_count";
    if (part.name == "images") continue;
    EXPECT_EQ(PartOf(after, part.name) == part.value, !number) << part.name;
  }
  const auto files = [&](const std::string& body) {
    std::vector<std::string> paths;
    for (const std::string_view image : ElementsOf(*PartOf(*PartOf(body, "images"), "posters")))
      paths.emplace_back(*PartOf(image, "file_path"));
    return paths;
  };
  auto one = files(before), other = files(after);
  EXPECT_NE(one, other);
  std::sort(one.begin(), one.end());
  std::sort(other.begin(), other.end());
  EXPECT_EQ(one, other);
}

// By night the export of the day is not made yet: what happens now is seen now all the same.
TEST(Edits, AreSeenAtOnceAtEveryHour) {
  for (int hour = 0; hour < 24; ++hour) {
    OddWorld sim({}, 0.3, Time(kToday) + hours(hour));
    sim.simulator.PrepareExports();
    const std::int64_t film = sim.First(Kind::kMovie);
    const std::string path = fmt::format("/3/movie/{}", film);
    const std::string before = sim.Get(path);
    sim.Get(fmt::format("/sim/edit?kind=movie&id={}&what=title", film));
    EXPECT_NE(sim.Get(path), before) << hour;
  }
}

TEST(Languages, VideosComeInThoseThatAreAskedFor) {
  OddWorld sim({}, 0.6);
  const auto languages = [&](const std::string& parameters) {
    std::set<std::string> found;
    sim.world.ForEachId(Kind::kMovie, [&](std::int64_t id, bool) {
      const std::string body =
          sim.Get(fmt::format("/3/movie/{}?append_to_response=videos{}", id, parameters));
      for (const std::string_view video : ElementsOf(*PartOf(*PartOf(body, "videos"), "results")))
        found.emplace(*PartOf(video, "iso_639_1"));
    });
    return found;
  };
  EXPECT_EQ(languages(""), std::set<std::string>{"\"en\""});
  EXPECT_EQ(languages("&include_video_language=en,null"), (std::set<std::string>{"\"en\"", "null"}));
  std::string all = "null";
  for (const Language& language : Languages()) all.append(",").append(language.code);
  EXPECT_GT(languages("&include_video_language=" + all).size(), 5u);
}

TEST(Languages, NamesOfSeasonsAndGenresAreTranslated) {
  OddWorld sim;
  const auto show = sim.ShowOf(3);
  const std::string path = fmt::format("/3/tv/{}?append_to_response=season/1", show);
  const std::string english = sim.Get(path), german = sim.Get(path + "&language=de-DE");
  const auto name = [](const std::string& body) {
    return std::string(*PartOf(*PartOf(body, "season/1"), "name"));
  };
  EXPECT_EQ(name(german), "\"[de] " + name(english).substr(1));
  EXPECT_EQ(sim.Get(path + "&language=en-US"), english);
  EXPECT_NE(sim.Get("/3/genre/movie/list?language=fr").find("[fr] Action"), std::string::npos);
  EXPECT_EQ(sim.Get("/3/genre/movie/list").find("[fr]"), std::string::npos);
}

TEST(Seasons, AppendTheirOwnParts) {
  OddWorld sim;
  const auto show = sim.ShowOf(3);
  const int number = sim.world.Seasons(show)[0].number;
  const std::string credits = fmt::format("season/{}/credits", number);
  const std::string body =
      sim.Get(fmt::format("/3/tv/{}?append_to_response={},season/900/credits", show, credits));
  EXPECT_EQ(PartOf(body, credits), sim.world.SeasonPart(show, number, "credits"));
  EXPECT_EQ(PartOf(body, "season/900/credits"), std::nullopt);
}

}  // namespace
}  // namespace tmdbc::sim
