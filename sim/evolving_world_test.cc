// SPDX-License-Identifier: MIT
#include "evolving_world.h"

#include <gtest/gtest.h>
#include <simdjson.h>

#include <map>
#include <set>

#include "json.h"

namespace tmdbc::sim {
namespace {

using std::chrono::days;
using std::chrono::hours;

constexpr Kind kAllKinds[] = {Kind::kMovie,   Kind::kTv,      Kind::kPerson, Kind::kCollection,
                              Kind::kCompany, Kind::kNetwork, Kind::kKeyword};
const Time kEpoch = Time(std::chrono::sys_days(std::chrono::year(2026) / 11 / 22));

SyntheticOptions Small() {
  SyntheticOptions options;
  options.seed = 5;
  options.counts = {60, 25, 40, 5, 5, 5, 5};
  options.huge_show_episodes = 60;
  return options;
}

DailyRates Lively() {
  DailyRates rates;
  for (const Kind kind : {Kind::kMovie, Kind::kTv, Kind::kPerson}) {
    for (int family = 0; family < kFamilies; ++family) {
      if (static_cast<Family>(family) != Family::kSeason) rates.at(kind, static_cast<Family>(family)) = 5;
    }
    rates.at(kind, Family::kEdit) = 40;
  }
  rates.at(Kind::kTv, Family::kSeason) = 20;
  return rates;
}

std::vector<std::int64_t> LiveIds(World& world, Kind kind) {
  std::vector<std::int64_t> ids;
  world.ForEachId(kind, [&](std::int64_t id, bool) { ids.push_back(id); });
  return ids;
}

std::set<std::string> Lines(World& world, Kind kind, bool adult = false) {
  std::set<std::string> lines;
  world.ForEachLine(kind, adult, [&](std::string_view line) { lines.emplace(line); });
  return lines;
}

std::set<std::int64_t> ListedIds(World& world, Kind kind) {
  std::set<std::int64_t> ids;
  for (const bool adult : {false, true}) {
    for (const std::string& line : Lines(world, kind, adult))
      ids.insert(std::stoll(std::string(PartOf(line, "id").value_or("0"))));
  }
  return ids;
}

bool IsValid(const std::string& json) {
  simdjson::dom::parser parser;
  return parser.parse(json).error() == simdjson::SUCCESS;
}

// Without the members that drift, at any depth.
std::string WithoutNumbers(std::string_view json) {
  if (json.starts_with('{')) {
    std::string out = "{";
    for (const RawPart& part : PartsOf(json)) {
      if (part.name == "popularity" || part.name == "vote_average" || part.name == "vote_count") continue;
      out.append(part.name).append(":").append(WithoutNumbers(part.value)).append(",");
    }
    return out + "}";
  }
  if (json.starts_with('[')) {
    std::string out = "[";
    for (const std::string_view element : ElementsOf(json)) out.append(WithoutNumbers(element)).append(",");
    return out + "]";
  }
  return std::string(json);
}

// Everything that a mirror holds of an id.
std::string Whole(World& world, Kind kind, std::int64_t id) {
  std::string whole = world.Details(kind, id).value_or("none");
  for (const char* part : {"credits", "aggregate_credits", "combined_credits"})
    whole += world.Part(kind, id, part).value_or("");
  if (kind == Kind::kKeyword) whole += world.ExportLine(kind, id).value_or("");
  if (kind == Kind::kTv) {
    for (const SeasonRef& season : world.Seasons(id))
      whole += world.Season(id, season.number).value_or("none");
  }
  return whole;
}

TEST(EvolvingWorld, IsItsCatalogueWhileNothingHappens) {
  SyntheticWorld catalogue(Small());
  EvolvingWorld world(Small(), {}, kEpoch);
  world.EvolveTo(kEpoch + days(400));
  for (const Kind kind : kAllKinds) {
    EXPECT_EQ(LiveIds(world, kind), LiveIds(catalogue, kind));
    for (const bool adult : {false, true})
      EXPECT_EQ(Lines(world, kind, adult), Lines(catalogue, kind, adult));
    for (const std::int64_t id : LiveIds(catalogue, kind))
      EXPECT_EQ(Whole(world, kind, id), Whole(catalogue, kind, id));
    EXPECT_EQ(world.Revision(kind), 0u);
  }
}

TEST(EvolvingWorld, HasTheSameHistoryForTheSameSeedHoweverOftenItIsLookedAt) {
  std::vector<std::string> first, second;
  EvolvingWorld hourly(Small(), Lively(), kEpoch), once(Small(), Lively(), kEpoch);
  hourly.on_event = [&](const Happened& happened) { first.push_back(ToJson(happened)); };
  once.on_event = [&](const Happened& happened) { second.push_back(ToJson(happened)); };
  for (int hour = 0; hour <= 24 * 4; ++hour) {
    hourly.EvolveTo(kEpoch + hours(hour));
    hourly.EvolveTo(kEpoch + hours(hour) - hours(8));  // looking back changes nothing
  }
  once.EvolveTo(kEpoch + days(4));
  EXPECT_GT(first.size(), 700u);
  EXPECT_EQ(first, second);
  for (const Kind kind : kAllKinds) {
    hourly.EvolveTo(kEpoch + days(4));
    EXPECT_EQ(Lines(hourly, kind), Lines(once, kind));
    for (const std::int64_t id : LiveIds(once, kind))
      EXPECT_EQ(Whole(hourly, kind, id), Whole(once, kind, id));
  }
}

TEST(EvolvingWorld, HappensAsOftenAsTheRatesSay) {
  DailyRates rates;
  rates.at(Kind::kMovie, Family::kEdit) = 12;
  rates.at(Kind::kPerson, Family::kStats) = 300;
  EvolvingWorld world(Small(), rates, kEpoch);
  std::map<std::pair<Kind, Event>, int> counts;
  int before = 0;
  world.on_event = [&](const Happened& happened) {
    ++counts[{happened.kind, happened.event}];
    before += happened.at < kEpoch + hours(5);
  };
  world.EvolveTo(kEpoch + days(100));
  int edits = 0;
  for (const Event event : {Event::kOverview, Event::kTitle, Event::kRuntime, Event::kCast}) {
    const int count = counts[{Kind::kMovie, event}];
    EXPECT_GT(count, 200) << NameOf(event);
    edits += count;
  }
  EXPECT_NEAR(edits, 1200, 120);
  const int drifts = counts[{Kind::kPerson, Event::kStats}];
  EXPECT_NEAR(drifts, 30'000, 1000);
  EXPECT_EQ(counts.size(), 5u);
}

TEST(EvolvingWorld, EveryEditChangesWhatAMirrorHoldsAndNothingElseDoes) {
  EvolvingWorld world(Small(), {}, kEpoch);
  Time now = kEpoch;
  for (const Kind kind : kAllKinds) {
    const std::int64_t id = LiveIds(world, kind)[3], other = LiveIds(world, kind)[4];
    const std::string others = Whole(world, kind, other);
    std::set<std::string> seen = {Whole(world, kind, id)};
    int events = 0;
    for (const Event event : {Event::kOverview, Event::kTitle, Event::kRuntime, Event::kCast}) {
      for (int again = 0; again < 3; ++again) {
        world.EvolveTo(now += hours(1));
        ++events;
        ASSERT_TRUE(world.Happen(kind, id, event)) << NameOf(kind) << " " << NameOf(event);
        EXPECT_TRUE(seen.insert(Whole(world, kind, id)).second) << NameOf(kind) << " " << NameOf(event);
        EXPECT_TRUE(IsValid(*world.Details(kind, id)));
      }
    }
    EXPECT_EQ(world.Revision(kind, id), static_cast<std::uint64_t>(events));
    EXPECT_EQ(Whole(world, kind, other), others);
  }
}

TEST(EvolvingWorld, DriftTouchesPopularityAndVotesAlone) {
  EvolvingWorld world(Small(), {}, kEpoch);
  for (const Kind kind : {Kind::kMovie, Kind::kTv, Kind::kPerson}) {
    const std::int64_t id = LiveIds(world, kind)[3];
    const std::string before = Whole(world, kind, id), line = *world.ExportLine(kind, id);
    const std::string numberless = WithoutNumbers(*world.Details(kind, id));
    ASSERT_TRUE(world.Happen(kind, id, Event::kStats));
    EXPECT_NE(Whole(world, kind, id), before);
    EXPECT_EQ(WithoutNumbers(*world.Details(kind, id)), numberless);
    EXPECT_NE(*world.ExportLine(kind, id), line);
    EXPECT_EQ(PartOf(*world.ExportLine(kind, id), "popularity"),
              PartOf(*world.Details(kind, id), "popularity"));
  }
  const std::int64_t show = LiveIds(world, Kind::kTv)[3];
  const int number = world.Seasons(show).at(0).number;
  const std::string season = *world.Season(show, number);
  ASSERT_TRUE(world.Happen(Kind::kTv, show, Event::kStats));
  EXPECT_NE(*world.Season(show, number), season);
  EXPECT_EQ(WithoutNumbers(*world.Season(show, number)), WithoutNumbers(season));
}

TEST(EvolvingWorld, CanBeLookedAtAsItWas) {
  EvolvingWorld world(Small(), {}, kEpoch);
  const std::int64_t id = LiveIds(world, Kind::kMovie)[3];
  const std::string first = *world.Details(Kind::kMovie, id);
  world.EvolveTo(kEpoch + hours(1));
  ASSERT_TRUE(world.Happen(Kind::kMovie, id, Event::kTitle));
  const std::string second = *world.Details(Kind::kMovie, id);
  world.EvolveTo(kEpoch + hours(2));
  ASSERT_TRUE(world.Happen(Kind::kMovie, id, Event::kDelete));
  world.EvolveTo(kEpoch + hours(3));
  ASSERT_TRUE(world.Happen(Kind::kMovie, id, Event::kRestore));
  const auto at = [&](hours hour, Duration and_then = Duration(0)) {
    world.EvolveTo(kEpoch + hour + and_then);
    return world.Details(Kind::kMovie, id);
  };
  EXPECT_EQ(at(hours(1), Duration(-1)), first);
  EXPECT_EQ(at(hours(1)), second);
  EXPECT_EQ(at(hours(2), Duration(-1)), second);
  EXPECT_EQ(at(hours(2)), std::nullopt);
  EXPECT_EQ(at(hours(3), Duration(-1)), std::nullopt);
  EXPECT_EQ(at(hours(3)), second);
  EXPECT_FALSE(world.WasLive(Kind::kMovie, id, kEpoch + hours(2)));
  EXPECT_TRUE(world.WasLive(Kind::kMovie, id, kEpoch + hours(3)));
}

TEST(EvolvingWorld, WhatIsGoneIsInNoExportAndWhatReturnsIsAsItWas) {
  EvolvingWorld world(Small(), {}, kEpoch);
  const std::int64_t id = LiveIds(world, Kind::kTv)[3], other = LiveIds(world, Kind::kTv)[4];
  const std::string before = Whole(world, Kind::kTv, id), others = Whole(world, Kind::kTv, other);
  EXPECT_TRUE(ListedIds(world, Kind::kTv).contains(id));
  ASSERT_TRUE(world.Happen(Kind::kTv, id, Event::kMerge, other));
  EXPECT_EQ(Whole(world, Kind::kTv, id), "none");
  EXPECT_NE(Whole(world, Kind::kTv, other), others);  // what was credited to the one is credited to it
  EXPECT_TRUE(world.Seasons(id).empty());
  EXPECT_FALSE(ListedIds(world, Kind::kTv).contains(id));
  EXPECT_FALSE(world.Happen(Kind::kTv, id, Event::kTitle));
  EXPECT_FALSE(world.Happen(Kind::kTv, id, Event::kDelete));
  ASSERT_TRUE(world.Happen(Kind::kTv, id, Event::kRestore));
  EXPECT_EQ(Whole(world, Kind::kTv, id), before);
  EXPECT_FALSE(world.Happen(Kind::kTv, id, Event::kRestore));
}

TEST(EvolvingWorld, NewIdsComeAfterAllOthersAndLiveLikeThem) {
  EvolvingWorld world(Small(), {}, kEpoch);
  for (const Kind kind : kAllKinds) {
    const std::int64_t last = LiveIds(world, kind).back();
    const auto added = world.Happen(kind, 0, Event::kAdd);
    ASSERT_TRUE(added);
    EXPECT_GT(*added, last);
    EXPECT_TRUE(ListedIds(world, kind).contains(*added));
    const std::string before = Whole(world, kind, *added);
    ASSERT_TRUE(world.Happen(kind, *added, Event::kTitle));
    EXPECT_NE(Whole(world, kind, *added), before);
    world.EvolveTo(kEpoch - hours(1));
    EXPECT_FALSE(world.Details(kind, *added));
    EXPECT_FALSE(ListedIds(world, kind).contains(*added));
    world.EvolveTo(kEpoch);
  }
}

TEST(EvolvingWorld, RefusesWhatCannotHappen) {
  EvolvingWorld world(Small(), {}, kEpoch);
  const std::int64_t film = LiveIds(world, Kind::kMovie)[0], show = LiveIds(world, Kind::kTv)[2];
  EXPECT_EQ(world.Happen(Kind::kMovie, film, Event::kSeasonAdd).error().code, ErrorCode::kInvalid);
  EXPECT_EQ(world.Happen(Kind::kMovie, film, Event::kMerge, film).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(world.Happen(Kind::kKeyword, LiveIds(world, Kind::kKeyword)[0], Event::kStats).error().code,
            ErrorCode::kInvalid);
  EXPECT_EQ(world.Happen(Kind::kMovie, film, Event::kRestore).error().code, ErrorCode::kNotFound);
  // The third show has no season.
  ASSERT_TRUE(world.Seasons(show).empty());
  EXPECT_EQ(world.Happen(Kind::kTv, show, Event::kSeasonRemove).error().code, ErrorCode::kInvalid);
  EXPECT_EQ(world.Happen(Kind::kTv, show, Event::kEpisodeAdd).error().code, ErrorCode::kInvalid);
  EXPECT_EQ(world.Revision(Kind::kTv), 0u);
}

std::vector<std::pair<std::int64_t, int>> Episodes(World& world, std::int64_t show, int season) {
  std::vector<std::pair<std::int64_t, int>> episodes;
  const std::string body = world.Season(show, season).value_or("");
  for (const std::string_view episode : ElementsOf(PartOf(body, "episodes").value_or(""))) {
    episodes.emplace_back(std::stoll(std::string(*PartOf(episode, "id"))),
                          std::stoi(std::string(*PartOf(episode, "episode_number"))));
  }
  return episodes;
}

TEST(EvolvingWorld, SeasonsAndEpisodesComeGoAndChangePlaces) {
  EvolvingWorld world(Small(), {}, kEpoch);
  const std::int64_t show = LiveIds(world, Kind::kTv)[1];  // 60 seasons of 4
  const auto happen = [&](Event event) { ASSERT_TRUE(world.Happen(Kind::kTv, show, event)); };
  const auto old_last = Episodes(world, show, 60);
  ASSERT_EQ(old_last.size(), 4u);
  happen(Event::kEpisodeAdd);
  const auto new_last = Episodes(world, show, 60);
  ASSERT_EQ(new_last.size(), 5u);
  EXPECT_EQ(new_last[4].second, 5);
  EXPECT_GT(new_last[4].first, old_last[3].first);
  happen(Event::kSeasonAdd);
  const auto seasons = world.Seasons(show);
  ASSERT_EQ(seasons.size(), 61u);
  happen(Event::kSeasonRemove);
  EXPECT_EQ(world.Seasons(show).size(), 60u);
  happen(Event::kSeasonAdd);
  // A number that is given again is not a season of before.
  for (const SeasonRef& before : seasons) {
    for (const SeasonRef& now : world.Seasons(show)) {
      if (now.id == before.id) {
        EXPECT_EQ(now.number, before.number);
      }
    }
  }
  std::map<int, std::set<std::int64_t>> before, after;
  for (int number = 1; number <= 60; ++number)
    for (const auto& [id, episode] : Episodes(world, show, number)) before[number].insert(id);
  happen(Event::kEpisodesRenumber);
  for (int number = 1; number <= 60; ++number) {
    int expected = 0;
    for (const auto& [id, episode] : Episodes(world, show, number)) {
      after[number].insert(id);
      EXPECT_EQ(episode, ++expected);
    }
  }
  EXPECT_EQ(before, after);  // the same ids under other numbers
}

TEST(EvolvingWorld, AShowsListOfSeasonsAgreesWithItsSeasonsWhateverHappens) {
  EvolvingWorld world(Small(), {}, kEpoch);
  // Not the first two, which are long.
  std::vector<std::int64_t> shows = LiveIds(world, Kind::kTv);
  shows.erase(shows.begin(), shows.begin() + 2);
  Random random(11);
  std::map<std::int64_t, std::int64_t> show_of_season, show_of_episode;
  for (int i = 0; i < 60; ++i) {
    const std::int64_t show = shows[random.Below(shows.size())];
    const auto event =
        static_cast<Event>(static_cast<int>(Event::kEpisodeAdd) +
                           static_cast<int>(random.Below(kEvents - static_cast<int>(Event::kEpisodeAdd))));
    if (!world.Happen(Kind::kTv, show, event)) continue;
    const std::string body = *world.Details(Kind::kTv, show);
    ASSERT_TRUE(IsValid(body));
    std::vector<SeasonRef> refs = world.Seasons(show);
    const auto listed = ElementsOf(*PartOf(body, "seasons"));
    ASSERT_EQ(listed.size(), refs.size());
    for (std::size_t s = 0; s < refs.size(); ++s) {
      const std::string season = *world.Season(show, refs[s].number);
      ASSERT_TRUE(IsValid(season));
      EXPECT_EQ(*PartOf(season, "id"), std::to_string(refs[s].id));
      EXPECT_EQ(*PartOf(listed[s], "id"), std::to_string(refs[s].id));
      EXPECT_EQ(*PartOf(listed[s], "season_number"), std::to_string(refs[s].number));
      const auto episodes = Episodes(world, show, refs[s].number);
      EXPECT_EQ(*PartOf(listed[s], "episode_count"), std::to_string(episodes.size()));
      // Ids belong to one show for ever.
      EXPECT_EQ(show_of_season.emplace(refs[s].id, show).first->second, show);
      for (const auto& [id, number] : episodes)
        EXPECT_EQ(show_of_episode.emplace(id, show).first->second, show);
    }
  }
}

TEST(EvolvingWorld, WritesALineForEachEvent) {
  EvolvingWorld world(Small(), {}, kEpoch);
  std::vector<std::string> log;
  world.on_event = [&](const Happened& happened) { log.push_back(ToJson(happened)); };
  const std::int64_t one = LiveIds(world, Kind::kMovie)[0], two = LiveIds(world, Kind::kMovie)[1];
  ASSERT_TRUE(world.Happen(Kind::kMovie, one, Event::kStats));
  ASSERT_TRUE(world.Happen(Kind::kMovie, one, Event::kMerge, two));
  ASSERT_EQ(log.size(), 3u);
  const std::string head = R"({"time":"2026-11-22T00:00:00.000Z","kind":"movie","id":)";
  EXPECT_EQ(log[0], head + std::to_string(one) + R"(,"event":"stats","listed":false})");
  EXPECT_EQ(log[1], head + std::to_string(one) + R"(,"event":"merge","listed":false,"into":)" +
                        std::to_string(two) + "}");
  EXPECT_EQ(log[2], head + std::to_string(two) + R"(,"event":"cast","listed":true})");
}

TEST(Evolution, NamesAreFoundAgain) {
  for (int i = 0; i < kEvents; ++i) EXPECT_EQ(EventOf(NameOf(static_cast<Event>(i))), static_cast<Event>(i));
  for (int i = 0; i < kFamilies; ++i)
    EXPECT_EQ(FamilyOf(NameOf(static_cast<Family>(i))), static_cast<Family>(i));
  EXPECT_EQ(EventOf("vandalism"), std::nullopt);
}

TEST(Evolution, TypicalRatesFollowTheSizeOfTheCatalogue) {
  const DailyRates real = TypicalRates({1'240'000, 230'000, 4'700'000, 0, 0, 0, 0}, 1);
  EXPECT_NEAR(real.at(Kind::kMovie, Family::kEdit), 9000, 1);
  EXPECT_NEAR(real.at(Kind::kTv, Family::kEdit) + real.at(Kind::kTv, Family::kSeason), 3000, 1);
  EXPECT_NEAR(real.at(Kind::kPerson, Family::kAdd), 1700, 1);
  const DailyRates tenfold = TypicalRates({124'000, 0, 0, 0, 0, 0, 0}, 10);
  EXPECT_NEAR(tenfold.at(Kind::kMovie, Family::kEdit), 9000, 1);
  EXPECT_FALSE(TypicalRates({1000, 1000, 1000, 1000, 1000, 1000, 1000}, 0).any());
}

}  // namespace
}  // namespace tmdbc::sim
