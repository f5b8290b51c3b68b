// SPDX-License-Identifier: MIT
#include "history/record_address.h"

#include <fmt/format.h>
#include <algorithm>

#include <charconv>

#include "base/words.h"
#include "tmdb/detail_fetch.h"

namespace tmdbc {
namespace {

constexpr std::int64_t kMaxId = (std::int64_t{1} << 52) - 1;  // JSON numbers are exact up to here

std::optional<std::int64_t> Whole(std::string_view text, std::int64_t low) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number < low || number > kMaxId)
    return std::nullopt;
  return number;
}

// The next part of "1399/season/1", up to a slash.
std::string_view TakePart(std::string_view& path) {
  const auto slash = path.find('/');
  const std::string_view part = path.substr(0, slash);
  path.remove_prefix(slash == std::string_view::npos ? path.size() : slash + 1);
  return part;
}

// "1399/season/1" and, for an episode, "/episode/2" behind it.
bool ParsePlace(std::string_view path, bool episode, RecordAddress& address) {
  if (path.ends_with('/')) return false;
  const auto tv_id = Whole(TakePart(path), 1);
  if (TakePart(path) != "season") return false;
  const auto season = Whole(TakePart(path), 0);
  const auto number = episode && TakePart(path) == "episode" ? Whole(TakePart(path), 0) : std::nullopt;
  if (!tv_id || !season || (episode && !number) || !path.empty()) return false;
  address.by_place = true;
  address.tv_id = *tv_id;
  address.season_number = *season;
  address.episode_number = number.value_or(0);
  return true;
}

std::string_view AllowedIds(MediaType type) {
  if (type == MediaType::kSeason) return "TMDB's id of the season, or 1399/season/1";
  if (type == MediaType::kEpisode) return "TMDB's id of the episode, or 1399/season/1/episode/2";
  return "a whole number from 1";
}

Result<std::int64_t> ParseConfigurationId(std::string_view id) {
  if (const auto found = ConfigurationId(id)) return *found;
  const auto number = Whole(id, 1);
  if (number && ConfigurationPath(*number)) return *number;
  const auto paths = ConfigurationPaths();
  return Fail(ErrorCode::kInvalid,
              "'{}' is not a configuration list: use a number from 1 to {} or one of {}, or a genre list in a language "
              "such as genre/movie/list?language=de-DE",
              ShowValue(id), paths.size(), fmt::join(paths, ", "));
}

}  // namespace

Result<std::int64_t> ParseId(std::string_view text) {
  const auto id = Whole(text, 1);
  if (!id) return Fail(ErrorCode::kInvalid, "'{}' is not an id: use a whole number from 1", ShowValue(text));
  return *id;
}

Result<RecordAddress> ParseRecordAddress(std::string_view type, std::string_view id) {
  const auto parsed = ParseMediaType(type);
  if (!parsed) return std::unexpected(parsed.error());
  RecordAddress address{.type = *parsed};
  if (*parsed == MediaType::kConfiguration) {
    TRY_ASSIGN(address.id, ParseConfigurationId(id));
    return address;
  }
  const bool has_place = *parsed == MediaType::kSeason || *parsed == MediaType::kEpisode;
  if (has_place && ParsePlace(id, *parsed == MediaType::kEpisode, address)) return address;
  const auto number = Whole(id, 1);
  if (!number) return Fail(ErrorCode::kInvalid, "'{}' is not an id: use {}", ShowValue(id), AllowedIds(*parsed));
  address.id = *number;
  return address;
}

}  // namespace tmdbc
