// SPDX-License-Identifier: MIT
#include "app/read_server.h"

#include <fmt/format.h>
#include <pthread.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <csignal>
#include <mutex>
#include <utility>

#include "app/catalog_mark.h"
#include "app/dashboard_view.h"
#include "app/export_times.h"
#include "app/opened_store.h"
#include "app/title_keeper.h"
#include "dashboard/dashboard_handler.h"
#include "dashboard/watcher.h"
#include "http/listen_address.h"
#include "http/proxy.h"
#include "http/server.h"
#include "http/tls_context.h"
#include "read_api/read_api.h"
#include "read_api/stored_records.h"
#include "serve/api_handler.h"
#include "serve/front.h"
#include "serve/image_handler.h"
#include "serve/serve_metrics.h"
#include "serve/upstream.h"
#include "storage/ledger.h"
#include "storage/popularity_table.h"

namespace tmdbc {
namespace {

// Each is named in docs/serving.md.
constexpr int kConnections = 1024;
constexpr int kConnectionsPerAddress = 512;  // a proxy before it is one address
constexpr std::chrono::seconds kIdleLimit{75};
constexpr std::chrono::seconds kRequestLimit{10};
constexpr std::chrono::seconds kWriteLimit{60};
constexpr std::size_t kLargestBody = 64 << 10;  // none is wanted
constexpr std::chrono::seconds kDrainPatience{10};
// How often the store and the certificate's files are looked at, and the open connections counted.
constexpr std::chrono::seconds kHousekeepingEvery{1};

serve::RequestLog LinesOf(ServeLog log) {
  return log == ServeLog::kOff   ? serve::RequestLog::kOff
         : log == ServeLog::kAll ? serve::RequestLog::kAll
                                 : serve::RequestLog::kErrors;
}

// Signals are for the thread that waits for them: those that begin meanwhile take none, but what they cause themselves
// by reading a mapped file that was cut off (base/mapped_file.h). Blocked, that would end the process.
class NoSignals {
 public:
  NoSignals() {
    sigset_t all;
    sigfillset(&all);
    sigdelset(&all, SIGBUS);
    pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~NoSignals() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  NoSignals(const NoSignals&) = delete;
  NoSignals& operator=(const NoSignals&) = delete;

 private:
  sigset_t before_;
};

Result<std::shared_ptr<http::TlsContext>> TlsOf(const Settings& settings) {
  if (settings.serve_tls_cert.empty() != settings.serve_tls_key.empty()) {
    return Fail(ErrorCode::kInvalid, "{} is set and {} is not: TLS needs both",
                settings.serve_tls_cert.empty() ? "SERVE_TLS_KEY" : "SERVE_TLS_CERT",
                settings.serve_tls_cert.empty() ? "SERVE_TLS_CERT" : "SERVE_TLS_KEY");
  }
  if (settings.serve_tls_cert.empty()) return nullptr;
  auto tls = http::TlsContext::Load(settings.serve_tls_cert, settings.serve_tls_key);
  if (!tls) return Within("SERVE_TLS_CERT and SERVE_TLS_KEY", tls.error());
  return tls;
}

}  // namespace

// In the order in which they are made.
struct ReadServer::Parts {
  Parts(const Settings& s, Log& l, std::unique_ptr<OpenedStore> opened, DemandDesk* d)
      : settings(s),
        log(l),
        store(std::move(opened)),
        mark(store->catalog, keeper.titles(), store->clock,
             s.s3_bucket_name.empty() ? s.data_dir + "/catalog.db" : "", [this] { keeper.changes().Committed(); }),
        handler(api, records, mark, store->clock, std::size_t(s.serve_cache_bytes),
                serve::ApiKeys(s.serve_api_keys)),
        demands(d) {}
  ~Parts() {
    if (demands != nullptr) demands->OnReply({});
  }

  Result<void> Listen();
  // At the start.
  void TellWhatIsLacking();
  // What is not the API's: the pictures, the page and its data.
  http::Answer Other(const http::ServerRequest& request);
  // What is lacking is fetched: the loop asks, another thread replies.
  void FetchFromUpstream();
  // On the loop, now and then.
  void KeepHouse();

  const Settings& settings;
  Log& log;
  const std::unique_ptr<OpenedStore> store;
  PopularityTable exported{store->catalog};
  ExportTimes export_times{store->catalog};
  // A show's seasons, and what is asked for again in another language, lie in a frame that was just inflated.
  RecordReader reader{store->files, store->catalog, std::size_t(settings.serve_cache_bytes) / 4};
  TitleKeeper keeper{settings, [this](LogLevel level, const std::string& what) { log.Write(level, what); }};
  read_api::StoredRecords records{reader, &exported, [this](MediaType type) { return export_times.Of(type); },
                                  &keeper.changes()};
  read_api::ReadApi api{records, store->clock, &keeper.titles(), settings.serve_image_base_url,
                        std::size_t(settings.serve_cache_bytes) / 8};
  CatalogMark mark;
  serve::ApiHandler handler;
  const dashboard::OpenView look = [this] { return OpenDashboardView(settings); };
  dashboard::Watcher watcher{look, store->clock};
  dashboard::DashboardHandler dashboard{
      look,
      watcher,
      {.host_names = settings.serve_hosts,
       .facts = DashboardFacts(settings),
       .suggest = SuggestFrom(keeper.titles())}};
  PosixFileSystem data{settings.data_dir};
  serve::ImageHandler pictures{data};
  serve::ServeMetrics metrics;
  serve::Front front{handler,
                     [this](const http::ServerRequest& request) { return Other(request); },
                     store->clock,
                     log,
                     LinesOf(settings.serve_log),
                     metrics};
  DemandDesk* const demands;  // null: nothing is fetched
  serve::Upstream upstream{store->clock, metrics, [this](const Demand& demand) { demands->Put(demand); }};
  std::shared_ptr<http::TlsContext> tls;  // null: none
  std::string address;
  std::unique_ptr<http::Server> server;

  std::atomic<bool> replaced = false;

  // Between the loop's thread and the one that wakes it for KeepHouse().
  std::mutex mutex;
  std::condition_variable changed;
  bool ended = false;
  std::thread waker;
};

Result<void> ReadServer::Parts::Listen() {
  TRY_ASSIGN(const ListenAddress at, ParseListenAddress(settings.serve_listen));
  TRY_ASSIGN(tls, TlsOf(settings));
  http::ServerOptions options;
  options.address = address = at.address;
  options.port = at.port;
  options.connections = kConnections;
  options.connections_per_address = kConnectionsPerAddress;
  options.replace_oldest = true;
  options.idle_limit = kIdleLimit;
  options.request_limit = kRequestLimit;
  options.write_limit = kWriteLimit;
  options.max_request_body = kLargestBody;
  options.stamp_arrivals = false;
  options.tls = tls;
  options.refused = [this](int status, std::string_view why, const std::string& peer) {
    front.Refused(status, why, peer);
  };
  auto listening =
      http::Server::Listen(std::move(options), store->clock,
                           [this](const http::ServerRequest& request) { return front(request); });
  // Unlike a wrong address, a port in use may be free when the service manager tries again.
  if (!listening && listening.error().code == ErrorCode::kExists)
    return Fail(ErrorCode::kUnavailable,
                "SERVE_LISTEN: {}: set SERVE_LISTEN to another one, or end the program that has it",
                listening.error().message);
  if (!listening) return Within("SERVE_LISTEN", listening.error());
  server = *std::move(listening);
  if (!http::IsLoopback(address) && settings.serve_api_keys.empty()) {
    log.Warn(fmt::format(
        "serving at {}, where other machines can ask, without SERVE_API_KEYS: everybody who reaches it may "
        "read the whole mirror",
        address));
  }
  return {};
}

// Most applications ask for /3/configuration first, and end where that is 404.
void ReadServer::Parts::TellWhatIsLacking() {
  if (demands != nullptr || std::ranges::count(settings.media_types, MediaType::kConfiguration) > 0) return;
  if (RecordLedger(store->catalog).CountLive(MediaType::kConfiguration).value_or(1) > 0) return;
  log.Warn(
      "/3/configuration is not in this mirror, and most applications ask for it first: add configuration to MEDIA_TYPES"
      " of the process that collects");
}

http::Answer ReadServer::Parts::Other(const http::ServerRequest& request) {
  if (request.target.starts_with(serve::ImageHandler::kPath)) return pictures.Handle(request);
  // A person's browser sends no key with a page. Where there are keys the page would be the way around them.
  if (settings.serve_api_keys.empty() || http::IsLoopback(request.peer_address)) return dashboard(request);
  return {.status = 403,
          .headers = {{"Content-Type", "text/plain; charset=utf-8"}, {"Cache-Control", "no-store"}},
          .body = std::make_shared<const std::string>(
              "this server asks for keys: the dashboard is for its own machine alone\n")};
}

void ReadServer::Parts::FetchFromUpstream() {
  handler.FetchFrom(upstream, [this](std::uint64_t ticket, http::Answer answer, const serve::ApiNote& note) {
    front.Later(ticket, answer, note);
    server->Complete(ticket, std::move(answer));
  });
  demands->OnReply([this](const Demand& demand, DemandReply reply) {
    server->Post([this, demand, reply = std::move(reply)] { upstream.Arrived(demand, reply); });
  });
}

void ReadServer::Parts::KeepHouse() {
  handler.EndWaiting();
  metrics.SetConnections(server->stats().open);
  if (const auto now = mark.Now(0); now && export_times.Read(*now)) keeper.changes().Forget();
  replaced = mark.replaced();
  if (!tls) return;
  const auto reloaded = tls->ReloadIfChanged();
  if (!reloaded) log.Error(fmt::format("the certificate stays as it was: {}", reloaded.error().message));
  if (reloaded && *reloaded) log.Info("read the certificate again", {{"path", settings.serve_tls_cert}});
}

Result<std::unique_ptr<ReadServer>> ReadServer::Open(const Settings& settings, Log& log, DemandDesk* demands) {
  for (const std::string& key : settings.serve_api_keys) log.Mask(key);
  TRY_ASSIGN(auto store, OpenedStore::ForReading(settings));
  // It begins threads of its own.
  const NoSignals none;
  auto parts = std::make_unique<Parts>(settings, log, std::move(store), demands);
  if (const auto now = parts->mark.Now(0)) (void)parts->export_times.Read(*now);
  TRY(parts->Listen());
  parts->TellWhatIsLacking();
  if (demands != nullptr) parts->FetchFromUpstream();
  return std::unique_ptr<ReadServer>(new ReadServer(std::move(parts)));
}

ReadServer::ReadServer(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

ReadServer::~ReadServer() {
  if (!thread_.joinable()) return;
  parts_->server->Stop();
  Finish();
}

std::string ReadServer::url() const {
  const bool v6 = parts_->address.contains(':');
  return fmt::format("{}://{}{}{}:{}", parts_->tls ? "https" : "http", v6 ? "[" : "", parts_->address,
                     v6 ? "]" : "", parts_->server->port());
}

const std::string& ReadServer::store_name() const {
  return parts_->store->name;
}

bool ReadServer::store_replaced() const {
  return parts_->replaced;
}

std::string ReadServer::MetricsText() const {
  return parts_->metrics.Text();
}

void ReadServer::Start() {
  const NoSignals none;
  parts_->watcher.Start();
  thread_ = std::thread([this] { parts_->server->Run(); });
  parts_->waker = std::thread([parts = parts_.get()] {
    std::unique_lock lock(parts->mutex);
    while (!parts->changed.wait_for(lock, kHousekeepingEvery, [parts] { return parts->ended; }))
      parts->server->Post([parts] { parts->KeepHouse(); });
  });
}

void ReadServer::Reload() {
  parts_->server->Post([parts = parts_.get()] { parts->KeepHouse(); });
}

void ReadServer::Finish() {
  if (!thread_.joinable()) return;
  // Nobody fetches any more.
  parts_->server->Post([parts = parts_.get()] { parts->handler.EndWaiting(true); });
  parts_->server->Drain(kDrainPatience);
  thread_.join();
  {
    const std::lock_guard lock(parts_->mutex);
    parts_->ended = true;
  }
  parts_->changed.notify_all();
  parts_->waker.join();
}

}  // namespace tmdbc
