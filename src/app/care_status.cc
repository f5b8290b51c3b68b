// SPDX-License-Identifier: MIT
#include "app/care_status.h"

#include <fmt/format.h>

#include <array>
#include <vector>

#include "app/app_properties.h"
#include "app/hints.h"
#include "app/progress.h"
#include "base/json.h"
#include "base/json_writer.h"

namespace tmdbc {
namespace {

constexpr std::string_view kProperty = "care";

struct ObstacleWords {
  CareObstacle obstacle;
  std::string_view name, words;
};
constexpr std::array kObstacles = {
    ObstacleWords{CareObstacle::kNone, "", ""},
    ObstacleWords{CareObstacle::kNoDate, "no_date",
                  "nothing is purged: TMDB has not said in this run what day it is (its answers had no Date that can be "
                  "believed, or there were none)"},
    ObstacleWords{CareObstacle::kClockOff, "clock_off",
                  "nothing is purged: this machine's clock is off by more than a day from TMDB's"},
};

const ObstacleWords& Of(CareObstacle obstacle) {
  return kObstacles[std::size_t(obstacle)];
}

}  // namespace

std::string_view NameOf(CareObstacle obstacle) {
  return Of(obstacle).name;
}

std::string_view WordsOf(CareObstacle obstacle) {
  return Of(obstacle).words;
}

std::string CareText(const CareStatus& status) {
  if (status.obstacle != CareObstacle::kNone) return std::string(WordsOf(status.obstacle));
  std::vector<std::string> parts;
  if (status.purged > 0) parts.push_back(fmt::format("{} purged", Counted(status.purged, "record")));
  if (status.files > 0) parts.push_back(fmt::format("{} kept aside purged", Counted(status.files, "file")));
  if (status.held > 0) {
    parts.push_back(fmt::format("{} held, too many to purge at once ({})", Counted(status.held, "record"),
                                WordsOf(Hint::kAcceptPurge)));
  }
  if (status.unasked > 0) {
    parts.push_back(fmt::format("{} older than 180 days, kept until TMDB has been asked for them",
                                Counted(status.unasked, "record")));
  }
  return fmt::format("{}", fmt::join(parts, "; "));
}

Result<std::optional<CareStatus>> ReadCareStatus(Database& catalog) {
  TRY_ASSIGN(const auto text, GetProperty(catalog, kProperty));
  if (!text) return std::nullopt;
  TRY_ASSIGN(const auto json, ParsedJson::ParseString(*text));
  CareStatus status;
  std::string_view at, obstacle;
  const auto root = json.root();
  if (root["at"].get(at) != simdjson::SUCCESS || root["obstacle"].get(obstacle) != simdjson::SUCCESS ||
      root["purged"].get(status.purged) != simdjson::SUCCESS || root["files"].get(status.files) != simdjson::SUCCESS ||
      root["held"].get(status.held) != simdjson::SUCCESS || root["unasked"].get(status.unasked) != simdjson::SUCCESS)
    return Fail(ErrorCode::kCorrupt, "catalog.db: what it says of the last care cannot be read: {:.200}", *text);
  TRY_ASSIGN(status.at, ParseTime(at));
  for (const ObstacleWords& one : kObstacles)
    if (one.name == obstacle) status.obstacle = one.obstacle;
  return status;
}

Result<void> WriteCareStatus(Database& catalog, const CareStatus& status) {
  JsonWriter json;
  json.BeginObject()
      .Field("at", FormatTime(status.at))
      .Field("obstacle", NameOf(status.obstacle))
      .Field("purged", status.purged)
      .Field("files", status.files)
      .Field("held", status.held)
      .Field("unasked", status.unasked)
      .EndObject();
  return PutProperty(catalog, kProperty, json.text());
}

}  // namespace tmdbc
