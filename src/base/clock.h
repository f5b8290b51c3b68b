// SPDX-License-Identifier: MIT
// Clock: the only source of time. Code never sleeps on it; waiting happens in HttpTransport::Wait() alone, so
// that on fakes the whole program runs in one thread and in no time.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "base/result.h"

namespace tmdbc {

using Duration = std::chrono::microseconds;
// Wall time in UTC: for what is written down (fetched_at, file names). It may jump.
using Time = std::chrono::sys_time<Duration>;
// Time since an arbitrary start, never going back: for pacing, timeouts, backoff.
using MonoTime = std::chrono::time_point<std::chrono::steady_clock, Duration>;

class Clock {
 public:
  virtual ~Clock() = default;
  virtual Time Now() const = 0;
  virtual MonoTime Mono() const = 0;
};

// The machine's clocks. Any thread.
class SystemClock final : public Clock {
 public:
  Time Now() const override;
  MonoTime Mono() const override;
};

// "2026-11-22T10:01:02.345Z": UTC, milliseconds, the form of every time we write (RFC 3339).
std::string FormatTime(Time time);
// The inverse; also takes no fraction, and a bare date "2026-11-22" as its midnight.
Result<Time> ParseTime(std::string_view text);
// "2026-11-22"
std::string FormatDate(std::chrono::sys_days day);
Result<std::chrono::sys_days> ParseDate(std::string_view text);

}  // namespace tmdbc
