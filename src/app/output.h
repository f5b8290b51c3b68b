// SPDX-License-Identifier: MIT
// What commands print for people and programs: whole pieces to stdout, with the write checked (a full disk, a
// closed pipe); and a stream for what may be long and read slowly.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/log.h"
#include "base/result.h"
#include "base/stop.h"

namespace tmdbc {

Result<void> WriteOut(std::string_view text);

// Whether what is written there may hold escapes that move the cursor: it is a terminal, and one that knows
// them (TERM is set and not "dumb").
bool TakesEscapes(int fd);

// Writes to stdout what a reader may take its time for, or turn away from. One thread; nothing
// else writes to stdout meanwhile.
class OutStream {
 public:
  enum class Reader : std::uint8_t {
    kReads,
    kGone,     // it closed its end (EPIPE, where SIGPIPE is ignored): no error
    kStalled,  // a stop was asked for, and it did not take everything in time: the end is missing
  };

  // `stop` outlives the stream. After a stop request the reader has `grace` to take what is still to come.
  explicit OutStream(const StopFlag& stop, std::chrono::milliseconds grace = std::chrono::seconds(2))
      : stop_(stop), grace_(grace) {}

  // Waits for the reader. Once it does not read nothing more is written.
  Result<Reader> Write(std::string_view text);
  // Whether it is still there, which is else noticed only by writing.
  Reader Check();
  Reader reader() const { return reader_; }

 private:
  bool TimeIsUp();

  const StopFlag& stop_;
  const std::chrono::milliseconds grace_;
  Reader reader_ = Reader::kReads;
  std::optional<std::chrono::steady_clock::time_point> deadline_;  // since a stop was asked for
};

// "tmdb-collector: message" on stderr, one line, with everything that looks like a key hidden; as JSON the
// line of a log, so that a program that reads the log needs to know one form.
void PrintError(std::string_view message, LogFormat format);
// The same with the words of its hint.
void PrintError(const Error& error, LogFormat format);

}  // namespace tmdbc
