// SPDX-License-Identifier: MIT
#include "images/selection.h"

#include <simdjson.h>

#include <algorithm>
#include <array>
#include <optional>
#include <ranges>
#include <utility>

#include "base/json.h"
#include "base/safe_text.h"

namespace tmdbc::images {
namespace {

using simdjson::dom::element;

constexpr std::string_view kNoLanguage = "null";

// Where a body says what of each kind it has: the list of its images, and the one that it shows.
struct Members {
  Kind kind;
  const char* list;
  const char* shown;
  bool in_languages;  // else none of them names one
};
constexpr std::array kMembers = {
    Members{Kind::kPoster, "posters", "poster_path", true}, Members{Kind::kBackdrop, "backdrops", "backdrop_path", true},
    Members{Kind::kProfile, "profiles", "profile_path", false}, Members{Kind::kStill, "stills", "still_path", false},
    Members{Kind::kLogo, "logos", "logo_path", true},
};

std::string_view TextOf(element object, const char* name) {
  std::string_view text;
  return object[name].get(text) == simdjson::SUCCESS ? text : std::string_view();
}

class Choice {
 public:
  explicit Choice(const Rule& rule) : rule_(rule) {}

  // An image of the kind at hand, in the order in which the body has them.
  void Offer(std::string_view file_path, std::string_view language) {
    if (const auto rank = RankOf(language.empty() ? kNoLanguage : language)) OfferAs(*rank, file_path);
  }
  // One for every language.
  void OfferForAll(std::string_view file_path) { OfferAs(0, file_path); }
  // Takes the best of what was offered since the last call.
  void Settle(std::vector<ImageName>& chosen) {
    std::ranges::stable_sort(offered_, {}, &std::pair<std::size_t, std::string>::first);
    for (auto& [rank, name] : offered_ | std::views::take(rule_.per_title)) {
      for (const std::string& size : rule_.sizes) chosen.push_back({size, name});
    }
    offered_.clear();
  }

 private:
  void OfferAs(std::size_t rank, std::string_view file_path) {
    if (auto name = NameOfFilePath(file_path)) offered_.emplace_back(rank, *std::move(name));
  }
  std::optional<std::size_t> RankOf(std::string_view language) const {
    if (rule_.languages.empty()) return 0;
    const auto found = std::ranges::find(rule_.languages, language);
    if (found == rule_.languages.end()) return std::nullopt;
    return static_cast<std::size_t>(found - rule_.languages.begin());
  }

  const Rule& rule_;
  std::vector<std::pair<std::size_t, std::string>> offered_;
};

// Only a season has episodes; each of their stills is one title's.
void TakeStills(element body, Choice& choice, std::vector<ImageName>& chosen) {
  simdjson::dom::array episodes;
  if (body["episodes"].get(episodes) != simdjson::SUCCESS) return;
  for (const element episode : episodes) {
    choice.OfferForAll(TextOf(episode, "still_path"));
    choice.Settle(chosen);
  }
}

}  // namespace

Result<std::string> ParseImageLanguage(std::string_view text) {
  const bool letters = text.size() == 2 && std::ranges::all_of(text, [](char c) { return c >= 'a' && c <= 'z'; });
  if (letters || text == kNoLanguage) return std::string(text);
  return Fail(ErrorCode::kInvalid, "'{}' is not a language of two letters, nor null for images without one",
              Printable(text.substr(0, 40)));
}

Result<std::vector<ImageName>> SelectImages(std::string_view body, const Rule& rule) {
  TRY_ASSIGN(const auto parsed, ParsedJson::Parse(body));
  if (!parsed.root().is_object()) return Fail(ErrorCode::kCorrupt, "the body is not an object");
  std::vector<ImageName> chosen;
  Choice choice(rule);
  for (const Kind kind : rule.kinds) {
    const Members& members = *std::ranges::find(kMembers, kind, &Members::kind);
    simdjson::dom::array list;
    if (parsed.root()["images"][members.list].get(list) == simdjson::SUCCESS) {
      for (const element image : list) {
        const std::string_view path = TextOf(image, "file_path");
        members.in_languages ? choice.Offer(path, TextOf(image, "iso_639_1")) : choice.OfferForAll(path);
      }
    } else {
      // Which language it is in is not said. It is TMDB's own choice, so it is good enough for any.
      choice.OfferForAll(TextOf(parsed.root(), members.shown));
    }
    choice.Settle(chosen);
    if (kind == Kind::kStill) TakeStills(parsed.root(), choice, chosen);
  }
  return chosen;
}

}  // namespace tmdbc::images
