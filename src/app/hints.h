// SPDX-License-Identifier: MIT
// The words of hints: what a person can do about an error, in commands, flags and settings. The one place
// that knows both; everything below src/app says only which hint it is.
#pragma once

#include <string>

#include "base/result.h"

namespace tmdbc {

// "run `tmdb-collector verify --rebuild`"; empty for Hint::kNone.
std::string WordsOf(Hint hint);

// The error's message, then its hint: "records/...: 100 bytes, the index says 90: run
// `tmdb-collector verify --rebuild`".
std::string Explain(const Error& error);
std::string Explain(std::string message, Hint hint);

}  // namespace tmdbc
