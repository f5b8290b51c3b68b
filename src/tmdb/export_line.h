// SPDX-License-Identifier: MIT
// TMDB's daily id exports: which files there are, what they are called, and what one line of them says. Each line is
// a JSON object of its own ({"adult":false,"id":3924,"original_title":"Blondie","popularity":1.8133}), the file is no
// JSON document. Lines are read one by one, so that a broken one loses only itself (simdjson's iterate_many loses the
// whole batch around it). The free functions are pure; an object belongs to one thread. Source: docs/tmdb-facts.md.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "tmdb/media_id.h"

namespace tmdbc {

struct ExportFile {
  std::string_view name;  // "movie_ids": in URLs, kept files, reports and catalog.db
  MediaType type;
  bool adult;           // only read when the user asks for adult titles
  bool has_popularity;  // the others order nothing and refresh nothing
  std::int64_t floor;   // TMDB's own file has more lines than this
};

// Every export that the table of media types names; a type's normal file comes before its adult one.
inline constexpr auto kExportFiles = [] {
  constexpr std::size_t kCount = [] {
    std::size_t count = 0;
    for (const MediaTraits& row : kMediaTraits)
      count += !row.exports.name.empty() + !row.exports.adult_name.empty();
    return count;
  }();
  std::array<ExportFile, kCount> files{};
  std::size_t count = 0;
  for (const MediaTraits& row : kMediaTraits) {
    const ExportTraits& exports = row.exports;
    if (!exports.name.empty())
      files[count++] = {exports.name, row.type, false, exports.popularity, exports.floor};
    if (!exports.adult_name.empty())
      files[count++] = {exports.adult_name, row.type, true, exports.popularity, 1};
  }
  return files;
}();

// "https://files.tmdb.org/p/exports/movie_ids_11_22_2026.json.gz" for the base
// "https://files.tmdb.org/p/exports".
std::string ExportUrl(std::string_view base_url, std::string_view name, std::chrono::sys_days day);

// Where an accepted export is kept below DATA_DIR: "exports/movie_ids_2026-11-22.json.gz".
std::string KeptExportPath(std::string_view name, std::chrono::sys_days day);
// The inverse; empty for any other path.
struct KeptExport {
  std::string name;
  std::chrono::sys_days day;
};
std::optional<KeptExport> ParseKeptExportPath(std::string_view path);

// The ids that TMDB has used are far below this; a queue message and a bitmap hold 32 bits.
inline constexpr std::int64_t kMaxId = 0xffff'ffff;

struct ExportEntry {
  std::uint32_t id = 0;  // 1..kMaxId
  float popularity = 0;  // finite, >= 0; 0 where the line has none, or one that is not a number
  bool adult = false;
};

// A line handed to the parser is followed by this many bytes that may be read (their values do not matter).
inline constexpr std::size_t kLinePadding = 64;

class ExportLineParser {
 public:
  ExportLineParser();
  ~ExportLineParser();
  ExportLineParser(const ExportLineParser&) = delete;
  ExportLineParser& operator=(const ExportLineParser&) = delete;

  // `line` without its line break. kCorrupt, with a reason for a person, when it is not a JSON object or has no
  // integer id of 1..kMaxId. Members that we do not read are walked over, not validated: before the
  // line is stored, its writer checks it whole.
  Result<ExportEntry> Parse(std::string_view line);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// Cuts a stream that comes in pieces of any size into lines, without their line breaks ("\n" or "\r\n"; the last line
// may lack its own) and without a byte order mark in front of the first. Blank lines are left out but counted in
// `number`. Every line has its padding behind it.
class LineSplitter {
 public:
  // A longer line is cut to this: the rest of it is dropped, and it will be no whole JSON object.
  static constexpr std::size_t kMaxLine = 1 << 20;

  // `number` counts from 1. The view lasts until the visitor returns.
  using Visit = std::function<void(std::int64_t number, std::string_view line)>;

  void Feed(std::string_view bytes, const Visit& visit);
  // The end of the stream: gives the last line when it had no line break.
  void Finish(const Visit& visit);

 private:
  void Give(std::string_view line, const Visit& visit);
  void Carry(std::string_view bytes);
  void GiveCarried(const Visit& visit);

  std::string carried_;  // the start of a line whose end has not come yet
  std::int64_t number_ = 0;
};

}  // namespace tmdbc
