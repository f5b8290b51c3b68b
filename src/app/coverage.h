// SPDX-License-Identifier: MIT
// Coverage: the proof that the mirror has what TMDB has: the ids of the exports in force against those of the
// store, and how long ago each of these was seen to be right. For `status --coverage`, which reads every id
// (some seconds for all of TMDB): not for loops.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/files.h"
#include "base/json_writer.h"
#include "base/sqlite.h"
#include "queue/queue_desk.h"
#include "storage/ledger.h"

namespace tmdbc {

// Some ids of a kind, as a start for a person who looks into it.
struct IdClass {
  static constexpr std::size_t kShown = 20;
  std::int64_t count = 0;
  std::vector<std::int64_t> first;  // up to kShown, ascending

  void Add(std::int64_t id) {
    ++count;
    if (first.size() < kShown) first.push_back(id);
  }
};

// TMDB lets nothing be kept for more than six months without a refresh; the policy is to verify everything
// within 30 days (docs/freshness.md), and what nears 180 is purged.
inline constexpr std::array kDueDays = {30, 150, 180};
struct Due {
  std::int64_t over = 0;         // unverified for that long already
  std::int64_t within_week = 0;  // will be within seven days if nothing is done
};

// Against the export, and in time.
struct TypeCoverage {
  explicit TypeCoverage(MediaType of) : type(of) {}

  MediaType type;
  // The oldest date of the exports in force; empty: the type has none (seasons, configuration) or none was
  // accepted yet, and then all of the first part is 0.
  std::optional<std::chrono::sys_days> export_date;
  std::int64_t listed = 0;       // different ids
  std::int64_t listed_live = 0;  // of them, stored
  IdClass missing;               // listed, never answered for: still to be fetched
  IdClass extra;       // stored, not listed: newer than the export, asked for by id, or on their way out
  IdClass dead;        // listed, but TMDB answers 404
  IdClass duplicates;  // listed more than once
  // Of what is listed and TMDB has, the part that is stored; empty when there is nothing to store.
  std::optional<double> covered() const {
    const std::int64_t wanted = listed - dead.count;
    if (wanted == 0) return std::nullopt;
    return double(listed_live) / double(wanted);
  }

  std::int64_t live = 0;
  IdClass held;                 // deletions that wait for --accept-deletions
  std::int64_t to_refresh = 0;  // stored, and waiting in the queue to be fetched again
  std::optional<std::chrono::sys_days> watermark;
  // How long ago the live ones were verified: medians and the like, 0 when there are none.
  std::chrono::seconds age_p50{0}, age_p90{0}, age_p99{0}, age_oldest{0};
  std::array<Due, kDueDays.size()> due{};
  double fresh() const { return live == 0 ? 1 : 1 - double(to_refresh) / double(live); }
};

// Takes the states of a type's ids, ascending, and compares them with `listed` and `queued` (ascending,
// without repeats), which outlive it.
class CoverageTally {
 public:
  CoverageTally(TypeCoverage& coverage, std::span<const std::uint32_t> listed,
                std::span<const std::int64_t> queued, Time now);
  void Add(const IdState& state);
  void Finish();

 private:
  void MissUpTo(std::int64_t id);

  TypeCoverage& coverage_;
  std::span<const std::uint32_t> listed_;  // what is left of them
  std::span<const std::int64_t> queued_;
  const Time now_;
  std::vector<std::uint32_t> ages_;  // seconds, of the live ones
};

// Of every type that has anything. `files` is DATA_DIR. kCorrupt or kNotFound when an export in force cannot
// be read.
Result<std::vector<TypeCoverage>> ReadCoverage(FileSystem& files, Database& catalog, RecordLedger& ledger,
                                               QueueView& queue, bool include_adult, Time now);

std::string CoverageText(const std::vector<TypeCoverage>& types);
// An object by type.
void AddCoverage(JsonWriter& json, const std::vector<TypeCoverage>& types);

}  // namespace tmdbc
