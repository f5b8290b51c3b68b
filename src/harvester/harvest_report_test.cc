// SPDX-License-Identifier: MIT
#include "harvester/harvest_report.h"

#include <gtest/gtest.h>

namespace tmdbc {
namespace {

ExportReport Export(ExportVerdict verdict, bool unchanged = false) {
  ExportReport report;
  report.type = MediaType::kMovie;
  report.verdict = verdict;
  report.unchanged = unchanged;
  return report;
}

TypeReport Changes(ChangesVerdict verdict, std::int64_t pages) {
  TypeReport report;
  report.type = MediaType::kMovie;
  report.changes.emplace();
  report.changes->verdict = verdict;
  report.changes->pages = pages;
  return report;
}

TEST(HarvestReport, TheExitCodeSaysHowMuchOfItWasDone) {
  using enum ExportVerdict;
  const struct {
    std::vector<ExportReport> exports;
    std::vector<TypeReport> types;
    int code;
  } cases[] = {
      {{}, {}, 0},
      {{Export(kAccepted), Export(kWithheld)}, {Changes(ChangesVerdict::kRead, 3)}, 0},
      {{Export(kRefused)}, {Changes(ChangesVerdict::kRead, 3)}, 1},
      {{Export(kUnreachable)}, {Changes(ChangesVerdict::kRead, 3)}, 1},
      {{Export(kAccepted)}, {Changes(ChangesVerdict::kOverfull, 500)}, 1},
      {{Export(kAccepted)}, {Changes(ChangesVerdict::kIncomplete, 9)}, 1},
      {{Export(kAccepted)}, {Changes(ChangesVerdict::kUnreachable, 0)}, 1},
      {{Export(kUnreachable)}, {Changes(ChangesVerdict::kUnreachable, 7)}, 1},
      {{Export(kUnreachable)}, {Changes(ChangesVerdict::kUnreachable, 0)}, 3},
      {{Export(kUnreachable)}, {}, 3},
      // A file that lay on the disk says nothing of the hosts.
      {{Export(kAccepted, true)}, {Changes(ChangesVerdict::kUnreachable, 0)}, 3},
      {{Export(kAccepted)}, {Changes(ChangesVerdict::kDenied, 0)}, 3},
  };
  for (std::size_t i = 0; i < std::size(cases); ++i) {
    const HarvestReport report{.exports = cases[i].exports, .types = cases[i].types};
    EXPECT_EQ(report.exit_code(), cases[i].code) << i;
  }
  EXPECT_EQ((HarvestReport{.exports = {}, .stopped = true}.exit_code()), 1);
}

TEST(HarvestReport, EverythingQueuedIsCountedAndPaidFor) {
  HarvestReport report;
  report.Of(MediaType::kTv).candidates = 10;
  report.Of(MediaType::kTv).returns = 20;
  report.Of(MediaType::kTv).held_queued = 30;
  report.Of(MediaType::kTv).refreshed = 40;
  report.Of(MediaType::kMovie).changes.emplace().queued = 7;
  EXPECT_EQ(report.types.size(), 2U);
  EXPECT_EQ(report.queued(), 107);
  EXPECT_EQ(EstimateRequests(report), 111);
}

}  // namespace
}  // namespace tmdbc
