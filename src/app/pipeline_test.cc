// SPDX-License-Identifier: MIT
#include "app/pipeline.h"

#include <gtest/gtest.h>

#include "app/program_world_test.h"

namespace tmdbc {
namespace {

using std::chrono::days;

class PipelineTest : public testing::ProgramWorld {
 protected:
  PipelineTest() : today_(std::chrono::floor<days>(now_)) {
    testing::DataStore data;
    data.Put({MediaType::kMovie, 1}, R"({"id":1})", FormatTime(now_ - days(200)));
    data.Put({MediaType::kMovie, 2}, R"({"id":2})", FormatTime(now_ - days(100)));
    data.Put({MediaType::kPerson, 3}, R"({"id":3})", FormatTime(now_ - days(200)));
    data.Seal();
  }

  static HarvestReport ReadMovies(ExportVerdict verdict, std::chrono::sys_days date) {
    HarvestReport report;
    report.exports.push_back(
        {.name = "movie_ids", .type = MediaType::kMovie, .verdict = verdict, .reason = {}, .date = date});
    return report;
  }
  static Standing StandingOf(Pipeline& pipeline, MediaType type, std::int64_t id) {
    return pipeline.store().StateOf({type, id}).value().standing;
  }

  const Time now_ = SystemClock().Now();
  const std::chrono::sys_days today_;
  const Settings settings_ = ResolveSettings({}).value();
};

TEST_F(PipelineTest, PurgesWhatIsUnconfirmedFor180DaysOfTypesWhoseRecentExportWasRead) {
  const auto pipeline = Pipeline::Open(settings_, "run").value();
  EXPECT_EQ(pipeline->PurgeExpired(ReadMovies(ExportVerdict::kAccepted, today_ - days(1))), 1);
  EXPECT_EQ(StandingOf(*pipeline, MediaType::kMovie, 1), Standing::kUnknown);
  EXPECT_EQ(StandingOf(*pipeline, MediaType::kMovie, 2), Standing::kLive);
  EXPECT_EQ(StandingOf(*pipeline, MediaType::kPerson, 3), Standing::kLive);
  EXPECT_TRUE(pipeline->Close());
}

// A clock that is wrong by months, or weeks without a usable export: nothing was asked for again.
TEST_F(PipelineTest, PurgesNothingWithoutARecentExport) {
  const auto pipeline = Pipeline::Open(settings_, "run").value();
  EXPECT_EQ(pipeline->PurgeExpired({}), 0);
  EXPECT_EQ(pipeline->PurgeExpired(ReadMovies(ExportVerdict::kAccepted, today_ - days(20))), 0);
  EXPECT_EQ(pipeline->PurgeExpired(ReadMovies(ExportVerdict::kRefused, today_)), 0);
  EXPECT_EQ(pipeline->PurgeExpired(ReadMovies(ExportVerdict::kWithheld, today_)), 0);
  EXPECT_EQ(StandingOf(*pipeline, MediaType::kMovie, 1), Standing::kLive);
  EXPECT_TRUE(pipeline->Close());
}

}  // namespace
}  // namespace tmdbc
