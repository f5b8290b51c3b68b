// SPDX-License-Identifier: MIT
#include "app/mirror_metrics.h"

#include <sys/statvfs.h>

#include <algorithm>
#include <array>
#include <chrono>

#include "app/care_status.h"
#include "base/version.h"
#include "harvester/watermarks.h"
#include "scheduler/scheduler.h"

namespace tmdbc {
namespace {

constexpr double kSecondsBounds[] = {0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30};
constexpr Duration kReadQueueEvery = std::chrono::seconds(5);
constexpr Duration kReadStoreEvery = std::chrono::minutes(15);

double UnixSeconds(Time time) {
  return std::chrono::duration<double>(time.time_since_epoch()).count();
}

std::string_view StatusClass(const http::Outcome& outcome) {
  if (outcome.failure) return *outcome.failure == http::TransportFailure::kAborted ? "cancelled" : "failed";
  constexpr std::array<std::string_view, 6> kClasses = {"other", "1xx", "2xx", "3xx", "4xx", "5xx"};
  const int hundreds = outcome.response->status / 100;
  return hundreds >= 1 && hundreds <= 5 ? kClasses[std::size_t(hundreds)] : kClasses[0];
}

}  // namespace

std::string_view EndpointOf(std::string_view url, std::string_view api_base_url) {
  if (!url.starts_with(api_base_url) || !url.substr(api_base_url.size()).starts_with('/')) return "export";
  std::string_view path = url.substr(api_base_url.size() + 1);
  path = path.substr(0, path.find('?'));
  const std::size_t slash = path.find('/');
  const std::string_view first = path.substr(0, slash);
  const std::string_view rest = slash == std::string_view::npos ? "" : path.substr(slash + 1);
  const bool changes = rest == "changes";
  if (first == "movie") return changes ? "movie_changes" : "movie";
  if (first == "person") return changes ? "person_changes" : "person";
  if (first == "tv" && changes) return "tv_changes";
  if (first == "tv") return rest.find("/season/") == std::string_view::npos ? "tv" : "season";
  for (const std::string_view name : {"collection", "company", "network", "keyword", "configuration"}) {
    if (first == name) return name;
  }
  for (const std::string_view list : {"genre", "certification", "watch"}) {
    if (first == list) return "configuration";
  }
  return "other";
}

MirrorMetrics::MirrorMetrics(const Clock& clock, std::string api_base_url)
    : clock_(clock),
      api_base_url_(std::move(api_base_url)),
      ticked_at_(clock.Mono().time_since_epoch().count()),
      requests_(metrics_.Counter(
          "tmdbc_requests_total",
          "Requests that ended, by endpoint and class of the answer: 2xx, 3xx, 4xx, 5xx; failed: no whole "
          "answer; cancelled: by us.",
          {"endpoint", "status_class"})),
      seconds_(metrics_.Histogram("tmdbc_request_seconds",
                                  "From the start of a request to the last byte of its answer.", {"endpoint"},
                                  kSecondsBounds)),
      received_(metrics_.Counter("tmdbc_received_bytes_total", "Bytes received on the wire.")),
      throttled_(metrics_.Counter("tmdbc_throttled_total", "Answers 429: too many requests.")),
      pace_(metrics_.Gauge("tmdbc_rate_limit_pace", "Requests a second that are let through now.")),
      records_(metrics_.Counter("tmdbc_records_total", "What fetches did to the store, as committed.",
                                {"type", "change"})),
      last_stored_(metrics_.Gauge(
          "tmdbc_last_stored_timestamp_seconds",
          "When a fetch was last committed, changed or not; 0: not since the process started.")),
      queue_(metrics_.Gauge("tmdbc_queue_messages", "Ids in the queue.", {"state", "type"})),
      oldest_(metrics_.Gauge("tmdbc_queue_oldest_timestamp_seconds",
                             "When the id that waits longest was queued; now, when none waits.")),
      dead_(metrics_.Gauge("tmdbc_dead_letters", "Ids given up after many tries.", {"type"})),
      watermark_(metrics_.Gauge(
          "tmdbc_watermark_timestamp_seconds",
          "The day up to which every change has been queued (its midnight, UTC), of the types that are harvested.",
          {"type"})),
      last_run_(metrics_.Gauge("tmdbc_last_run_timestamp_seconds", "When the schedule's last run ended.",
                               {"schedule"})),
      last_exit_(metrics_.Gauge(
          "tmdbc_last_run_exit_code",
          "Of the schedule's last run: 0 done, 1 work left or partly failed, 2 it cannot be done, 3 TMDB or the store "
          "unusable, 4 the key refused.",
          {"schedule"})),
      care_stopped_(metrics_.Gauge("tmdbc_care_stopped",
                                   "1 while nothing is purged, whatever its age: no_date, clock_off.", {"obstacle"})),
      held_purges_(metrics_.Gauge("tmdbc_held_purges",
                                  "Records not confirmed for 180 days that are kept until --accept-deletions.")),
      unasked_(metrics_.Gauge("tmdbc_unasked_records",
                              "Records not confirmed for 180 days that are kept until TMDB has been asked for them.")),
      live_(metrics_.Gauge("tmdbc_live_records", "Records in the current view.", {"type"})),
      held_(metrics_.Gauge("tmdbc_held_deletions",
                           "Records that are gone at TMDB and kept until --accept-deletions.", {"type"})),
      freshness_(metrics_.Gauge("tmdbc_freshness_ratio",
                                "The least part of the live records that does not wait to be fetched again.",
                                {"type"})),
      unverified_(metrics_.Gauge("tmdbc_unverified_age_seconds",
                                 "How long ago the live record that was not seen for longest was verified.",
                                 {"type"})),
      bytes_(metrics_.Gauge("tmdbc_store_bytes", "Size of the segments.", {"type"})),
      disk_free_(metrics_.Gauge("tmdbc_disk_free_bytes", "Room left where the store is.")) {
  metrics_.Gauge("tmdbc_build_info", "The program's version; always 1.", {"version"}).Set({kVersion}, 1);
  metrics_.Gauge("tmdbc_start_timestamp_seconds", "When this process started.")
      .Set({}, UnixSeconds(clock.Now()));
}

void MirrorMetrics::Ticked(double pace) {
  ticked_at_.store(clock_.Mono().time_since_epoch().count(), std::memory_order_relaxed);
  pace_.Set({}, pace);
}

bool MirrorMetrics::alive() const {
  const MonoTime ticked(Duration(ticked_at_.load(std::memory_order_relaxed)));
  return clock_.Mono() - ticked <= kAliveWithin;
}

void MirrorMetrics::Requested(std::string_view endpoint, const http::Outcome& outcome) {
  requests_.Add({endpoint, StatusClass(outcome)});
  received_.Add({}, double(outcome.bytes_received));
  if (!outcome.response) return;
  seconds_.Observe({endpoint}, std::chrono::duration<double>(outcome.finished - outcome.started).count());
  const int status = outcome.response->status;
  if (status == 429) throttled_.Add({});
  // A 404 comes only after the key was looked at; exports need no key.
  if (endpoint == "export") return;
  if (status == 200 || status == 404) key_accepted_.store(true, std::memory_order_relaxed);
  if (status == 401) key_accepted_.store(false, std::memory_order_relaxed);
}

void MirrorMetrics::Collected(const CollectorStats& stats, bool ended) {
  bool stored = false;
  for (const auto& [key, count] : stats.changes_by_type) {
    const std::int64_t more = count - std::exchange(collected_[key], count);
    if (more > 0) records_.Add({Name(key.first), Name(key.second)}, double(more));
    stored |= more > 0;
  }
  if (stored) last_stored_.Set({}, UnixSeconds(clock_.Now()));
  if (!ended) return;
  collected_.clear();
  next_store_read_.reset();
}

void MirrorMetrics::Refresh(Database& catalog, QueueView& queue, RecordLedger& ledger, const std::string& data_dir) {
  // Next time after `every`, and not before a hundred times what it took.
  const auto refresh = [&](std::optional<MonoTime>& next, Duration every, const auto& read) {
    const MonoTime began = clock_.Mono();
    if (next && began < *next) return;
    (void)read();  // what does not work here fails where it matters, and is told there
    const MonoTime ended = clock_.Mono();
    next = ended + std::max(every, 100 * (ended - began));
    SetFreshness();
  };
  refresh(next_queue_read_, kReadQueueEvery, [&] { return ReadQueue(catalog, queue); });
  refresh(next_store_read_, kReadStoreEvery, [&] { return ReadStore(ledger, data_dir); });
}

Result<void> MirrorMetrics::ReadQueue(Database& catalog, QueueView& queue) {
  TRY_ASSIGN(const auto counts, queue.Counts());
  queue_.Clear();
  dead_.Clear();
  waiting_.clear();
  for (const auto& [type, count] : counts) {
    queue_.Set({"waiting", Name(type)}, double(count.waiting));
    queue_.Set({"delayed", Name(type)}, double(count.delayed));
    queue_.Set({"in_flight", Name(type)}, double(count.in_flight));
    queue_.Set({"dead", Name(type)}, double(count.dead));
    dead_.Set({Name(type)}, double(count.dead));
    waiting_[type] = count.waiting + count.delayed + count.in_flight;
  }
  TRY_ASSIGN(const auto oldest, queue.OldestSent());
  oldest_.Set({}, UnixSeconds(oldest.value_or(clock_.Now())));

  TRY_ASSIGN(const Watermarks watermarks, ReadWatermarks(catalog));
  watermark_.Clear();
  for (const auto& [type, day] : watermarks) {
    if (harvested_.contains(type)) watermark_.Set({Name(type)}, UnixSeconds(day));
  }

  // The scheduler's table; absent where only `collect` or `run --once` ever ran.
  TRY_ASSIGN(const auto runs, ReadScheduleRuns(catalog));
  TRY_ASSIGN(const auto care, ReadCareStatus(catalog));
  held_purges_.Set({}, double(care ? care->held : 0));
  unasked_.Set({}, double(care ? care->unasked : 0));
  for (const CareObstacle obstacle : {CareObstacle::kNoDate, CareObstacle::kClockOff})
    care_stopped_.Set({NameOf(obstacle)}, care && care->obstacle == obstacle ? 1 : 0);
  // A schedule that was given up is in the table no longer.
  last_run_.Clear();
  last_exit_.Clear();
  for (const auto& [name, state] : runs) {
    if (!state.ended || !state.exit_code) continue;
    last_run_.Set({name}, UnixSeconds(*state.ended));
    last_exit_.Set({name}, double(*state.exit_code));
  }
  return {};
}

Result<void> MirrorMetrics::ReadStore(RecordLedger& ledger, const std::string& data_dir) {
  struct statvfs disk{};
  if (::statvfs(data_dir.c_str(), &disk) == 0) {
    disk_free_.Set({}, double(disk.f_bavail) * double(disk.f_frsize));
  }
  TRY_ASSIGN(const auto counts, ledger.Counts());
  live_records_.clear();
  unverified_.Clear();
  for (const auto& [type, count] : counts) {
    live_records_[type] = count.live;
    live_.Set({Name(type)}, double(count.live));
    held_.Set({Name(type)}, double(count.held));
    bytes_.Set({Name(type)}, double(count.bytes));
    if (count.oldest_verified) {
      unverified_.Set({Name(type)}, UnixSeconds(clock_.Now()) - UnixSeconds(*count.oldest_verified));
    }
  }
  return {};
}

// Some of what waits may be new ids, which are not live yet: so it is the least part.
void MirrorMetrics::SetFreshness() {
  for (const auto& [type, live] : live_records_) {
    const auto waiting = waiting_.find(type);
    const std::int64_t stale = waiting == waiting_.end() ? 0 : std::min(waiting->second, live);
    freshness_.Set({Name(type)}, live == 0 ? 1 : 1 - double(stale) / double(live));
  }
}

// --- the transport ---

http::RequestId MeasuringTransport::Start(http::Request request, std::function<void()> on_send) {
  const std::string_view endpoint = EndpointOf(request.url, metrics_.api_base_url());
  const http::RequestId id = inner_->Start(std::move(request), std::move(on_send));
  endpoints_[id] = endpoint;
  return id;
}

std::vector<http::Outcome> MeasuringTransport::Wait(MonoTime deadline) {
  std::vector<http::Outcome> outcomes = inner_->Wait(deadline);
  for (const http::Outcome& outcome : outcomes) {
    const auto endpoint = endpoints_.extract(outcome.id);
    metrics_.Requested(endpoint.empty() ? "other" : endpoint.mapped(), outcome);
  }
  return outcomes;
}

}  // namespace tmdbc
