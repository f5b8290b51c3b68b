// SPDX-License-Identifier: MIT
// The daemon itself, as `run` makes it from a tmdb-collector.toml, in this process: on a fake clock and the simulated
// TMDB, so that hours and months of waiting take no time.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "app/care_status.h"
#include "app/command.h"
#include "app/daemon.h"
#include "app/pipeline.h"
#include "program.h"
#include "settings/settings.h"
#include "sim_transport.h"
#include "storage/change_feed.h"
#include "synthetic_world.h"
#include "testing/fake_clock.h"
#include "tmdb/document.h"

namespace tmdbc {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::minutes;
using testing::FakeClock;
using testing::SimTransport;

constexpr std::chrono::sys_days kDay = std::chrono::year(2026) / 11 / 22;

// A transport over that of the world, which outlives the process; `silent_of_date`: TMDB's answers have no Date header.
class Borrowed final : public http::HttpTransport {
 public:
  Borrowed(http::HttpTransport& inner, bool silent_of_date) : inner_(inner), silent_of_date_(silent_of_date) {}
  http::RequestId Start(http::Request request, std::function<void()> on_send) override {
    return inner_.Start(std::move(request), std::move(on_send));
  }
  std::vector<http::Outcome> Wait(MonoTime deadline) override {
    auto outcomes = inner_.Wait(deadline);
    if (!silent_of_date_) return outcomes;
    for (http::Outcome& outcome : outcomes) {
      if (outcome.response) std::erase_if(outcome.response->headers, [](const auto& h) { return h.first == "Date"; });
    }
    return outcomes;
  }
  int Room() const override { return inner_.Room(); }
  int InFlight() const override { return inner_.InFlight(); }
  void Cancel(http::RequestId id) override { inner_.Cancel(id); }

 private:
  http::HttpTransport& inner_;
  const bool silent_of_date_;
};

class DaemonOnAFakeClock : public ::testing::Test {
 protected:
  static sim::SyntheticOptions Catalogue(std::int64_t movies) {
    sim::SyntheticOptions options;
    options.counts = {movies, 0, 0, 0, 0, 0, 0};
    options.gone_share = 0;
    return options;
  }

  // One process with this tmdb-collector.toml, stopped after that time; `look` is called whenever it sleeps.
  struct Ran {
    int code = -1;
    std::string said;  // stdout and stderr
  };
  Ran Run(const std::string& toml, Duration life, const std::function<void(Pipeline&)>& look = {}) {
    const std::string path = folder_.path() / "tmdb-collector.toml";
    std::ofstream(path) << toml << "[tmdb]\ntmdb_api_base_url = \"" << SimTransport::kHost
                        << "/3\"\ntmdb_export_base_url = \"" << SimTransport::kHost << "/p/exports\"\n";
    auto settings = LoadSettings({.config_path = path,
                                  .env_path = folder_.path() / "none.env",
                                  .environment = [](const char*) -> const char* { return nullptr; },
                                  .flags = {{"TMDB_API_KEY", "0123456789abcdef0123456789abcdef", "the test"},
                                            {"DATA_DIR", data_dir(), "the test"},
                                            {"MEDIA_TYPES", "movie", "the test"}}});
    if (!settings) return {-1, settings.error().message};
    Ran ran;
    ::testing::internal::CaptureStdout();
    ::testing::internal::CaptureStderr();
    {
      const Time end = clock_.Now() + life;
      Pipeline* pipeline = nullptr;
      Surroundings surroundings;
      surroundings.clock = &clock_;
      surroundings.make_transport = [&](const Clock&) -> Result<std::unique_ptr<http::HttpTransport>> {
        return std::make_unique<Borrowed>(transport_, silent_of_date_);
      };
      surroundings.seed = 7;
      surroundings.sleep = [&](MonoTime until) {
        clock_.AdvanceTo(std::max(until, clock_.Mono() + minutes(1)));
        if (look) look(*pipeline);
        if (clock_.Now() >= end) ::raise(SIGTERM);
      };
      auto opened = Pipeline::Open(*settings, "run", std::move(surroundings));
      EXPECT_TRUE(opened) << opened.error().message;
      if (opened) {
        pipeline = opened->get();
        Arguments arguments;
        arguments.Set("--json", "");
        ran.code = Daemon(*settings, arguments, *pipeline).Run().value_or(-1);
        EXPECT_TRUE(pipeline->Close());
      }
    }
    ran.said = ::testing::internal::GetCapturedStdout() + ::testing::internal::GetCapturedStderr();
    return ran;
  }
  std::string data_dir() const { return folder_.path() / "data"; }

  const testing::TempDir folder_;
  FakeClock clock_{Time(kDay) + hours(9)};
  sim::SyntheticWorld world_{Catalogue(400)};
  sim::Simulator simulator_{world_, {}, clock_};
  SimTransport transport_{clock_, simulator_, 7};
  bool silent_of_date_ = false;
};

// The numbers behind each `"name":` of a text.
std::vector<std::int64_t> NumbersOf(const std::string& text, std::string_view name) {
  std::vector<std::int64_t> numbers;
  const std::string key = fmt::format("\"{}\":", name);
  for (auto at = text.find(key); at != std::string::npos; at = text.find(key, at + 1))
    numbers.push_back(std::atoll(text.c_str() + at + key.size()));
  return numbers;
}

constexpr const char* kNever = "[[schedule]]\nname = \"never\"\nexpression = \"at(2040-01-01T00:00:00)\"\n";

// Records that were committed and not sealed (the seal at the end of a drain had no room, say) do not wait for the next
// schedule: followers have them an hour later.
TEST_F(DaemonOnAFakeClock, SealsByAgeWhileItIsIdle) {
  std::optional<Time> put_at, sealed_at;
  const Ran ran = Run(kNever, hours(3), [&](Pipeline& pipeline) {
    if (!put_at) {  // by now it has looked for something to compact, which would seal it, too
      Document document;
      document.id = {MediaType::kMovie, 550};
      document.fetched_at = clock_.Now();
      document.data = R"({"id":550})";
      document.hash = HashContent(document.data).value();
      ASSERT_TRUE(pipeline.store().writer->Put(std::move(document)));
      ASSERT_TRUE(pipeline.store().writer->Commit({}));
      put_at = clock_.Now();
    }
    ChangeFeed feed(pipeline.files(), pipeline.catalog());
    if (!sealed_at && feed.NewestSequence(MediaType::kMovie).value() > 0) sealed_at = clock_.Now();
  });
  EXPECT_EQ(ran.code, 0) << ran.said;
  ASSERT_TRUE(sealed_at) << ran.said;
  EXPECT_GE(*sealed_at - *put_at, minutes(55));
  EXPECT_LE(*sealed_at - *put_at, minutes(65));
}

// Two schedules share the requests of a day: what one of them queues for a refresh fits into the time until the other.
TEST_F(DaemonOnAFakeClock, SchedulesShareTheRequestsOfADay) {
  ASSERT_EQ(Run("", hours(2)).code, 0);
  clock_.Advance(days(50));  // all 400 are due
  clock_.JumpWall(Time(std::chrono::floor<days>(clock_.Now())) + hours(35) - clock_.Now());
  // Never run before, both are due at once, at eleven; then at noon and at half past.
  const Ran ran = Run(
      "[collector]\nrate_limit_requests = 0.1\n"
      "[[schedule]]\nname = \"first\"\nexpression = \"cron(0 12 * * ? *)\"\nmode = \"export\"\n"
      "[[schedule]]\nname = \"second\"\nexpression = \"cron(30 12 * * ? *)\"\nmode = \"export\"\n",
      minutes(100));
  const auto refreshed = NumbersOf(ran.said, "refreshed");
  ASSERT_GE(refreshed.size(), 1u) << ran.said;
  std::int64_t before_noon = 0;
  for (std::size_t i = 0; i < std::min<std::size_t>(refreshed.size(), 2); ++i) before_noon += refreshed[i];
  EXPECT_GT(before_noon, 0) << ran.said;
  EXPECT_LE(before_noon, 325) << "an hour at 0.1 a second; alone each would have a day, and take all 400\n" << ran.said;
}

// A proxy that takes the Date header away: the mirror goes on, nothing is purged, and everybody is told.
TEST_F(DaemonOnAFakeClock, WithoutADateItPurgesNothingAndSaysSo) {
  silent_of_date_ = true;
  std::optional<CareStatus> care;
  const Ran ran = Run("", hours(2), [&](Pipeline& pipeline) {
    care = ReadCareStatus(pipeline.catalog()).value();
  });
  EXPECT_EQ(ran.code, 0) << ran.said;
  ASSERT_TRUE(care);
  EXPECT_EQ(care->obstacle, CareObstacle::kNoDate);
  EXPECT_NE(ran.said.find("nothing is purged: TMDB has not said in this run what day it is"), std::string::npos)
      << ran.said;
  silent_of_date_ = false;
  ASSERT_EQ(Run("", days(2), [&](Pipeline& pipeline) {
              care = ReadCareStatus(pipeline.catalog()).value();
            }).code,
            0);
  EXPECT_EQ(care->obstacle, CareObstacle::kNone);
}

}  // namespace
}  // namespace tmdbc
