// SPDX-License-Identifier: MIT
#include "read_api/trending.h"

#include <array>
#include <chrono>
#include <string_view>
#include <vector>

#include "read_api/paging.h"
#include "titles/trending.h"

namespace tmdbc::read_api {
namespace {

constexpr std::chrono::hours kTrendingMaxAge{8};

std::vector<MediaType> TypesOf(std::string_view name) {
  if (name == "movie") return {MediaType::kMovie};
  if (name == "tv") return {MediaType::kTv};
  if (name == "person") return {MediaType::kPerson};
  if (name == "all") return {MediaType::kMovie, MediaType::kTv, MediaType::kPerson};
  return {};
}

}  // namespace

Answer Trending(Call& call) {
  const auto types = TypesOf(call.part(1));
  const bool week = call.part(2) == "week";
  if (types.empty() || (!week && call.part(2) != "day")) return ErrorAnswer(34);
  const auto page = PageOf(call.query());
  if (!page) return ErrorAnswer(22);
  const titles::Titles* const index = call.Titles();
  if (index == nullptr) return IndexAwaited();
  const auto found = titles::Trending(*index, types, week ? titles::Since::kWeek : titles::Since::kDay, SkipOf(*page),
                                      kRowsToFind);
  return {.body = PageOfRows(call, *page, found, StyleOf(call, RowForm::kMixed, false)),
          .fidelity = Fidelity::kApproximate,
          .max_age = kTrendingMaxAge};
}

}  // namespace tmdbc::read_api
