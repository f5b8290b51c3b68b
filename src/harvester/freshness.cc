// SPDX-License-Identifier: MIT
#include "harvester/freshness.h"

#include <algorithm>
#include <cmath>

#include "storage/care.h"
#include "tmdb/upstream_date.h"

namespace tmdbc {
namespace {

double Days(Duration duration) {
  return std::max(0.0, std::chrono::duration<double, std::chrono::days::period>(duration).count());
}

Duration FromDays(double days) {
  return std::chrono::round<Duration>(std::chrono::duration<double, std::chrono::days::period>(days));
}

// Popularity comes from a file: neither NaN nor infinity may reach the queue.
double Weight(double popularity) {
  return std::isfinite(popularity) ? std::max(popularity, 0.0) + kLeastWeight : kLeastWeight;
}

double UsualRate(double popularity, const TypeRates& rates) {
  return rates.base * std::pow(Weight(popularity), rates.exponent);
}

// Heaps and answers: the most wanted first, then by id, so that a plan does not depend on the order of
// visiting.
bool Better(const QueueItem& a, const QueueItem& b) {
  if (a.popularity != b.popularity) return a.popularity > b.popularity;
  return a.id < b.id;
}

void PopWorst(std::vector<QueueItem>& heap) {
  std::pop_heap(heap.begin(), heap.end(), Better);
  heap.pop_back();
}

// Keeps the item when the heap holds fewer than `most` or worse ones.
void Keep(std::vector<QueueItem>& heap, const QueueItem& item, std::int64_t most) {
  if (std::int64_t(heap.size()) >= most) {
    if (heap.empty() || !Better(item, heap.front())) return;
    PopWorst(heap);
  }
  heap.push_back(item);
  std::push_heap(heap.begin(), heap.end(), Better);
}

// 0..inf to 0..1 and back: the priority of a refresh, from its age in intervals.
float PriorityOfAge(double intervals) {
  return std::min(float(intervals / (1 + intervals)), 0.999F);
}
constexpr float kDuePriority = 0.5F;  // of an age of one interval

}  // namespace

TypeRates UsualRates(MediaType type) {
  // So that about 0.6 % of the movies, 1.5 % of the shows and 0.13 % of the people change a day.
  switch (type) {
    case MediaType::kMovie:
      return {.base = 0.006, .exponent = 0.5, .shape = 0.7};
    case MediaType::kTv:
      return {.base = 0.012, .exponent = 0.5, .shape = 0.7};
    case MediaType::kPerson:
      return {.base = 0.0015, .exponent = 0.5, .shape = 0.7};
    // Their exports have no popularity.
    default:
      return {.base = 0.003, .exponent = 0, .shape = 0.7};
  }
}

// --- learning ---

std::size_t RateLearner::BucketOf(double popularity) {
  const double half_octaves = std::floor(2 * std::log2(Weight(popularity))) + 16;
  return std::size_t(std::clamp(half_octaves, 0.0, double(kBuckets - 1)));
}

double RateLearner::PopularityOf(std::size_t bucket) {
  return std::exp2((double(bucket) - 16 + 0.5) / 2) - kLeastWeight;
}

void RateLearner::Add(const RecordFacts& facts) {
  Bucket& bucket = buckets_[BucketOf(facts.popularity)];
  const double days = Days(facts.observed), changes = double(facts.changes);
  bucket.records += 1;
  bucket.days += days;
  bucket.days_squared += days * days;
  bucket.changes += changes;
  bucket.pairs += changes * (changes - 1);
}

TypeRates RateLearner::Fit() const {
  // What the usual rates weigh beside what was seen: this many changes in each bucket.
  constexpr double kUsualWeight = 10;
  TypeRates rates = UsualRates(type_);

  // A line through log(rate) over log(weight), each bucket by the changes it rests on.
  double sum = 0, sum_x = 0, sum_y = 0, sum_xx = 0, sum_xy = 0;
  for (std::size_t i = 0; i < kBuckets; ++i) {
    const Bucket& bucket = buckets_[i];
    if (bucket.records == 0) continue;
    const double usual = UsualRate(PopularityOf(i), rates);
    const double weight = bucket.changes + kUsualWeight;
    const double x = std::log(Weight(PopularityOf(i)));
    const double y = std::log(weight / (bucket.days + kUsualWeight / usual));
    sum += weight;
    sum_x += weight * x;
    sum_y += weight * y;
    sum_xx += weight * x * x;
    sum_xy += weight * x * y;
  }
  if (sum == 0) return rates;
  const double spread = sum * sum_xx - sum_x * sum_x;
  if (spread > 1e-9 * sum * sum) {
    rates.exponent = std::clamp((sum * sum_xy - sum_x * sum_y) / spread, 0.0, 0.9);
  }
  rates.base = std::clamp(std::exp((sum_y - rates.exponent * sum_x) / sum), 1e-6, 100.0);

  // Changes beyond what one common rate would give, by the second factorial moment: of a gamma mixture
  // E n(n-1) = (rate * days)^2 * (1 + 1 / shape).
  double pairs = 0, alike = 0, records = 0;
  for (std::size_t i = 0; i < kBuckets; ++i) {
    const double rate = UsualRate(PopularityOf(i), rates);
    pairs += buckets_[i].pairs;
    alike += rate * rate * buckets_[i].days_squared;
    records += buckets_[i].records;
  }
  const double usual_pairs = kUsualWeight * (1 + 1 / rates.shape);
  const double excess = (pairs + usual_pairs) / (alike + kUsualWeight) - 1;
  rates.shape = excess > 0 ? std::clamp(1 / excess, 0.1, 10.0) : 10.0;

  rates.records = std::int64_t(records);
  double above = 0;
  std::size_t top = kBuckets;
  while (top > 0 && above < std::max(records / 1000, 1e-9)) above += buckets_[--top].records;
  // Where no export has said anything yet (the catalog was lost) nobody is popular, and not everybody.
  if (top < kBuckets && PopularityOf(top) > kLeastWeight) rates.top_popularity = PopularityOf(top);
  return rates;
}

double EstimateRate(const RecordFacts& facts, const TypeRates& rates) {
  const double changes = double(std::max<std::int64_t>(facts.changes, 0));
  return (changes + rates.shape) / (Days(facts.observed) + rates.shape / UsualRate(facts.popularity, rates));
}

// An id that is only suspect: how likely it has changed again in what was left of the day, or the answer came
// from a cache. The latter is a guess: cached answers belong to one exact request, and few ask ours.
constexpr double kSuspectDays = 1;
constexpr double kStaleAnswer = 0.05;

// Of what no real popularity comes near: a file may say anything.
constexpr double kMostWorth = 1e10;

// That the record has just changed is not among its `changes` yet, and must not be: with it, and a gamma
// distribution of rates, w * (observed + ...) / (changes + shape) is exactly w times the expected days until
// the next change.
float FetchPriority(const RecordFacts& facts, const TypeRates& rates) {
  const double rate = EstimateRate(facts, rates);
  double worth = Weight(facts.popularity) / rate;
  if (facts.suspect) worth *= std::min(1.0, kStaleAnswer - std::expm1(-rate * kSuspectDays));
  return float(1 + std::clamp(worth, 0.0, kMostWorth));
}

// --- refreshing ---

Duration RefreshInterval(const RecordFacts& facts, const TypeRates& rates, const RefreshOptions& options) {
  double days = Days(options.at_latest);
  if (rates.top_popularity > 0) {
    const double share = Weight(facts.popularity) / Weight(rates.top_popularity);
    days = std::min(days, Days(options.popular_every) / std::sqrt(std::min(share, 1.0)));
  }
  if (!facts.has_feed) {
    constexpr double kOneInTen = 0.10536;  // -ln(0.9)
    days = std::min(days, std::max(Days(options.popular_every), kOneInTen / EstimateRate(facts, rates)));
  }
  return std::max(FromDays(days), options.soonest);
}

RefreshPlanner::RefreshPlanner(std::int64_t budget, std::int64_t records, const RefreshOptions& options)
    : budget_(std::max<std::int64_t>(budget, 0)),
      even_share_(std::int64_t(
          std::ceil(double(std::max<std::int64_t>(records, 0)) / std::max(Days(options.at_latest), 1.0)))),
      options_(options) {}

void RefreshPlanner::Consider(MediaId id, const RecordFacts& facts, const TypeRates& rates) {
  // How old what a clock that ran ahead has dated really is nobody knows: due. A day is forgiven, as clocks are.
  const Duration unverified = facts.unverified < -kClockIsOff ? options_.at_latest : facts.unverified;
  if (FallsDue(unverified)) {
    ++clause_due_;
    ++due_;
    // While in the heap the age is the priority: the oldest are nearest to being purged.
    Keep(clause_, {id, float(Days(unverified))}, std::max(budget_, options_.most_clause));
    return;
  }
  if (unverified < std::chrono::days(1)) ++recent_;
  if (unverified < options_.soonest) return;
  const float priority = PriorityOfAge(Days(unverified) / Days(RefreshInterval(facts, rates, options_)));
  if (priority >= kDuePriority) ++due_;
  // Beyond the even share only what is due stays.
  Keep(sweep_, {id, priority}, priority >= kDuePriority ? budget_ : std::min(budget_, even_share_));
  while (std::int64_t(sweep_.size()) > even_share_ && sweep_.front().popularity < kDuePriority) {
    PopWorst(sweep_);
  }
}

std::vector<QueueItem> RefreshPlanner::Take() {
  std::vector<QueueItem> chosen = std::move(clause_);
  std::sort(chosen.begin(), chosen.end(), Better);
  for (QueueItem& item : chosen) item.popularity = kClausePriority;
  std::sort(sweep_.begin(), sweep_.end(), Better);
  const auto overdue =
      std::ranges::find_if(sweep_, [](const QueueItem& item) { return item.popularity < kDuePriority; }) -
      sweep_.begin();
  const std::int64_t wanted = std::max<std::int64_t>(overdue, even_share_ - recent_);
  const std::int64_t room = std::max<std::int64_t>(budget_ - std::int64_t(chosen.size()), 0);
  sweep_.resize(std::min(sweep_.size(), std::size_t(std::min(wanted, room))));
  chosen.insert(chosen.end(), sweep_.begin(), sweep_.end());
  clause_.clear();
  sweep_.clear();
  return chosen;
}

std::int64_t RefreshBudget(double requests_per_second, Duration until_next_plan, std::int64_t queued) {
  const double seconds = std::max(0.0, std::chrono::duration<double>(until_next_plan).count());
  return std::max<std::int64_t>(0, std::int64_t(0.9 * requests_per_second * seconds) - queued);
}

}  // namespace tmdbc
