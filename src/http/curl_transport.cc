// SPDX-License-Identifier: MIT
#include "http/curl_transport.h"

#include <algorithm>
#include <cstdlib>
#include <ctime>
#include <deque>

#include "http/connection_places.h"
#include "http/curl_library.h"
#include "http/curl_transfer.h"
#include "http/keep_alive.h"

namespace tmdbc::http {
namespace {

namespace chrono = std::chrono;

constexpr int kLongestPollMs = 60'000;
// A shorter rest is slept through and not polled. poll() counts in milliseconds: a request that waits for its
// slot would be that much late. And an answer that comes in between can wait for that slot: at several
// hundred requests a second the loop then wakes once for both.
constexpr Duration kShortestPoll = chrono::milliseconds(2);

class MultiTransport final : public CurlTransport {
 public:
  MultiTransport(CurlLibrary curl, const Clock& clock, CurlOptions options)
      : curl_(curl), clock_(clock), options_(std::move(options)), places_(clock, options_.max_connections) {}
  ~MultiTransport() override;
  MultiTransport(const MultiTransport&) = delete;
  MultiTransport& operator=(const MultiTransport&) = delete;

  Result<void> Open();
  RequestId Start(Request request, std::function<void()> on_send) override;
  std::vector<Outcome> Wait(MonoTime deadline) override;
  int Room() const override;
  int InFlight() const override { return int(active_.size() + waiting_.size() + done_.size()); }
  void Cancel(RequestId id) override;
  void Wake() override { curl_.multi_wakeup(multi_); }

 private:
  using TransferPtr = std::unique_ptr<CurlTransfer>;

  void Add(TransferPtr transfer);
  TransferPtr Remove(CURL* easy);
  void Turn();
  void AddWaiting();
  // False when nothing happened before `until`: a signal, a Wake(), a timer of libcurl's.
  bool Sleep(MonoTime until);
  void Settle(TransferPtr transfer, CURLcode code);

  // Constant after Open().
  const CurlLibrary curl_;
  const Clock& clock_;
  const CurlOptions options_;
  CURLM* multi_ = nullptr;
  bool global_ = false;

  ConnectionPlaces places_;
  KeepAlive keep_alive_;
  std::vector<TransferPtr> active_;  // known to libcurl
  std::deque<TransferPtr> waiting_;  // for a place
  std::vector<TransferPtr> spare_;
  std::vector<Outcome> done_;
  std::vector<curl_waitfd> watched_;  // scratch of Sleep()
  RequestId next_id_ = 1;
};

Result<void> MultiTransport::Open() {
  if (curl_.global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
    return Fail(ErrorCode::kInternal, "initialise libcurl");
  global_ = true;
  multi_ = curl_.multi_init();
  if (!multi_) return Fail(ErrorCode::kInternal, "initialise libcurl's multi interface");
  // At the limit libcurl closes an idle connection to another host to make room.
  curl_.multi_setopt(multi_, CURLMOPT_MAX_TOTAL_CONNECTIONS, long(options_.max_connections));
  curl_.multi_setopt(multi_, CURLMOPT_MAXCONNECTS, long(options_.max_connections));
  return {};
}

MultiTransport::~MultiTransport() {
  places_.End();
  for (auto& transfer : active_) curl_.multi_remove_handle(multi_, transfer->easy());
  active_.clear();
  waiting_.clear();
  spare_.clear();
  if (multi_) curl_.multi_cleanup(multi_);
  if (global_) curl_.global_cleanup();
}

RequestId MultiTransport::Start(Request request, std::function<void()> on_send) {
  TransferPtr transfer;
  if (spare_.empty()) {
    transfer = std::make_unique<CurlTransfer>(curl_, options_, places_);
  } else {
    transfer = std::move(spare_.back());
    spare_.pop_back();
  }
  const RequestId id = next_id_++;
  transfer->Begin(id, std::move(request), std::move(on_send), clock_.Mono());
  if (waiting_.empty()) {
    Add(std::move(transfer));
  } else {
    waiting_.push_back(std::move(transfer));  // not past those that came before
  }
  return id;
}

void MultiTransport::Add(TransferPtr transfer) {
  const MonoTime now = clock_.Mono();
  transfer->Prepare(now, keep_alive_.Limit(now));
  curl_.multi_add_handle(multi_, transfer->easy());
  active_.push_back(std::move(transfer));
}

MultiTransport::TransferPtr MultiTransport::Remove(CURL* easy) {
  const auto at =
      std::find_if(active_.begin(), active_.end(), [&](const auto& t) { return t->easy() == easy; });
  TransferPtr transfer = std::move(*at);
  *at = std::move(active_.back());
  active_.pop_back();
  curl_.multi_remove_handle(multi_, easy);
  return transfer;
}

int MultiTransport::Room() const {
  return std::max(0, options_.max_connections - int(active_.size() + waiting_.size()) - places_.Held());
}

std::vector<Outcome> MultiTransport::Wait(MonoTime deadline) {
  const bool was_full = Room() == 0;
  for (bool stirred = false;;) {
    Turn();
    if (stirred || !done_.empty() || clock_.Mono() >= deadline || (was_full && Room() > 0)) {
      return std::exchange(done_, {});
    }
    MonoTime until = deadline;
    for (const auto& place : places_.held()) until = std::min(until, place.until);
    for (const auto& transfer : waiting_) until = std::min(until, transfer->deadline());
    stirred = !Sleep(until);
  }
}

void MultiTransport::Turn() {
  places_.Reap();
  AddWaiting();
  const std::size_t closed_before = places_.mark();
  int running = 0;
  curl_.multi_perform(multi_, &running);
  bool broke = false;
  int left = 0;
  while (const CURLMsg* const message = curl_.multi_info_read(multi_, &left)) {
    const CURLcode code = message->data.result;  // the message is gone once its handle is
    TransferPtr transfer = Remove(message->easy_handle);
    if (transfer->lacks_place(code)) {
      waiting_.push_back(std::move(transfer));
      continue;
    }
    broke |= code != CURLE_OK;
    Settle(std::move(transfer), code);
  }
  // Which of the connections closed in this turn was the broken one is not known; there are rarely two.
  if (broke) places_.BrokeSince(closed_before);
}

void MultiTransport::AddWaiting() {
  const MonoTime now = clock_.Mono();
  // While closed connections hold places, only as many are tried as there are free ones. When none does and
  // all are open, libcurl closes an idle one for the first that asks.
  int tries = options_.max_connections;
  if (places_.Held() > 0) tries -= places_.open() + places_.Held();
  for (auto left = waiting_.size(); left > 0; --left) {
    TransferPtr transfer = std::move(waiting_.front());
    waiting_.pop_front();
    if (now >= transfer->deadline()) {
      transfer->End(TransportFailure::kTimeout, "no connection became free in time");
      Settle(std::move(transfer), CURLE_OPERATION_TIMEDOUT);
    } else if (tries-- > 0) {
      Add(std::move(transfer));
    } else {
      waiting_.push_back(std::move(transfer));
    }
  }
}

bool MultiTransport::Sleep(MonoTime until) {
  const Duration left = until - clock_.Mono();
  if (left <= Duration(0)) return true;
  if (left < kShortestPoll) {
    const timespec rest{0, long(chrono::nanoseconds(left).count())};
    return ::nanosleep(&rest, nullptr) == 0;
  }
  watched_.clear();
  for (const auto& place : places_.held()) {
    if (place.fd >= 0) watched_.push_back({place.fd, CURL_WAIT_POLLIN, 0});
  }
  const auto ms = std::min<std::int64_t>(chrono::floor<chrono::milliseconds>(left).count(), kLongestPollMs);
  int ready = 0;
  curl_.multi_poll(multi_, watched_.data(), unsigned(watched_.size()), int(ms), &ready);
  return ready > 0 || until - clock_.Mono() < kShortestPoll;
}

void MultiTransport::Cancel(RequestId id) {
  const auto matches = [&](const auto& transfer) { return transfer->id() == id; };
  TransferPtr transfer;
  if (const auto at = std::find_if(waiting_.begin(), waiting_.end(), matches); at != waiting_.end()) {
    transfer = std::move(*at);
    waiting_.erase(at);
  } else if (const auto running = std::find_if(active_.begin(), active_.end(), matches);
             running != active_.end()) {
    const std::size_t closed_before = places_.mark();
    transfer = Remove((*running)->easy());
    places_.BrokeSince(closed_before);
  } else {
    return;
  }
  transfer->End(TransportFailure::kAborted, "cancelled");
  Settle(std::move(transfer), CURLE_ABORTED_BY_CALLBACK);
}

void MultiTransport::Settle(TransferPtr transfer, CURLcode code) {
  const MonoTime now = clock_.Mono();
  done_.push_back(transfer->Finish(code, now));
  if (done_.back().stale_connection) keep_alive_.Stale(now);
  spare_.push_back(std::move(transfer));
}

}  // namespace

CurlOptions CurlOptions::FromEnvironment() {
  const auto get = [](const char* name) -> const char* { return std::getenv(name); };
  const auto text = [&](const char* name) { return std::string(get(name) ? get(name) : ""); };
  CurlOptions options;
  options.ca_file = text("SSL_CERT_FILE");
  options.ca_folder = text("SSL_CERT_DIR");
  options.proxies = ProxySettings::FromEnvironment(get);
  return options;
}

Result<std::unique_ptr<CurlTransport>> CurlTransport::Create(const Clock& clock, CurlOptions options) {
  TRY_ASSIGN(const CurlLibrary curl, CurlLibrary::Load());
  auto transport = std::make_unique<MultiTransport>(curl, clock, std::move(options));
  TRY(transport->Open());
  return transport;
}

}  // namespace tmdbc::http
