// SPDX-License-Identifier: MIT
#include "http/server.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <map>
#include <mutex>
#include <unordered_map>
#include <utility>

#include "base/descriptor.h"
#include "http/server_session.h"

namespace tmdbc::http {
namespace {

constexpr int kAcceptsAtOnce = 64;
constexpr Duration kAcceptAgain = std::chrono::milliseconds(10);
// What epoll tells us of: these, or the id of a session. A timer of kListenerId: time to accept again.
constexpr std::uint64_t kListenerId = 0, kWakeId = 1;

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

struct Server::Impl final : SessionHost {
  using SessionHost::SessionHost;

  // The connections of one address.
  struct Peer {
    int open = 0;
    int peak = 0;
  };

  void Closed(ServerSession& session) override;
  Result<void> Listen();
  void Loop();
  void AcceptAll();
  void Admit(int socket, const sockaddr_storage& address);
  void MakeRoom(const std::string& address);
  // One connection fewer that counts: of `address`, or of all when it is empty.
  void CloseOldest(const std::string& address);
  // It no longer counts as open.
  void Left(ServerSession& session);
  void WatchListener(bool on);
  int Timeout() const;
  void FireTimers();
  void TakePosted();
  void BeginDrain(Duration patience);
  void Wake() const;

  std::uint16_t port = 0;

  Descriptor epoll, listener, wake;

  // Guarded by mutex: what other threads want.
  std::mutex mutex;
  std::vector<std::function<void()>> posted;

  // Loop thread only, as what SessionHost has.
  bool stopping = false;
  MonoTime drain_until = kNever;  // draining, when it is not kNever
  std::uint64_t last_id = kWakeId;
  std::map<std::string, Peer> peers;
  std::unordered_map<std::uint64_t, std::unique_ptr<ServerSession>> sessions;
  std::vector<std::unique_ptr<ServerSession>> graveyard;  // closed; events of this round may still name them
};

void Server::Impl::Admit(int socket, const sockaddr_storage& peer_address) {
  const std::string address = AddressOf(peer_address);
  const int limit = options.connections_per_address;
  // At the limit a client that was killed a moment ago must not count any more.
  if (const auto peer = peers.find(address); limit > 0 && peer != peers.end() && peer->second.open >= limit) {
    for (auto& [id, other] : sessions) {
      if (other->address() == address && other->PeerHasLeft()) Left(*other);
    }
  }
  MakeRoom(address);
  auto made = std::make_unique<ServerSession>(*this, ++last_id, socket, address);
  ServerSession& session = *made;
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
  ServerSession* oldest = nullptr;
  for (auto& [id, other] : sessions) {
    const bool counts = other->counted && (address.empty() || other->address() == address);
    if (counts && (oldest == nullptr || other->turn < oldest->turn)) oldest = other.get();
  }
  if (oldest != nullptr) oldest->Close();
}

void Server::Impl::Left(ServerSession& session) {
  if (!session.counted) return;
  session.counted = false;
  --stats.open;
  const auto peer = peers.find(session.address());
  if (--peer->second.open == 0) peers.erase(peer);
}

void Server::Impl::Closed(ServerSession& session) {
  Left(session);
  if (const auto found = sessions.find(session.id()); found != sessions.end()) {
    graveyard.push_back(std::move(found->second));
    sessions.erase(found);
  }
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
