// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <set>

#include "base/compression.h"
#include "tables/workshop.h"
#include "tmdb/export_line.h"

namespace tmdbc::tables {
namespace {

constexpr std::uint64_t kChunk = 256 << 10;

// The double that the figure had as text: 61.416 and not 61.416000366.
double AsWritten(float popularity) {
  char text[32];
  const auto [end, error] = std::to_chars(text, text + sizeof text, popularity);
  double written = popularity;
  if (error == std::errc()) std::from_chars(text, end, written);
  return written;
}

Result<void> ReadLines(Workshop& workshop, BlobReader& files, const PopularityExport& one,
                       const LineSplitter::Visit& visit) {
  LineSplitter lines;
  GzipInflater inflater;
  TRY_ASSIGN(const std::uint64_t size, files.Size(one.path));
  for (std::uint64_t at = 0; at < size; at += kChunk) {
    if (workshop.stop.requested()) return Fail(ErrorCode::kUnavailable, "stopped");
    TRY_ASSIGN(const std::string chunk, files.Read(one.path, at, kChunk));
    TRY(inflater.Feed(chunk, [&](std::string_view bytes) { lines.Feed(bytes, visit); }));
  }
  TRY(inflater.Finish());
  lines.Finish(visit);
  return {};
}

// kCorrupt when the file is damaged: then nothing of it is taken.
Result<void> ReadExport(Workshop& workshop, BlobReader& files, const PopularityExport& one, double minimum,
                        std::size_t table) {
  // Its checksum is at its end.
  TRY(ReadLines(workshop, files, one, [](std::int64_t, std::string_view) {}));
  ExportLineParser parser;
  Result<void> done;
  TRY(ReadLines(workshop, files, one, [&](std::int64_t, std::string_view line) {
    const auto entry = parser.Parse(line);
    // What is not a line of an export was counted when it was harvested.
    if (!done || !entry || double(entry->popularity) < minimum) return;
    const Cell cells[] = {{.null = false, .text = Name(one.type)},
                          {.null = false, .number = entry->id},
                          {.null = false, .number = one.day.time_since_epoch().count()},
                          {.null = false, .real = AsWritten(entry->popularity)}};
    done = workshop.scratch.Row(table, cells);
  }));
  return done;
}

}  // namespace

std::string PartOf(const PopularityExport& one) {
  return fmt::format("{}-{}", Name(one.type), FormatDate(one.day).substr(0, 7));
}

std::vector<PopularityExport> NewExports(const std::vector<PopularityExport>& accepted,
                                         const Manifest* previous, const std::set<std::string>& lost) {
  std::vector<PopularityExport> fresh;
  for (const PopularityExport& one : accepted) {
    const bool known = previous != nullptr && previous->exports.contains(one.name);
    if (!known || lost.contains(PartOf(one)) || one.day > previous->exports.find(one.name)->second)
      fresh.push_back(one);
  }
  std::ranges::sort(fresh, {}, [](const PopularityExport& one) { return std::pair(PartOf(one), one.day); });
  return fresh;
}

Result<void> PublishPopularity(Workshop& workshop, BlobReader& files,
                               const std::vector<PopularityExport>& exports, double minimum,
                               std::vector<std::string>& damages) {
  const std::size_t table = FindTable("popularity_daily").value();
  for (auto one = exports.begin(); one != exports.end(); ++one) {
    if (const auto read = ReadExport(workshop, files, *one, minimum, table); !read) {
      if (!IsDamage(read.error()) && read.error().code != ErrorCode::kNotFound) return read;
      damages.push_back(fmt::format("{} is damaged: {}", one->path, read.error().message));
    }
    auto& taken = workshop.draft.manifest().exports[one->name];
    taken = std::max(taken, one->day);
    if (std::next(one) != exports.end() && PartOf(*std::next(one)) == PartOf(*one)) continue;
    if (workshop.scratch.rows(table) == 0) continue;
    TRY_ASSIGN(const std::string fresh, workshop.scratch.Take(table));
    std::string rows = "FROM " + fresh;
    TRY_ASSIGN(const std::string old, workshop.draft.OldFile("popularity_daily", PartOf(*one)));
    if (!old.empty()) rows += " UNION ALL FROM " + ReadParquet(old);
    // An id may stand twice in an export, or in that of adult titles too.
    TRY_ASSIGN(const auto part,
               workshop.writer.Write(
                   Tables()[table],
                   fmt::format("SELECT record_type, id, day, max(popularity) AS popularity FROM ({}) "
                               "GROUP BY record_type, id, day",
                               rows)));
    TRY(workshop.draft.Put("popularity_daily", PartOf(*one), part));
    TRY(workshop.scratch.Clear(table));
  }
  return {};
}

}  // namespace tmdbc::tables
