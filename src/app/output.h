// SPDX-License-Identifier: MIT
// What commands print for people and programs: whole pieces to stdout, with the write checked (a full disk, a
// closed pipe).
#pragma once

#include <string_view>

#include "base/log.h"
#include "base/result.h"

namespace tmdbc {

Result<void> WriteOut(std::string_view text);

// The same, but that nobody reads any more (EPIPE, where SIGPIPE is ignored) is no error: then false.
Result<bool> WriteOutWhileRead(std::string_view text);

// "tmdb-collector: message" on stderr, one line, with everything that looks like a key hidden; as JSON the
// line of a log, so that a program that reads the log needs to know one form.
void PrintError(std::string_view message, LogFormat format);

}  // namespace tmdbc
