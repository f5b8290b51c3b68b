// SPDX-License-Identifier: MIT
#include "http/retry_after.h"

#include <gtest/gtest.h>

namespace tmdbc::http {
namespace {

using namespace std::chrono_literals;

const Time kAnswered = Time(std::chrono::sys_days(std::chrono::year(2026) / 11 / 22)) + 10h + 1min + 2s;

TEST(ParseRetryAfter, TakesSecondsAndAllThreeFormsOfADate) {
  const struct {
    std::string_view value;
    std::optional<Duration> expected;
  } cases[] = {
      {"", std::nullopt},
      {"   ", std::nullopt},
      {"0", 0s},
      {"1", 1s},
      {" 120 ", 120s},
      {"1.5", 1500ms},
      {"-5", 0s},
      {"3600", 1h},
      {"86400", 1h},
      {"99999999999999999999999999", 1h},
      {"soon", std::nullopt},
      {"10 seconds", std::nullopt},
      {"10,20", std::nullopt},
      {"nan", std::nullopt},
      {"inf", 1h},
      {"0x10", std::nullopt},
      {"1e3", std::nullopt},
      // IMF-fixdate
      {"Sun, 22 Nov 2026 10:01:32 GMT", 30s},
      {"Sun, 22 Nov 2026 10:01:02 GMT", 0s},
      {"Sun, 22 Nov 2026 10:00:00 GMT", 0s},
      {"Mon, 23 Nov 2026 10:00:00 GMT", 1h},
      {"Sun, 06 Nov 1994 08:49:37 GMT", 0s},
      // RFC 850
      {"Sunday, 22-Nov-26 10:01:03 GMT", 1s},
      {"Sunday, 06-Nov-94 08:49:37 GMT", 0s},
      // asctime
      {"Sun Nov 22 10:02:02 2026", 1min},
      {"Sun Nov  6 08:49:37 1994", 0s},
      // Dates that are none
      {"Sun, 31 Feb 2027 10:00:00 GMT", std::nullopt},
      {"Sun, 22 Nov 2026 25:00:00 GMT", std::nullopt},
      {"Sun, 22 Nov 2026 10:00:00 CET", std::nullopt},
      {"Sun, 22 Nov 2026", std::nullopt},
      {"Sun, 22 Now 2026 10:01:32 GMT", std::nullopt},
      {"Sun, 22 Nov 2026 10:01:32 GMT and more", std::nullopt},
      {"2026-11-22T10:01:32Z", std::nullopt},
  };
  for (const auto& c : cases) EXPECT_EQ(ParseRetryAfter(c.value, kAnswered), c.expected) << "'" << c.value << "'";
}

}  // namespace
}  // namespace tmdbc::http
