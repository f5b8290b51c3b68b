// SPDX-License-Identifier: MIT
#include "http/paced_requester.h"

#include <algorithm>
#include <utility>

#include "base/backoff.h"
#include "http/retry_after.h"

namespace tmdbc::http {

namespace {

constexpr Backoff kThrottleBackoff{.floor = PacedRequester::kShortestPause};

constexpr Duration kCancelTick = std::chrono::milliseconds(200);

}  // namespace

PacedRequester::PacedRequester(const Clock& clock, HttpTransport& transport, RateLimiter& limiter,
                               std::mt19937_64& random)
    : clock_(clock), transport_(transport), limiter_(limiter), random_(random) {}

MonoTime PacedRequester::NextSlot() const {
  if (!again_.empty() || transport_.Room() <= 0) return MonoTime::max();
  return limiter_.NextSlot();
}

RequestId PacedRequester::Start(Request request) {
  const RateLimiter::Ticket ticket = limiter_.Take();
  Request kept = request;
  const RequestId id = Send(std::move(request), ticket);
  flights_.emplace(id, Flight{.id = id, .ticket = ticket, .request = std::move(kept)});
  return id;
}

RequestId PacedRequester::Send(Request request, RateLimiter::Ticket ticket) {
  return transport_.Start(std::move(request), [this, ticket] {
    limiter_.Sent(ticket);
    ++sent_;
  });
}

void PacedRequester::SendAgain() {
  while (!again_.empty() && transport_.Room() > 0 && limiter_.NextSlot() <= clock_.Mono()) {
    Flight flight = std::move(again_.front());
    again_.erase(again_.begin());
    flight.ticket = limiter_.Take();
    const RequestId id = Send(flight.request, flight.ticket);
    flights_.emplace(id, std::move(flight));
  }
}

std::vector<Outcome> PacedRequester::Wait(MonoTime deadline) {
  SendAgain();
  if (!settled_.empty()) deadline = clock_.Mono();
  if (!again_.empty() && transport_.Room() > 0) deadline = std::min(deadline, limiter_.NextSlot());
  for (Outcome& outcome : transport_.Wait(deadline)) Settle(std::move(outcome));
  SendAgain();
  return std::exchange(settled_, {});
}

void PacedRequester::Settle(Outcome outcome) {
  auto node = flights_.extract(outcome.id);
  if (node.empty()) return;
  Flight& flight = node.mapped();
  limiter_.Unused(flight.ticket);
  // Only once: what breaks on a fresh connection is not an old one's fault.
  if (outcome.stale_connection && !flight.request.fresh_connection) {
    flight.request.fresh_connection = true;
    again_.push_back(std::move(flight));
    return;
  }
  if (outcome.response) {
    if (outcome.response->status == 429) {
      ++throttled_;
    } else {
      limiter_.Answered();
    }
  }
  outcome.id = flight.id;
  settled_.push_back(std::move(outcome));
}

void PacedRequester::Cancel(RequestId id) {
  const auto waits = std::ranges::find(again_, id, &Flight::id);
  if (waits != again_.end()) {
    again_.erase(waits);
    settled_.push_back({.id = id,
                        .response = {},
                        .failure = TransportFailure::kAborted,
                        .failure_text = {},
                        .started = clock_.Mono(),
                        .finished = clock_.Mono()});
    return;
  }
  const auto found =
      std::ranges::find_if(flights_, [id](const auto& entry) { return entry.second.id == id; });
  if (found != flights_.end()) transport_.Cancel(found->first);
}

void PacedRequester::CancelAll() {
  again_.clear();
  for (const auto& [id, flight] : flights_) transport_.Cancel(id);
  while (!flights_.empty()) {
    for (const Outcome& outcome : transport_.Wait(clock_.Mono() + kCancelTick)) {
      const auto node = flights_.extract(outcome.id);
      if (!node.empty()) limiter_.Unused(node.mapped().ticket);
    }
  }
  settled_.clear();
}

std::optional<Duration> PacedRequester::Throttled(const Response& response) {
  const MonoTime now = clock_.Mono();
  // The answers to what was in flight together are one storm.
  const bool begins = now >= paused_until_;
  if (begins) ++storms_;
  const auto asked = ParseRetryAfter(response.header("retry-after"), clock_.Now());
  Duration pause = kThrottleBackoff.Delay(std::max(storms_, 1), random_);
  if (asked && *asked > Duration(0)) {
    // Never less than asked, and not everyone at the same moment.
    const Duration more(std::uniform_int_distribution<std::int64_t>(0, kShortestPause.count())(random_));
    pause = std::max(std::min(*asked, kLongestPause) + more, kShortestPause);
  }
  paused_until_ = std::max(paused_until_, now + pause);
  limiter_.Throttled(pause);
  return begins ? std::optional(pause) : std::nullopt;
}

}  // namespace tmdbc::http
