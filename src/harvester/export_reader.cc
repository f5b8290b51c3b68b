// SPDX-License-Identifier: MIT
#include "harvester/export_reader.h"

#include <algorithm>

#include "base/compression.h"

namespace tmdbc {
namespace {

constexpr std::uint64_t kReadBytes = 1 << 20;
constexpr std::size_t kBadExamples = 5;
constexpr std::size_t kShownBytes = 100;
// Fewer bad lines than this are never too many, whatever their share.
constexpr std::int64_t kBadLinesFree = 10;
constexpr std::int64_t kMissingLinesFree = 20;  // as deletions are (deletion_policy.h)

// Real lines take at least 10 compressed bytes; the memory is only used when something is written to it.
constexpr std::uint64_t kLeastBytesPerLine = 8;

// What a log may show of bytes that came from outside.
std::string Shown(std::string_view line) {
  std::string shown(line.substr(0, kShownBytes));
  std::replace_if(shown.begin(), shown.end(), [](char c) { return (c >= 0 && c < ' ') || c == '\x7f'; }, '?');
  if (line.size() > kShownBytes) {
    // Not the half of a character.
    while (!shown.empty() && (shown.back() & 0x80) != 0) shown.pop_back();
    shown += "...";
  }
  return shown;
}

std::string Thousands(std::int64_t number) {
  std::string digits = fmt::format("{}", number);
  for (auto at = std::int64_t(digits.size()) - 3; at > 0; at -= 3) digits.insert(std::size_t(at), ",");
  return digits;
}

}  // namespace

Result<ReadEnd> VisitExportLines(FileSystem& files, const std::string& path, const StopFlag& stop,
                                 const LineSplitter::Visit& visit) {
  TRY_ASSIGN(const std::uint64_t size, files.Size(path));
  const std::uint64_t most = std::max<std::uint64_t>(kInflateRatioFloor, size * kMaxInflateRatio);
  GzipInflater inflater;
  LineSplitter splitter;
  std::uint64_t inflated = 0;
  std::int64_t lines = 0;
  const LineSplitter::Visit counted = [&](std::int64_t number, std::string_view line) {
    lines = number;
    if (number == 1 && line.starts_with("\xef\xbb\xbf")) line.remove_prefix(3);  // a byte order mark
    if (number <= kMaxExportLines) visit(number, line);
  };
  for (std::uint64_t offset = 0; offset < size;) {
    if (stop.requested()) return ReadEnd::kStopped;
    TRY_ASSIGN(const std::string bytes, files.Read(path, offset, kReadBytes));
    if (bytes.empty()) return Fail(ErrorCode::kIo, "read {}: it became shorter while being read", path);
    offset += bytes.size();
    TRY(inflater.Feed(bytes, [&](std::string_view piece) {
      inflated += piece.size();
      if (inflated <= most) splitter.Feed(piece, counted);
    }));
    if (inflated > most) {
      return Fail(ErrorCode::kCorrupt, "read {}: inflates to more than {} times its size", path,
                  kMaxInflateRatio);
    }
    if (lines > kMaxExportLines) {
      return Fail(ErrorCode::kCorrupt, "read {}: more than {} lines", path, Thousands(kMaxExportLines));
    }
  }
  TRY(inflater.Finish());
  splitter.Finish(counted);
  return ReadEnd::kWhole;
}

Result<ReadContent> ReadExport(FileSystem& files, const std::string& path, bool include_adult,
                               const StopFlag& stop, Log& log) {
  ReadContent result;
  ExportContent& content = result.content;
  TRY_ASSIGN(const std::uint64_t bytes, files.Size(path));
  content.bytes = std::int64_t(bytes);
  content.ids.reserve(std::min<std::uint64_t>(bytes / kLeastBytesPerLine, std::uint64_t(kMaxExportLines)));
  ExportLineParser parser;
  const auto take = [&](std::int64_t number, std::string_view line) {
    ++content.lines;
    const auto entry = parser.Parse(line);
    if (!entry) {
      ++content.bad_lines;
      std::string what = fmt::format("line {} {}: {}", number, entry.error().message, Shown(line));
      if (content.bad_examples.size() < kBadExamples) {
        content.bad_examples.push_back(std::move(what));
      } else {
        log.Debug("bad export line left out", {{"file", path}, {"what", what}});
      }
    } else if (entry->adult && !include_adult) {
      ++content.adult_skipped;
    } else {
      content.ids.push_back(PackId(entry->id, entry->popularity));
    }
  };
  TRY_ASSIGN(result.end, VisitExportLines(files, path, stop, take));
  content.duplicates = SortAndDeduplicate(content.ids);
  return result;
}

Refusal WhyRefused(std::int64_t lines, std::int64_t bad_lines, std::int64_t floor, std::optional<LastAccepted> last,
                   bool accept) {
  if (lines == 0 && floor > 0) return {"it has no lines"};
  if (bad_lines > 0 && bad_lines == lines) return {"none of its lines can be read"};
  if (bad_lines > kBadLinesFree && bad_lines * 100 > lines) {
    return {fmt::format("{} of its {} lines cannot be read", Thousands(bad_lines), Thousands(lines))};
  }
  if (accept) return {};
  if (!last && lines < floor) {
    return {fmt::format("it has {} lines, and TMDB's has more than {}: this is not the whole of it", Thousands(lines),
                        Thousands(floor)),
            Hint::kAcceptExport};
  }
  const bool fewer = last && lines * 100 < last->lines * 95;
  const bool many = last && (last->lines - lines > kMissingLinesFree || lines * 2 <= last->lines);
  if (!fewer || !many) return {};
  return {fmt::format("it has {} lines, fewer than 95 % of the {} of {}, which stays in force", Thousands(lines),
                      Thousands(last->lines), FormatDate(last->date)),
          Hint::kAcceptExport};
}

}  // namespace tmdbc
