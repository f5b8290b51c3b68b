// SPDX-License-Identifier: MIT
#include "read_api/subject.h"

#include <algorithm>

namespace tmdbc::read_api {
namespace {

// Names that TMDB has or had beside those that can be collected.
constexpr std::string_view kOtherNames[] = {"account_states", "casts", "releases", "trailers"};

// `name` is one of the list "a, b, c".
bool IsOneOf(std::string_view list, std::string_view name) {
  for (std::size_t begin = 0; begin < list.size();) {
    const std::size_t end = std::min(list.find(", ", begin), list.size());
    if (list.substr(begin, end - begin) == name) return true;
    begin = end + 2;
  }
  return false;
}

}  // namespace

bool IsAppended(MediaType type, const JsonMember& member) {
  // watch/providers, season/1, language/de: a plain member has no slash, escaped or not.
  if (member.name.find('/') != std::string_view::npos) return true;
  if (IsOneOf(TraitsOf(type).all_namespaces, member.name)) return true;
  if (type == MediaType::kSeason && member.name == "aggregate_credits") return true;
  for (const std::string_view name : kOtherNames) {
    if (member.name == name) return true;
  }
  return false;
}

std::optional<std::int64_t> WholeNumber(std::string_view text) {
  if (text.find_first_not_of("0123456789") != std::string_view::npos) return std::nullopt;
  return IntegerOf(text);
}

std::optional<std::int64_t> PositiveInteger(std::string_view text) {
  const auto number = WholeNumber(text);
  return number && *number > 0 ? number : std::nullopt;
}

}  // namespace tmdbc::read_api
