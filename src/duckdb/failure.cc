// SPDX-License-Identifier: MIT
#include "duckdb/failure.h"

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

ErrorCode CodeOf(std::string_view words) {
  if (words.contains("No space left on device") || words.contains("Disk quota exceeded"))
    return ErrorCode::kNoSpace;
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
