// SPDX-License-Identifier: MIT
#include "http/curl_transport.h"

// Not <netinet/tcp.h>: its tcp_info lacks the counter of acknowledged bytes.
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <deque>

#include "http/curl_library.h"

namespace tmdbc::http {
namespace {

namespace chrono = std::chrono;

// How long the place of a closed connection stays taken; see the header.
constexpr Duration kBrokenLinger = chrono::seconds(1);
constexpr Duration kClosedLinger = chrono::milliseconds(50);
// TMDB sends about 1.5 KB of headers.
constexpr std::size_t kMaxHeaderBytes = 64 << 10;
// A Content-Length is believed so far when room is made for the body; beyond, the body grows as it comes.
constexpr std::uint64_t kMaxReserve = 8 << 20;
constexpr long kReceiveBuffer = 64 << 10;
constexpr int kLongestPollMs = 60'000;
// A shorter rest is slept through and not polled. poll() counts in milliseconds: a request that waits for its
// slot would be that much late. And an answer that comes in between can wait for that slot: at several
// hundred requests a second the loop then wakes once for both.
constexpr Duration kShortestPoll = chrono::milliseconds(2);

// "api.themoviedb.org", "127.0.0.1:8080": for errors.
std::string_view HostOf(std::string_view url) {
  if (const auto scheme = url.find("://"); scheme != std::string_view::npos) url.remove_prefix(scheme + 3);
  url = url.substr(0, url.find_first_of("/?#"));
  if (const auto user = url.rfind('@'); user != std::string_view::npos) url.remove_prefix(user + 1);
  return url;
}

// Whether the peer ever answered our SYN: only then may it count the connection. Known from the one byte that
// the SYN counts as, which the kernel keeps count of even after the connection was reset.
bool WasEstablished(int fd) {
  tcp_info info{};
  socklen_t length = sizeof(info);
  if (::getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &length) != 0) return true;
  return info.tcpi_bytes_acked > 0;
}

// Whether the peer has closed its side too. What it still sent is thrown away.
bool PeerHasClosed(int fd) {
  char waste[4096];
  for (int reads = 0; reads < 16; ++reads) {
    const ssize_t n = ::recv(fd, waste, sizeof(waste), MSG_DONTWAIT);
    if (n == 0) return true;
    if (n < 0) return errno != EAGAIN && errno != EINTR;
  }
  return false;
}

TransportFailure FailureOf(CURLcode code, bool sent) {
  if (!sent) return TransportFailure::kConnect;
  return code == CURLE_OPERATION_TIMEDOUT ? TransportFailure::kTimeout : TransportFailure::kReset;
}

class MultiTransport final : public CurlTransport {
 public:
  MultiTransport(CurlLibrary curl, const Clock& clock, CurlOptions options)
      : curl_(curl), clock_(clock), options_(options) {}
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
  // One request under way, on an easy handle that outlives it.
  struct Transfer {
    MultiTransport* owner = nullptr;
    CURL* easy = nullptr;
    std::vector<Header> listed_headers;  // what header_list was made from
    curl_slist* header_list = nullptr;
    char error[CURL_ERROR_SIZE] = {};

    RequestId id = 0;
    Request request;
    std::function<void()> on_send;
    MonoTime started{};
    Response response;
    std::uint64_t header_bytes = 0, body_bytes = 0;
    bool sent = false;  // on the wire
    bool body_began = false;
    bool to_sink = false;
    bool no_place = false;  // the gate refused it a socket
    // When we ended it: why.
    std::optional<TransportFailure> verdict;
    std::string verdict_text;

    MonoTime Deadline() const { return started + request.timeout; }
    bool End(TransportFailure why, std::string text) {
      verdict = why;
      verdict_text = std::move(text);
      return false;
    }
  };
  using TransferPtr = std::unique_ptr<Transfer>;

  // A closed connection that the peer may still count.
  struct Place {
    int fd;  // our side is shut down, the peer's not yet; -1 when it is closed altogether
    MonoTime until;
  };

  // What libcurl calls.
  static curl_socket_t OnOpenSocket(void* transfer, curlsocktype, curl_sockaddr* address) noexcept;
  static int OnCloseSocket(void* transport, curl_socket_t fd) noexcept;
  static int OnSend(void* transfer, char*, char*, int, int) noexcept;
  static std::size_t OnHeader(char* line, std::size_t, std::size_t size, void* transfer) noexcept;
  static std::size_t OnBody(char* bytes, std::size_t, std::size_t size, void* transfer) noexcept;

  template <class T>
  void Set(CURL* easy, CURLoption option, T value) {
    static_assert(std::is_same_v<T, long> || std::is_pointer_v<T>,
                  "libcurl reads its options as variadic arguments");
    curl_.easy_setopt(easy, option, value);
  }
  TransferPtr MakeTransfer();
  void FreeTransfer(Transfer& transfer);
  void ListHeaders(Transfer& transfer);
  void Add(TransferPtr transfer);
  TransferPtr Remove(CURL* easy);
  void BeginBody(Transfer& transfer);
  bool TakeBody(Transfer& transfer, std::string_view bytes);

  void Turn();
  void AddWaiting();
  void ReapPlaces();
  // The connections closed since there were `before` places broke, or were given up.
  void HoldPlacesSince(std::size_t before);
  // False when nothing happened before `until`: a signal, a Wake(), a timer of libcurl's.
  bool Sleep(MonoTime until);
  void Settle(TransferPtr transfer, CURLcode code);
  std::string FailureText(const Transfer& transfer, CURLcode code) const;
  bool HasPlace() const;
  std::size_t PlacesHeld() const;

  // Constant after Open().
  const CurlLibrary curl_;
  const Clock& clock_;
  const CurlOptions options_;
  CURLM* multi_ = nullptr;
  bool global_ = false;

  std::vector<TransferPtr> active_;  // known to libcurl
  std::deque<TransferPtr> waiting_;  // for a place
  std::vector<TransferPtr> spare_;
  std::vector<Outcome> done_;
  std::vector<Place> places_;
  std::vector<curl_waitfd> watched_;  // scratch of Sleep()
  int open_ = 0;                      // sockets in libcurl's hands
  bool ending_ = false;
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
  ending_ = true;
  for (auto& transfer : active_) {
    curl_.multi_remove_handle(multi_, transfer->easy);
    FreeTransfer(*transfer);
  }
  for (auto& transfer : waiting_) FreeTransfer(*transfer);
  for (auto& transfer : spare_) FreeTransfer(*transfer);
  if (multi_) curl_.multi_cleanup(multi_);
  for (const Place& place : places_) {
    if (place.fd >= 0) ::close(place.fd);
  }
  if (global_) curl_.global_cleanup();
}

MultiTransport::TransferPtr MultiTransport::MakeTransfer() {
  auto transfer = std::make_unique<Transfer>();
  transfer->owner = this;
  transfer->easy = curl_.easy_init();
  if (!transfer->easy) throw std::bad_alloc();
  CURL* const easy = transfer->easy;
  void* const self = transfer.get();
  Set(easy, CURLOPT_PRIVATE, self);
  Set(easy, CURLOPT_ERRORBUFFER, &transfer->error[0]);
  Set(easy, CURLOPT_NOSIGNAL, 1L);
  // A request that is given up while its name is still being resolved does not wait for the resolver's
  // thread.
  Set(easy, CURLOPT_QUICK_EXIT, 1L);
  Set(easy, CURLOPT_HTTP_VERSION, long(CURL_HTTP_VERSION_1_1));
  Set(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  Set(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
  Set(easy, CURLOPT_TCP_NODELAY, 1L);
  Set(easy, CURLOPT_BUFFERSIZE, kReceiveBuffer);
  Set(easy, CURLOPT_CONNECTTIMEOUT_MS, long(options_.connect_timeout.count()));
  if (!options_.ca_file.empty()) Set(easy, CURLOPT_CAINFO, options_.ca_file.c_str());
  Set(easy, CURLOPT_LOW_SPEED_LIMIT, 1L);
  Set(easy, CURLOPT_LOW_SPEED_TIME, long(options_.stall_timeout.count()));
  Set(easy, CURLOPT_OPENSOCKETFUNCTION, &MultiTransport::OnOpenSocket);
  Set(easy, CURLOPT_OPENSOCKETDATA, self);
  // A connection outlives the transfer that opened it, so its end is told to the transport.
  Set(easy, CURLOPT_CLOSESOCKETFUNCTION, &MultiTransport::OnCloseSocket);
  Set(easy, CURLOPT_CLOSESOCKETDATA, static_cast<void*>(this));
  Set(easy, CURLOPT_PREREQFUNCTION, &MultiTransport::OnSend);
  Set(easy, CURLOPT_PREREQDATA, self);
  Set(easy, CURLOPT_HEADERFUNCTION, &MultiTransport::OnHeader);
  Set(easy, CURLOPT_HEADERDATA, self);
  Set(easy, CURLOPT_WRITEFUNCTION, &MultiTransport::OnBody);
  Set(easy, CURLOPT_WRITEDATA, self);
  return transfer;
}

void MultiTransport::FreeTransfer(Transfer& transfer) {
  curl_.easy_cleanup(transfer.easy);
  curl_.slist_free_all(transfer.header_list);
}

RequestId MultiTransport::Start(Request request, std::function<void()> on_send) {
  TransferPtr transfer;
  if (spare_.empty()) {
    transfer = MakeTransfer();
  } else {
    transfer = std::move(spare_.back());
    spare_.pop_back();
  }
  transfer->id = next_id_++;
  transfer->request = std::move(request);
  transfer->on_send = std::move(on_send);
  transfer->started = clock_.Mono();
  transfer->response = Response();
  transfer->header_bytes = transfer->body_bytes = 0;
  transfer->sent = transfer->body_began = transfer->to_sink = transfer->no_place = false;
  transfer->verdict.reset();
  const RequestId id = transfer->id;
  if (waiting_.empty()) {
    Add(std::move(transfer));
  } else {
    waiting_.push_back(std::move(transfer));  // not past those that came before
  }
  return id;
}

void MultiTransport::ListHeaders(Transfer& transfer) {
  const auto& headers = transfer.request.headers;
  if (transfer.header_list && headers == transfer.listed_headers) return;
  curl_.slist_free_all(std::exchange(transfer.header_list, nullptr));
  const auto append = [&](const std::string& line) {
    curl_slist* const longer = curl_.slist_append(transfer.header_list, line.c_str());
    if (!longer) throw std::bad_alloc();
    transfer.header_list = longer;
  };
  bool accepts = false;
  for (const auto& [name, value] : headers) {
    append(fmt::format("{}: {}", name, value));
    accepts |= name == "Accept-Encoding" || name == "accept-encoding";
  }
  if (!accepts) append("Accept-Encoding: gzip");
  transfer.listed_headers = headers;
  Set(transfer.easy, CURLOPT_HTTPHEADER, transfer.header_list);
}

void MultiTransport::Add(TransferPtr transfer) {
  const Request& request = transfer->request;
  if (request.secret_query.empty()) {
    Set(transfer->easy, CURLOPT_URL, request.url.c_str());
  } else {
    const char joint = request.url.find('?') == std::string::npos ? '?' : '&';
    Set(transfer->easy, CURLOPT_URL, (request.url + joint + request.secret_query).c_str());
  }
  ListHeaders(*transfer);
  const auto left = chrono::ceil<chrono::milliseconds>(transfer->Deadline() - clock_.Mono());
  Set(transfer->easy, CURLOPT_TIMEOUT_MS, long(std::max<std::int64_t>(left.count(), 1)));
  transfer->error[0] = '\0';
  transfer->no_place = false;
  curl_.multi_add_handle(multi_, transfer->easy);
  active_.push_back(std::move(transfer));
}

MultiTransport::TransferPtr MultiTransport::Remove(CURL* easy) {
  const auto at =
      std::find_if(active_.begin(), active_.end(), [&](const auto& t) { return t->easy == easy; });
  TransferPtr transfer = std::move(*at);
  *at = std::move(active_.back());
  active_.pop_back();
  curl_.multi_remove_handle(multi_, easy);
  return transfer;
}

std::size_t MultiTransport::PlacesHeld() const {
  const MonoTime now = clock_.Mono();
  return std::size_t(
      std::count_if(places_.begin(), places_.end(), [&](const Place& p) { return p.until > now; }));
}

bool MultiTransport::HasPlace() const {
  return open_ + int(PlacesHeld()) < options_.max_connections;
}

int MultiTransport::Room() const {
  return std::max(0, options_.max_connections - int(active_.size() + waiting_.size() + PlacesHeld()));
}

curl_socket_t MultiTransport::OnOpenSocket(void* data, curlsocktype, curl_sockaddr* address) noexcept {
  auto& transfer = *static_cast<Transfer*>(data);
  MultiTransport& self = *transfer.owner;
  if (transfer.sent) {
    transfer.End(TransportFailure::kReset, "the connection broke before the answer began");
    return CURL_SOCKET_BAD;
  }
  if (!self.HasPlace()) {
    transfer.no_place = true;
    return CURL_SOCKET_BAD;
  }
  const int fd = ::socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
  if (fd < 0) return CURL_SOCKET_BAD;
  ++self.open_;
  return fd;
}

int MultiTransport::OnCloseSocket(void* data, curl_socket_t fd) noexcept {
  MultiTransport& self = *static_cast<MultiTransport*>(data);
  --self.open_;
  if (self.ending_ || !WasEstablished(fd)) return ::close(fd);
  ::shutdown(fd, SHUT_WR);
  self.places_.push_back({fd, self.clock_.Mono() + kBrokenLinger});
  return 0;
}

int MultiTransport::OnSend(void* data, char*, char*, int, int) noexcept {
  auto& transfer = *static_cast<Transfer*>(data);
  if (transfer.sent) {
    transfer.End(TransportFailure::kReset, "the connection broke before the answer began");
    return CURL_PREREQFUNC_ABORT;
  }
  transfer.sent = true;
  if (transfer.on_send) transfer.on_send();
  return CURL_PREREQFUNC_OK;
}

std::size_t MultiTransport::OnHeader(char* line, std::size_t, std::size_t size, void* data) noexcept {
  auto& transfer = *static_cast<Transfer*>(data);
  transfer.header_bytes += size;
  if (transfer.header_bytes > kMaxHeaderBytes) {
    transfer.End(TransportFailure::kReset,
                 fmt::format("the answer has more than {} bytes of headers", kMaxHeaderBytes));
    return 0;
  }
  if (transfer.body_began) return size;  // a trailer
  std::string_view text(line, size);
  auto& headers = transfer.response.headers;
  if (text.starts_with("HTTP/")) {
    headers.clear();  // those before belonged to a 1xx
    return size;
  }
  const auto colon = text.find(':');
  if (colon == std::string_view::npos) return size;  // the empty line at the end
  if (headers.empty()) headers.reserve(24);
  std::string_view value = text.substr(colon + 1);
  const auto first = value.find_first_not_of(" \t\r\n");
  value = first == std::string_view::npos
              ? ""
              : value.substr(first, value.find_last_not_of(" \t\r\n") - first + 1);
  headers.emplace_back(text.substr(0, colon), value);
  return size;
}

void MultiTransport::BeginBody(Transfer& transfer) {
  transfer.body_began = true;
  long status = 0;
  curl_off_t length = -1;
  curl_.easy_getinfo(transfer.easy, CURLINFO_RESPONSE_CODE, &status);
  curl_.easy_getinfo(transfer.easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
  transfer.to_sink = status == 200 && transfer.request.sink;
  if (length <= 0) return;
  if (std::uint64_t(length) > transfer.request.max_body) {
    transfer.End(TransportFailure::kTooLarge,
                 fmt::format("the answer has {} bytes, {} are allowed", length, transfer.request.max_body));
  } else if (!transfer.to_sink) {
    transfer.response.body.reserve(std::min(std::uint64_t(length), kMaxReserve));
  }
}

bool MultiTransport::TakeBody(Transfer& transfer, std::string_view bytes) {
  if (!transfer.body_began) BeginBody(transfer);
  if (transfer.verdict) return false;
  transfer.body_bytes += bytes.size();
  if (transfer.body_bytes > transfer.request.max_body) {
    return transfer.End(
        TransportFailure::kTooLarge,
        fmt::format("the answer has more than the {} bytes allowed", transfer.request.max_body));
  }
  if (!transfer.to_sink) {
    transfer.response.body += bytes;
  } else if (!transfer.request.sink(bytes)) {
    return transfer.End(TransportFailure::kAborted, "given up by the receiver");
  }
  return true;
}

std::size_t MultiTransport::OnBody(char* bytes, std::size_t, std::size_t size, void* data) noexcept {
  auto& transfer = *static_cast<Transfer*>(data);
  return transfer.owner->TakeBody(transfer, std::string_view(bytes, size)) ? size : 0;
}

std::vector<Outcome> MultiTransport::Wait(MonoTime deadline) {
  const bool was_full = Room() == 0;
  for (bool stirred = false;;) {
    Turn();
    if (stirred || !done_.empty() || clock_.Mono() >= deadline || (was_full && Room() > 0)) {
      return std::exchange(done_, {});
    }
    MonoTime until = deadline;
    for (const Place& place : places_) until = std::min(until, place.until);
    for (const auto& transfer : waiting_) until = std::min(until, transfer->Deadline());
    stirred = !Sleep(until);
  }
}

void MultiTransport::Turn() {
  ReapPlaces();
  AddWaiting();
  const std::size_t places_before = places_.size();
  int running = 0;
  curl_.multi_perform(multi_, &running);
  bool broke = false;
  int left = 0;
  while (const CURLMsg* const message = curl_.multi_info_read(multi_, &left)) {
    const CURLcode code = message->data.result;  // the message is gone once its handle is
    TransferPtr transfer = Remove(message->easy_handle);
    if (code == CURLE_COULDNT_CONNECT && transfer->no_place && !transfer->sent) {
      waiting_.push_back(std::move(transfer));
      continue;
    }
    broke |= code != CURLE_OK;
    Settle(std::move(transfer), code);
  }
  // Which of the connections closed in this turn was the broken one is not known; there are rarely two.
  if (broke) HoldPlacesSince(places_before);
}

void MultiTransport::AddWaiting() {
  const MonoTime now = clock_.Mono();
  // While closed connections hold places, only as many are tried as there are free ones. When none does and
  // all are open, libcurl closes an idle one for the first that asks.
  auto tries =
      places_.empty() ? options_.max_connections : options_.max_connections - open_ - int(PlacesHeld());
  for (auto left = waiting_.size(); left > 0; --left) {
    TransferPtr transfer = std::move(waiting_.front());
    waiting_.pop_front();
    if (now >= transfer->Deadline()) {
      transfer->End(TransportFailure::kTimeout, "no connection became free in time");
      Settle(std::move(transfer), CURLE_OPERATION_TIMEDOUT);
    } else if (tries-- > 0) {
      Add(std::move(transfer));
    } else {
      waiting_.push_back(std::move(transfer));
    }
  }
}

void MultiTransport::ReapPlaces() {
  const MonoTime now = clock_.Mono();
  std::erase_if(places_, [&](Place& place) {
    if (place.fd >= 0 && (now >= place.until || PeerHasClosed(place.fd))) {
      ::close(std::exchange(place.fd, -1));
      place.until = std::min(place.until, now + kClosedLinger);
    }
    return now >= place.until;
  });
}

void MultiTransport::HoldPlacesSince(std::size_t before) {
  const MonoTime until = clock_.Mono() + kBrokenLinger;
  for (std::size_t i = before; i < places_.size(); ++i) {
    // Closed for good, so that a peer that is still sending learns of it now.
    if (places_[i].fd >= 0) ::close(std::exchange(places_[i].fd, -1));
    places_[i].until = until;
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
  for (const Place& place : places_) {
    if (place.fd >= 0) watched_.push_back({place.fd, CURL_WAIT_POLLIN, 0});
  }
  const auto ms = std::min<std::int64_t>(chrono::floor<chrono::milliseconds>(left).count(), kLongestPollMs);
  int ready = 0;
  curl_.multi_poll(multi_, watched_.data(), unsigned(watched_.size()), int(ms), &ready);
  return ready > 0 || until - clock_.Mono() < kShortestPoll;
}

void MultiTransport::Cancel(RequestId id) {
  const auto matches = [&](const auto& transfer) { return transfer->id == id; };
  TransferPtr transfer;
  if (const auto at = std::find_if(waiting_.begin(), waiting_.end(), matches); at != waiting_.end()) {
    transfer = std::move(*at);
    waiting_.erase(at);
  } else if (const auto running = std::find_if(active_.begin(), active_.end(), matches);
             running != active_.end()) {
    const std::size_t places_before = places_.size();
    transfer = Remove((*running)->easy);
    HoldPlacesSince(places_before);
  } else {
    return;
  }
  transfer->End(TransportFailure::kAborted, "cancelled");
  Settle(std::move(transfer), CURLE_ABORTED_BY_CALLBACK);
}

void MultiTransport::Settle(TransferPtr transfer, CURLcode code) {
  Outcome outcome;
  outcome.id = transfer->id;
  outcome.bytes_received = transfer->header_bytes + transfer->body_bytes;
  outcome.started = transfer->started;
  outcome.finished = clock_.Mono();
  if (code == CURLE_OK) {
    long status = 0;
    curl_.easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status);
    transfer->response.status = int(status);
    outcome.response = std::move(transfer->response);
  } else {
    outcome.failure = transfer->verdict.value_or(FailureOf(code, transfer->sent));
    outcome.failure_text = FailureText(*transfer, code);
  }
  done_.push_back(std::move(outcome));
  transfer->on_send = nullptr;
  transfer->request.sink = nullptr;
  spare_.push_back(std::move(transfer));
}

std::string MultiTransport::FailureText(const Transfer& transfer, CURLcode code) const {
  if (transfer.verdict) return transfer.verdict_text;
  std::string text = transfer.error[0] ? transfer.error : curl_.easy_strerror(code);
  if (!transfer.sent) {
    long os_error = 0;
    curl_.easy_getinfo(transfer.easy, CURLINFO_OS_ERRNO, &os_error);
    if (code == CURLE_COULDNT_CONNECT && os_error != 0) text = std::strerror(int(os_error));
    text = fmt::format("connect to {}: {}", HostOf(transfer.request.url), text);
  }
  // libcurl's texts hold no url today; a later one's shall not give the key away either.
  if (const std::string& secret = transfer.request.secret_query; !secret.empty()) {
    for (auto at = text.find(secret); at != std::string::npos; at = text.find(secret))
      text.replace(at, secret.size(), "***");
  }
  return text;
}

}  // namespace

Result<std::unique_ptr<CurlTransport>> CurlTransport::Create(const Clock& clock, CurlOptions options) {
  TRY_ASSIGN(const CurlLibrary curl, CurlLibrary::Load());
  auto transport = std::make_unique<MultiTransport>(curl, clock, options);
  TRY(transport->Open());
  return transport;
}

}  // namespace tmdbc::http
