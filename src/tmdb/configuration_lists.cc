// SPDX-License-Identifier: MIT
#include "tmdb/configuration_lists.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>

#include "base/json.h"

namespace tmdbc {
namespace {

// The ids of configuration records are places in this list: only ever add at its end.
constexpr std::array<std::string_view, 13> kPaths = {
    "genre/movie/list",        "genre/tv/list",           "certification/movie/list",
    "certification/tv/list",   "configuration",           "configuration/countries",
    "configuration/jobs",      "configuration/languages", "configuration/primary_translations",
    "configuration/timezones", "watch/providers/regions", "watch/providers/movie",
    "watch/providers/tv",
};
static_assert(kPaths[kPrimaryTranslations - 1] == "configuration/primary_translations");

// A genre list in a language has the id 1000 + 2 * (the four letters of its tag as a number to the base 26) + kind.
// The places of kPaths stay far below.
constexpr std::int64_t kFirstGenreList = 1000;
constexpr std::int64_t kTags = 26 * 26 * 26 * 26;
constexpr std::array<std::string_view, 2> kGenreLists = {"genre/movie/list?language=",
                                                         "genre/tv/list?language="};

// "de-DE" as a number.
std::optional<std::int64_t> NumberOfTag(std::string_view tag) {
  if (tag.size() != 5 || tag[2] != '-') return std::nullopt;
  std::int64_t number = 0;
  for (const std::size_t i : {0, 1, 3, 4}) {
    const char first = i < 2 ? 'a' : 'A';
    if (tag[i] < first || tag[i] > first + 25) return std::nullopt;
    number = 26 * number + (tag[i] - first);
  }
  return number;
}

std::string TagOfNumber(std::int64_t number) {
  std::string tag = "aa-AA";
  for (const std::size_t i : {4, 3, 1, 0}) {
    tag[i] = static_cast<char>(tag[i] + number % 26);
    number /= 26;
  }
  return tag;
}

}  // namespace

std::span<const std::string_view> ConfigurationPaths() {
  return kPaths;
}

std::span<const std::string_view> GenreListPaths() {
  return kGenreLists;
}

std::optional<std::string> ConfigurationPath(std::int64_t id) {
  if (id >= 1 && id <= std::ssize(kPaths)) return std::string(kPaths[static_cast<std::size_t>(id - 1)]);
  const std::int64_t place = id - kFirstGenreList;
  if (place < 0 || place >= 2 * kTags) return std::nullopt;
  return fmt::format("{}{}", kGenreLists[static_cast<std::size_t>(place % 2)], TagOfNumber(place / 2));
}

std::optional<std::int64_t> ConfigurationId(std::string_view path) {
  if (const auto found = std::ranges::find(kPaths, path); found != kPaths.end())
    return found - kPaths.begin() + 1;
  for (std::size_t kind = 0; kind < kGenreLists.size(); ++kind) {
    if (!path.starts_with(kGenreLists[kind])) continue;
    const auto number = NumberOfTag(path.substr(kGenreLists[kind].size()));
    if (number) return kFirstGenreList + 2 * *number + static_cast<std::int64_t>(kind);
  }
  return std::nullopt;
}

Result<std::vector<std::int64_t>> GenreListIds(std::string_view primary_translations) {
  TRY_ASSIGN(const ParsedJson parsed, ParsedJson::Parse(primary_translations));
  simdjson::dom::array tags;
  if (parsed.root().get(tags) != simdjson::SUCCESS)
    return Fail(ErrorCode::kCorrupt, "configuration/primary_translations is not a list");
  std::vector<std::int64_t> ids;
  for (const simdjson::dom::element element : tags) {
    std::string_view tag;
    if (element.get(tag) != simdjson::SUCCESS) continue;
    const auto number = NumberOfTag(tag);
    if (!number) continue;
    ids.push_back(kFirstGenreList + 2 * *number);
    ids.push_back(kFirstGenreList + 2 * *number + 1);
  }
  std::ranges::sort(ids);
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
  return ids;
}

}  // namespace tmdbc
