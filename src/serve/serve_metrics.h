// SPDX-License-Identifier: MIT
// ServeMetrics: numbers about what is served, and their text as Prometheus reads it. Counting takes some nanoseconds;
// any thread may ask for the text.
//
//   tmdbc_serve_requests_total{endpoint,status}     answered; endpoint: the first word of the path where it is known
//   tmdbc_serve_refused_total                       what was not a request
//   tmdbc_serve_kept_total                          answers that were there already
//   tmdbc_serve_bytes_total                         of bodies
//   tmdbc_serve_connections                         open now
//   tmdbc_serve_seconds{le}                         from the first byte of a request to its answer
//
// and of what is asked of TMDB because a client waits for it, when that is done:
//
//   tmdbc_serve_upstream_demands_total{outcome}     things that TMDB was asked for, by what came (DemandReply::What)
//   tmdbc_serve_upstream_pending                    of them under way
//   tmdbc_serve_upstream_waited_total               requests that waited for TMDB
//   tmdbc_serve_upstream_waiting                    of them now
//   tmdbc_serve_upstream_refused_total              requests that could not wait: too many did
//   tmdbc_serve_upstream_expired_total              requests that waited in vain
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "tmdb/demand.h"

namespace tmdbc::serve {

class ServeMetrics {
 public:
  void Count(std::string_view target, int status, std::uint64_t bytes, Duration took, bool kept);
  void CountRefused(int status);
  void SetConnections(int open) { connections_.store(open, std::memory_order_relaxed); }

  // --- what is fetched while a client waits; from here on the text tells of it ---
  void WithUpstream() { upstream_ = true; }
  void Demanded() { Raise(pending_, 1); }
  void Arrived(DemandReply::What what);
  void Waits() {
    Raise(waited_, 1);
    Raise(waiting_, 1);
  }
  void WaitsNoMore() { waiting_.fetch_sub(1, std::memory_order_relaxed); }
  void WaitedInVain() { Raise(expired_, 1); }
  void CouldNotWait() { Raise(not_waited_, 1); }

  std::string Text() const;

 private:
  static constexpr std::array<std::string_view, 17> kEndpoints = {
      "movie",   "tv",      "person",   "collection", "company", "network",       "keyword",       "search", "find",
      "discover", "trending", "genre", "configuration", "certification", "watch", "page", "other"};
  static constexpr std::array<int, 17> kStatuses = {200, 204, 304, 400, 401, 403, 404, 405,
                                                    408, 413, 414, 421, 422, 431, 500, 503, 504};
  static constexpr std::array<double, 12> kBounds = {0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005,
                                                     0.01,   0.025,   0.05,   0.1,   0.25,   1};
  using Number = std::atomic<std::uint64_t>;

  static std::size_t EndpointOf(std::string_view target);
  static void Raise(Number& number, std::uint64_t amount) { number.fetch_add(amount, std::memory_order_relaxed); }

  // The last of each row: every other status.
  std::array<std::array<Number, kStatuses.size() + 1>, kEndpoints.size()> requests_{};
  std::array<Number, kBounds.size() + 1> buckets_{};
  Number microseconds_ = 0, bytes_ = 0, kept_ = 0, refused_ = 0;
  std::atomic<int> connections_ = 0;

  static constexpr std::array<std::string_view, 6> kOutcomes = {"stored", "unstored", "answer",
                                                                "absent", "down",     "slow"};
  std::atomic<bool> upstream_ = false;
  std::array<Number, kOutcomes.size()> outcomes_{};  // by DemandReply::What
  Number pending_ = 0, waited_ = 0, waiting_ = 0, not_waited_ = 0, expired_ = 0;
};

}  // namespace tmdbc::serve
