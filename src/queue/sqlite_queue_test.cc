// SPDX-License-Identifier: MIT
// What SqliteIdQueue promises beyond the contracts of its ports (id_queue_test.cc runs those): transactions that
// are joined, full disks, readers in another process, and that it stays the same queue as the one in memory,
// whatever happens.
#include "queue/sqlite_queue.h"

#include <gtest/gtest.h>

#include <fstream>
#include <limits>

#include "queue/sqlite_world_test.h"
#include "testing/fake_clock.h"

namespace tmdbc::testing {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr MediaId kFightClub{MediaType::kMovie, 550};
constexpr MediaId kThrones{MediaType::kTv, 1399};

std::vector<QueueItem> Movies(std::int64_t first, std::int64_t last) {
  std::vector<QueueItem> items;
  for (std::int64_t id = first; id <= last; ++id) items.push_back({{MediaType::kMovie, id}, float(id % 100)});
  return items;
}

std::vector<Receipt> Receipts(const std::vector<Message>& messages) {
  std::vector<Receipt> receipts;
  for (const Message& message : messages) receipts.push_back(message.receipt);
  return receipts;
}

class SqliteQueue : public ::testing::Test {
 protected:
  SqliteIdQueue& queue() { return world_.queue(); }
  Database& db() { return world_.db(); }
  std::vector<Message> Receive(int max = 100) { return queue().Receive(max, seconds(60)).value(); }
  QueueCounts MovieCounts() { return queue().Counts().value()[MediaType::kMovie]; }
  // Runs `work` in a transaction that fails at its end.
  void RollBack(const std::function<void()>& work) {
    const auto done = db().Transact([&]() -> Result<void> {
      work();
      return Fail(ErrorCode::kIo, "power");
    });
    ASSERT_FALSE(done);
  }
  // From now on the file cannot grow by more than `pages`.
  void LimitDisk(std::int64_t pages) {
    Statement count = db().Prepare("PRAGMA page_count").value();
    ASSERT_TRUE(count.Step().value());
    const std::int64_t limit = count.Int(0) + pages;
    count.Reset();
    Statement set = db().Prepare(fmt::format("PRAGMA max_page_count={}", limit)).value();
    ASSERT_TRUE(set.Step().value());
    ASSERT_EQ(set.Int(0), limit);
  }

  FakeClock clock_;
  SqliteQueueWorld world_{clock_, {.max_receives = 3}};
};

// --- joined transactions ---

TEST_F(SqliteQueue, AcknowledgesInTheTransactionOfTheStore) {
  ASSERT_TRUE(db().Execute("CREATE TABLE record(id INTEGER PRIMARY KEY)"));
  ASSERT_TRUE(queue().Send({{{kFightClub, 9}, {kThrones, 5}}}));
  const auto messages = Receive();
  ASSERT_TRUE(db().Transact([&]() -> Result<void> {
    TRY(db().Execute("INSERT INTO record VALUES (550)"));
    return queue().Settle({{messages[0].receipt}});
  }));
  world_.Restart();
  Statement records = db().Prepare("SELECT count(*) FROM record").value();
  ASSERT_TRUE(records.Step().value());
  EXPECT_EQ(records.Int(0), 1);
  EXPECT_EQ(MovieCounts(), QueueCounts{});
  EXPECT_EQ(Receive().at(0).id, kThrones);
}

TEST_F(SqliteQueue, KeepsAMessageWhoseAcknowledgementIsRolledBack) {
  ASSERT_TRUE(queue().Send({{{kFightClub, 9}}}));
  const auto messages = Receive();
  RollBack([&] { ASSERT_TRUE(queue().Settle(Receipts(messages))); });
  EXPECT_EQ(MovieCounts(), (QueueCounts{.in_flight = 1}));
  ASSERT_TRUE(queue().Settle(Receipts(messages)));  // the receipt is as good as before
  EXPECT_EQ(MovieCounts(), QueueCounts{});
  EXPECT_EQ(queue().Send({{{kFightClub, 9}}}).value(), 1);
}

TEST_F(SqliteQueue, ForgetsThatAnIdWasSentAgainWhenThatIsRolledBack) {
  ASSERT_TRUE(queue().Send({{{kFightClub, 9}, {kThrones, 5}}}));
  const auto messages = Receive(1);
  RollBack([&] { EXPECT_EQ(queue().Send({{{kFightClub, 9}, {kThrones, 10}}}).value(), 0); });
  EXPECT_EQ(queue().Peek({}, 1).value().at(0).popularity, 5);
  ASSERT_TRUE(queue().Settle(Receipts(messages)));
  EXPECT_EQ(MovieCounts(), QueueCounts{});
}

TEST_F(SqliteQueue, QueuesAnIdWhoseFirstSendWasRolledBack) {
  ASSERT_TRUE(queue().Send({{{kThrones, 5}}}));
  RollBack([&] { EXPECT_EQ(queue().Send({{{kFightClub, 9}, {kThrones, 5}}}).value(), 1); });
  EXPECT_EQ(MovieCounts(), QueueCounts{});
  EXPECT_EQ(queue().Send({{{kFightClub, 9}, {kThrones, 5}}}).value(), 1);
  EXPECT_EQ(Receive().size(), 2U);
}

TEST_F(SqliteQueue, TellsARolledBackSendFromTheCommittedOneAfterIt) {
  ASSERT_TRUE(queue().Send(Movies(1, 10)));
  // The same number of changes on both sides: nothing but their identity tells them apart.
  RollBack([&] { EXPECT_EQ(queue().Send(Movies(11, 20)).value(), 10); });
  EXPECT_EQ(queue().Send(Movies(21, 30)).value(), 10);
  EXPECT_EQ(queue().Send(Movies(1, 30)).value(), 10);
  EXPECT_EQ(MovieCounts(), (QueueCounts{.waiting = 30}));
}

TEST_F(SqliteQueue, ForgetsAPurgeThatIsRolledBack) {
  ASSERT_TRUE(queue().Send(Movies(1, 10)));
  RollBack([&] {
    EXPECT_EQ(queue().Purge({}, false).value(), 10);
    EXPECT_EQ(queue().Send(Movies(1, 5)).value(), 5);
  });
  EXPECT_EQ(queue().Send(Movies(1, 12)).value(), 2);
}

TEST_F(SqliteQueue, NeverGivesAReceiptTwiceThoughAReceiveWasRolledBack) {
  ASSERT_TRUE(queue().Send({{{kFightClub, 9}, {kThrones, 5}}}));
  std::vector<Receipt> rolled_back;
  RollBack([&] { rolled_back = Receipts(Receive()); });
  const auto messages = Receive();
  ASSERT_EQ(messages.size(), 2U);
  EXPECT_EQ(messages[0].receive_count, 1);
  ASSERT_TRUE(queue().Settle(rolled_back));
  EXPECT_EQ(MovieCounts(), (QueueCounts{.in_flight = 1}));
}

// --- full disk ---

TEST_F(SqliteQueue, SendsNothingWhenTheDiskIsFullAndGoesOnWhenItIsNot) {
  ASSERT_TRUE(queue().Send(Movies(1, 1000)));
  LimitDisk(2);
  const auto sent = queue().Send(Movies(900, 20'000));
  ASSERT_FALSE(sent);
  EXPECT_EQ(sent.error().code, ErrorCode::kNoSpace);
  EXPECT_EQ(sent.error().message, "send 19101 ids to the queue: database or disk is full");
  EXPECT_EQ(MovieCounts(), (QueueCounts{.waiting = 1000}));
  EXPECT_EQ(queue().Send(Movies(1001, 1003)).value(), 3);  // what fits still goes

  LimitDisk(10'000);
  EXPECT_EQ(queue().Send(Movies(900, 20'000)).value(), 19'000 - 3);
  EXPECT_EQ(MovieCounts(), (QueueCounts{.waiting = 20'000}));
}

TEST_F(SqliteQueue, LosesNothingWhenTheStoreFindsTheDiskFullAfterTheAcknowledgement) {
  ASSERT_TRUE(db().Execute("CREATE TABLE record(body BLOB)"));
  ASSERT_TRUE(queue().Send(Movies(1, 100)));
  const auto messages = Receive();
  LimitDisk(2);
  const auto commit = [&](int bytes) {
    return db().Transact([&]() -> Result<void> {
      TRY(queue().Settle(Receipts(messages)));
      TRY(queue().Send(Movies(101, 110)));
      return db().Execute(fmt::format("INSERT INTO record VALUES (zeroblob({}))", bytes));
    });
  };
  const auto full = commit(1'000'000);
  ASSERT_FALSE(full);
  EXPECT_EQ(full.error().code, ErrorCode::kNoSpace);
  EXPECT_EQ(MovieCounts(), (QueueCounts{.in_flight = 100}));

  LimitDisk(10'000);
  ASSERT_TRUE(commit(1'000'000));
  EXPECT_EQ(MovieCounts(), (QueueCounts{.waiting = 10}));
  EXPECT_EQ(queue().Send(Movies(1, 110)).value(), 100);
}

TEST_F(SqliteQueue, ReceivesOnAFullDiskOrChangesNothing) {
  ASSERT_TRUE(queue().Send(Movies(1, 50'000)));
  LimitDisk(0);
  std::int64_t received = 0;
  for (;;) {
    const auto messages = queue().Receive(1000, seconds(60));
    if (!messages) {
      EXPECT_EQ(messages.error().code, ErrorCode::kNoSpace);
      break;
    }
    if (messages->empty()) break;
    received += std::int64_t(messages->size());
  }
  EXPECT_EQ(MovieCounts(), (QueueCounts{.waiting = 50'000 - received, .in_flight = received}));
}

// --- readers ---

TEST_F(SqliteQueue, ShowsItselfToAnotherProcessWhileItIsWritten) {
  ASSERT_TRUE(queue().Send(Movies(1, 10)));
  auto messages = Receive(4);
  ASSERT_TRUE(queue().Bury(messages[0].receipt, "get movie:10: HTTP 500 after 5 tries"));
  ASSERT_TRUE(queue().Release({{messages[1].receipt}}, minutes(5), false));

  Database beside = Database::Open(world_.path(), Database::Mode::kReadOnly).value();
  SqliteQueueView reader(beside, clock_);
  EXPECT_EQ(reader.Counts().value()[MediaType::kMovie],
            (QueueCounts{.waiting = 6, .delayed = 1, .in_flight = 2, .dead = 1}));
  EXPECT_EQ(reader.Peek({}, 1).value().at(0).id.id, 6);
  EXPECT_EQ(reader.DeadLetters({}, 1).value().at(0).reason, "get movie:10: HTTP 500 after 5 tries");
  EXPECT_EQ(reader.OldestSent().value(), clock_.Now());
  EXPECT_EQ(reader.NextVisible().value(), clock_.Now());

  ASSERT_TRUE(db().Transact([&]() -> Result<void> {
    TRY(queue().Send(Movies(11, 20)));
    EXPECT_EQ(reader.Counts().value()[MediaType::kMovie].waiting, 6);  // not committed yet
    return {};
  }));
  EXPECT_EQ(reader.Counts().value()[MediaType::kMovie].waiting, 16);
  ASSERT_TRUE(queue().Settle({{messages[2].receipt}}));
  EXPECT_EQ(reader.Counts().value()[MediaType::kMovie].in_flight, 1);
}

TEST_F(SqliteQueue, IsEmptyToAReaderUntilItIsMade) {
  const TempFolder folder;
  Database writer = Database::Open(folder / "catalog.db", Database::Mode::kReadWrite).value();
  ASSERT_TRUE(writer.Execute("CREATE TABLE record(id)"));
  Database beside = Database::Open(folder / "catalog.db", Database::Mode::kReadOnly).value();
  SqliteQueueView reader(beside, clock_);
  EXPECT_TRUE(reader.Counts().value().empty());
  EXPECT_TRUE(reader.Peek({}, 10).value().empty());
  EXPECT_TRUE(reader.DeadLetters({}, 10).value().empty());
  EXPECT_FALSE(reader.NextVisible().value());
  EXPECT_FALSE(reader.OldestSent().value());

  const auto made = SqliteIdQueue::Open(writer, clock_).value();
  ASSERT_TRUE(made->Send({{{kFightClub, 1}}}));
  EXPECT_EQ(reader.Counts().value()[MediaType::kMovie], (QueueCounts{.waiting = 1}));
}

// --- restarts, clocks, bad input ---

TEST_F(SqliteQueue, DoesNotFreezeAMessageWhenTheWallClockIsSetBackOverARestart) {
  clock_.JumpWall(hours(1000));
  world_.Restart();
  ASSERT_TRUE(queue().Send({{{kFightClub, 9}}}));
  ASSERT_TRUE(queue().Release(Receipts(Receive()), minutes(5), false));
  clock_.JumpWall(-hours(1000));
  world_.Restart();
  EXPECT_EQ(Receive().at(0).id, kFightClub);
}

TEST_F(SqliteQueue, LeavesInFlightWhatOthersHoldWhenItIsToldSo) {
  const QueueOptions options{.free_on_open = false, .longest_hidden = hours(12)};
  ASSERT_TRUE(queue().Send({{{kFightClub, 9}, {kThrones, 5}}}));
  auto owner = SqliteIdQueue::Open(db(), clock_, options).value();
  const auto held = owner->Receive(1, hours(12)).value();
  clock_.Advance(hours(11));
  owner = SqliteIdQueue::Open(db(), clock_, options).value();
  EXPECT_EQ(owner->Receive(10, seconds(60)).value().at(0).id, kThrones);
  EXPECT_TRUE(owner->Receive(10, seconds(60)).value().empty());
  ASSERT_TRUE(owner->Settle(Receipts(held)));
  EXPECT_EQ(owner->Counts().value()[MediaType::kMovie], QueueCounts{});
}

TEST_F(SqliteQueue, OpensTheTablesOfAnEarlierVersion) {
  ASSERT_TRUE(queue().Send({{{kFightClub, 9}}}));
  Receive();
  ASSERT_TRUE(db().Execute("ALTER TABLE queue_lease DROP COLUMN again"));
  world_.Restart();
  EXPECT_EQ(Receive().at(0).receive_count, 2);
}

TEST_F(SqliteQueue, RaisesManyAmongMany) {
  ASSERT_TRUE(queue().Send(Movies(1, 20'000)));
  std::vector<QueueItem> raised;
  for (std::int64_t id = 7; id <= 20'000; id += 200) raised.push_back({{MediaType::kMovie, id}, 1e6F});
  EXPECT_EQ(queue().Send(raised).value(), 0);
  EXPECT_EQ(MovieCounts(), (QueueCounts{.waiting = 20'000}));
  const auto first = queue().Peek({}, 101).value();
  EXPECT_EQ(first[0].id.id, 7);
  EXPECT_EQ(first[99].popularity, 1e6F);
  EXPECT_LT(first[100].popularity, 1e6F);
}

TEST_F(SqliteQueue, BuriesByTheLimitOfThisRunNotOfTheLast) {
  ASSERT_TRUE(queue().Send({{{kFightClub, 9}, {kThrones, 5}}}));
  for (int i = 0; i < 2; ++i) ASSERT_TRUE(queue().Release(Receipts(Receive(1)), {}, false));
  const auto strict = SqliteIdQueue::Open(db(), clock_, {.max_receives = 2}).value();
  EXPECT_EQ(strict->Receive(10, seconds(60)).value().at(0).id, kThrones);
  EXPECT_EQ(strict->DeadLetters({}, 10).value().at(0).reason, "received 2 times and never settled");
}

TEST_F(SqliteQueue, TakesWhatIsNoPopularityForNone) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  ASSERT_TRUE(queue().Send({{{{MediaType::kMovie, 4}, nan},
                             {{MediaType::kMovie, 3}, -5.0F},
                             {{MediaType::kMovie, 2}, -0.0F},
                             {{MediaType::kMovie, 5}, 1e-45F},
                             {{MediaType::kMovie, 6}, std::numeric_limits<float>::infinity()}}}));
  std::string order;
  for (const Message& message : Receive()) order += fmt::format("{}:{} ", message.id.id, message.popularity);
  EXPECT_EQ(order, "6:inf 5:1e-45 2:0 3:0 4:0 ");
}

TEST_F(SqliteQueue, SaysThatTheFileIsDamagedInsteadOfGivingRubbish) {
  ASSERT_TRUE(queue().Send(Movies(1, 20'000)));
  ASSERT_TRUE(db().Execute("PRAGMA wal_checkpoint(TRUNCATE)"));
  {
    std::fstream file(world_.path(), std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(30 * 4096);
    file << std::string(std::size_t(10 * 4096), '\xa5');
    ASSERT_TRUE(file.good());
  }
  world_.Restart();
  Result<std::vector<Message>> messages;
  do {
    messages = queue().Receive(100, seconds(60));
  } while (messages && !messages->empty());
  ASSERT_FALSE(messages);
  EXPECT_EQ(messages.error().code, ErrorCode::kCorrupt);
  EXPECT_EQ(messages.error().message, "receive from the queue: database disk image is malformed");
}

}  // namespace
}  // namespace tmdbc::testing
