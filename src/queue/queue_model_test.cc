// SPDX-License-Identifier: MIT
// The SQLite queue against its model, the queue in memory: the same random calls on the same clock,
// transactions that commit or roll back around them, kills between them; every answer must be the same, and
// the tables consistent.
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "queue/memory_queue.h"
#include "queue/sqlite_queue.h"
#include "queue/sqlite_world_test.h"
#include "testing/fake_clock.h"
#include "testing/seeds.h"

namespace tmdbc::testing {
namespace {

using std::chrono::seconds;

constexpr MediaType kTypes[] = {MediaType::kMovie, MediaType::kTv, MediaType::kKeyword};

class Duel {
 public:
  explicit Duel(std::uint64_t seed) : random_(seed) {}

  void Step() {
    const int dice = Below(100);
    if (dice < 2) {
      SCOPED_TRACE("restart");
      clock_.JumpWall(-jumped_);  // over a restart delays do follow the wall clock: the model's cannot
      jumped_ = {};
      world_.Restart();
      model_->FreeLeases();
      receipts_.clear();  // they died with the process
    } else if (dice < 10) {
      RollBack();
    } else if (dice < 15) {
      ASSERT_TRUE(world_.db().Transact([&]() -> Result<void> {
        for (int calls = Below(5); calls > 0; --calls) Call();
        return {};
      }));
    } else {
      Call();
    }
    CompareViews();
  }

  // No id is in the queue twice, and every derived number is what it is derived from.
  void CheckTables() {
    EXPECT_EQ(
        Number("SELECT count(*) - count(DISTINCT type * 1000000 + id) FROM (SELECT type, id FROM queue_ready "
               "UNION ALL SELECT type, id FROM queue_lease UNION ALL SELECT type, id FROM queue_dead)"),
        0);
    EXPECT_EQ(Number("SELECT count(*) FROM queue_counter WHERE key>0 AND value<>"
                     "(SELECT count(*) FROM queue_ready WHERE type=key)"),
              0);
    EXPECT_EQ(Number("SELECT count(*) FROM queue_batch AS b WHERE messages<1 OR messages<>"
                     "(SELECT count(*) FROM queue_ready AS r WHERE r.batch=b.batch) + "
                     "(SELECT count(*) FROM queue_lease AS l WHERE l.batch=b.batch)"),
              0);
  }

 private:
  struct Pair {
    Receipt real;
    Receipt model;  // 0, which names nothing, when the receive was rolled back
  };

  int Below(int limit) { return std::uniform_int_distribution<int>(0, limit - 1)(random_); }
  SqliteIdQueue& real() { return world_.queue(); }

  std::int64_t Number(const char* sql) {
    Statement statement = world_.db().Prepare(sql).value();
    EXPECT_TRUE(statement.Step().value());
    return statement.Int(0);
  }

  void RollBack() {
    SCOPED_TRACE("rolled back");
    auto snapshot = std::make_unique<MemoryIdQueue>(*model_);
    const std::size_t good = receipts_.size();
    ASSERT_FALSE(world_.db().Transact([&]() -> Result<void> {
      for (int calls = 1 + Below(4); calls > 0; --calls) Call();
      return Fail(ErrorCode::kIo, "power");
    }));
    model_ = std::move(snapshot);
    for (std::size_t i = good; i < receipts_.size(); ++i) receipts_[i].model = 0;
  }

  std::optional<MediaType> SomeType() {
    if (Below(2) == 0) return std::nullopt;
    return kTypes[Below(3)];
  }

  void Call() {
    const int dice = Below(100);
    if (dice < 25) {
      Send();
    } else if (dice < 50) {
      Receive();
    } else if (dice < 85) {
      Settle();
    } else if (dice < 88) {
      const auto type = SomeType();
      EXPECT_EQ(real().Redrive(type, Time::max()).value(), model_->Redrive(type, Time::max()).value());
    } else if (dice < 90) {
      const auto type = SomeType();
      const bool dead = Below(2) == 0;
      EXPECT_EQ(real().Purge(type, dead).value(), model_->Purge(type, dead).value());
    } else if (dice < 98) {
      clock_.Advance(seconds(Below(40)) + Duration(Below(2)));
    } else {
      const seconds by(Below(20'000) - 10'000);
      clock_.JumpWall(by);
      jumped_ += by;
    }
  }

  void Send() {
    std::vector<QueueItem> items;
    for (int n = Below(12); n > 0; --n) items.push_back({{kTypes[Below(3)], Below(60)}, float(Below(6)) / 4});
    if (Below(20) == 0) {  // enough for the long INSERT
      for (int n = 0; n < 250; ++n)
        items.push_back({{MediaType::kMovie, 100 + Below(300)}, float(Below(50))});
    }
    EXPECT_EQ(real().Send(items).value(), model_->Send(items).value());
  }

  void Receive() {
    const int max = Below(10) == 0 ? 150 : Below(8);
    const seconds visibility(Below(60));
    const auto got = real().Receive(max, visibility).value();
    const auto expected = model_->Receive(max, visibility).value();
    ASSERT_EQ(got.size(), expected.size());
    for (std::size_t i = 0; i < got.size(); ++i) {
      EXPECT_EQ(got[i].id, expected[i].id);
      EXPECT_EQ(got[i].popularity, expected[i].popularity);
      EXPECT_EQ(got[i].receive_count, expected[i].receive_count);
      receipts_.push_back({got[i].receipt, expected[i].receipt});
    }
  }

  void Settle() {
    std::vector<Receipt> here, there;
    const int most = Below(5) == 0 ? 200 : 4;
    // Old receipts stay in the bag: void ones are tried all the time.
    for (int n = Below(most); n > 0 && !receipts_.empty(); --n) {
      const Pair& pair = receipts_[receipts_.size() - 1 -
                                   std::size_t(Below(int(std::min<std::size_t>(receipts_.size(), 250))))];
      here.push_back(pair.real);
      there.push_back(pair.model);
    }
    const seconds time(Below(50));
    switch (Below(4)) {
      case 0: {
        const bool uncount = Below(2) == 0;
        ASSERT_TRUE(real().Release(here, time, uncount));
        ASSERT_TRUE(model_->Release(there, time, uncount));
        break;
      }
      case 1:
        ASSERT_TRUE(real().Extend(here, time));
        ASSERT_TRUE(model_->Extend(there, time));
        break;
      case 2:
        if (here.empty()) break;
        ASSERT_TRUE(real().Bury(here[0], "HTTP 500"));
        ASSERT_TRUE(model_->Bury(there[0], "HTTP 500"));
        break;
      default:
        ASSERT_TRUE(real().Settle(here));
        ASSERT_TRUE(model_->Settle(there));
    }
  }

  void CompareViews() {
    EXPECT_EQ(real().Counts().value(), model_->Counts().value());
    EXPECT_EQ(real().OldestSent().value(), model_->OldestSent().value());
    EXPECT_EQ(real().NextVisible().value(), model_->NextVisible().value());
    const auto type = SomeType();
    const int max = Below(30);
    EXPECT_EQ(Text(real().Peek(type, max).value()), Text(model_->Peek(type, max).value()));
    EXPECT_EQ(Text(real().DeadLetters(type, max).value()), Text(model_->DeadLetters(type, max).value()));
  }

  static std::string Text(const std::vector<QueueItem>& items) {
    std::string text;
    for (const QueueItem& item : items) text += fmt::format("{}*{} ", ToString(item.id), item.popularity);
    return text;
  }
  static std::string Text(const std::vector<DeadLetter>& letters) {
    std::string text;
    for (const DeadLetter& letter : letters) {
      text += fmt::format("{}*{} {} {} {}\n", ToString(letter.id), letter.popularity, letter.receive_count,
                          letter.reason, FormatTime(letter.died));
    }
    return text;
  }

  std::mt19937_64 random_;
  FakeClock clock_;
  seconds jumped_{};  // by the wall clock since the last restart
  SqliteQueueWorld world_{clock_, {.max_receives = 3}};
  std::unique_ptr<MemoryIdQueue> model_ =
      std::make_unique<MemoryIdQueue>(clock_, QueueOptions{.max_receives = 3});
  std::vector<Pair> receipts_;
};

TEST(QueueModel, SqliteAndMemoryGiveTheSameAnswersWhateverHappens) {
  // TMDBC_SEEDS=N asks for more than the few of an ordinary run.
  const std::uint64_t seeds = std::max<std::uint64_t>(4, CountFromEnvironment("TMDBC_SEEDS", 200) / 50);
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    Duel duel(seed);
    for (int step = 0; step < 600; ++step) {
      SCOPED_TRACE(fmt::format("seed {} step {}", seed, step));
      duel.Step();
      if (step % 50 == 0) duel.CheckTables();
      if (::testing::Test::HasFailure()) return;
    }
    duel.CheckTables();
  }
}

}  // namespace
}  // namespace tmdbc::testing
