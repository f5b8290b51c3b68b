// SPDX-License-Identifier: MIT
#include "storage/kept_aside.h"

#include <algorithm>
#include <charconv>

#include "storage/record_line.h"
#include "storage/segment_reader.h"

namespace tmdbc {
namespace {

constexpr std::string_view kAside = ".aside-";

// Whether TMDB has answered since for all that a verified line names.
Result<bool> AllAnsweredSince(RecordIndex& index, const RecordLine& line) {
  for (const std::int64_t id : line.ids) {
    TRY_ASSIGN(const IdState state, index.StateOf({line.id.type, id}));
    if (state.verified_at < line.fetched_at) return false;
  }
  return true;
}

// Whether what the line says is in the index already: the same content, newer numbers, or that it is gone.
Result<bool> Known(RecordIndex& index, const RecordLine& line) {
  if (!line.is_record()) return AllAnsweredSince(index, line);
  TRY_ASSIGN(const auto row, index.Find(line.id));
  if (!row) return false;
  // What was learned later has taken its place.
  if (row->version > line.version || row->fetched_at > line.fetched_at) return true;
  if (!line.patch.empty()) return row->version == line.version && row->verified_at >= line.fetched_at;
  if (line.data.empty()) return !row->live() || row->version > line.version;
  const auto hash = HashContent(line.data);
  return hash && row->live() && hash->content == row->hash.content;
}

}  // namespace

std::optional<AsideName> ParseAsidePath(std::string_view path) {
  const auto at = path.rfind(kAside);
  if (at == std::string_view::npos) return std::nullopt;
  const auto segment = ParseSegmentPath(path.substr(0, at));
  if (!segment || !segment->open) return std::nullopt;
  const std::string_view digits = path.substr(at + kAside.size());
  AsideName name{*segment, 0};
  // Behind the offset there may be "-2": the second one of that place.
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), name.from);
  if (error != std::errc() || (end != digits.data() + digits.size() && *end != '-')) return std::nullopt;
  return name;
}

Result<bool> HoldsNews(FileSystem& files, RecordIndex& index, const std::string& path, std::uint64_t from,
                       std::uint64_t to) {
  SegmentReader reader(files, path, to, from);
  while (true) {
    TRY_ASSIGN(const auto frame, reader.Next());
    if (!frame) return false;
    for (std::size_t line_at = 0; line_at < frame->content.size();) {
      const auto text = LineAt(frame->content, line_at);
      if (!text) break;
      line_at += text->size() + 1;
      const auto line = ParseRecordLine(*text);
      if (!line) continue;
      TRY_ASSIGN(const bool known, Known(index, *line));
      if (!known) return true;
    }
  }
}

Result<std::string> KeepAside(FileSystem& files, MediaType type, std::uint32_t number, std::uint64_t from,
                              std::uint64_t to) {
  const std::string open = OpenPath(type, number);
  TRY_ASSIGN(const std::string bytes, files.Read(open, from, to - from));
  const std::string first = fmt::format("{}{}{}", open, kAside, from);
  std::string path = first;
  for (int nth = 2;; ++nth) {
    const auto present = files.Read(path, 0, bytes.size() + 1);
    if (present && *present == bytes) return path;
    if (!present && present.error().code != ErrorCode::kNotFound) return std::unexpected(present.error());
    if (!present) break;
    path = fmt::format("{}-{}", first, nth);
  }
  TRY(WriteWhole(files, path, bytes));
  return path;
}

Result<bool> PutBack(FileSystem& files, const std::string& path, const AsideName& name) {
  const std::string open = OpenPath(name.segment.type, name.segment.number);
  TRY_ASSIGN(const bool sealed, files.Exists(SealedPath(name.segment.type, name.segment.number)));
  if (sealed) return false;
  TRY_ASSIGN(const bool present, files.Exists(open));
  std::uint64_t size = 0;
  if (present) {
    TRY_ASSIGN(size, files.Size(open));
  }
  TRY_ASSIGN(const std::uint64_t length, files.Size(path));
  TRY_ASSIGN(const std::string bytes, files.Read(path, 0, length));
  if (size < name.from || size > name.from + length) return false;
  // A part may be there, of a time when this was interrupted.
  TRY_ASSIGN(const std::string part, present ? files.Read(open, name.from, length) : std::string());
  if (!bytes.starts_with(part)) return false;
  TRY_ASSIGN(const auto file, files.OpenAppend(open));
  TRY(file->Append(std::string_view(bytes).substr(part.size())));
  TRY(file->Sync());
  TRY(files.SyncFolder(FolderOfPath(open)));
  TRY(files.Remove(path));
  return true;
}

std::string AsideNotice(const std::string& path) {
  return fmt::format(
      "{} keeps bytes that catalog.db does not know. After a crash they are fetched again, and the file goes by itself. "
      "If catalog.db was restored from a copy, stop, and put them back",
      path);
}

Result<Time> OldestIn(FileSystem& files, RecordIndex& index, const std::string& path, const AsideName& name) {
  TRY_ASSIGN(const std::uint64_t size, files.Size(path));
  SegmentReader reader(files, path, size);
  std::optional<Time> oldest;
  while (true) {
    TRY_ASSIGN(const auto frame, reader.Next());
    if (!frame) break;
    for (std::size_t line_at = 0; line_at < frame->content.size();) {
      const auto text = LineAt(frame->content, line_at);
      if (!text) break;
      line_at += text->size() + 1;
      const auto line = ParseRecordLine(*text);
      if (line) oldest = std::min(oldest.value_or(line->fetched_at), line->fetched_at);
    }
  }
  if (oldest) return *oldest;
  Time began{};
  TRY_ASSIGN(const auto segments, index.Segments(name.segment.type));
  for (const SegmentRow& row : segments) {
    if (row.place() <= name.segment.number) began = std::max(began, row.opened_at);
  }
  return began;
}

Result<void> DropKnown(FileSystem& files, RecordIndex& index, std::set<std::string>& asides) {
  for (auto path = asides.begin(); path != asides.end();) {
    const auto size = files.Size(*path);
    if (!size && size.error().code == ErrorCode::kNotFound) {
      path = asides.erase(path);
      continue;
    }
    if (!size) return std::unexpected(size.error());
    TRY_ASSIGN(const bool news, HoldsNews(files, index, *path, 0, *size));
    if (!news) TRY(files.Remove(*path));
    path = news ? std::next(path) : asides.erase(path);
  }
  return {};
}

}  // namespace tmdbc
