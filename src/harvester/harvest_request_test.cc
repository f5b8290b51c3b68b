// SPDX-License-Identifier: MIT
#include "harvester/harvest_request.h"

#include <gtest/gtest.h>

namespace tmdbc {
namespace {

using namespace std::chrono;
constexpr sys_days kAsked{year(2026) / 11 / 22};
constexpr auto kMovie = MediaType::kMovie, kTv = MediaType::kTv, kCollection = MediaType::kCollection;
constexpr auto kAuto = HarvestMode::kAuto, kExport = HarvestMode::kExport, kChanges = HarvestMode::kChanges;

TEST(HarvestRequest, SaysWhatCannotBeDoneInTheWordsOfWhoAsked) {
  const struct {
    HarvestRequest request;
    const char *flags, *members;
  } rows[] = {
      {{.mode = kAuto, .types = {kMovie}, .limit = 3}, "", ""},
      {{.mode = kAuto, .types = {kMovie}, .ids = {550}}, "", ""},
      {{.mode = kChanges, .types = {kMovie, kCollection}, .since = kAsked, .until = kAsked}, "", ""},
      {{.mode = kExport, .types = {kMovie}, .ids = {550}},
       "--ids goes with --mode=ids",
       "ids goes with mode ids"},
      {{.types = {kMovie, kTv}, .ids = {550}},
       "--ids are of one type: name it in --types",
       "ids are of one type: name it in types"},
      {{.types = {kMovie}, .ids = {550}, .limit = 3},
       "--limit goes with the exports, not with --ids",
       "limit goes with the exports, not with ids"},
      {{.mode = kExport, .types = {kMovie}, .since = kAsked},
       "--since goes with --mode=changes",
       "since goes with mode changes"},
      {{.mode = kChanges, .types = {kMovie}, .limit = 3},
       "--limit goes with the exports, not with --mode=changes",
       "limit goes with the exports, not with mode changes"},
      {{.mode = kChanges, .types = {kMovie}, .since = kAsked - days(9000)},
       "--since and --until are days from 2012-10-05 on",
       "since and until are days from 2012-10-05 on"},
      {{.mode = kChanges, .types = {kMovie}, .since = kAsked, .until = kAsked - days(1)},
       "--until is before --since",
       "until is before since"},
      {{.mode = kChanges, .types = {kCollection}},
       "only movie, tv and person have a change feed: with these --types use --mode=export",
       "only movie, tv and person have a change feed: with these types use mode export"},
  };
  for (const auto& row : rows) {
    EXPECT_EQ(WhyImpossible(row.request, kFlagWords), row.flags);
    EXPECT_EQ(WhyImpossible(row.request, kMemberWords), row.members);
  }
}

}  // namespace
}  // namespace tmdbc
