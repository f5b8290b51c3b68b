// SPDX-License-Identifier: MIT
// RecordLine: one record as one line of a segment, built and parsed here and nowhere else:
//
//   {"type":"movie","id":550,"version":1,"change":"insert","fetched_at":"2026-11-22T10:01:02.345Z","status":200,
//    "etag":"W/\"1f\"","sha256":"9f86...","data":{...}}            (in one line; a season has "tv_id" and
//    "season_number" after "id"; a tombstone has null for etag, sha256 and data, and status 404)
//
// The order of the keys is part of the format. `data` is the last one, its bytes as TMDB sent them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "storage/record.h"

namespace tmdbc {

// The longest line, its line break included. TMDB's largest known body is 5 MB.
inline constexpr std::size_t kMaxLineBytes = 64 << 20;

struct RecordLine {
  MediaId id{};
  std::int64_t tv_id = 0;          // of a season
  std::int64_t season_number = 0;  // of a season
  std::int64_t version = 0;
  Change change = Change::kInsert;
  Time fetched_at{};  // written in milliseconds
  int status = 200;
  std::optional<std::string> etag;  // as it came in the header: bytes of Latin-1
  std::string sha256;               // empty: null
  std::string_view data;            // empty: null

  bool operator==(const RecordLine&) const = default;
};

// Appends the line and its line break.
void AppendRecordLine(const RecordLine& record, std::string& out);

// The inverse, of a line without its line break; `data` is a view into it. Takes exactly what
// AppendRecordLine() writes (kCorrupt else), but does not look into `data`: its sha256 proves it.
Result<RecordLine> ParseRecordLine(std::string_view line);

}  // namespace tmdbc
