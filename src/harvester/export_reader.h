// SPDX-License-Identifier: MIT
// Reading an export that lies on the disk: one streaming pass, inflating piece by piece, in memory that does
// not grow with the file but for eight bytes an id. Nothing that it gives may be acted upon before it has
// returned: only then is it known that the gzip stream was whole and its checksum right.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/files.h"
#include "base/log.h"
#include "base/stop.h"
#include "harvester/export_ids.h"
#include "tmdb/export_line.h"

namespace tmdbc {

// TMDB's largest has 4.7 million lines, of 16 to 22 compressed bytes each.
inline constexpr std::int64_t kMaxExportLines = 50'000'000;

enum class ReadEnd : std::uint8_t { kWhole, kStopped };

// Calls `visit` with every line of the gzip file `path`. kCorrupt when the gzip stream is cut or broken,
// inflates to more than kMaxInflateRatio times its size, or has more than kMaxExportLines lines.
Result<ReadEnd> VisitExportLines(FileSystem& files, const std::string& path, const StopFlag& stop,
                                 const LineSplitter::Visit& visit);

struct ExportContent {
  std::vector<PackedId> ids;  // sorted, without repeats
  std::int64_t lines = 0;     // all but blank ones
  std::int64_t bad_lines = 0;
  std::int64_t duplicates = 0;
  std::int64_t adult_skipped = 0;  // adult titles in a file that should have none
  std::int64_t bytes = 0;          // compressed
  std::vector<std::string>
      bad_examples;  // the first few, for a person: "line 17 is not whole JSON: {"adult":fal..."
};

struct ReadContent {
  ReadEnd end = ReadEnd::kWhole;
  ExportContent content;  // only when whole
};

// The ids of an export. Titles marked adult are left out unless `include_adult`. Bad lines are counted; those
// beyond the examples go to the log at debug level.
Result<ReadContent> ReadExport(FileSystem& files, const std::string& path, bool include_adult,
                               const StopFlag& stop, Log& log);

// Why a file that came whole must not be believed, for a person, and what that person can do; empty when it may. The
// rule of 95 % keeps a truncated export from looking like a mass deletion (docs/tmdb-facts.md). Of a small type a few
// lines are more than 5 %: up to twenty may be missing, but never half of all. A first file has nothing to be compared
// with: it needs `floor` lines. `accept` lifts both rules, but a file without a line is never taken unless `floor` is
// 0.
struct LastAccepted {
  std::chrono::sys_days date;
  std::int64_t lines;
};
struct Refusal {
  std::string reason = {};
  Hint hint = Hint::kNone;
};
Refusal WhyRefused(std::int64_t lines, std::int64_t bad_lines, std::int64_t floor, std::optional<LastAccepted> last,
                   bool accept);

}  // namespace tmdbc
