// SPDX-License-Identifier: MIT
// What commands print for people and programs: whole pieces to stdout, with the write checked (a full disk, a
// closed pipe).
#pragma once

#include <string_view>

#include "base/result.h"

namespace tmdbc {

Result<void> WriteOut(std::string_view text);

// "tmdb-collector: message" on stderr, one line, with everything that looks like a key hidden.
void PrintError(std::string_view message);

}  // namespace tmdbc
