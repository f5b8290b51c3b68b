// SPDX-License-Identifier: MIT
#include "collector/on_demand.h"

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "base/sqlite.h"
#include "collector/collector.h"
#include "http/side_transport.h"
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
using What = DemandReply::What;
using Fault = FakeTmdb::Fault;

MediaId Film(std::int64_t id) {
  return {MediaType::kMovie, id};
}

class OnDemandTest : public ::testing::Test {
 protected:
  struct Seen {
    Demand demand;
    DemandReply reply;
    MonoTime at{};
  };

  OnDemandTest() {
    store_ = *testing::StorePieces::Open(files_, catalog_, clock_, {});
    Make();
  }
  ~OnDemandTest() override { std::fclose(log_file_); }

  void Make(double rate = 40, OnDemandOptions options = AllTypes()) {
    fetcher_.reset();
    auto tmdb = std::make_unique<FakeTmdb>(
        clock_, FakeTmdb::Options{.seed = 1, .rate = rate, .connect_most = milliseconds(100)});
    tmdb_ = tmdb.get();
    transport_.emplace(std::move(tmdb));
    limiter_.emplace(rate, clock_);
    requester_.emplace(clock_, transport_->side(), *limiter_, random_);
    intake_.emplace(clock_, *store_->writer, store_->ledger, StoreIntakeOptions{});
    fetcher_.emplace(clock_, *requester_, *intake_, log_,
                     ApiAccess{.base_url = std::string(FakeTmdb::kBaseUrl),
                               .secret_query = "",
                               .bearer = "",
                               .user_agent = "test"},
                     std::move(options), [this](const Demand& demand, DemandReply reply) {
                       seen_.push_back({demand, std::move(reply), clock_.Mono()});
                     });
    transport_->turn = [this] {
      fetcher_->Step(transport_->busy(), may_store_);
      return fetcher_->NextStep(transport_->busy());
    };
  }
  static OnDemandOptions AllTypes() {
    return {.stored = {kRecordTypes.begin(), kRecordTypes.end()}, .namespaces = DefaultNamespaces()};
  }

  // Until as many replies have come, or for a minute.
  void RunUntil(std::size_t replies) {
    const MonoTime end = clock_.Mono() + minutes(1);
    while (seen_.size() < replies && clock_.Mono() < end) (void)transport_->Wait(end);
  }
  What Fetch(MediaId id) {
    const std::size_t before = seen_.size();
    fetcher_->Take({.record = id});
    RunUntil(before + 1);
    return seen_.size() > before ? seen_.back().reply.what : What::kSlow;
  }

  testing::FakeClock clock_;
  std::FILE* log_file_ = std::fopen("/dev/null", "w");
  Log log_{log_file_, LogLevel::kError, LogFormat::kText, clock_};
  std::mt19937_64 random_{5};
  testing::FaultFileSystem files_;
  Database catalog_ = *Database::Open(":memory:", Database::Mode::kReadWrite);
  std::unique_ptr<testing::StorePieces> store_;
  FakeTmdb* tmdb_ = nullptr;
  std::optional<http::SideTransport> transport_;
  std::optional<RateLimiter> limiter_;
  std::optional<http::PacedRequester> requester_;
  std::optional<StoreIntake> intake_;
  std::optional<OnDemand> fetcher_;
  bool may_store_ = true;
  std::vector<Seen> seen_;
};

TEST_F(OnDemandTest, StoresARecordAsACollectorDoes) {
  const MediaId show{MediaType::kTv, 7};
  tmdb_->Add(Film(3));
  tmdb_->Add(show, {0, 1, 2, 9});
  EXPECT_EQ(Fetch(Film(3)), What::kStored);
  EXPECT_EQ(Fetch(show), What::kStored);
  EXPECT_EQ(store_->reader.Find(Film(3))->data, tmdb_->Body(Film(3), DefaultNamespaces().at(MediaType::kMovie)));
  EXPECT_EQ(store_->reader.FindSeason(7, 9)->data, tmdb_->SeasonBody(7, 9));
  EXPECT_EQ(tmdb_->arrived(Film(3)), 1);
  EXPECT_TRUE(fetcher_->idle());
}

TEST_F(OnDemandTest, StoresNothingOfWhatTmdbDoesNotHave) {
  EXPECT_EQ(Fetch(Film(4)), What::kAbsent);
  EXPECT_EQ(tmdb_->arrived(Film(4)), 1);
  EXPECT_FALSE(store_->writer->CommitDeadline()) << "it is no news for the store";
}

TEST_F(OnDemandTest, DeletesNothing) {
  const MediaId show{MediaType::kTv, 7};
  tmdb_->Add(show, {1, 2});
  ASSERT_EQ(Fetch(show), What::kStored);
  tmdb_->SetSeasons(7, {1});
  EXPECT_EQ(Fetch(show), What::kStored);
  EXPECT_TRUE(store_->reader.FindSeason(7, 2));
}

TEST_F(OnDemandTest, HandsBackWhatIsNoRecord) {
  tmdb_->Add(Film(3));
  fetcher_->Take({.target = "movie/3?append_to_response=credits"});
  RunUntil(1);
  ASSERT_EQ(seen_.size(), 1u);
  EXPECT_EQ(seen_[0].reply.what, What::kAnswer);
  EXPECT_EQ(seen_[0].reply.body, tmdb_->Body(Film(3), {"credits"}));
  fetcher_->Take({.target = "movie/4"});
  RunUntil(2);
  EXPECT_EQ(seen_[1].reply.what, What::kAbsent);
  EXPECT_FALSE(store_->reader.Find(Film(3)));
}

TEST_F(OnDemandTest, KeepsNoTypeThatTheMirrorLeavesOut) {
  Make(40, {.stored = {MediaType::kTv}, .namespaces = DefaultNamespaces()});
  tmdb_->Add(Film(3));
  EXPECT_EQ(Fetch(Film(3)), What::kUnstored);
  EXPECT_FALSE(store_->reader.Find(Film(3)));
}

TEST_F(OnDemandTest, WaitsWithStoringWhileItMustNot) {
  may_store_ = false;
  tmdb_->Add(Film(3));
  EXPECT_EQ(Fetch(Film(3)), What::kUnstored) << "nobody waits for the store";
  EXPECT_FALSE(store_->reader.Find(Film(3)));
  may_store_ = true;
  (void)transport_->Wait(clock_.Mono() + seconds(1));
  EXPECT_TRUE(store_->reader.Find(Film(3)));
  EXPECT_EQ(seen_.size(), 1u);
}

TEST_F(OnDemandTest, TriesAFailureOnceMoreAndSaysThenThatItCannot) {
  tmdb_->Add(Film(3));
  tmdb_->Outage(clock_.Mono(), clock_.Mono() + milliseconds(100), Fault::kServerError);
  EXPECT_EQ(Fetch(Film(3)), What::kStored);
  tmdb_->Add(Film(5));
  tmdb_->Break(Film(5), Fault::kServerError);
  const MonoTime begin = clock_.Mono();
  EXPECT_EQ(Fetch(Film(5)), What::kDown);
  EXPECT_LE(tmdb_->arrived(Film(5)), 14) << "twice as a whole, then in parts";
  EXPECT_LE(clock_.Mono() - begin, seconds(8));
}

TEST_F(OnDemandTest, AsksAnUpstreamThatIsDownOnlyNowAndThen) {
  tmdb_->Outage(clock_.Mono(), clock_.Mono() + minutes(10), Fault::kServerError);
  for (int id = 1; id <= 500; ++id) {
    tmdb_->Add(Film(id));
    EXPECT_EQ(Fetch(Film(id)), What::kDown);
    clock_.Advance(milliseconds(100));
  }
  EXPECT_LE(tmdb_->counters().arrived, 35);
  clock_.Advance(minutes(10));
  EXPECT_EQ(Fetch(Film(1)), What::kStored) << "it finds out by itself that it is over";
}

TEST_F(OnDemandTest, AsksOnceAMinuteWhileTheKeyIsRefused) {
  tmdb_->Add(Film(3));
  tmdb_->Outage(clock_.Mono(), clock_.Mono() + seconds(90), Fault::kDeniedKey);
  for (int i = 0; i < 85; ++i) {
    EXPECT_EQ(Fetch(Film(3)), What::kDown);
    clock_.Advance(seconds(1));
  }
  EXPECT_LE(tmdb_->counters().arrived, 2);
  clock_.Advance(minutes(1));
  EXPECT_EQ(Fetch(Film(3)), What::kStored);
}

TEST_F(OnDemandTest, SaysInTimeThatNothingCame) {
  tmdb_->Add(Film(3));
  tmdb_->Break(Film(3), Fault::kTimeout);
  const MonoTime begin = clock_.Mono();
  EXPECT_EQ(Fetch(Film(3)), What::kSlow);
  ASSERT_EQ(seen_.size(), 1u);
  EXPECT_LE(seen_[0].at - begin, OnDemand::kGiveUp + seconds(1));
}

TEST_F(OnDemandTest, WaitsFor429sAndTriesAgain) {
  tmdb_->Add(Film(3));
  tmdb_->Outage(clock_.Mono(), clock_.Mono() + milliseconds(300), Fault::kThrottled);
  EXPECT_EQ(Fetch(Film(3)), What::kStored);
  EXPECT_EQ(tmdb_->counters().faults, 1) << "nobody asks before the pause is over";
}

TEST_F(OnDemandTest, AsksInPartsWhatIsTooMuch) {
  const MediaId show{MediaType::kTv, 7};
  std::vector<std::int64_t> seasons;
  for (int i = 0; i < 70; ++i) seasons.push_back(i);
  tmdb_->Add(show, seasons);
  EXPECT_EQ(Fetch(show), What::kStored);
  EXPECT_EQ(store_->ledger.SeasonNumbers(7)->size(), 70u);
}

// Who waits gets the record without the part, and somebody else asks for that again.
TEST_F(OnDemandTest, StoresAFilmWithoutTheOneNamespaceThatCannotBeHad) {
  for (const auto fault : {Fault::kServerError, Fault::kTruncated, Fault::kEmpty}) {
    SCOPED_TRACE(static_cast<int>(fault));
    Make();
    std::vector<MediaId> lacking;
    fetcher_->on_lacking = [&](MediaId id) { lacking.push_back(id); };
    const MediaId film = Film(10 + static_cast<int>(fault));
    tmdb_->Add(film);
    tmdb_->Spoil(film, "reviews", fault);
    EXPECT_EQ(Fetch(film), What::kStored);
    std::vector<std::string> others = DefaultNamespaces().at(MediaType::kMovie);
    std::erase(others, "reviews");
    EXPECT_EQ(store_->reader.Find(film)->data, tmdb_->Body(film, others));
    EXPECT_EQ(lacking, std::vector{film});
  }
}

// Demands beside a collector that has films 1.. to fetch.
class BesideACollectorTest : public OnDemandTest {
 protected:
  void Queue(int films) {
    std::vector<QueueItem> items;
    for (int id = 1; id <= films; ++id) {
      tmdb_->Add(Film(id));
      items.push_back({Film(id), 0});
    }
    ASSERT_TRUE(queue.Send(items));
  }

  MemoryIdQueue queue{clock_};
  http::PacedRequester requester{clock_, *transport_, *limiter_, random_};
  StoreIntake intake{clock_, *store_->writer, store_->ledger, {}};
  Collector collector{clock_,  requester,
                      queue,   intake,
                      log_,    random_,
                      ApiAccess{.base_url = std::string(FakeTmdb::kBaseUrl),
                                .secret_query = "",
                                .bearer = "",
                                .user_agent = "test"},
                      DefaultNamespaces(), {.concurrency = 20}};
  const StopFlag stop;
};

// Never above the rate, both go on, none waits long.
TEST_F(BesideACollectorTest, BothHaveTheirTurnsWithinTheRate) {
  Queue(1200);
  for (int id = 5001; id <= 5400; ++id) tmdb_->Add(Film(id));
  int next = 5001;
  MonoTime demand_at = clock_.Mono();
  std::map<Demand, MonoTime> demanded;
  transport_->turn = [&] {
    // 15 a second, while the collector would take all 40.
    while (demand_at <= clock_.Mono() && next <= 5400) {
      const Demand demand{.record = Film(next++)};
      demanded[demand] = clock_.Mono();
      fetcher_->Take(demand);
      demand_at += milliseconds(66);
    }
    fetcher_->Step(transport_->busy(), true);
    return std::min(fetcher_->NextStep(transport_->busy()), demand_at);
  };
  const MonoTime begin = clock_.Mono();
  EXPECT_EQ(collector.Drain(stop).end, DrainEnd::kDrained);
  const double took = std::chrono::duration<double>(clock_.Mono() - begin).count();
  EXPECT_EQ(collector.stats().settled, 1200);
  EXPECT_EQ(tmdb_->counters().throttled, 0);
  EXPECT_LE(tmdb_->counters().most_in_a_second, 40);
  EXPECT_LE(tmdb_->counters().most_connections, 20);
  EXPECT_EQ(tmdb_->counters().started_without_room, 0);
  EXPECT_LT(took, 1600 / 40.0 * 1.1) << "no slot was left unused";
  Duration longest{};
  for (const Seen& one : seen_) {
    EXPECT_EQ(one.reply.what, What::kStored);
    longest = std::max(longest, one.at - demanded.at(one.demand));
  }
  EXPECT_GE(seen_.size(), 390u);
  EXPECT_LE(longest, seconds(2));
  EXPECT_TRUE(store_->reader.Find(Film(1200)));
  EXPECT_TRUE(store_->reader.Find(Film(5001)));
}

TEST_F(BesideACollectorTest, TheCollectorHasHalfOfTheRateHoweverMuchIsDemanded) {
  Queue(400);
  for (int id = 5001; id <= 5250; ++id) fetcher_->Take({.record = Film(id)});
  const MonoTime begin = clock_.Mono();
  std::optional<std::int64_t> settled;
  collector.on_progress = [&](const CollectorStats& stats) {
    if (!settled && clock_.Mono() - begin >= seconds(6)) settled = stats.settled;
  };
  EXPECT_EQ(collector.Drain(stop).end, DrainEnd::kDrained);
  EXPECT_GE(settled.value_or(0), 80) << "of 240 requests in that time";
  EXPECT_GE(seen_.size(), 200u) << "and they had their turn";
  EXPECT_EQ(tmdb_->counters().throttled, 0);
}

}  // namespace
}  // namespace tmdbc
