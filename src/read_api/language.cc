// SPDX-License-Identifier: MIT
#include "read_api/language.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <utility>

namespace tmdbc::read_api {
namespace {

// The country of a language where its letters are others: de is at home in DE, en in US. Those of TMDB's
// configuration/primary_translations.
constexpr std::array<std::pair<std::string_view, std::string_view>, 50> kCountries = {{
    {"af", "ZA"}, {"ar", "SA"}, {"be", "BY"}, {"bn", "BD"}, {"br", "FR"}, {"ca", "ES"}, {"ch", "GU"},
    {"cn", "CN"}, {"cs", "CZ"}, {"cy", "GB"}, {"da", "DK"}, {"el", "GR"}, {"en", "US"}, {"et", "EE"},
    {"eu", "ES"}, {"fa", "IR"}, {"ga", "IE"}, {"gd", "GB"}, {"gl", "ES"}, {"he", "IL"}, {"hi", "IN"},
    {"hy", "AM"}, {"ja", "JP"}, {"ka", "GE"}, {"kk", "KZ"}, {"kn", "IN"}, {"ko", "KR"}, {"ku", "TR"},
    {"ky", "KG"}, {"ml", "IN"}, {"mr", "IN"}, {"ms", "MY"}, {"nb", "NO"}, {"ne", "NP"}, {"oc", "FR"},
    {"pa", "IN"}, {"si", "LK"}, {"sl", "SI"}, {"sq", "AL"}, {"sr", "RS"}, {"sv", "SE"}, {"sw", "TZ"},
    {"ta", "IN"}, {"te", "IN"}, {"tl", "PH"}, {"uk", "UA"}, {"ur", "PK"}, {"vi", "VN"}, {"zh", "CN"},
    {"zu", "ZA"},
}};

char Lower(char c) {
  return static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
}
char Upper(char c) {
  return static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
}
bool AreLetters(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return std::isalpha(static_cast<unsigned char>(c)) != 0; });
}

std::string CountryOf(std::string_view code) {
  const auto found = std::ranges::find(kCountries, code, [](const auto& row) { return row.first; });
  if (found != kCountries.end()) return std::string(found->second);
  std::string country(code);
  std::ranges::transform(country, country.begin(), Upper);
  return country;
}

// How well a text in `code`-`region` answers: 0 both, 1 its own country, 2 the language, 3 not at all. A text without a
// region is one of its own country.
int Distance(const Language& language, std::string_view code, std::string_view region) {
  if (code != language.code()) return 3;
  if (region == language.region()) return 0;
  if (region.empty() || region == CountryOf(code)) return 1;
  return 2;
}

}  // namespace

Language Language::Parse(std::string_view tag) {
  Language language;
  if (tag.size() < 2 || !AreLetters(tag.substr(0, 2)) || (tag.size() > 2 && tag[2] != '-' && tag[2] != '_'))
    return language;
  language.code_ = {Lower(tag[0]), Lower(tag[1])};
  const std::size_t last = tag.find_last_of("-_");
  if (last == std::string_view::npos) return language;
  const std::string_view region = tag.substr(last + 1);
  if (region.size() == 2 && AreLetters(region)) language.region_ = {Upper(region[0]), Upper(region[1])};
  return language;
}

std::string Language::Tag() const {
  return code_ + "-" + (region_.empty() ? CountryOf(code_) : region_);
}

JsonSlice TranslationFor(JsonSlice translations, const Language& language) {
  JsonSlice best;
  int least = 3;
  for (const JsonSlice entry : ElementsOf(translations)) {
    const int distance =
        Distance(language, PlainText(MemberOf(entry, "iso_639_1")), PlainText(MemberOf(entry, "iso_3166_1")));
    if (distance >= least) continue;
    least = distance;
    best = entry;
  }
  return best;
}

std::size_t TagFor(const std::vector<std::string_view>& tags, const Language& language) {
  std::size_t best = tags.size();
  int least = 3;
  for (std::size_t i = 0; i < tags.size(); ++i) {
    const std::string_view tag = tags[i];
    const int distance = Distance(language, tag.substr(0, 2), tag.size() == 5 ? tag.substr(3) : "");
    if (distance >= least) continue;
    least = distance;
    best = i;
  }
  return best;
}

}  // namespace tmdbc::read_api
