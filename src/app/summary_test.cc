// SPDX-License-Identifier: MIT
#include "app/summary.h"

#include <gtest/gtest.h>

namespace tmdbc {
namespace {

Summary Drained() {
  Summary summary;
  summary.drained.emplace();
  return summary;
}

TEST(ExitCode, SaysWhetherAnythingIsLeft) {
  EXPECT_EQ(OutcomeOf(Drained()).exit_code, 0);
  Summary summary = Drained();
  summary.queue.left = 1;
  EXPECT_EQ(OutcomeOf(summary).exit_code, 1);
  summary = Drained();
  summary.queue.dead = 1;
  EXPECT_EQ(OutcomeOf(summary).exit_code, 1);
  summary = Drained();
  summary.drained->result.end = DrainEnd::kUnreachable;
  EXPECT_EQ(OutcomeOf(summary).exit_code, 3);
}

// Also in a run that asked for none of the held ids.
TEST(ExitCode, IsOneForAsLongAsDeletionsWaitForAPerson) {
  Summary summary = Drained();
  summary.held_deletions = 20;
  EXPECT_EQ(OutcomeOf(summary).exit_code, 1);
}

}  // namespace
}  // namespace tmdbc
