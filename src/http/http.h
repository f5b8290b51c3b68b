// SPDX-License-Identifier: MIT
// HTTP as values, and the transport port. A status is a value, not an error: the caller decides what it means.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace tmdbc::http {

using Header = std::pair<std::string, std::string>;

enum class Method : std::uint8_t { kGet, kHead, kPut, kPost, kDelete };
std::string_view NameOf(Method method);  // "GET": a literal, so a NUL is behind it

// What a PUT or a POST sends: `bytes`, or what `pull` gives. Its length is stated; it is never
// sent in chunks.
struct Upload {
  // Must outlive the request.
  std::string_view bytes;
  // When set, called for one piece after the other until `length` bytes have come: fills the front of `room`
  // and says how many it filled. 0 before the end ends the transfer (kAborted).
  std::function<std::size_t(std::span<char> room)> pull;
  std::uint64_t length = 0;

  std::uint64_t size() const { return pull ? length : bytes.size(); }
};

struct Request {
  Method method = Method::kGet;
  // Without secrets: this is what logs and errors print.
  std::string url;
  // Appended to the query of `url` on the wire only ("api_key=..."); empty for none.
  std::string secret_query;
  // May hold secrets (Authorization); never printed.
  std::vector<Header> headers;
  Upload upload;
  // Not on a connection that has carried a request before.
  bool fresh_connection = false;
  // From start to the last byte. A transfer slower than 1 B/s for 20 s is given up earlier.
  std::chrono::milliseconds timeout{30'000};
  // More bytes than this on the wire is kTooLarge.
  std::uint64_t max_body = 64 << 20;
  // When set, the body of a 200 goes here piece by piece as it comes and Response::body stays empty;
  // returning false ends the transfer (kAborted). Other statuses fill `body` as usual.
  std::function<bool(std::string_view)> sink;
};

struct Response {
  int status = 0;
  std::vector<Header> headers;
  // As it came: Content-Encoding is not undone here (see DecodeBody in http/body.h).
  std::string body;

  // The value of the first header of that name, compared without case; empty when absent.
  std::string_view header(std::string_view name) const;
};

enum class TransportFailure : std::uint8_t {
  kConnect,    // name, connection or TLS failed or took too long: nothing was sent
  kUntrusted,  // the other side's certificate is not trusted: nothing was sent, trying again will not help
  kTimeout,    // it was sent and the answer took too long, or no connection became free
  kReset,      // the connection broke, or the framing of the answer was wrong or cut short
  kTooLarge,   // more than max_body
  kAborted,    // cancelled by us: Cancel() or the sink
};

using RequestId = std::uint64_t;

struct Outcome {
  RequestId id = 0;
  // Exactly one of the two.
  std::optional<Response> response;
  std::optional<TransportFailure> failure;
  std::string failure_text;  // for people: "connect to 127.0.0.1:8080: Connection refused"
  Hint failure_hint = Hint::kNone;
  // With kReset: the connection had carried a request before and broke before the first byte of this answer.
  // The server had most likely closed it while it was idle, so that this says nothing about the request: ask
  // again at once, on a fresh connection.
  bool stale_connection = false;
  std::uint64_t bytes_received = 0;
  MonoTime started{}, finished{};
};

// The transport port. One thread: the one loop that starts, waits and settles.
class HttpTransport {
 public:
  virtual ~HttpTransport() = default;

  // Starts a request. Never blocks; requires Room() > 0. The outcome comes from a later Wait().
  // `on_send` (may be empty) is called from within Start() or Wait() at the moment when the request is about
  // to go on the wire, after any connecting: the rate limiter counts from there.
  virtual RequestId Start(Request request, std::function<void()> on_send) = 0;

  // Waits until at least one outcome is there or `deadline` has passed, and returns all that are there (maybe
  // none). With nothing under way it still waits: this is where the program sleeps. Also returns early after
  // Wake().
  virtual std::vector<Outcome> Wait(MonoTime deadline) = 0;

  // How many more may be started now. A connection that broke keeps its place for a second: the peer may
  // still count it.
  virtual int Room() const = 0;
  virtual int InFlight() const = 0;

  // Ends a request; its outcome (kAborted) comes from the next Wait().
  virtual void Cancel(RequestId id) = 0;
};

// Without the scheme's credentials, query secrets are never part of a url here; this keeps only what a person
// needs: the path and query, cut to 200 bytes.
std::string Shown(std::string_view url);

}  // namespace tmdbc::http
