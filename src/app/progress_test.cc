// SPDX-License-Identifier: MIT
#include "app/progress.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "app/rate_window.h"
#include "testing/fake_clock.h"

namespace tmdbc {
namespace {

using std::chrono::seconds;

TEST(Progress, DurationsAreInTheTwoLargestUnits) {
  EXPECT_EQ(FormatDuration(seconds(0)), "0 s");
  EXPECT_EQ(FormatDuration(seconds(59)), "59 s");
  EXPECT_EQ(FormatDuration(seconds(200)), "3 min 20 s");
  EXPECT_EQ(FormatDuration(seconds(7500)), "2 h 05 min");
  EXPECT_EQ(FormatDuration(seconds(200'000)), "2 d 07 h");
}

TEST(Progress, CountsHaveCommas) {
  EXPECT_EQ(FormatCount(0), "0");
  EXPECT_EQ(FormatCount(999), "999");
  EXPECT_EQ(FormatCount(1000), "1,000");
  EXPECT_EQ(FormatCount(1'238'234), "1,238,234");
  EXPECT_EQ(FormatCount(-123'456), "-123,456");
}

TEST(Progress, TimeLeftIsUnknownWithoutAPace) {
  EXPECT_EQ(TimeLeft(100, 40), seconds(3));
  EXPECT_EQ(TimeLeft(0, 0), seconds(0));
  EXPECT_EQ(TimeLeft(1, 0), std::nullopt);
}

TEST(Progress, TheBarShowsTheShareTheRateAndWhatIsLeft) {
  const Progress progress{
      .done = 400, .total = 1000, .requests_per_second = 39.6, .left = seconds(16), .errors = 2};
  EXPECT_EQ(ProgressBar(progress, 120),
            "[#########---------------] 40.0 %  400/1,000  39.6/s  ETA 16 s  queue 600  errors 2");
  EXPECT_EQ(ProgressBar(progress, 40).size(), 39u);
}

TEST(Progress, AnEmptyQueueIsDone) {
  EXPECT_TRUE(ProgressBar({}, 100).starts_with("[########################] 100.0 %"));
}

TEST(Progress, TroubleIsShownWhenThereIsSome) {
  EXPECT_EQ(ProgressLine({.done = 1,
                          .total = 4,
                          .requests_per_second = 1,
                          .left = {},
                          .errors = 3,
                          .dead = 1,
                          .throttled = 2}),
            "25.0 %  1/4  1.0/s  ETA -  queue 3  errors 3  429s 2  dead 1");
}

// What the meter writes to a log file, line by line.
std::string LinesOf(void (*use)(ProgressMeter&, tmdbc::testing::FakeClock&)) {
  std::FILE* file = std::tmpfile();
  tmdbc::testing::FakeClock clock;
  {
    Log log(file, LogLevel::kInfo, LogFormat::kText, clock);
    ProgressMeter meter(clock, log, file, false);
    use(meter, clock);
  }
  std::fflush(file);
  std::fseek(file, 0, SEEK_SET);
  std::string text(1 << 16, '\0');
  text.resize(std::fread(text.data(), 1, text.size(), file));
  std::fclose(file);
  return text;
}

TEST(ProgressMeter, WithoutATerminalALineComesEveryTenSeconds) {
  const std::string text = LinesOf([](ProgressMeter& meter, tmdbc::testing::FakeClock& clock) {
    for (int second = 0; second <= 25; ++second) {
      meter.Show({.done = second * 40, .total = 1000, .left = {}});
      clock.Advance(seconds(1));
    }
  });
  EXPECT_EQ(std::ranges::count(text, '\n'), 2) << text;
  EXPECT_NE(text.find("400/1,000"), std::string::npos) << text;
  EXPECT_NE(text.find("800/1,000"), std::string::npos) << text;
}

TEST(RateWindow, IsTheGrowthOverTheLastMinute) {
  RateWindow window;
  EXPECT_EQ(window.PerSecond(), 0);
  const MonoTime start{std::chrono::hours(1)};
  for (int second = 0; second <= 100; ++second) window.Add(start + seconds(second), second * 10);
  EXPECT_DOUBLE_EQ(window.PerSecond(), 10);
  for (int second = 101; second <= 200; ++second) window.Add(start + seconds(second), 1000);
  EXPECT_DOUBLE_EQ(window.PerSecond(), 0);
}

TEST(RateWindow, CountsFromItsFirstSampleWhenYounger) {
  RateWindow window;
  const MonoTime start{std::chrono::hours(1)};
  window.Add(start, 5);
  window.Add(start + seconds(2), 25);
  EXPECT_DOUBLE_EQ(window.PerSecond(), 10);
}

}  // namespace
}  // namespace tmdbc
