// SPDX-License-Identifier: MIT
// Surroundings: what a process takes from the machine it runs on: time, the network, chance,
// sleep, and a bucket. A test gives others, and the whole program, the daemon included, lives for years
// in one thread (tests/months_test.cc).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

#include "base/clock.h"
#include "http/http.h"
#include "storage/object_store.h"

namespace tmdbc {

struct Surroundings {
  // Null: the machine's. Outlives the process.
  const Clock* clock = nullptr;
  // Empty: libcurl.
  std::function<Result<std::unique_ptr<http::HttpTransport>>(const Clock& clock)> make_transport;
  // Of delays and orders. Empty: the machine's entropy.
  std::optional<std::uint64_t> seed;
  // Takes the place of sleeping until that time while nothing is under way; it may come back late, as on a
  // machine that was asleep. Empty: sleeps, looking at the stop flag five times a second.
  std::function<void(MonoTime until)> sleep;
  // In the place of the bucket that the settings name. Null: that one. Outlives the process.
  ObjectStore* bucket = nullptr;
};

}  // namespace tmdbc
