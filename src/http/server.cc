// SPDX-License-Identifier: MIT
#include "http/server.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <map>
#include <mutex>
#include <queue>
#include <unordered_map>
#include <utility>

#include "http/request_head.h"
#include "http/tls_context.h"

namespace tmdbc::http {
namespace {

constexpr std::size_t kReadSize = 16 << 10;
constexpr int kAcceptsAtOnce = 64;
// Of one connection before the others get their turn: what it sent in one go is answered one after the other.
constexpr int kRequestsAtOnce = 16;
constexpr Duration kAcceptAgain = std::chrono::milliseconds(10);
constexpr Duration kDrainLimit = std::chrono::seconds(1);
constexpr MonoTime kNever = MonoTime::max();
// What epoll tells us of: these, or the id of a session.
constexpr std::uint64_t kListenerId = 0, kWakeId = 1;
// TLS gathers small parts: a record each would be a waste.
constexpr std::size_t kTlsRecord = 16 << 10;

std::string_view ReasonOf(int status) {
  switch (status) {
    case 200: return "OK";
    case 201: return "Created";
    case 202: return "Accepted";
    case 204: return "No Content";
    case 206: return "Partial Content";
    case 301: return "Moved Permanently";
    case 302: return "Found";
    case 304: return "Not Modified";
    case 307: return "Temporary Redirect";
    case 308: return "Permanent Redirect";
    case 400: return "Bad Request";
    case 401: return "Unauthorized";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 408: return "Request Timeout";
    case 409: return "Conflict";
    case 411: return "Length Required";
    case 412: return "Precondition Failed";
    case 413: return "Content Too Large";
    case 414: return "URI Too Long";
    case 416: return "Range Not Satisfiable";
    case 417: return "Expectation Failed";
    case 421: return "Misdirected Request";
    case 422: return "Unprocessable Content";
    case 429: return "Too Many Requests";
    case 431: return "Request Header Fields Too Large";
    case 500: return "Internal Server Error";
    case 501: return "Not Implemented";
    case 502: return "Bad Gateway";
    case 503: return "Service Unavailable";
    case 504: return "Gateway Timeout";
    case 505: return "HTTP Version Not Supported";
    default: return "Unknown";
  }
}

// "Sun, 22 Nov 2026 10:26:51 GMT", formatted once a second.
class HttpDate {
 public:
  const std::string& Of(Time now) {
    const auto second = std::chrono::floor<std::chrono::seconds>(now);
    if (second != second_) {
      second_ = second;
      const std::time_t time = second.time_since_epoch().count();
      std::tm parts{};
      gmtime_r(&time, &parts);
      std::array<char, 40> text{};
      text_.assign(text.data(), std::strftime(text.data(), text.size(), "%a, %d %b %Y %H:%M:%S GMT", &parts));
    }
    return text_;
  }

 private:
  std::chrono::sys_seconds second_{};
  std::string text_;
};

struct Peer {
  int open = 0;
  int peak = 0;
};

// Closes what it holds.
class Descriptor {
 public:
  explicit Descriptor(int fd = -1) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    Close();
    fd_ = std::exchange(other.fd_, -1);
    return *this;
  }
  ~Descriptor() { Close(); }
  void Close() {
    if (fd_ >= 0) ::close(std::exchange(fd_, -1));
  }
  int get() const { return fd_; }

 private:
  int fd_;
};

bool EqualWithoutCase(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? char(c - 'A' + 'a') : c; };
  return a.size() == b.size() &&
         std::equal(a.begin(), a.end(), b.begin(), [&](char x, char y) { return lower(x) == lower(y); });
}

std::string AddressOf(const sockaddr_storage& address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (address.ss_family == AF_INET6) {
    ::inet_ntop(AF_INET6, &reinterpret_cast<const sockaddr_in6&>(address).sin6_addr, text.data(), text.size());
  } else {
    ::inet_ntop(AF_INET, &reinterpret_cast<const sockaddr_in&>(address).sin_addr, text.data(), text.size());
  }
  return text.data();
}

}  // namespace

std::string_view ServerRequest::header(std::string_view name) const {
  for (const auto& [key, value] : headers) {
    if (EqualWithoutCase(key, name)) return value;
  }
  return {};
}

struct Server::Impl {
  class Session;

  Impl(ServerOptions o, const Clock& c, Handler h) : options(std::move(o)), clock(c), handler(std::move(h)) {}
  ~Impl();

  Result<void> Listen();
  void Loop();
  void AcceptAll();
  void Admit(int socket, const sockaddr_storage& address);
  void MakeRoom(const std::string& address);
  // One connection fewer that counts: of `address`, or of all when it is empty.
  void CloseOldest(const std::string& address);
  void Left(Session& session);
  void WatchListener(bool on);
  int Timeout() const;
  void FireTimers();
  void TakePosted();
  void BeginDrain(Duration patience);
  void Wake() const;

  const ServerOptions options;
  const Clock& clock;
  const Handler handler;
  std::uint16_t port = 0;

  Descriptor epoll, listener, wake;

  // Guarded by mutex: what other threads want.
  std::mutex mutex;
  std::vector<std::function<void()>> posted;

  // Loop thread only.
  bool stopping = false;
  MonoTime drain_until = kNever;  // draining, when it is not kNever
  std::uint64_t turns = 0;        // connections and requests so far
  std::uint64_t round = 0;        // how often epoll has told of something
  std::uint64_t last_id = kWakeId;
  std::string record;             // of TLS, while it is gathered
  ServerStats stats;
  std::map<std::string, Peer> peers;
  std::unordered_map<std::uint64_t, std::unique_ptr<Session>> sessions;
  std::vector<std::uint64_t> again;                 // sessions that gave way to others with requests unread
  std::vector<std::unique_ptr<Session>> graveyard;  // closed; events of this round may still name them
  // By time: the session to look at. Its own deadline may have moved on since.
  struct Timer {
    MonoTime at;
    std::uint64_t session;  // or kListenerId
    bool operator>(const Timer& other) const { return at > other.at; }
  };
  std::priority_queue<Timer, std::vector<Timer>, std::greater<>> timers;
  HttpDate date;
};

// One connection: reads a request, lets the handler answer, sends, and again. Advance() goes on as far as it can; the
// socket is watched for edges, so whatever would block is remembered in readable_ and writable_ until the next one.
class Server::Impl::Session {
 public:
  Session(Impl& impl, std::uint64_t id, int socket, std::string address)
      : impl_(impl), id_(id), socket_(socket), parser_(impl.options.head) {
    request_.peer_address = std::move(address);
    ended_ = begun_ = impl.clock.Mono();
    if (!impl.options.tls) return;
    ssl_ = impl.options.tls->Open(socket);
    state_ = State::kHandshake;
    SetDeadline(begun_ + impl.options.request_limit);
  }
  ~Session() { SSL_free(ssl_); }
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  std::uint64_t id() const { return id_; }
  int socket() const { return socket_.get(); }
  const std::string& address() const { return request_.peer_address; }
  // Among the open connections of its address.
  bool counted = true;
  // Impl::turns when it was opened or its last whole request had come.
  std::uint64_t turn = 0;
  void SetOverLimit() { request_.over_connection_limit = true; }
  bool over_limit() const { return request_.over_connection_limit; }

  // Whether the client closed its side, as the kernel knows it: unread requests may stand before the end of
  // the stream, and the loop may not have come to it yet.
  bool PeerHasLeft() const {
    tcp_info info{};
    socklen_t size = sizeof info;
    return ::getsockopt(socket_.get(), IPPROTO_TCP, TCP_INFO, &info, &size) == 0 && info.tcpi_state != TCP_ESTABLISHED;
  }

  void OnEvents(std::uint32_t events) {
    constexpr std::uint32_t kEnding = EPOLLRDHUP | EPOLLHUP | EPOLLERR;
    // TLS may have to read in order to write.
    if ((events & (EPOLLIN | kEnding)) != 0 || ssl_ != nullptr) readable_ = true;
    if ((events & kEnding) != 0) ending_seen_ = true;
    told_in_round_ = impl_.round;
    if (state_ == State::kWaiting && ending_seen_) return LookWhileWaiting();
    Advance();
  }

  void Advance() {
    for (int requests = 0;;) {
      switch (state_) {
        case State::kHandshake:
          if (!Handshake()) return;
          break;
        case State::kReading:
          // Others have their turn between the requests that it sent in one go.
          if (++requests > kRequestsAtOnce) return impl_.again.push_back(id_);
          if (!ReadRequest()) return;
          break;
        case State::kWriting:
          if (!WriteOut()) return;
          break;
        case State::kDraining:
          return ReadAway();
        case State::kWaiting:
        case State::kClosed:
          return;
      }
    }
  }

  void OnTimer(MonoTime at) {
    if (at != armed_) return;  // another was set for an earlier time
    armed_ = kNever;
    if (deadline_ == kNever) return;
    if (deadline_ > impl_.clock.Mono()) return Arm();
    deadline_ = kNever;
    OnDeadline();
  }

  void Complete(std::uint64_t ticket, Answer answer) {
    if (state_ != State::kWaiting || after_ != After::kSend || ticket != request_.ticket) return;
    answer_ = std::move(answer);
    BeginSending();
    Advance();
  }

  // The answer under way is the last one; without one the connection ends now.
  void EndSoon() {
    last_ = true;
    keep_ = false;
    if (state_ == State::kHandshake) return Close();
    if (state_ != State::kReading || head_taken_ || used_ < filled_) return;
    ShutDown();
    Advance();
  }

  void Close() {
    if (state_ == State::kClosed) return;
    state_ = State::kClosed;
    deadline_ = kNever;
    socket_.Close();
    impl_.Left(*this);
    // It may be one of this session's own functions that goes on.
    if (const auto found = impl_.sessions.find(id_); found != impl_.sessions.end()) {
      impl_.graveyard.push_back(std::move(found->second));
      impl_.sessions.erase(found);
    }
  }

 private:
  enum class State : std::uint8_t { kHandshake, kReading, kWaiting, kWriting, kDraining, kClosed };
  // What follows when a wait or a write is over.
  enum class After : std::uint8_t { kSend, kPiece, kWaitForPiece, kEnd, kClose };
  // What the deadline ends while a request is waited for.
  enum class Limit : std::uint8_t { kNone, kIdle, kRequest };

  // --- time ---

  void SetDeadline(MonoTime at) {
    deadline_ = at;
    if (at < armed_) Arm();
  }
  void Arm() {
    armed_ = deadline_;
    impl_.timers.push({armed_, id_});
  }

  void OnDeadline() {
    switch (state_) {
      case State::kReading:
        return WaitedTooLong();
      case State::kWaiting:
        GoOn();
        return Advance();
      case State::kWriting:
        // Closing in good order would leave what the kernel holds to be read some day.
        return Reset();
      case State::kHandshake:
      case State::kDraining:
        return Close();
      case State::kClosed:
        return;
    }
  }

  // --- the socket ---

  // As recv() and send(), over TLS where there is any: 0 at the end, -1 for not now, -2 for a broken connection.
  ssize_t Receive(char* bytes, std::size_t size) {
    if (ssl_ != nullptr) return TlsResult(SSL_read(ssl_, bytes, int(size)));
    while (true) {
      const ssize_t n = impl_.options.stamp_arrivals ? ReceiveStamped(bytes, size) : ::recv(socket_.get(), bytes, size, 0);
      if (n >= 0) return n;
      if (errno != EINTR) return errno == EAGAIN || errno == EWOULDBLOCK ? -1 : -2;
    }
  }

  ssize_t ReceiveStamped(char* bytes, std::size_t size) {
    iovec part{bytes, size};
    alignas(cmsghdr) std::array<char, 64> control{};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    const ssize_t n = ::recvmsg(socket_.get(), &message, 0);
    if (n > 0) request_.received = Stamp(message);
    return n;
  }

  MonoTime Stamp(msghdr& message) const {
    const MonoTime now = impl_.clock.Mono();
    for (cmsghdr* item = CMSG_FIRSTHDR(&message); item != nullptr; item = CMSG_NXTHDR(&message, item)) {
      if (item->cmsg_level != SOL_SOCKET || item->cmsg_type != SCM_TIMESTAMPNS) continue;
      timespec arrived{}, wall{};
      std::memcpy(&arrived, CMSG_DATA(item), sizeof arrived);
      clock_gettime(CLOCK_REALTIME, &wall);
      const Duration waited = std::chrono::seconds(wall.tv_sec - arrived.tv_sec) +
                              std::chrono::microseconds((wall.tv_nsec - arrived.tv_nsec) / 1000);
      // A clock that was set in between gives nonsense: then the moment of reading has to do.
      if (waited >= Duration(0) && waited < std::chrono::seconds(10)) return now - waited;
    }
    return now;
  }

  ssize_t TlsResult(int result) {
    if (result > 0) return result;
    const int error = SSL_get_error(ssl_, result);
    ERR_clear_error();
    if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE) return -1;
    tls_broken_ = error != SSL_ERROR_ZERO_RETURN;
    return tls_broken_ ? -2 : 0;
  }

  // Some of parts_, from part_ on.
  ssize_t Transmit() {
    if (ssl_ != nullptr) return TransmitOverTls();
    std::array<iovec, 6> vectors;
    std::size_t count = 0;
    for (std::size_t i = part_; i < parts_.size() && count < vectors.size(); ++i)
      vectors[count++] = {const_cast<char*>(parts_[i].data()), parts_[i].size()};
    msghdr message{};
    message.msg_iov = vectors.data();
    message.msg_iovlen = count;
    while (true) {
      const ssize_t n = ::sendmsg(socket_.get(), &message, MSG_NOSIGNAL);
      if (n >= 0) return n;
      if (errno != EINTR) return errno == EAGAIN || errno == EWOULDBLOCK ? -1 : -2;
    }
  }

  // After a -1 the same bytes are offered again, as OpenSSL wants it: they follow from parts_ alone.
  ssize_t TransmitOverTls() {
    std::string_view bytes = parts_[part_];
    if (bytes.size() < kTlsRecord && part_ + 1 < parts_.size()) {
      impl_.record.clear();
      for (std::size_t i = part_; i < parts_.size() && impl_.record.size() < kTlsRecord; ++i)
        impl_.record += parts_[i].substr(0, kTlsRecord - impl_.record.size());
      bytes = impl_.record;
    }
    return TlsResult(SSL_write(ssl_, bytes.data(), int(std::min(bytes.size(), kTlsRecord))));
  }

  // --- reading ---

  bool Handshake() {
    if (ssl_ == nullptr) {
      Close();
      return false;
    }
    const int result = SSL_do_handshake(ssl_);
    if (result == 1) {
      state_ = State::kReading;
      ended_ = begun_ = impl_.clock.Mono();
      return true;
    }
    const int error = SSL_get_error(ssl_, result);
    if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE) return false;
    if (ERR_GET_REASON(ERR_peek_error()) == SSL_R_HTTP_REQUEST) {
      constexpr std::string_view kPlain =
          "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nContent-Length: 28\r\nConnection: close\r\n\r\n"
          "this port speaks TLS: https\n";
      (void)!::send(socket_.get(), kPlain.data(), kPlain.size(), MSG_NOSIGNAL);
    }
    ERR_clear_error();
    if (impl_.options.refused) impl_.options.refused(0, "no TLS handshake", address());
    Close();
    return false;
  }

  // False: it waits for more, or the connection is closed.
  bool ReadRequest() {
    while (true) {
      if (!head_taken_ && used_ < filled_) {
        switch (parser_.Parse(std::string_view(input_.data() + used_, filled_ - used_))) {
          case RequestHeadParser::Outcome::kRefused:
            Refuse(parser_.refusal().status, parser_.refusal().why);
            return true;
          case RequestHeadParser::Outcome::kWhole:
            TakeHead();
            if (body_left_ > impl_.options.max_request_body) {
              Refuse(413, "the body is too long");
              return true;
            }
            break;
          case RequestHeadParser::Outcome::kIncomplete:
            break;
        }
      }
      if (head_taken_) {
        const std::size_t taken = std::min<std::uint64_t>(body_left_, filled_ - used_);
        request_.body.append(input_.data() + used_, taken);
        used_ += taken;
        body_left_ -= taken;
        if (body_left_ == 0) {
          Handle();
          return true;
        }
      }
      if (!Fill()) return false;
    }
  }

  void TakeHead() {
    const RequestHead& head = parser_.head();
    request_.method.assign(head.method);
    request_.target.assign(head.target);
    request_.host.assign(head.host);
    request_.headers.resize(head.fields.size());
    for (std::size_t i = 0; i < head.fields.size(); ++i) {
      request_.headers[i].first.assign(head.fields[i].first);
      request_.headers[i].second.assign(head.fields[i].second);
    }
    request_.body.clear();
    used_ += parser_.size();
    body_left_ = head.length;
    keep_ = head.keep_alive && !request_.over_connection_limit && !last_;
    head_taken_ = true;
    parser_.Reset();
    if (!head.expects_continue || filled_ - used_ >= body_left_ || body_left_ > impl_.options.max_request_body) return;
    constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
    // Nothing else is on its way out, so it fits; were it lost, the client sends its body all the same.
    if (ssl_ == nullptr) {
      (void)!::send(socket_.get(), kContinue.data(), kContinue.size(), MSG_NOSIGNAL);
    } else {
      (void)TlsResult(SSL_write(ssl_, kContinue.data(), int(kContinue.size())));
    }
  }

  // Reads what the socket has; false when there is nothing yet, or the client is gone.
  bool Fill() {
    if (!readable_) {
      LimitWait();
      return false;
    }
    if (used_ > 0) {
      std::memmove(input_.data(), input_.data() + used_, filled_ - used_);
      filled_ -= used_;
      used_ = 0;
    }
    if (input_.size() < filled_ + kReadSize) input_.resize(filled_ + kReadSize);
    const std::size_t room = input_.size() - filled_;
    // What it was told of had come by then, at least its beginning; what is read later may not have.
    const bool first_look = std::exchange(told_in_round_, 0) == impl_.round;
    request_.round = first_look && filled_ == 0 && !head_taken_ ? impl_.round : 0;
    const ssize_t n = Receive(input_.data() + filled_, room);
    if (n > 0) {
      if (filled_ == 0 && !head_taken_) begun_ = impl_.clock.Mono();
      if (!impl_.options.stamp_arrivals || ssl_ != nullptr) request_.received = begun_;
      filled_ += std::size_t(n);
      // Less than there was room for: there is no more (epoll(7)), but perhaps the end.
      readable_ = ssl_ != nullptr || std::size_t(n) == room || ending_seen_;
      return true;
    }
    if (n == -1) {
      readable_ = false;
      LimitWait();
      return false;
    }
    Close();
    return false;
  }

  // What is waited for comes in time: the first byte of a request, then, however slowly, the whole of it.
  void LimitWait() {
    const Limit limit = filled_ > used_ || head_taken_ ? Limit::kRequest : Limit::kIdle;
    if (limit == limit_) return;
    limit_ = limit;
    SetDeadline(limit == Limit::kRequest ? begun_ + impl_.options.request_limit : ended_ + impl_.options.idle_limit);
  }

  void WaitedTooLong() {
    char byte;
    // A loop that was busy has not read yet what came in time.
    if (limit_ == Limit::kIdle && ssl_ == nullptr &&
        ::recv(socket_.get(), &byte, 1, MSG_PEEK | MSG_DONTWAIT) >= 0) {
      limit_ = Limit::kNone;
      readable_ = true;
    } else if (limit_ == Limit::kRequest) {
      Refuse(408, "the request took too long to come");
    } else {
      ShutDown();
    }
    Advance();
  }

  // --- answering ---

  void Handle() {
    limit_ = Limit::kNone;
    deadline_ = kNever;
    head_taken_ = false;
    turn = ++impl_.turns;
    request_.idle = request_.earlier == 0 ? Duration(0) : begun_ - ended_;
    request_.ticket = id_ << 24 | (request_.earlier & 0xFFFFFF);
    head_only_ = request_.method == "HEAD";
    answer_ = impl_.handler(request_);
    ++request_.earlier;
    request_.round = 0;  // not of one that came behind it
    if (answer_.delay > Duration(0)) return WaitThen(answer_.delay, After::kSend);
    BeginSending();
  }

  void Refuse(int status, std::string_view why) {
    if (impl_.options.refused) impl_.options.refused(status, why, address());
    limit_ = Limit::kNone;
    head_taken_ = false;
    keep_ = head_only_ = false;
    answer_ = Answer{};
    answer_.status = status;
    answer_.headers = {{"Content-Type", "text/plain"}};
    answer_.body = std::make_shared<const std::string>(std::string(why) + '\n');
    BeginSending();
  }

  // The next step follows after `pause`, unless the client leaves before: that is noticed at once, so that its
  // connection no longer counts as open.
  void WaitThen(Duration pause, After after) {
    state_ = State::kWaiting;
    after_ = after;
    SetDeadline(impl_.clock.Mono() + pause);
    if (ending_seen_) LookWhileWaiting();
  }

  void LookWhileWaiting() {
    char byte;
    const ssize_t n = ::recv(socket_.get(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) Close();
  }

  void GoOn() {
    switch (after_) {
      case After::kSend:
        return BeginSending();
      case After::kPiece:
        return SendPiece();
      case After::kWaitForPiece:
        return WaitThen(answer_.trickle_pause, After::kPiece);
      case After::kEnd:
        return End();
      case After::kClose:
        return Close();
    }
  }

  // Writes parts_ out; they point to what stays as it is until then.
  void Write(After after) {
    state_ = State::kWriting;
    after_ = after;
    part_ = 0;
    write_blocked_ = false;
    deadline_ = kNever;
  }

  void BeginSending() {
    parts_.clear();
    if (answer_.silent) return End();
    if (answer_.raw) {
      parts_.push_back(*answer_.raw);
      return Write(After::kEnd);
    }
    const std::string_view body = answer_.body ? std::string_view(*answer_.body) : std::string_view();
    const bool bodiless = head_only_ || answer_.status == 204 || answer_.status == 304;
    if (answer_.framing == Answer::Framing::kUntilClose || answer_.ending != Answer::Ending::kKeep) keep_ = false;
    WriteHead(body.size());
    parts_.push_back(head_);
    if (bodiless) return Write(After::kEnd);

    rest_ = body.substr(0, answer_.cut_body_after.value_or(body.size()));
    const bool chunked = answer_.framing == Answer::Framing::kChunked;
    if (answer_.trickle_pieces > 0) {
      piece_ = std::max<std::size_t>(1, rest_.size() / answer_.trickle_pieces);
      return Write(After::kWaitForPiece);
    }
    if (chunked && !rest_.empty()) {
      // A body that is cut is announced whole, so that the chunk stays unfinished too.
      chunk_ = fmt::format("{:x}\r\n", body.size());
      parts_.push_back(chunk_);
    }
    parts_.push_back(rest_);
    if (chunked && !answer_.cut_body_after) parts_.push_back(rest_.empty() ? "0\r\n\r\n" : "\r\n0\r\n\r\n");
    Write(After::kEnd);
  }

  void WriteHead(std::size_t body_size) {
    head_.assign("HTTP/1.1 ");
    head_.append(fmt::format_int(answer_.status).c_str()).append(" ").append(ReasonOf(answer_.status)).append("\r\n");
    for (const auto& [name, value] : answer_.headers) head_.append(name).append(": ").append(value).append("\r\n");
    if (answer_.lines) head_ += *answer_.lines;
    if (answer_.framing == Answer::Framing::kChunked) {
      head_ += "Transfer-Encoding: chunked\r\n";
    } else if (answer_.framing == Answer::Framing::kLength && answer_.status != 204 && answer_.status != 304) {
      head_.append("Content-Length: ");
      head_.append(fmt::format_int(answer_.claimed_length.value_or(body_size)).c_str()).append("\r\n");
    }
    head_.append("Date: ").append(impl_.date.Of(impl_.clock.Now()));
    head_ += keep_ ? "\r\nConnection: keep-alive\r\n\r\n" : "\r\nConnection: close\r\n\r\n";
  }

  void SendPiece() {
    const bool chunked = answer_.framing == Answer::Framing::kChunked;
    const std::string_view piece = rest_.substr(0, piece_);
    rest_.remove_prefix(piece.size());
    parts_.clear();
    if (chunked && !piece.empty()) {
      chunk_ = fmt::format("{:x}\r\n", piece.size());
      parts_.push_back(chunk_);
    }
    parts_.push_back(piece);
    if (chunked && !piece.empty()) parts_.push_back("\r\n");
    if (!rest_.empty()) return Write(After::kWaitForPiece);
    if (chunked && !answer_.cut_body_after) parts_.push_back("0\r\n\r\n");
    Write(After::kEnd);
  }

  // False: it waits for room, or the connection is closed.
  bool WriteOut() {
    while (true) {
      while (part_ < parts_.size() && parts_[part_].empty()) ++part_;
      if (part_ == parts_.size()) break;
      const ssize_t n = Transmit();
      if (n == -1) {
        if (!std::exchange(write_blocked_, true)) SetDeadline(impl_.clock.Mono() + impl_.options.write_limit);
        return false;
      }
      if (n < 0 || (n == 0 && ssl_ != nullptr)) {
        Close();
        return false;
      }
      impl_.stats.bytes_sent += std::uint64_t(n);
      for (std::size_t left = std::size_t(n); left > 0;) {
        const std::size_t taken = std::min(left, parts_[part_].size());
        parts_[part_].remove_prefix(taken);
        left -= taken;
        if (parts_[part_].empty()) ++part_;
      }
    }
    deadline_ = kNever;
    GoOn();
    return state_ != State::kClosed;
  }

  void End() {
    switch (answer_.ending) {
      case Answer::Ending::kKeep:
        if (!keep_) return ShutDown();
        answer_ = Answer{};
        ended_ = begun_ = impl_.clock.Mono();
        state_ = State::kReading;
        return;
      case Answer::Ending::kClose:
        return ShutDown();
      case Answer::Ending::kReset:
        return Reset();
      case Answer::Ending::kHang:
        return WaitThen(answer_.hang, After::kClose);
    }
  }

  void Reset() {
    const linger at_once{.l_onoff = 1, .l_linger = 0};
    ::setsockopt(socket_.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    Close();
  }

  // Ends in good order. Reads on until the client closes too, a second at most: closing with unread bytes would send a
  // RST, which can overtake the answer (RFC 9112 section 9.6).
  void ShutDown() {
    if (ssl_ != nullptr && !tls_broken_) {
      SSL_shutdown(ssl_);
      ERR_clear_error();
    }
    ::shutdown(socket_.get(), SHUT_WR);
    state_ = State::kDraining;
    SetDeadline(impl_.clock.Mono() + kDrainLimit);
  }

  void ReadAway() {
    for (int i = 0; i < kRequestsAtOnce; ++i) {
      std::array<char, kReadSize> bytes;
      const ssize_t n = ::recv(socket_.get(), bytes.data(), bytes.size(), MSG_DONTWAIT);
      if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) return;
      if (n <= 0) return Close();
    }
    impl_.again.push_back(id_);
  }

  // Constant after construction.
  Impl& impl_;
  const std::uint64_t id_;
  Descriptor socket_;
  SSL* ssl_ = nullptr;

  State state_ = State::kReading;
  After after_ = After::kEnd;
  bool readable_ = true;       // reading may give something
  bool ending_seen_ = false;   // the client has closed its side, or broken the connection
  bool write_blocked_ = false;  // the deadline is that of the write
  bool tls_broken_ = false;
  bool last_ = false;          // no request after the one under way
  std::uint64_t told_in_round_ = 0;  // by epoll, of something not read yet
  // The deadline in force, and the earliest timer that is set for this session: it looks then, and sets another.
  MonoTime deadline_ = kNever, armed_ = kNever;
  Limit limit_ = Limit::kNone;

  RequestHeadParser parser_;
  std::string input_;
  std::size_t used_ = 0, filled_ = 0;  // of input_: parsed, read
  bool head_taken_ = false;            // request_ is it; body_left_ bytes of its body are still to come
  std::uint64_t body_left_ = 0;
  MonoTime ended_{}, begun_{};  // the last answer, the first byte of the request after it
  ServerRequest request_;

  Answer answer_;
  bool keep_ = false, head_only_ = false;
  std::string head_, chunk_;
  std::vector<std::string_view> parts_;  // what goes out now
  std::size_t part_ = 0;                 // those before it are out
  std::string_view rest_;                // of a body in pieces: not sent yet
  std::size_t piece_ = 0;
};

Server::Impl::~Impl() = default;

void Server::Impl::Admit(int socket, const sockaddr_storage& peer_address) {
  const std::string address = AddressOf(peer_address);
  const int on = 1;
  ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  const int limit = options.connections_per_address;
  // At the limit a client that was killed a moment ago must not count any more.
  if (const auto peer = peers.find(address); limit > 0 && peer != peers.end() && peer->second.open >= limit) {
    for (auto& [id, other] : sessions) {
      if (other->address() == address && other->PeerHasLeft()) Left(*other);
    }
  }
  MakeRoom(address);
  auto made = std::make_unique<Session>(*this, ++last_id, socket, address);
  Session& session = *made;
  sessions.emplace(session.id(), std::move(made));
  session.turn = ++turns;
  Peer& peer = peers[address];
  ++stats.connections;
  stats.peak_open = std::max(stats.peak_open, ++stats.open);
  peer.peak = std::max(peer.peak, ++peer.open);
  stats.peak_per_address = std::max(stats.peak_per_address, peer.peak);
  if (limit > 0 && peer.open > limit) {
    ++stats.excess_connections;
    session.SetOverLimit();
    if (options.close_excess) return session.Close();
  }
  epoll_event event{.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data = {.u64 = session.id()}};
  if (::epoll_ctl(epoll.get(), EPOLL_CTL_ADD, socket, &event) != 0) return session.Close();
  session.Advance();
}

void Server::Impl::MakeRoom(const std::string& address) {
  const auto peer = peers.find(address);
  if (options.replace_oldest && options.connections_per_address > 0 && peer != peers.end() &&
      peer->second.open >= options.connections_per_address) {
    CloseOldest(address);
  }
  if (options.connections > 0 && stats.open >= options.connections) CloseOldest("");
}

void Server::Impl::CloseOldest(const std::string& address) {
  Session* oldest = nullptr;
  for (auto& [id, other] : sessions) {
    const bool counts = other->counted && (address.empty() || other->address() == address);
    if (counts && (oldest == nullptr || other->turn < oldest->turn)) oldest = other.get();
  }
  if (oldest != nullptr) oldest->Close();
}

void Server::Impl::Left(Session& session) {
  if (!session.counted) return;
  session.counted = false;
  --stats.open;
  const auto peer = peers.find(session.address());
  if (--peer->second.open == 0) peers.erase(peer);
}

void Server::Impl::WatchListener(bool on) {
  epoll_event event{.events = EPOLLIN, .data = {.u64 = kListenerId}};
  ::epoll_ctl(epoll.get(), on ? EPOLL_CTL_ADD : EPOLL_CTL_DEL, listener.get(), &event);
}

void Server::Impl::AcceptAll() {
  for (int i = 0; i < kAcceptsAtOnce && listener.get() >= 0; ++i) {
    sockaddr_storage address{};
    socklen_t length = sizeof address;
    const int socket =
        ::accept4(listener.get(), reinterpret_cast<sockaddr*>(&address), &length, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (socket >= 0) {
      Admit(socket, address);
    } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
      return;
    } else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
      // Others may close.
      WatchListener(false);
      timers.push({clock.Mono() + kAcceptAgain, kListenerId});
      return;
    }
    // Anything else concerns the connection that was not accepted (accept(2)).
  }
}

int Server::Impl::Timeout() const {
  if (!again.empty()) return 0;
  MonoTime next = drain_until;
  if (!timers.empty()) next = std::min(next, timers.top().at);
  if (next == kNever) return -1;
  const Duration left = next - clock.Mono();
  return int(std::clamp<std::int64_t>((left.count() + 999) / 1000, 0, 60'000));
}

void Server::Impl::FireTimers() {
  if (timers.empty()) return;
  const MonoTime now = clock.Mono();
  while (!timers.empty() && timers.top().at <= now) {
    const Timer timer = timers.top();
    timers.pop();
    if (timer.session == kListenerId) {
      if (listener.get() >= 0) WatchListener(true);
    } else if (const auto found = sessions.find(timer.session); found != sessions.end()) {
      found->second->OnTimer(timer.at);
    }
  }
}

void Server::Impl::TakePosted() {
  std::vector<std::function<void()>> work;
  {
    const std::lock_guard lock(mutex);
    work.swap(posted);
  }
  for (const auto& one : work) one();
}

void Server::Impl::Wake() const {
  const std::uint64_t one = 1;
  (void)!::write(wake.get(), &one, sizeof one);
}

void Server::Impl::BeginDrain(Duration patience) {
  if (drain_until != kNever) return;
  drain_until = clock.Mono() + patience;
  listener.Close();
  std::vector<std::uint64_t> open;
  for (const auto& [id, session] : sessions) open.push_back(id);
  for (const std::uint64_t id : open) {
    if (const auto found = sessions.find(id); found != sessions.end()) found->second->EndSoon();
  }
}

void Server::Impl::Loop() {
  WatchListener(true);
  TakePosted();
  std::array<epoll_event, 256> events;
  while (!stopping) {
    if (drain_until != kNever && (sessions.empty() || clock.Mono() >= drain_until)) break;
    const int count = ::epoll_wait(epoll.get(), events.data(), int(events.size()), Timeout());
    ++round;
    for (int i = 0; i < count; ++i) {
      const std::uint64_t id = events[std::size_t(i)].data.u64;
      if (id == kListenerId) {
        AcceptAll();
      } else if (id == kWakeId) {
        std::uint64_t times;
        (void)!::read(wake.get(), &times, sizeof times);
        TakePosted();
      } else if (const auto found = sessions.find(id); found != sessions.end()) {
        found->second->OnEvents(events[std::size_t(i)].events);
      }
    }
    FireTimers();
    for (const std::uint64_t id : std::exchange(again, {})) {
      if (const auto found = sessions.find(id); found != sessions.end()) found->second->Advance();
    }
    graveyard.clear();
  }
  listener.Close();
  while (!sessions.empty()) sessions.begin()->second->Close();
  graveyard.clear();
}

Result<void> Server::Impl::Listen() {
  const std::string where = fmt::format("{}:{}", options.address, options.port);
  sockaddr_storage address{};
  socklen_t length = sizeof(sockaddr_in);
  auto& v4 = reinterpret_cast<sockaddr_in&>(address);
  auto& v6 = reinterpret_cast<sockaddr_in6&>(address);
  if (::inet_pton(AF_INET, options.address.c_str(), &v4.sin_addr) == 1) {
    v4.sin_family = AF_INET;
    v4.sin_port = htons(options.port);
  } else if (::inet_pton(AF_INET6, options.address.c_str(), &v6.sin6_addr) == 1) {
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(options.port);
    length = sizeof(sockaddr_in6);
  } else {
    return Fail(ErrorCode::kInvalid, "listen on {}: not an IP address", where);
  }
  const auto fail = [&](int error) {
    if (error == EADDRINUSE) return Fail(ErrorCode::kExists, "listen on {}: the port is in use", where);
    if (error == EADDRNOTAVAIL) return Fail(ErrorCode::kInvalid, "listen on {}: not an address of this machine", where);
    const bool asked_wrong = error == EACCES || error == EAFNOSUPPORT;
    return Fail(asked_wrong ? ErrorCode::kInvalid : ErrorCode::kIo, "listen on {}: {}", where, std::strerror(error));
  };
  epoll = Descriptor(::epoll_create1(EPOLL_CLOEXEC));
  wake = Descriptor(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  listener = Descriptor(::socket(address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (epoll.get() < 0 || wake.get() < 0 || listener.get() < 0) return fail(errno);
  epoll_event event{.events = EPOLLIN, .data = {.u64 = kWakeId}};
  ::epoll_ctl(epoll.get(), EPOLL_CTL_ADD, wake.get(), &event);
  const int on = 1;
  ::setsockopt(listener.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  // Every connection inherits it. The kernel begins to stamp a moment after the first socket that asks.
  if (options.stamp_arrivals) ::setsockopt(listener.get(), SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on);
  if (::bind(listener.get(), reinterpret_cast<const sockaddr*>(&address), length) != 0) return fail(errno);
  if (::listen(listener.get(), 1024) != 0) return fail(errno);
  if (::getsockname(listener.get(), reinterpret_cast<sockaddr*>(&address), &length) != 0) return fail(errno);
  port = ntohs(address.ss_family == AF_INET ? v4.sin_port : v6.sin6_port);
  return {};
}

Server::Server(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Server::~Server() = default;

Result<std::unique_ptr<Server>> Server::Listen(ServerOptions options, const Clock& clock, Handler handler) {
  auto impl = std::make_unique<Impl>(std::move(options), clock, std::move(handler));
  TRY(impl->Listen());
  return std::unique_ptr<Server>(new Server(std::move(impl)));
}

std::uint16_t Server::port() const {
  return impl_->port;
}

void Server::Run() {
  // OpenSSL writes without MSG_NOSIGNAL: a client that has gone must not end the process.
  sigset_t pipe, before;
  sigemptyset(&pipe);
  sigaddset(&pipe, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &pipe, &before);
  impl_->Loop();
  const timespec at_once{};
  while (sigtimedwait(&pipe, nullptr, &at_once) == SIGPIPE) {
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

void Server::Post(std::function<void()> work) {
  {
    const std::lock_guard lock(impl_->mutex);
    impl_->posted.push_back(std::move(work));
  }
  impl_->Wake();
}

void Server::Stop() {
  Post([impl = impl_.get()] { impl->stopping = true; });
}

void Server::Drain(Duration patience) {
  Post([impl = impl_.get(), patience] { impl->BeginDrain(patience); });
}

void Server::Complete(std::uint64_t ticket, Answer answer) {
  const auto found = impl_->sessions.find(ticket >> 24);
  if (found != impl_->sessions.end()) found->second->Complete(ticket, std::move(answer));
}

ServerStats Server::stats() const {
  return impl_->stats;
}

void Server::ResetStats() {
  ServerStats& stats = impl_->stats;
  stats = ServerStats{.open = stats.open, .peak_open = stats.open};
  for (auto& [address, peer] : impl_->peers) {
    peer.peak = peer.open;
    stats.peak_per_address = std::max(stats.peak_per_address, peer.peak);
  }
}

}  // namespace tmdbc::http
