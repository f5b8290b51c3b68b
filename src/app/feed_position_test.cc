// SPDX-License-Identifier: MIT
#include "app/feed_position.h"

#include <gtest/gtest.h>

namespace tmdbc {
namespace {

struct Since {
  const char* since;
  const char* type;      // empty: none
  const char* position;  // those that are not 0, or how the error begins
};

class FeedPositionOf : public ::testing::TestWithParam<Since> {};
TEST_P(FeedPositionOf, IsWhatSinceAndTypeSay) {
  const auto& [since, type, expected] = GetParam();
  const auto position = ParseFeedPosition(since, *type ? std::optional<std::string>(type) : std::nullopt);
  std::string text;
  if (position) {
    text = fmt::format("{}:", position->size());
    for (const auto& [media_type, sequence] : *position) {
      if (sequence != 0) text += fmt::format(" {}={}", Name(media_type), sequence);
    }
  } else {
    text = position.error().message;
    EXPECT_EQ(position.error().code, ErrorCode::kInvalid);
  }
  EXPECT_TRUE(text.starts_with(expected)) << text;
}
INSTANTIATE_TEST_SUITE_P(Table, FeedPositionOf,
                         ::testing::Values(Since{"0", "", "9:"}, Since{"movie=12,tv=7", "", "9: movie=12 tv=7"},
                                         Since{"season=3", "", "9: season=3"},
                                         Since{"12", "movie", "1: movie=12"}, Since{"0", "tv", "1:"},
                                         Since{"movie=12,tv=7", "tv", "1: tv=7"}, Since{"movie=12", "tv", "1:"},
                                         Since{"12", "", "--since is '12': use the last seq"},
                                         Since{"-1", "movie", "--since is '-1'"},
                                         Since{"x", "", "--since is 'x'"}, Since{"movie=", "", "--since is"},
                                         Since{"movie=1,", "", "--since is"}, Since{"film=1", "", "--since is"},
                                         Since{"episode=1", "", "--since is"},
                                         Since{"0", "film", "--type: 'film'"},
                                         Since{"0", "episode", "--type is 'episode': episodes have no"}));

}  // namespace
}  // namespace tmdbc
