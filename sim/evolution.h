// SPDX-License-Identifier: MIT
// Evolution: what can happen to a catalogue, how often, and when: the timetable of a seed. Whom it happens to
// is decided by the world to which it happens (EvolvingWorld), which knows who is alive.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "random.h"
#include "world.h"

namespace tmdbc::sim {

// One thing that happens to one id.
enum class Event : std::uint8_t {
  kOverview,  // or what else the kind has of prose
  kTitle,
  kRuntime,  // or another small member
  kCast,     // a credit more
  kStats,    // popularity and votes: no change to TMDB's feed
  kAdd,      // a new id comes to life
  kDelete,   // 404 from now on; no word of it in the feed
  kRestore,
  kQuietRestore,   // without a word of it in the feed
  kMerge,          // another id takes it in, and is edited
  kEpisodeAdd,     // the next one of the last season
  kEpisodeRemove,  // its last one
  kEpisodeEdit,
  kEpisodesRenumber,  // the first one becomes the last one: every id keeps, every number changes
  kEpisodeReadd,      // the same number under a new id
  kSeasonAdd,
  kSeasonRemove,   // the last one
  kSeasonReplace,  // the same number under a new id
};
inline constexpr int kEvents = 18;
// "overview", "season-add"...
std::string_view NameOf(Event event);
std::optional<Event> EventOf(std::string_view name);
bool IsForShows(Event event);

// Families of events, which have rates.
enum class Family : std::uint8_t { kEdit, kStats, kAdd, kDelete, kRestore, kQuietRestore, kMerge, kSeason };
inline constexpr int kFamilies = 8;
std::string_view NameOf(Family family);
std::optional<Family> FamilyOf(std::string_view name);

// Events a day, by Kind and Family.
struct DailyRates {
  std::array<std::array<double, kFamilies>, kKinds> of{};

  double& at(Kind kind, Family family) {
    return of[static_cast<std::size_t>(kind)][static_cast<std::size_t>(family)];
  }
  double at(Kind kind, Family family) const {
    return of[static_cast<std::size_t>(kind)][static_cast<std::size_t>(family)];
  }
  bool any() const;
};

// `factor` times what TMDB sees of a catalogue of these sizes: 9,000 edits a day among 1.24 million films,
// 3,000 among 230,000 shows, 6,500 among 4.7 million people; 400, 70 and 1,700 new ones
// (docs/tmdb-facts.md). How many are deleted, merged or returned nobody has counted: taken as 120, 20 and
// 500 a day, a tenth and a twentieth of that.
DailyRates TypicalRates(const std::array<std::int64_t, kKinds>& counts, double factor);

struct Planned {
  Time at{};
  Kind kind{};
  Event event{};
  std::uint64_t draw = 0;  // seeds the choice of what it happens to
};

// What happens in the hour that begins at `hour`, in order of time. Any hour can be asked for, in any order.
std::vector<Planned> EventsOf(std::uint64_t seed, const DailyRates& rates,
                              std::chrono::sys_time<std::chrono::hours> hour);

}  // namespace tmdbc::sim
