// SPDX-License-Identifier: MIT
#include "app/collection.h"

#include <algorithm>

#include "app/command.h"
#include "app/hints.h"
#include "app/output.h"

namespace tmdbc {
namespace {

// An upstream that never answered is told within 15 s, the harvest's tries included.
constexpr Duration kUnansweredBudget = std::chrono::seconds(13);
constexpr Duration kUnansweredLeast = std::chrono::seconds(2);

// A record to show as the next step: the film that every example of TMDB's shows, else one that was wanted
// most.
std::optional<MediaId> FindExample(RecordReader& reader, const std::vector<MediaId>& candidates) {
  for (const MediaId id : candidates) {
    const auto record = reader.Find(id);
    if (record && record->live()) return id;
  }
  return std::nullopt;
}

Result<std::vector<MediaId>> ExampleCandidates(QueueView& queue) {
  constexpr int kPerType = 5;
  std::vector<MediaId> ids = {{MediaType::kMovie, 550}};
  for (const MediaType type : kRecordTypes) {
    TRY_ASSIGN(const auto items, queue.Peek(type, kPerType));
    for (const QueueItem& item : items) ids.push_back(item.id);
  }
  return ids;
}

Result<std::int64_t> HeldDeletions(RecordLedger& ledger) {
  std::int64_t held = 0;
  for (const MediaType type : kRecordTypes) {
    TRY_ASSIGN(const auto ids, ledger.HeldDeletions(type));
    held += std::int64_t(ids.size());
  }
  return held;
}

// What an interrupted drain did counts too.
void Add(CollectorStats& sum, const CollectorStats& part) {
  sum.requests += part.requests;
  sum.throttled += part.throttled;
  sum.retries += part.retries;
  sum.bytes_received += part.bytes_received;
  sum.settled += part.settled;
  sum.gone += part.gone;
  sum.dead += part.dead;
  for (std::size_t i = 0; i < sum.changes.size(); ++i) sum.changes[i] += part.changes[i];
  for (const auto& [name, count] : part.errors) sum.errors[name] += count;
  for (const auto& [type, count] : part.records) sum.records[type] += count;
  for (const auto& [key, count] : part.changes_by_type) sum.changes_by_type[key] += count;
  for (const auto& [type, count] : part.held) sum.held[type] += count;
}

}  // namespace

Result<void> DrainInto(Summary& summary, Pipeline& pipeline, Duration give_up_unanswered,
                       bool accept_deletions, MonoTime started, const std::function<bool()>& pause) {
  TRY_ASSIGN(const auto candidates, ExampleCandidates(pipeline.queue()));
  const auto earlier = std::move(summary.drained);
  TRY_ASSIGN(summary.drained, pipeline.Drain(give_up_unanswered, accept_deletions, pause));
  if (earlier) {
    Add(summary.drained->stats, earlier->stats);
    summary.drained->time += earlier->time;
  }
  TRY_ASSIGN(summary.queue, TotalsOf(pipeline.queue()));
  TRY_ASSIGN(summary.held_deletions, HeldDeletions(pipeline.store().ledger));
  summary.answered_before = pipeline.answered();
  summary.key_proven = pipeline.key_proven();
  summary.example = FindExample(pipeline.store().reader, candidates);
  summary.data_dir = pipeline.store_name();
  summary.flags = FlagsToRepeat(pipeline.settings());
  summary.time += pipeline.clock().Mono() - started;
  const CollectionOutcome outcome = OutcomeOf(summary);
  if (!outcome.reason.empty()) pipeline.log().Error(Explain(outcome.reason, outcome.hint));
  return {};
}

Result<void> Care(Summary& summary, Pipeline& pipeline, bool accept) {
  const bool whole = summary.harvest && !summary.harvest->stopped && summary.drained &&
                     summary.drained->result.end == DrainEnd::kDrained;
  if (!whole) return {};
  TRY_ASSIGN(const CareStatus care, pipeline.PurgeExpired(accept));
  const std::int64_t purged_before = summary.care ? summary.care->purged : 0;
  summary.care = care;
  summary.care->purged += purged_before;
  return {};
}

Result<Summary> Collect(Pipeline& pipeline, const HarvestOptions& options,
                        const std::function<bool()>& pause) {
  Summary summary;
  const MonoTime started = pipeline.clock().Mono();
  TRY_ASSIGN(summary.harvest, pipeline.Harvest(options));
  Duration give_up = CollectorOptions().give_up_unanswered;
  if (summary.harvest->exit_code() == kExitUnusable) {
    give_up = std::max(kUnansweredLeast, kUnansweredBudget - (pipeline.clock().Mono() - started));
  }
  TRY(DrainInto(summary, pipeline, give_up, options.accept_deletions, started, pause));
  TRY(Care(summary, pipeline, options.accept_deletions));
  return summary;
}

int ReportSummary(const Summary& summary, bool json, Log& log) {
  const int code = OutcomeOf(summary).exit_code;
  const auto told = WriteOut(json ? SummaryJson(summary) + "\n" : SummaryText(summary));
  if (told) return code;
  log.Warn("the summary could not be printed", {{"reason", told.error().message}});
  return std::max<int>(code, kExitPartly);
}

bool Paused(const Summary& summary, const Pipeline& pipeline) {
  return summary.drained->result.end == DrainEnd::kStopped && !pipeline.stop().requested();
}

}  // namespace tmdbc
