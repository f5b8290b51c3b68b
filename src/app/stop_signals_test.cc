// SPDX-License-Identifier: MIT
#include "app/stop_signals.h"

#include <gtest/gtest.h>

#include <csignal>

namespace tmdbc {
namespace {

TEST(StopSignals, EachSignalThatMeansTheEndAsksForAStop) {
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) {
    const StopSignals signals;
    EXPECT_FALSE(signals.flag().requested());
    std::raise(signal);
    EXPECT_TRUE(signals.flag().requested()) << signal;
  }
}

TEST(StopSignals, AHangupThatIsIgnoredStaysSo) {
  const auto before = std::signal(SIGHUP, SIG_IGN);
  {
    const StopSignals signals;
    std::raise(SIGHUP);
    EXPECT_FALSE(signals.flag().requested());
  }
  std::raise(SIGHUP);  // it does not end this process
  std::signal(SIGHUP, before);
}

TEST(StopSignals, AHangupReadsTheSettingsAgainWhereThatIsAskedFor) {
  StopSignals signals;
  signals.ReloadOnHangup();
  std::raise(SIGHUP);
  EXPECT_TRUE(signals.TakeReload());
  EXPECT_FALSE(signals.flag().requested());
}

TEST(StopSignals, ASecondOneEndsTheProcessAtOnce) {
  const auto twice = [] {
    const StopSignals signals;
    std::raise(SIGTERM);
    std::raise(SIGINT);
  };
  EXPECT_EXIT(twice(), ::testing::ExitedWithCode(128 + SIGINT), "");
}

}  // namespace
}  // namespace tmdbc
