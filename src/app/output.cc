// SPDX-License-Identifier: MIT
#include "app/output.h"

#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "app/hints.h"
#include "base/safe_text.h"
#include "base/words.h"

namespace tmdbc {
namespace {

constexpr int kCheckStopMs = 50;

std::unexpected<Error> CannotWrite(int error) {
  return Fail(ErrorCode::kIo, "write to stdout: {}", std::strerror(error));
}

}  // namespace

Result<void> WriteOut(std::string_view text) {
  const bool whole =
      std::fwrite(text.data(), 1, text.size(), stdout) == text.size() && std::fflush(stdout) == 0;
  if (!whole) return CannotWrite(errno);
  return {};
}

bool TakesEscapes(int fd) {
  const char* term = std::getenv("TERM");
  return ::isatty(fd) != 0 && term != nullptr && *term != '\0' && std::string_view(term) != "dumb";
}

Result<OutStream::Reader> OutStream::Write(std::string_view text) {
  while (reader_ == Reader::kReads && !text.empty()) {
    if (TimeIsUp()) {
      reader_ = Reader::kStalled;
      break;
    }
    pollfd out{.fd = STDOUT_FILENO, .events = POLLOUT, .revents = 0};
    if (::poll(&out, 1, kCheckStopMs) <= 0) continue;
    // A pipe that is ready takes as much as this at once (pipe(7)), so that the write never waits.
    const ssize_t written = ::write(STDOUT_FILENO, text.data(), std::min<std::size_t>(text.size(), PIPE_BUF));
    if (written >= 0) {
      text.remove_prefix(std::size_t(written));
    } else if (errno == EPIPE) {
      reader_ = Reader::kGone;
    } else if (errno != EINTR && errno != EAGAIN) {
      return CannotWrite(errno);
    }
  }
  return reader_;
}

OutStream::Reader OutStream::Check() {
  pollfd out{.fd = STDOUT_FILENO, .events = 0, .revents = 0};
  const bool closed = ::poll(&out, 1, 0) > 0 && (out.revents & (POLLERR | POLLHUP | POLLNVAL)) != 0;
  if (closed && reader_ == Reader::kReads) reader_ = Reader::kGone;
  return reader_;
}

bool OutStream::TimeIsUp() {
  if (!stop_.requested()) return false;
  const auto now = std::chrono::steady_clock::now();
  if (!deadline_) deadline_ = now + grace_;
  return now >= *deadline_;
}

void PrintError(std::string_view message, LogFormat format) {
  std::string line = MaskKeys(message);
  if (format == LogFormat::kJson) {
    const SystemClock clock;
    Log(stderr, LogLevel::kError, format, clock).Error(line);
    return;
  }
  // Not fmt::print: it throws when nobody can be told any more.
  std::fputs(fmt::format("tmdb-collector: {}\n", Printable(line)).c_str(), stderr);
}

void PrintError(const Error& error, LogFormat format) {
  PrintError(Explain(error), format);
}

}  // namespace tmdbc
