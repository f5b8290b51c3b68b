// SPDX-License-Identifier: MIT
#include "app/collection_outcome.h"

#include <gtest/gtest.h>

#include <optional>

#include "collector/collector.h"
#include "harvester/harvest_report.h"

namespace tmdbc {
namespace {

HarvestReport Harvested(ExportVerdict verdict) {
  HarvestReport report;
  ExportReport entry;
  entry.name = "movie_ids";
  entry.type = MediaType::kMovie;
  entry.verdict = verdict;
  entry.reason = verdict == ExportVerdict::kAccepted ? "" : "why";
  report.exports.push_back(entry);
  report.stopped = verdict == ExportVerdict::kStopped;
  return report;
}

HarvestReport Denied() {
  HarvestReport report = Harvested(ExportVerdict::kAccepted);
  ChangesReport& changes = report.Of(MediaType::kMovie).changes.emplace();
  changes.verdict = ChangesVerdict::kDenied;
  changes.reason = "HTTP 401 code 7";
  return report;
}

enum class H { kNone, kAccepted, kWithheld, kRefused, kSilent, kStopped, kDenied };

std::optional<HarvestReport> Make(H harvest) {
  switch (harvest) {
    case H::kNone:
      return std::nullopt;
    case H::kAccepted:
      return Harvested(ExportVerdict::kAccepted);
    case H::kWithheld:
      return Harvested(ExportVerdict::kWithheld);
    case H::kRefused:
      return Harvested(ExportVerdict::kRefused);
    case H::kSilent:
      return Harvested(ExportVerdict::kUnreachable);
    case H::kStopped:
      return Harvested(ExportVerdict::kStopped);
    case H::kDenied:
      return Denied();
  }
  return std::nullopt;
}

struct Row {
  const char* what;
  H harvest;
  DrainEnd drain;
  std::int64_t settled, left, dead, held;
  bool answered_before, key_proven;
  Ending ending;
  Next next;
  int exit_code, schedule_code;
};

TEST(CollectionOutcome, ExitCodeAndNextTryFollowFromWhatHappened) {
  using E = Ending;
  using D = DrainEnd;
  const Row rows[] = {
      // clang-format off
      {"all was fetched",                H::kAccepted, D::kDrained,     9, 0, 0, 0, true,  true,  E::kDone,        Next::kOnSchedule, 0, 0},
      {"nothing to do",                  H::kAccepted, D::kDrained,     0, 0, 0, 0, false, false, E::kDone,        Next::kOnSchedule, 0, 0},
      {"no harvest, all fetched",        H::kNone,     D::kDrained,     9, 0, 0, 0, true,  true,  E::kDone,        Next::kOnSchedule, 0, 0},
      {"export withheld",                H::kWithheld, D::kDrained,     9, 0, 0, 0, true,  true,  E::kDone,        Next::kOnSchedule, 0, 0},
      {"export refused",                 H::kRefused,  D::kDrained,     9, 0, 0, 0, true,  true,  E::kPartly,      Next::kOnSchedule, 1, 1},
      {"dead letters",                   H::kAccepted, D::kDrained,     9, 0, 1, 0, true,  true,  E::kPartly,      Next::kOnSchedule, 1, 1},
      {"deletions held",                 H::kAccepted, D::kDrained,     9, 0, 0, 1, true,  true,  E::kPartly,      Next::kOnSchedule, 1, 1},
      {"stopped, nothing left",          H::kAccepted, D::kStopped,     9, 0, 0, 0, true,  true,  E::kStopped,     Next::kOnSchedule, 0, 0},
      {"stopped, work left",             H::kAccepted, D::kStopped,     9, 5, 0, 0, true,  true,  E::kStopped,     Next::kOnSchedule, 1, 1},
      {"stopped in the harvest",         H::kStopped,  D::kStopped,     0, 0, 0, 0, true,  true,  E::kStopped,     Next::kOnSchedule, 1, 1},
      {"dead from the first",            H::kSilent,   D::kDrained,     0, 0, 0, 0, false, false, E::kUnreachable, Next::kNever,      3, 3},
      {"dead from the first, queued",    H::kSilent,   D::kUnreachable, 0, 5, 0, 0, false, false, E::kUnreachable, Next::kNever,      3, 3},
      {"the collector alone, dead",      H::kNone,     D::kUnreachable, 0, 5, 0, 0, false, false, E::kUnreachable, Next::kNever,      3, 3},
      {"an outage, nothing queued",      H::kSilent,   D::kDrained,     0, 0, 0, 0, true,  true,  E::kUnreachable, Next::kSoon,       3, 3},
      {"an outage begins in the drain",  H::kAccepted, D::kUnreachable, 9, 5, 0, 0, false, false, E::kUnreachable, Next::kSoon,       3, 3},
      {"exports silent, queue fetched",  H::kSilent,   D::kDrained,     9, 0, 0, 0, true,  true,  E::kPartly,      Next::kOnSchedule, 1, 1},
      {"a key that never worked",        H::kAccepted, D::kDenied,      0, 5, 0, 0, false, false, E::kDenied,      Next::kNever,      4, 4},
      {"the same, over a filled store",  H::kAccepted, D::kDenied,      0, 5, 0, 0, true,  false, E::kDenied,      Next::kNever,      4, 4},
      {"the same, nothing queued",       H::kDenied,   D::kDrained,     0, 0, 0, 0, true,  false, E::kDenied,      Next::kNever,      4, 4},
      {"a key that had worked",          H::kAccepted, D::kDenied,      9, 5, 0, 0, true,  true,  E::kDenied,      Next::kOnSchedule, 3, 4},
      {"the same, told by the drain",     H::kAccepted, D::kKeyLost,     9, 5, 0, 0, true,  true,  E::kDenied,      Next::kOnSchedule, 3, 4},
      {"the store failed",               H::kAccepted, D::kStoreFailed, 9, 5, 0, 0, true,  true,  E::kStoreFailed, Next::kNever,      3, 3},
      // clang-format on
  };
  for (const Row& row : rows) {
    const auto harvest = Make(row.harvest);
    const DrainResult drain{.end = row.drain, .reason = ""};
    const CollectionOutcome outcome = OutcomeOf({.harvest = harvest ? &*harvest : nullptr,
                                                 .drain = &drain,
                                                 .settled = row.settled,
                                                 .left = row.left,
                                                 .dead = row.dead,
                                                 .held = row.held,
                                                 .answered_before = row.answered_before,
                                                 .key_proven = row.key_proven});
    EXPECT_EQ(outcome.ending, row.ending) << row.what;
    EXPECT_EQ(outcome.next, row.next) << row.what;
    EXPECT_EQ(outcome.exit_code, row.exit_code) << row.what;
    EXPECT_EQ(outcome.schedule_code(), row.schedule_code) << row.what;
  }
}

TEST(CollectionOutcome, TheHeadlineSaysWhyAndWhatToDo) {
  const HarvestReport denied = Denied();
  const CollectionOutcome outcome = OutcomeOf({.harvest = &denied});
  EXPECT_EQ(
      Headline(outcome, std::chrono::seconds(3)),
      "Ended after 3 s: TMDB refused the key: HTTP 401 code 7: check TMDB_API_KEY; `verify --key` tries it");
  EXPECT_EQ(Headline(OutcomeOf({}), std::chrono::seconds(62)), "Done in 1 min 02 s");
}

}  // namespace
}  // namespace tmdbc
