// SPDX-License-Identifier: MIT
#include "duckdb/library.h"

#include <dlfcn.h>
#include <sys/stat.h>
#include <unistd.h>

#include <charconv>
#include <tuple>

#include "duckdb/functions.h"

namespace tmdbc::duckdb {
namespace {

bool IsPath(const std::string& place) {
  return place.contains('/');
}

// The words of dlerror(), which begins them with the path.
std::string LoadError(const std::string& path) {
  const char* error = ::dlerror();
  std::string words = error ? error : "unknown error";
  if (words.starts_with(path + ": ")) words.erase(0, path.size() + 2);
  return words;
}

}  // namespace

bool KnowsVersion(std::string_view version) {
  if (version.starts_with('v')) version.remove_prefix(1);
  int parts[3] = {};
  for (int& part : parts) {
    const auto [end, error] = std::from_chars(version.data(), version.data() + version.size(), part);
    if (error != std::errc()) return false;
    version.remove_prefix(end - version.data());
    if (version.starts_with('.')) version.remove_prefix(1);
  }
  const auto number = std::tuple(parts[0], parts[1], parts[2]);
  return number >= std::tuple(1, 4, 4) && parts[0] == 1;
}

Library::Library(std::unique_ptr<const Functions> functions, std::string path, std::string version)
    : functions_(std::move(functions)), path_(std::move(path)), version_(std::move(version)) {}
Library::Library(Library&&) noexcept = default;
Library::~Library() = default;

Result<Library> Library::Load(std::span<const std::string> places) {
  std::string looked;
  for (const std::string& place : places) {
    void* library = nullptr;
    // The system's loader would wait at a pipe for somebody who writes.
    if (struct stat info{}; IsPath(place) && ::stat(place.c_str(), &info) == 0 && !S_ISREG(info.st_mode))
      return Fail(ErrorCode::kUnavailable, "load DuckDB from {}: it is not a regular file", place);
    if (!IsPath(place) || ::access(place.c_str(), F_OK) == 0) {
      library = ::dlopen(place.c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
      if (!library && IsPath(place))
        return Fail(ErrorCode::kUnavailable, "load DuckDB from {}: {}", place, LoadError(place));
    }
    if (!library) {
      looked += fmt::format("{}{}", looked.empty() ? "" : ", ", place);
      continue;
    }
    auto functions = std::make_unique<Functions>();
    const char* missing = nullptr;
#define TMDBC_DUCKDB_FIND(name)                                                                     \
  functions->name = reinterpret_cast<decltype(functions->name)>(::dlsym(library, "duckdb_" #name)); \
  if (!functions->name && !missing) missing = "duckdb_" #name;
    TMDBC_DUCKDB_FUNCTIONS(TMDBC_DUCKDB_FIND)
#undef TMDBC_DUCKDB_FIND
    const std::string version = functions->library_version ? functions->library_version() : "";
    if (!version.empty() && !KnowsVersion(version)) {
      return Fail(ErrorCode::kUnavailable,
                  "load DuckDB from {}: it is {}, and a version from 1.4.4 to before 2 is needed", place,
                  version);
    }
    if (missing) return Fail(ErrorCode::kUnavailable, "load DuckDB from {}: it has no {}", place, missing);
    return Library(std::move(functions), place, version);
  }
  return Fail(ErrorCode::kUnavailable, "load DuckDB: it is not at {}", looked);
}

}  // namespace tmdbc::duckdb
