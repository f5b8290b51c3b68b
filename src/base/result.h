// SPDX-License-Identifier: MIT
// Result<T>: a value, or an Error whose message names the act and the object ("open data/catalog.db: disk I/O
// error"). Exceptions stop at the third-party edge; everything of ours that can fail returns one of these.
// No message below src/app names a command, a flag or a setting: an Error carries a Hint instead, and
// src/app/hints.cc puts it into words.
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
  kUnreadable,   // the disk does not give back what was written (EIO on a read): damage, as kCorrupt is
  kNoSpace,      // the disk is full, or a quota or a limit of the process is reached
  kBusy,         // another program holds it for a while
  kIo,           // any other failure of the operating system
  kInternal,     // our own bug, or a library's
};

// What a person can do about it. Reports carry hints too, beside their reasons.
enum class Hint : std::uint8_t {
  kNone,
  kVerify,           // look at the whole store
  kRebuild,          // make the index again from the segments
  kRefetch,          // find the damaged records and fetch them again
  kSkipDamaged,      // read on behind the damage
  kOldStore,         // the store was written in an earlier layout
  kNewStore,         // the store was written by a later version of this program
  kNeedKey,          // there is no key
  kCheckKey,         // TMDB refuses the key
  kCheckApiUrl,      // what answers is not TMDB's API
  kCheckExportUrl,   // what answers is not TMDB's export host
  kAcceptExport,     // a person may take the smaller export
  kAcceptGap,        // a person may go past the days that cannot be read completely
  kAcceptDeletions,  // a person may let the held deletions happen
  kAcceptPurge,      // a person may let the held purge happen
  kExportFirst,      // no export of that type was harvested yet
  kExportOnly,       // that type has no change feed
  kClock,            // this machine's clock is wrong
  kFreeSpace,        // the disk, or a quota, is full
  kLocalDisk,        // the folder's file system cannot do what a store needs
  kPermission,       // this user may not do that to these files
  kReadOnly,         // nobody may: the file system is mounted so
  kProxy,            // it went through a proxy
  kCertificate,      // the other side's certificate is not trusted
};

struct Error {
  ErrorCode code;
  std::string message;
  Hint hint = Hint::kNone;
};

// What was stored is lost in this place, and in this place only: skip it, name it, fetch it again.
inline bool IsDamage(const Error& error) {
  return error.code == ErrorCode::kCorrupt || error.code == ErrorCode::kUnreadable;
}
// The state of the machine, which changes without us: wait, say so once, try again.
inline bool MayPass(const Error& error) {
  return error.code == ErrorCode::kNoSpace || error.code == ErrorCode::kBusy;
}

template <class T>
using Result = std::expected<T, Error>;

// return Fail(ErrorCode::kIo, "open {}: {}", path, strerror(errno));
template <class... Args>
std::unexpected<Error> Fail(ErrorCode code, fmt::format_string<Args...> format, Args&&... args) {
  return std::unexpected(Error{code, fmt::format(format, std::forward<Args>(args)...)});
}
template <class... Args>
std::unexpected<Error> Fail(ErrorCode code, Hint hint, fmt::format_string<Args...> format, Args&&... args) {
  return std::unexpected(Error{code, fmt::format(format, std::forward<Args>(args)...), hint});
}

// The same error, with the act that met it in front: "commit: write records/movie/...: No space left on
// device".
inline std::unexpected<Error> Within(const char* act, const Error& error) {
  return std::unexpected(Error{error.code, fmt::format("{}: {}", act, error.message), error.hint});
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
