// SPDX-License-Identifier: MIT
#include "http/curl_transport.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <deque>
#include <utility>

#include "http/connection_places.h"
#include "http/curl_library.h"
#include "http/curl_transfer.h"
#include "http/keep_alive.h"

namespace tmdbc::http {
namespace {

namespace chrono = std::chrono;

constexpr Duration kLongestPoll = chrono::minutes(1);
// A rest until the next request that is no longer than this is slept through: an answer that comes in between can wait
// for it, and the loop wakes once for both.
constexpr Duration kLongestRest = chrono::milliseconds(110);

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
  void Wake() override { (void)::eventfd_write(wake_, 1); }

 private:
  using TransferPtr = std::unique_ptr<CurlTransfer>;

  void Add(TransferPtr transfer);
  TransferPtr Remove(CURL* easy);
  // libcurl tells which socket it wants to know what about.
  static int OnSocket(CURL*, curl_socket_t fd, int what, void* self, void*) noexcept;
  // Waits for so long at most for one of `polled_`; the last is wake_. False when a signal or a Wake() came.
  bool Poll(Duration wait);
  // The same for all sockets; notes which are ready.
  bool PollSockets(Duration wait);
  // Nothing that could come before `deadline` is in a hurry.
  bool MayRest(MonoTime deadline) const;
  // When libcurl wants a turn by the clock: a timeout of a request, the next try of an address.
  MonoTime Timer() const;
  // Until then, or until `deadline` where it may rest so long.
  bool Sleep(MonoTime until, MonoTime deadline);
  // Does what can be done now with the sockets that PollSockets() found ready.
  void Turn();
  void AddWaiting();
  void Settle(TransferPtr transfer, CURLcode code);

  // Constant after Open().
  const CurlLibrary curl_;
  const Clock& clock_;
  const CurlOptions options_;
  CURLM* multi_ = nullptr;
  bool global_ = false;
  int wake_ = -1;  // an eventfd

  ConnectionPlaces places_;
  KeepAlive keep_alive_;
  std::vector<TransferPtr> active_;  // known to libcurl
  std::deque<TransferPtr> waiting_;  // for a place
  std::vector<TransferPtr> spare_;
  std::vector<Outcome> done_;
  std::vector<pollfd> sockets_;  // what libcurl waits for
  std::vector<pollfd> polled_;   // scratch of PollSockets()
  std::vector<std::pair<curl_socket_t, int>> ready_;
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
  // Not curl_multi_perform(): it polls the socket of every request each time, one system call
  // after the other.
  curl_.multi_setopt(multi_, CURLMOPT_SOCKETFUNCTION, &MultiTransport::OnSocket);
  curl_.multi_setopt(multi_, CURLMOPT_SOCKETDATA, static_cast<void*>(this));
  wake_ = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (wake_ < 0) return Fail(ErrorCode::kIo, "make an eventfd: {}", std::strerror(errno));
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
  if (wake_ >= 0) ::close(wake_);
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
  Turn();
  // At least one look, even when the deadline has passed: a busy caller is answered too.
  while (done_.empty()) {
    MonoTime until = std::min(deadline, Timer());
    for (const auto& place : places_.held()) until = std::min(until, place.until);
    for (const auto& transfer : waiting_) until = std::min(until, transfer->deadline());
    const bool quiet = Sleep(until, deadline);
    Turn();
    if (!quiet || clock_.Mono() >= deadline || (was_full && Room() > 0)) break;
  }
  return std::exchange(done_, {});
}

int MultiTransport::OnSocket(CURL*, curl_socket_t fd, int what, void* data, void*) noexcept {
  auto& sockets = static_cast<MultiTransport*>(data)->sockets_;
  const auto known = std::ranges::find(sockets, fd, &pollfd::fd);
  if (what == CURL_POLL_REMOVE) {
    if (known != sockets.end()) sockets.erase(known);
    return 0;
  }
  const auto events =
      short(((what & CURL_POLL_IN) != 0 ? POLLIN : 0) | ((what & CURL_POLL_OUT) != 0 ? POLLOUT : 0));
  if (known != sockets.end()) {
    known->events = events;
  } else {
    sockets.push_back({fd, events, 0});
  }
  return 0;
}

bool MultiTransport::Poll(Duration wait) {
  const auto ns = chrono::nanoseconds(std::min(wait, kLongestPoll)).count();
  const timespec timeout{ns / 1'000'000'000, ns % 1'000'000'000};
  if (::ppoll(polled_.data(), polled_.size(), &timeout, nullptr) < 0) return false;
  if (polled_.back().revents == 0) return true;
  eventfd_t count = 0;
  (void)::eventfd_read(wake_, &count);
  return false;
}

bool MultiTransport::PollSockets(Duration wait) {
  polled_ = sockets_;
  for (const auto& place : places_.held()) {
    if (place.fd >= 0) polled_.push_back({place.fd, POLLIN, 0});
  }
  polled_.push_back({wake_, POLLIN, 0});
  const bool quiet = Poll(wait);
  for (std::size_t i = 0; i < sockets_.size(); ++i) {
    const auto [fd, events, found] = polled_[i];
    const int bits = ((found & (POLLIN | POLLHUP)) != 0 ? CURL_CSELECT_IN : 0) |
                     ((found & POLLOUT) != 0 ? CURL_CSELECT_OUT : 0) |
                     ((found & (POLLERR | POLLNVAL)) != 0 ? CURL_CSELECT_ERR : 0);
    if (bits != 0) ready_.emplace_back(fd, bits);
  }
  return quiet;
}

bool MultiTransport::MayRest(MonoTime deadline) const {
  return next_slot && next_slot() == deadline && waiting_.empty() &&
         std::ranges::all_of(active_, [](const auto& transfer) { return transfer->awaits_answer(); });
}

MonoTime MultiTransport::Timer() const {
  long ms = -1;
  curl_.multi_timeout(multi_, &ms);
  return ms < 0 ? MonoTime::max() : clock_.Mono() + chrono::milliseconds(ms);
}

bool MultiTransport::Sleep(MonoTime until, MonoTime deadline) {
  const MonoTime now = clock_.Mono();
  if (until <= now || deadline - now > kLongestRest || !MayRest(deadline))
    return PollSockets(std::max(until - now, Duration(0)));
  polled_ = {{wake_, POLLIN, 0}};
  return Poll(deadline - now) && PollSockets(Duration(0));
}

void MultiTransport::Turn() {
  places_.Reap();
  AddWaiting();
  const std::size_t closed_before = places_.mark();
  int running = 0;
  for (const auto& [fd, bits] : ready_) curl_.multi_socket_action(multi_, fd, bits, &running);
  ready_.clear();
  long ms = -1;
  curl_.multi_timeout(multi_, &ms);
  if (ms == 0) curl_.multi_socket_action(multi_, CURL_SOCKET_TIMEOUT, 0, &running);
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
  TRY(options.proxies.Check());
  // OpenSSL would wait at a pipe for somebody who writes, and read it for the first connection alone.
  if (struct stat info{}; ::stat(options.ca_file.c_str(), &info) == 0 && S_ISFIFO(info.st_mode))
    return Fail(ErrorCode::kInvalid, "read the certificates of authorities {}: it is a pipe, not a file", options.ca_file);
  TRY_ASSIGN(const CurlLibrary curl, CurlLibrary::Load());
  auto transport = std::make_unique<MultiTransport>(curl, clock, std::move(options));
  TRY(transport->Open());
  return transport;
}

}  // namespace tmdbc::http
