// SPDX-License-Identifier: MIT
// Months of a mirror's life, from a seed: a TMDB that changes every day, one `run --once` a day, and all the troubles
// that months bring: feeds that lag, bodies that come stale from a cache, exports that are late, missing, cut or
// halved, days with more changes than TMDB lists, errors, kills, and weeks in which nothing runs. When the troubles
// end, the mirror is what TMDB is, and at no time was anything deleted that was there.
//
// TMDBC_SEEDS=2000 months_test   more lives (default 8)
// TMDBC_SEED=17 months_test      this one alone, with its log
#include <fmt/core.h>
#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>
#include <string>

#include "mirror_life.h"
#include "testing/seeds.h"

namespace tmdbc {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using std::chrono::sys_days;
using testing::kLivingTypes;
using testing::MirrorLife;

constexpr int kDefaultSeeds = 8, kSeedsInABucket = 4, kParts = 4;
constexpr sys_days kEpoch = std::chrono::year(2026) / 3 / 1;

// What may go wrong in a life.
struct Troubles {
  bool caches = false;    // stale bodies for eight hours, stale feed pages for ten minutes
  bool lag = false;       // of the feed
  bool exports = false;   // late, missing, truncated, halved, empty
  bool overfull = false;  // a day of more than 500 pages
  bool errors = false;    // resets, 5xx, 429, HTML, broken bodies
  bool kills = false;     // of the process, at any moment
  bool downtime = false;  // 40 days
  bool any() const { return caches || lag || exports || overfull || errors || kills || downtime; }
};

struct Figures {
  std::int64_t details = 0, feed_pages = 0, exports = 0;  // requests
  std::int64_t cycles = 0, kills = 0;
  std::int64_t listed = 0, deleted = 0, returned = 0;  // events
};

class Life {
 public:
  Life(std::uint64_t seed, bool loud, bool in_bucket = false)
      : seed_(seed),
        random_(seed * 0x9E3779B97F4A7C15u + 7),
        troubles_(Choose()),
        mirror_({.born = Time(kEpoch) + hours(9),
                 .seed = seed,
                 .catalogue = Catalogue(seed),
                 .rates = Rates(),
                 .manners = Manners(),
                 .loud = loud,
                 .in_bucket = in_bucket}) {
    mirror_.world.on_event = [this](const sim::Happened& happened) { Happened(happened); };
    mirror_.transport.on_arrival = [this](std::string_view target) { Count(target); };
  }

  void Run() {
    Trace("troubles: {}{}{}{}{}{}{}", troubles_.caches ? "caches " : "", troubles_.lag ? "lag " : "",
          troubles_.exports ? "exports " : "", troubles_.overfull ? "overfull " : "",
          troubles_.errors ? "errors " : "", troubles_.kills ? "kills " : "",
          troubles_.downtime ? "downtime" : "");
    const int cycles = 25 + Below(15);
    const int down_at = troubles_.downtime ? 3 + Below(cycles - 6) : -1;
    for (int cycle = 0; cycle < cycles && mirror_.well(); ++cycle) {
      if (cycle == down_at) mirror_.clock.Advance(days(40));
      Cycle(troubles_.kills && Chance(0.3), false);
      if (cycle == 0) Mark();
      // About a day later, at any hour.
      mirror_.clock.Advance(hours(20) + minutes(Below(8 * 60)));
    }
    mirror_.EndTroubles();
    calm_ = true;
    Cycle(false, true);
    // Long enough for an export of the world as it stays now.
    mirror_.clock.Advance(hours(24) + minutes(Below(4 * 60)));
    Cycle(false, true);
    CheckRequests();
    CheckMirror();
    if (quietly_returned_.empty()) return;
    // Of these no feed says that they are back, and the dead are asked for at widening distances only.
    quietly_returned_.clear();
    for (int day = 0; day < 34 && mirror_.well(); ++day) {
      mirror_.clock.Advance(hours(24));
      Cycle(false, true);
    }
    CheckMirror();
  }

 private:
  // --- chance
  int Below(int bound) { return static_cast<int>(random_() % static_cast<unsigned>(bound)); }
  bool Chance(double share) { return std::uniform_real_distribution<>(0, 1)(random_) < share; }

  template <class... Args>
  void Trace(fmt::format_string<Args...> format, Args&&... args) {
    mirror_.Trace(fmt::format(format, std::forward<Args>(args)...));
  }

  // --- the world
  static sim::SyntheticOptions Catalogue(std::uint64_t seed) {
    sim::SyntheticOptions options;
    options.seed = seed;
    options.counts = {150, 40, 100, 5, 5, 5, 5};
    options.gone_share = seed % 3 == 0 ? 0.02 : 0;
    options.huge_show_episodes = 60;
    return options;
  }

  sim::DailyRates Rates() {
    using sim::Family;
    sim::DailyRates rates;
    for (const auto& [type, kind] : kLivingTypes) {
      const double size = kind == sim::Kind::kMovie ? 1.5 : kind == sim::Kind::kTv ? 0.7 : 1;
      rates.at(kind, Family::kEdit) = 2 * size;
      rates.at(kind, Family::kStats) = 2 * size;
      rates.at(kind, Family::kAdd) = 0.3 * size;
      rates.at(kind, Family::kDelete) = 0.12 * size;
      rates.at(kind, Family::kRestore) = 0.08 * size;
      rates.at(kind, Family::kMerge) = 0.04 * size;
      if (seed_ % 4 == 1) rates.at(kind, Family::kQuietRestore) = 0.04 * size;
    }
    rates.at(sim::Kind::kTv, Family::kSeason) = 1;
    return rates;
  }

  // A quarter of the lives is undisturbed: of these the requests are counted.
  Troubles Choose() {
    if (seed_ % 4 == 0) return {};
    return {.caches = Chance(0.5),
            .lag = Chance(0.5),
            .exports = Chance(0.5),
            .overfull = Chance(0.2),
            .errors = Chance(0.5),
            .kills = Chance(0.5),
            .downtime = Chance(0.25)};
  }

  sim::SimulatorOptions Manners() {
    sim::SimulatorOptions options;
    options.seed = seed_;
    options.rate = 40;
    if (troubles_.caches) {
      options.cache = hours(8);
      options.feed_cache = minutes(10);
    }
    if (troubles_.lag) options.feed.lag = minutes(Below(300));
    if (troubles_.errors) options.faults.SetAll(6);
    options.faults.stall = seconds(35);
    if (troubles_.exports) {
      options.faults.on_exports = troubles_.errors;
      for (int day = 1; day < 90; ++day) {
        if (Chance(0.3)) options.exports.faults[kEpoch + days(day)] = static_cast<sim::ExportFault>(Below(5));
      }
    }
    // Small pages make a day overfull without a world of 50,000 changes.
    options.feed.rows_per_page = troubles_.overfull ? 1 : 7;
    if (troubles_.overfull) options.feed.floods[kEpoch + days(5 + Below(20))] = 520;
    return options;
  }

  void Happened(const sim::Happened& happened) {
    Trace("{}", ToJson(happened));
    figures_.listed += happened.listed;
    figures_.deleted += happened.event == sim::Event::kDelete || happened.event == sim::Event::kMerge;
    figures_.returned += happened.event == sim::Event::kRestore;
    const MirrorLife::Subject subject(happened.kind, happened.id);
    if (happened.event != sim::Event::kStats) ++steps_[subject];
    if (happened.event == sim::Event::kQuietRestore) {
      quietly_returned_.insert(subject);
    } else if (happened.listed) {
      quietly_returned_.erase(subject);
    }
  }

  void Count(std::string_view target) {
    if (target.starts_with("/p/exports/")) {
      ++figures_.exports;
    } else if (target.find("/changes") != target.npos) {
      ++figures_.feed_pages;
    } else {
      ++figures_.details;
    }
  }

  // --- the mirror
  void Cycle(bool disturbed, bool accept_deletions) {
    ++figures_.cycles;
    for (int life = 0; life < 30; ++life) {
      if (disturbed && life < 3 && Chance(0.7)) mirror_.transport.KillAt(Below(life == 0 ? 40 : 300));
      // What failed five times, which errors may do to any id, a person puts back.
      const auto summary = mirror_.RunOnce(accept_deletions, [this](Pipeline& pipeline) {
        if (troubles_.errors && !pipeline.queue().Redrive({}, Time::max())) mirror_.Problem("nothing is put back");
      });
      if (!summary) {
        ++figures_.kills;
        continue;
      }
      mirror_.transport.KillAt(-1);
      CheckRun(*summary);
      return;
    }
    mirror_.Problem("the cycle does not end");
  }

  void Mark() {
    figures_ = {};
    steps_.clear();
  }

  // --- what must hold
  void CheckRun(const Summary& summary) {
    if (!summary.drained) return;  // said already
    const bool excused = troubles_.errors && !calm_;
    if (summary.drained->result.end != DrainEnd::kDrained && !excused)
      mirror_.Problem("not drained: {}", summary.drained->result.reason);
    for (const auto& [type, kind] : kLivingTypes) {
      const auto visited = mirror_.store().ledger.VisitLive(type, [&](const LiveRecord& record) {
        if (record.verified_at < mirror_.clock.Now() - kMayBeKept)
          mirror_.Problem("{}:{} is kept for too long", Name(type), record.id);
      });
      if (!visited) mirror_.Problem("{}", visited.error().message);
    }
    if (summary.care && summary.care->purged + summary.care->held > 0) mirror_.Problem("something is purged");
  }

  void CheckMirror() {
    mirror_.CheckWhole(quietly_returned_);
    // Without a stale cache there is no version that was not seen at TMDB; popularity alone makes none.
    if (troubles_.caches) return;
    for (const auto& [type, kind] : kLivingTypes) {
      for (const std::int64_t id : mirror_.Known(type)) {
        const auto steps = steps_.find({kind, id});
        const std::int64_t most = 1 + (steps == steps_.end() ? 0 : steps->second);
        if (std::int64_t(mirror_.Versions({type, id})) > most)
          mirror_.Problem("{}:{} has more than {} versions", Name(type), id, most);
      }
    }
  }

  void CheckRequests() {
    Trace("{} details, {} feed pages, {} exports for {} edits, {} deletions, {} returns in {} cycles",
          figures_.details, figures_.feed_pages, figures_.exports, figures_.listed, figures_.deleted,
          figures_.returned, figures_.cycles);
    if (troubles_.any()) return;
    // An edit is fetched on its day and, since a cache may have given its old body, once more when the day is
    // over; a deletion costs the 404, a return what it takes to see that it is not a mistake.
    EXPECT_LE(figures_.details, 5 * figures_.listed / 2 + 4 * (figures_.deleted + figures_.returned) + 20);
    EXPECT_LE(figures_.exports, 3 * (figures_.cycles + 1));
  }

  const std::uint64_t seed_;
  std::mt19937_64 random_;
  const Troubles troubles_;
  MirrorLife mirror_;

  Figures figures_;
  std::map<MirrorLife::Subject, std::int64_t> steps_;  // since the first cycle
  std::set<MirrorLife::Subject> quietly_returned_;
  bool calm_ = false;
};

class Months : public ::testing::TestWithParam<int> {};

TEST_P(Months, TheMirrorIsWhatTmdbIsWhenTheTroublesAreOver) {
  for (const std::uint64_t seed : testing::SeedsOf(GetParam(), kParts, kDefaultSeeds)) {
    SCOPED_TRACE(fmt::format("TMDBC_SEED={} months_test", seed));
    Life(seed, testing::IsOneSeed()).Run();
    if (HasFailure()) return;
  }
}

// The same with the mirror in a bucket. A killed process loses what was not published, and the next one fetches it.
class MonthsInABucket : public ::testing::TestWithParam<int> {};

TEST_P(MonthsInABucket, TheMirrorIsWhatTmdbIsWhenTheTroublesAreOver) {
  for (const std::uint64_t seed : testing::SeedsOf(GetParam(), kParts, kSeedsInABucket)) {
    SCOPED_TRACE(fmt::format("TMDBC_SEED={} months_test", seed));
    Life(seed, testing::IsOneSeed(), true).Run();
    if (HasFailure()) return;
  }
}

INSTANTIATE_TEST_SUITE_P(Lives, MonthsInABucket, ::testing::Range(0, kParts));
INSTANTIATE_TEST_SUITE_P(Lives, Months, ::testing::Range(0, kParts));

}  // namespace
}  // namespace tmdbc
