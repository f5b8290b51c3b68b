// SPDX-License-Identifier: MIT
#include "harvester/change_harvest.h"

#include <algorithm>

#include "harvester/change_counts.h"
#include "harvester/fetch_rules.h"
#include "harvester/sightings.h"
#include "harvester/upstream_time.h"
#include "harvester/watermarks.h"

namespace tmdbc {

namespace chrono = std::chrono;

namespace {

constexpr Duration kTellEvery = chrono::seconds(10);

ChangesVerdict VerdictOf(WindowEnd end) {
  switch (end) {
    case WindowEnd::kComplete:
      return ChangesVerdict::kRead;
    case WindowEnd::kStopped:
      return ChangesVerdict::kStopped;
    case WindowEnd::kIncomplete:
    case WindowEnd::kPageLost:
      return ChangesVerdict::kIncomplete;
    case WindowEnd::kOverfull:
      return ChangesVerdict::kOverfull;
    case WindowEnd::kUnreachable:
      return ChangesVerdict::kUnreachable;
    case WindowEnd::kDenied:
      return ChangesVerdict::kDenied;
  }
  return ChangesVerdict::kRead;
}

bool EndsTheWalk(WindowEnd end) {
  return end == WindowEnd::kUnreachable || end == WindowEnd::kDenied || end == WindowEnd::kStopped;
}

// Where it is not known what day it is, no progress is remembered: the feed is not walked through centuries for it.
constexpr chrono::days kMostDaysUnsure{400};

// The worst counts, and of equal ones the first, whose day is the one to look at.
void Note(ChangesReport& report, const WindowResult& result) {
  const ChangesVerdict verdict = VerdictOf(result.end);
  if (verdict <= report.verdict) return;
  report.verdict = verdict;
  report.reason = result.reason;
  report.hint = result.hint;
}

}  // namespace

Result<ChangesReport> ChangeHarvest::Walk(MediaType type, const ChangeSpan& span,
                                          std::optional<chrono::sys_days> watermark) {
  ChangesReport report;
  report.watermark_before = report.watermark_after = watermark;
  sent_ = {};
  told_at_ = ports_.clock.Mono();
  const auto last = [&] {
    if (span.to) return *span.to;
    const auto today = chrono::floor<chrono::days>(ReadUntil(ports_.upstream, ports_.clock.Now()));
    const bool unsure = ports_.upstream.IsDayUnknown(ports_.clock.Now());
    return unsure ? std::min(today, span.from + kMostDaysUnsure) : today;
  };
  // From a day that could not be read completely on the watermark stays where it is.
  bool held_back = !span.moves_watermark;
  // The first day is read whatever the clock says: its answer tells what day it is.
  for (auto day = span.from; day <= last() || (day == span.from && !span.to); day += chrono::days(1)) {
    const MonoTime began_mono = ports_.clock.Mono();
    Day window{.day = day, .seen = {}, .sighted = {}};
    if (span.moves_watermark) {
      TRY_ASSIGN(window.sighted, ReadSightings(ports_.catalog, type, day));
    }
    const bool may_close = WatermarkAfter(day, ReadUntil(ports_.upstream, ports_.clock.Now())) > day;
    TRY_ASSIGN(const WindowResult result, reader_.Read(type, day, may_close, stop_, [&](const ChangePage& page) {
      return TakePage(type, window, page, report);
    }));
    if (result.end == WindowEnd::kComplete && !result.reason.empty()) ports_.log.Warn(result.reason);
    report.days += result.pages > 0;
    report.pages += result.pages;
    report.rows += result.rows;
    report.ids += std::int64_t(window.seen.cardinality());
    TellProgress(type, window, report);
    if (EndsTheWalk(result.end)) {
      Note(report, result);
      break;
    }
    // Only the answers have told what time it is at TMDB; the reading began as long before as it took. Without a clock
    // to go by the day counts as open, and no progress is remembered.
    const auto until = ProgressUntil(ports_.upstream, ports_.clock.Now());
    const Time began = until.value_or(Time{}) - (ports_.clock.Mono() - began_mono);
    // A day that is read again anyway may shift while it is read.
    const bool closed = WatermarkAfter(day, began) > day;
    report.overfull += result.end == WindowEnd::kOverfull;
    if (result.end == WindowEnd::kOverfull || result.end == WindowEnd::kPageLost ||
        (result.end == WindowEnd::kIncomplete && closed)) {
      if (options_.accept_gap) {
        ports_.log.Warn("a gap is accepted", {{"reason", result.reason}});
      } else {
        Note(report, result);
        held_back = true;
      }
    }
    if (options_.dry_run || !span.moves_watermark) continue;
    TRY(PutSightings(ports_.catalog, type, day,
                     {.ids = window.seen | window.sighted.ids, .readings = window.sighted.readings + 1}));
    if (held_back || !until) continue;
    const auto next = WatermarkAfter(day, began);
    if (report.watermark_after && next <= *report.watermark_after) continue;
    TRY(MoveWatermark(type, window, next));
    report.watermark_after = next;
  }
  return report;
}

// A catch-up of weeks takes many minutes.
void ChangeHarvest::TellProgress(MediaType type, const Day& day, const ChangesReport& report) {
  const MonoTime now = ports_.clock.Mono();
  if (now - told_at_ < kTellEvery) return;
  told_at_ = now;
  ports_.log.Info("reading changes", {{"type", Name(type)},
                                      {"day", FormatDate(day.day)},
                                      {"pages", report.pages},
                                      {"queued", report.queued}});
}

Result<void> ChangeHarvest::MoveWatermark(MediaType type, const Day& day, chrono::sys_days next) {
  return ports_.catalog.Transact([&]() -> Result<void> {
    if (next > day.day) {
      // The last reading of that day: what it lists is what the policy learns from.
      const std::vector<std::int64_t> ids(day.seen.begin(), day.seen.end());
      TRY(CountChanges(ports_.catalog, type, ids));
    }
    TRY(ForgetSightings(ports_.catalog, type, next));
    return SetWatermark(ports_.catalog, type, next);
  });
}

Result<void> ChangeHarvest::TakePage(MediaType type, Day& day, const ChangePage& page,
                                     ChangesReport& report) {
  const Time now = ports_.clock.Now();
  const Time settled_at = SettledAt(day.day);
  std::vector<QueueItem> items;
  if (page.unreadable > 0) {
    ports_.log.Warn("rows of the change feed have no readable id: left out",
                    {{"type", Name(type)}, {"rows", page.unreadable}});
  }
  for (const ChangeRow& row : page.rows) {
    const auto id = static_cast<std::uint32_t>(row.id);  // 1..kMaxId
    if (!day.seen.addChecked(id)) continue;
    if (sent_.contains(id)) continue;
    TRY_ASSIGN(const IdState state, ports_.ledger.StateOf({type, row.id}));
    // Adult titles that nobody asked for.
    const bool unwanted = row.adult == AdultMark::kYes && !options_.include_adult;
    // With a limit new ids come from the exports, the most popular first.
    if ((unwanted || options_.limit) && state.standing == Standing::kUnknown) {
      day.seen.remove(id);
      continue;
    }
    const bool sighted = day.sighted.ids.contains(id);
    const int sighted_in = sighted ? day.sighted.readings : 0;
    if (!FeedNeedsFetch(state, row.adult, sighted_in, settled_at, now)) {
      ++report.fresh;
      continue;
    }
    // One that an earlier reading made us fetch has perhaps not changed again.
    const bool suspect = sighted && state.verified_at >= Time(day.day);
    TRY_ASSIGN(const float priority, order_.Of({type, row.id}, state, suspect));
    items.push_back({.id = {type, row.id}, .popularity = priority});
  }
  std::int64_t added = std::int64_t(items.size());
  if (!options_.dry_run && !items.empty()) {
    TRY_ASSIGN(added, ports_.sender.Send(items));
  }
  report.queued += added;
  for (const QueueItem& item : items) sent_.add(std::uint32_t(item.id.id));
  return {};
}

}  // namespace tmdbc
