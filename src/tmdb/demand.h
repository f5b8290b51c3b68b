// SPDX-License-Identifier: MIT
// Demand: what is to be asked of TMDB at once because somebody waits for it, and what came of it. Values; the asker and
// the fetcher live in different threads.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>

#include "base/clock.h"
#include "tmdb/media_id.h"

namespace tmdbc {

struct Demand {
  // A record, fetched as a collector fetches it and stored.
  std::optional<MediaId> record = {};
  // Else TMDB's answer to that path and query below /3, which is not stored: "movie/550/reviews?page=2".
  std::string target = {};
  auto operator<=>(const Demand&) const = default;
};

struct DemandReply {
  enum class What : std::uint8_t {
    kStored,    // the record: a reader of the store sees it now
    kUnstored,  // it was fetched; the mirror does not keep it, or not yet
    kAnswer,    // TMDB's answer to the target: 200, or an error that is about what was asked
    kAbsent,    // TMDB has no such thing: its own 404
    kDown,      // TMDB cannot be asked now
    kSlow,      // nothing came in time
  };
  What what = What::kDown;
  // Of kAnswer.
  int status = 0;
  std::string body = {};
  Time at{};
};

}  // namespace tmdbc
