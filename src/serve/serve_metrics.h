// SPDX-License-Identifier: MIT
// ServeMetrics: numbers about what is served, and their text as Prometheus reads it. Counting takes some nanoseconds;
// any thread may ask for the text.
//
//   tmdbc_serve_requests_total{endpoint,status}     answered; endpoint: the first word of the path where it is known
//   tmdbc_serve_refused_total                       what was no request
//   tmdbc_serve_kept_total                          answers that were there already
//   tmdbc_serve_bytes_total                         of bodies
//   tmdbc_serve_connections                         open now
//   tmdbc_serve_seconds{le}                         from the first byte of a request to its answer
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/clock.h"

namespace tmdbc::serve {

class ServeMetrics {
 public:
  void Count(std::string_view target, int status, std::uint64_t bytes, Duration took, bool kept);
  void CountRefused(int status);
  void SetConnections(int open) { connections_.store(open, std::memory_order_relaxed); }

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

  // The last of each row: every other status.
  std::array<std::array<Number, kStatuses.size() + 1>, kEndpoints.size()> requests_{};
  std::array<Number, kBounds.size() + 1> buckets_{};
  Number microseconds_ = 0, bytes_ = 0, kept_ = 0, refused_ = 0;
  std::atomic<int> connections_ = 0;
};

}  // namespace tmdbc::serve
