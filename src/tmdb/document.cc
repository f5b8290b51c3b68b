// SPDX-License-Identifier: MIT
#include "tmdb/document.h"

#include <algorithm>

#include "base/json.h"
#include "tmdb/parsed_body.h"

namespace tmdbc {
namespace {

namespace dom = simdjson::dom;

// Two passes of memchr(), because find_first_of() calls it for every byte: 200 us for 50 KB.
bool HasLineBreak(std::string_view text) {
  return text.find('\n') != std::string_view::npos || text.find('\r') != std::string_view::npos;
}

// The bytes of the `place`-th member's value, or of the `place`-th element.
std::string_view RawValue(std::string_view json, std::size_t place) {
  const RawMember raw = RawMembers(json)[place];
  return json.substr(raw.value, raw.end - raw.value);
}

// The bytes of the first element of episodes[] whose `name` is the integer `wanted`.
Result<std::string> EpisodeWith(std::string_view season_json, std::string_view name, std::int64_t wanted) {
  TRY_ASSIGN(const ParsedJson parsed, ParsedJson::Parse(season_json));
  dom::object season;
  if (parsed.root().get(season) == simdjson::SUCCESS) {
    std::size_t member_place = 0;
    for (dom::key_value_pair member : season) {
      if (member.key != "episodes") {
        ++member_place;
        continue;
      }
      dom::array episodes;
      if (member.value.get(episodes) != simdjson::SUCCESS) break;
      std::size_t place = 0;
      for (dom::element episode : episodes) {
        std::int64_t value = 0;
        if (episode[name].get(value) == simdjson::SUCCESS && value == wanted) {
          return std::string(RawValue(RawValue(season_json, member_place), place));
        }
        ++place;
      }
      break;  // of several members of that name the first one counts, as in EpisodesOf()
    }
  }
  return Fail(ErrorCode::kNotFound, "no episode with {} {} in this season", name, wanted);
}

}  // namespace

Result<std::string> OneLine(std::string json) {
  if (json.starts_with(kByteOrderMark)) json.erase(0, kByteOrderMark.size());
  if (!HasLineBreak(json)) return json;
  // A line break only before or behind the value takes nothing else along.
  constexpr std::string_view kSpace = " \t\r\n";
  const std::size_t begin = std::min(json.find_first_not_of(kSpace), json.size());
  const std::size_t end = json.find_last_not_of(kSpace) + 1;
  const std::string_view trimmed = std::string_view(json).substr(begin, std::max(end, begin) - begin);
  if (!HasLineBreak(trimmed)) return std::string(trimmed);

  std::string minified(trimmed.size(), '\0');
  std::size_t size = 0;
  const simdjson::error_code error = simdjson::minify(trimmed.data(), trimmed.size(), minified.data(), size);
  if (error != simdjson::SUCCESS) {
    return Fail(ErrorCode::kCorrupt, "put JSON on one line: {}", simdjson::error_message(error));
  }
  minified.resize(size);
  if (HasLineBreak(minified))
    return Fail(ErrorCode::kCorrupt, "put JSON on one line: a line break within a string");
  return minified;
}

Result<std::string> WithMembersOf(std::string json, std::string_view from, const std::vector<std::string>& names) {
  TRY_ASSIGN(const ParsedJson parsed, ParsedJson::Parse(from));
  dom::object object;
  if (parsed.root().get(object) != simdjson::SUCCESS) return Fail(ErrorCode::kCorrupt, "not an object");
  const std::vector<RawMember> raw = RawMembers(from);
  std::string members;
  std::size_t place = 0;
  for (const dom::key_value_pair member : object) {
    const RawMember& at = raw[place++];
    if (std::ranges::find(names, member.key) == names.end()) continue;
    members += ',';
    members += from.substr(at.begin, at.end - at.begin);
  }
  json.insert(json.rfind('}'), members);
  return json;
}

std::vector<EpisodeRef> EpisodesOf(dom::element season) {
  std::vector<EpisodeRef> found;
  dom::array episodes;
  if (season["episodes"].get(episodes) != simdjson::SUCCESS) return found;
  for (dom::element episode : episodes) {
    EpisodeRef ref;
    if (episode["id"].get(ref.id) != simdjson::SUCCESS) continue;
    if (episode["episode_number"].get(ref.number) != simdjson::SUCCESS) ref.number = -1;
    found.push_back(ref);
  }
  return found;
}

Result<std::vector<EpisodeRef>> EpisodesOf(std::string_view season_json) {
  TRY_ASSIGN(const ParsedJson parsed, ParsedJson::Parse(season_json));
  return EpisodesOf(parsed.root());
}

Result<std::string> EpisodeById(std::string_view season_json, std::int64_t episode_id) {
  return EpisodeWith(season_json, "id", episode_id);
}

Result<std::string> EpisodeByNumber(std::string_view season_json, std::int64_t episode_number) {
  return EpisodeWith(season_json, "episode_number", episode_number);
}

}  // namespace tmdbc
