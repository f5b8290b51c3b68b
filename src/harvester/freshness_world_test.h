// SPDX-License-Identifier: MIT
// FreshnessWorld: a population of records that change, a feed that tells of it, and a mirror that may make so
// many requests a day; for freshness_test.cc and bench/freshness_bench.cc. Seeded: the same world meets every
// policy with the same changes.
//
// The population. Popularity is lognormal, and two in five records sit on the floor, as in TMDB's exports.
// Rates grow with popularity, but not by the formula that the policy presumes: a logarithm of it, times
// lognormal noise (sigma 1.2: of two records as popular as each other one may change ten times as often).
// They are scaled so that 0.64 % of the records change a day, as of TMDB's movies.
//
// Changes are Poisson. The feed names a record some delay after its change, or once a day all that changed in
// a day (Feed). Fetching takes 1/capacity of a day, one after another. One answer in twenty that is asked for
// within eight hours of a change comes from a cache and does not have it.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <optional>
#include <queue>
#include <random>
#include <utility>
#include <vector>

#include "harvester/freshness.h"

namespace tmdbc {

class FreshnessWorld {
 public:
  enum class Feed : std::uint8_t {
    kAfterDelay,  // each change by itself, `delay` days after it: what the bound 1 / (1 + lambda * d) assumes
    kDaily,       // as the harvester reads it: once a day, at ten o'clock, the day before and today
  };
  enum class Policy : std::uint8_t {
    kFifo,     // what the feed names, in the order in which it did
    kUniform,  // one after another, round and round, without the feed
    kNutch,  // Apache Nutch's AdaptiveFetchSchedule, without the feed; of what is due the most popular first
    kTrueRates,     // the highest weight / rate first
    kFetchedRates,  // the same with rates learned from what its own fetches found new
    kLearnedRates,  // the same with rates learned from the feed: ours
  };
  struct Options {
    int records = 20'000;
    double load = 1;      // sum of all rates / capacity
    double spread = 1.2;  // sigma of the noise of the rates
    double delay = 0.5;
    Feed feed = Feed::kAfterDelay;
    double warm_up = 0;  // days that are simulated and not counted
    double days = 365;   // that are counted
    std::uint64_t seed = 1;
  };
  struct Outcome {
    double freshness = 0;  // sum w*phi / sum w
    double requests_a_day = 0;
    double useful = 0;  // share of the requests that found a change
  };

  explicit FreshnessWorld(const Options& options) : options_(options), records_(options.records) {
    std::mt19937_64 random(options.seed);
    std::normal_distribution<double> normal;
    std::uniform_real_distribution<double> uniform;
    double sum = 0;
    for (Record& record : records_) {
      const bool floor = uniform(random) < 0.4;
      record.popularity = floor ? 0.6 : 0.6 + std::exp(0.3 + 1.3 * normal(random));
      record.rate = std::log1p(record.popularity) * std::exp(options.spread * normal(random));
      sum += record.rate;
    }
    const double scale = 0.0064 * options.records / sum;
    for (Record& record : records_) record.rate *= scale;
    capacity_ = 0.0064 * options.records / options.load;
  }

  // The most that any policy can reach: maximise sum w*phi subject to sum rate*phi <= capacity, phi <= the
  // bound that the feed sets. Highest w / rate first; the last one in part.
  double Optimum() const {
    std::vector<const Record*> order;
    double weight = 0;
    for (const Record& record : records_) {
      order.push_back(&record);
      weight += record.popularity;
    }
    std::sort(order.begin(), order.end(), [](const Record* a, const Record* b) {
      return a->popularity * b->rate > b->popularity * a->rate;
    });
    double left = capacity_, sum = 0;
    for (const Record* record : order) {
      const double phi = std::min(MostFresh(record->rate), left / record->rate);
      sum += record->popularity * phi;
      left -= record->rate * phi;
    }
    return sum / weight;
  }

  Outcome Run(Policy policy) const { return Simulation(*this, policy).Run(); }

 private:
  struct Record {
    double popularity = 0;
    double rate = 0;  // the truth, which no policy but kTrueRates sees
  };

  double MostFresh(double rate) const {
    if (options_.feed == Feed::kAfterDelay) return 1 / (1 + rate * options_.delay);
    return -std::expm1(-rate) / rate;  // fetched at the moment of each daily reading
  }

  class Simulation {
   public:
    Simulation(const FreshnessWorld& world, Policy policy)
        : world_(world),
          options_(world.options_),
          policy_(policy),
          random_(world.options_.seed + 1),
          states_(world.records_.size()),
          rates_(UsualRates(MediaType::kMovie)) {}

    Outcome Run() {
      for (std::size_t id = 0; id < states_.size(); ++id) ScheduleChange(id, 0);
      if (options_.feed == Feed::kDaily) events_.push({kReadingHour, Event::kReading, 0});
      if (policy_ == Policy::kNutch) StartNutch();
      if (Learns()) events_.push({kLearnEvery, Event::kLearn, 0});
      events_.push({0, Event::kFetch, 0});
      while (events_.top().at < End()) {
        const Event event = events_.top();
        events_.pop();
        Happen(event);
      }
      return Count();
    }

   private:
    static constexpr double kReadingHour = 10.0 / 24;
    static constexpr double kCacheDays = 8.0 / 24;
    static constexpr double kStaleAnswer = 0.05;  // of the answers within that time
    static constexpr double kLearnEvery = 7;

    struct State {
      bool fresh = true, queued = false;
      double since = 0;        // fresh since
      double verified_at = 0;  // fetched last
      double fresh_days = 0;   // that count
      std::int64_t fetched_changes = 0, listed_days = 0;
      double priority = 0;
      double interval = 30;    // Nutch
      double modified_at = 0;  // Nutch
    };
    struct Event {
      double at;
      enum Kind : std::uint8_t { kChange, kListed, kReading, kFetch, kNutchDue, kLearn } kind;
      std::size_t id;
      bool operator<(const Event& other) const { return at > other.at; }
    };
    struct Waiting {
      double priority;
      std::size_t id;
      bool operator<(const Waiting& other) const {
        return priority != other.priority ? priority < other.priority : id > other.id;
      }
    };

    double End() const { return options_.warm_up + options_.days; }
    bool Learns() const { return policy_ == Policy::kFetchedRates || policy_ == Policy::kLearnedRates; }
    bool UsesFeed() const { return policy_ != Policy::kUniform && policy_ != Policy::kNutch; }

    void ScheduleChange(std::size_t id, double now) {
      events_.push({now + std::exponential_distribution<double>(world_.records_[id].rate)(random_),
                    Event::kChange, id});
    }

    void Happen(const Event& event) {
      switch (event.kind) {
        case Event::kChange:
          return Change(event.id, event.at);
        case Event::kListed:
          return Listed(event.id, event.at);
        case Event::kReading:
          return Reading(event.at);
        case Event::kFetch:
          return Fetch(event.at);
        case Event::kNutchDue:
          return Queue(event.id, world_.records_[event.id].popularity);
        case Event::kLearn:
          return Learn(event.at);
      }
    }

    void Change(std::size_t id, double now) {
      State& state = states_[id];
      if (state.fresh) AddFresh(state, now);
      state.fresh = false;
      state.modified_at = now;
      ScheduleChange(id, now);
      if (!UsesFeed()) return;
      if (options_.feed == Feed::kAfterDelay) {
        events_.push({now + options_.delay, Event::kListed, id});
      } else {
        log_.emplace_back(now, id);
      }
    }

    void Listed(std::size_t id, double now) {
      ++states_[id].listed_days;
      if (states_[id].verified_at < now - options_.delay) Want(id, now, false);
    }

    // What changed yesterday, and today until now. Of yesterday's those are only suspect that an earlier
    // reading of that day has seen and that were fetched since.
    void Reading(double now) {
      const double midnight = std::floor(now);
      std::vector<std::size_t> yesterday, today;
      for (const auto& [at, id] : log_) (at < midnight ? yesterday : today).push_back(id);
      for (std::vector<std::size_t>* day : {&yesterday, &today}) {
        std::sort(day->begin(), day->end());
        day->erase(std::unique(day->begin(), day->end()), day->end());
      }
      for (const std::size_t id : yesterday) {
        ++states_[id].listed_days;
        const bool seen = std::binary_search(seen_.begin(), seen_.end(), id);
        if (seen && states_[id].verified_at >= midnight + kCacheDays) continue;
        Want(id, now, seen && states_[id].verified_at >= now - 1);
      }
      for (const std::size_t id : today) Want(id, now, false);
      std::erase_if(log_, [&](const auto& entry) { return entry.first < midnight; });
      seen_ = std::move(today);
      events_.push({now + 1, Event::kReading, 0});
    }

    // The feed says that the mirror needs it.
    void Want(std::size_t id, double now, bool suspect) {
      if (policy_ == Policy::kFifo) {
        if (!states_[id].queued) Queue(id, -now);
      } else if (policy_ == Policy::kTrueRates) {
        const Record& record = world_.records_[id];
        const double chance = suspect ? std::min(1.0, kStaleAnswer - std::expm1(-record.rate)) : 1;
        Queue(id, chance * record.popularity / record.rate);
      } else {
        RecordFacts facts = FactsOf(id, now);
        facts.changes = std::max<std::int64_t>(facts.changes - (policy_ == Policy::kLearnedRates), 0);
        facts.suspect = suspect;
        Queue(id, FetchPriority(facts, rates_));
      }
    }

    RecordFacts FactsOf(std::size_t id, double now) const {
      const State& state = states_[id];
      return {.popularity = world_.records_[id].popularity,
              .changes = policy_ == Policy::kLearnedRates ? state.listed_days : state.fetched_changes,
              .observed = FromDays(now),
              .unverified = FromDays(now - state.verified_at)};
    }
    static Duration FromDays(double days) {
      return std::chrono::round<Duration>(std::chrono::duration<double, std::chrono::days::period>(days));
    }

    void Learn(double now) {
      RateLearner learner(MediaType::kMovie);
      for (std::size_t id = 0; id < states_.size(); ++id) learner.Add(FactsOf(id, now));
      rates_ = learner.Fit();
      events_.push({now + kLearnEvery, Event::kLearn, 0});
    }

    // As IdQueue does it: a second send raises what waits.
    void Queue(std::size_t id, double priority) {
      State& state = states_[id];
      if (state.queued && priority <= state.priority) return;
      state.queued = true;
      state.priority = priority;
      waiting_.push({priority, id});
    }

    // The most wanted, if anything is.
    std::optional<std::size_t> Next() {
      if (policy_ == Policy::kUniform) return next_++ % states_.size();
      while (!waiting_.empty()) {
        const Waiting top = waiting_.top();
        waiting_.pop();
        State& state = states_[top.id];
        if (!state.queued || state.priority != top.priority) continue;  // raised or fetched since
        state.queued = false;
        return top.id;
      }
      return std::nullopt;
    }

    void Fetch(double now) {
      events_.push({now + 1 / world_.capacity_, Event::kFetch, 0});
      const std::optional<std::size_t> id = Next();
      if (!id) return;
      State& state = states_[*id];
      const bool cached = now - state.modified_at < kCacheDays && uniform_(random_) < kStaleAnswer;
      const bool changed = !state.fresh && !cached;
      if (now >= options_.warm_up) {
        requests_ += 1;
        useful_ += changed ? 1 : 0;
      }
      if (policy_ == Policy::kNutch) AdaptNutch(*id, now, changed);
      if (changed) {
        state.since = now;
        state.fresh = true;
        ++state.fetched_changes;
      }
      state.verified_at = now;
    }

    void StartNutch() {
      // The first round is spread over the default interval of thirty days.
      std::uniform_real_distribution<double> within(0, 30);
      for (std::size_t id = 0; id < states_.size(); ++id)
        events_.push({within(random_), Event::kNutchDue, id});
    }

    // AdaptiveFetchSchedule with the rates of nutch-default.xml: inc_rate 0.4, dec_rate 0.2, at least a
    // minute, at most a year. Without sync_delta, which is on there: with it, records that have not changed
    // for long come due at every turn (NUTCH-1564), and it does worse here.
    void AdaptNutch(std::size_t id, double now, bool changed) {
      State& state = states_[id];
      state.interval = std::clamp(state.interval * (changed ? 1 - 0.2 : 1 + 0.4), 1.0 / 1440, 365.0);
      events_.push({now + state.interval, Event::kNutchDue, id});
    }

    void AddFresh(State& state, double until) {
      state.fresh_days += std::max(0.0, until - std::max(state.since, options_.warm_up));
    }

    Outcome Count() {
      double fresh = 0, weight = 0;
      for (std::size_t id = 0; id < states_.size(); ++id) {
        if (states_[id].fresh) AddFresh(states_[id], End());
        fresh += world_.records_[id].popularity * states_[id].fresh_days;
        weight += world_.records_[id].popularity * options_.days;
      }
      return {.freshness = fresh / weight,
              .requests_a_day = requests_ / options_.days,
              .useful = requests_ > 0 ? useful_ / requests_ : 1};
    }

    const FreshnessWorld& world_;
    const Options& options_;
    const Policy policy_;
    std::mt19937_64 random_;
    std::vector<State> states_;
    TypeRates rates_;
    std::priority_queue<Event> events_;
    std::priority_queue<Waiting> waiting_;
    std::vector<std::pair<double, std::size_t>> log_;  // changes since yesterday's midnight
    std::vector<std::size_t> seen_;                    // of today, at the last reading
    std::uniform_real_distribution<double> uniform_;
    std::size_t next_ = 0;
    double requests_ = 0, useful_ = 0;
  };

  const Options options_;
  std::vector<Record> records_;
  double capacity_ = 0;  // requests a day
};

}  // namespace tmdbc
