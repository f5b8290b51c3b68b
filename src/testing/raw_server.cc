// SPDX-License-Identifier: MIT
#include "testing/raw_server.h"

#include <arpa/inet.h>
#include <fmt/core.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <utility>

namespace tmdbc::testing {
namespace {

// A socket bound to a free port of 127.0.0.1.
int BoundSocket(std::uint16_t& port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof(address);
  auto* const plain = reinterpret_cast<sockaddr*>(&address);
  if (fd < 0 || ::bind(fd, plain, length) != 0 || ::getsockname(fd, plain, &length) != 0) std::abort();
  port = ntohs(address.sin_port);
  return fd;
}

}  // namespace

std::uint16_t ClosedPort() {
  std::uint16_t port = 0;
  ::close(BoundSocket(port));
  return port;
}

std::optional<std::string> RawServer::Connection::ReadRequest() {
  for (;;) {
    if (const auto end = unread_.find("\r\n\r\n"); end != std::string::npos) {
      std::string head = unread_.substr(0, end + 4);
      unread_.erase(0, end + 4);
      return head;
    }
    char buffer[4096];
    const ssize_t n = ::recv(fd_, buffer, sizeof(buffer), 0);
    if (n <= 0) return std::nullopt;
    unread_.append(buffer, std::size_t(n));
  }
}

std::string RawServer::Connection::ReadBody(std::size_t size) {
  char buffer[4096];
  while (unread_.size() < size) {
    const ssize_t n = ::recv(fd_, buffer, sizeof(buffer), 0);
    if (n <= 0) break;
    unread_.append(buffer, std::size_t(n));
  }
  std::string body = unread_.substr(0, size);
  unread_.erase(0, size);
  return body;
}

void RawServer::Connection::Send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (n <= 0) return;
    bytes.remove_prefix(std::size_t(n));
  }
}

void RawServer::Connection::Answer(std::string_view body, std::string_view more_headers,
                                   std::string_view status) {
  Send(fmt::format("HTTP/1.1 {}\r\nContent-Length: {}\r\n{}\r\n{}", status, body.size(), more_headers, body));
}

void RawServer::Connection::WaitForClose() {
  char buffer[4096];
  while (::recv(fd_, buffer, sizeof(buffer), 0) > 0) {
  }
}

void RawServer::Connection::Close() {
  const std::lock_guard lock(mutex_);
  if (fd_ >= 0) ::close(std::exchange(fd_, -1));
}

void RawServer::Connection::Reset() {
  const linger now{1, 0};
  ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
  Close();
}

RawServer::RawServer(Script script, ConnectionCount* count)
    : script_(std::move(script)), count_(count ? *count : own_count_), listener_(BoundSocket(port_)) {
  if (::listen(listener_, 128) != 0) std::abort();
  acceptor_ = std::jthread([this] { AcceptLoop(); });
}

RawServer::~RawServer() {
  ending_ = true;
  ::shutdown(listener_, SHUT_RDWR);
  acceptor_.join();
  {
    const std::lock_guard lock(mutex_);
    for (const auto& connection : connections_) {
      const std::lock_guard guard(connection->mutex_);
      if (connection->fd_ >= 0) ::shutdown(connection->fd_, SHUT_RDWR);
    }
  }
  threads_.clear();
  ::close(listener_);
}

std::string RawServer::url() const {
  return fmt::format("http://127.0.0.1:{}", port_);
}

void RawServer::AcceptLoop() {
  for (;;) {
    const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (ending_ || fd < 0) {
      if (fd >= 0) ::close(fd);
      return;
    }
    const int on = 1;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    ++accepted_;
    const int open = ++count_.open;
    for (int peak = count_.peak; open > peak && !count_.peak.compare_exchange_weak(peak, open);) {
    }
    const std::lock_guard lock(mutex_);
    Connection* const connection = connections_.emplace_back(std::make_unique<Connection>(fd)).get();
    threads_.emplace_back([this, connection] {
      script_(*connection);
      connection->Close();
      --count_.open;
    });
  }
}

}  // namespace tmdbc::testing
