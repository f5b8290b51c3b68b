// SPDX-License-Identifier: MIT
#include "app/pipeline.h"

#include <fmt/chrono.h>
#include <gtest/gtest.h>

#include "app/program_world_test.h"

namespace tmdbc {
namespace {

using std::chrono::days;

// Has one answer, with TMDB's date.
class OneAnswer final : public http::HttpTransport {
 public:
  explicit OneAnswer(std::optional<Time> date) : date_(date) {}
  http::RequestId Start(http::Request, std::function<void()>) override { return {}; }
  std::vector<http::Outcome> Wait(MonoTime) override {
    std::vector<http::Outcome> outcomes;
    if (!date_) return outcomes;
    http::Outcome& outcome = outcomes.emplace_back();
    outcome.response.emplace();
    outcome.response->status = 200;
    const auto seconds = std::chrono::floor<std::chrono::seconds>(date_->time_since_epoch()).count();
    outcome.response->headers.push_back(
        {"Date", fmt::format("{:%a, %d %b %Y %H:%M:%S} GMT", fmt::gmtime(std::time_t(seconds)))});
    date_.reset();
    return outcomes;
  }
  int Room() const override { return 0; }
  int InFlight() const override { return 0; }
  void Cancel(http::RequestId) override {}

 private:
  std::optional<Time> date_;
};

class PipelineTest : public testing::ProgramWorld {
 protected:
  PipelineTest() {
    testing::DataStore data;
    data.Put({MediaType::kMovie, 1}, R"({"id":1})", FormatTime(now_ - days(200)));
    data.Put({MediaType::kMovie, 2}, R"({"id":2})", FormatTime(now_ - days(100)));
    data.Put({MediaType::kPerson, 3}, R"({"id":3})", FormatTime(now_ - days(200)));
    for (std::int64_t id = 100; id < 130; ++id)
      data.Put({MediaType::kCollection, id}, R"({"id":1})", FormatTime(now_ - days(200)));
    data.Seal();
  }

  // After TMDB has answered with this date; empty: it has not.
  std::unique_ptr<Pipeline> Open(std::optional<Time> date) const {
    Surroundings surroundings;
    surroundings.make_transport = [date](const Clock&) -> Result<std::unique_ptr<http::HttpTransport>> {
      return std::make_unique<OneAnswer>(date);
    };
    auto pipeline = Pipeline::Open(settings_, "run", std::move(surroundings)).value();
    pipeline->WaitUntil(pipeline->clock().Mono() + std::chrono::milliseconds(1));
    return pipeline;
  }
  // TMDB is asked for it, and does not answer.
  static void AskInVain(Pipeline& pipeline, MediaId id) {
    ASSERT_TRUE(pipeline.queue().Send({{{id, 1}}}));
    const auto messages = pipeline.queue().Receive(1, std::chrono::seconds(60));
    ASSERT_EQ(messages.value().size(), 1U);
    ASSERT_TRUE(pipeline.queue().Bury(messages->front().receipt, "HTTP 503 after 5 tries"));
  }
  static void AskForAllInVain(Pipeline& pipeline) {
    AskInVain(pipeline, {MediaType::kMovie, 1});
    AskInVain(pipeline, {MediaType::kMovie, 2});
    AskInVain(pipeline, {MediaType::kPerson, 3});
    for (std::int64_t id = 100; id < 130; ++id) AskInVain(pipeline, {MediaType::kCollection, id});
  }
  static Standing StandingOf(Pipeline& pipeline, MediaType type, std::int64_t id) {
    return pipeline.store().ledger.StateOf({type, id}).value().standing;
  }

  const Time now_ = SystemClock().Now();
  const Settings settings_ = ResolveSettings({}).value();
};

TEST_F(PipelineTest, PurgesWhatIsUnconfirmedFor180DaysOfEveryTypeThatIsStored) {
  const auto pipeline = Open(now_);
  AskForAllInVain(*pipeline);
  const auto purged = pipeline->PurgeExpired(false);
  ASSERT_TRUE(purged);
  EXPECT_EQ(purged->records, 2);
  EXPECT_EQ(StandingOf(*pipeline, MediaType::kMovie, 1), Standing::kUnknown);
  EXPECT_EQ(StandingOf(*pipeline, MediaType::kMovie, 2), Standing::kLive);
  EXPECT_EQ(StandingOf(*pipeline, MediaType::kPerson, 3), Standing::kUnknown);
  EXPECT_TRUE(pipeline->Close());
}

// As deletions are: a person is asked.
TEST_F(PipelineTest, APurgeOfMoreThanAFewInAHundredIsHeld) {
  const auto pipeline = Open(now_);
  AskForAllInVain(*pipeline);
  EXPECT_EQ(pipeline->PurgeExpired(false)->held, 30);
  EXPECT_EQ(StandingOf(*pipeline, MediaType::kCollection, 100), Standing::kLive);
  const auto accepted = pipeline->PurgeExpired(true);
  EXPECT_EQ(accepted->records, 30);
  EXPECT_EQ(accepted->held, 0);
  EXPECT_EQ(StandingOf(*pipeline, MediaType::kCollection, 100), Standing::kUnknown);
  EXPECT_TRUE(pipeline->Close());
}

TEST_F(PipelineTest, KeepsWhatHasNotBeenAskedForSinceItFellDue) {
  const auto pipeline = Open(now_);
  AskInVain(*pipeline, {MediaType::kPerson, 3});
  const auto purged = pipeline->PurgeExpired(false);
  EXPECT_EQ(purged->records, 1);
  EXPECT_EQ(purged->held, 0);
  EXPECT_EQ(StandingOf(*pipeline, MediaType::kMovie, 1), Standing::kLive);
  EXPECT_EQ(StandingOf(*pipeline, MediaType::kPerson, 3), Standing::kUnknown);
  EXPECT_TRUE(pipeline->Close());
}

// A clock that is wrong by months must cost nothing.
TEST_F(PipelineTest, PurgesNothingByTheLocalClockAlone) {
  for (const std::optional<Time> date :
       {std::optional<Time>(), std::optional(now_ - days(60)), std::optional(now_ + days(60))}) {
    const auto pipeline = Open(date);
    EXPECT_EQ(pipeline->PurgeExpired(false)->records, 0);
    EXPECT_EQ(StandingOf(*pipeline, MediaType::kMovie, 1), Standing::kLive);
    EXPECT_TRUE(pipeline->Close());
  }
}

}  // namespace
}  // namespace tmdbc
