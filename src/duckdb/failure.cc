// SPDX-License-Identifier: MIT
#include "duckdb/failure.h"

#include <algorithm>
#include <array>

namespace tmdbc::duckdb {
namespace {

// exception.cpp of DuckDB has the names. What is not here is the statement's fault: most kinds are.
constexpr std::pair<std::string_view, ErrorCode> kKinds[] = {
    {"INTERNAL", ErrorCode::kInternal},
    {"FATAL", ErrorCode::kInternal},
    {"IO", ErrorCode::kIo},
    {"Out of Memory", ErrorCode::kNoSpace},
    {"INTERRUPT", ErrorCode::kUnavailable},
    {"Serialization", ErrorCode::kCorrupt},
};

// A Parquet file that is not as it was written: of these DuckDB says that the input is invalid, as of a statement's.
constexpr std::string_view kDamages[] = {"Decompression failure", "too small to be a Parquet file",
                                         "No magic bytes found", "Invalid string encoding found in Parquet"};

bool TellsDamage(std::string_view words) {
  // An exception that is not DuckDB's own: its Parquet reader's.
  if (words.starts_with("Invalid Error: ") || words.starts_with("TProtocolException")) return true;
  // The statement itself may stand in what follows.
  words = words.substr(0, words.find('\n'));
  return words.starts_with("Invalid Input Error: ") &&
         std::ranges::any_of(kDamages, [&](std::string_view damage) { return words.contains(damage); });
}

ErrorCode CodeOf(std::string_view words) {
  if (words.contains("No space left on device") || words.contains("Disk quota exceeded"))
    return ErrorCode::kNoSpace;
  if (TellsDamage(words)) return ErrorCode::kCorrupt;
  for (const auto& [kind, code] : kKinds) {
    if (words.starts_with(kind) && words.substr(kind.size()).starts_with(" Error")) return code;
  }
  return ErrorCode::kInvalid;
}

}  // namespace

std::unexpected<Error> Failed(std::string_view act, std::string_view words) {
  return Fail(CodeOf(words), "{}{}{}", act, act.empty() ? "" : ": ", words);
}

}  // namespace tmdbc::duckdb
