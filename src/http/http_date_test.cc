// SPDX-License-Identifier: MIT
#include "http/http_date.h"

#include <gtest/gtest.h>

namespace tmdbc::http {
namespace {

using namespace std::chrono_literals;

const Time kNow = Time(std::chrono::sys_days(std::chrono::year(2026) / 11 / 22)) + 10h + 1min + 2s;

TEST(ParseHttpDate, TakesAllThreeFormsAndNothingElse) {
  const struct {
    std::string_view text;
    std::optional<Time> expected;
  } cases[] = {
      {"Sun, 22 Nov 2026 10:01:02 GMT", kNow},
      {"  Sun, 22 Nov 2026 10:01:02 GMT\t", kNow},
      {"Sunday, 22-Nov-26 10:01:02 GMT", kNow},
      {"Sun Nov 22 10:01:02 2026", kNow},
      {"Sunday, 22-Nov-94 10:01:02 GMT",
       Time(std::chrono::sys_days(std::chrono::year(1994) / 11 / 22)) + 10h + 1min + 2s},
      {"Sun, 22 Nov 2026 10:01:02 CET", std::nullopt},
      {"Sun, 31 Feb 2027 10:00:00 GMT", std::nullopt},
      {"2026-11-22T10:01:02Z", std::nullopt},
      {"", std::nullopt},
  };
  for (const auto& c : cases) EXPECT_EQ(ParseHttpDate(c.text, kNow), c.expected) << "'" << c.text << "'";
}

}  // namespace
}  // namespace tmdbc::http
