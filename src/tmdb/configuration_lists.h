// SPDX-License-Identifier: MIT
// The records of type configuration: TMDB's small lists of genres, certifications, languages, providers. Their path is
// their name. Their ids never change: those of ConfigurationPaths() are places in it, from 1; that of a genre list in
// one language is made of the language's letters, so it depends on no list and no order. Pure. Sources:
// docs/tmdb-facts.md.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace tmdbc {

// "genre/movie/list", "certification/tv/list", "configuration/languages", "watch/providers/movie"...
std::span<const std::string_view> ConfigurationPaths();
// What the paths of the genre lists in one language begin with: "genre/movie/list?language=" and so for tv.
std::span<const std::string_view> GenreListPaths();
// The id of configuration/primary_translations, the list that GenreListIds() reads.
inline constexpr std::int64_t kPrimaryTranslations = 9;

// "configuration/languages", "genre/movie/list?language=de-DE"; nothing for a number that no list has.
std::optional<std::string> ConfigurationPath(std::int64_t id);
// The inverse; nothing for any other text.
std::optional<std::int64_t> ConfigurationId(std::string_view path);

// The genre lists of movies and of shows in every language that `primary_translations` names, the body of that record:
// ["af-ZA","ar-AE",...]. Ascending. What is not a tag of two and two letters is passed over. kCorrupt when it is not a
// list.
Result<std::vector<std::int64_t>> GenreListIds(std::string_view primary_translations);

}  // namespace tmdbc
