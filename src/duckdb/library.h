// SPDX-License-Identifier: MIT
// Library: DuckDB, loaded when a command needs it (30 to 60 ms for its 70 MB). The program does not link it, so that
// all that needs no tables works, and starts as fast, without it.
#pragma once

#include <memory>
#include <span>
#include <string>

#include "base/result.h"

namespace tmdbc::duckdb {

struct Functions;

class Library {
 public:
  // Loads the first of `places` that is there: paths, and names without a slash, which the system looks for as it does
  // for any library. Any thread. It stays loaded to the end of the process. kUnavailable, saying where was looked and
  // what is wrong: there is none, it is not DuckDB, or not a version from 1.4.4 to before 2.
  static Result<Library> Load(std::span<const std::string> places);

  Library(Library&&) noexcept;
  Library& operator=(Library&&) = delete;
  ~Library();

  const std::string& path() const { return path_; }
  const std::string& version() const { return version_; }  // "v1.5.6"
  const Functions& functions() const { return *functions_; }

 private:
  Library(std::unique_ptr<const Functions> functions, std::string path, std::string version);

  std::unique_ptr<const Functions> functions_;
  std::string path_;
  std::string version_;
};

// Whether a version, as DuckDB writes it ("v1.5.6"), is one that this program knows how to speak to.
bool KnowsVersion(std::string_view version);

}  // namespace tmdbc::duckdb
