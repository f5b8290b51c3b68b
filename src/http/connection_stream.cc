// SPDX-License-Identifier: MIT
#include "http/connection_stream.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

namespace tmdbc::http {
namespace {

// TLS gathers small parts: a record each would be a waste.
constexpr std::size_t kTlsRecord = 16 << 10;

bool WouldBlock(int error) {
  return error == EAGAIN || error == EWOULDBLOCK;
}

// What the kernel's stamp in `message` says of when its bytes came; now when there is none.
MonoTime Stamp(msghdr& message, const Clock& clock) {
  const MonoTime now = clock.Mono();
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

}  // namespace

ConnectionStream::ConnectionStream(int socket, const TlsContext* tls)
    : socket_(socket), tls_(tls != nullptr), ssl_(tls != nullptr ? tls->Open(socket) : nullptr) {
  const int on = 1;
  ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

ConnectionStream::~ConnectionStream() {
  SSL_free(ssl_);
}

ConnectionStream::Handshaken ConnectionStream::Handshake() {
  if (ssl_ == nullptr) return Handshaken::kNo;
  const int result = SSL_do_handshake(ssl_);
  if (result == 1) return Handshaken::kYes;
  const int error = SSL_get_error(ssl_, result);
  if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE) return Handshaken::kNotYet;
  if (ERR_GET_REASON(ERR_peek_error()) == SSL_R_HTTP_REQUEST) {
    constexpr std::string_view kPlain =
        "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nContent-Length: 28\r\nConnection: close\r\n\r\n"
        "this port speaks TLS: https\n";
    (void)!::send(socket(), kPlain.data(), kPlain.size(), MSG_NOSIGNAL);
  }
  ERR_clear_error();
  return Handshaken::kNo;
}

ssize_t ConnectionStream::Receive(char* bytes, std::size_t size) {
  if (tls_) return TlsResult(SSL_read(ssl_, bytes, int(size)));
  while (true) {
    const ssize_t n = ::recv(socket(), bytes, size, 0);
    if (n >= 0) return n;
    if (errno != EINTR) return WouldBlock(errno) ? kNotNow : kBroken;
  }
}

ssize_t ConnectionStream::ReceiveStamped(char* bytes, std::size_t size, const Clock& clock, MonoTime& arrived) {
  iovec part{bytes, size};
  alignas(cmsghdr) std::array<char, 64> control{};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  while (true) {
    const ssize_t n = ::recvmsg(socket(), &message, 0);
    if (n > 0) arrived = Stamp(message, clock);
    if (n >= 0) return n;
    if (errno != EINTR) return WouldBlock(errno) ? kNotNow : kBroken;
  }
}

ssize_t ConnectionStream::TlsResult(int result) {
  if (result > 0) return result;
  const int error = SSL_get_error(ssl_, result);
  ERR_clear_error();
  if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE) return kNotNow;
  broken_ = error != SSL_ERROR_ZERO_RETURN;
  return broken_ ? kBroken : kEnd;
}

ssize_t ConnectionStream::Send(std::span<const std::string_view> parts, std::string& record) {
  if (tls_) return SendOverTls(parts, record);
  std::array<iovec, 6> vectors;
  std::size_t count = 0;
  for (; count < parts.size() && count < vectors.size(); ++count)
    vectors[count] = {const_cast<char*>(parts[count].data()), parts[count].size()};
  msghdr message{};
  message.msg_iov = vectors.data();
  message.msg_iovlen = count;
  while (true) {
    const ssize_t n = ::sendmsg(socket(), &message, MSG_NOSIGNAL);
    if (n >= 0) return n;
    if (errno != EINTR) return WouldBlock(errno) ? kNotNow : kBroken;
  }
}

// After a kNotNow OpenSSL wants the same bytes: they follow from `parts` alone.
ssize_t ConnectionStream::SendOverTls(std::span<const std::string_view> parts, std::string& record) {
  std::string_view bytes = parts.front();
  if (bytes.size() < kTlsRecord && parts.size() > 1) {
    record.clear();
    for (const std::string_view part : parts) {
      record += part.substr(0, kTlsRecord - record.size());
      if (record.size() == kTlsRecord) break;
    }
    bytes = record;
  }
  const ssize_t n = TlsResult(SSL_write(ssl_, bytes.data(), int(std::min(bytes.size(), kTlsRecord))));
  return n == kEnd ? kBroken : n;
}

void ConnectionStream::SendNow(std::string_view bytes) {
  if (tls_) {
    (void)TlsResult(SSL_write(ssl_, bytes.data(), int(bytes.size())));
  } else {
    (void)!::send(socket(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
  }
}

ConnectionStream::Waiting ConnectionStream::Peek() const {
  char byte;
  const ssize_t n = ::recv(socket(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  if (n > 0) return Waiting::kBytes;
  return n < 0 && (WouldBlock(errno) || errno == EINTR) ? Waiting::kNothing : Waiting::kGone;
}

bool ConnectionStream::PeerHasLeft() const {
  tcp_info info{};
  socklen_t size = sizeof info;
  return ::getsockopt(socket(), IPPROTO_TCP, TCP_INFO, &info, &size) == 0 && info.tcpi_state != TCP_ESTABLISHED;
}

void ConnectionStream::ShutDown() {
  if (ssl_ != nullptr && !broken_) {
    SSL_shutdown(ssl_);
    ERR_clear_error();
  }
  ::shutdown(socket(), SHUT_WR);
}

ConnectionStream::Waiting ConnectionStream::ThrowAway() {
  std::array<char, 16 << 10> bytes;
  const ssize_t n = ::recv(socket(), bytes.data(), bytes.size(), MSG_DONTWAIT);
  if (n > 0) return Waiting::kBytes;
  return n < 0 && (WouldBlock(errno) || errno == EINTR) ? Waiting::kNothing : Waiting::kGone;
}

void ConnectionStream::Reset() {
  const linger at_once{.l_onoff = 1, .l_linger = 0};
  ::setsockopt(socket(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  Close();
}

}  // namespace tmdbc::http
