// SPDX-License-Identifier: MIT
// Years of a mirror's life, from a seed: the daemon itself, as `run` makes it from a tmdb-collector.toml, on a fake
// clock and the simulated TMDB, in one thread and in seconds. TMDB changes every day; the machine's clock is a month
// ahead for a day, at 1970 for a day, twelve hours back; MEDIA_TYPES shrinks to films for a year; the process is
// killed, and off for 40 days; feeds lag, bodies come stale, exports are late, cut, halved or empty. At all times what
// is stored is looked at again, is as TMDB has it but for what has just changed, and nothing that TMDB has goes; in the
// end the mirror is what TMDB is.
//
// TMDBC_SEEDS=40 years_test   more lives (default 3)
// TMDBC_SEED=17 years_test    this one alone, with its log
#include <fmt/core.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <deque>
#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "app/command.h"
#include "app/daemon.h"
#include "mirror_life.h"
#include "storage/care.h"
#include "testing/seeds.h"

namespace tmdbc {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::sys_days;
using testing::kLivingTypes;
using testing::MirrorLife;

constexpr int kParts = 3;  // one of each kind of schedule
// 120 records refreshed each month and three feeds eight times a day are 10,000 a year.
constexpr std::int64_t kMostRequests = 100'000;
constexpr sys_days kEpoch = std::chrono::year(2026) / 3 / 1;
constexpr days kLife{800}, kLifeInABucket{240};
// What a person would call a mirror that is looked after: nothing goes unconfirmed for much longer than the month after
// which it is due. While only films are harvested the others are looked at as well.
constexpr days kCaredFor{45};
// Of the records of a type so many are as TMDB has them, over the whole life: each day one changes, and is fetched
// within a day.
constexpr double kLeastFresh = 0.9;

// The kinds of schedules that docs/configuration.md describes.
constexpr std::string_view kSchedules[] = {
    // COLLECTION_INTERVAL
    "",
    // the example of two [[schedule]] tables
    R"toml([[schedule]]
name = "exports"
expression = "cron(30 9 * * ? *)"
timezone = "Europe/Berlin"
mode = "export"
limit = 10000

[[schedule]]
name = "changes"
expression = "rate(8 hours)"
mode = "changes"
)toml",
    // COLLECTION_SCHEDULE, when clocks are put forward and back
    "[harvester]\ncollection_schedule = \"cron(30 2 * * ? *)\"\ncollection_timezone = \"America/New_York\"\n",
};

class Life {
 public:
  Life(std::uint64_t seed, bool loud, bool in_bucket = false)
      : seed_(seed),
        random_(seed * 0x9E3779B97F4A7C15u + 11),
        troubled_(seed % 3 != 0),
        life_(in_bucket ? kLifeInABucket : kLife),
        mirror_({.born = Time(kEpoch) + hours(9),
                 .seed = seed,
                 .catalogue = Catalogue(seed),
                 .rates = Rates(),
                 .manners = Manners(),
                 .loud = loud,
                 .schedules = std::string(kSchedules[seed % std::size(kSchedules)]),
                 .in_bucket = in_bucket}) {
    mirror_.world.on_event = [this](const sim::Happened& happened) { Happened(happened); };
    mirror_.transport.on_arrival = [this](std::string_view) {
      if (++requests_ <= kMostRequests || over_) return;
      mirror_.Problem("{} requests: it asks without end", requests_);
      over_ = true;
      EndProcess("too many requests");
    };
    mirror_.on_sleep = [this](MonoTime until) { Sleep(until); };
    mirror_.clock_was_wrong = ClockWasWrong;
    Plan();
  }

  void Run() {
    while (!over_ && !mirror_.full_of_problems()) {
      ended_ = false;
      mirror_.Process([this](Settings& settings, Pipeline& pipeline) {
        const auto code = Daemon(settings, Arguments(), pipeline).Run();
        if (!code) mirror_.Problem("the daemon ended: {}", code.error().message);
        if (code && !ended_) mirror_.Problem("the daemon ended by itself, with exit code {}", *code);
      });
      mirror_.clock.Advance(std::exchange(off_, Duration(0)));
    }
    if (!over_) return;
    mirror_.CheckWhole();
    for (const auto& [kind, looks] : checks_) {
      const double fresh = double(looks.fresh) / double(looks.all);
      mirror_.Trace(fmt::format("{}: {:.4f} fresh of {} looked at", NameOf(kind), fresh, looks.all));
      if (fresh < kLeastFresh) mirror_.Problem("over its life {:.3f} of the {} were fresh", fresh, NameOf(kind));
    }
  }

 private:
  // --- chance ---
  int Below(int bound) { return static_cast<int>(random_() % static_cast<unsigned>(bound)); }
  bool Chance(double share) { return std::uniform_real_distribution<>(0, 1)(random_) < share; }

  // --- the world ---
  static sim::SyntheticOptions Catalogue(std::uint64_t seed) {
    sim::SyntheticOptions options;
    options.seed = seed;
    options.counts = {60, 20, 40, 5, 5, 5, 5};
    options.gone_share = seed % 2 == 0 ? 0.02 : 0;
    options.huge_show_episodes = 60;
    return options;
  }
  static sim::DailyRates Rates() {
    using sim::Family;
    sim::DailyRates rates;
    for (const auto& [type, kind] : kLivingTypes) {
      rates.at(kind, Family::kEdit) = 1;
      rates.at(kind, Family::kStats) = 1;
      rates.at(kind, Family::kAdd) = 0.06;
      rates.at(kind, Family::kDelete) = 0.04;
      rates.at(kind, Family::kRestore) = 0.02;
      rates.at(kind, Family::kMerge) = 0.01;
    }
    rates.at(sim::Kind::kTv, Family::kSeason) = 0.4;
    return rates;
  }
  sim::SimulatorOptions Manners() {
    sim::SimulatorOptions options;
    options.seed = seed_;
    options.feed.rows_per_page = 7;
    if (!troubled_) return options;
    if (Chance(0.5)) {
      options.cache = hours(8);
      options.feed_cache = minutes(10);
    }
    if (Chance(0.5)) options.feed.lag = minutes(Below(300));
    if (Chance(0.5)) options.faults.SetAll(3);
    options.faults.percent[static_cast<std::size_t>(sim::Fault::kWrongId)] = 0;
    if (Chance(0.5)) {
      for (int day = 1; day < life_.count(); ++day) {
        if (Chance(0.15))
          options.exports.faults[kEpoch + days(day)] = static_cast<sim::ExportFault>(Below(5));
      }
    }
    if (Chance(0.5)) options.feed.total_off = 1;
    return options;
  }

  void Happened(const sim::Happened& happened) {
    using sim::Event;
    const MirrorLife::Subject subject(happened.kind, happened.id);
    if (happened.event == Event::kAdd || happened.event == Event::kRestore || happened.event == Event::kQuietRestore)
      came_[subject] = happened.at;
    if (happened.event == Event::kQuietRestore) quietly_.insert(subject);
    if (happened.event != Event::kStats) changed_[subject] = happened.at;
  }

  // --- what a person and the machine do ---
  struct Step {
    Time at{};
    std::function<void()> happen;
  };
  void At(int day, const std::function<void()>& happen) {
    steps_.push_back({Time(kEpoch + days(day)) + minutes(9 * 60 + Below(24 * 60)), happen});
  }
  void Plan() {
    // Each clock is wrong for one day, at which the process may begin again or live on.
    const bool restarts = seed_ % 2 == 0;
    const auto wrong = [&](int day, const std::function<void()>& set) {
      At(day, [this, set, restarts] {
        set();
        if (restarts) EndProcess("the clock is wrong");
      });
      At(day + 2, [this, restarts] {
        mirror_.machine.SetOffset({});
        if (restarts) EndProcess("the clock is right");
      });
    };
    if (seed_ % 3 != 1) wrong(1, [this] { mirror_.machine.SetTo(Time{} + hours(1)); });  // before there is NTP
    wrong(60, [this] { mirror_.machine.SetOffset(days(31)); });
    wrong(200, [this] { mirror_.machine.SetTo(Time{} + hours(1)); });
    wrong(300, [this] { mirror_.machine.SetOffset(hours(-12)); });
    At(100, [this] { SetTypes("movie"); });
    At(std::min(480, static_cast<int>(life_.count()) - 60), [this] { SetTypes("movie,tv,person"); });
    if (troubled_ && Chance(0.5)) {
      At(560, [this] {
        off_ = days(40);
        EndProcess("off for 40 days");
      });
    }
    if (troubled_ && Chance(0.5)) {
      for (int day = 30; day < life_.count() - 20; day += 1 + Below(20))
        At(day, [this] { mirror_.transport.KillAt(Below(60)); });
    }
    At(static_cast<int>(life_.count()) - 12, [this] { mirror_.EndTroubles(); });
    At(static_cast<int>(life_.count()), [this] {
      over_ = true;
      EndProcess("the end");
    });
    std::stable_sort(steps_.begin(), steps_.end(), [](const Step& a, const Step& b) { return a.at < b.at; });
  }
  void EndProcess(std::string_view why) {
    mirror_.Trace(why);
    ended_ = true;
    ::raise(SIGTERM);
  }
  void SetTypes(const std::string& types) {
    mirror_.media_types = types;
    narrowed_at_ = mirror_.clock.Now();
    EndProcess("MEDIA_TYPES=" + types);
  }

  // The machine sleeps for some minutes, or until the next thing happens.
  void Sleep(MonoTime until) {
    testing::FakeClock& clock = mirror_.clock;
    until = std::max(until, clock.Mono() + minutes(5 + Below(15)));
    if (!steps_.empty())
      until = std::min(until, clock.Mono() + std::max(steps_.front().at - clock.Now(), Duration(1)));
    clock.AdvanceTo(until);
    if (clock.Now() >= next_check_) {
      next_check_ = clock.Now() + days(7);
      if (clock.Now() - Time(kEpoch) >= days(10)) CheckCare();
    }
    while (!ended_ && !steps_.empty() && steps_.front().at <= clock.Now()) {
      const auto happen = std::move(steps_.front().happen);
      steps_.pop_front();
      happen();
    }
  }

  // --- what must hold, while it lives: once a week ---
  bool Harvested(MediaType type) const { return type == MediaType::kMovie || mirror_.media_types != "movie"; }
  // What happened then has been seen since.
  bool IsSettled(Time at) const { return mirror_.clock.Now() - at > days(troubled_ ? 14 : 5); }
  bool IsSettled(const std::map<MirrorLife::Subject, Time>& times, MirrorLife::Subject subject) const {
    const auto found = times.find(subject);
    return found == times.end() || IsSettled(found->second);
  }

  void CheckCare() {
    mirror_.Refresh();
    const Time now = mirror_.clock.Now();
    mirror_.world.EvolveTo(now);
    for (const auto& [type, kind] : kLivingTypes) {
      std::set<std::int64_t> stored;
      Time oldest = now;
      const auto visited = mirror_.store().ledger.VisitLive(type, [&](const LiveRecord& record) {
        stored.insert(record.id);
        oldest = std::min(oldest, record.verified_at);
      });
      if (!visited) return mirror_.Problem("{}", visited.error().message);
      const auto age = std::chrono::floor<days>(now - oldest);
      // A clock that was wrong for two days, and 40 days without any process, are made up for in a few days.
      const days allowed = kCaredFor + (troubled_ ? days(45) : days(0));
      if (age > allowed) mirror_.Problem("a {} was not looked at for {} days", Name(type), age.count());
      if (age > kMayBeKept) mirror_.Problem("a {} is kept for {} days without TMDB's word", Name(type), age.count());
      if (!Harvested(type) || now - narrowed_at_ <= days(5)) continue;
      CheckCoverage(kind, stored);
      CheckFreshness(type, kind, stored);
    }
  }

  // What has been there for a while is stored.
  void CheckCoverage(sim::Kind kind, const std::set<std::int64_t>& stored) {
    std::int64_t there = 0, missing = 0, example = 0;
    mirror_.world.ForEachId(kind, [&](std::int64_t id, bool adult) {
      if (adult || !IsSettled(came_, {kind, id}) || quietly_.contains({kind, id})) return;
      ++there;
      if (!stored.contains(id)) ++missing, example = id;
    });
    if (missing * 50 > there)
      mirror_.Problem("{} of {} {} are not stored, such as {}", missing, there, NameOf(kind), example);
  }

  // What has not changed for a while is as TMDB has it, whatever the clock said when it was fetched.
  void CheckFreshness(MediaType type, sim::Kind kind, const std::set<std::int64_t>& stored) {
    std::int64_t settled = 0, stale = 0, example = 0;
    for (const std::int64_t id : stored) {
      const bool fresh = mirror_.IsFresh({type, id});
      ++checks_[kind].all;
      checks_[kind].fresh += fresh;
      if (!IsSettled(changed_, {kind, id}) || quietly_.contains({kind, id})) continue;
      ++settled;
      if (!fresh) ++stale, example = id;
    }
    // A show whose heavy answers fail is a dead letter for a day or two, and these worlds are small.
    if (stale > 1 && stale * 10 > settled)
      mirror_.Problem("{} of {} {} are stale, such as {}", stale, settled, NameOf(kind), example);
  }

  // Then fetched_at is not the time at which TMDB answered.
  static bool ClockWasWrong(Time at) {
    if (at < Time(kEpoch)) return true;
    for (const int day : {1, 60, 91, 200, 300}) {
      if (at >= Time(kEpoch + days(day - 1)) && at < Time(kEpoch + days(day + 5))) return true;
    }
    return false;
  }

  const std::uint64_t seed_;
  std::mt19937_64 random_;
  const bool troubled_;
  const days life_;
  MirrorLife mirror_;

  std::deque<Step> steps_;
  Time narrowed_at_{};
  Duration off_{};      // how long the machine is off before the next process
  bool ended_ = false;  // this process was asked to end
  bool over_ = false;
  std::int64_t requests_ = 0;
  Time next_check_{};
  std::map<MirrorLife::Subject, Time> came_, changed_;
  std::set<MirrorLife::Subject> quietly_;
  struct Checks {
    std::int64_t all = 0, fresh = 0;
  };
  std::map<sim::Kind, Checks> checks_;
};

class Years : public ::testing::TestWithParam<int> {};

TEST_P(Years, TheDaemonLooksAfterTheMirrorWhateverTheClockAndTheSchedulesSay) {
  for (const std::uint64_t seed : testing::SeedsOf(GetParam(), kParts, kParts)) {
    SCOPED_TRACE(fmt::format("TMDBC_SEED={} years_test", seed));
    Life(seed, testing::IsOneSeed()).Run();
    if (HasFailure()) return;
  }
}

// The same with the mirror in a bucket: all that is looked at is what the daemon has published.
TEST(YearsInABucket, TheDaemonLooksAfterTheMirrorWhateverTheClockAndTheSchedulesSay) {
  for (const std::uint64_t seed : testing::SeedsOf(0, 1, 1)) {
    SCOPED_TRACE(fmt::format("TMDBC_SEED={} years_test", seed));
    Life(seed, testing::IsOneSeed(), true).Run();
  }
}

INSTANTIATE_TEST_SUITE_P(Lives, Years, ::testing::Range(0, kParts));

}  // namespace
}  // namespace tmdbc
