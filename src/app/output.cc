// SPDX-License-Identifier: MIT
#include "app/output.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "app/words.h"

namespace tmdbc {
namespace {

// 0, or the error number.
int Write(std::string_view text) {
  const bool whole =
      std::fwrite(text.data(), 1, text.size(), stdout) == text.size() && std::fflush(stdout) == 0;
  return whole ? 0 : errno;
}

std::unexpected<Error> CannotWrite(int error) {
  return Fail(ErrorCode::kIo, "write to stdout: {}", std::strerror(error));
}

}  // namespace

Result<void> WriteOut(std::string_view text) {
  const int error = Write(text);
  if (error != 0) return CannotWrite(error);
  return {};
}

Result<bool> WriteOutWhileRead(std::string_view text) {
  const int error = Write(text);
  if (error != 0 && error != EPIPE) return CannotWrite(error);
  return error == 0;
}

void PrintError(std::string_view message, LogFormat format) {
  std::string line = MaskKeys(message);
  if (format == LogFormat::kJson) {
    const SystemClock clock;
    Log(stderr, LogLevel::kError, format, clock).Error(line);
    return;
  }
  std::ranges::replace(line, '\n', ' ');
  // Not fmt::print: it throws when nobody can be told any more.
  std::fputs(fmt::format("tmdb-collector: {}\n", line).c_str(), stderr);
}

}  // namespace tmdbc
