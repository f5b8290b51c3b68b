// SPDX-License-Identifier: MIT
#include "harvester/upstream_time.h"

#include <algorithm>

namespace tmdbc {

namespace chrono = std::chrono;

namespace {

chrono::sys_days DayOf(Time time) {
  return chrono::floor<chrono::days>(time);
}

}  // namespace

Time ReadUntil(const UpstreamDate& upstream, Time now) {
  if (!upstream.Skew()) return std::max(now, upstream.latest().value_or(now));
  return upstream.ClockIsOff() ? *upstream.latest() : upstream.Bounded(now);
}

std::optional<Time> ProgressUntil(const UpstreamDate& upstream, Time now) {
  if (upstream.ClockIsOff()) return std::nullopt;
  return upstream.Bounded(now);
}

std::optional<chrono::sys_days> SoundWatermark(chrono::sys_days watermark, std::optional<Time> known,
                                               std::optional<chrono::sys_days> export_in_force, Time now) {
  // An export of a day is published in its morning: TMDB has reached that day.
  if (export_in_force) known = std::max(known.value_or(Time(*export_in_force)), Time(*export_in_force));
  const auto reached = DayOf(known.value_or(now));
  if (watermark <= reached) return std::nullopt;
  return export_in_force ? std::min(reached, *export_in_force - chrono::days(1)) : reached;
}

Result<void> CreateUpstreamTime(Database& catalog) {
  // latest in microseconds since 1970.
  return catalog.Execute(
      "CREATE TABLE IF NOT EXISTS harvest_upstream_date(key INTEGER PRIMARY KEY CHECK(key=0), "
      "latest INTEGER NOT NULL)");
}

Result<std::optional<Time>> ReadUpstreamTime(Database& catalog) {
  TRY_ASSIGN(auto exists, catalog.Prepare("SELECT 1 FROM sqlite_schema WHERE type='table' AND "
                                          "name='harvest_upstream_date'"));
  TRY_ASSIGN(const bool made, exists.Step());
  if (!made) return std::nullopt;
  TRY_ASSIGN(auto select, catalog.Prepare("SELECT latest FROM harvest_upstream_date"));
  TRY_ASSIGN(const bool row, select.Step());
  if (!row) return std::nullopt;
  return Time(Duration(select.Int(0)));
}

Result<void> PutUpstreamTime(Database& catalog, const UpstreamDate& upstream) {
  if (!upstream.latest()) return {};
  TRY_ASSIGN(auto insert, catalog.Prepare("INSERT OR REPLACE INTO harvest_upstream_date VALUES(0, ?1)"));
  return insert.Bind(upstream.latest()->time_since_epoch().count()).Run();
}

}  // namespace tmdbc
