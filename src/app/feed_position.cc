// SPDX-License-Identifier: MIT
#include "app/feed_position.h"

#include <algorithm>
#include <charconv>

#include "base/words.h"

namespace tmdbc {
namespace {

std::optional<std::int64_t> Sequence(std::string_view text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number < 0) return std::nullopt;
  return number;
}

Result<FeedPosition> TypesOf(const std::optional<std::string>& name) {
  FeedPosition position;
  if (!name) {
    for (const MediaType type : kRecordTypes) position.emplace_back(type, 0);
    return position;
  }
  const auto type = ParseMediaType(*name);
  if (!type) return Fail(ErrorCode::kInvalid, "--type: {}", type.error().message);
  if (!HasRecords(*type)) {
    return Fail(ErrorCode::kInvalid,
                "--type is 'episode': episodes have no records of their own, follow --type=season");
  }
  position.emplace_back(*type, 0);
  return position;
}

std::unexpected<Error> Bad(std::string_view since) {
  return Fail(
      ErrorCode::kInvalid,
      "--since is '{}': use the last seq that you have by type, movie=12,tv=7, or its number alone with "
      "--type, or 0 for the beginning",
      ShowValue(since));
}

}  // namespace

Result<FeedPosition> ParseFeedPosition(std::string_view since, const std::optional<std::string>& type) {
  TRY_ASSIGN(FeedPosition position, TypesOf(type));
  if (const auto number = Sequence(since)) {
    // One number for many types means nothing but the beginning: each type counts for itself.
    if (*number != 0 && !type) return Bad(since);
    for (auto& [media_type, sequence] : position) sequence = *number;
    return position;
  }
  std::vector<MediaType> seen;
  for (std::string_view rest = since;;) {
    const auto comma = rest.find(',');
    const std::string_view item = rest.substr(0, comma);
    const auto equals = item.find('=');
    if (equals == std::string_view::npos) return Bad(since);
    const auto number = Sequence(item.substr(equals + 1));
    const auto named = ParseMediaType(item.substr(0, equals));
    if (!number || !named) return Bad(since);
    if (std::ranges::find(seen, *named) != seen.end())
      return Fail(ErrorCode::kInvalid, "--since is '{}': it names {} twice", ShowValue(since), Name(*named));
    seen.push_back(*named);
    const auto found = std::ranges::find(position, *named, &FeedPosition::value_type::first);
    if (found != position.end()) {
      found->second = *number;
    } else if (!type) {
      return Bad(since);  // an episode
    }
    if (comma == std::string_view::npos) return position;
    rest.remove_prefix(comma + 1);
  }
}

}  // namespace tmdbc
