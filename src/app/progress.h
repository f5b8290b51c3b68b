// SPDX-License-Identifier: MIT
// What a person sees while the queue is drained: on a terminal one line that renews itself, otherwise
// a plain line every ten seconds.
#pragma once

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/log.h"

namespace tmdbc {

struct Progress {
  std::int64_t done = 0;   // messages settled, dead letters included
  std::int64_t total = 0;  // of them and those still queued
  double requests_per_second = 0;
  std::optional<std::chrono::seconds> left;  // empty until there is a pace to tell it from
  std::int64_t errors = 0;
  std::int64_t dead = 0;
  std::int64_t throttled = 0;
};

// "2 h 05 min", "3 min 20 s", "45 s".
std::string FormatDuration(std::chrono::seconds time);
// "1,238,234"
std::string FormatCount(std::int64_t count);
// "1 record", "1,238,234 records".
std::string Counted(std::int64_t count, std::string_view one);
// How long `items` take at that pace; empty when there is none.
std::optional<std::chrono::seconds> TimeLeft(std::int64_t items, double per_second);

// "[########------------] 40.0 %  400/1,000  39.6/s  ETA 15 s  queue 600  errors 2", at most `columns` wide.
std::string ProgressBar(const Progress& progress, int columns);
// The same without the bar.
std::string ProgressLine(const Progress& progress);

// `out` as a stream for logs of that format, such that a log line never lands in the middle of the bar: on a
// terminal each write first wipes the line. Returns `out` itself when it is not a terminal.
std::FILE* LogStream(std::FILE* out, bool text);

// One thread.
class ProgressMeter {
 public:
  // `bar`: renew one line of `out`; else lines go to `log` every ten seconds.
  ProgressMeter(const Clock& clock, Log& log, std::FILE* out, bool bar)
      : clock_(clock), log_(log), out_(out), bar_(bar) {}

  void Show(const Progress& progress);
  // Wipes the bar.
  void Clear();

 private:
  const Clock& clock_;
  Log& log_;
  std::FILE* const out_;
  const bool bar_;
  std::optional<MonoTime> shown_;
};

}  // namespace tmdbc
