// SPDX-License-Identifier: MIT
#include "base/service_notify.h"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstring>

namespace tmdbc {
namespace {

// So long a process that stops may take from now on, and so often it says so.
constexpr std::chrono::seconds kExtendBy{60}, kExtendEvery{10};

std::optional<std::int64_t> NumberOf(const char* text) {
  if (text == nullptr) return std::nullopt;
  std::int64_t number = 0;
  const char* const end = text + std::strlen(text);
  const auto [stop, error] = std::from_chars(text, end, number);
  if (error != std::errc() || stop != end) return std::nullopt;
  return number;
}

// A datagram socket that is connected to `path`; a leading @ is for the abstract name space. -1 when that
// cannot be.
int ConnectTo(std::string_view path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() < 2 || path.size() >= sizeof(address.sun_path) || (path[0] != '/' && path[0] != '@'))
    return -1;
  std::ranges::copy(path, address.sun_path);
  if (path[0] == '@') address.sun_path[0] = '\0';
  // An abstract name has no terminator: its length ends it. A path has one, the zero behind it.
  const std::size_t length = offsetof(sockaddr_un, sun_path) + path.size() + (path[0] == '/' ? 1 : 0);
  const int fd = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return -1;
  if (::connect(fd, reinterpret_cast<const sockaddr*>(&address), socklen_t(length)) == 0) return fd;
  ::close(fd);
  return -1;
}

}  // namespace

ServiceNotify::ServiceNotify(const char* (*getenv)(const char* name), long pid) {
  const char* const path = getenv("NOTIFY_SOCKET");
  if (path == nullptr) return;
  socket_ = ConnectTo(path);
  const auto watched = NumberOf(getenv("WATCHDOG_PID"));
  const auto limit = NumberOf(getenv("WATCHDOG_USEC"));
  if (limit && *limit > 0 && watched.value_or(pid) == pid) alive_every_ = Duration(*limit / 2);
}

ServiceNotify::~ServiceNotify() {
  if (socket_ >= 0) ::close(socket_);
}

void ServiceNotify::Ready() {
  Send("READY=1");
}

void ServiceNotify::Status(std::string_view text) {
  if (text == status_) return;
  status_ = text;
  std::string line = fmt::format("STATUS={}", text);
  std::ranges::replace(line, '\n', ' ');
  Send(line);
}

void ServiceNotify::Reloading(MonoTime now) {
  // The time tells the manager of systemd 253 and later that this answers its own signal.
  Send(fmt::format("RELOADING=1\nMONOTONIC_USEC={}", now.time_since_epoch().count()));
}

void ServiceNotify::Stopping() {
  Send("STOPPING=1");
  extend_next_ = MonoTime{};
}

void ServiceNotify::Alive(MonoTime now) {
  if (extend_next_ && now >= *extend_next_) {
    extend_next_ = now + kExtendEvery;
    Send(fmt::format("EXTEND_TIMEOUT_USEC={}", Duration(kExtendBy).count()));
  }
  if (!alive_every_ || (alive_next_ && now < *alive_next_)) return;
  alive_next_ = now + *alive_every_;
  Send("WATCHDOG=1");
}

void ServiceNotify::Send(std::string_view lines) {
  if (socket_ >= 0) (void)::send(socket_, lines.data(), lines.size(), MSG_NOSIGNAL);
}

}  // namespace tmdbc
