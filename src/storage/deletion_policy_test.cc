// SPDX-License-Identifier: MIT
#include "storage/deletion_policy.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace tmdbc {
namespace {

using enum DeletionEvidence;

// How many of `asked` live records go, one after the other.
std::int64_t Deletes(MediaType type, DeletionEvidence evidence, DeletionCounts counts, std::int64_t asked) {
  std::int64_t deleted = 0;
  for (std::int64_t i = 0; i < asked; ++i) {
    switch (DecideDeletion(type, evidence, counts)) {
      case DeletionDecision::kDelete:
        ++deleted;
        ++counts.deleted;
        break;
      case DeletionDecision::kHold:
        ++counts.held;
        break;
      case DeletionDecision::kUnknown:
        break;
    }
  }
  return deleted;
}

TEST(DeletionPolicy, StopsAtOneRecordInTwentyButNotBelowTwentyRecords) {
  struct Row {
    std::int64_t live, deleted, held;
    bool accepted;
    std::int64_t asked, deletes;
  };
  const Row table[] = {
      {.live = 0, .deleted = 0, .held = 0, .accepted = false, .asked = 100, .deletes = 20},
      {.live = 30, .deleted = 0, .held = 0, .accepted = false, .asked = 20, .deletes = 20},
      {.live = 30, .deleted = 0, .held = 0, .accepted = false, .asked = 30, .deletes = 20},
      {.live = 60, .deleted = 0, .held = 0, .accepted = false, .asked = 60, .deletes = 20},
      {.live = 440, .deleted = 0, .held = 0, .accepted = false, .asked = 440, .deletes = 22},
      {.live = 1'000, .deleted = 0, .held = 0, .accepted = false, .asked = 50, .deletes = 50},
      {.live = 1'000, .deleted = 0, .held = 0, .accepted = false, .asked = 1'000, .deletes = 50},
      {.live = 1'000'000, .deleted = 0, .held = 0, .accepted = false, .asked = 60'000, .deletes = 50'000},
      // What went earlier that day counts too.
      {.live = 100, .deleted = 19, .held = 0, .accepted = false, .asked = 9, .deletes = 1},
      {.live = 1'000, .deleted = 60, .held = 0, .accepted = false, .asked = 9, .deletes = 0},
      // Some are held: nothing more goes before somebody has looked.
      {.live = 1'000, .deleted = 0, .held = 1, .accepted = false, .asked = 10, .deletes = 0},
      {.live = 1'000, .deleted = 50, .held = 900, .accepted = true, .asked = 900, .deletes = 900},
  };
  for (const MediaType type : kRecordTypes) {
    const DeletionEvidence evidence = type == MediaType::kSeason ? kNotListed : kNotFound;
    for (const Row& row : table) {
      const DeletionCounts counts{
          .live = row.live, .deleted = row.deleted, .held = row.held, .accepted = row.accepted};
      EXPECT_EQ(Deletes(type, evidence, counts, row.asked), row.deletes)
          << Name(type) << ": " << row.live << " live, " << row.deleted << " deleted, " << row.held
          << " held, " << row.asked << " asked for";
    }
  }
}

TEST(DeletionPolicy, DecidesByTypeAndEvidence) {
  using enum DeletionDecision;
  struct Row {
    MediaType type;
    DeletionEvidence evidence;
    DeletionDecision quiet, guarded, accepted;
  };
  const Row table[] = {
      {MediaType::kMovie, kNotFound, kDelete, kHold, kDelete},
      {MediaType::kTv, kNotFound, kDelete, kHold, kDelete},
      {MediaType::kConfiguration, kNotFound, kDelete, kHold, kDelete},
      // With its show, which has been through the guard itself.
      {MediaType::kSeason, kNotFound, kDelete, kDelete, kDelete},
      {MediaType::kSeason, kNotListed, kDelete, kHold, kDelete},
      // Never by absence alone.
      {MediaType::kMovie, kNotListed, kUnknown, kUnknown, kUnknown},
      {MediaType::kPerson, kNotListed, kUnknown, kUnknown, kUnknown},
      {MediaType::kSeason, kUnclear, kUnknown, kUnknown, kUnknown},
      {MediaType::kMovie, kUnclear, kUnknown, kUnknown, kUnknown},
  };
  for (const Row& row : table) {
    SCOPED_TRACE(std::string(Name(row.type)) + " " + std::to_string(static_cast<int>(row.evidence)));
    EXPECT_EQ(DecideDeletion(row.type, row.evidence, {.live = 1'000}), row.quiet);
    EXPECT_EQ(DecideDeletion(row.type, row.evidence, {.live = 1'000, .deleted = 50}), row.guarded);
    EXPECT_EQ(DecideDeletion(row.type, row.evidence, {.live = 1'000, .held = 1}), row.guarded);
    EXPECT_EQ(DecideDeletion(row.type, row.evidence, {.live = 1'000, .held = 1, .accepted = true}),
              row.accepted);
  }
}

SeasonList List(std::vector<std::int64_t> numbers, std::vector<std::int64_t> ids, bool readable = true) {
  return {.given = true, .numbers = std::move(numbers), .ids = std::move(ids), .readable = readable};
}

TEST(DeletionPolicy, TakesASeasonForGoneOnlyWhenNothingInTheListMayMeanIt) {
  using enum SeasonStanding;
  struct Row {
    const char* what;
    SeasonList listed;
    bool holds_number;
    SeasonStanding standing;  // of season 3624, stored as number 1
  };
  const Row table[] = {
      {"listed", List({0, 1, 2}, {3624, 3625, 3627}), true, kListed},
      {"listed under its number, without an id", List({1}, {}), true, kListed},
      {"others are listed", List({0, 2}, {3625, 3627}), true, kNotListed},
      {"an empty list", List({}, {}), true, kNotListed},
      {"made again under another id", List({1}, {9000}), false, kNotListed},
      {"its number cannot be read", List({0}, {3624, 3627}), true, kUnclear},
      {"listed beside another one with its number", List({1}, {3624, 9000}), false, kUnclear},
      {"an entry that says nothing", List({0}, {3627}, false), true, kUnclear},
      {"listed beside an entry that says nothing", List({1}, {}, false), true, kListed},
      {"no list at all", {}, true, kUnclear},
  };
  for (const Row& row : table)
    EXPECT_EQ(StandingOf(3624, 1, row.holds_number, row.listed), row.standing) << row.what;
}

}  // namespace
}  // namespace tmdbc
