// SPDX-License-Identifier: MIT
#include "collector/collector.h"
#include "collector/retry_budget.h"

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/sqlite.h"
#include "queue/memory_queue.h"
#include "storage/store_intake.h"
#include "storage/store_pieces_test.h"
#include "testing/fake_clock.h"
#include "testing/fake_tmdb.h"
#include "testing/fault_file_system.h"

namespace tmdbc {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::FakeTmdb;

MediaId Movie(std::int64_t id) {
  return {MediaType::kMovie, id};
}

class CollectorTest : public ::testing::Test {
 protected:
  CollectorTest()
      : log_file_(std::fopen("/dev/null", "w")),
        log_(log_file_, LogLevel::kError, LogFormat::kText, clock_) {}
  ~CollectorTest() override { std::fclose(log_file_); }

  // Before the first Make(): what TMDB is like.
  FakeTmdb::Options network{.seed = 1, .connect_most = milliseconds(100)};

  FakeTmdb& Tmdb() {
    if (!tmdb_) tmdb_.emplace(clock_, network);
    return *tmdb_;
  }

  void AddMovies(int count) {
    std::vector<QueueItem> items;
    for (int i = 1; i <= count; ++i) {
      Tmdb().Add(Movie(i));
      items.push_back({Movie(i), 0});
    }
    ASSERT_TRUE(queue_.Send(items));
  }

  void Make(const CollectorOptions& options = {}, bool accept_deletions = false) {
    MakeOver(Tmdb(), options, accept_deletions);
  }
  void MakeOver(http::HttpTransport& transport, const CollectorOptions& options = {},
                bool accept_deletions = false) {
    collector_.reset();
    intake_.reset();
    store_.reset();
    limiter_.emplace(network.rate, clock_);
    requester_.emplace(clock_, transport, *limiter_, random_);
    store_ = *testing::StorePieces::Open(files_, catalog_, clock_, {});
    intake_.emplace(clock_, *store_->writer, store_->ledger,
                    StoreIntakeOptions{.accept_deletions = accept_deletions});
    collector_.emplace(clock_, *requester_, queue_, *intake_, log_, random_,
                       ApiAccess{.base_url = std::string(FakeTmdb::kBaseUrl),
                                 .secret_query = {},
                                 .bearer = {},
                                 .user_agent = "test"},
                       DefaultNamespaces(), options);
  }

  DrainEnd Drain() {
    result_ = collector_->Drain(stop_);
    return result_.end;
  }

  QueueCounts Counts(MediaType type = MediaType::kMovie) { return (*queue_.Counts())[type]; }

  testing::FakeClock clock_;
  std::FILE* log_file_;
  Log log_;
  std::mt19937_64 random_{5};
  MemoryIdQueue queue_{clock_};
  testing::FaultFileSystem files_;
  Database catalog_ = *Database::Open(":memory:", Database::Mode::kReadWrite);
  StopFlag stop_;
  std::optional<FakeTmdb> tmdb_;
  std::optional<RateLimiter> limiter_;
  std::optional<http::PacedRequester> requester_;
  std::unique_ptr<testing::StorePieces> store_;
  std::optional<StoreIntake> intake_;
  std::optional<Collector> collector_;
  DrainResult result_;
};

TEST_F(CollectorTest, StoresWhatTheQueueHoldsAndNotesWhatIsGone) {
  AddMovies(10);
  Tmdb().Remove(Movie(4));
  ASSERT_TRUE(queue_.Send(std::vector<QueueItem>{{{MediaType::kTv, 7}, 9}}));
  Tmdb().Add({MediaType::kTv, 7}, {0, 1, 2, 9});
  Make();
  EXPECT_EQ(Drain(), DrainEnd::kDrained);
  const CollectorStats& stats = collector_->stats();
  EXPECT_EQ(stats.settled, 11);
  EXPECT_EQ(stats.gone, 1);
  EXPECT_EQ(stats.requests, 12) << "the show's ninth season takes a second one";
  EXPECT_EQ(stats.records.at(MediaType::kMovie), 9);
  EXPECT_EQ(stats.records.at(MediaType::kSeason), 4);
  EXPECT_EQ(store_->reader.Find(Movie(3))->data,
            Tmdb().Body(Movie(3), DefaultNamespaces().at(MediaType::kMovie)));
  EXPECT_EQ(store_->reader.FindSeason(7, 9)->data, Tmdb().SeasonBody(7, 9));
  EXPECT_FALSE(store_->reader.Find(Movie(4)));
  EXPECT_EQ(Counts(), QueueCounts{});
}

TEST_F(CollectorTest, UsesTheRateToTheLastPercent) {
  network.stall = 0.05;
  AddMovies(4000);
  Make({.concurrency = 20});
  const MonoTime begin = clock_.Mono();
  EXPECT_EQ(Drain(), DrainEnd::kDrained);
  EXPECT_LT(std::chrono::duration<double>(clock_.Mono() - begin).count(), 4000 / (40 * 0.97));
  EXPECT_EQ(Tmdb().counters().throttled, 0);
  EXPECT_LE(Tmdb().counters().most_connections, 20);
}

TEST_F(CollectorTest, WhatWasAnsweredIsDurableASecondLater) {
  for (const double rate : {4.0, 40.0}) {
    SCOPED_TRACE(rate);
    tmdb_.reset();
    network.rate = rate;
    AddMovies(300);
    Make({.concurrency = 20});
    std::vector<std::pair<MonoTime, std::int64_t>> answered;  // as time went on
    std::int64_t durable = 0;
    collector_->on_progress = [&](const CollectorStats&) {
      answered.emplace_back(clock_.Mono(), Tmdb().counters().answered_200);
    };
    collector_->on_commit = [&](const CollectorStats& stats) -> Result<void> {
      const MonoTime due = clock_.Mono() - seconds(1) - network.latency_most - milliseconds(50);
      for (const auto& [at, count] : answered) {
        if (at > due) break;
        EXPECT_GE(durable, count) << (clock_.Mono() - at) / milliseconds(1) << " ms ago";
      }
      durable = stats.settled;
      return {};
    };
    EXPECT_EQ(Drain(), DrainEnd::kDrained);
    EXPECT_EQ(durable, 300);
  }
}

TEST_F(CollectorTest, CommitsInGroupsWithTheCountersAsTheyWillBe) {
  AddMovies(200);
  Make({.concurrency = 20});
  int commits = 0;
  std::int64_t settled = 0;
  collector_->on_commit = [&](const CollectorStats& stats) -> Result<void> {
    ++commits;
    settled = stats.settled;
    return {};
  };
  EXPECT_EQ(Drain(), DrainEnd::kDrained);
  EXPECT_EQ(settled, 200);
  EXPECT_LE(commits, 8) << "five seconds";
}

TEST_F(CollectorTest, GivesUpAtOnceWhenTheKeyIsRefused) {
  AddMovies(100);
  Tmdb().Outage(MonoTime::min(), MonoTime::max(), FakeTmdb::Fault::kDeniedKey);
  Make();
  const MonoTime begin = clock_.Mono();
  EXPECT_EQ(Drain(), DrainEnd::kDenied);
  EXPECT_EQ(result_.hint, Hint::kCheckKey) << result_.reason;
  EXPECT_LE(clock_.Mono() - begin, seconds(1));
  EXPECT_LE(Tmdb().counters().arrived, 20);
  clock_.Advance(milliseconds(1));
  EXPECT_EQ(Counts().waiting, 100) << "nothing was lost by it";
  EXPECT_EQ((*queue_.Receive(1, seconds(60)))[0].receive_count, 1) << "nor counted";
}

TEST_F(CollectorTest, GivesUpWithinSecondsOnAServerThatNeverAnswered) {
  for (const auto fault : {FakeTmdb::Fault::kConnect, FakeTmdb::Fault::kTimeout}) {
    tmdb_.reset();
    AddMovies(100);
    Tmdb().Outage(MonoTime::min(), MonoTime::max(), fault);
    Make();
    const MonoTime begin = clock_.Mono();
    EXPECT_EQ(Drain(), DrainEnd::kUnreachable);
    EXPECT_LE(clock_.Mono() - begin, seconds(13));
    clock_.Advance(milliseconds(1));
    EXPECT_EQ(Counts().waiting, 100);
  }
}

TEST_F(CollectorTest, AsksASecondTimeBeforeItGivesUpOnAServerThatNeverAnswered) {
  // One at a time, and the first request hangs: that alone is not the server's silence.
  AddMovies(20);
  Make({.concurrency = 1});
  Tmdb().Outage(MonoTime::min(), clock_.Mono() + seconds(3), FakeTmdb::Fault::kTimeout);
  EXPECT_EQ(Drain(), DrainEnd::kDrained) << result_.reason;
  EXPECT_EQ(collector_->stats().settled, 20);
  EXPECT_LE(Tmdb().counters().most_under_way, 1);
}

TEST_F(CollectorTest, NamesTheAddressWhenWhatAnswersIsNotTmdb) {
  for (const auto fault : {FakeTmdb::Fault::kHtml, FakeTmdb::Fault::kBare404, FakeTmdb::Fault::kBare403,
                           FakeTmdb::Fault::kRedirect}) {
    tmdb_.reset();
    AddMovies(100);
    Tmdb().Outage(MonoTime::min(), MonoTime::max(), fault);
    Make();
    const MonoTime begin = clock_.Mono();
    EXPECT_EQ(Drain(), DrainEnd::kUnreachable);
    EXPECT_LE(clock_.Mono() - begin, seconds(14));
    EXPECT_EQ(result_.hint, Hint::kCheckApiUrl) << result_.reason;
    EXPECT_NE(result_.reason.find(FakeTmdb::kBaseUrl), std::string::npos) << result_.reason;
    clock_.Advance(milliseconds(1));
    EXPECT_EQ(Counts().waiting, 100);
  }
}

TEST_F(CollectorTest, WaitsForAnOutageThatItIsStartedInto) {
  AddMovies(100);
  Make();
  Tmdb().Outage(MonoTime::min(), clock_.Mono() + minutes(4), FakeTmdb::Fault::kServerError);
  EXPECT_EQ(Drain(), DrainEnd::kDrained) << result_.reason;
  EXPECT_EQ(collector_->stats().settled, 100);
  EXPECT_EQ(Counts().dead, 0);
}

TEST_F(CollectorTest, GoesThroughAnOutageWithFewProbesAndWithoutDeadLetters) {
  for (const auto fault :
       {FakeTmdb::Fault::kConnect, FakeTmdb::Fault::kServerError, FakeTmdb::Fault::kHtml,
        FakeTmdb::Fault::kBare401, FakeTmdb::Fault::kBadRequest, FakeTmdb::Fault::kTruncated}) {
    tmdb_.reset();
    AddMovies(200);
    Make({.concurrency = 10});
    Tmdb().Outage(clock_.Mono() + seconds(1), clock_.Mono() + minutes(5), fault);
    EXPECT_EQ(Drain(), DrainEnd::kDrained);
    EXPECT_EQ(Counts().dead, 0);
    EXPECT_EQ(collector_->stats().settled, 200);
    EXPECT_LE(Tmdb().counters().arrived, 200 + 10 + 10 + 20) << "in flight, until it was known, probes";
  }
}

TEST_F(CollectorTest, GoesThroughAnOutageThatMeetsTheLastFewIds) {
  for (const auto fault :
       {FakeTmdb::Fault::kServerError, FakeTmdb::Fault::kHtml, FakeTmdb::Fault::kBadRequest,
        FakeTmdb::Fault::kMaintenance, FakeTmdb::Fault::kTruncated}) {
    tmdb_.reset();
    AddMovies(49);
    Make({.concurrency = 10});
    Tmdb().Outage(clock_.Mono() + seconds(1), clock_.Mono() + minutes(5), fault);
    EXPECT_EQ(Drain(), DrainEnd::kDrained);
    EXPECT_EQ(Counts().dead, 0) << static_cast<int>(fault);
    EXPECT_EQ(collector_->stats().settled, 49);
    EXPECT_LE(Tmdb().counters().arrived, 49 + 10 + 60);
  }
}

TEST_F(CollectorTest, GivesUpOnAnOutageThatDoesNotEnd) {
  AddMovies(200);
  Make();
  Tmdb().Outage(clock_.Mono() + seconds(1), MonoTime::max(), FakeTmdb::Fault::kServerError);
  const MonoTime begin = clock_.Mono();
  EXPECT_EQ(Drain(), DrainEnd::kUnreachable);
  EXPECT_LE(clock_.Mono() - begin, minutes(11));
  EXPECT_NE(result_.reason.find("10 minutes, the last was: HTTP 50"), std::string::npos) << result_.reason;
}

TEST_F(CollectorTest, BuriesWhatFailsAloneAfterFiveTries) {
  AddMovies(60);
  for (int i = 1; i <= 15; ++i) Tmdb().Break(Movie(i * 4), FakeTmdb::Fault::kBare404);
  Make();
  EXPECT_EQ(Drain(), DrainEnd::kDrained) << "fifteen bad ids are no outage";
  EXPECT_EQ(Counts().dead, 15);
  EXPECT_EQ(collector_->stats().dead, 15);
  const auto letters = *queue_.DeadLetters({}, 100);
  const std::string& first = letters.back().reason;
  EXPECT_TRUE(first.starts_with("get movie:") && first.ends_with(" after 5 tries")) << first;
}

TEST_F(CollectorTest, BuriesALoneBadIdInTheEnd) {
  AddMovies(1);
  Tmdb().Break(Movie(1), FakeTmdb::Fault::kServerError);
  Make();
  const MonoTime begin = clock_.Mono();
  EXPECT_EQ(Drain(), DrainEnd::kDrained);
  EXPECT_LE(clock_.Mono() - begin, minutes(3));
  EXPECT_EQ(Counts().dead, 1);
}

TEST_F(CollectorTest, BuriesEvenAFewDozenBadIdsAloneInTheEnd) {
  // As after a redrive: no good id is there to tell them from an outage.
  for (const auto fault :
       {FakeTmdb::Fault::kServerError, FakeTmdb::Fault::kBadRequest, FakeTmdb::Fault::kMaintenance}) {
    SCOPED_TRACE(static_cast<int>(fault));
    tmdb_.reset();
    AddMovies(12);
    for (int i = 1; i <= 12; ++i) Tmdb().Break(Movie(i), fault);
    Make();
    const MonoTime begin = clock_.Mono();
    EXPECT_EQ(Drain(), DrainEnd::kDrained) << result_.reason;
    EXPECT_LE(clock_.Mono() - begin, minutes(3));
    EXPECT_EQ(Counts().dead, 12);
    ASSERT_TRUE(queue_.Purge({}, true));
  }
}

TEST_F(CollectorTest, BuriesAnIdForWhichTmdbIsAlwaysOfflineWhenItIsNotForOthers) {
  AddMovies(60);
  Tmdb().Break(Movie(30), FakeTmdb::Fault::kMaintenance);
  Make();
  const MonoTime begin = clock_.Mono();
  EXPECT_EQ(Drain(), DrainEnd::kDrained) << result_.reason;
  EXPECT_LE(clock_.Mono() - begin, minutes(1));
  EXPECT_EQ(collector_->stats().settled, 59);
  EXPECT_EQ((*queue_.DeadLetters({}, 9)).at(0).reason, "get movie:30: HTTP 503 code 46 after 5 tries");
}

TEST_F(CollectorTest, BuriesAnIdThatIsAlways429WithoutHoldingUpTheOthers) {
  AddMovies(2000);
  Tmdb().Break(Movie(1), FakeTmdb::Fault::kThrottled);
  Make({.concurrency = 20});
  std::optional<MonoTime> others_done;
  collector_->on_progress = [&](const CollectorStats& stats) {
    if (stats.settled == 1999 && !others_done) others_done = clock_.Mono();
  };
  const MonoTime begin = clock_.Mono();
  EXPECT_EQ(Drain(), DrainEnd::kDrained) << result_.reason;
  ASSERT_TRUE(others_done);
  EXPECT_LE(*others_done - begin, seconds(2 * 2000 / 40)) << "50 s without it";
  EXPECT_LE(clock_.Mono() - begin, minutes(4));
  EXPECT_EQ(Counts().dead, 1);
  EXPECT_TRUE((*queue_.DeadLetters({}, 9)).at(0).reason.starts_with("get movie:1: HTTP 429 code 25 after "));
}

TEST_F(CollectorTest, BuriesALoneIdThatIsAlways429) {
  AddMovies(1);
  Tmdb().Break(Movie(1), FakeTmdb::Fault::kThrottled);
  Make();
  const MonoTime begin = clock_.Mono();
  EXPECT_EQ(Drain(), DrainEnd::kDrained) << result_.reason;
  EXPECT_LE(clock_.Mono() - begin, minutes(5));
  EXPECT_EQ(Counts().dead, 1);
}

TEST_F(CollectorTest, AnswersAStormOf429sWithSilence) {
  AddMovies(400);
  Make({.concurrency = 20});
  Tmdb().Outage(clock_.Mono() + seconds(2), clock_.Mono() + seconds(40), FakeTmdb::Fault::kThrottled);
  EXPECT_EQ(Drain(), DrainEnd::kDrained);
  EXPECT_EQ(collector_->stats().settled, 400) << "429s are no tries";
  EXPECT_LE(collector_->stats().throttled, 20 + 40) << "those in flight, then one after each pause";
}

TEST_F(CollectorTest, GivesUpOn429sThatDoNotEnd) {
  AddMovies(100);
  Make();
  Tmdb().Outage(clock_.Mono() + seconds(1), MonoTime::max(), FakeTmdb::Fault::kThrottled);
  EXPECT_EQ(Drain(), DrainEnd::kUnreachable);
  EXPECT_EQ(Counts().dead, 0);
}

TEST_F(CollectorTest, WaitsForRoomOnTheDisk) {
  AddMovies(100);
  Make();
  files_.SetCapacity(files_.bytes_used() + 500);
  std::int64_t settled_while_full = 0, requests_while_full = 0;
  collector_->on_progress = [&, seen = 0](const CollectorStats& stats) mutable {
    // Long enough that the messages in hand would come back to the queue without a heartbeat.
    if (++seen == 2400) {
      settled_while_full = stats.settled;
      requests_while_full = stats.requests;
      files_.SetCapacity({});
    }
  };
  EXPECT_EQ(Drain(), DrainEnd::kDrained);
  EXPECT_EQ(settled_while_full, 0);
  EXPECT_LE(requests_while_full, 60) << "it stops asking";
  EXPECT_EQ(collector_->stats().settled, 100);
  EXPECT_EQ(collector_->stats().requests, 100) << "what was fetched before is not fetched again";
}

TEST_F(CollectorTest, EndsWhenTheStoreFails) {
  AddMovies(100);
  Make();
  files_.FailAt(1, ErrorCode::kIo);
  EXPECT_EQ(Drain(), DrainEnd::kStoreFailed);
  EXPECT_FALSE(result_.reason.empty());
  clock_.Advance(milliseconds(1));
  EXPECT_EQ(Counts().waiting, 100);
}

TEST_F(CollectorTest, StopsWithinSecondsThoughRequestsHang) {
  network.latency_least = network.latency_most = seconds(20);
  AddMovies(100);
  Make();
  MonoTime asked{};
  collector_->on_progress = [&, seen = 0](const CollectorStats&) mutable {
    if (++seen != 3) return;
    asked = clock_.Mono();
    stop_.Request();
  };
  EXPECT_EQ(Drain(), DrainEnd::kStopped);
  EXPECT_LT(clock_.Mono() - asked, seconds(5));
  EXPECT_EQ(Tmdb().InFlight(), 0);
  clock_.Advance(milliseconds(1));
  EXPECT_EQ(Counts().waiting, 100);
  EXPECT_EQ((*queue_.Receive(1, seconds(60)))[0].receive_count, 1) << "a stop is not the message's fault";
}

TEST_F(CollectorTest, LetsWhatIsInFlightFinishWhenStopped) {
  AddMovies(400);
  Make({.concurrency = 10});
  collector_->on_progress = [&, seen = 0](const CollectorStats&) mutable {
    if (++seen == 3) stop_.Request();
  };
  EXPECT_EQ(Drain(), DrainEnd::kStopped);
  EXPECT_EQ(collector_->stats().settled, Tmdb().counters().arrived) << "no answer was thrown away";
}

TEST_F(CollectorTest, WaitsForMessagesThatAreDelayed) {
  AddMovies(2);
  const auto message = (*queue_.Receive(1, seconds(60)))[0];
  ASSERT_TRUE(queue_.Release(std::vector{message.receipt}, minutes(30), false));
  Make();
  const MonoTime begin = clock_.Mono();
  EXPECT_EQ(Drain(), DrainEnd::kDrained);
  EXPECT_GE(clock_.Mono() - begin, minutes(30));
  EXPECT_EQ(collector_->stats().settled, 2);
}

TEST_F(CollectorTest, BuriesAtOnceWhatNoRequestWouldFetch) {
  ASSERT_TRUE(queue_.Send(std::vector<QueueItem>{{{MediaType::kConfiguration, 999}, 0}}));
  Make();
  EXPECT_EQ(Drain(), DrainEnd::kDrained);
  EXPECT_EQ(Counts(MediaType::kConfiguration).dead, 1);
  EXPECT_EQ(collector_->stats().requests, 0);
}

// A show that is deleted between its first answer and its second.
class VanishingShow final : public http::HttpTransport {
 public:
  explicit VanishingShow(FakeTmdb& tmdb) : tmdb_(tmdb) {}
  http::RequestId Start(http::Request request, std::function<void()> on_send) override {
    if (request.url.find("=season/8,") != std::string::npos) tmdb_.Remove({MediaType::kTv, 7});
    return tmdb_.Start(std::move(request), std::move(on_send));
  }
  std::vector<http::Outcome> Wait(MonoTime deadline) override { return tmdb_.Wait(deadline); }
  int Room() const override { return tmdb_.Room(); }
  int InFlight() const override { return tmdb_.InFlight(); }
  void Cancel(http::RequestId id) override { tmdb_.Cancel(id); }

 private:
  FakeTmdb& tmdb_;
};

TEST_F(CollectorTest, TakesAShowWhoseSeasonsAreGoneForGone) {
  std::vector<std::int64_t> seasons;
  for (int i = 0; i < 60; ++i) seasons.push_back(i);
  Tmdb().Add({MediaType::kTv, 7}, seasons);
  ASSERT_TRUE(queue_.Send(std::vector<QueueItem>{{{MediaType::kTv, 7}, 0}}));
  VanishingShow transport(Tmdb());
  MakeOver(transport);
  Collector& collector = *collector_;
  EXPECT_EQ(collector.Drain(stop_).end, DrainEnd::kDrained);
  EXPECT_EQ(collector.stats().gone, 1);
  EXPECT_FALSE(store_->reader.Find({MediaType::kTv, 7}));
  EXPECT_FALSE(store_->reader.FindSeason(7, 0));
}

// A TMDB that cannot answer a request with more than `most` appended things of a kind.
class HeavyTmdb final : public http::HttpTransport {
 public:
  HeavyTmdb(FakeTmdb& tmdb, std::string kind, int most) : tmdb_(tmdb), kind_(std::move(kind)), most_(most) {
    tmdb_.Break(Movie(kBroken), FakeTmdb::Fault::kServerError);
  }
  http::RequestId Start(http::Request request, std::function<void()> on_send) override {
    ++requests;
    const std::size_t begin = std::min(request.url.find("append_to_response="), request.url.size());
    const std::string appended = request.url.substr(begin, request.url.find('&', begin) - begin);
    int found = 0;
    for (std::size_t at = appended.find(kind_); at != std::string::npos; at = appended.find(kind_, at + 1))
      ++found;
    if (found > most_) request.url = fmt::format("{}/movie/{}", FakeTmdb::kBaseUrl, kBroken);
    return tmdb_.Start(std::move(request), std::move(on_send));
  }
  std::vector<http::Outcome> Wait(MonoTime deadline) override { return tmdb_.Wait(deadline); }
  int Room() const override { return tmdb_.Room(); }
  int InFlight() const override { return tmdb_.InFlight(); }
  void Cancel(http::RequestId id) override { tmdb_.Cancel(id); }

  int requests = 0;

 private:
  static constexpr std::int64_t kBroken = 999'999;
  FakeTmdb& tmdb_;
  const std::string kind_;
  const int most_;
};

TEST_F(CollectorTest, AsksAShowInPartsWhenTheWholeIsTooMuchForTmdb) {
  std::vector<std::int64_t> seasons;
  for (int i = 1; i <= 49; ++i) seasons.push_back(i);
  AddMovies(100);
  Tmdb().Add({MediaType::kTv, 7}, seasons);
  ASSERT_TRUE(queue_.Send(std::vector<QueueItem>{{{MediaType::kTv, 7}, 9}}));
  HeavyTmdb transport(Tmdb(), "season/", 4);
  MakeOver(transport);
  EXPECT_EQ(Drain(), DrainEnd::kDrained) << result_.reason;
  EXPECT_EQ(Counts(MediaType::kTv).dead, 0);
  EXPECT_EQ(*store_->ledger.SeasonNumbers(7), seasons);
  EXPECT_EQ(store_->reader.Find({MediaType::kTv, 7})->data,
            Tmdb().Body({MediaType::kTv, 7}, DefaultNamespaces().at(MediaType::kTv)));
  EXPECT_LE(transport.requests, 100 + 2 + 2 + 12 + 2) << "what was too much once is not tried again";
}

TEST_F(CollectorTest, AsksForNamespacesApartWhenOneOfThemIsTooMuch) {
  AddMovies(20);
  HeavyTmdb fewer(Tmdb(), ",", 5);  // at most six namespaces at once
  MakeOver(fewer);
  EXPECT_EQ(Drain(), DrainEnd::kDrained) << result_.reason;
  EXPECT_EQ(Counts().dead, 0);
  EXPECT_EQ(store_->reader.Find(Movie(3))->data,
            Tmdb().Body(Movie(3), DefaultNamespaces().at(MediaType::kMovie)));
}

TEST_F(CollectorTest, StoresAFilmWithoutTheOneNamespaceThatCannotBeHadAndSaysSo) {
  AddMovies(20);
  HeavyTmdb transport(Tmdb(), "credits", 0);
  MakeOver(transport);
  EXPECT_EQ(Drain(), DrainEnd::kDrained) << result_.reason;
  std::vector<std::string> others = DefaultNamespaces().at(MediaType::kMovie);
  std::erase(others, "credits");
  EXPECT_EQ(store_->reader.Find(Movie(3))->data, Tmdb().Body(Movie(3), others));
  const auto dead = queue_.DeadLetters({}, 100).value();  // so that it is asked for again
  ASSERT_EQ(dead.size(), 20U);
  EXPECT_NE(dead[0].reason.find("credits"), std::string::npos) << dead[0].reason;
}

// One namespace is rotten at TMDB, and with it the whole answer, whatever way that shows.
TEST_F(CollectorTest, StoresAFilmWithoutTheOneNamespaceThatSpoilsTheAnswer) {
  using enum FakeTmdb::Fault;
  for (const auto fault : {kTruncated, kBrokenGzip, kEmpty, kHtml, kWrongId, kErrorBody}) {
    SCOPED_TRACE(static_cast<int>(fault));
    tmdb_.reset();
    ASSERT_TRUE(queue_.Purge({}, true));
    AddMovies(60);
    const MediaId film = Movie(1000 + static_cast<int>(fault));
    Tmdb().Add(film);
    ASSERT_TRUE(queue_.Send(std::vector<QueueItem>{{film, 9}}));
    Tmdb().Spoil(film, "reviews", fault);
    Make();
    EXPECT_EQ(Drain(), DrainEnd::kDrained) << result_.reason;
    std::vector<std::string> others = DefaultNamespaces().at(MediaType::kMovie);
    std::erase(others, "reviews");
    const auto stored = store_->reader.Find(film);
    ASSERT_TRUE(stored) << stored.error().message;
    EXPECT_EQ(stored->data, Tmdb().Body(film, others));
    const auto dead = queue_.DeadLetters({}, 100).value();
    ASSERT_EQ(dead.size(), 1U);
    EXPECT_NE(dead[0].reason.find("reviews"), std::string::npos) << dead[0].reason;
    EXPECT_LE(Tmdb().arrived(film), 20);
  }
}

TEST_F(CollectorTest, KeepsWhatIsStoredOfANamespaceThatCannotBeHadAnyMore) {
  AddMovies(20);
  Make();
  EXPECT_EQ(Drain(), DrainEnd::kDrained) << result_.reason;
  Tmdb().Change(Movie(3), false);
  ASSERT_TRUE(queue_.Send(std::vector<QueueItem>{{Movie(3), 0}, {Movie(4), 0}}));
  HeavyTmdb transport(Tmdb(), "credits", 0);
  MakeOver(transport);
  EXPECT_EQ(Drain(), DrainEnd::kDrained) << result_.reason;
  for (const auto& [id, version] : {std::pair(3, 2), {4, 1}}) {
    const auto found = store_->reader.Find(Movie(id));
    ASSERT_TRUE(found);
    EXPECT_EQ(found->version, version);
    EXPECT_EQ(HashContent(found->data).value(),
              HashContent(Tmdb().Body(Movie(id), DefaultNamespaces().at(MediaType::kMovie))).value());
  }
}

TEST_F(CollectorTest, StoresAShowWithoutTheOneSeasonThatCannotBeHadAndSaysSo) {
  AddMovies(60);
  Tmdb().Add({MediaType::kTv, 7}, {1, 2, 3});
  ASSERT_TRUE(queue_.Send(std::vector<QueueItem>{{{MediaType::kTv, 7}, 9}}));
  HeavyTmdb transport(Tmdb(), "season/2", 0);
  MakeOver(transport);
  EXPECT_EQ(Drain(), DrainEnd::kDrained) << result_.reason;
  EXPECT_EQ(Counts(MediaType::kTv).dead, 1);  // so that it is asked for again
  EXPECT_EQ(*store_->ledger.SeasonNumbers(7), (std::vector<std::int64_t>{1, 3}));
}

// However the seasons fall into requests: of eight the last one is alone in its own.
TEST_F(CollectorTest, StoresAShowWithoutItsLastSeasonWhereverThatIsAskedFor) {
  for (const int count : {2, 7, 8, 9, 12, 27, 28, 29}) {
    SCOPED_TRACE(count);
    tmdb_.reset();
    ASSERT_TRUE(queue_.Purge({}, true));
    AddMovies(60);
    const MediaId show{MediaType::kTv, 100 + count};
    std::vector<std::int64_t> seasons;
    for (int number = 1; number <= count; ++number) seasons.push_back(number);
    Tmdb().Add(show, seasons);
    ASSERT_TRUE(queue_.Send(std::vector<QueueItem>{{show, 9}}));
    HeavyTmdb transport(Tmdb(), fmt::format("season/{}", count), 0);
    MakeOver(transport);
    EXPECT_EQ(Drain(), DrainEnd::kDrained) << result_.reason;
    seasons.pop_back();
    EXPECT_EQ(*store_->ledger.SeasonNumbers(show.id), seasons);
  }
}

TEST_F(CollectorTest, FindsOutAnIdThatAlwaysFailsWithFewRequestsAllTheSame) {
  AddMovies(60);
  Tmdb().Break(Movie(30), FakeTmdb::Fault::kServerError);
  Make();
  EXPECT_EQ(Drain(), DrainEnd::kDrained) << result_.reason;
  EXPECT_EQ(Counts().dead, 1);
  EXPECT_LE(Tmdb().arrived(Movie(30)), 10);
}

// A server that closes all connections but new ones: while they are idle, or in the middle of an answer. Every
// `every`-th answer is lost to it, `dropped` in all.
class ClosingTmdb final : public http::HttpTransport {
 public:
  enum class When : std::uint8_t { kIdle, kAnswering };
  ClosingTmdb(FakeTmdb& tmdb, When when, int every, int dropped)
      : tmdb_(tmdb), when_(when), every_(every), dropped_(dropped) {}
  http::RequestId Start(http::Request request, std::function<void()> on_send) override {
    const bool fresh = request.fresh_connection;
    const http::RequestId id = tmdb_.Start(std::move(request), std::move(on_send));
    if (!fresh && dropped_ > 0 && ++started_ % every_ == 0) {
      --dropped_;
      broken_.insert(id);
    }
    return id;
  }
  std::vector<http::Outcome> Wait(MonoTime deadline) override {
    auto outcomes = tmdb_.Wait(deadline);
    for (http::Outcome& outcome : outcomes) {
      if (broken_.erase(outcome.id) == 0) continue;
      outcome.response.reset();
      outcome.failure = http::TransportFailure::kReset;
      outcome.stale_connection = when_ == When::kIdle;
    }
    return outcomes;
  }
  int Room() const override { return tmdb_.Room(); }
  int InFlight() const override { return tmdb_.InFlight(); }
  void Cancel(http::RequestId id) override { tmdb_.Cancel(id); }

 private:
  FakeTmdb& tmdb_;
  const When when_;
  const int every_;
  int dropped_, started_ = 0;
  std::set<http::RequestId> broken_;
};

TEST_F(CollectorTest, AConnectionThatWasClosedWhileIdleIsNoFailureOfTheId) {
  AddMovies(400);
  ClosingTmdb transport(Tmdb(), ClosingTmdb::When::kIdle, 3, 120);
  MakeOver(transport, {.concurrency = 10});
  EXPECT_EQ(Drain(), DrainEnd::kDrained);
  EXPECT_EQ(collector_->stats().settled, 400);
  EXPECT_EQ(collector_->stats().retries, 0);
  EXPECT_TRUE(collector_->stats().errors.empty());
  EXPECT_EQ(collector_->stats().requests, 520);
  EXPECT_EQ(Tmdb().counters().throttled, 0) << "within the rate";
}

TEST_F(CollectorTest, WhatBrokeIsTriedAgainOnAFreshConnection) {
  AddMovies(200);
  ClosingTmdb transport(Tmdb(), ClosingTmdb::When::kAnswering, 2, 10'000);
  MakeOver(transport, {.concurrency = 10});
  EXPECT_EQ(Drain(), DrainEnd::kDrained) << result_.reason;
  EXPECT_EQ(Counts().dead, 0);
  EXPECT_LE(collector_->stats().requests, 200 + 100 + 10);
}

TEST_F(CollectorTest, WaitsForAKeyThatIsRefusedForAMomentAfterItWorked) {
  AddMovies(400);
  Make({.concurrency = 10});
  const MonoTime begin = clock_.Mono();
  Tmdb().Outage(begin + seconds(3), begin + seconds(30), FakeTmdb::Fault::kDeniedKey);
  EXPECT_EQ(Drain(), DrainEnd::kDrained) << result_.reason;
  EXPECT_EQ(collector_->stats().settled, 400);
  EXPECT_EQ(Counts().dead, 0);
  EXPECT_LE(Tmdb().counters().faults, 10 + 1) << "those in flight, then one after ten seconds";
  EXPECT_LE(clock_.Mono() - begin, seconds(3 + 10 + 60 + 12));
  EXPECT_TRUE(result_.key_proven);
}

TEST_F(CollectorTest, EndsWhenAKeyThatWorkedStaysRefused) {
  AddMovies(400);
  Make({.concurrency = 10});
  const MonoTime begin = clock_.Mono();
  Tmdb().Outage(begin + seconds(3), MonoTime::max(), FakeTmdb::Fault::kDeniedKey);
  EXPECT_EQ(Drain(), DrainEnd::kKeyLost);
  EXPECT_EQ(result_.hint, Hint::kCheckKey);
  EXPECT_GE(clock_.Mono() - begin, minutes(16));
  EXPECT_LE(clock_.Mono() - begin, minutes(17));
  clock_.Advance(milliseconds(1));
  EXPECT_EQ(Counts().waiting + collector_->stats().settled, 400);

  // The next drain of the same process doubts it, too; another process does not.
  Make({.give_up_unanswered = seconds(12), .key_proven = true});
  EXPECT_EQ(Drain(), DrainEnd::kKeyLost);
  Make();
  EXPECT_EQ(Drain(), DrainEnd::kDenied);
}

TEST_F(CollectorTest, IdsThatAreAlways429DoNotTakeEverySlotOfASlowRate) {
  network.rate = 1;
  AddMovies(20);
  for (const int id : {1, 2}) Tmdb().Break(Movie(id), FakeTmdb::Fault::kThrottled);
  Make({.concurrency = 5});
  const MonoTime begin = clock_.Mono();
  EXPECT_EQ(Drain(), DrainEnd::kDrained) << result_.reason;
  EXPECT_EQ(collector_->stats().settled, 18);
  EXPECT_EQ(Counts().dead, 2);
  EXPECT_LE(clock_.Mono() - begin, minutes(30));
}

TEST_F(CollectorTest, CountsDeletionsOfADayTogetherHoweverOftenItIsInterrupted) {
  AddMovies(100);
  Make();
  ASSERT_EQ(Drain(), DrainEnd::kDrained);
  for (int part = 0; part < 3; ++part) {
    std::vector<QueueItem> asked;
    for (int i = 1; i <= 15; ++i) {
      Tmdb().Remove(Movie(part * 15 + i));
      asked.push_back({Movie(part * 15 + i), 0});
    }
    ASSERT_TRUE(queue_.Send(asked));
    Make();
    EXPECT_EQ(Drain(), DrainEnd::kDrained);
  }
  EXPECT_EQ(store_->ledger.HeldDeletions(MediaType::kMovie)->size(), 45u - 20u);
}

TEST_F(CollectorTest, AnApiThatSays404ToEverythingFillsNoStoreWithMissingIds) {
  std::vector<QueueItem> asked;
  for (int i = 1; i <= 200; ++i) asked.push_back({Movie(i), 0});
  ASSERT_TRUE(queue_.Send(asked));
  Make();
  EXPECT_EQ(Drain(), DrainEnd::kUnreachable);
  EXPECT_GE(Counts().waiting, 140);
}

TEST_F(CollectorTest, HoldsDeletionsBackWhenTooManyLiveRecordsAreGoneAtOnce) {
  AddMovies(100);
  Make();
  ASSERT_EQ(Drain(), DrainEnd::kDrained);
  clock_.Advance(minutes(60 * 24));
  std::vector<QueueItem> asked;
  for (int i = 1; i <= 60; ++i) {
    Tmdb().Remove(Movie(i));
    asked.push_back({Movie(i), 0});
    asked.push_back({Movie(1000 + i), 0});  // never stored: no deletion
  }
  ASSERT_TRUE(queue_.Send(asked));
  Make();
  EXPECT_EQ(Drain(), DrainEnd::kDrained);
  EXPECT_EQ(collector_->stats().held.at(MediaType::kMovie), 60 - 20);
  EXPECT_EQ(collector_->stats().settled, 120);
  EXPECT_EQ(collector_->stats().gone, 120);
  EXPECT_EQ(Counts(), QueueCounts{});
  EXPECT_EQ(store_->ledger.HeldDeletions(MediaType::kMovie)->size(), 40u);

  // Until somebody has agreed nothing more of that type goes, however little it is.
  const auto held = *store_->ledger.HeldDeletions(MediaType::kMovie);
  Tmdb().Remove(Movie(90));
  Tmdb().Add(Movie(held[0]));
  ASSERT_TRUE(queue_.Send(std::vector<QueueItem>{{Movie(90), 0}, {Movie(held[0]), 0}}));
  Make();
  EXPECT_EQ(Drain(), DrainEnd::kDrained);
  EXPECT_EQ(store_->reader.Find(Movie(90))->status, 200);
  EXPECT_EQ(store_->ledger.HeldDeletions(MediaType::kMovie)->size(), 40u)
      << "one more, and one that is there again";

  std::vector<QueueItem> again;
  const auto to_accept = *store_->ledger.HeldDeletions(MediaType::kMovie);
  for (const std::int64_t id : to_accept) again.push_back({Movie(id), 0});
  ASSERT_TRUE(queue_.Send(again));
  Make({}, true);
  EXPECT_EQ(Drain(), DrainEnd::kDrained);
  EXPECT_TRUE(collector_->stats().held.empty());
  EXPECT_EQ(store_->reader.Find(Movie(90))->status, 404);
  EXPECT_EQ(*store_->ledger.HeldDeletions(MediaType::kMovie), std::vector<std::int64_t>());
}

TEST_F(CollectorTest, KeepsRetriesToAFifthOfTheRate) {
  AddMovies(1000);
  for (int i = 1; i <= 1000; i += 2) Tmdb().Break(Movie(i), FakeTmdb::Fault::kBare404);
  Make({.concurrency = 20});
  std::int64_t retries = 0;
  collector_->on_progress = [&, seen = 0](const CollectorStats& stats) mutable {
    if (++seen == 15) retries = stats.retries;
  };
  EXPECT_EQ(Drain(), DrainEnd::kDrained);
  EXPECT_GT(retries, 60);
  EXPECT_LE(retries, RetryBudget::kMost + 0.2 * 40 * 16);
  EXPECT_EQ(Counts().dead, 500);
}

}  // namespace
}  // namespace tmdbc
