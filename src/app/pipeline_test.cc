// SPDX-License-Identifier: MIT
#include "app/pipeline.h"

#include <fmt/chrono.h>
#include <gtest/gtest.h>

#include "app/app_properties.h"
#include "app/program_world_test.h"
#include "base/compression.h"
#include "base/hash.h"
#include "harvester/upstream_time.h"

namespace tmdbc {
namespace {

using std::chrono::days;
using testing::Outcome;

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
    outcome.response->headers.emplace_back(
        "Date", fmt::format("{:%a, %d %b %Y %H:%M:%S} GMT", fmt::gmtime(std::time_t(seconds))));
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

  static std::string MetricsOf(Pipeline& pipeline) {
    MirrorMetrics metrics(pipeline.clock(), "https://api.themoviedb.org/3");
    EXPECT_TRUE(metrics.ReadQueue(pipeline.catalog(), pipeline.queue()));
    return metrics.Text();
  }

  const Time now_ = SystemClock().Now();
  const Settings settings_ = ResolveSettings({}).value();
};

TEST_F(PipelineTest, BeginsWhenAnotherProgramHasLetTheDatabaseGo) {
  auto held = Database::Open("data/catalog.db", Database::Mode::kReadWrite).value();
  ASSERT_TRUE(held.Execute("BEGIN IMMEDIATE"));
  int slept = 0;
  Surroundings surroundings;
  surroundings.sleep = [&](MonoTime) {
    if (++slept == 2) (void)held.Execute("ROLLBACK");
  };
  surroundings.make_transport = [](const Clock&) -> Result<std::unique_ptr<http::HttpTransport>> {
    return std::make_unique<OneAnswer>(std::nullopt);
  };
  ::testing::internal::CaptureStderr();
  const auto opened = Pipeline::Open(settings_, "run", std::move(surroundings));
  const std::string said = ::testing::internal::GetCapturedStderr();
  ASSERT_TRUE(opened) << opened.error().message;
  EXPECT_EQ(slept, 2);
  EXPECT_NE(said.find("another program holds the database: end it or wait for it, it then begins"), std::string::npos)
      << said;
}

TEST_F(PipelineTest, PurgesWhatIsUnconfirmedFor180DaysOfEveryTypeThatIsStored) {
  const auto pipeline = Open(now_);
  AskForAllInVain(*pipeline);
  const auto purged = pipeline->PurgeExpired(false);
  ASSERT_TRUE(purged);
  EXPECT_EQ(purged->purged, 2);
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
  EXPECT_EQ(accepted->purged, 30);
  EXPECT_EQ(accepted->held, 0);
  EXPECT_EQ(StandingOf(*pipeline, MediaType::kCollection, 100), Standing::kUnknown);
  EXPECT_TRUE(pipeline->Close());
}

TEST_F(PipelineTest, KeepsWhatHasNotBeenAskedForSinceItFellDue) {
  const auto pipeline = Open(now_);
  AskInVain(*pipeline, {MediaType::kPerson, 3});
  const auto purged = pipeline->PurgeExpired(false);
  EXPECT_EQ(purged->purged, 1);
  EXPECT_EQ(purged->held, 0);
  EXPECT_EQ(purged->unasked, 31);
  EXPECT_EQ(StandingOf(*pipeline, MediaType::kMovie, 1), Standing::kLive);
  EXPECT_EQ(StandingOf(*pipeline, MediaType::kPerson, 3), Standing::kUnknown);
  EXPECT_NE(MetricsOf(*pipeline).find("\ntmdbc_unasked_records 31\n"), std::string::npos) << MetricsOf(*pipeline);
  EXPECT_TRUE(pipeline->Close());
  const Outcome text = Run({"status"});
  EXPECT_NE(text.out.find("1 record purged; 31 records older than 180 days, kept until TMDB has been asked"),
            std::string::npos)
      << text.out;
  const Outcome json = Run({"status", "--json"});
  EXPECT_NE(json.out.find(R"("obstacle":null,"purged":1,"purged_files":0,"held":0,"unasked":31})"), std::string::npos)
      << json.out;
}

// A clock that is wrong by months must cost nothing.
TEST_F(PipelineTest, PurgesNothingByTheLocalClockAlone) {
  for (const std::optional<Time> date :
       {std::optional<Time>(), std::optional(now_ - days(60)), std::optional(now_ + days(60))}) {
    const auto pipeline = Open(date);
    EXPECT_EQ(pipeline->PurgeExpired(false)->purged, 0);
    EXPECT_EQ(StandingOf(*pipeline, MediaType::kMovie, 1), Standing::kLive);
    EXPECT_TRUE(pipeline->Close());
  }
}

TEST_F(PipelineTest, WithoutATimeOfTmdbNothingIsPurgedAndEverybodyIsTold) {
  struct Case {
    std::optional<Time> date;
    const char *name, *words;
  };
  for (const Case& one : {Case{{}, "no_date", "TMDB has not said in this run what day it is"},
                          Case{now_ + days(60), "clock_off", "this machine's clock is off"}}) {
    SCOPED_TRACE(one.name);
    const auto pipeline = Open(one.date);
    EXPECT_EQ(pipeline->PurgeExpired(true)->purged, 0);
    const std::string metrics = MetricsOf(*pipeline);
    EXPECT_NE(metrics.find(fmt::format("\ntmdbc_care_stopped{{obstacle=\"{}\"}} 1\n", one.name)), std::string::npos)
        << metrics;
    EXPECT_TRUE(pipeline->Close());
    const Outcome text = Run({"status"});
    EXPECT_NE(text.out.find(fmt::format("nothing is purged: {}", one.words)), std::string::npos) << text.out;
    const Outcome json = Run({"status", "--json"});
    EXPECT_NE(json.out.find(fmt::format(R"("obstacle":"{}")", one.name)), std::string::npos) << json.out;
  }
}

// Somebody whose first run reaches nobody has other worries than the age of what is not there.
TEST_F(PipelineTest, BeforeTheFirstRecordNobodyIsToldThatNothingIsPurged) {
  Settings settings = settings_;
  settings.data_dir = "empty";
  Surroundings surroundings;
  surroundings.make_transport = [](const Clock&) -> Result<std::unique_ptr<http::HttpTransport>> {
    return std::make_unique<OneAnswer>(std::nullopt);
  };
  const auto pipeline = Pipeline::Open(settings, "run", std::move(surroundings)).value();
  EXPECT_EQ(pipeline->PurgeExpired(false)->obstacle, CareObstacle::kNone);
  EXPECT_TRUE(pipeline->Close());
}

// A date that an earlier run has heard is not an answer of this one's.
TEST_F(PipelineTest, ADateOfAnEarlierRunIsNoDateOfThisOne) {
  {
    const auto pipeline = Open(now_);
    ASSERT_TRUE(CreateUpstreamTime(pipeline->catalog()));
    ASSERT_TRUE(PutUpstreamTime(pipeline->catalog(), pipeline->upstream_date()));
    EXPECT_TRUE(pipeline->Close());
  }
  const auto pipeline = Open({});
  EXPECT_EQ(pipeline->PurgeExpired(true)->obstacle, CareObstacle::kNoDate);
  EXPECT_TRUE(pipeline->Close());
}

TEST_F(PipelineTest, FilesThatWereKeptAsideGoAtTheSameAge) {
  const auto put = [](const char* name, Time fetched_at) {
    const std::string line = fmt::format(
        R"({{"type":"movie","id":9{},"version":1,"change":"insert","fetched_at":"{}","status":200,"etag":null,)"
        R"("sha256":"{}","data":{{"id":9}}}})"
        "\n",
        std::string_view(name).size(), FormatTime(fetched_at), Sha256Hex(R"({"id":9})"));
    ASSERT_TRUE(WriteWhole(*std::make_unique<PosixFileSystem>("data"), name, ZstdFrame(line)));
  };
  constexpr const char* kOld = "records/movie/000/000/001.jsonl.zst.open.aside-60";
  constexpr const char* kYoung = "records/movie/000/000/001.jsonl.zst.open.aside-600";
  put(kOld, now_ - days(181));
  put(kYoung, now_ - days(100));
  const auto pipeline = Open(now_);
  EXPECT_EQ(pipeline->PurgeExpired(false)->files, 1);
  EXPECT_FALSE(std::filesystem::exists(std::string("data/") + kOld));
  EXPECT_TRUE(std::filesystem::exists(std::string("data/") + kYoung));
  EXPECT_TRUE(pipeline->Close());
  EXPECT_NE(Run({"status"}).out.find("1 file kept aside purged"), std::string::npos);
}

// What TMDB has shown of names within a season is not asked again by every process.
TEST_F(PipelineTest, RemembersForAMonthThatTmdbTakesNoNamesWithinASeason) {
  const auto ask = [&](Duration ago) {
    {
      const auto pipeline = Open(now_);
      EXPECT_TRUE(PutProperty(pipeline->catalog(), "no_nested_season_names_since", FormatTime(now_ - ago)));
      EXPECT_TRUE(pipeline->Close());
    }
    const auto pipeline = Open(now_);
    EXPECT_TRUE(pipeline->Close());
    return pipeline->asks_for_nested_names();
  };
  EXPECT_FALSE(ask(days(29)));
  EXPECT_TRUE(ask(days(31)));
}

}  // namespace
}  // namespace tmdbc
