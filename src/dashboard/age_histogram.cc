// SPDX-License-Identifier: MIT
#include "dashboard/age_histogram.h"

#include <algorithm>

#include "base/json_writer.h"

namespace tmdbc::dashboard {

void AgeHistogram::Add(MediaType type, Time verified_at, Time now) {
  OfType& of_type = types[type];
  const auto bound = std::ranges::find_if(
      kAgeBoundsDays, [&](int days) { return now - verified_at < Duration(std::chrono::days(days)); });
  ++of_type.counts[std::size_t(bound - kAgeBoundsDays.begin())];
  of_type.oldest = std::min(of_type.oldest.value_or(verified_at), verified_at);
}

Result<AgeHistogram> ReadAges(RecordLedger& ledger, Time now, const StopFlag& stop) {
  AgeHistogram ages;
  for (const MediaType type : kRecordTypes) {
    const auto visited = ledger.VisitStates(
        type,
        [&](const IdState& state) {
          if (state.standing == Standing::kLive) ages.Add(type, state.verified_at, now);
        },
        stop);
    if (!visited && visited.error().code == ErrorCode::kNotFound) return ages;  // nothing is stored yet
    if (!visited) return std::unexpected(visited.error());
  }
  return ages;
}

std::string AgesJson(const AgeHistogram& ages, Time at) {
  JsonWriter json;
  json.BeginObject().Field("at", FormatTime(at)).Key("bounds_days").BeginArray();
  for (const int days : kAgeBoundsDays) json.Number(days);
  json.EndArray().Key("types").BeginObject();
  for (const auto& [type, of_type] : ages.types) {
    json.Key(Name(type)).BeginObject().Key("counts").BeginArray();
    for (const std::int64_t count : of_type.counts) json.Number(count);
    json.EndArray().Field("oldest", FormatTime(of_type.oldest.value_or(at))).EndObject();
  }
  return json.EndObject().EndObject().text();
}

}  // namespace tmdbc::dashboard
