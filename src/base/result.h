// SPDX-License-Identifier: MIT
// Result<T>: a value, or an Error whose message names the act and the object ("open data/catalog.db: disk I/O
// error"). Exceptions stop at the third-party edge; everything of ours that can fail returns one of these.
#pragma once

#include <fmt/core.h>

#include <cstdint>
#include <expected>
#include <string>
#include <utility>

namespace tmdbc {

enum class ErrorCode : std::uint8_t {
  kInvalid,      // bad input from a person: a flag, a setting, a file they named
  kNotFound,     // the object does not exist
  kExists,       // the object exists already, or another process holds it
  kUnavailable,  // an upstream did not answer, or not usefully; trying again may help
  kDenied,       // an upstream refused us (key, permission); trying again will not help
  kCorrupt,      // bytes that are not what was written or promised
  kNoSpace,      // the disk is full
  kIo,           // any other failure of the operating system
  kInternal,     // our own bug, or a library's
};

struct Error {
  ErrorCode code;
  std::string message;
};

template <class T>
using Result = std::expected<T, Error>;

// return Fail(ErrorCode::kIo, "open {}: {}", path, strerror(errno));
template <class... Args>
std::unexpected<Error> Fail(ErrorCode code, fmt::format_string<Args...> format, Args&&... args) {
  return std::unexpected(Error{code, fmt::format(format, std::forward<Args>(args)...)});
}

// The same error, with the act that met it in front: "commit: write records/movie/...: No space left on
// device".
inline std::unexpected<Error> Within(const char* act, const Error& error) {
  return std::unexpected(Error{error.code, fmt::format("{}: {}", act, error.message)});
}

}  // namespace tmdbc

// TRY(store.Commit());            returns the error from the enclosing function, or goes on.
// TRY_ASSIGN(auto x, Compute());  the same, and gives the value a name.
#define TMDBC_CONCAT_(a, b) a##b
#define TMDBC_CONCAT(a, b) TMDBC_CONCAT_(a, b)
#define TRY(expression)                                                                                     \
  do {                                                                                                      \
    if (auto try_result = (expression); !try_result) return std::unexpected(std::move(try_result).error()); \
  } while (false)
#define TRY_ASSIGN_(result, declaration, expression)              \
  auto result = (expression);                                     \
  if (!result) return std::unexpected(std::move(result).error()); \
  declaration = *std::move(result)
#define TRY_ASSIGN(declaration, expression) \
  TRY_ASSIGN_(TMDBC_CONCAT(try_result_, __LINE__), declaration, expression)
