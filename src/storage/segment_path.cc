// SPDX-License-Identifier: MIT
#include "storage/segment_path.h"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>

namespace tmdbc {
namespace {

constexpr std::string_view kSealedEnd = ".jsonl.zst";
constexpr std::string_view kOpenEnd = ".jsonl.zst.open";

bool TakeEnd(std::string_view& text, std::string_view end) {
  if (!text.ends_with(end)) return false;
  text.remove_suffix(end.size());
  return true;
}

bool TakeStart(std::string_view& text, std::string_view start) {
  if (!text.starts_with(start)) return false;
  text.remove_prefix(start.size());
  return true;
}

}  // namespace

std::string SealedPath(MediaType type, std::uint32_t number) {
  assert(number >= 1 && number <= kMaxSegmentNumber);
  return fmt::format("{}/{}/{:03}/{:03}/{:03}{}", kRecordsFolder, Name(type), number / 1'000'000,
                     number / 1000 % 1000, number % 1000, kSealedEnd);
}

std::string OpenPath(MediaType type, std::uint32_t number) {
  return SealedPath(type, number) + ".open";
}

std::string StatePath(MediaType type) {
  return fmt::format("{}/{}/state.json", kRecordsFolder, Name(type));
}

std::string FolderOfPath(std::string_view path) {
  return std::string(path.substr(0, path.rfind('/')));
}

std::optional<SegmentName> ParseSegmentPath(std::string_view path) {
  if (!TakeStart(path, kRecordsFolder) || !TakeStart(path, "/")) return std::nullopt;
  const bool open = TakeEnd(path, kOpenEnd);
  if (!open && !TakeEnd(path, kSealedEnd)) return std::nullopt;
  const auto slash = path.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  const auto type = ParseMediaType(path.substr(0, slash));
  if (!type) return std::nullopt;
  const std::string_view digits = path.substr(slash + 1);  // "000/000/001"
  if (digits.size() != 11 || digits[3] != '/' || digits[7] != '/') return std::nullopt;
  std::uint32_t number = 0;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    if (i == 3 || i == 7) continue;
    if (digits[i] < '0' || digits[i] > '9') return std::nullopt;
    number = number * 10 + std::uint32_t(digits[i] - '0');
  }
  if (number == 0) return std::nullopt;
  return SegmentName{*type, number, open};
}

}  // namespace tmdbc
