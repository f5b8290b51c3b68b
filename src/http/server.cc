// SPDX-License-Identifier: MIT
#include "http/server.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>

#include <algorithm>
#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <cerrno>
#include <cstring>
#include <map>
#include <unordered_set>
#include <utility>

// Asio returns the error_code that it was given to fill in.
// NOLINTBEGIN(bugprone-unused-return-value)

namespace tmdbc::http {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
using asio::ip::tcp;
using boost::system::error_code;

constexpr std::size_t kReadSize = 16 << 10;

std::string_view ReasonOf(int status) {
  const auto text = beast::http::obsolete_reason(static_cast<beast::http::status>(status));
  return {text.data(), text.size()};
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

}  // namespace

std::string_view ServerRequest::header(std::string_view name) const {
  for (const auto& [key, value] : headers) {
    if (beast::iequals(beast::string_view(key.data(), key.size()),
                       beast::string_view(name.data(), name.size()))) {
      return value;
    }
  }
  return {};
}

struct Server::Impl {
  class Session;

  Impl(ServerOptions o, const Clock& c, Handler h)
      : options(std::move(o)), clock(c), handler(std::move(h)), acceptor(io), retry(io) {}

  void Accept();
  void Opened(Session& session);
  void MakeRoom(const std::string& address);
  void Left(Session& session);

  const ServerOptions options;
  const Clock& clock;
  const Handler handler;
  std::uint16_t port = 0;
  // Loop thread only. A session that ends takes itself out of these, so they outlive the loop.
  bool stopping = false;
  std::uint64_t turns = 0;  // connections and requests so far
  ServerStats stats;
  std::map<std::string, Peer> peers;
  std::unordered_set<Session*> sessions;
  HttpDate date;

  asio::io_context io{1};
  tcp::acceptor acceptor;
  asio::steady_timer retry;
};

// One connection: reads a request, lets the handler answer, sends, and again. Alive as long as one of its
// operations waits.
class Server::Impl::Session : public std::enable_shared_from_this<Session> {
 public:
  Session(Impl& impl, tcp::socket socket, std::string address)
      : impl_(impl), socket_(std::move(socket)), timer_(impl.io) {
    request_.peer_address = std::move(address);
    impl_.Opened(*this);
  }
  ~Session() {
    impl_.Left(*this);
    impl_.sessions.erase(this);
  }

  const std::string& address() const { return request_.peer_address; }
  // Among the open connections of its address.
  bool counted = true;
  // Impl::turns when it was opened or its last whole request had come.
  std::uint64_t turn = 0;
  void SetOverLimit() { request_.over_connection_limit = true; }
  bool over_limit() const { return request_.over_connection_limit; }

  // Whether the client closed its side, as the kernel knows it: unread requests may stand before the end of
  // the stream, and the loop may not have come to it yet.
  bool PeerHasLeft() {
    tcp_info info{};
    socklen_t size = sizeof info;
    return ::getsockopt(socket_.native_handle(), IPPROTO_TCP, TCP_INFO, &info, &size) == 0 &&
           info.tcpi_state != TCP_ESTABLISHED;
  }

  void Start() {
    parser_.emplace();
    parser_->header_limit(static_cast<std::uint32_t>(impl_.options.max_request_head));
    parser_->body_limit(impl_.options.max_request_body);
    parser_->eager(true);
    Parse();
  }

  void Close() {
    error_code ignored;
    timer_.cancel();
    socket_.close(ignored);
  }

 private:
  // Parses what is there; waits for more when it is not a whole request yet.
  void Parse() {
    while (true) {
      while (used_ < filled_ && !parser_->is_done()) {
        error_code error;
        const std::size_t taken =
            parser_->put(asio::const_buffer(input_.data() + used_, filled_ - used_), error);
        used_ += taken;
        if (error == beast::http::error::need_more && taken > 0) continue;
        if (error == beast::http::error::need_more) break;
        if (error)
          return Refuse(error == beast::http::error::header_limit ? 431
                        : error == beast::http::error::body_limit ? 413
                                                                  : 400);
      }
      if (parser_->is_done()) return Handle();
      if (!Fill()) return;
    }
  }

  // Reads what the socket has; false when there is nothing yet (and then comes back to Parse) or the client
  // is gone.
  bool Fill() {
    if (used_ > 0) {
      std::memmove(input_.data(), input_.data() + used_, filled_ - used_);
      filled_ -= used_;
      used_ = 0;
    }
    if (input_.size() < filled_ + kReadSize) input_.resize(filled_ + kReadSize);
    while (true) {
      iovec part{input_.data() + filled_, input_.size() - filled_};
      alignas(cmsghdr) std::array<char, 64> control{};
      msghdr message{};
      message.msg_iov = &part;
      message.msg_iovlen = 1;
      message.msg_control = control.data();
      message.msg_controllen = control.size();
      const ssize_t n = ::recvmsg(socket_.native_handle(), &message, MSG_DONTWAIT);
      if (n > 0) {
        if (filled_ == 0) begun_ = impl_.clock.Mono();
        filled_ += static_cast<std::size_t>(n);
        request_.received = Stamp(message);
        return true;
      }
      if (n < 0 && errno == EINTR) continue;
      if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) break;
      return false;
    }
    LimitWait();
    reading_ = true;
    socket_.async_wait(tcp::socket::wait_read, [self = shared_from_this()](error_code error) {
      if (error || !std::exchange(self->reading_, false)) return;
      if (self->Fill()) self->Parse();
    });
    return false;
  }

  // What is waited for comes in time: the first byte of a request, then, however slowly, the whole of it.
  void LimitWait() {
    const bool begun = filled_ > used_ || parser_->got_some();
    const Limit limit = begun ? Limit::kRequest : Limit::kIdle;
    if (limit_ == Limit::kRequest && begun) return;
    limit_ = limit;
    timer_.expires_after(begun ? impl_.options.request_limit : impl_.options.idle_limit);
    timer_.async_wait([weak = weak_from_this(), limit, turn = turn](error_code error) {
      const auto self = weak.lock();
      if (self && !error && self->limit_ == limit && self->turn == turn) self->WaitedTooLong();
    });
  }

  void WaitedTooLong() {
    char byte;
    // A loop that was busy has not read yet what came in time.
    const bool came =
        ::recv(socket_.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT) >= 0 && limit_ == Limit::kIdle;
    if (came || !std::exchange(reading_, false)) return;
    error_code ignored;
    socket_.cancel(ignored);
    if (limit_ == Limit::kRequest) return Refuse(408);
    limit_ = Limit::kNone;
    socket_.shutdown(tcp::socket::shutdown_send, ignored);
    Drain();
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

  void Handle() {
    limit_ = Limit::kNone;
    turn = ++impl_.turns;
    const auto& message = parser_->get();
    const auto method = message.method_string();
    const auto target = message.target();
    request_.method.assign(method.data(), method.size());
    request_.target.assign(target.data(), target.size());
    request_.headers.clear();
    for (const auto& field : message) {
      request_.headers.emplace_back(std::string(field.name_string().data(), field.name_string().size()),
                                    std::string(field.value().data(), field.value().size()));
    }
    request_.body = message.body();
    request_.idle = request_.earlier == 0 ? Duration(0) : begun_ - ended_;
    keep_ = message.keep_alive() && !request_.over_connection_limit;
    head_only_ = request_.method == "HEAD";
    answer_ = impl_.handler(request_);
    ++request_.earlier;
    if (answer_.delay > Duration(0)) {
      WaitThen(answer_.delay, &Session::Send);
    } else {
      Send();
    }
  }

  void Refuse(int status) {
    limit_ = Limit::kNone;
    answer_ = Answer{};
    answer_.status = status;
    keep_ = false;
    head_only_ = false;
    Send();
  }

  // The step follows after `pause`, unless the client leaves before: that is noticed at once, so that its
  // connection no longer counts as open.
  void WaitThen(Duration pause, void (Session::*step)()) {
    waiting_ = true;
    timer_.expires_after(pause);
    timer_.async_wait([self = shared_from_this(), step](error_code error) {
      if (error) return;
      self->waiting_ = false;
      // Ends the watch below, which holds the session too.
      error_code ignored;
      self->socket_.cancel(ignored);
      ((*self).*step)();
    });
    Watch();
  }

  void Watch() {
    socket_.async_wait(tcp::socket::wait_read, [self = shared_from_this()](error_code error) {
      if (error || !self->waiting_) return;
      char byte;
      const ssize_t n = ::recv(self->socket_.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
      if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) self->Close();
    });
  }

  void Send() {
    if (answer_.silent) return End();
    if (answer_.raw) {
      head_ = *answer_.raw;
      return Write({asio::buffer(head_)}, &Session::End);
    }
    const std::string_view body = answer_.body ? std::string_view(*answer_.body) : std::string_view();
    const bool bodiless = head_only_ || answer_.status == 204 || answer_.status == 304;
    if (answer_.framing == Answer::Framing::kUntilClose || answer_.ending != Answer::Ending::kKeep)
      keep_ = false;
    WriteHead(body.size());
    if (bodiless) return Write({asio::buffer(head_)}, &Session::End);

    rest_ = body.substr(0, answer_.cut_body_after.value_or(body.size()));
    const bool chunked = answer_.framing == Answer::Framing::kChunked;
    if (answer_.trickle_pieces > 0) {
      piece_ = std::max<std::size_t>(1, rest_.size() / answer_.trickle_pieces);
      return Write({asio::buffer(head_)}, &Session::WaitForPiece);
    }
    std::vector<asio::const_buffer> parts{asio::buffer(head_)};
    if (chunked && !rest_.empty()) {
      // A body that is cut is announced whole, so that the chunk stays unfinished too.
      chunk_ = fmt::format("{:x}\r\n", body.size());
      parts.emplace_back(asio::buffer(chunk_));
    }
    parts.emplace_back(rest_.data(), rest_.size());
    if (chunked && !answer_.cut_body_after) {
      parts.emplace_back(rest_.empty() ? asio::buffer("0\r\n\r\n", 5) : asio::buffer("\r\n0\r\n\r\n", 7));
    }
    Write(parts, &Session::End);
  }

  void WriteHead(std::size_t body_size) {
    head_.clear();
    fmt::format_to(std::back_inserter(head_), "HTTP/1.1 {} {}\r\n", answer_.status, ReasonOf(answer_.status));
    for (const auto& [name, value] : answer_.headers) {
      head_.append(name).append(": ").append(value).append("\r\n");
    }
    if (answer_.lines) head_ += *answer_.lines;
    if (answer_.framing == Answer::Framing::kChunked) {
      head_ += "Transfer-Encoding: chunked\r\n";
    } else if (answer_.framing == Answer::Framing::kLength && answer_.status != 204 &&
               answer_.status != 304) {
      fmt::format_to(std::back_inserter(head_), "Content-Length: {}\r\n",
                     answer_.claimed_length.value_or(body_size));
    }
    head_.append("Date: ").append(impl_.date.Of(impl_.clock.Now()));
    head_ += keep_ ? "\r\nConnection: keep-alive\r\n\r\n" : "\r\nConnection: close\r\n\r\n";
  }

  void WaitForPiece() { WaitThen(answer_.trickle_pause, &Session::SendPiece); }

  void SendPiece() {
    const bool chunked = answer_.framing == Answer::Framing::kChunked;
    const std::string_view piece = rest_.substr(0, piece_);
    rest_.remove_prefix(piece.size());
    std::vector<asio::const_buffer> parts;
    if (chunked && !piece.empty()) {
      chunk_ = fmt::format("{:x}\r\n", piece.size());
      parts.emplace_back(asio::buffer(chunk_));
    }
    parts.emplace_back(piece.data(), piece.size());
    if (chunked && !piece.empty()) parts.emplace_back(asio::buffer("\r\n", 2));
    if (!rest_.empty()) return Write(parts, &Session::WaitForPiece);
    if (chunked && !answer_.cut_body_after) parts.emplace_back(asio::buffer("0\r\n\r\n", 5));
    Write(parts, &Session::End);
  }

  // What the buffers point to stays as it is until `next`.
  void Write(const std::vector<asio::const_buffer>& parts, void (Session::*next)()) {
    asio::async_write(socket_, parts, [self = shared_from_this(), next](error_code error, std::size_t n) {
      self->impl_.stats.bytes_sent += n;
      if (!error) ((*self).*next)();
    });
  }

  void End() {
    switch (answer_.ending) {
      case Answer::Ending::kKeep:
        if (keep_) {
          answer_ = Answer{};
          ended_ = begun_ = impl_.clock.Mono();
          return Start();
        }
        [[fallthrough]];
      case Answer::Ending::kClose: {
        error_code ignored;
        socket_.shutdown(tcp::socket::shutdown_send, ignored);
        return Drain();
      }
      case Answer::Ending::kReset: {
        error_code ignored;
        socket_.set_option(asio::socket_base::linger(true, 0), ignored);
        return Close();
      }
      case Answer::Ending::kHang:
        return WaitThen(answer_.hang, &Session::Close);
    }
  }

  // Reads on until the client closes too, a second at most: closing with unread bytes would send a RST, which
  // can overtake the answer (RFC 9112 section 9.6).
  void Drain() {
    timer_.expires_after(std::chrono::seconds(1));
    timer_.async_wait([weak = weak_from_this()](error_code error) {
      if (const auto self = weak.lock(); self && !error) self->Close();
    });
    DrainMore();
  }

  void DrainMore() {
    input_.resize(kReadSize);
    socket_.async_read_some(asio::buffer(input_), [self = shared_from_this()](error_code error, std::size_t) {
      if (!error) return self->DrainMore();
      self->Close();
    });
  }

  // What the timer ends while a request is waited for.
  enum class Limit : std::uint8_t { kNone, kIdle, kRequest };

  Impl& impl_;
  tcp::socket socket_;
  asio::steady_timer timer_;
  Limit limit_ = Limit::kNone;
  bool reading_ = false;  // the loop tells when there is something to read
  std::optional<beast::http::request_parser<beast::http::string_body>> parser_;
  std::string input_;
  std::size_t used_ = 0, filled_ = 0;  // of input_: parsed, read
  MonoTime ended_{}, begun_{};         // the last answer, the request after it
  ServerRequest request_;
  Answer answer_;
  bool keep_ = false, head_only_ = false, waiting_ = false;
  std::string head_, chunk_;
  std::string_view rest_;  // of the body: not sent yet
  std::size_t piece_ = 0;
};

void Server::Impl::Opened(Session& session) {
  const int limit = options.connections_per_address;
  // At the limit a client that was killed a moment ago must not count any more.
  if (const auto peer = peers.find(session.address());
      limit > 0 && peer != peers.end() && peer->second.open >= limit) {
    for (Session* other : sessions) {
      if (other->address() == session.address() && other->PeerHasLeft()) Left(*other);
    }
  }
  if (options.replace_oldest) MakeRoom(session.address());
  session.turn = ++turns;
  sessions.insert(&session);
  Peer& peer = peers[session.address()];
  ++stats.connections;
  stats.peak_open = std::max(stats.peak_open, ++stats.open);
  peer.peak = std::max(peer.peak, ++peer.open);
  stats.peak_per_address = std::max(stats.peak_per_address, peer.peak);
  if (limit > 0 && peer.open > limit) {
    ++stats.excess_connections;
    session.SetOverLimit();
  }
}

void Server::Impl::MakeRoom(const std::string& address) {
  const auto peer = peers.find(address);
  if (options.connections_per_address == 0 || peer == peers.end() ||
      peer->second.open < options.connections_per_address) {
    return;
  }
  Session* oldest = nullptr;
  for (Session* other : sessions) {
    const bool counts = other->counted && other->address() == address;
    if (counts && (oldest == nullptr || other->turn < oldest->turn)) oldest = other;
  }
  Left(*oldest);
  oldest->Close();
}

void Server::Impl::Left(Session& session) {
  if (!session.counted) return;
  session.counted = false;
  --stats.open;
  const auto peer = peers.find(session.address());
  if (--peer->second.open == 0) peers.erase(peer);
}

void Server::Impl::Accept() {
  acceptor.async_accept([this](error_code error, tcp::socket socket) {
    if (stopping) return;
    if (error) {
      // Out of descriptors, most likely: others may close.
      retry.expires_after(std::chrono::milliseconds(10));
      retry.async_wait([this](error_code cancelled) {
        if (!cancelled) Accept();
      });
      return;
    }
    error_code ignored;
    const std::string address = socket.remote_endpoint(ignored).address().to_string();
    socket.set_option(tcp::no_delay(true), ignored);
    socket.native_non_blocking(true, ignored);
    const auto session = std::make_shared<Session>(*this, std::move(socket), address);
    if (!(session->over_limit() && options.close_excess)) session->Start();
    Accept();
  });
}

Server::Server(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Server::~Server() = default;

Result<std::unique_ptr<Server>> Server::Listen(ServerOptions options, const Clock& clock, Handler handler) {
  auto impl = std::make_unique<Impl>(std::move(options), clock, std::move(handler));
  const std::string where = fmt::format("{}:{}", impl->options.address, impl->options.port);
  error_code error;
  const auto address = asio::ip::make_address(impl->options.address, error);
  if (error) return Fail(ErrorCode::kInvalid, "listen on {}: not an IP address", where);
  const tcp::endpoint endpoint(address, impl->options.port);
  auto& acceptor = impl->acceptor;
  acceptor.open(endpoint.protocol(), error);
  if (!error) acceptor.set_option(tcp::acceptor::reuse_address(true), error);
  // Every connection inherits it. The kernel begins to stamp a moment after the first socket that asks.
  const int on = 1;
  if (!error) ::setsockopt(acceptor.native_handle(), SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on);
  if (!error) acceptor.bind(endpoint, error);
  if (!error) acceptor.listen(1024, error);
  if (error) {
    const auto is = [&](auto one) { return error == one; };
    if (is(asio::error::address_in_use))
      return Fail(ErrorCode::kExists, "listen on {}: the port is in use", where);
    if (is(boost::system::errc::address_not_available))
      return Fail(ErrorCode::kInvalid, "listen on {}: not an address of this machine", where);
    const bool asked_wrong = is(asio::error::access_denied) || is(asio::error::address_family_not_supported);
    return Fail(asked_wrong ? ErrorCode::kInvalid : ErrorCode::kIo, "listen on {}: {}", where,
                error.message());
  }
  impl->port = acceptor.local_endpoint(error).port();
  return std::unique_ptr<Server>(new Server(std::move(impl)));
}

std::uint16_t Server::port() const {
  return impl_->port;
}

void Server::Run() {
  impl_->Accept();
  impl_->io.run();
}

void Server::Stop() {
  asio::post(impl_->io, [impl = impl_.get()] {
    impl->stopping = true;
    error_code ignored;
    impl->acceptor.close(ignored);
    impl->retry.cancel();
    // Closing a session may end it, which takes it out of the set.
    const std::vector<Impl::Session*> open(impl->sessions.begin(), impl->sessions.end());
    for (Impl::Session* session : open) session->Close();
  });
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

// NOLINTEND(bugprone-unused-return-value)
