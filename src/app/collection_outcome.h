// SPDX-License-Identifier: MIT
// CollectionOutcome: what a collection (a harvest, a drain, care) came to, as one value. The exit code, when
// to try again, the headline of the summary and the metrics all follow from it. Pure; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "app/command.h"
#include "base/clock.h"
#include "base/result.h"

namespace tmdbc {

struct HarvestReport;
struct DrainResult;

// The facts it is judged by.
struct CollectionFacts {
  const HarvestReport* harvest = nullptr;  // null: there was none
  const DrainResult* drain = nullptr;      // null: it did not come to that
  std::int64_t settled = 0;                // ids that the drain settled
  std::int64_t left = 0, dead = 0;         // in the queue afterwards
  std::int64_t held = 0;                   // deletions and purges that wait for a person
  // TMDB has answered usefully before: in this process, or it filled the store. What fails then is an outage.
  bool answered_before = false;
  bool key_proven = false;  // in this process TMDB has taken the key
};

enum class Ending : std::uint8_t {
  kDone,
  kPartly,       // work is left, or a part failed
  kStopped,      // a stop was asked for
  kUnreachable,  // nothing came of it, for TMDB did not answer usefully
  kDenied,       // TMDB refuses the key
  kStoreFailed,  // the store cannot be written, for another reason than a full disk
};

enum class Next : std::uint8_t {
  kOnSchedule,  // all that can be done is done until then
  kSoon,        // an outage: in a quarter of an hour
  kNever,       // no later try will mend it: a mistake in the settings, a broken store
};

struct CollectionOutcome {
  Ending ending = Ending::kDone;
  Next next = Next::kOnSchedule;
  int exit_code = kExitDone;
  std::string reason;       // for a person; empty when all went well
  Hint hint = Hint::kNone;  // to the reason

  // What the scheduler remembers of the run: like exit_code, but a refused key is not tried again before its
  // time.
  int schedule_code() const { return ending == Ending::kDenied ? int(kExitDenied) : exit_code; }
};

CollectionOutcome OutcomeOf(const CollectionFacts& facts);

// "Done in 3 min 02 s", "Ended after 12 s: TMDB could not be reached: connect to ...".
std::string Headline(const CollectionOutcome& outcome, Duration time);
// "done", "TMDB refused the key"...: of the ending alone.
std::string_view Name(Ending ending);

}  // namespace tmdbc
