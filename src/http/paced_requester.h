// SPDX-License-Identifier: MIT
// PacedRequester: every request to TMDB's API goes through one of these. It stands on the transport and
// the rate limiter and knows what both need of each other: a slot is taken before a request
// starts, counts from the moment when it goes on the wire, and is free again when it never did. A 429 makes
// everyone wait. A request that met a connection which the server had closed while it was idle is asked again
// at once on a fresh one, within the rate, and nobody hears of it.
//
// What an answer means, what is tried again and when to give up is the caller's. One thread; what was started
// here must be waited for here. The transport may be shared with others, as long as they do not wait at the
// same time.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <random>
#include <vector>

#include "base/clock.h"
#include "base/rate_limiter.h"
#include "http/http.h"

namespace tmdbc::http {

class PacedRequester {
 public:
  // After a 429 nothing goes for less, whatever Retry-After says (0 is common), nor for more.
  static constexpr Duration kShortestPause = std::chrono::milliseconds(500);
  static constexpr Duration kLongestPause = std::chrono::minutes(5);

  // All references outlive the requester.
  PacedRequester(const Clock& clock, HttpTransport& transport, RateLimiter& limiter, std::mt19937_64& random);
  PacedRequester(const PacedRequester&) = delete;
  PacedRequester& operator=(const PacedRequester&) = delete;

  // When the next request may go: at or before Mono() for now, MonoTime::max() when an outcome has to come
  // first. May move; ask again after each Wait().
  MonoTime NextSlot() const;
  // Requires NextSlot() <= Mono(). The id is that of the request's one outcome.
  RequestId Start(Request request);
  // As HttpTransport::Wait(): until there is an outcome of what was started here, or `deadline`, or earlier
  // for no reason.
  std::vector<Outcome> Wait(MonoTime deadline);
  // Its outcome (kAborted) comes from a later Wait(), unless another came first.
  void Cancel(RequestId id);
  // Cancels all and waits until nothing of it is in the transport; what came of it is dropped.
  void CancelAll();
  int InFlight() const { return static_cast<int>(flights_.size() + again_.size()); }

  // An answer was 429 and is not the fault of what was asked for: nothing goes for as long as it says
  // (Retry-After and up to half a second more, so that not everyone comes back at once), else for an
  // exponential backoff with full jitter. Returns the pause, or nothing when the answer belongs to a pause
  // that is under way.
  std::optional<Duration> Throttled(const Response& response);
  MonoTime paused_until() const { return paused_until_; }
  // Something useful was answered: the next 429 begins a new storm.
  void Useful() { storms_ = 0; }

  // Since it was made.
  std::int64_t sent() const { return sent_; }
  std::int64_t throttled() const { return throttled_; }

  // Requests a second that may go now, and that are allowed (RateLimiter).
  double pace() const { return limiter_.pace(); }
  std::size_t together() const { return limiter_.together(); }
  double requests_per_second() const { return limiter_.requests_per_second(); }

 private:
  struct Flight {
    RequestId id;  // by which the caller knows it: that of its first start
    RateLimiter::Ticket ticket;
    Request request;  // to ask again
  };

  RequestId Send(Request request, RateLimiter::Ticket ticket);
  void SendAgain();
  void Settle(Outcome outcome);

  // Constant after construction.
  const Clock& clock_;
  HttpTransport& transport_;
  RateLimiter& limiter_;
  std::mt19937_64& random_;

  std::map<RequestId, Flight> flights_;  // by the transport's id
  std::vector<Flight> again_;            // met a stale connection: they take the next slots
  std::vector<Outcome> settled_;         // for the Wait() under way, or the next one

  int storms_ = 0;  // pauses since the last useful answer
  MonoTime paused_until_{};
  std::int64_t sent_ = 0;
  std::int64_t throttled_ = 0;
};

}  // namespace tmdbc::http
