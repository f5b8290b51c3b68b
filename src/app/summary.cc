// SPDX-License-Identifier: MIT
#include "app/summary.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>

#include "app/hints.h"
#include "base/json_writer.h"
#include "base/safe_text.h"
#include "base/words.h"
#include "harvester/freshness.h"
#include "harvester/harvest_request.h"
#include "tmdb/change_page.h"

namespace tmdbc {
namespace {

std::string_view Name(ExportVerdict verdict) {
  switch (verdict) {
    case ExportVerdict::kAccepted:
      return "accepted";
    case ExportVerdict::kWithheld:
      return "not published";
    case ExportVerdict::kRefused:
      return "refused";
    case ExportVerdict::kUnreachable:
      return "unreachable";
    case ExportVerdict::kStopped:
      return "stopped";
  }
  return "";
}

std::string_view Name(ChangesVerdict verdict) {
  switch (verdict) {
    case ChangesVerdict::kRead:
      return "read";
    case ChangesVerdict::kStopped:
      return "stopped";
    case ChangesVerdict::kIncomplete:
      return "incomplete";
    case ChangesVerdict::kOverfull:
      return "overfull";
    case ChangesVerdict::kUnreachable:
      return "unreachable";
    case ChangesVerdict::kDenied:
      return "denied";
  }
  return "";
}

std::int64_t Changed(const CollectorStats& stats, Change change) {
  return stats.changes[std::size_t(change)];
}

std::int64_t Written(const CollectorStats& stats) {
  std::int64_t sum = 0;
  for (const auto& [type, count] : stats.records) sum += count;
  return sum;
}

Result<HarvestMode> ModeOf(const Arguments& arguments) {
  const std::string mode = arguments.Get("--mode").value_or("auto");
  if (mode == "auto") return HarvestMode::kAuto;
  if (mode == "export") return HarvestMode::kExport;
  if (mode == "changes") return HarvestMode::kChanges;
  return Fail(ErrorCode::kInvalid, "--mode is '{}': use auto, export, changes or ids", ShowValue(mode));
}

Result<std::optional<std::chrono::sys_days>> DayOf(const Arguments& arguments, std::string_view flag) {
  const auto text = arguments.Get(flag);
  if (!text) return std::nullopt;
  const auto day = ParseDate(*text);
  if (!day || *day < kFirstChangesDay) {
    return Fail(ErrorCode::kInvalid, "{} is '{}': use a day of the form 2026-11-22, from {} on", flag,
                ShowValue(*text), FormatDate(kFirstChangesDay));
  }
  return *day;
}

double PerSecond(std::int64_t count, Duration time) {
  const double seconds = std::chrono::duration<double>(time).count();
  return seconds > 0 ? double(count) / seconds : 0;
}

std::string ExportText(const ExportReport& report, bool dry_run) {
  if (report.verdict != ExportVerdict::kAccepted)
    return fmt::format("{} {}: {}", report.name, Name(report.verdict), Explain(report.reason, report.hint));
  std::string text = report.name;
  if (report.type != MediaType::kConfiguration) {
    text += fmt::format(" of {}: {}", FormatDate(report.date), Counted(report.lines, "line"));
    if (report.bad_lines > 0) text += fmt::format(" ({} bad)", FormatCount(report.bad_lines));
    text += ",";
  } else {
    text += ":";
  }
  text += fmt::format(" {} known, {} {}queued", FormatCount(report.known), FormatCount(report.queued),
                      dry_run ? "would be " : "");
  if (report.stored > 0)
    text += fmt::format(", {} {}stored", FormatCount(report.stored), dry_run ? "would be " : "");
  if (!report.reason.empty()) text += fmt::format(" ({})", Explain(report.reason, report.hint));
  return text;
}

std::string Reason(const ChangesReport& report) {
  return Explain(report.reason, report.verdict == ChangesVerdict::kDenied ? Hint::kCheckKey : report.hint);
}

std::string ChangesText(MediaType type, const ChangesReport& report, bool dry_run) {
  std::string text = fmt::format("{} changes", tmdbc::Name(type));
  if (report.pages > 0) {
    text += fmt::format(" of {}: {} on {}, {} fresh already, {} {}queued", Counted(report.days, "day"),
                        Counted(report.ids, "id"), Counted(report.pages, "page"), FormatCount(report.fresh),
                        FormatCount(report.queued), dry_run ? "would be " : "");
  }
  if (report.pages == 0 && report.verdict == ChangesVerdict::kRead) text += ": there is no day to read";
  if (report.verdict != ChangesVerdict::kRead)
    text += fmt::format("{} {}: {}", report.pages > 0 ? ";" : "", Name(report.verdict), Reason(report));
  if (report.verdict == ChangesVerdict::kOverfull || report.verdict == ChangesVerdict::kIncomplete)
    text += fmt::format("; it is tried again from {} on ({})",
                        report.watermark_after ? FormatDate(*report.watermark_after) : "there",
                        WordsOf(Hint::kAcceptGap));
  return text;
}

// What is known already and asked for again; empty when nothing is.
std::string KnownText(const TypeReport& report, bool dry_run) {
  std::string parts;
  const auto add = [&](std::int64_t count, std::string_view what) {
    if (count > 0) parts += fmt::format("{}{} {}", parts.empty() ? "" : ", ", FormatCount(count), what);
  };
  add(report.candidates, "gone from the export");
  add(report.returns, "back in it");
  add(report.held_queued, "whose deletion was held");
  add(report.refreshed, "not verified for long");
  std::string text;
  if (!parts.empty())
    text = fmt::format("{} {}queued to be asked again: {}", tmdbc::Name(report.type),
                       dry_run ? "would be " : "", parts);
  if (report.held > report.held_queued) {
    text += fmt::format("{}{} {} deletions wait for --accept-deletions", text.empty() ? "" : "; ",
                        FormatCount(report.held - report.held_queued), tmdbc::Name(report.type));
  }
  return text;
}

std::string DrainText(const Summary& summary) {
  const Pipeline::Drained& drained = *summary.drained;
  const CollectorStats& stats = drained.stats;
  std::string types;
  for (const auto& [type, count] : stats.records) {
    if (count > 0)
      types += fmt::format("{}{} {}", types.empty() ? "" : ", ", tmdbc::Name(type), FormatCount(count));
  }
  std::string text = fmt::format("  stored    {}{}{}\n", Counted(Written(stats), "record"),
                                 types.empty() ? "" : ": ", types);
  text += fmt::format(
      "  ids       {} settled: {} new, {} changed, {} only in their numbers, {} unchanged, {} gone\n",
      FormatCount(stats.settled), FormatCount(Changed(stats, Change::kInsert)),
      FormatCount(Changed(stats, Change::kUpdate) + Changed(stats, Change::kRestore)),
      FormatCount(Changed(stats, Change::kStats)), FormatCount(Changed(stats, Change::kUnchanged)),
      FormatCount(stats.gone));
  const std::int64_t pages = summary.api_requests() - stats.requests;
  text += fmt::format(
      "  requests  {} to TMDB{}; {:.1f}/s while fetching, {} answered 429, {} retries, {:.1f} MB received\n",
      FormatCount(summary.api_requests()),
      pages > 0 ? fmt::format(", {} of them for the change feeds", FormatCount(pages)) : "",
      PerSecond(stats.requests, drained.time), FormatCount(stats.throttled), FormatCount(stats.retries),
      double(stats.bytes_received) / 1e6);
  for (const auto& [type, count] : stats.held) {
    text += fmt::format(
        "  held      {} gone at TMDB, too many at once to believe it: kept until a run with --accept-deletions\n",
        Counted(count, fmt::format("{} record", tmdbc::Name(type))));
  }
  std::string errors;
  for (const auto& [name, count] : stats.errors)
    errors += fmt::format("{}{} {}", errors.empty() ? "" : ", ", FormatCount(count), name);
  if (!errors.empty()) text += fmt::format("  errors    {}\n", errors);
  return text;
}

std::string NextSteps(const Summary& summary) {
  std::string steps;
  const auto add = [&](const std::string& command) {
    // As it was called, so that the line can be pasted.
    steps += fmt::format("{}{} {}\n", steps.empty() ? "Next: " : "      ", program_invocation_name, command);
  };
  if (summary.example)
    add(fmt::format("query --type={} --id={}{}", tmdbc::Name(summary.example->type), summary.example->id,
                    summary.flags));
  if (summary.queue.dead > 0)
    add("queue dead" + summary.flags + "       (what was given up, and why; queue redrive tries again)");
  add("status" + summary.flags);
  return steps;
}

void AddChanges(JsonWriter& json, const ChangesReport& report) {
  json.Key("changes").BeginObject().Field("verdict", Name(report.verdict));
  if (!report.reason.empty()) json.Field("reason", Reason(report));
  json.Field("days", report.days)
      .Field("pages", report.pages)
      .Field("rows", report.rows)
      .Field("ids", report.ids)
      .Field("fresh", report.fresh)
      .Field("queued", report.queued)
      .Field("overfull", report.overfull);
  if (report.watermark_before) json.Field("watermark_before", FormatDate(*report.watermark_before));
  if (report.watermark_after) json.Field("watermark_after", FormatDate(*report.watermark_after));
  json.EndObject();
}

}  // namespace

Result<HarvestOptions> HarvestOptionsOf(const Settings& settings, const Arguments& arguments) {
  HarvestOptions options;
  options.types = settings.media_types;
  options.include_adult = settings.include_adult;
  options.accept_export = arguments.Has("--accept-export");
  options.dry_run = arguments.Has("--dry-run");
  options.accept_gap = arguments.Has("--accept-gap");
  options.accept_deletions = arguments.Has("--accept-deletions");
  TRY_ASSIGN(options.limit, arguments.Number("--limit", 0, 1'000'000'000));
  TRY_ASSIGN(options.mode, ModeOf(arguments));
  TRY_ASSIGN(options.since, DayOf(arguments, "--since"));
  TRY_ASSIGN(options.until, DayOf(arguments, "--until"));
  const HarvestRequest request{.mode = options.mode,
                               .types = options.types,
                               .since = options.since,
                               .until = options.until,
                               .limit = options.limit};
  if (const std::string why = WhyImpossible(request, kFlagWords); !why.empty())
    return Fail(ErrorCode::kInvalid, "{}", why);
  // Of a harvest by itself: the next one is taken to come as the settings say.
  options.refresh_budget =
      double(RefreshBudget(settings.rate_limit_requests, settings.collection_interval, 0));
  return options;
}

std::string FlagsToRepeat(const Settings& settings) {
  const auto given = std::ranges::find(settings.given, "DATA_DIR", &GivenSetting::name);
  if (given == settings.given.end() || !given->source.starts_with("--")) return "";
  return " --data-dir=" + ShellQuote(settings.data_dir);
}

std::int64_t Summary::api_requests() const {
  return (harvest ? harvest->api_requests : 0) + (drained ? drained->stats.requests : 0);
}

CollectionOutcome OutcomeOf(const Summary& summary) {
  return OutcomeOf(CollectionFacts{.harvest = summary.harvest ? &*summary.harvest : nullptr,
                                   .drain = summary.drained ? &summary.drained->result : nullptr,
                                   .settled = summary.drained ? summary.drained->stats.settled : 0,
                                   .left = summary.queue.left,
                                   .dead = summary.queue.dead,
                                   .held = summary.held_deletions + (summary.care ? summary.care->held : 0),
                                   .answered_before = summary.answered_before,
                                   .key_proven = summary.key_proven});
}

std::string HarvestText(const HarvestReport& report, bool dry_run, std::string_view margin) {
  std::string text;
  for (const ExportReport& entry : report.exports)
    text += fmt::format("{}{}\n", margin, ExportText(entry, dry_run));
  for (const TypeReport& entry : report.types) {
    if (entry.changes)
      text += fmt::format("{}{}\n", margin, ChangesText(entry.type, *entry.changes, dry_run));
    if (const std::string known = KnownText(entry, dry_run); !known.empty())
      text += fmt::format("{}{}\n", margin, known);
  }
  return text;
}

std::string SummaryText(const Summary& summary) {
  const std::string headline = Headline(OutcomeOf(summary), summary.time);
  std::string text =
      summary.event ? fmt::format("Event {}: {}\n", *summary.event, headline) : headline + "\n";
  if (summary.harvest) text += HarvestText(*summary.harvest, false, "  harvest   ");
  if (summary.drained) text += DrainText(summary);
  if (const std::string care = summary.care ? CareText(*summary.care) : ""; !care.empty())
    text += fmt::format("  care      {}\n", care);
  text += fmt::format("  left      {} queued, {} dead letters\n", FormatCount(summary.queue.left),
                      FormatCount(summary.queue.dead));
  text += fmt::format("  data      {}\n", Printable(summary.data_dir));
  return text + NextSteps(summary);
}

std::string HarvestJson(const HarvestReport& report) {
  JsonWriter json;
  json.BeginObject()
      .Field("requests", report.requests)
      .Field("api_requests", report.api_requests)
      .Field("queued", report.queued())
      .Field("stopped", report.stopped);
  json.Key("exports").BeginArray();
  for (const ExportReport& e : report.exports) {
    json.BeginObject()
        .Field("name", e.name)
        .Field("type", tmdbc::Name(e.type))
        .Field("verdict", Name(e.verdict));
    if (!e.reason.empty()) json.Field("reason", Explain(e.reason, e.hint));
    if (e.verdict == ExportVerdict::kAccepted && e.type != MediaType::kConfiguration)
      json.Field("date", FormatDate(e.date));
    json.Field("lines", e.lines)
        .Field("bad_lines", e.bad_lines)
        .Field("duplicates", e.duplicates)
        .Field("ids", e.ids);
    json.Field("known", e.known)
        .Field("queued", e.queued)
        .Field("stored", e.stored)
        .Field("bytes", e.bytes)
        .EndObject();
  }
  json.EndArray().Key("types").BeginArray();
  for (const TypeReport& t : report.types) {
    json.BeginObject()
        .Field("type", tmdbc::Name(t.type))
        .Field("candidates", t.candidates)
        .Field("returns", t.returns)
        .Field("held", t.held)
        .Field("held_queued", t.held_queued)
        .Field("refreshed", t.refreshed);
    if (t.changes) AddChanges(json, *t.changes);
    json.EndObject();
  }
  return json.EndArray().EndObject().text();
}

std::string SummaryJson(const Summary& summary) {
  JsonWriter json;
  json.BeginObject();
  if (summary.event) json.Field("event", *summary.event);
  const CollectionOutcome outcome = OutcomeOf(summary);
  json.Field("exit_code", outcome.exit_code).Field("ending", Name(outcome.ending));
  if (!outcome.reason.empty()) json.Field("reason", Explain(outcome.reason, outcome.hint));
  json.Key("seconds").Real(std::chrono::duration<double>(summary.time).count(), 3);
  json.Field("api_requests", summary.api_requests());
  if (summary.harvest) json.Key("harvest").Raw(HarvestJson(*summary.harvest));
  if (summary.drained) {
    const CollectorStats& stats = summary.drained->stats;
    json.Key("collect").BeginObject().Key("seconds").Real(
        std::chrono::duration<double>(summary.drained->time).count(), 3);
    json.Field("requests", stats.requests)
        .Field("throttled", stats.throttled)
        .Field("retries", stats.retries);
    json.Field("bytes_received", stats.bytes_received)
        .Field("settled", stats.settled)
        .Field("gone", stats.gone)
        .Field("dead", stats.dead);
    json.Key("changes").BeginObject();
    for (std::size_t i = 0; i < stats.changes.size(); ++i)
      json.Field(tmdbc::Name(Change(i)), stats.changes[i]);
    json.EndObject().Key("records").BeginObject();
    for (const auto& [type, count] : stats.records) json.Field(tmdbc::Name(type), count);
    json.EndObject().Key("held").BeginObject();
    for (const auto& [type, count] : stats.held) json.Field(tmdbc::Name(type), count);
    json.EndObject().Key("errors").BeginObject();
    for (const auto& [name, count] : stats.errors) json.Field(name, count);
    json.EndObject().EndObject();
  }
  json.Key("queue")
      .BeginObject()
      .Field("left", summary.queue.left)
      .Field("dead", summary.queue.dead)
      .EndObject();
  const CareStatus care = summary.care.value_or(CareStatus());
  json.Field("held_deletions", summary.held_deletions)
      .Field("purged", care.purged)
      .Field("purged_files", care.files)
      .Field("held_purges", care.held)
      .Field("unasked", care.unasked);
  return json.Field("data_dir", summary.data_dir).EndObject().text();
}

}  // namespace tmdbc
