// SPDX-License-Identifier: MIT
#include "app/output.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "app/words.h"

namespace tmdbc {

Result<void> WriteOut(std::string_view text) {
  if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size() || std::fflush(stdout) != 0) {
    return Fail(ErrorCode::kIo, "write to stdout: {}", std::strerror(errno));
  }
  return {};
}

void PrintError(std::string_view message) {
  std::string line = MaskKeys(message);
  std::ranges::replace(line, '\n', ' ');
  fmt::print(stderr, "tmdb-collector: {}\n", line);
}

}  // namespace tmdbc
