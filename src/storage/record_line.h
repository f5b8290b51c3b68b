// SPDX-License-Identifier: MIT
// RecordLine: one line of a segment, built and parsed here and nowhere else:
//
//   {"type":"movie","id":550,"version":1,"change":"insert","fetched_at":"2026-11-22T10:01:02.345Z","status":200,
//    "etag":"W/\"1f\"","sha256":"9f86...","data":{...}}
//
// in one line. A season has "tv_id" and "season_number" after "id". A tombstone has null for etag, sha256 and data,
// and status 404. Two kinds have a member behind "data":null
//
//   ..."change":"stats",...,"sha256":null,"data":null,"patch":[...]}   the numbers moved: stats_patch.h
//   {"type":"movie","id":null,"version":null,"change":"verified",...,"status":200,"etag":null,"sha256":null,
//    "data":null,"ids":[550,551]}                                      fetches that found nothing new; 404: not there
//
// The order of the keys is part of the format. `data` has its bytes as TMDB sent them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "storage/record.h"

namespace tmdbc {

// The longest line, its line break included. TMDB's largest known body is 5 MB.
inline constexpr std::size_t kMaxLineBytes = 64 << 20;

struct RecordLine {
  MediaId id{};                    // of a verified line 0: it speaks of `ids`
  std::int64_t tv_id = 0;          // of a season
  std::int64_t season_number = 0;  // of a season
  std::int64_t version = 0;        // of a verified line 0
  Change change = Change::kInsert;
  Time fetched_at{};  // written in milliseconds
  int status = 200;
  std::optional<std::string> etag{};  // as it came in the header: bytes of Latin-1
  std::string sha256{};               // of `data`; empty: null
  std::string_view data{};            // empty: null
  std::string_view patch{};           // of stats without data: the JSON array
  std::vector<std::int64_t> ids{};    // of a verified line: ascending, each once

  // A record, as against a verified line.
  bool is_record() const { return change != Change::kVerified; }
  bool operator==(const RecordLine&) const = default;
};

// Appends the line and its line break.
void AppendRecordLine(const RecordLine& record, std::string& out);

// The inverse, of a line without its line break; `data` and `patch` are views into it. Takes exactly what
// AppendRecordLine() writes (kCorrupt else), but looks neither into `data`, which its sha256 proves, nor into `patch`,
// which the frame's checksum does.
Result<RecordLine> ParseRecordLine(std::string_view line);

}  // namespace tmdbc
