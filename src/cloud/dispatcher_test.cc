// SPDX-License-Identifier: MIT
#include "cloud/dispatcher.h"

#include <gtest/gtest.h>

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "queue/sqlite_queue.h"
#include "storage/record_writer.h"
#include "testing/fake_clock.h"
#include "testing/fault_file_system.h"

namespace tmdbc {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using testing::FakeClock;

constexpr ChannelCounts kBusy{.waiting = 3, .in_flight = 1};
constexpr ChannelCounts kIdleChannel{};

// What a collector tells of its work.
BundleSummary Useful(std::int64_t throttled = 0, double seconds = 0) {
  BundleSummary summary;
  summary.requests = 100;
  summary.throttled = throttled;
  summary.seconds = seconds;
  summary.answered = true;
  return summary;
}
BundleSummary Useless(std::int64_t requests = 7) {
  BundleSummary summary;
  summary.requests = requests;
  return summary;
}

std::vector<MediaId> IdsOf(const std::vector<IdBatch>& batches) {
  std::vector<MediaId> ids;
  for (const IdBatch& batch : batches)
    for (const IdBatch::Item& item : batch.items) ids.push_back(item.id);
  return ids;
}

std::vector<std::size_t> SizesOf(const std::vector<IdBatch>& batches) {
  std::vector<std::size_t> sizes;
  for (const IdBatch& batch : batches) sizes.push_back(batch.items.size());
  return sizes;
}

class DispatcherTest : public ::testing::Test {
 protected:
  DispatcherTest() { Open(); }
  // The next cycle, on the same catalog.
  void Open(DispatchOptions options = {}) {
    dispatcher_.reset();
    queue_ = SqliteIdQueue::Open(catalog_, clock_, kOwnersQueue).value();
    dispatcher_.emplace(Dispatcher::Open(catalog_, *queue_, ledger_, clock_, options).value());
  }
  void SendMovies(std::int64_t from, std::int64_t to) {
    std::vector<QueueItem> items;
    for (std::int64_t id = from; id <= to; ++id) items.push_back({{MediaType::kMovie, id}, float(to - id)});
    ASSERT_TRUE(queue_->Send(items));
  }
  std::vector<IdBatch> HandOut(const ChannelCounts& counts = kBusy, bool hold = false) {
    auto batches = dispatcher_->HandOut(++epoch_, counts, hold);
    EXPECT_TRUE(batches) << batches.error().message;
    return batches.value_or(std::vector<IdBatch>());
  }
  void CameBack(const IdBatch& batch, const BatchOutcome& outcome, const BundleSummary& summary = Useful()) {
    const auto done = dispatcher_->CameBack(batch.name, outcome, summary);
    ASSERT_TRUE(done) << done.error().message;
  }
  void Done(const IdBatch& batch) {
    BatchOutcome outcome;
    for (const auto& item : batch.items) outcome.done.push_back(item.id);
    CameBack(batch, outcome);
  }
  QueueCounts Movies() { return queue_->Counts().value()[MediaType::kMovie]; }

  FakeClock clock_;
  testing::FaultFileSystem files_;
  Database catalog_ = Database::Open(":memory:", Database::Mode::kReadWrite).value();
  std::unique_ptr<RecordWriter> writer_ = RecordWriter::Open(files_, catalog_, clock_, {}).value();
  RecordLedger ledger_{catalog_};
  std::unique_ptr<SqliteIdQueue> queue_;
  std::optional<Dispatcher> dispatcher_;
  std::int64_t epoch_ = 0;
};

TEST(DispatchBounds, FollowTheRate) {
  struct Case {
    double rate;
    int concurrency, lanes;
    std::int64_t window;
    int batch;
  };
  for (const Case& c : {Case{40, 5, 1, 47'040, 2000}, Case{3, 5, 1, 10'584, 176}, Case{0.1, 5, 1, 352, 5},
                        Case{10, 5, 1, 11'760, 588}, Case{80, 5, 2, 94'080, 2000}, Case{81, 5, 3, 95'256, 1587},
                        Case{400, 5, 5, 470'400, 2000}, Case{400, 1, 1, 470'400, 2000}}) {
    EXPECT_EQ(LanesFor(c.rate, c.concurrency), c.lanes) << c.rate;
    EXPECT_EQ(WindowFor(c.rate), c.window) << c.rate;
    EXPECT_EQ(BatchIdsFor(c.rate, c.lanes), c.batch) << c.rate;
  }
}

TEST_F(DispatcherTest, HandsOutTheMostUrgentUpToTheWindow) {
  Open({.rate = 3});
  SendMovies(1, 12'000);
  const auto batches = HandOut();
  EXPECT_EQ(batches.size(), 61u);  // of 176: 10,584 are two cycles' work
  const auto ids = IdsOf(batches);
  EXPECT_EQ(ids.size(), 61u * 176);
  EXPECT_EQ(ids.front().id, 1);
  EXPECT_EQ(ids.back().id, 61 * 176);
  EXPECT_EQ(batches[0].name, "000000001-0001");
  EXPECT_EQ(batches[60].name, "000000001-0061");
  EXPECT_DOUBLE_EQ(batches[0].rate, 3);
  EXPECT_EQ(dispatcher_->CountOut().value().batches, 61);
  EXPECT_EQ(dispatcher_->CountOut().value().ids, 61 * 176);
  // Nothing more before something comes back.
  EXPECT_TRUE(HandOut().empty());
  Done(batches[0]);
  Done(batches[1]);
  EXPECT_EQ(SizesOf(HandOut()), (std::vector<std::size_t>{176, 176}));
}

TEST_F(DispatcherTest, KeepsEveryMessageWithinItsBounds) {
  for (std::int64_t season = 0; season < 3'000; ++season) {
    Document document;
    document.id = {MediaType::kSeason, 1'000'000 + season};
    document.tv_id = 1399;
    document.season_number = season;
    document.data = "{}";
    ASSERT_TRUE(writer_->Put(document));
  }
  ASSERT_TRUE(writer_->Commit({}));
  ASSERT_TRUE(queue_->Send({{{{MediaType::kTv, 1399}, 1e6F}}}));
  std::vector<QueueItem> people;
  for (std::int64_t id = 0; id < 2'500; ++id) people.push_back({{MediaType::kPerson, 4'000'000'000 + id}, 1});
  ASSERT_TRUE(queue_->Send(people));
  const auto batches = HandOut();
  std::size_t ids = 0;
  for (const IdBatch& batch : batches) {
    EXPECT_LE(FormatIdBatch(batch).size(), kMostBatchBytes);
    EXPECT_LE(batch.items.size(), kMostBatchIds);
    ids += batch.items.size();
  }
  EXPECT_EQ(ids, 2'501u);
  EXPECT_EQ(batches[0].items[0].seasons.size(), 3'000u);
}

TEST_F(DispatcherTest, SharesTheRateAmongTheLanes) {
  Open({.rate = 80, .concurrency = 5});
  SendMovies(1, 10'000);
  const auto batches = HandOut();
  std::set<int> lanes;
  for (const IdBatch& batch : batches) {
    EXPECT_DOUBLE_EQ(batch.rate, 40);
    lanes.insert(batch.lane);
  }
  EXPECT_EQ(lanes, (std::set{0, 1}));
}

TEST_F(DispatcherTest, SettlesBuriesAndKeepsWhatABundleSays) {
  SendMovies(1, 5);
  const auto batch = HandOut().at(0);
  CameBack(batch, {.failed = {{{MediaType::kMovie, 2}, "get movie:2: HTTP 503 after 5 tries"}},
                   .done = {{MediaType::kMovie, 1}, {MediaType::kMovie, 4}}});
  EXPECT_EQ(Movies(), (QueueCounts{.waiting = 2, .dead = 1}));  // 3 and 5 were left
  EXPECT_EQ(queue_->DeadLetters({}, 9).value().at(0).reason, "get movie:2: HTTP 503 after 5 tries");
  EXPECT_EQ(dispatcher_->CountOut().value().batches, 0);
  const auto again = HandOut();
  EXPECT_EQ(IdsOf(again), (std::vector<MediaId>{{MediaType::kMovie, 3}, {MediaType::kMovie, 5}}));
}

TEST_F(DispatcherTest, ABundleOfABatchThatIsNotKnownChangesNothing) {
  SendMovies(1, 5);
  const auto batch = HandOut().at(0);
  Done(batch);
  SendMovies(1, 5);
  const auto later = HandOut();
  Done(batch);  // the message had come twice
  EXPECT_EQ(Movies(), (QueueCounts{.in_flight = 5}));
  Done(later.at(0));
  EXPECT_EQ(Movies(), QueueCounts{});
}

TEST_F(DispatcherTest, AnIdQueuedAgainWhileItIsOutGoesOnceMore) {
  SendMovies(1, 1);
  const auto batch = HandOut().at(0);
  SendMovies(1, 1);
  Done(batch);
  EXPECT_EQ(Movies(), (QueueCounts{.waiting = 1}));
}

TEST_F(DispatcherTest, WhatIsOutStaysOutWhenTheCatalogIsOpenedAgain) {
  SendMovies(1, 5);
  const auto batch = HandOut().at(0);
  clock_.Advance(hours(5));
  Open();
  EXPECT_TRUE(HandOut().empty());
  Done(batch);
  EXPECT_EQ(Movies(), QueueCounts{});
}

TEST_F(DispatcherTest, AnOverdueBatchGoesOutInEightPartsAndAPoisonousIdIsBuriedInTheEnd) {
  SendMovies(1, 2'000);
  const MediaId poison{MediaType::kMovie, 777};
  std::vector<IdBatch> out = HandOut();
  std::vector<std::size_t> sizes;
  int rounds = 0;
  for (; Movies().dead == 0 && rounds < 12; ++rounds) {
    // Every batch without the poison comes back, the other one never.
    std::size_t size = 0;
    for (const IdBatch& batch : out) {
      if (std::ranges::any_of(batch.items, [&](const auto& item) { return item.id == poison; })) {
        size = batch.items.size();
      } else {
        Done(batch);
      }
    }
    sizes.push_back(size);
    clock_.Advance(kOverdue + minutes(1));
    Open();
    out = HandOut();
  }
  EXPECT_EQ(sizes, (std::vector<std::size_t>{2000, 250, 32, 4, 1, 1, 1}));
  EXPECT_EQ(Movies(), (QueueCounts{.dead = 1}));
  const DeadLetter letter = queue_->DeadLetters({}, 9).value().at(0);
  EXPECT_EQ(letter.id, poison);
  EXPECT_EQ(letter.reason, "went out 3 times, never came back whole");
}

// Collectors that all die, of a deployment that does not start say: each round has eight times as many messages.
TEST_F(DispatcherTest, HoweverOftenEverythingIsSplitEachBatchHasAName) {
  SendMovies(1, 20'000);
  std::set<std::string> names;
  for (int round = 0; round < 4; ++round) {
    // What one cycle has no names for has the next.
    for (bool more = true; more; clock_.Advance(minutes(11))) {
      Open();
      const auto batches = HandOut();
      more = std::ssize(batches) >= kMostBatches;
      EXPECT_LE(std::ssize(batches), kMostBatches + 8);
      for (const IdBatch& batch : batches) {
        EXPECT_TRUE(IsBatchName(batch.name)) << batch.name;
        EXPECT_TRUE(names.insert(batch.name).second) << batch.name;
      }
    }
    clock_.Advance(kOverdue);
  }
  EXPECT_GT(std::ssize(names), 10 + 80 + 640 + kMostBatches);
  EXPECT_EQ(dispatcher_->CountOut().value().ids, 20'000);
  EXPECT_EQ(Movies(), (QueueCounts{.in_flight = 20'000}));
}

TEST_F(DispatcherTest, LanesOfTwoRatesAreNeverAtWorkTogether) {
  Open({.rate = 40});
  SendMovies(1, 60'000);
  const auto slow = HandOut();
  ASSERT_GT(slow.size(), 2u);
  Open({.rate = 60});  // two lanes of 30: beside one of 40 they would be 70 a second
  Done(slow[0]);
  EXPECT_TRUE(HandOut().empty());
  Open({.rate = 60});
  for (std::size_t i = 1; i < slow.size(); ++i) Done(slow[i]);
  const auto fast = HandOut();
  ASSERT_FALSE(fast.empty());
  EXPECT_DOUBLE_EQ(fast[0].rate, 30);
  // What is sent again goes by the lanes of its own time.
  Open({.rate = 40});
  const auto again = dispatcher_->Unsent(0);
  ASSERT_TRUE(again && !again->empty());
  EXPECT_DOUBLE_EQ(again->front().rate, 20);
  // A rate that needs as many lanes goes out behind what is out in them.
  SendMovies(60'001, 60'010);
  Open({.rate = 50});
  EXPECT_FALSE(HandOut().empty());
}

TEST_F(DispatcherTest, WhatWasLostOnTheWayIsSentAgainWhenTheChannelWasFoundEmptyTwice) {
  SendMovies(1, 5);
  const auto first = HandOut(kIdleChannel);  // empty because nothing was out
  EXPECT_EQ(first.size(), 1u);
  clock_.Advance(minutes(5));
  EXPECT_TRUE(HandOut(kIdleChannel).empty());
  EXPECT_FALSE(dispatcher_->NothingOut(kIdleChannel).value());
  clock_.Advance(minutes(1));
  EXPECT_TRUE(HandOut(kIdleChannel).empty()) << "what the channel counts may be a minute old";
  clock_.Advance(minutes(5));
  EXPECT_TRUE(dispatcher_->NothingOut(kIdleChannel).value());
  EXPECT_EQ(SizesOf(HandOut(kIdleChannel)), (std::vector<std::size_t>{5}));
}

TEST_F(DispatcherTest, AChannelThatIsAtWorkLosesNothing) {
  SendMovies(1, 5);
  HandOut(kIdleChannel);
  for (int i = 0; i < 20; ++i) {
    clock_.Advance(minutes(5));
    EXPECT_TRUE(HandOut(i % 2 == 0 ? kIdleChannel : kBusy).empty());
  }
}

TEST_F(DispatcherTest, WhatLiesAmongTheDeadLettersOfTheChannelGoesOutInParts) {
  SendMovies(1, 16);
  HandOut();
  for (int i = 0; i < 2; ++i) {
    clock_.Advance(minutes(5));
    const auto batches = HandOut({.dead = 1});
    EXPECT_EQ(SizesOf(batches), i == 0 ? std::vector<std::size_t>{} : std::vector<std::size_t>(8, 2));
  }
}

TEST_F(DispatcherTest, HandsOutNothingWhileItIsHeld) {
  SendMovies(1, 5);
  EXPECT_TRUE(HandOut(kBusy, true).empty());
  EXPECT_TRUE(dispatcher_->NothingOut(kIdleChannel).value());
  EXPECT_FALSE(dispatcher_->NothingOut(kBusy).value()) << "a message may outlive its row";
  const auto batch = HandOut().at(0);
  clock_.Advance(kOverdue + minutes(1));
  EXPECT_TRUE(HandOut(kBusy, true).empty());
  EXPECT_EQ(Movies(), (QueueCounts{.waiting = 5}));
}

TEST_F(DispatcherTest, ProbesWithTenIdsWhileTmdbIsDown) {
  SendMovies(1, 5'000);
  const auto batches = HandOut();
  for (const IdBatch& batch : batches) CameBack(batch, {}, Useless());
  EXPECT_EQ(Movies(), (QueueCounts{.waiting = 5'000}));
  Open();
  auto probe = HandOut();
  EXPECT_EQ(SizesOf(probe), (std::vector<std::size_t>{10}));
  EXPECT_TRUE(HandOut().empty()) << "one at a time";
  CameBack(probe[0], {}, Useless());
  probe = HandOut();
  EXPECT_EQ(SizesOf(probe), (std::vector<std::size_t>{10}));
  Done(probe[0]);
  EXPECT_EQ(SizesOf(HandOut()), (std::vector<std::size_t>{2000, 2000, 990}));
}

TEST_F(DispatcherTest, ABundleThatAskedNothingSaysNothingOfTmdb) {
  SendMovies(1, 5'000);
  CameBack(HandOut().at(0), {}, Useless(0));
  EXPECT_EQ(HandOut().at(0).items.size(), 2000u);
}

TEST_F(DispatcherTest, HandsOutNothingWhileTheKeyIsRefusedUntilSomebodyAsks) {
  SendMovies(1, 100);
  BundleSummary refused = Useless(1);
  refused.denied = true;
  CameBack(HandOut().at(0), {}, refused);
  Open();
  EXPECT_EQ(dispatcher_->stopped(), "TMDB refuses the key");
  EXPECT_TRUE(HandOut().empty());
  ASSERT_TRUE(dispatcher_->TryAgain());
  EXPECT_FALSE(dispatcher_->stopped());
  const auto probe = HandOut();
  EXPECT_EQ(SizesOf(probe), (std::vector<std::size_t>{10}));
  Done(probe[0]);
  EXPECT_EQ(HandOut().at(0).items.size(), 90u);
}

TEST_F(DispatcherTest, LeavesMoreOfTheRateUnusedAfter429sAndLessAgainWithTime) {
  SendMovies(1, 100);
  CameBack(HandOut().at(0), {}, Useful(3, 60));
  Open();
  auto batch = HandOut().at(0);
  EXPECT_DOUBLE_EQ(batch.rate, 39.2);
  CameBack(batch, {}, Useful(1, 60));
  batch = HandOut().at(0);
  EXPECT_DOUBLE_EQ(batch.rate, 38.4);
  CameBack(batch, {}, Useful(0, 1200));
  batch = HandOut().at(0);
  EXPECT_DOUBLE_EQ(batch.rate, 39.2);
  CameBack(batch, {}, Useful(0, 12'000));
  EXPECT_DOUBLE_EQ(HandOut().at(0).rate, 40);
}

TEST_F(DispatcherTest, KnowsWhatMayNotHaveReachedTheChannel) {
  SendMovies(1, 2'500);
  const auto first = HandOut();
  SendMovies(10'001, 10'100);
  const auto second = HandOut();
  Open();
  EXPECT_EQ(dispatcher_->Unsent(0).value().size(), 3u);
  const auto unsent = dispatcher_->Unsent(1).value();
  ASSERT_EQ(unsent.size(), 1u);
  EXPECT_EQ(unsent[0], second[0]);
  EXPECT_TRUE(dispatcher_->Unsent(2).value().empty());
}

}  // namespace
}  // namespace tmdbc
