// SPDX-License-Identifier: MIT
#include "read_api/season_texts.h"

#include <algorithm>
#include <array>
#include <vector>

#include "read_api/texts.h"

namespace tmdbc::read_api {
namespace {

constexpr JsonSlice kNoOverview = "\"\"";
constexpr std::string_view kLanguagePrefix = "language/";

// The member language/xx that answers; empty when there is none.
JsonSlice CollectedIn(const Language& language, const JsonObject& season) {
  std::vector<std::string_view> tags;
  std::vector<JsonSlice> values;
  for (const JsonMember& member : season.members()) {
    if (!member.name.starts_with(kLanguagePrefix)) continue;
    tags.push_back(member.name.substr(kLanguagePrefix.size()));
    values.push_back(member.value);
  }
  const std::size_t found = TagFor(tags, language);
  return found < values.size() ? values[found] : JsonSlice();
}

}  // namespace

bool HasSeasonTexts(const JsonObject& season) {
  return std::ranges::any_of(season.members(), [](const JsonMember& member) {
    return member.name.starts_with(kLanguagePrefix) || member.name == "translations" ||
           member.name == "images";
  });
}

SeasonTexts SeasonTextsIn(const Language& language, const JsonObject& season,
                          std::string_view original_language) {
  SeasonTexts texts;
  texts.poster_path = PosterIn(language, MemberOf(season["images"], "posters"), original_language);
  if (const JsonSlice collected = CollectedIn(language, season); !collected.empty()) {
    const JsonObject object(collected);
    texts.name = object["name"];
    if (!object["overview"].empty()) texts.overview = object["overview"];
    for (const JsonSlice entry : ElementsOf(object["episodes"])) {
      const JsonObject episode(entry);
      if (const auto id = IntegerOf(episode["id"]))
        texts.episodes[*id] = {.name = episode["name"], .overview = episode["overview"]};
    }
    texts.complete = true;
    return texts;
  }
  const JsonSlice translations = MemberOf(season["translations"], "translations");
  const JsonObject entry(MemberOf(TranslationFor(translations, language), "data"));
  if (!IsBlank(entry["name"])) texts.name = entry["name"];
  if (!IsBlank(entry["overview"])) texts.overview = entry["overview"];
  return texts;
}

std::string EpisodeIn(const SeasonTexts& texts, JsonSlice episode) {
  const JsonObject object(episode);
  if (object.members().empty()) return std::string(episode);
  const auto found = texts.episodes.find(IntegerOf(object["id"]).value_or(0));
  const SeasonTexts::Episode words = found == texts.episodes.end() ? SeasonTexts::Episode() : found->second;
  return WithValues(object,
                    std::array{NewValue{"name", words.name},
                               NewValue{"overview", words.overview.empty() ? kNoOverview : words.overview}});
}

}  // namespace tmdbc::read_api
