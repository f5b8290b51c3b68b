// SPDX-License-Identifier: MIT
// Changes: TMDB's change feeds over an EvolvingWorld: /3/movie/changes and, of one id,
// /3/movie/550/changes, with their windows, pages and errors. Of a world that does not change they are
// empty. Source: docs/tmdb-facts.md.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "api.h"
#include "base/clock.h"
#include "evolving_world.h"
#include "target.h"

namespace tmdbc::sim {

struct FeedOptions {
  // So long after an event it is listed, under the time at which it happened.
  Duration lag{};
  int rows_per_page = 100;  // TMDB's
  // Rows more on that day, of adult titles that no export lists and that are gone: a robot at work.
  std::map<std::chrono::sys_days, int> floods = {};
  // total_results says so many more than there are rows.
  int total_off = 0;
  // Days with one more row, whose id has 20 digits.
  std::set<std::chrono::sys_days> odd_rows = {};
};

inline constexpr int kMostFeedPages = 500;

class Changes {
 public:
  // `world`: null for one that does not change; else it outlives this.
  Changes(std::uint64_t seed, const EvolvingWorld* world) : seed_(seed), world_(world) {}

  // Nothing when the path is no change feed. The rows are listed as of `now`; the world has to be looked at
  // as of then.
  std::optional<Reply> Get(const Target& target, const FeedOptions& options, Time now);

 private:
  struct Row {
    std::int64_t id = 0;  // 0: null
    std::uint64_t order = 0;
    bool flood = false;
    bool odd = false;  // more digits than an id has
  };
  Reply GetList(Kind kind, const Target& target, const FeedOptions& options, Time now);
  Reply GetOne(Kind kind, std::int64_t id, const Target& target, const FeedOptions& options, Time now) const;
  // Of [from, until), in the order of the feed.
  std::vector<Row> RowsOf(Kind kind, Time from, Time until, const FeedOptions& options, Time now) const;

  const std::uint64_t seed_;
  const EvolvingWorld* const world_;

  // The rows of the last window asked for: its pages come one after the other.
  struct Last {
    Kind kind{};
    Time from{}, until{};
    std::uint64_t listed = 0;  // entries that could be seen when they were made
    std::vector<Row> rows;
  };
  std::optional<Last> last_;
};

}  // namespace tmdbc::sim
