// SPDX-License-Identifier: MIT
// DeletionGuard: how many records of a type may be deleted in a day before a person has to agree. A day, not
// a run: a run may be interrupted, or come every few minutes, and must not begin to count anew. TMDB deletes
// a few in a thousand a month; when it says 404 to one live record in twenty, it is far more likely that
// something is wrong on the way (another API behind the address, a broken key, a fault of TMDB's). A pure
// count: what is done with an answer is the collector's. One thread.
#pragma once

#include <cstdint>
#include <map>
#include <utility>

#include "tmdb/media_id.h"

namespace tmdbc {

class DeletionGuard {
 public:
  // So many of a type may always go, for in a small store one in twenty is soon reached.
  static constexpr std::int64_t kAlways = 20;
  static constexpr std::int64_t kOneIn = 20;  // of the type's live records: 5 %

  // A type as it was when the day began.
  struct Before {
    std::int64_t live = 0;
    std::int64_t gone = 0;  // deleted since
    std::int64_t held = 0;  // deletions that waited for a person already
  };

  DeletionGuard() = default;
  // `accepted`: a person has agreed, nothing is held back.
  DeletionGuard(std::map<MediaType, Before> before, bool accepted)
      : before_(std::move(before)), accepted_(accepted) {
    for (const auto& [type, known] : before_) gone_[type] = known.gone;
  }

  // Whether a live record of that type for which TMDB says 404 may be deleted. Each 404 is asked about by
  // itself: what was deleted before the limit was reached stays deleted.
  bool MayDelete(MediaType type) const {
    if (accepted_) return true;
    const auto before = before_.find(type);
    const Before known = before == before_.end() ? Before{} : before->second;
    const auto gone = gone_.find(type);
    const std::int64_t then = (gone == gone_.end() ? 0 : gone->second) + 1;
    return known.held == 0 && (then <= kAlways || then * kOneIn <= known.live);
  }
  // One was deleted.
  void Deleted(MediaType type) { ++gone_[type]; }

 private:
  std::map<MediaType, Before> before_;
  std::map<MediaType, std::int64_t> gone_;
  bool accepted_ = false;
};

}  // namespace tmdbc
