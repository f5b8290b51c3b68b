// SPDX-License-Identifier: MIT
#include "read_api/find.h"

#include <fmt/format.h>

#include <array>
#include <string>
#include <utility>

#include "read_api/paging.h"
#include "titles/find.h"

namespace tmdbc::read_api {
namespace {

constexpr std::chrono::hours kFindMaxAge{8};

// The five arrays, in TMDB's order. Episodes have no records of their own, and seasons no ids of other sites unless
// their bodies bring some.
constexpr std::array<std::pair<std::string_view, MediaType>, 5> kArrays = {{{"movie_results", MediaType::kMovie},
                                                                           {"person_results", MediaType::kPerson},
                                                                           {"tv_results", MediaType::kTv},
                                                                           {"tv_episode_results", MediaType::kEpisode},
                                                                           {"tv_season_results", MediaType::kSeason}}};

// A season's row is made of its own members; of its episodes it has only the number.
std::string SeasonRow(const Record& record) {
  const JsonObject body{record.body};
  JsonSplice row = JsonSplice::Object(512);
  row.Add("id", body["id"]).Add("name", body["name"]).Add("overview", body["overview"]);
  row.Add("poster_path", body["poster_path"]).Add("media_type", "\"tv_season\"").Add("vote_average", body["vote_average"]);
  row.Add("air_date", body["air_date"]).Add("season_number", body["season_number"]);
  row.Add("show_id", std::to_string(record.tv_id)).Add("episode_count", std::to_string(ElementsOf(body["episodes"]).size()));
  return std::move(row).Take();
}

}  // namespace

Answer Find(Call& call) {
  const Query& query = call.query();
  const auto source = titles::ParseExternalSource(query.Get("external_source").value_or(""));
  if (!source) return ParameterMissing("external_source");
  const titles::Titles* const index = call.Titles();
  if (index == nullptr) {
    call.Lack();
    return IndexAwaited();
  }
  const RowStyle style = StyleOf(call, RowForm::kMixed, false);
  std::string body = "{";
  bool any = false;
  for (const auto& [name, type] : kArrays) {
    const auto found = titles::FindExternal(*index, type, *source, call.part(1));
    any = any || !found.empty();
    std::string rows;
    if (type != MediaType::kSeason) {
      rows = RowsOf(call, found, style).text;
    } else {
      for (const titles::Found& one : found) {
        if (const auto record = call.Find(one.id)) rows += (rows.empty() ? "" : ",") + SeasonRow(*record);
      }
    }
    body += fmt::format(R"({}"{}":[{}])", body.size() == 1 ? "" : ",", name, rows);
  }
  if (!any) call.Lack();
  return {.body = body + "}", .fidelity = Fidelity::kDerived, .max_age = kFindMaxAge};
}

}  // namespace tmdbc::read_api
