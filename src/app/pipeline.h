// SPDX-License-Identifier: MIT
// Pipeline: the whole system of one machine, put together: the only place that names implementations. The
// commands that write (run, harvest, collect) work on one of these. One thread.
//
// Where the store is a mirror in a bucket, the pipeline is its owner: it renews the lease while it waits, publishes
// every ten minutes of a drain and whenever PublishChanges() says so, and stops when somebody else has taken the
// mirror.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "app/care_status.h"
#include "app/demand_desk.h"
#include "app/metrics_server.h"
#include "app/mirror_metrics.h"
#include "app/mirror_store.h"
#include "app/progress.h"
#include "app/progress_file.h"
#include "app/rate_window.h"
#include "app/run_status.h"
#include "app/stop_signals.h"
#include "app/surroundings.h"
#include "app/work_place.h"
#include "base/clock.h"
#include "base/files.h"
#include "base/log.h"
#include "base/rate_limiter.h"
#include "collector/collector.h"
#include "collector/on_demand.h"
#include "harvester/harvester.h"
#include "http/http.h"
#include "http/paced_requester.h"
#include "http/side_transport.h"
#include "queue/sqlite_queue.h"
#include "settings/settings.h"
#include "storage/store_intake.h"
#include "tmdb/upstream_clock.h"
#include "tmdb/upstream_date.h"

namespace tmdbc {

// The log as the settings want it, on stderr, with the key masked. `clock` outlives it.
std::unique_ptr<Log> MakeLog(const Settings& settings, const Clock& clock);

// Messages still to be fetched, and those given up.
struct QueueTotals {
  std::int64_t left = 0;  // waiting, delayed, in flight
  std::int64_t dead = 0;
};
Result<QueueTotals> TotalsOf(QueueView& queue);

// A failed request counts its tries itself; a receive that was not settled means that this process was
// killed, which is rarely the id's fault. The bound is for the id that kills it every time.
inline constexpr int kMaxReceives = 100;
// How often room on the disk is looked for while there is none.
inline constexpr Duration kRoomEvery = std::chrono::seconds(3);

class Pipeline {
 public:
  // Opens DATA_DIR for writing, or takes the mirror of S3_BUCKET_NAME; recovers the store and the queue. `command` is
  // what `status` calls this process. `settings` outlives the pipeline; call Reconfigure() after a change of them.
  // `surroundings`: the machine, unless a simulation says otherwise. `take_over`: WorkPlaceOptions.
  static Result<std::unique_ptr<Pipeline>> Open(const Settings& settings, std::string command,
                                                Surroundings surroundings = {}, bool take_over = false);

  // One harvest (harvester.h). kInvalid, too, when it would ask the API and there is no key.
  Result<HarvestReport> Harvest(const HarvestOptions& options);
  // These ids, known or not. Returns how many were not queued already.
  Result<std::int64_t> HarvestIds(MediaType type, const std::vector<std::int64_t>& ids);

  // Fetches until the queue is empty, showing progress. Gives up after `give_up_unanswered` when TMDB never
  // answered at all. `accept_deletions`: however many ids are gone, for a person has agreed. `pause` (may be
  // empty) is asked about once a second: when it says true the drain ends as a stop request ends it.
  struct Drained {
    DrainResult result;
    CollectorStats stats;
    Duration time{};
  };
  Result<Drained> Drain(Duration give_up_unanswered, bool accept_deletions = false,
                        const std::function<bool()>& pause = {});

  // expiry.h; what it came to is kept in the catalog, too.
  Result<CareStatus> PurgeExpired(bool accept);
  // Seals segments that are old enough: while nothing is to be committed, about once a second.
  void SealWhatIsDue();
  // For one who waits: what has changed in a mirror in a bucket is there for everybody; false when it is not. Nothing
  // is to be done under DATA_DIR.
  bool PublishChanges();
  // Whether the next drain tries names within a season (SeasonExtras::nested).
  bool asks_for_nested_names() const { return nested_names_; }
  // What day TMDB says it is.
  const UpstreamDate& upstream_date() const { return upstream_date_; }

  // Brings progress.json up to date: after every harvest and drain, and when a schedule has begun or ended. A failure
  // is logged and mended by the next call: catalog.db knows it all.
  void SaveProgress();

  // Seals what is open and says that this process ended in good order; publishes a mirror in a bucket and gives it
  // free. Last. False, with the reason logged, when the store failed or was lost to another owner.
  bool Close();

  // From now on what is put there is fetched, whenever the pipeline waits. Records are stored.
  DemandDesk& FetchOnDemand();
  // While the segments are being rearranged nothing that was demanded is stored; it is afterwards.
  void HoldStoring(bool hold) { hold_storing_ = hold; }

  // Sleeps until then, or a stop request.
  void WaitUntil(MonoTime time);

  // Takes the rate limit and the log level of the settings again; the rest is read from them as it is needed.
  void Reconfigure();
  // Called whenever the pipeline waits for the network, so at least once a second while it does; may be
  // empty.
  std::function<void()> on_tick;

  // Requests a second that the rate limit lets through.
  double pace() const { return limiter_.pace(); }
  const Clock& clock() const { return clock_; }
  // TMDB has answered usefully: in this process, or it filled the store. What fails from then on is an
  // outage.
  bool answered() const { return answered_; }
  // In this process TMDB has taken the key.
  bool key_proven() const { return key_proven_; }
  const StopFlag& stop() const { return stop_; }
  StopSignals& signals() { return signals_; }
  Database& catalog() { return place_->catalog(); }
  FileSystem& files() { return place_->files(); }
  const Settings& settings() const { return settings_; }
  // DATA_DIR, or "s3://BUCKET".
  const std::string& store_name() const { return place_->name(); }
  Log& log() { return *log_; }
  // Null: not wanted.
  MetricsServer* metrics_server() { return metrics_server_.get(); }
  MirrorStore& store() { return *store_; }
  SqliteIdQueue& queue() { return *queue_; }

  ~Pipeline();

 private:
  Pipeline(const Settings& settings, std::string command, Surroundings surroundings);
  Result<void> Build(bool take_over);
  Result<void> OpenPlace(bool take_over);
  Result<void> AwaitCatalog();
  // False: it is tried again. Lost it stops everything.
  bool Publish(bool last = false);
  bool PublishLast();
  void Lose(const Error& error);
  Result<void> SaveStatus(bool ended);
  Harvester MakeHarvester();
  void TellOf(MediaType type, const ExpiryReport::OfType& found);
  void LearnNestedNames(bool works);
  Result<void> RequireKeyFor(const HarvestOptions& options);
  void Count(const CollectorStats& stats, bool ended = false);
  void Tick();
  void TellMetrics();
  MonoTime TurnOfDemands();

  const Settings& settings_;
  const std::string command_;
  const Surroundings surroundings_;
  const SystemClock machine_clock_;
  const Clock& clock_;
  StopSignals signals_;
  const std::unique_ptr<Log> log_;
  StopFlag stop_{&signals_.flag()};
  std::unique_ptr<WorkPlace> place_;
  std::mt19937_64 random_;
  RateLimiter limiter_;
  const std::function<void()> tick_ = [this] { Tick(); };
  UpstreamDate upstream_date_;
  MirrorMetrics metrics_;
  std::unique_ptr<MetricsServer> metrics_server_;  // null: not wanted
  std::function<void()> wake_;  // makes a wait return; any thread. Empty: nobody needs it
  http::SideTransport* side_ = nullptr;  // within transport_
  std::unique_ptr<http::HttpTransport> transport_;
  std::unique_ptr<http::PacedRequester> requester_;
  std::unique_ptr<MirrorStore> store_;
  std::unique_ptr<SqliteIdQueue> queue_;
  std::optional<ProgressFile> progress_;

  // What is fetched for somebody who waits, at the side of everything else.
  struct Demands {
    explicit Demands(Pipeline& pipeline);

    DemandDesk desk;
    const UpstreamClock clock;
    http::PacedRequester requester;
    StoreIntake intake;
    OnDemand fetcher;
  };
  std::unique_ptr<Demands> demands_;  // null: nobody asks
  bool hold_storing_ = false;

  bool lost_ = false;  // to another owner of the bucket
  bool answered_ = false, key_proven_ = false;
  bool nested_names_ = true;  // SeasonExtras::nested, as TMDB's answers have shown it
  RunStatus status_;
  RateWindow request_rate_, settle_rate_;
  RunStatus earlier_;  // status_ before the drain under way
};

}  // namespace tmdbc
