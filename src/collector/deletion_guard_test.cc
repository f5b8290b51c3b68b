// SPDX-License-Identifier: MIT
#include "collector/deletion_guard.h"

#include <gtest/gtest.h>

namespace tmdbc {
namespace {

// How many of `asked` live records one run deletes.
std::int64_t Deletes(DeletionGuard::Before before, bool accepted, std::int64_t asked) {
  DeletionGuard guard({{MediaType::kMovie, before}}, accepted);
  std::int64_t deleted = 0;
  for (std::int64_t i = 0; i < asked; ++i) {
    if (!guard.MayDelete(MediaType::kMovie)) continue;
    guard.Deleted(MediaType::kMovie);
    ++deleted;
  }
  return deleted;
}

TEST(DeletionGuard, StopsAtOneRecordInTwentyButNotBelowTwentyRecords) {
  struct Row {
    std::int64_t live, held;
    bool accepted;
    std::int64_t asked, deleted;
  };
  const Row table[] = {
      {.live = 0, .held = 0, .accepted = false, .asked = 100, .deleted = 20},
      {.live = 30, .held = 0, .accepted = false, .asked = 20, .deleted = 20},
      {.live = 30, .held = 0, .accepted = false, .asked = 30, .deleted = 20},
      {.live = 400, .held = 0, .accepted = false, .asked = 400, .deleted = 20},
      {.live = 440, .held = 0, .accepted = false, .asked = 440, .deleted = 22},
      {.live = 1'000, .held = 0, .accepted = false, .asked = 50, .deleted = 50},
      {.live = 1'000, .held = 0, .accepted = false, .asked = 1'000, .deleted = 50},
      {.live = 1'000'000, .held = 0, .accepted = false, .asked = 50'000, .deleted = 50'000},
      {.live = 1'000'000, .held = 0, .accepted = false, .asked = 60'000, .deleted = 50'000},
      // Held deletions of an earlier run: nothing more goes before somebody has looked.
      {.live = 1'000, .held = 1, .accepted = false, .asked = 10, .deleted = 0},
      {.live = 1'000, .held = 900, .accepted = true, .asked = 900, .deleted = 900},
      {.live = 1'000, .held = 0, .accepted = true, .asked = 1'000, .deleted = 1'000},
  };
  for (const Row& row : table) {
    EXPECT_EQ(Deletes({.live = row.live, .held = row.held}, row.accepted, row.asked), row.deleted)
        << row.live << " live, " << row.held << " held, " << row.asked << " asked for";
  }
}

TEST(DeletionGuard, CountsEachTypeByItself) {
  DeletionGuard guard({{MediaType::kMovie, {.live = 100}},
                       {MediaType::kTv, {.live = 100, .gone = 19}},
                       {MediaType::kPerson, {.live = 9, .held = 1}}},
                      false);
  for (int i = 0; i < 50; ++i) guard.Deleted(MediaType::kMovie);
  EXPECT_FALSE(guard.MayDelete(MediaType::kMovie));
  EXPECT_TRUE(guard.MayDelete(MediaType::kTv));
  guard.Deleted(MediaType::kTv);
  EXPECT_FALSE(guard.MayDelete(MediaType::kTv)) << "what went earlier that day counts too";
  EXPECT_FALSE(guard.MayDelete(MediaType::kPerson));
  EXPECT_TRUE(guard.MayDelete(MediaType::kCollection)) << "of which nothing was stored when the run began";
}

}  // namespace
}  // namespace tmdbc
