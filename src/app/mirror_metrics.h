// SPDX-License-Identifier: MIT
// MirrorMetrics: what the working process tells Prometheus: the numbers of docs/metrics.md, filled by the
// pipeline as it goes, and whether it is alive and ready. deploy/prometheus and deploy/grafana use these
// names; tests/metrics_test.cc compares them.
//
// The loop's thread fills; Text(), alive() and ready() are for any thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/metrics.h"
#include "base/sqlite.h"
#include "collector/collector.h"
#include "http/http.h"
#include "queue/queue_desk.h"
#include "storage/ledger.h"

namespace tmdbc {

// The label of a request, one of a dozen: "movie", "tv", "season"... for details, "movie_changes"... for the
// feeds, "configuration", "other", and "export" for what is not below `api_base_url`.
std::string_view EndpointOf(std::string_view url, std::string_view api_base_url);

class MirrorMetrics {
 public:
  // A loop that did not tick for so long hangs: the longest it works without waiting for the network, reading
  // the largest export, is a few seconds.
  static constexpr std::chrono::seconds kAliveWithin{120};

  MirrorMetrics(const Clock& clock, std::string api_base_url);

  // --- the loop's thread --- The types that are harvested from now on: of others no watermark is
  // told, for it stays where it is.
  void Harvests(std::set<MediaType> types) { harvested_ = std::move(types); }
  // The loop goes on, and sends at most so many requests a second.
  void Ticked(double pace);
  // A request ended.
  void Requested(std::string_view endpoint, const http::Outcome& outcome);
  // The counters of the collector at work; `ended`: its last ones.
  void Collected(const CollectorStats& stats, bool ended);
  // Reads what only the catalog knows, if that was not done lately: the queue, the watermarks and the
  // schedules' runs every 5 s, the store's counts (which read the whole index) every 15 minutes and after a
  // drain, and neither for more than a hundredth of the time. What cannot be read keeps its last value.
  void Refresh(Database& catalog, QueueView& queue, RecordLedger& ledger, const std::string& data_dir);

  // The two halves of Refresh(), at once.
  Result<void> ReadQueue(Database& catalog, QueueView& queue);
  Result<void> ReadStore(RecordLedger& ledger, const std::string& data_dir);

  const std::string& api_base_url() const { return api_base_url_; }

  // --- any thread ---
  std::string Text() const { return metrics_.Text(); }
  // The loop ticked lately.
  bool alive() const;
  // TMDB has accepted the key at the last request that showed it. The store is open as long as we live.
  bool ready() const { return key_accepted_.load(std::memory_order_relaxed); }

 private:
  void SetFreshness();

  // Constant after construction.
  const Clock& clock_;
  const std::string api_base_url_;

  // Any thread.
  Metrics metrics_;
  std::atomic<std::int64_t> ticked_at_;  // MonoTime, microseconds
  std::atomic<bool> key_accepted_ = false;

  // The loop's thread. The families are in metrics_.
  MetricFamily &requests_, &seconds_, &received_, &throttled_, &pace_;
  MetricFamily &records_, &last_stored_;
  MetricFamily &queue_, &oldest_, &dead_, &watermark_, &last_run_, &last_exit_;
  MetricFamily &care_stopped_, &held_purges_, &unasked_;
  MetricFamily &live_, &held_, &freshness_, &unverified_, &bytes_, &disk_free_;
  std::map<std::pair<MediaType, Change>, std::int64_t> collected_;  // by the collector at work
  std::map<MediaType, std::int64_t> waiting_, live_records_;
  std::set<MediaType> harvested_;
  std::optional<MonoTime> next_queue_read_, next_store_read_;  // empty: at once
};

// A transport that tells of every request.
class MeasuringTransport final : public http::HttpTransport {
 public:
  // `metrics` outlives the transport.
  MeasuringTransport(std::unique_ptr<http::HttpTransport> inner, MirrorMetrics& metrics)
      : inner_(std::move(inner)), metrics_(metrics) {}

  http::RequestId Start(http::Request request, std::function<void()> on_send) override;
  std::vector<http::Outcome> Wait(MonoTime deadline) override;
  int Room() const override { return inner_->Room(); }
  int InFlight() const override { return inner_->InFlight(); }
  void Cancel(http::RequestId id) override { inner_->Cancel(id); }

 private:
  const std::unique_ptr<http::HttpTransport> inner_;
  MirrorMetrics& metrics_;
  std::map<http::RequestId, std::string_view> endpoints_;  // of what is under way
};

}  // namespace tmdbc
