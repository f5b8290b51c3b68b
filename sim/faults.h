// SPDX-License-Identifier: MIT
// Faults: which request is spoiled, and how. The choice depends on the seed, the target and how often that
// target was asked, not on the order in which requests of several connections happen to arrive: the same run
// meets the same faults.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <unordered_map>

#include "base/clock.h"

namespace tmdbc::sim {

enum class Fault : std::uint8_t {
  kResetBefore,  // RST instead of an answer
  kResetMid,     // RST in the middle of the body
  kCut,          // the body ends early, well framed
  kWrongLength,  // Content-Length promises more than comes
  kBadGzip,      // one flipped byte in the gzip stream
  kBareGzip,     // gzip bytes without Content-Encoding
  kHtml200,
  kHtml404,  // not TMDB's 404: says nothing about the id
  kHtml502,
  kHtml503,
  kJson500,
  kJson502,
  kJson503,
  kJson504,
  k429Bare,  // without Retry-After
  k429Zero,
  k429Seconds,
  k429Date,
  kEmpty200,
  kCutJson,  // half a JSON text, encoded and framed correctly
  kWrongId,  // another id's body
  kStale,    // an earlier state of the right body
  kTrickle,  // the right body, slowly
  kStall,    // no answer
  kBurst,    // an outage begins: 5xx for everybody, for a while
};
inline constexpr int kFaults = 25;

std::string_view NameOf(Fault fault);
std::optional<Fault> FaultOf(std::string_view name);

struct FaultOptions {
  std::array<double, kFaults> percent{};  // by Fault
  Duration stall = std::chrono::seconds(35);
  Duration trickle = std::chrono::seconds(2);
  Duration burst = std::chrono::seconds(2);
  bool on_exports = false;
  bool on_images = false;

  // `total` percent shared by every kind but kStale, which a client cannot tell from the truth. Outages touch
  // many requests, so they begin ten times less often than the others occur.
  void SetAll(double total);
  bool any() const;
};

class FaultPlan {
 public:
  FaultPlan(const FaultOptions& options, std::uint64_t seed) : options_(options), seed_(seed) {}

  // From now on.
  void Set(const FaultOptions& options) { options_ = options; }
  std::optional<Fault> Next(std::string_view target, MonoTime now);
  bool in_burst(MonoTime now) const { return now < burst_until_; }

 private:
  FaultOptions options_;
  const std::uint64_t seed_;
  std::unordered_map<std::uint64_t, std::uint32_t> asked_;  // by hash of the target
  MonoTime burst_until_{};
};

}  // namespace tmdbc::sim
