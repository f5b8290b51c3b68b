// SPDX-License-Identifier: MIT
#include "app/collection_outcome.h"

#include <fmt/format.h>

#include <algorithm>

#include "app/hints.h"
#include "app/progress.h"
#include "collector/collector.h"
#include "harvester/harvest_report.h"

namespace tmdbc {
namespace {

// Nothing that the harvest asked for was answered.
bool Silent(const HarvestReport& harvest) {
  return harvest.exit_code() == kExitUnusable && !harvest.denied();
}

// Why the harvest got nothing: the first reason that it has, into the outcome.
void TakeReason(const HarvestReport& harvest, CollectionOutcome& outcome) {
  for (const ExportReport& report : harvest.exports) {
    if (report.verdict != ExportVerdict::kUnreachable || report.reason.empty()) continue;
    outcome.reason = report.reason;
    outcome.hint = report.hint;
    return;
  }
  for (const TypeReport& report : harvest.types) {
    const bool failed = report.changes && (report.changes->verdict == ChangesVerdict::kUnreachable ||
                                           report.changes->verdict == ChangesVerdict::kDenied);
    if (!failed || report.changes->reason.empty()) continue;
    outcome.reason = report.changes->reason;
    outcome.hint = report.changes->hint;
    return;
  }
}

Ending EndingOf(const CollectionFacts& facts) {
  const DrainEnd drain = facts.drain ? facts.drain->end : DrainEnd::kDrained;
  if (drain == DrainEnd::kStoreFailed) return Ending::kStoreFailed;
  const bool refused = drain == DrainEnd::kDenied || drain == DrainEnd::kKeyLost;
  if (refused || (facts.harvest && facts.harvest->denied())) return Ending::kDenied;
  if (drain == DrainEnd::kStopped || (facts.harvest && facts.harvest->stopped)) return Ending::kStopped;
  if (drain == DrainEnd::kUnreachable) return Ending::kUnreachable;
  // A harvest that heard nothing is only a part that failed where the queue was fetched all the same.
  if (facts.harvest && Silent(*facts.harvest) && facts.settled == 0) return Ending::kUnreachable;
  const bool partly = (facts.harvest && facts.harvest->exit_code() != kExitDone) || facts.left > 0 ||
                      facts.dead > 0 || facts.held > 0;
  return partly ? Ending::kPartly : Ending::kDone;
}

Next NextOf(Ending ending, const CollectionFacts& facts) {
  switch (ending) {
    case Ending::kStoreFailed:
      return Next::kNever;
    case Ending::kDenied:
      return facts.key_proven ? Next::kOnSchedule : Next::kNever;
    case Ending::kUnreachable:
      return facts.answered_before || facts.settled > 0 ? Next::kSoon : Next::kNever;
    case Ending::kDone:
    case Ending::kPartly:
    case Ending::kStopped:
      break;
  }
  return Next::kOnSchedule;
}

int ExitCodeOf(Ending ending, const CollectionFacts& facts) {
  switch (ending) {
    case Ending::kDone:
      return kExitDone;
    case Ending::kPartly:
      return kExitPartly;
    case Ending::kStopped: {
      const bool harvest_whole = !facts.harvest || facts.harvest->exit_code() == kExitDone;
      return harvest_whole && facts.left + facts.dead + facts.held == 0 ? kExitDone : kExitPartly;
    }
    case Ending::kDenied:
      return facts.key_proven ? kExitUnusable : kExitDenied;
    case Ending::kUnreachable:
    case Ending::kStoreFailed:
      break;
  }
  return kExitUnusable;
}

}  // namespace

CollectionOutcome OutcomeOf(const CollectionFacts& facts) {
  CollectionOutcome outcome;
  outcome.ending = EndingOf(facts);
  outcome.next = NextOf(outcome.ending, facts);
  outcome.exit_code = ExitCodeOf(outcome.ending, facts);
  if (facts.drain) {
    outcome.reason = facts.drain->reason;
    outcome.hint = facts.drain->hint;
  }
  const bool failed = outcome.ending == Ending::kDenied || outcome.ending == Ending::kUnreachable;
  if (outcome.reason.empty() && failed && facts.harvest) TakeReason(*facts.harvest, outcome);
  if (outcome.ending == Ending::kDenied) outcome.hint = Hint::kCheckKey;
  return outcome;
}

std::string_view Name(Ending ending) {
  switch (ending) {
    case Ending::kDone:
      return "done";
    case Ending::kPartly:
      return "partly done";
    case Ending::kStopped:
      return "stopped";
    case Ending::kUnreachable:
      return "TMDB could not be reached";
    case Ending::kDenied:
      return "TMDB refused the key";
    case Ending::kStoreFailed:
      return "the store failed";
  }
  return "";
}

std::string Headline(const CollectionOutcome& outcome, Duration time) {
  const std::string took = FormatDuration(std::chrono::round<std::chrono::seconds>(time));
  switch (outcome.ending) {
    case Ending::kDone:
      return "Done in " + took;
    case Ending::kPartly:
      return "Partly done in " + took;
    case Ending::kStopped:
      return "Stopped after " + took;
    case Ending::kUnreachable:
    case Ending::kDenied:
    case Ending::kStoreFailed:
      break;
  }
  const std::string why = outcome.reason.empty() ? "" : ": " + outcome.reason;
  return fmt::format("Ended after {}: {}{}", took, Name(outcome.ending), Explain(why, outcome.hint));
}

}  // namespace tmdbc
