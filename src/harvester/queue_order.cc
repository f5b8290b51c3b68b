// SPDX-License-Identifier: MIT
#include "harvester/queue_order.h"

#include <algorithm>
#include <limits>

#include "harvester/change_counts.h"
#include "tmdb/change_page.h"

namespace tmdbc {

namespace chrono = std::chrono;

namespace {

// More records than these tell little more about their like.
constexpr std::int64_t kSample = 200'000;

std::uint16_t Short(std::int64_t number) {
  return std::uint16_t(std::clamp<std::int64_t>(number, 0, std::numeric_limits<std::uint16_t>::max()));
}

// Before the first harvest there is no table.
Result<void> VisitCounts(Database& catalog, MediaType type,
                         const std::function<void(std::int64_t, std::int64_t)>& visit) {
  TRY_ASSIGN(
      auto exists,
      catalog.Prepare("SELECT 1 FROM sqlite_schema WHERE type='table' AND name='harvest_change_counts'"));
  TRY_ASSIGN(const bool found, exists.Step());
  return found ? VisitChangeCounts(catalog, type, visit) : Result<void>{};
}

}  // namespace

Result<void> QueueOrder::Learn(MediaType type, const StopFlag& stop) {
  TRY_ASSIGN(const std::int64_t records, ports_.ledger.CountLive(type));
  RateLearner learner(type);
  TRY(VisitFacts(type, records / kSample + 1, stop,
                 [&](std::int64_t, const RecordFacts& facts) { learner.Add(facts); }));
  learned_[type] = {.rates = learner.Fit(), .records = records};
  return {};
}

Result<void> QueueOrder::Remember(MediaType type, const StopFlag& stop) {
  Forget();
  past_type_ = type;
  const auto remember = [&](const LiveRecord& record) {
    const auto day = chrono::floor<chrono::days>(record.first_at).time_since_epoch().count();
    pasts_.push_back({.id = std::uint32_t(record.id), .first_day = Short(day), .changes = 0});
  };
  TRY(ports_.ledger.VisitLive(type, remember, stop));
  auto past = pasts_.begin();
  return VisitCounts(ports_.catalog, type, [&](std::int64_t id, std::int64_t days) {
    while (past != pasts_.end() && past->id < id) ++past;
    if (past != pasts_.end() && past->id == id) past->changes = Short(days);
  });
}

float QueueOrder::OfNew(MediaType type, float popularity) const {
  return FetchPriority({.popularity = popularity, .has_feed = HasChangeFeed(type)}, RatesOf(type));
}

Result<float> QueueOrder::Of(MediaId id, const IdState& state, bool suspect) const {
  TRY_ASSIGN(const auto popularity, ports_.popularity.Find(id));
  RecordFacts facts{.popularity = popularity.value_or(0), .has_feed = HasChangeFeed(id.type)};
  if (state.standing == Standing::kLive) {
    facts.unverified = ports_.clock.Now() - state.verified_at;
    facts.suspect = suspect;
    const auto past = std::ranges::lower_bound(pasts_, id.id, {}, &Past::id);
    if (past_type_ == id.type && past != pasts_.end() && past->id == id.id) {
      facts.changes = past->changes;
      facts.observed = ports_.clock.Now() - Time(chrono::sys_days(chrono::days(past->first_day)));
    }
  }
  return FetchPriority(facts, RatesOf(id.type));
}

Result<void> QueueOrder::VisitFacts(
    MediaType type, std::int64_t every, const StopFlag& stop,
    const std::function<void(std::int64_t, const RecordFacts&)>& visit) const {
  const bool has_feed = HasChangeFeed(type);
  std::vector<std::pair<std::uint32_t, std::uint32_t>> counts;  // id, days: of the listed ones alone
  if (has_feed) {
    TRY(VisitCounts(ports_.catalog, type, [&](std::int64_t id, std::int64_t days) {
      counts.emplace_back(std::uint32_t(id), std::uint32_t(days));
    }));
  }
  auto count = counts.begin();
  const Time now = ports_.clock.Now();
  PopularityTable::Walk popularities(ports_.popularity, type);
  Result<void> looked;
  std::int64_t met = 0;
  const auto look = [&](const LiveRecord& record) {
    if (!looked || met++ % every != 0) return;
    const auto popularity = popularities.Find(record.id);
    if (!popularity) {
      looked = std::unexpected(popularity.error());
      return;
    }
    RecordFacts facts{.popularity = popularity->value_or(0),
                      .changes = has_feed ? 0 : record.changes,
                      .observed = now - record.first_at,
                      .unverified = now - record.verified_at,
                      .has_feed = has_feed};
    while (count != counts.end() && count->first < record.id) ++count;
    if (count != counts.end() && count->first == record.id) facts.changes = count->second;
    visit(record.id, facts);
  };
  TRY(ports_.ledger.VisitLive(type, look, stop));
  return looked;
}

TypeRates QueueOrder::RatesOf(MediaType type) const {
  const auto found = learned_.find(type);
  return found == learned_.end() ? UsualRates(type) : found->second.rates;
}

std::int64_t QueueOrder::RecordsOf(MediaType type) const {
  const auto found = learned_.find(type);
  return found == learned_.end() ? 0 : found->second.records;
}

}  // namespace tmdbc
