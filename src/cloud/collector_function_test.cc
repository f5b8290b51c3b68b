// SPDX-License-Identifier: MIT
#include "cloud/collector_function.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "testing/fake_clock.h"
#include "testing/fake_tmdb.h"
#include "testing/memory_object_store.h"
#include "tmdb/detail_plan.h"

namespace tmdbc {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::FakeTmdb;
using testing::MemoryObjectStore;
using Kind = BundleEntry::Kind;
using Fault = MemoryObjectStore::Fault;

MediaId MovieId(std::int64_t id) {
  return {MediaType::kMovie, id};
}

class CollectorFunctionTest : public ::testing::Test {
 protected:
  CollectorFunctionTest() { NewProcess(); }
  ~CollectorFunctionTest() override { std::fclose(log_file_); }

  // Another environment: nothing is remembered.
  void NewProcess() {
    store_ = stores_.emplace_back(std::make_unique<MemoryObjectStore>(bucket_)).get();
    MakeOver(tmdb_);
  }
  void MakeOver(http::HttpTransport& transport) {
    function_.emplace(CollectorFunction::Ports{.clock = clock_,
                                               .objects = *store_,
                                               .transport = transport,
                                               .upstream = upstream_,
                                               .log = log_,
                                               .random = random_},
                      CollectorFunctionOptions{.access = {.base_url = std::string(FakeTmdb::kBaseUrl),
                                                          .secret_query = {},
                                                          .bearer = {},
                                                          .user_agent = "test"},
                                               .namespaces = DefaultNamespaces()});
  }

  // Movies 1.. that exist.
  IdBatch Movies(std::int64_t count, std::int64_t number = 1, std::int64_t first = 1) {
    IdBatch batch{.name = BatchName(123, number), .lane = 0, .rate = 40, .items = {}};
    for (std::int64_t id = first; id < first + count; ++id) {
      tmdb_.Add(MovieId(id));
      batch.items.push_back({MovieId(id)});
    }
    return batch;
  }
  Result<CollectorFunction::Done> TryRun(const IdBatch& batch, Duration time = minutes(2)) {
    return function_->Run(batch, clock_.Mono() + time, stop_);
  }
  CollectorFunction::Done Run(const IdBatch& batch, Duration time = minutes(2)) {
    const auto done = TryRun(batch, time);
    EXPECT_TRUE(done) << done.error().message;
    return done.value_or(CollectorFunction::Done{});
  }
  // What the bundle says, by id; its summary goes to summary_.
  std::map<MediaId, BundleEntry> Entries(const IdBatch& batch) {
    std::map<MediaId, BundleEntry> entries;
    const auto found = bucket_.objects.find(BundleKey(batch.name));
    if (found == bucket_.objects.end()) {
      ADD_FAILURE() << "no bundle of " << batch.name;
      return entries;
    }
    const auto read = ReadBundle(found->second.bytes, batch.name, [&](BundleEntry entry) -> Result<void> {
      const MediaId id = entry.id;
      entries.emplace(id, std::move(entry));
      return {};
    });
    EXPECT_TRUE(read) << read.error().message;
    if (read) summary_ = *read;
    std::set<MediaId> ids;
    for (const IdBatch::Item& item : batch.items) ids.insert(item.id);
    for (const auto& [id, entry] : entries) EXPECT_TRUE(ids.contains(id)) << ToString(id);
    EXPECT_EQ(entries.size(), ids.size()) << "of each id of the batch it is said what became of it";
    return entries;
  }
  std::int64_t Count(const IdBatch& batch, Kind kind) {
    std::int64_t count = 0;
    for (const auto& [id, entry] : Entries(batch)) count += entry.kind == kind;
    return count;
  }

  testing::FakeClock clock_;
  std::FILE* log_file_ = std::fopen("/dev/null", "w");
  Log log_{log_file_, LogLevel::kError, LogFormat::kText, clock_};
  std::mt19937_64 random_{5};
  UpstreamDate upstream_;
  StopFlag stop_;
  FakeTmdb tmdb_{clock_, {.seed = 1, .connect_most = milliseconds(100)}};
  MemoryObjectStore::Bucket bucket_;
  std::vector<std::unique_ptr<MemoryObjectStore>> stores_;  // the dead ones too: their last call may come late
  MemoryObjectStore* store_ = nullptr;                      // of this process
  std::optional<CollectorFunction> function_;
  BundleSummary summary_;
};

TEST_F(CollectorFunctionTest, FetchesWhatTheMessageNamesAndPutsOneBundle) {
  IdBatch batch = Movies(200);
  tmdb_.Remove(MovieId(4));
  const MediaId show{MediaType::kTv, 7};
  tmdb_.Add(show, {0, 1, 2, 30});
  batch.items.push_back({show, {0, 1, 2, 30}});
  upstream_.Reached(Time(std::chrono::sys_days(std::chrono::year(2026) / 11 / 21)) + std::chrono::hours(23));
  const auto done = Run(batch);
  EXPECT_FALSE(done.repeated);
  EXPECT_EQ(bucket_.objects.size(), 1u);
  EXPECT_EQ(store_->calls(), 2) << "a HEAD and a PUT";

  const auto entries = Entries(batch);
  EXPECT_EQ(entries.at(MovieId(4)).kind, Kind::kGone);
  for (const std::int64_t id : {1, 3, 200}) {
    const BundleEntry& entry = entries.at(MovieId(id));
    ASSERT_EQ(entry.documents.size(), 1u);
    EXPECT_EQ(entry.documents[0].data, tmdb_.Body(MovieId(id), DefaultNamespaces().at(MediaType::kMovie)));
  }
  const BundleEntry& seasons = entries.at(show);
  ASSERT_EQ(seasons.documents.size(), 5u);
  EXPECT_EQ(seasons.documents[4].data, tmdb_.SeasonBody(7, 30));
  EXPECT_EQ(seasons.seasons.numbers, (std::vector<std::int64_t>{0, 1, 2, 30}));

  EXPECT_EQ(tmdb_.counters().arrived, 201) << "one request an id, the show's seasons in its own";
  EXPECT_EQ(summary_.requests, 201);
  EXPECT_TRUE(summary_.answered);
  EXPECT_FALSE(summary_.denied);
  EXPECT_EQ(summary_.upstream_date, std::chrono::sys_days(std::chrono::year(2026) / 11 / 21));
  EXPECT_NEAR(summary_.seconds, 201 / 39.2, 1.5);
  EXPECT_EQ(done.fetched, 200);
  EXPECT_EQ(done.gone, 1);
  EXPECT_EQ(done.failed + done.left, 0);
}

TEST_F(CollectorFunctionTest, AsksInTheOrderOfTheMessage) {
  IdBatch batch = Movies(120);
  std::swap(batch.items.front(), batch.items.back());
  const auto done = Run(batch, seconds(1));
  EXPECT_GT(done.left, 20);
  EXPECT_EQ(tmdb_.arrived(MovieId(120)), 1) << "the first of the message";
  EXPECT_EQ(tmdb_.arrived(MovieId(1)), 0) << "its last";
}

TEST_F(CollectorFunctionTest, AMessageThatComesAgainCostsOneHead) {
  const IdBatch batch = Movies(50);
  Run(batch);
  NewProcess();
  const std::int64_t arrived = tmdb_.counters().arrived;
  const auto again = Run(batch);
  EXPECT_TRUE(again.repeated);
  EXPECT_EQ(store_->calls(), 1);
  EXPECT_EQ(tmdb_.counters().arrived, arrived);
}

TEST_F(CollectorFunctionTest, OfTwoAtOnceTheFirstBundleStays) {
  const IdBatch batch = Movies(10);
  MemoryObjectStore rival(bucket_);
  store_->choose_fault = [&](std::string_view act, const std::string& key) -> std::optional<Fault> {
    if (act == "put") {
      EXPECT_TRUE(rival.Put(key, "the rival's", PutCondition::Absent()));
    }
    return std::nullopt;
  };
  EXPECT_FALSE(Run(batch).repeated) << "and the message is done";
  EXPECT_EQ(bucket_.objects.at(BundleKey(batch.name)).bytes, "the rival's");
}

TEST_F(CollectorFunctionTest, WhateverTheBucketDoesTheMessageIsAnsweredOnceInTheEnd) {
  std::int64_t number = 0;
  for (const Fault fault :
       {Fault::kFails, Fault::kDenied, Fault::kLosesAnswer, Fault::kArrivesLate, Fault::kDies}) {
    for (int at = 1; at <= 3; ++at) {
      ++number;
      SCOPED_TRACE(fmt::format("fault {} at call {}", int(fault), at));
      NewProcess();
      const IdBatch batch = Movies(20, number, number * 100);
      const std::int64_t before = tmdb_.counters().arrived;
      store_->FailAt(at, fault);
      if (at == 3) store_->FailAt(2, Fault::kFails);
      int runs = 1;
      while (!TryRun(batch)) {
        // SQS brings it again.
        ASSERT_LE(++runs, 4);
        clock_.Advance(minutes(18));
        NewProcess();
      }
      bucket_.DeliverAll();
      const std::int64_t puts = bucket_.puts;
      EXPECT_EQ(Count(batch, Kind::kFetched), 20);
      EXPECT_EQ(puts, number) << "one body under the key";
      // A HEAD that failed costs nothing, a PUT without an answer only what the next one finds out.
      const bool lost = fault == Fault::kDies || fault == Fault::kDenied;
      EXPECT_EQ(tmdb_.counters().arrived - before, lost && at > 1 ? 40 : 20);
    }
  }
}

TEST_F(CollectorFunctionTest, WhoMayNotListTheBucketIsTold403ForWhatIsNotThere) {
  const IdBatch batch = Movies(5);
  store_->FailAt(1, Fault::kDenied);
  EXPECT_EQ(Run(batch).fetched, 5);
}

TEST_F(CollectorFunctionTest, AtItsDeadlineTheRestIsLeft) {
  const IdBatch batch = Movies(2000);
  const MonoTime began = clock_.Mono();
  const auto done = Run(batch, seconds(10));
  EXPECT_LE(clock_.Mono() - began, seconds(15)) << "well within the 25 s that are kept for it";
  EXPECT_GT(done.fetched, 350);
  EXPECT_EQ(done.fetched + done.left, 2000);
  // What was left is asked for in another message: one request an id all in all.
  IdBatch rest{.name = BatchName(123, 2), .lane = 0, .rate = 40, .items = {}};
  for (const auto& [id, entry] : Entries(batch)) {
    if (entry.kind == Kind::kLeft) rest.items.push_back({id});
  }
  EXPECT_EQ(Run(rest).fetched, std::ssize(rest.items));
  EXPECT_EQ(tmdb_.counters().arrived, 2000);
  EXPECT_EQ(tmdb_.counters().throttled, 0);
}

TEST_F(CollectorFunctionTest, PastItsDeadlineItAsksForNothing) {
  const IdBatch batch = Movies(20);
  EXPECT_EQ(Run(batch, seconds(-1)).left, 20);
  EXPECT_EQ(tmdb_.counters().arrived, 0);
  EXPECT_FALSE((Entries(batch), summary_.answered));
}

TEST_F(CollectorFunctionTest, StopsWhenItIsToldTo) {
  stop_.Request();
  EXPECT_EQ(Run(Movies(20)).left, 20);
}

TEST_F(CollectorFunctionTest, GivesUpAnOutageAfterAMinuteAndLeavesEverything) {
  const IdBatch batch = Movies(500);
  for (const FakeTmdb::Fault fault : {FakeTmdb::Fault::kConnect, FakeTmdb::Fault::kServerError}) {
    IdBatch own = batch;
    own.name = BatchName(124, int(fault) + 1);
    const MonoTime began = clock_.Mono();
    tmdb_.Outage(began, began + minutes(30), fault);
    NewProcess();
    const auto done = Run(own, minutes(10));
    EXPECT_LE(clock_.Mono() - began, seconds(75));
    EXPECT_EQ(done.left, 500) << "nobody is blamed for it";
    Entries(own);
    EXPECT_FALSE(summary_.answered);
    EXPECT_FALSE(summary_.denied);
    EXPECT_LT(summary_.requests, 100) << "it is not hammered";
    clock_.Advance(minutes(31));
  }
  IdBatch later = batch;
  later.name = BatchName(125, 1);
  EXPECT_EQ(Run(later).fetched, 500);
}

TEST_F(CollectorFunctionTest, WaitsOutAShortOutage) {
  const IdBatch batch = Movies(300);
  tmdb_.Outage(clock_.Mono() + seconds(2), clock_.Mono() + seconds(20), FakeTmdb::Fault::kMaintenance);
  EXPECT_EQ(Run(batch).fetched, 300);
}

TEST_F(CollectorFunctionTest, SaysThatTheKeyIsRefused) {
  const IdBatch batch = Movies(100);
  tmdb_.Outage(clock_.Mono(), clock_.Mono() + minutes(30), FakeTmdb::Fault::kDeniedKey);
  const auto done = Run(batch);
  EXPECT_EQ(done.left, 100);
  Entries(batch);
  EXPECT_TRUE(summary_.denied);
  EXPECT_FALSE(summary_.answered);
  EXPECT_LT(summary_.requests, 40);
}

TEST_F(CollectorFunctionTest, ARefusalThatPassesStopsNothingAndOneThatStaysIsToldWithTheNextMessage) {
  const IdBatch first = Movies(100, 1), second = Movies(100, 2, 1001), third = Movies(100, 3, 2001),
                last = Movies(10, 4, 3001);
  EXPECT_EQ(Run(first).fetched, 100);
  tmdb_.Outage(clock_.Mono(), clock_.Mono() + seconds(5), FakeTmdb::Fault::kDeniedKey);
  EXPECT_EQ(Run(second).fetched, 100) << "TMDB had a bad moment";
  tmdb_.Outage(clock_.Mono(), clock_.Mono() + minutes(30), FakeTmdb::Fault::kDeniedKey);
  EXPECT_EQ(Run(third, minutes(10)).left, 100);
  Run(last);
  Entries(last);
  EXPECT_TRUE(summary_.denied);
}

TEST_F(CollectorFunctionTest, TellsOfDeadLettersAndWhy) {
  const IdBatch batch = Movies(60);
  tmdb_.Break(MovieId(9), FakeTmdb::Fault::kServerError);
  tmdb_.Break(MovieId(10), FakeTmdb::Fault::kBadRequest);
  const auto done = Run(batch, minutes(10));
  EXPECT_EQ(done.failed, 2);
  EXPECT_EQ(done.fetched, 58);
  const auto entries = Entries(batch);
  EXPECT_EQ(entries.at(MovieId(9)).kind, Kind::kFailed);
  EXPECT_NE(entries.at(MovieId(9)).reason.find("movie:9"), std::string::npos) << entries.at(MovieId(9)).reason;
  EXPECT_NE(entries.at(MovieId(10)).reason.find("400"), std::string::npos) << entries.at(MovieId(10)).reason;
}

TEST_F(CollectorFunctionTest, KeepsTheRateAcrossMessagesAndProcesses) {
  for (std::int64_t number = 1; number <= 8; ++number) {
    if (number % 2 == 1) NewProcess();
    Run(Movies(60, number, number * 1000));
  }
  EXPECT_EQ(tmdb_.counters().arrived, 480);
  EXPECT_EQ(tmdb_.counters().throttled, 0);
  EXPECT_LE(tmdb_.counters().most_in_a_second, 40);
}

TEST_F(CollectorFunctionTest, TakesTheRateFromTheMessage) {
  IdBatch slow = Movies(20, 1), fast = Movies(20, 2, 101);
  slow.rate = 2;
  const MonoTime began = clock_.Mono();
  Run(slow);
  EXPECT_GT(clock_.Mono() - began, seconds(10));
  EXPECT_LE(tmdb_.counters().most_in_a_second, 2);
  const MonoTime then = clock_.Mono();
  Run(fast);
  EXPECT_LT(clock_.Mono() - then, seconds(5));
}

TEST_F(CollectorFunctionTest, AnswersAnEmptyMessageWithAnEmptyBundle) {
  const IdBatch batch = Movies(0);
  const auto done = Run(batch);
  EXPECT_EQ(done.bytes, bucket_.objects.at(BundleKey(batch.name)).bytes.size());
  EXPECT_TRUE(Entries(batch).empty());
  EXPECT_EQ(tmdb_.counters().arrived, 0);
}

TEST_F(CollectorFunctionTest, SurvivesATmdbThatFailsInEveryWay) {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    FakeTmdb rough(clock_, {.seed = seed, .faults = 0.1});
    MakeOver(rough);
    IdBatch batch{.name = BatchName(200, std::int64_t(seed)), .lane = 0, .rate = 40, .items = {}};
    for (std::int64_t id = 1; id <= 300; ++id) {
      rough.Add(MovieId(id));
      batch.items.push_back({MovieId(id)});
    }
    const auto done = Run(batch, minutes(10));
    EXPECT_EQ(done.fetched + done.failed + done.left, 300);
    EXPECT_GT(done.fetched, 290);
    EXPECT_EQ(rough.counters().started_without_room, 0);
    EXPECT_LE(rough.counters().most_in_a_second, 40);
    for (const auto& [id, entry] : Entries(batch)) {
      if (entry.kind != Kind::kFetched) continue;
      EXPECT_EQ(entry.documents.at(0).data, rough.Body(id, DefaultNamespaces().at(MediaType::kMovie)));
    }
  }
}

// Bodies of 3 MB that nothing makes smaller.
class FatTransport final : public http::HttpTransport {
 public:
  explicit FatTransport(FakeTmdb& inner) : inner_(inner) {}
  http::RequestId Start(http::Request request, std::function<void()> on_send) override {
    return inner_.Start(std::move(request), std::move(on_send));
  }
  std::vector<http::Outcome> Wait(MonoTime deadline) override {
    std::vector<http::Outcome> outcomes = inner_.Wait(deadline);
    for (http::Outcome& outcome : outcomes) {
      if (!outcome.response || outcome.response->status != 200) continue;
      std::string noise(3 << 20, ' ');
      for (char& c : noise) c = char('#' + random_() % 56);
      std::string& body = outcome.response->body;
      body.insert(body.rfind('}'), fmt::format(R"(,"noise":"{}")", noise));
    }
    return outcomes;
  }
  int Room() const override { return inner_.Room(); }
  int InFlight() const override { return inner_.InFlight(); }
  void Cancel(http::RequestId id) override { inner_.Cancel(id); }

 private:
  FakeTmdb& inner_;
  std::minstd_rand random_{7};
};

TEST_F(CollectorFunctionTest, StopsWhenTheBundleIsFull) {
  FakeTmdb plain(clock_, {.gzip = 0});
  FatTransport fat(plain);
  MakeOver(fat);
  IdBatch batch = Movies(200);
  for (const IdBatch::Item& item : batch.items) plain.Add(item.id);
  batch.rate = 4;
  const auto done = Run(batch, minutes(10));
  EXPECT_GE(done.fetched, 16);
  EXPECT_LE(done.fetched, 26);
  EXPECT_LT(plain.counters().arrived, 40) << "nothing is asked for in vain";
  EXPECT_EQ(Count(batch, Kind::kLeft), 200 - done.fetched);
}

}  // namespace
}  // namespace tmdbc
