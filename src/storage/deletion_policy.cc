// SPDX-License-Identifier: MIT
#include "storage/deletion_policy.h"

#include <algorithm>

namespace tmdbc {

DeletionDecision DecideDeletion(MediaType type, DeletionEvidence evidence, const DeletionCounts& counts) {
  const bool season = type == MediaType::kSeason;
  if (evidence == DeletionEvidence::kUnclear) return DeletionDecision::kUnknown;
  // Only a show lists its parts. That an export lists an id no more is a reason to ask, and no evidence.
  if (evidence == DeletionEvidence::kNotListed && !season) return DeletionDecision::kUnknown;
  if (counts.accepted) return DeletionDecision::kDelete;
  // Its show was found gone and passed the guard: what belongs to it goes along.
  if (evidence == DeletionEvidence::kNotFound && season) return DeletionDecision::kDelete;
  // Once some are held nothing more goes before a person has looked.
  if (counts.held > 0) return DeletionDecision::kHold;
  const std::int64_t then = counts.deleted + 1;
  const bool usual = then <= kDeletionsAlways || then * kDeletionsOneIn <= counts.live;
  return usual ? DeletionDecision::kDelete : DeletionDecision::kHold;
}

SeasonStanding StandingOf(std::int64_t season_id, std::int64_t number, bool holds_number,
                          const SeasonList& listed) {
  if (holds_number && std::ranges::binary_search(listed.numbers, number)) return SeasonStanding::kListed;
  // A body without a list says nothing of what it does not name.
  const bool named = std::ranges::binary_search(listed.ids, season_id);
  return named || !listed.given || !listed.readable ? SeasonStanding::kUnclear : SeasonStanding::kNotListed;
}

}  // namespace tmdbc
