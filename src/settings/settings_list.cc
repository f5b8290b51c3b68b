// SPDX-License-Identifier: MIT
#include "settings/settings_list.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/json_writer.h"

namespace tmdbc {
namespace {

std::string_view Name(HarvestMode mode) {
  switch (mode) {
    case HarvestMode::kAuto:
      return "auto";
    case HarvestMode::kExport:
      return "export";
    case HarvestMode::kChanges:
      return "changes";
  }
  return "";
}

const std::vector<MediaType>& TypesOf(const ScheduleSetting& schedule, const Settings& settings) {
  return schedule.types.empty() ? settings.media_types : schedule.types;
}

std::string Line(const ScheduleSetting& schedule, const Settings& settings) {
  std::string types;
  for (const MediaType type : TypesOf(schedule, settings))
    types += fmt::format("{}{}", types.empty() ? "" : ",", tmdbc::Name(type));
  return fmt::format("schedule {}={}, mode {}, types {}{} ({})", schedule.name,
                     schedule.expression.ToString(), Name(schedule.mode), types,
                     schedule.limit ? fmt::format(", limit {}", *schedule.limit) : "", schedule.source);
}

}  // namespace

std::vector<GivenSetting> AllSettings(const Settings& settings) {
  std::vector<GivenSetting> all;
  for (const Setting& setting : SettingsTable()) {
    const auto given = std::ranges::find(settings.given, setting.name, &GivenSetting::name);
    if (given != settings.given.end()) {
      all.push_back(*given);
    } else {
      all.push_back({std::string(setting.name), FallbackOf(setting), "default"});
    }
  }
  return all;
}

std::vector<std::string> SettingsLines(const Settings& settings) {
  std::vector<std::string> lines;
  for (const GivenSetting& setting : AllSettings(settings))
    lines.push_back(fmt::format("{}={} ({})", setting.name, setting.text, setting.source));
  for (const ScheduleSetting& schedule : settings.schedules) lines.push_back(Line(schedule, settings));
  return lines;
}

std::string SettingsJson(const Settings& settings) {
  JsonWriter json;
  json.BeginObject().Key("settings").BeginArray();
  for (const GivenSetting& setting : AllSettings(settings)) {
    json.BeginObject()
        .Field("name", setting.name)
        .Field("value", setting.text)
        .Field("source", setting.source)
        .EndObject();
  }
  json.EndArray().Key("schedules").BeginArray();
  for (const ScheduleSetting& schedule : settings.schedules) {
    json.BeginObject()
        .Field("name", schedule.name)
        .Field("expression", schedule.expression.text())
        .Field("timezone", schedule.expression.zone().name())
        .Field("mode", Name(schedule.mode))
        .Key("types")
        .BeginArray();
    for (const MediaType type : TypesOf(schedule, settings)) json.Text(tmdbc::Name(type));
    json.EndArray().Key("limit");
    schedule.limit ? json.Number(*schedule.limit) : json.Null();
    json.Field("source", schedule.source).EndObject();
  }
  return json.EndArray().EndObject().text();
}

}  // namespace tmdbc
