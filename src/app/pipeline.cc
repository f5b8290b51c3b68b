// SPDX-License-Identifier: MIT
#include "app/pipeline.h"

#include <unistd.h>

#include <algorithm>
#include <numeric>
#include <set>

#include "app/app_properties.h"
#include "app/dating_transport.h"
#include "app/hints.h"
#include "app/output.h"
#include "app/source_guard.h"
#include "app/ticking_transport.h"
#include "base/version.h"
#include "base/waiting.h"
#include "base/words.h"
#include "harvester/queue_order.h"
#include "harvester/watermarks.h"
#include "http/curl_transport.h"
#include "queue/sqlite_queue.h"
#include "storage/change_feed.h"

namespace tmdbc {
namespace {

constexpr Duration kCheckStopEvery = std::chrono::milliseconds(200);
// When a process ends and the bucket is away.
constexpr Duration kWaitForBucket = std::chrono::minutes(15);
constexpr Duration kEarly = std::chrono::seconds(5);
// When TMDB last showed that it takes no names within a season; after so long it is asked again.
constexpr std::string_view kNoNestedNames = "no_nested_season_names_since";
constexpr Duration kAskAboutNestedNames = std::chrono::days(30);
bool ShowsBar(const Settings& settings) {
  return settings.log_format == LogFormat::kText && TakesEscapes(STDERR_FILENO);
}

// What a collector would store; the lists of the configuration among it.
std::set<MediaType> StoredTypes(const Settings& settings) {
  std::set<MediaType> types(settings.media_types.begin(), settings.media_types.end());
  types.insert(MediaType::kConfiguration);
  return types;
}

std::int64_t Sum(const std::map<std::string, std::int64_t>& counts) {
  return std::accumulate(counts.begin(), counts.end(), std::int64_t{0},
                         [](std::int64_t sum, const auto& c) { return sum + c.second; });
}

// "20261122T100000Z-4711": when it began, and the process.
std::string NewRunId(Time now) {
  std::string time = FormatTime(now).substr(0, 19);
  std::erase_if(time, [](char c) { return c == '-' || c == ':'; });
  return fmt::format("{}Z-{}", time, ::getpid());
}

}  // namespace

std::unique_ptr<Log> MakeLog(const Settings& settings, const Clock& clock) {
  auto log = std::make_unique<Log>(LogStream(stderr, settings.log_format == LogFormat::kText),
                                   settings.log_level, settings.log_format, clock);
  log->Mask(settings.tmdb_api_key);
  return log;
}

Result<QueueTotals> TotalsOf(QueueView& queue) {
  TRY_ASSIGN(const auto counts, queue.Counts());
  QueueTotals totals;
  for (const auto& [type, count] : counts) {
    totals.left += count.waiting + count.delayed + count.in_flight;
    totals.dead += count.dead;
  }
  return totals;
}

Result<std::unique_ptr<Pipeline>> Pipeline::Open(const Settings& settings, std::string command,
                                                 Surroundings surroundings, bool take_over) {
  std::unique_ptr<Pipeline> pipeline(new Pipeline(settings, std::move(command), std::move(surroundings)));
  TRY(pipeline->Build(take_over));
  return pipeline;
}

Pipeline::Pipeline(const Settings& settings, std::string command, Surroundings surroundings)
    : settings_(settings),
      command_(std::move(command)),
      surroundings_(std::move(surroundings)),
      clock_(surroundings_.clock != nullptr ? *surroundings_.clock : machine_clock_),
      log_(MakeLog(settings, clock_)),
      random_(surroundings_.seed ? *surroundings_.seed : std::random_device{}()),
      limiter_(settings.rate_limit_requests, clock_, settings.collector_concurrency),
      metrics_(clock_, settings.tmdb_api_base_url),
      status_(StatusOfThisProcess(command_, clock_.Now())) {}

Pipeline::~Pipeline() = default;

Result<void> Pipeline::OpenPlace(bool take_over) {
  TRY_ASSIGN(place_, WorkPlace::Open(settings_, clock_,
                                     {.take_over = take_over,
                                      .bucket = surroundings_.bucket,
                                      .tick = [this] {
                                        if (on_tick) on_tick();
                                      },
                                      .warn = [this](const std::string& warning) { log_->Warn(warning); }}));
  log_->SetRun(NewRunId(clock_.Now()));
  for (const std::string& warning : settings_.warnings) log_->Warn(warning);
  MirrorKeeper* const keeper = place_->keeper();
  if (keeper == nullptr) return {};
  if (!keeper->fell_back().empty()) {
    log_->Error("the catalog cannot be used: the one before it was taken, what was settled since is fetched again",
                {{"reason", keeper->fell_back()}});
  }
  for (const Damage& damage : keeper->adopted().damage)
    log_->Error("damaged", {{"file", damage.file}, {"offset", damage.offset}, {"reason", damage.what}});
  log_->Info("this process keeps the mirror", {{"bucket", place_->name()},
                                               {"epoch", keeper->head().epoch},
                                               {"adopted_segments", keeper->adopted().segments}});
  return {};
}

// Somebody's backup or SQLite's shell: the loop waits for them later, and so does the start. Each try waits a moment by
// itself.
Result<void> Pipeline::AwaitCatalog() {
  for (bool told = false;; told = true) {
    const auto free = catalog().Transact([] { return Result<void>(); });
    if (free || free.error().code != ErrorCode::kBusy || stop().requested()) return free;
    if (!told) log_->Error(WhyWeWait(free.error(), "it then begins"), {{"error", free.error().message}});
    if (surroundings_.sleep) surroundings_.sleep(clock_.Mono() + kCheckStopEvery);
  }
}

Result<void> Pipeline::Build(bool take_over) {
  TRY(OpenPlace(take_over));
  TRY(AwaitCatalog());
  TRY_ASSIGN(store_, MirrorStore::Open(files(), catalog(), clock_, place_->writer_options()));
  for (const std::string& notice : store_->writer->notices()) log_->Warn(Explain(notice, Hint::kRebuild));
  ChangeFeed feed(files(), catalog());
  for (const MediaType type : kRecordTypes) {
    TRY_ASSIGN(const std::int64_t newest, feed.NewestSequence(type));
    answered_ |= newest > 0;
  }
  TRY_ASSIGN(queue_, SqliteIdQueue::Open(catalog(), clock_, {.max_receives = kMaxReceives}));
  TRY(RequireSource(catalog(), store_->ledger, *queue_, files(), place_->name(),
                    settings_.tmdb_api_base_url));
  std::unique_ptr<http::HttpTransport> transport;
  if (surroundings_.make_transport) {
    TRY_ASSIGN(transport, surroundings_.make_transport(clock_));
  } else {
    TRY_ASSIGN(auto curl, http::CurlTransport::Create(clock_));
    wake_ = [curl = curl.get()] { curl->Wake(); };
    curl->next_slot = [this] { return limiter_.NextSlot(); };
    transport = std::move(curl);
  }
  transport = std::make_unique<DatingTransport>(std::move(transport), clock_, upstream_date_);
  transport = std::make_unique<MeasuringTransport>(std::move(transport), metrics_);
  auto side = std::make_unique<http::SideTransport>(std::move(transport));
  side_ = side.get();
  transport_ = std::make_unique<TickingTransport>(std::move(side), tick_);
  requester_ = std::make_unique<http::PacedRequester>(clock_, *transport_, limiter_, random_);
  if (!settings_.metrics_listen.empty()) {
    TRY_ASSIGN(const ListenAddress at, ParseListenAddress(settings_.metrics_listen));
    TRY_ASSIGN(metrics_server_, MetricsServer::Start(at, clock_, metrics_));
    log_->Info("serving metrics", {{"url", metrics_server_->url()}});
  }
  TellMetrics();
  progress_.emplace(files(), catalog(), *queue_);
  TRY(progress_->Open());
  TRY_ASSIGN(const auto no_nested_names, GetProperty(catalog(), kNoNestedNames));
  const auto since = ParseTime(no_nested_names.value_or(""));
  nested_names_ = !since || clock_.Now() - *since >= kAskAboutNestedNames;
  TRY(CreateRunStatus(catalog()));
  return SaveStatus(false);
}

// The types of the settings and of every schedule.
void Pipeline::TellMetrics() {
  std::set<MediaType> types(settings_.media_types.begin(), settings_.media_types.end());
  for (const ScheduleSetting& schedule : settings_.schedules)
    types.insert(schedule.types.begin(), schedule.types.end());
  metrics_.Harvests(std::move(types));
}

void Pipeline::Tick() {
  if (MirrorKeeper* const keeper = place_->keeper(); keeper != nullptr && !lost_) {
    const auto kept = keeper->Keep();
    if (!kept && kept.error().code == ErrorCode::kExists) {
      Lose(kept.error());
    } else if (!kept) {
      log_->Warn("the lease of the mirror is renewed in a minute", {{"reason", kept.error().message}});
    }
  }
  if (metrics_server_) {
    metrics_.Ticked(limiter_.pace());
    metrics_.Refresh(catalog(), *queue_, store_->ledger, place_->folder());
  }
  if (on_tick) on_tick();
}

Result<void> Pipeline::SaveStatus(bool ended) {
  status_.updated = clock_.Now();
  status_.ended = ended;
  status_.requests_per_second = request_rate_.PerSecond();
  status_.settled_per_second = settle_rate_.PerSecond();
  return WriteRunStatus(catalog(), status_);
}

void Pipeline::Count(const CollectorStats& stats, bool ended) {
  metrics_.Collected(stats, ended);
  status_.requests = earlier_.requests + stats.requests;
  status_.throttled = earlier_.throttled + stats.throttled;
  status_.settled = earlier_.settled + stats.settled;
  status_.errors = stats.errors;
  for (const auto& [name, count] : earlier_.errors) status_.errors[name] += count;
  request_rate_.Add(clock_.Mono(), status_.requests);
  settle_rate_.Add(clock_.Mono(), status_.settled);
}

Harvester Pipeline::MakeHarvester() {
  return Harvester({.clock = clock_,
                    .transport = *transport_,
                    .files = files(),
                    .catalog = catalog(),
                    .reader = store_->reader,
                    .ledger = store_->ledger,
                    .writer = *store_->writer,
                    .popularity = store_->popularity,
                    .sender = *queue_,
                    .desk = *queue_,
                    .upstream = upstream_date_,
                    .limiter = limiter_,
                    .random = random_,
                    .log = *log_},
                   {.export_base_url = settings_.tmdb_export_base_url,
                    .api = ApiAccessOf(settings_),
                    .concurrency = settings_.collector_concurrency});
}

// The exports need no key, the change feeds do.
Result<void> Pipeline::RequireKeyFor(const HarvestOptions& options) {
  if (!settings_.tmdb_api_key.empty() || options.mode == HarvestMode::kExport) return {};
  if (options.mode == HarvestMode::kChanges) return RequireKey(settings_);
  TRY_ASSIGN(const Watermarks watermarks, ReadWatermarks(catalog()));
  for (const MediaType type : options.types) {
    if (!watermarks.contains(type)) continue;
    const auto missing = RequireKey(settings_);
    return Fail(ErrorCode::kInvalid, "{}; to read the exports alone, --mode=export, needs none",
                missing.error().message);
  }
  return {};
}

Result<HarvestReport> Pipeline::Harvest(const HarvestOptions& options) {
  TRY(RequireKeyFor(options));
  log_->SetRun(NewRunId(clock_.Now()));
  Harvester harvester = MakeHarvester();
  // A full disk, or another program that holds the database, is waited for, and for a while a bucket that is away: what
  // was queued stays, and to harvest again queues nothing twice.
  const MonoTime give_up_bucket = clock_.Mono() + kWaitForBucket;
  for (bool told = false;; told = true) {
    auto report = harvester.Harvest(options, stop());
    if (report && !options.dry_run) SaveProgress();
    if (report) status_.requests = earlier_.requests += report->api_requests;
    if (report)
      key_proven_ |= std::ranges::any_of(
          report->types, [](const TypeReport& type) { return type.changes && type.changes->pages > 0; });
    if (report || stop().requested()) return report;
    const bool bucket_away = place_->keeper() != nullptr && report.error().code == ErrorCode::kIo;
    if (bucket_away ? clock_.Mono() > give_up_bucket : !MayPass(report.error())) return report;
    if (!told) {
      log_->Error(bucket_away ? "the bucket does not answer: the harvest goes on by itself when it does"
                              : WhyWeWait(report.error(), "the harvest then goes on by itself"),
                  {{"error", report.error().message}});
    }
    WaitUntil(clock_.Mono() + (bucket_away ? kPublishAgain : kRoomEvery));
  }
}

Result<std::int64_t> Pipeline::HarvestIds(MediaType type, const std::vector<std::int64_t>& ids) {
  return MakeHarvester().HarvestIds(type, ids);
}

Result<Pipeline::Drained> Pipeline::Drain(Duration give_up_unanswered, bool accept_deletions,
                                          const std::function<bool()>& pause) {
  TRY_ASSIGN(const QueueTotals before, TotalsOf(*queue_));
  const MonoTime started = clock_.Mono();
  CollectorOptions options;
  options.concurrency = settings_.collector_concurrency;
  options.give_up_unanswered = give_up_unanswered;
  options.key_proven = key_proven_;
  options.season_extras = settings_.season_extras;
  options.season_extras.nested = nested_names_;
  const UpstreamClock answered(clock_, upstream_date_);
  StoreIntake intake(answered, *store_->writer, store_->ledger, {.accept_deletions = accept_deletions});
  Collector collector(answered, *requester_, *queue_, intake, *log_, random_, ApiAccessOf(settings_),
                      settings_.namespaces, options);
  ProgressMeter meter(clock_, *log_, stderr, ShowsBar(settings_));
  MirrorKeeper* const keeper = place_->keeper();
  const auto publish_due = [&] { return keeper != nullptr && keeper->PublishDue(); };
  std::optional<StopFlag> end_soon;
  bool paused = false;
  collector.on_progress = [&](const CollectorStats& stats) {
    paused = paused || (pause && pause());
    if (paused || publish_due()) end_soon->Request();
    Count(stats);
    const std::int64_t done = stats.settled + stats.dead;
    const std::int64_t left = std::max(before.left - done, std::int64_t{0});
    // Before the first answers the rate limit is the best guess.
    const bool early = clock_.Mono() - started < kEarly;
    const double pace = settle_rate_.PerSecond() > 0 || !early ? settle_rate_.PerSecond() : limiter_.pace();
    meter.Show({.done = done,
                .total = done + left,
                .requests_per_second = request_rate_.PerSecond(),
                .left = TimeLeft(left, pace),
                .errors = Sum(stats.errors),
                .dead = stats.dead,
                .throttled = stats.throttled});
  };
  collector.on_commit = [&](const CollectorStats& stats) {
    Count(stats);
    return SaveStatus(false);
  };
  DrainResult result;
  for (;;) {
    end_soon.emplace(&stop());
    result = collector.Drain(*end_soon);
    meter.Clear();
    if (result.end != DrainEnd::kStopped || paused || stop().requested() || !publish_due()) break;
    Publish();
  }
  const CollectorStats& stats = collector.stats();
  Count(stats, true);
  earlier_ = status_;
  key_proven_ |= result.key_proven;
  answered_ |= key_proven_;
  LearnNestedNames(collector.nested_names());
  // What a drain brought is there for followers now, not when the next one fills the segment. In a bucket the end of
  // the collection is published as a whole.
  if (keeper == nullptr) {
    const auto sealed = store_->writer->Seal();
    if (!sealed)
      log_->Warn("sealing is tried again with the next commit", {{"reason", sealed.error().message}});
    SaveProgress();
  }
  return Drained{std::move(result), stats, clock_.Mono() - started};
}

Pipeline::Demands::Demands(Pipeline& p)
    : clock(p.clock_, p.upstream_date_),
      requester(p.clock_, p.side_->side(), p.limiter_, p.random_),
      intake(clock, *p.store_->writer, p.store_->ledger, {}),
      fetcher(clock, requester, intake, *p.log_, ApiAccessOf(p.settings_),
              {.stored = StoredTypes(p.settings_),
               .include_adult = p.settings_.include_adult,
               .namespaces = p.settings_.namespaces,
               .season_extras = p.settings_.season_extras},
              [this](const Demand& demand, DemandReply reply) { desk.Bring(demand, std::move(reply)); }) {}

DemandDesk& Pipeline::FetchOnDemand() {
  if (demands_) return demands_->desk;
  demands_ = std::make_unique<Demands>(*this);
  demands_->desk.OnPut(wake_);
  // The collector asks again for what a client would not wait for.
  demands_->fetcher.on_lacking = [this](MediaId id) {
    const auto sent = queue_->Send(std::vector<QueueItem>{{.id = id, .popularity = kAskedPriority}});
    if (!sent) log_->Warn("it is not queued", {{"id", ToString(id)}, {"reason", sent.error().message}});
  };
  side_->turn = [this] { return TurnOfDemands(); };
  return demands_->desk;
}

MonoTime Pipeline::TurnOfDemands() {
  for (Demand& demand : demands_->desk.Take()) demands_->fetcher.Take(std::move(demand));
  const bool busy = side_->busy();
  demands_->fetcher.Step(busy, !hold_storing_ && !lost_ && !catalog().InTransaction());
  return demands_->fetcher.NextStep(busy);
}

// Remembered from one process to the next, so that none asks in vain again. Forgetting it costs a request.
void Pipeline::LearnNestedNames(bool works) {
  if (works == nested_names_) return;
  nested_names_ = works;
  const auto put = works ? RemoveProperty(catalog(), kNoNestedNames)
                         : PutProperty(catalog(), kNoNestedNames, FormatTime(clock_.Now()));
  if (!put) log_->Warn("whether TMDB takes names within a season is not remembered", {{"reason", put.error().message}});
}

Result<CareStatus> Pipeline::PurgeExpired(bool accept) {
  TRY_ASSIGN(const ExpiryReport report, tmdbc::PurgeExpired({.clock = clock_,
                                                             .files = files(),
                                                             .catalog = catalog(),
                                                             .ledger = store_->ledger,
                                                             .writer = *store_->writer,
                                                             .queue = *queue_,
                                                             .upstream = upstream_date_},
                                                            accept, stop()));
  if (report.obstacle != CareObstacle::kNone) {
    log_->Warn(Explain(std::string(WordsOf(report.obstacle)),
                       report.obstacle == CareObstacle::kClockOff ? Hint::kClock : Hint::kNone));
  }
  CareStatus status{.at = clock_.Now(), .obstacle = report.obstacle, .files = std::ssize(report.files)};
  for (const auto& [type, found] : report.types) {
    TellOf(type, found);
    status.purged += found.purged;
    status.held += found.held;
    status.unasked += found.unasked;
  }
  for (const std::string& path : report.files)
    log_->Warn("a file that was kept aside holds what may be kept no longer: removed", {{"file", path}});
  // What it has not come to is not told as the whole.
  if (!report.stopped) TRY(WriteCareStatus(catalog(), status));
  return status;
}

void Pipeline::TellOf(MediaType type, const ExpiryReport::OfType& found) {
  if (found.unasked > 0) {
    log_->Warn("records that TMDB has not confirmed for 180 days are kept until it has been asked for them",
               {{"type", Name(type)}, {"records", found.unasked}});
  }
  if (found.held > 0) {
    log_->Error(
        Explain("so many records have not been confirmed by TMDB for 180 days that they are kept until you "
                "say so",
                Hint::kAcceptPurge),
        {{"type", Name(type)}, {"records", found.held}, {"of", found.live}});
  }
  if (found.purged > 0) {
    log_->Warn("records that TMDB has not confirmed for 180 days are no longer kept",
               {{"type", Name(type)}, {"records", found.purged}});
  }
}

bool Pipeline::Publish(bool last) {
  MirrorKeeper& keeper = *place_->keeper();
  if (lost_) return false;
  const MonoTime began = clock_.Mono();
  const auto seal = [this]() -> Result<void> {
    TRY(store_->writer->Commit({}));
    TRY(store_->writer->Seal());
    // It speaks of the segments that are in the bucket by now.
    return progress_->Save();
  };
  const auto published = keeper.Publish(*queue_, seal, last);
  if (published) {
    log_->Info("published", {{"epoch", keeper.head().epoch},
                             {"catalog_bytes", keeper.head().catalog.bytes},
                             {"waiting", keeper.head().waiting},
                             {"seconds", std::chrono::duration<double>(clock_.Mono() - began).count()}});
    if (keeper.left_over())
      log_->Warn("the next publication does what is left of this one", {{"reason", keeper.left_over()->message}});
    return true;
  }
  if (published.error().code == ErrorCode::kExists) {
    Lose(published.error());
  } else {
    log_->Warn(last ? "the mirror could not be published: what was not published before, the next process fetches again"
                    : "the mirror is published in a minute",
               {{"reason", published.error().message}});
  }
  return false;
}

// The work of many minutes is worth some waiting.
bool Pipeline::PublishLast() {
  const MonoTime give_up = clock_.Mono() + kWaitForBucket;
  const bool asked = stop().requested();
  while (!Publish(true)) {
    if (lost_ || asked || stop().requested() || clock_.Mono() + kPublishAgain > give_up) return false;
    WaitUntil(clock_.Mono() + kPublishAgain);
  }
  return true;
}

void Pipeline::Lose(const Error& error) {
  lost_ = true;
  log_->Error("another process has been at the mirror: this one stops. What it has published stays; what it has not is "
              "fetched again",
              {{"bucket", place_->name()}, {"reason", error.message}});
  stop_.Request();
}

bool Pipeline::PublishChanges() {
  MirrorKeeper* const keeper = place_->keeper();
  if (keeper == nullptr) return true;
  if (lost_ || keeper->MustWait()) return false;
  const auto changed = keeper->Changed();
  return changed && !*changed ? true : Publish();
}

void Pipeline::SealWhatIsDue() {
  const auto sealed = store_->writer->SealDue();
  if (!sealed) log_->Warn("sealing is tried again", {{"reason", sealed.error().message}});
}

void Pipeline::SaveProgress() {
  // Of a mirror in a bucket it must not speak of what is not there yet: Publish() saves it.
  if (place_->keeper() != nullptr) return;
  const auto saved = progress_->Save();
  if (!saved) log_->Warn("progress.json is written later", {{"reason", saved.error().message}});
}

bool Pipeline::Close() {
  if (lost_) return false;
  if (place_->keeper() != nullptr) {
    const auto saved = SaveStatus(true);
    if (!saved) log_->Error(saved.error().message);
    return PublishLast() && saved;
  }
  const auto sealed = store_->writer->Seal();
  if (!sealed) log_->Error(sealed.error().message);
  const auto saved = SaveStatus(true);
  if (!saved && sealed) log_->Error(saved.error().message);
  // For want of room nothing is lost, and the next start finishes it: work is left, the store is not
  // unusable.
  const auto good = [](const Result<void>& done) { return done || MayPass(done.error()); };
  return good(sealed) && good(saved);
}

void Pipeline::WaitUntil(MonoTime time) {
  while (clock_.Mono() < time && !stop().requested()) {
    // Demands are waited for at the transport.
    if (surroundings_.sleep && !demands_) {
      Tick();
      surroundings_.sleep(time);
      continue;
    }
    (void)transport_->Wait(std::min(time, clock_.Mono() + kCheckStopEvery));
  }
}

void Pipeline::Reconfigure() {
  limiter_.SetRate(settings_.rate_limit_requests);
  log_->SetLevel(settings_.log_level);
  TellMetrics();
}

}  // namespace tmdbc
