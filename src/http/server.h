// SPDX-License-Identifier: MIT
// Server: HTTP/1.1 (RFC 9112), plain or over TLS: the simulated TMDB, and what we serve ourselves. One thread runs
// the loop (epoll) and calls the handler; the handler answers with a value that says when and how the bytes go out,
// down to how a connection is broken. No compression: bodies are shared, immutable and sent as they are.
//
// What is not a request, or could be read in two ways, is refused and its connection closed (request_head.h).
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "http/http.h"
#include "http/request_head.h"

namespace tmdbc::http {

class TlsContext;

struct ServerRequest {
  std::string method;
  std::string target;  // as it came: path and query, not decoded; of an absolute URL what follows the host
  std::vector<Header> headers = {};
  std::string body = {};          // at most ServerOptions::max_request_body
  std::string peer_address = {};  // without the port
  // When the last byte of the request reached this machine, by the kernel's stamp where it gives one: a loop
  // that was busy does not make requests look closer together than they came.
  MonoTime received{};
  // The connection is one more than ServerOptions::connections_per_address allows. It is closed after the
  // answer.
  bool over_connection_limit = false;
  // How many requests this connection had brought before, and how long nothing had come on it.
  std::uint64_t earlier = 0;
  Duration idle{};
  // The Host header, or the host of an absolute URL.
  std::string host = {};
  // For Server::Complete().
  std::uint64_t ticket = 0;
  // Requests of one round had all begun to come before the first of them was handed over: what is looked up for that
  // one is new enough for all. 0: nothing is known of this one.
  std::uint64_t round = 0;

  // The value of the first header of that name, compared without case; empty when absent.
  std::string_view header(std::string_view name) const;
};

struct Answer {
  enum class Framing : std::uint8_t { kLength, kChunked, kUntilClose };
  // What happens to the connection when the bytes are out.
  enum class Ending : std::uint8_t {
    kKeep,   // stays open, unless the client asked otherwise
    kClose,  // closed in good order
    kReset,  // RST: what was not read yet may be lost
    kHang,   // nothing more, for `hang`; then closed
  };

  int status = 200;
  // Date, Connection and the framing headers are added.
  std::vector<Header> headers = {};
  std::shared_ptr<const std::string> body = nullptr;  // null: none
  // Further headers, ready made: lines that end in CRLF each.
  std::shared_ptr<const std::string> lines = nullptr;
  Framing framing = Framing::kLength;
  // Before the first byte. Server::Complete() may bring another answer meanwhile.
  Duration delay{};

  // Rudeness, for tests.
  Ending ending = Ending::kKeep;
  Duration hang{};
  bool silent = false;                               // nothing goes out at all, only `ending` happens
  std::optional<std::string> raw = {};               // goes out instead of status line, headers and body
  std::optional<std::uint64_t> claimed_length = {};  // what Content-Length says instead of the truth
  std::optional<std::size_t> cut_body_after =
      {};  // so many body bytes, framing left unfinished, then `ending`
  // When set, the body goes out in this many pieces with this pause before each.
  std::size_t trickle_pieces = 0;
  Duration trickle_pause{};
};

struct ServerOptions {
  std::string address = "127.0.0.1";
  std::uint16_t port = 0;  // 0: any free one
  // Connections open at once from one address; 0 = no limit. The next one is closed without an answer, or its
  // first request is handed over with over_connection_limit set.
  int connections_per_address = 0;
  // From all addresses; the next one takes the place of the one that has gone for longest without a whole request.
  // 0 = no limit.
  int connections = 0;
  bool close_excess = false;
  // Instead, the new one takes the place of the one from its address that has gone for longest without a
  // whole request: a client that holds connections open keeps nobody out.
  bool replace_oldest = false;
  // A connection on which no byte comes for so long after it opened, or after the last answer, is closed in
  // good order: a client that sends just then has to send again, as RFC 9112 section 9.5 expects of it.
  Duration idle_limit = std::chrono::minutes(15);
  // From the first byte of a request to its last; then it is answered 408 and the connection closed.
  Duration request_limit = std::chrono::seconds(30);
  // From the first byte of an answer, or of a piece of one, to its last: a slower reader is cut off.
  Duration write_limit = std::chrono::minutes(15);
  RequestHeadLimits head = {};
  std::size_t max_request_body = 1 << 20;
  // ServerRequest::received is the kernel's stamp; costs about a microsecond a request.
  bool stamp_arrivals = true;
  // Set: TLS.
  std::shared_ptr<TlsContext> tls = nullptr;
  // Told of each request that never reached the handler: its status, and why. From the loop.
  std::function<void(int status, std::string_view why, const std::string& peer_address)> refused = {};
};

struct ServerStats {
  std::uint64_t connections = 0;  // accepted in all
  std::uint64_t excess_connections = 0;
  std::uint64_t bytes_sent = 0;
  int open = 0;
  int peak_open = 0;
  // The most that any one address had open at once, the excess counted in.
  int peak_per_address = 0;
};

class Server {
 public:
  // Must not block: the loop waits for it.
  using Handler = std::function<Answer(const ServerRequest&)>;

  // Binds and listens; connections wait until Run(). kExists when the port is taken, kInvalid for an address
  // that is none, is not this machine's, or may not be listened at.
  static Result<std::unique_ptr<Server>> Listen(ServerOptions options, const Clock& clock, Handler handler);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  std::uint16_t port() const;

  // Serves until Stop() or the end of Drain(); then every connection is closed. Once.
  void Run();
  // Any thread, also before Run() and more than once. Not from a signal handler.
  void Stop();
  // As Stop(), but what is being received or answered has until then to end in good order; new connections are refused
  // at once and idle ones closed.
  void Drain(Duration patience);
  // The loop calls it as soon as it can; dropped when it has ended. Any thread.
  void Post(std::function<void()> work);
  // Sends `answer` to the request of that ticket, whose first answer has a delay that is not over: that one is dropped.
  // Nothing happens when it is over or the client has left. From the loop.
  void Complete(std::uint64_t ticket, Answer answer);

  // From the handler, or while Run() is not running.
  ServerStats stats() const;
  // Counts begin again; peaks begin at what is open now.
  void ResetStats();

 private:
  struct Impl;
  explicit Server(std::unique_ptr<Impl> impl);

  std::unique_ptr<Impl> impl_;
};

}  // namespace tmdbc::http
