// SPDX-License-Identifier: MIT
// Text: words, names, titles and paragraphs made up from a Random, in the scripts that TMDB's texts come in,
// with the oddities of real ones: line feeds, no-break and zero-width spaces, quotes, ampersands, emojis.
// Nothing is taken from TMDB.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "random.h"

namespace tmdbc::sim {

enum class Script : std::uint8_t {
  kEnglish,
  kLatin,
  kCyrillic,
  kGreek,
  kHan,
  kKana,
  kHangul,
  kArabic,
  kHebrew,
  kThai
};

struct Language {
  std::string_view code;     // iso_639_1
  std::string_view country;  // iso_3166_1
  std::string_view name;     // in the language itself; some are empty at TMDB too
  std::string_view english_name;
  std::string_view country_name;  // in English
  Script script;
};

// English comes first.
std::span<const Language> Languages();

// One word in lower case (where the script has cases).
std::string Word(Random& random, Script script);
// "The Silent Harbour", "Гиро наме": one to five words.
std::string Title(Random& random, Script script);
// "Amara Lindqvist"
std::string PersonName(Random& random);
std::string Sentence(Random& random, Script script);
// About `bytes` long, in paragraphs.
std::string Prose(Random& random, Script script, std::size_t bytes);
// "/kqjL17yufvn9OVLyXYpvtyrFfak.jpg"
std::string FilePath(Random& random, std::string_view extension = ".jpg");
// 24 hex digits, as credit ids have.
std::string HexId(Random& random);
// "1987-03-09", from `first_year` to `last_year`.
std::string Date(Random& random, int first_year = 1920, int last_year = 2026);
// "2021-06-01T13:05:22.000Z"; without the fraction when `milliseconds` is false.
std::string Instant(Random& random, bool milliseconds = true);

}  // namespace tmdbc::sim
