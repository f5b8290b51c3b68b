// SPDX-License-Identifier: MIT
// What a mirror does about three days of changes, bad exports, a day of too many changes and a long absence, in full
// view: one `run --once` a day on a TMDB to which exactly these things happen.
#include <fmt/core.h>
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "json.h"
#include "mirror_life.h"

namespace tmdbc {
namespace {

using sim::Event;
using std::chrono::days;
using std::chrono::hours;
using std::chrono::sys_days;
using testing::KindOf;
using testing::MirrorLife;

constexpr sys_days kFirstDay = std::chrono::year(2026) / 11 / 1;

// A mirror and its TMDB. Every run is at ten in the morning, when the day's exports are there.
class Mirror : public MirrorLife {
 public:
  explicit Mirror(sim::SimulatorOptions manners = {})
      : MirrorLife({.born = Time(kFirstDay) + hours(10), .catalogue = Catalogue(), .manners = std::move(manners)}) {
    transport.on_arrival = [this](std::string_view target) {
      details += target.starts_with("/3/") && target.find("/changes") == target.npos;
    };
  }

  // At ten of that day, counted from the first; afterwards nothing is left to fetch.
  HarvestReport RunOn(int day) {
    clock.Advance(std::max(Duration(0), Time(kFirstDay + days(day)) + hours(10) - clock.Now()));
    const std::optional<Summary> summary = RunOnce();
    EXPECT_TRUE(summary && summary->drained && summary->drained->result.end == DrainEnd::kDrained);
    world.EvolveTo(clock.Now());
    return summary && summary->harvest ? *summary->harvest : HarvestReport();
  }
  // At noon of that day.
  std::int64_t Happen(int day, MediaType type, std::int64_t id, Event event) {
    world.EvolveTo(Time(kFirstDay + days(day)) + hours(12));
    const auto done = world.Happen(KindOf(type), id, event);
    EXPECT_TRUE(done) << done.error().message;
    return done.value_or(0);
  }

  std::vector<std::int64_t> Ids(MediaType type) {
    std::vector<std::int64_t> ids;
    world.ForEachId(KindOf(type), [&](std::int64_t id, bool adult) {
      if (!adult) ids.push_back(id);
    });
    return ids;
  }
  std::int64_t Tombstones() {
    std::int64_t tombstones = 0;
    for (const auto& [type, kind] : testing::kLivingTypes) {
      EXPECT_TRUE(store().ledger.VisitStates(
          type, [&](const IdState& state) { tombstones += state.standing == Standing::kTombstone; }));
    }
    return tombstones;
  }

  std::int64_t details = 0;  // requests that were no change feed's

 private:
  static sim::SyntheticOptions Catalogue() {
    sim::SyntheticOptions options;
    options.seed = 3;
    options.counts = {300, 60, 100, 5, 5, 5, 5};
    options.huge_show_episodes = 60;
    return options;
  }
};

TEST(Fresh, ThreeDaysOfChangesAreSeenOnceEachAndPopularityCostsNothing) {
  Mirror mirror;
  mirror.RunOn(0);
  mirror.CheckWhole();
  const auto films = mirror.Ids(MediaType::kMovie), shows = mirror.Ids(MediaType::kTv);
  const auto people = mirror.Ids(MediaType::kPerson);
  std::vector<MediaId> edited, drifted, added;
  std::map<MediaId, std::string> first;
  for (int i = 0; i < 30; ++i) edited.push_back({MediaType::kMovie, films[std::size_t(i)]});
  for (int i = 0; i < 10; ++i) edited.push_back({MediaType::kTv, shows[std::size_t(i + 10)]});
  for (int i = 0; i < 20; ++i) edited.push_back({MediaType::kPerson, people[std::size_t(i)]});
  for (int i = 0; i < 20; ++i) drifted.push_back({MediaType::kMovie, films[std::size_t(i + 40)]});
  for (const MediaId id : edited) first[id] = mirror.Body(id);
  const std::vector<std::int64_t> gone(films.begin() + 70, films.begin() + 80);
  mirror.details = 0;

  constexpr Event kEdits[] = {Event::kOverview, Event::kTitle, Event::kRuntime, Event::kCast};
  for (int day = 0; day < 3; ++day) {
    for (std::size_t i = 0; i < edited.size(); ++i) {
      if (int(i % 3) == day) mirror.Happen(day, edited[i].type, edited[i].id, kEdits[i % 4]);
    }
    for (std::size_t i = 0; i < drifted.size(); ++i) {
      if (int(i % 3) == day) mirror.Happen(day, drifted[i].type, drifted[i].id, Event::kStats);
    }
    if (day == 0)
      for (const std::int64_t id : gone) mirror.Happen(day, MediaType::kMovie, id, Event::kDelete);
    if (day == 1) {
      for (int i = 0; i < 5; ++i)
        added.push_back({MediaType::kPerson, mirror.Happen(day, MediaType::kPerson, 0, Event::kAdd)});
      mirror.Happen(day, MediaType::kTv, shows[6], Event::kSeasonAdd);
      mirror.Happen(day, MediaType::kTv, shows[7], Event::kSeasonRemove);
      mirror.Happen(day, MediaType::kTv, shows[8], Event::kSeasonReplace);
    }
    if (day == 2)
      for (int i = 0; i < 5; ++i)
        mirror.Happen(day, MediaType::kMovie, gone[std::size_t(i)], Event::kRestore);
    EXPECT_EQ(mirror.RunOn(day + 1).exit_code(), 0);
    mirror.CheckWhole();
  }
  mirror.RunOn(4);
  mirror.CheckWhole();

  for (const MediaId id : edited) {
    EXPECT_EQ(mirror.Versions(id), 2u) << ToString(id);
    const auto then = mirror.store().reader.FindAsOf(id, Time(kFirstDay) + hours(11));
    ASSERT_TRUE(then) << then.error().message;
    EXPECT_EQ(then->data, first[id]);
    EXPECT_NE(mirror.Body(id), first[id]);
  }
  for (const MediaId id : drifted) {
    EXPECT_EQ(mirror.Versions(id), 1u) << ToString(id);
    const auto popularity = mirror.store().popularity.Find(id);
    const std::string listed(*sim::PartOf(mirror.Truth(id), "popularity"));
    ASSERT_TRUE(popularity && *popularity);
    EXPECT_NEAR(**popularity, std::stof(listed), 0.001) << ToString(id);
  }
  for (std::size_t i = 0; i < gone.size(); ++i) {
    const auto record = mirror.store().reader.Find({MediaType::kMovie, gone[i]});
    ASSERT_TRUE(record);
    EXPECT_EQ(record->change, i < 5 ? Change::kRestore : Change::kDelete);
    EXPECT_EQ(mirror.Versions({MediaType::kMovie, gone[i]}), i < 5 ? 3u : 2u);
  }
  for (const MediaId id : added) EXPECT_EQ(mirror.Versions(id), 1u);
  for (std::size_t i = 90; i < films.size(); ++i)
    EXPECT_EQ(mirror.Versions({MediaType::kMovie, films[i]}), 1u);
  for (const std::int64_t show : {shows[6], shows[7], shows[8]}) {
    std::vector<std::int64_t> numbers;
    for (const sim::SeasonRef& ref : mirror.world.Seasons(show)) {
      numbers.push_back(ref.number);
      const auto season = mirror.store().reader.FindSeason(show, ref.number);
      ASSERT_TRUE(season) << season.error().message;
      EXPECT_EQ(season->id.id, ref.id);
    }
    EXPECT_EQ(*mirror.store().ledger.SeasonNumbers(show), numbers);
  }
  // 60 edits, 10 deletions, 5 returns, 5 new ones, 3 shows; what changed is asked for once more when its day
  // is over, in case the first answer was an old one.
  EXPECT_GE(mirror.details, 83);
  EXPECT_LE(mirror.details, 2 * 83);
}

TEST(Fresh, BadExportsDeleteNothingAndADayOfTooManyChangesHoldsTheWatermark) {
  sim::SimulatorOptions options;
  options.exports.faults = {{kFirstDay + days(1), sim::ExportFault::kHalved},
                            {kFirstDay + days(2), sim::ExportFault::kTruncated},
                            {kFirstDay + days(3), sim::ExportFault::kMissing},
                            {kFirstDay + days(4), sim::ExportFault::kEmpty}};
  options.feed.rows_per_page = 1;
  options.feed.floods[kFirstDay + days(2)] = 520;
  Mirror mirror(options);
  mirror.RunOn(0);
  const auto films = mirror.Ids(MediaType::kMovie);
  for (int day = 1; day <= 5; ++day) {
    for (int i = 0; i < 10; ++i)
      mirror.Happen(day, MediaType::kMovie, films[std::size_t(10 * day + i)], Event::kTitle);
    const auto ran = mirror.RunOn(day + 1);
    if (day <= 3) {
      EXPECT_EQ(ran.exit_code(), 1) << day;
    }
    EXPECT_EQ(mirror.Tombstones(), 0) << day;
    for (const TypeReport& type : ran.types) {
      ASSERT_TRUE(type.changes && type.changes->watermark_after);
      EXPECT_LE(*type.changes->watermark_after, kFirstDay + days(2)) << Name(type.type);
    }
  }
  options.feed.floods.clear();
  mirror.simulator.SetFeed(options.feed);
  const auto ran = mirror.RunOn(7);
  EXPECT_EQ(ran.exit_code(), 0);
  for (const TypeReport& type : ran.types) {
    EXPECT_EQ(*type.changes->watermark_after, kFirstDay + days(7)) << Name(type.type);
  }
  EXPECT_EQ(mirror.Tombstones(), 0);
  mirror.CheckWhole();
}

TEST(Fresh, AfterFortyDaysAwayNothingIsMissed) {
  Mirror mirror;
  mirror.RunOn(0);
  const auto films = mirror.Ids(MediaType::kMovie), shows = mirror.Ids(MediaType::kTv);
  for (int day = 1; day < 40; ++day) {
    mirror.Happen(day, MediaType::kMovie, films[std::size_t(day)], Event::kOverview);
    if (day % 8 == 0) mirror.Happen(day, MediaType::kMovie, films[std::size_t(60 + day)], Event::kDelete);
    if (day % 8 == 1) mirror.Happen(day, MediaType::kTv, shows[std::size_t(7 + day / 4)], Event::kSeasonAdd);
    if (day % 8 == 2) mirror.Happen(day, MediaType::kPerson, 0, Event::kAdd);
  }
  EXPECT_EQ(mirror.RunOn(40).exit_code(), 0);
  mirror.CheckWhole();
}

TEST(Fresh, AFollowerOfTheFeedHoldsExactlyTheCurrentView) {
  Mirror mirror;
  mirror.RunOn(0);
  std::map<std::string, std::string> view;  // "movie:550" -> sha256
  std::map<MediaType, std::int64_t> position;
  constexpr MediaType kFollowed[] = {MediaType::kMovie, MediaType::kTv, MediaType::kPerson,
                                     MediaType::kSeason};
  const auto follow = [&] {
    for (const MediaType type : kFollowed) {
      const auto reached = mirror.store().feed.Read(
          type, position[type], [&](std::int64_t, std::string_view line) -> Result<bool> {
            const std::string key = fmt::format("{}:{}", Name(type), *sim::PartOf(line, "id"));
            // New numbers, or nothing new.
            const auto change = *sim::PartOf(line, "change");
            if (change == "\"verified\"" || (change == "\"stats\"" && *sim::PartOf(line, "sha256") == "null"))
              return true;
            if (*sim::PartOf(line, "sha256") == "null") {
              view.erase(key);
            } else {
              view[key] = std::string(*sim::PartOf(line, "sha256"));
            }
            return true;
          });
      ASSERT_TRUE(reached) << reached.error().message;
      position[type] = *reached;
    }
  };
  follow();
  const auto films = mirror.Ids(MediaType::kMovie), shows = mirror.Ids(MediaType::kTv);
  for (int day = 0; day < 4; ++day) {
    for (int i = 0; i < 5; ++i) {
      mirror.Happen(day, MediaType::kMovie, films[std::size_t(10 * day + i)], Event::kTitle);
      mirror.Happen(day, MediaType::kTv, shows[std::size_t(6 + day + i)], Event::kSeasonAdd);
    }
    mirror.Happen(day, MediaType::kMovie, films[std::size_t(80 + day)], Event::kDelete);
    mirror.Happen(day, MediaType::kTv, shows[std::size_t(20 + day)], Event::kDelete);
    mirror.RunOn(day + 1);
    follow();
  }
  std::map<std::string, std::string> expected;
  for (const MediaType type : kFollowed) {
    std::vector<std::int64_t> live;
    ASSERT_TRUE(mirror.store().ledger.VisitStates(type, [&](const IdState& state) {
      if (state.standing == Standing::kLive) live.push_back(state.id);
    }));
    for (const std::int64_t id : live)
      expected[fmt::format("{}:{}", Name(type), id)] =
          '"' + mirror.store().reader.Find({type, id})->sha256 + '"';
  }
  EXPECT_GT(expected.size(), 200u);
  EXPECT_EQ(view, expected);
}

}  // namespace
}  // namespace tmdbc
