// SPDX-License-Identifier: MIT
#include "aws/emf.h"

#include <gtest/gtest.h>

#include "base/json.h"

namespace tmdbc::aws {
namespace {

const Time kNow = Time(std::chrono::sys_days(std::chrono::year(2026) / 11 / 22)) + std::chrono::microseconds(1'234'567);

TEST(Emf, IsOneObjectThatDeclaresWhatItSays) {
  EXPECT_EQ(EmfLine(kNow, "dev", {.requests = 2003, .throttled = 1, .denied = true, .oldest_verified_days = {}}),
            R"({"_aws":{"Timestamp":1795305601234,"CloudWatchMetrics":[{"Namespace":"TmdbCollector",)"
            R"("Dimensions":[["Stage"]],"Metrics":[{"Name":"Requests","Unit":"Count"},)"
            R"({"Name":"Throttled","Unit":"Count"},{"Name":"Denied","Unit":"Count"}]}]},"Stage":"dev",)"
            R"("Requests":2003,"Throttled":1,"Denied":1})"
            "\n");
}

TEST(Emf, SaysOnlyWhatIsKnown) {
  FunctionMetrics metrics;
  EXPECT_EQ(EmfLine(kNow, "dev", metrics), "");
  metrics.oldest_verified_days = 12.5;
  const std::string line = EmfLine(kNow, "prod \"x\"", metrics);
  const auto parsed = ParsedJson::Parse(line);
  ASSERT_TRUE(parsed) << line;
  double days = 0;
  EXPECT_EQ(parsed->root()["OldestVerifiedDays"].get(days), simdjson::SUCCESS);
  EXPECT_EQ(days, 12.5);
  EXPECT_EQ(line.find("Requests"), std::string::npos) << "a metric without a value is refused by CloudWatch";
  EXPECT_EQ(line.find('\n'), line.size() - 1);
}

}  // namespace
}  // namespace tmdbc::aws
