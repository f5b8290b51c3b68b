// SPDX-License-Identifier: MIT
#include "http/connection_places.h"

// Not <netinet/tcp.h>: its tcp_info lacks the counter of acknowledged bytes.
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace tmdbc::http {
namespace {

constexpr Duration kBrokenLinger = std::chrono::seconds(1);
constexpr Duration kClosedLinger = std::chrono::milliseconds(50);

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

}  // namespace

ConnectionPlaces::~ConnectionPlaces() {
  for (const Place& place : held_) {
    if (place.fd >= 0) ::close(place.fd);
  }
}

int ConnectionPlaces::Open(int family, int type, int protocol) {
  const int fd = ::socket(family, type | SOCK_CLOEXEC, protocol);
  if (fd >= 0) ++open_;
  return fd;
}

void ConnectionPlaces::Close(int fd) {
  --open_;
  if (ending_ || !WasEstablished(fd)) {
    ::close(fd);
    return;
  }
  ::shutdown(fd, SHUT_WR);
  held_.push_back({fd, clock_.Mono() + kBrokenLinger});
}

int ConnectionPlaces::Held() const {
  if (held_.empty()) return 0;
  const MonoTime now = clock_.Mono();
  return int(std::ranges::count_if(held_, [&](const Place& place) { return place.until > now; }));
}

void ConnectionPlaces::Reap() {
  if (held_.empty()) return;
  const MonoTime now = clock_.Mono();
  std::erase_if(held_, [&](Place& place) {
    if (place.fd >= 0 && (now >= place.until || PeerHasClosed(place.fd))) {
      ::close(std::exchange(place.fd, -1));
      place.until = std::min(place.until, now + kClosedLinger);
    }
    return now >= place.until;
  });
}

void ConnectionPlaces::BrokeSince(std::size_t mark) {
  const MonoTime until = clock_.Mono() + kBrokenLinger;
  for (std::size_t i = mark; i < held_.size(); ++i) {
    // Closed for good, so that a peer that is still sending learns of it now.
    if (held_[i].fd >= 0) ::close(std::exchange(held_[i].fd, -1));
    held_[i].until = until;
  }
}

}  // namespace tmdbc::http
