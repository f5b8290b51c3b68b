// SPDX-License-Identifier: MIT
#include "http/paced_requester.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "testing/fake_clock.h"

namespace tmdbc::http {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

// A transport that keeps what was started until a test says what came of it.
class HandTransport final : public HttpTransport {
 public:
  explicit HandTransport(testing::FakeClock& clock) : clock_(clock) {}

  RequestId Start(Request request, std::function<void()> on_send) override {
    started.push_back(std::move(request));
    if (connects) on_send();
    return ++last_id;
  }
  std::vector<Outcome> Wait(MonoTime deadline) override {
    if (outcomes.empty()) clock_.AdvanceTo(deadline);
    return std::exchange(outcomes, {});
  }
  int Room() const override { return room; }
  int InFlight() const override { return 0; }
  void Cancel(RequestId id) override { Fails(id, TransportFailure::kAborted); }

  void Answers(RequestId id, int status, std::vector<Header> headers = {}) {
    Outcome outcome;
    outcome.id = id;
    outcome.response = Response{.status = status, .headers = std::move(headers), .body = {}};
    outcomes.push_back(std::move(outcome));
  }
  void Fails(RequestId id, TransportFailure failure, bool stale = false) {
    Outcome outcome;
    outcome.id = id;
    outcome.failure = failure;
    outcome.stale_connection = stale;
    outcomes.push_back(std::move(outcome));
  }

  int room = 20;
  bool connects = true;
  RequestId last_id = 0;
  std::vector<Request> started;
  std::vector<Outcome> outcomes;

 private:
  testing::FakeClock& clock_;
};

struct PacedRequesterTest : ::testing::Test {
  static Request Get(std::string url) {
    Request request;
    request.url = std::move(url);
    return request;
  }
  RequestId StartWhenAllowed(std::string url) {
    clock.AdvanceTo(std::max(clock.Mono(), requester.NextSlot()));
    return requester.Start(Get(std::move(url)));
  }

  testing::FakeClock clock;
  HandTransport transport{clock};
  RateLimiter limiter{10, clock};
  std::mt19937_64 random{1};
  PacedRequester requester{clock, transport, limiter, random};
};

TEST_F(PacedRequesterTest, KeepsToTheRateAndToTheRoom) {
  const MonoTime begin = clock.Mono();
  for (int i = 0; i < 30; ++i) transport.Answers(StartWhenAllowed("http://x/"), 200);
  EXPECT_GE(clock.Mono() - begin, seconds(2));
  EXPECT_EQ(requester.sent(), 30);
  EXPECT_EQ(requester.InFlight(), 30);
  EXPECT_EQ(requester.Wait(clock.Mono()).size(), 30u);
  EXPECT_EQ(requester.InFlight(), 0);
  transport.room = 0;
  EXPECT_EQ(requester.NextSlot(), MonoTime::max());
}

TEST_F(PacedRequesterTest, GivesBackTheSlotOfWhatWasNeverSent) {
  transport.connects = false;
  for (int i = 0; i < 30; ++i) {
    transport.Fails(StartWhenAllowed("http://x/"), TransportFailure::kConnect);
    EXPECT_EQ(requester.Wait(clock.Mono()).size(), 1u);
  }
  EXPECT_EQ(requester.sent(), 0);
  EXPECT_LE(requester.NextSlot(), clock.Mono() + milliseconds(150)) << "nothing counts in the window";
}

TEST_F(PacedRequesterTest, AsksAgainOnAFreshConnectionWhatMetOneThatWasClosedWhileIdle) {
  const RequestId id = StartWhenAllowed("http://x/movie/550");
  transport.Fails(id, TransportFailure::kReset, true);
  EXPECT_TRUE(requester.Wait(clock.Mono() + milliseconds(10)).empty()) << "nobody hears of it";
  EXPECT_EQ(requester.InFlight(), 1);
  EXPECT_EQ(requester.NextSlot(), MonoTime::max()) << "it goes before anything new";
  const MonoTime slot = limiter.NextSlot();
  EXPECT_TRUE(requester.Wait(clock.Mono() + seconds(1)).empty());
  EXPECT_EQ(clock.Mono(), slot) << "at once, but within the rate";
  ASSERT_EQ(transport.started.size(), 2u);
  EXPECT_EQ(transport.started[1].url, "http://x/movie/550");
  EXPECT_FALSE(transport.started[0].fresh_connection);
  EXPECT_TRUE(transport.started[1].fresh_connection);
  EXPECT_EQ(requester.sent(), 2) << "the server may have counted the first";
  transport.Answers(transport.last_id, 200);
  const auto outcomes = requester.Wait(clock.Mono());
  ASSERT_EQ(outcomes.size(), 1u);
  EXPECT_EQ(outcomes[0].id, id);
  EXPECT_EQ(outcomes[0].response->status, 200);
}

TEST_F(PacedRequesterTest, TellsOfAResetOfAFreshConnection) {
  const RequestId id = StartWhenAllowed("http://x/");
  transport.Fails(id, TransportFailure::kReset);
  EXPECT_EQ(requester.Wait(clock.Mono()).at(0).failure, TransportFailure::kReset);
  transport.Fails(StartWhenAllowed("http://x/"), TransportFailure::kReset, true);
  EXPECT_TRUE(requester.Wait(clock.Mono()).empty());
  EXPECT_TRUE(requester.Wait(clock.Mono() + seconds(1)).empty());
  transport.Fails(transport.last_id, TransportFailure::kReset, true);
  EXPECT_EQ(requester.Wait(clock.Mono()).at(0).failure, TransportFailure::kReset) << "once is enough";
}

TEST_F(PacedRequesterTest, PausesForA429AsLongAsItAsksFor) {
  transport.Answers(StartWhenAllowed("http://x/"), 429, {{"Retry-After", "7"}});
  const auto outcome = requester.Wait(clock.Mono());
  const auto pause = requester.Throttled(*outcome.at(0).response);
  ASSERT_TRUE(pause);
  EXPECT_GE(*pause, seconds(7));
  EXPECT_LE(*pause, milliseconds(7'500));
  EXPECT_GE(requester.NextSlot() - clock.Mono(), seconds(7));
  EXPECT_EQ(requester.throttled(), 1);
  // The others that were in flight are of the same storm.
  EXPECT_FALSE(requester.Throttled(*outcome.at(0).response));
  EXPECT_GE(requester.paused_until(), clock.Mono() + seconds(7));
}

TEST_F(PacedRequesterTest, PausesNeitherForNothingNorForEver) {
  const auto pause_of = [&](std::string_view after) {
    clock.AdvanceTo(std::max(clock.Mono(), requester.paused_until()));
    requester.Useful();
    return *requester.Throttled(
        Response{.status = 429, .headers = {{"retry-after", std::string(after)}}, .body = {}});
  };
  EXPECT_GE(pause_of("0"), PacedRequester::kShortestPause);
  EXPECT_LE(pause_of("0"), seconds(1));
  EXPECT_GE(pause_of("soon"), PacedRequester::kShortestPause);
  EXPECT_LE(pause_of("3600"), PacedRequester::kLongestPause + PacedRequester::kShortestPause);
}

TEST_F(PacedRequesterTest, PausesLongerFromStormToStormUntilSomethingUsefulComes) {
  Duration longest{};
  const Response plain{.status = 429, .headers = {}, .body = {}};
  for (int i = 0; i < 12; ++i) {
    longest = std::max(longest, *requester.Throttled(plain));
    clock.AdvanceTo(requester.paused_until());
  }
  EXPECT_GT(longest, seconds(4));
  requester.Useful();
  EXPECT_LE(*requester.Throttled(plain), seconds(1));
}

TEST_F(PacedRequesterTest, CancelsWhatIsUnderWayAndWhatWaitsToBeAskedAgain) {
  const RequestId first = StartWhenAllowed("http://x/1");
  const RequestId second = StartWhenAllowed("http://x/2");
  transport.Fails(second, TransportFailure::kReset, true);
  EXPECT_TRUE(requester.Wait(clock.Mono()).empty());
  requester.Cancel(second);
  requester.Cancel(first);
  const auto outcomes = requester.Wait(clock.Mono());
  ASSERT_EQ(outcomes.size(), 2u);
  for (const Outcome& outcome : outcomes) EXPECT_EQ(outcome.failure, TransportFailure::kAborted);
  EXPECT_EQ(requester.InFlight(), 0);

  StartWhenAllowed("http://x/3");
  requester.CancelAll();
  EXPECT_EQ(requester.InFlight(), 0);
  EXPECT_TRUE(requester.Wait(clock.Mono()).empty());
}

}  // namespace
}  // namespace tmdbc::http
