// SPDX-License-Identifier: MIT
// ShowLayout: which seasons and episodes a show has, once something has happened to them. Bodies are not
// kept: a season and an episode say which one of the catalogue they were before, by its numbers there.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "evolution.h"
#include "random.h"

namespace tmdbc::sim {

// The catalogue did not have a season or an episode that came later.
inline constexpr int kNoOrigin = -1;

struct EpisodeSlot {
  std::int64_t id = 0;
  int number = 0;
  int origin_season = kNoOrigin, origin_number = 0;
  std::uint32_t edits = 0;
};

struct SeasonSlot {
  std::int64_t id = 0;
  int number = 0;
  int origin = kNoOrigin;
  std::vector<EpisodeSlot> episodes;
};

struct ShowLayout {
  std::vector<SeasonSlot> seasons;                      // ascending by number
  std::int64_t next_season_id = 0, last_season_id = 0;  // unused ones, the last one included
  std::int64_t next_episode_id = 0, last_episode_id = 0;

  const SeasonSlot* Find(int number) const;
};

// Does one of the events for shows; false, and nothing is changed, when there is nothing to do it to (no
// season to remove, no id left). `random` chooses which season and episode where the event leaves that open.
bool Rearrange(ShowLayout& layout, Event event, Random random);

}  // namespace tmdbc::sim
