// SPDX-License-Identifier: MIT
#include "read_api/search.h"

#include <array>
#include <string_view>
#include <vector>

#include "read_api/discover.h"
#include "read_api/paging.h"
#include "titles/search.h"

namespace tmdbc::read_api {
namespace {

constexpr std::chrono::hours kSearchMaxAge{6};

struct SearchKind {
  std::string_view name;
  std::vector<MediaType> types;
};

const SearchKind* KindOf(std::string_view name) {
  static const std::array kKinds = {
      SearchKind{"movie", {MediaType::kMovie}},
      SearchKind{"tv", {MediaType::kTv}},
      SearchKind{"person", {MediaType::kPerson}},
      SearchKind{"collection", {MediaType::kCollection}},
      SearchKind{"company", {MediaType::kCompany}},
      SearchKind{"keyword", {MediaType::kKeyword}},
      SearchKind{"multi", {MediaType::kMovie, MediaType::kTv, MediaType::kPerson}},
  };
  for (const SearchKind& kind : kKinds) {
    if (kind.name == name) return &kind;
  }
  return nullptr;
}

}  // namespace

Answer Search(Call& call) {
  const SearchKind* const kind = KindOf(call.part(1));
  if (kind == nullptr) return ErrorAnswer(34);
  const Query& query = call.query();
  const auto text = query.Get("query");
  if (!text) return ParameterMissing("query");
  const auto page = PageOf(query);
  if (!page) return ErrorAnswer(22);
  const titles::Titles* const index = call.Titles();
  if (index == nullptr) return IndexAwaited();

  const RowStyle style =
      StyleOf(call, kind->name == "multi" ? RowForm::kMixed : RowForm::kList, kind->name == "movie");
  titles::SearchQuery search{.text = *text,
                             .language = titles::TwoLetters(style.language.code()),
                             .include_adult = query.IsTrue("include_adult")};
  if (kind->name == "movie") search.primary_year = YearFrom(query.Get("primary_release_year").value_or(""));
  if (kind->name == "tv") search.primary_year = YearFrom(query.Get("first_air_date_year").value_or(""));
  if (kind->name == "movie" || kind->name == "tv") search.year = YearFrom(query.Get("year").value_or(""));
  const auto found = titles::Search(*index, kind->types, search, SkipOf(*page), kRowsToFind);
  return {.body = PageOfRows(call, *page, found, style),
          .fidelity = Fidelity::kApproximate,
          .max_age = kSearchMaxAge};
}

}  // namespace tmdbc::read_api
