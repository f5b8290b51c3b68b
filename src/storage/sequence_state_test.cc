// SPDX-License-Identifier: MIT
#include "storage/sequence_state.h"

#include <gtest/gtest.h>

namespace tmdbc {
namespace {

TEST(SequenceState, IsOneLineOfJson) {
  const SequenceState state{12, ParseTime("2026-11-22T10:01:02.345Z").value()};
  EXPECT_EQ(FormatState(state),
            "{\"sequence\":12,\"schema\":2,\"timestamp\":\"2026-11-22T10:01:02.345Z\"}\n");
  EXPECT_EQ(ParseState(FormatState(state)).value(), state);
}

TEST(SequenceState, RefusesWhatItDidNotWrite) {
  const std::string good = FormatState({12, ParseTime("2026-11-22T10:01:02.345Z").value()});
  for (std::size_t cut = 0; cut < good.size(); ++cut) EXPECT_FALSE(ParseState(good.substr(0, cut))) << cut;
  EXPECT_FALSE(ParseState(good + "\n"));
  EXPECT_FALSE(ParseState("{\"sequence\":12,\"schema\":3,\"timestamp\":\"2026-11-22T10:01:02.345Z\"}\n"));
  EXPECT_FALSE(ParseState("{\"sequence\":-1,\"schema\":2,\"timestamp\":\"2026-11-22T10:01:02.345Z\"}\n"));
}

}  // namespace
}  // namespace tmdbc
