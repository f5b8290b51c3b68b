// SPDX-License-Identifier: MIT
// What the log says of an error that passes by itself (MayPass in base/result.h): one set of words for all who wait.
#pragma once

#include <fmt/core.h>

#include <string>
#include <string_view>

#include "base/result.h"

namespace tmdbc {

// "the disk is full: free some space, the run then goes on by itself"
inline std::string WhyWeWait(const Error& error, std::string_view and_then) {
  return fmt::format("{}, {}",
                     error.code == ErrorCode::kBusy
                         ? "another program holds the database: end it or wait for it"
                         : "the disk is full: free some space",
                     and_then);
}

}  // namespace tmdbc
