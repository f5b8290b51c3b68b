// SPDX-License-Identifier: MIT
// The deletion policy: whether a record goes when TMDB seems to have the thing no more. One policy for every
// type, seasons included; pure functions. What is done with the answer is StoreIntake's.
//
// Why there is a guard: TMDB deletes a few in a thousand a month. When one live record in twenty goes within
// a day, it is far more likely that something is wrong on the way (another API behind the address, a broken
// key, a fault of TMDB's). The rest then stays, live and noted as held, until a person has looked. A day, not
// a run: a run may be interrupted, or come every few minutes, and must not begin to count again.
#pragma once

#include <cstdint>

#include "tmdb/document.h"
#include "tmdb/media_id.h"

namespace tmdbc {

// How TMDB let us know that it has a thing no more. Written in the tombstone (docs/storage-format.md).
enum class DeletionEvidence : std::uint8_t {
  kNotFound,   // its own 404 (code 34 or 6), to the id itself or, for a season, to its show
  kNotListed,  // a complete fetch of its show does not list it: seasons only
  kUnclear,    // it may be meant by an entry that cannot be read: no evidence at all
};

enum class DeletionDecision : std::uint8_t {
  kDelete,   // it gets a tombstone that says the evidence
  kHold,     // it stays, noted as held, until a person agrees
  kUnknown,  // nothing was learned: it stays as it is
};

// What the decision for one record of a type rests on.
struct DeletionCounts {
  std::int64_t live =
      0;  // records of the type that were live a day ago: those now live and those deleted since
  std::int64_t deleted =
      0;  // of these: deleted within the day. Seasons that went with their show are not counted
  std::int64_t held = 0;  // deletions that wait for a person already
  bool accepted = false;  // a person has agreed, however many they are
};

// So many of a type may go within a day whatever its size: in a small store one in twenty is soon reached.
inline constexpr std::int64_t kDeletionsAlways = 20;
inline constexpr std::int64_t kDeletionsOneIn = 20;  // of the live ones: 5 %

DeletionDecision DecideDeletion(MediaType type, DeletionEvidence evidence, const DeletionCounts& counts);

// What a complete fetch of a show says of a season that is stored live. `holds_number`: of the live seasons
// stored under its number it is the one that was fetched last (a season may be made again under another id).
enum class SeasonStanding : std::uint8_t {
  kListed,     // it stays
  kNotListed,  // DeletionEvidence::kNotListed
  kUnclear,    // DeletionEvidence::kUnclear
};
SeasonStanding StandingOf(std::int64_t season_id, std::int64_t number, bool holds_number,
                          const SeasonList& listed);

}  // namespace tmdbc
