// SPDX-License-Identifier: MIT
// ConnectionStream: the bytes of a connection that a server accepted, plain or over TLS. Nothing blocks. One thread,
// which keeps SIGPIPE out: OpenSSL writes without MSG_NOSIGNAL.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/descriptor.h"
#include "http/tls_context.h"

namespace tmdbc::http {

class ConnectionStream {
 public:
  // What Receive() and Send() return beside a number of bytes.
  static constexpr ssize_t kEnd = 0, kNotNow = -1, kBroken = -2;

  // `socket` does not block, and is closed with it. `tls`: null for a plain one.
  ConnectionStream(int socket, const TlsContext* tls);
  ~ConnectionStream();
  ConnectionStream(const ConnectionStream&) = delete;
  ConnectionStream& operator=(const ConnectionStream&) = delete;

  int socket() const { return socket_.get(); }
  bool is_tls() const { return tls_; }

  // Before anything else over TLS.
  enum class Handshaken : std::uint8_t { kYes, kNotYet, kNo };
  // kNo: a client that spoke plain HTTP has been told so.
  Handshaken Handshake();

  // Some bytes, kEnd, kNotNow or kBroken.
  ssize_t Receive(char* bytes, std::size_t size);
  // Of a plain one. `arrived`: when the kernel had them, where the socket asked for that (SO_TIMESTAMPNS), else now.
  ssize_t ReceiveStamped(char* bytes, std::size_t size, const Clock& clock, MonoTime& arrived);
  // As much of `parts`, which are not empty, as goes out at once. After a kNotNow the same bytes have to come again.
  // `record` is room that connections share.
  ssize_t Send(std::span<const std::string_view> parts, std::string& record);
  // A few bytes while nothing else is on its way out, so that they fit; else they are lost.
  void SendNow(std::string_view bytes);

  // Below TLS: whether bytes, or the end, are there to be read.
  enum class Waiting : std::uint8_t { kBytes, kNothing, kGone };
  Waiting Peek() const;
  // Whether the client closed its side, as the kernel knows it: unread requests may stand before that.
  bool PeerHasLeft() const;

  // Nothing more is sent; what comes is to be thrown away.
  void ShutDown();
  Waiting ThrowAway();
  // By RST: what was not read yet may be lost.
  void Reset();
  void Close() { socket_.Close(); }

 private:
  ssize_t SendOverTls(std::span<const std::string_view> parts, std::string& record);
  ssize_t TlsResult(int result);

  Descriptor socket_;
  const bool tls_;
  SSL* ssl_ = nullptr;  // null over TLS: there was no memory for it
  bool broken_ = false;
};

}  // namespace tmdbc::http
