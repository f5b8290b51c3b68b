// SPDX-License-Identifier: MIT
#include "app/coverage.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <map>

#include "app/progress.h"
#include "harvester/accepted_exports.h"
#include "harvester/export_reader.h"
#include "harvester/watermarks.h"
#include "tmdb/export_line.h"

namespace tmdbc {
namespace {

constexpr std::chrono::days kWeek{7};

struct Listed {
  std::vector<std::uint32_t> ids;  // ascending, without repeats
  std::optional<std::chrono::sys_days> date;
};

// Adds the ids of one kept export to `ids`.
Result<void> ReadKept(FileSystem& files, const AcceptedExport& accepted, bool adult,
                      std::vector<std::uint32_t>& ids) {
  const StopFlag never;
  ExportLineParser parser;
  const std::string path = KeptExportPath(accepted.name, accepted.date);
  const auto read = VisitExportLines(files, path, never, [&](std::int64_t, std::string_view line) {
    const auto entry = parser.Parse(line);  // a bad line was told of when it was harvested
    if (entry && (adult || !entry->adult)) ids.push_back(entry->id);
  });
  if (!read) return Fail(read.error().code, read.error().hint, "read {}: {}", path, read.error().message);
  return {};
}

// The ids of the exports of the type that are in force, the newest of each name.
Result<Listed> ReadListed(FileSystem& files, const std::vector<AcceptedExport>& exports, MediaType type,
                          bool include_adult, IdClass& duplicates) {
  Listed listed;
  for (const ExportFile& file : kExportFiles) {
    if (file.type != type) continue;
    const auto accepted = std::ranges::find(exports, file.name, &AcceptedExport::name);
    if (accepted == exports.end()) continue;
    TRY(ReadKept(files, *accepted, include_adult || file.adult, listed.ids));
    listed.date = std::min(listed.date.value_or(accepted->date), accepted->date);
  }
  std::ranges::sort(listed.ids);
  for (std::size_t i = 1; i < listed.ids.size(); ++i) {
    if (listed.ids[i] == listed.ids[i - 1] && (i < 2 || listed.ids[i - 2] != listed.ids[i]))
      duplicates.Add(listed.ids[i]);
  }
  listed.ids.erase(std::ranges::unique(listed.ids).begin(), listed.ids.end());
  return listed;
}

Result<std::vector<std::int64_t>> ReadQueued(QueueView& queue, MediaType type) {
  TRY_ASSIGN(const auto items, queue.Peek(type, std::numeric_limits<int>::max()));
  std::vector<std::int64_t> ids;
  ids.reserve(items.size());
  for (const QueueItem& item : items) ids.push_back(item.id.id);
  std::ranges::sort(ids);
  return ids;
}

// The age that `part` of all do not exceed (nearest rank).
std::chrono::seconds Percentile(std::vector<std::uint32_t>& ages, double part) {
  if (ages.empty()) return std::chrono::seconds(0);
  const auto rank = std::min(ages.size() - 1, std::size_t(part * double(ages.size())));
  const auto place = ages.begin() + std::ptrdiff_t(rank);
  std::ranges::nth_element(ages, place);
  return std::chrono::seconds(*place);
}

bool HasAnything(const TypeCoverage& t) {
  return t.export_date || t.live > 0 || t.to_refresh > 0 || t.watermark;
}

std::string AgeText(std::chrono::seconds age) {
  const double hours = double(age.count()) / 3600;
  return hours < 48 ? fmt::format("{:.1f} h", hours) : fmt::format("{:.1f} d", hours / 24);
}

std::string PercentText(std::optional<double> part) {
  return part ? fmt::format("{:.2f} %", 100 * *part) : "-";
}

std::string DueText(const Due& due) {
  return fmt::format("{} + {}", FormatCount(due.over), FormatCount(due.within_week));
}

void AddClass(JsonWriter& json, std::string_view name, const IdClass& ids) {
  json.Key(name).BeginObject().Field("count", ids.count).Key("first").BeginArray();
  for (const std::int64_t id : ids.first) json.Number(id);
  json.EndArray().EndObject();
}

void AddDay(JsonWriter& json, std::string_view name, std::optional<std::chrono::sys_days> day) {
  json.Key(name);
  day ? json.Text(FormatDate(*day)) : json.Null();
}

}  // namespace

CoverageTally::CoverageTally(TypeCoverage& coverage, std::span<const std::uint32_t> listed,
                             std::span<const std::int64_t> queued, Time now)
    : coverage_(coverage), listed_(listed), queued_(queued), now_(now) {
  coverage_.listed = std::int64_t(listed.size());
}

// Listed ids below `id` were passed without a word of the store's.
void CoverageTally::MissUpTo(std::int64_t id) {
  for (; !listed_.empty() && std::int64_t(listed_.front()) < id; listed_ = listed_.subspan(1))
    coverage_.missing.Add(listed_.front());
}

void CoverageTally::Add(const IdState& state) {
  MissUpTo(state.id);
  const bool listed = !listed_.empty() && std::int64_t(listed_.front()) == state.id;
  if (listed) listed_ = listed_.subspan(1);
  while (!queued_.empty() && queued_.front() < state.id) queued_ = queued_.subspan(1);
  if (state.standing != Standing::kLive) {
    if (listed)
      state.standing == Standing::kUnknown ? coverage_.missing.Add(state.id) : coverage_.dead.Add(state.id);
    return;
  }
  ++coverage_.live;
  listed ? void(++coverage_.listed_live) : coverage_.extra.Add(state.id);
  coverage_.to_refresh += !queued_.empty() && queued_.front() == state.id;
  const auto age = std::chrono::floor<std::chrono::seconds>(now_ - state.verified_at);
  const std::int64_t seconds =
      std::clamp<std::int64_t>(age.count(), 0, std::numeric_limits<std::uint32_t>::max());
  ages_.push_back(std::uint32_t(seconds));
  for (std::size_t i = 0; i < kDueDays.size(); ++i) {
    const std::chrono::seconds limit = std::chrono::days(kDueDays[i]);
    coverage_.due[i].over += age >= limit;
    coverage_.due[i].within_week += age < limit && age + kWeek >= limit;
  }
}

void CoverageTally::Finish() {
  MissUpTo(std::numeric_limits<std::int64_t>::max());
  // Without an export nothing can be said of what it lacks.
  if (!coverage_.export_date) coverage_.extra = {};
  coverage_.age_p50 = Percentile(ages_, 0.50);
  coverage_.age_p90 = Percentile(ages_, 0.90);
  coverage_.age_p99 = Percentile(ages_, 0.99);
  coverage_.age_oldest = Percentile(ages_, 1);
}

Result<std::vector<TypeCoverage>> ReadCoverage(FileSystem& files, Database& catalog, RecordLedger& ledger,
                                               QueueView& queue, bool include_adult, Time now) {
  TRY_ASSIGN(const auto exports, AcceptedExports(catalog));
  TRY_ASSIGN(const Watermarks watermarks, ReadWatermarks(catalog));
  std::vector<TypeCoverage> types;
  for (const MediaType type : kRecordTypes) {
    TypeCoverage coverage(type);
    if (const auto found = watermarks.find(type); found != watermarks.end())
      coverage.watermark = found->second;
    TRY_ASSIGN(const Listed listed, ReadListed(files, exports, type, include_adult, coverage.duplicates));
    coverage.export_date = listed.date;
    TRY_ASSIGN(const auto queued, ReadQueued(queue, type));
    CoverageTally tally(coverage, listed.ids, queued, now);
    TRY(ledger.VisitStates(type, [&](const IdState& state) { tally.Add(state); }));
    tally.Finish();
    TRY_ASSIGN(const auto held, ledger.HeldDeletions(type));
    for (const std::int64_t id : held) coverage.held.Add(id);
    if (HasAnything(coverage)) types.push_back(std::move(coverage));
  }
  return types;
}

std::string CoverageText(const std::vector<TypeCoverage>& types) {
  std::string text =
      fmt::format("{:<13} {:<10} {:>10} {:>10} {:>9} {:>7} {:>7} {:>10} {:>9}\n", "coverage", "export",
                  "listed", "stored", "missing", "extra", "dead", "duplicates", "covered");
  for (const TypeCoverage& t : types) {
    if (!t.export_date) continue;
    text += fmt::format("{:<13} {:<10} {:>10} {:>10} {:>9} {:>7} {:>7} {:>10} {:>9}\n", Name(t.type),
                        FormatDate(*t.export_date), FormatCount(t.listed), FormatCount(t.listed_live),
                        FormatCount(t.missing.count), FormatCount(t.extra.count), FormatCount(t.dead.count),
                        FormatCount(t.duplicates.count), PercentText(t.covered()));
  }
  text += fmt::format("\n{:<13} {:<10} {:>10} {:>10} {:>8} {:>8} {:>8} {:>8} {:>8}\n", "freshness",
                      "watermark", "stored", "to refresh", "fresh", "p50", "p90", "p99", "oldest");
  for (const TypeCoverage& t : types) {
    if (t.live == 0) continue;
    text += fmt::format("{:<13} {:<10} {:>10} {:>10} {:>6.2f} % {:>8} {:>8} {:>8} {:>8}\n", Name(t.type),
                        t.watermark ? FormatDate(*t.watermark) : "-", FormatCount(t.live),
                        FormatCount(t.to_refresh), 100 * t.fresh(), AgeText(t.age_p50), AgeText(t.age_p90),
                        AgeText(t.age_p99), AgeText(t.age_oldest));
  }
  text += fmt::format("\n{:<13} {:>14} {:>14} {:>14} {:>14}   (unverified for longer + within a week)\n",
                      "due", "30 days", "150 days", "180 days", "held deletions");
  for (const TypeCoverage& t : types) {
    if (t.live == 0) continue;
    text += fmt::format("{:<13} {:>14} {:>14} {:>14} {:>14}\n", Name(t.type), DueText(t.due[0]),
                        DueText(t.due[1]), DueText(t.due[2]), FormatCount(t.held.count));
  }
  return text;
}

void AddCoverage(JsonWriter& json, const std::vector<TypeCoverage>& types) {
  json.BeginObject();
  for (const TypeCoverage& t : types) {
    json.Key(Name(t.type)).BeginObject();
    AddDay(json, "export_date", t.export_date);
    json.Field("listed", t.listed).Field("listed_live", t.listed_live);
    AddClass(json, "missing", t.missing);
    AddClass(json, "extra", t.extra);
    AddClass(json, "dead", t.dead);
    AddClass(json, "duplicates", t.duplicates);
    json.Key("covered");
    const auto covered = t.covered();
    covered ? json.Real(*covered, 6) : json.Null();
    json.Field("live", t.live).Field("to_refresh", t.to_refresh).Key("fresh").Real(t.fresh(), 6);
    AddDay(json, "watermark", t.watermark);
    json.Key("unverified_seconds")
        .BeginObject()
        .Field("p50", t.age_p50.count())
        .Field("p90", t.age_p90.count())
        .Field("p99", t.age_p99.count())
        .Field("oldest", t.age_oldest.count())
        .EndObject();
    json.Key("due").BeginArray();
    for (std::size_t i = 0; i < kDueDays.size(); ++i) {
      json.BeginObject()
          .Field("days", kDueDays[i])
          .Field("over", t.due[i].over)
          .Field("within_week", t.due[i].within_week)
          .EndObject();
    }
    json.EndArray();
    AddClass(json, "held_deletions", t.held);
    json.EndObject();
  }
  json.EndObject();
}

}  // namespace tmdbc
