// SPDX-License-Identifier: MIT
// The contract of IdSender and IdReceiver as tests, run by every queue. They look at a queue through the two
// ports alone, for a queue far away has nothing more. Include it in one .cc of a test binary and write there
//   INSTANTIATE_TEST_SUITE_P(Memory, IdQueueContract, ::testing::Values(&MakeMemoryWorld));
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "queue/id_receiver.h"
#include "queue/id_sender.h"
#include "testing/fake_clock.h"

namespace tmdbc::testing {

// A queue and what it stands on.
class QueueWorld {
 public:
  virtual ~QueueWorld() = default;
  virtual IdSender& sender() = 0;
  virtual IdReceiver& receiver() = 0;
  // The process is killed and started again.
  virtual void Restart() = 0;
};

class IdQueueContract
    : public ::testing::TestWithParam<std::unique_ptr<QueueWorld> (*)(const Clock& clock, QueueOptions)> {
 protected:
  using seconds = std::chrono::seconds;
  using minutes = std::chrono::minutes;
  using hours = std::chrono::hours;

  static constexpr int kMaxReceives = 3;

  IdReceiver& queue() { return world_->receiver(); }

  void Send(const std::vector<QueueItem>& items) { ASSERT_TRUE(world_->sender().Send(items)); }
  // In ascending order of the ids: the contract promises none.
  std::vector<Message> Receive(int max = 100, seconds visibility = seconds(60)) {
    auto messages = queue().Receive(max, visibility).value();
    std::ranges::sort(messages, {}, &Message::id);
    return messages;
  }
  void Settle(const std::vector<Receipt>& receipts) { ASSERT_TRUE(queue().Settle(receipts)); }
  void Release(const std::vector<Receipt>& receipts, Duration delay = {}, bool uncount = false) {
    ASSERT_TRUE(queue().Release(receipts, delay, uncount));
  }
  void Extend(const std::vector<Receipt>& receipts, seconds visibility) {
    ASSERT_TRUE(queue().Extend(receipts, visibility));
  }
  // Nothing is in it and nothing will come back.
  void ExpectDrained() {
    EXPECT_FALSE(queue().NextVisible().value());
    clock_.Advance(hours(2));
    EXPECT_EQ(Ids(Receive()), "");
  }

  // "movie:550 tv:1399", in the order given.
  template <class Range>
  static std::string Ids(const Range& range) {
    std::string ids;
    for (const auto& element : range) ids += (ids.empty() ? "" : " ") + ToString(element.id);
    return ids;
  }
  static std::vector<Receipt> Receipts(const std::vector<Message>& messages) {
    std::vector<Receipt> receipts;
    for (const Message& message : messages) receipts.push_back(message.receipt);
    return receipts;
  }

  static constexpr MediaId kFightClub{MediaType::kMovie, 550};
  static constexpr MediaId kThrones{MediaType::kTv, 1399};
  static constexpr MediaId kPitt{MediaType::kPerson, 287};

  FakeClock clock_;
  std::unique_ptr<QueueWorld> world_ = GetParam()(clock_, {.max_receives = kMaxReceives});
};

// --- send and receive ---

TEST_P(IdQueueContract, GivesWhatWasSent) {
  Send({{kFightClub, 83.461F}});
  const auto messages = Receive();
  ASSERT_EQ(messages.size(), 1U);
  EXPECT_EQ(messages[0].id, kFightClub);
  EXPECT_EQ(messages[0].popularity, 83.461F);
  EXPECT_EQ(messages[0].receive_count, 1);
}

TEST_P(IdQueueContract, IsEmptyAtFirst) {
  Send({});
  EXPECT_TRUE(Receive().empty());
  EXPECT_FALSE(queue().NextVisible().value());
}

TEST_P(IdQueueContract, TakesAnyIdOfAnyType) {
  std::vector<QueueItem> items;
  for (const MediaType type : kRecordTypes) {
    for (const std::int64_t id : {std::int64_t(0), std::int64_t(1), (std::int64_t(1) << 32) - 1,
                                  std::int64_t(1) << 32, std::int64_t(1) << 62}) {
      items.push_back({{type, id}, 1.0F});
    }
  }
  Send(items);
  EXPECT_EQ(Ids(Receive(1000)), Ids(items));  // kRecordTypes and the ids above are in ascending order
}

TEST_P(IdQueueContract, GivesEachOfManyThousandIdsOnce) {
  std::vector<QueueItem> items;
  for (std::int64_t id = 1; id <= 5000; ++id) {
    items.push_back({{MediaType::kMovie, id}, float(id * 7919 % 997)});
  }
  Send(items);
  std::vector<MediaId> received;
  for (auto messages = Receive(77); !messages.empty(); messages = Receive(77)) {
    for (const Message& message : messages) received.push_back(message.id);
    Settle(Receipts(messages));
  }
  std::ranges::sort(received);
  ASSERT_EQ(received.size(), items.size());
  for (std::size_t i = 0; i < items.size(); ++i) EXPECT_EQ(received[i], items[i].id);
  ExpectDrained();
}

TEST_P(IdQueueContract, QueuesASettledIdAgain) {
  Send({{kFightClub, 10}});
  Settle(Receipts(Receive()));
  Send({{kFightClub, 20}});
  EXPECT_EQ(Receive().at(0).receive_count, 1);
}

TEST_P(IdQueueContract, GivesNoMoreThanAskedFor) {
  Send({{kFightClub, 3}, {kThrones, 2}, {kPitt, 1}});
  EXPECT_TRUE(Receive(0).empty());
  EXPECT_EQ(Receive(2).size(), 2U);
  EXPECT_EQ(Receive(2).size(), 1U);
  EXPECT_TRUE(Receive(2).empty());
}

TEST_P(IdQueueContract, HidesAMessageUntilItsTimeoutPasses) {
  Send({{kFightClub, 3}});
  Receive(1, seconds(30));
  clock_.Advance(seconds(30) - Duration(1));
  EXPECT_TRUE(Receive().empty());
  clock_.Advance(Duration(1));
  EXPECT_EQ(Receive().at(0).receive_count, 2);
}

TEST_P(IdQueueContract, NamesEachReceiveDifferently) {
  Send({{kFightClub, 3}, {kThrones, 2}});
  const auto first = Receive(2, seconds(30));
  EXPECT_NE(first[0].receipt, first[1].receipt);
  clock_.Advance(seconds(30));
  for (const Message& message : Receive()) {
    EXPECT_NE(message.receipt, first[0].receipt);
    EXPECT_NE(message.receipt, first[1].receipt);
  }
}

TEST_P(IdQueueContract, GivesAMessageThatWasReceivedTooOftenNoMore) {
  Send({{kFightClub, 3}});
  for (int receive = 1; receive <= kMaxReceives; ++receive) {
    EXPECT_EQ(Receive(1, seconds(30)).at(0).receive_count, receive);
    clock_.Advance(seconds(30));
  }
  EXPECT_TRUE(Receive().empty());
  ExpectDrained();
}

// --- settle ---

TEST_P(IdQueueContract, ForgetsWhatIsSettled) {
  Send({{kFightClub, 3}, {kThrones, 2}});
  const auto messages = Receive();
  Settle({messages[0].receipt});
  clock_.Advance(hours(2));
  const auto again = Receive();
  EXPECT_EQ(Ids(again), "tv:1399");
  Settle(Receipts(again));
  ExpectDrained();
}

TEST_P(IdQueueContract, IgnoresUnknownReceipts) {
  Send({{kFightClub, 3}});
  const Receipt receipt = Receive(1, seconds(30)).at(0).receipt;
  const Receipt unknown = receipt + 1'000'000;
  Settle({});
  Settle({unknown, unknown, 0});
  Release({unknown});
  Extend({unknown}, seconds(5));
  ASSERT_TRUE(queue().Bury(unknown, "no reason"));
  EXPECT_EQ(queue().NextVisible().value(), clock_.Now() + seconds(30));
  Settle({unknown, receipt, receipt});
  ExpectDrained();
}

TEST_P(IdQueueContract, VoidsAReceiptWhenTheMessageTimesOut) {
  Send({{kFightClub, 3}});
  const Receipt receipt = Receive(1, seconds(30)).at(0).receipt;
  clock_.Advance(seconds(30));
  Settle({receipt});
  Release({receipt}, minutes(10));
  Extend({receipt}, minutes(10));
  ASSERT_TRUE(queue().Bury(receipt, "too late"));
  const auto again = Receive(1, seconds(30));
  ASSERT_EQ(Ids(again), "movie:550");
  Settle({receipt});
  EXPECT_EQ(queue().NextVisible().value(), clock_.Now() + seconds(30));
  Settle(Receipts(again));
  ExpectDrained();
}

TEST_P(IdQueueContract, VoidsAReceiptWhenTheMessageIsReleased) {
  Send({{kFightClub, 3}});
  const Receipt receipt = Receive().at(0).receipt;
  Release({receipt}, minutes(1));
  Settle({receipt});
  Release({receipt}, {});
  Extend({receipt}, minutes(30));
  ASSERT_TRUE(queue().Bury(receipt, "too late"));
  EXPECT_TRUE(Receive().empty());
  clock_.Advance(minutes(1));
  EXPECT_EQ(Ids(Receive()), "movie:550");
}

TEST_P(IdQueueContract, GivesADeadLetterNoMore) {
  Send({{kThrones, 3.5F}});
  ASSERT_TRUE(queue().Bury(Receive().at(0).receipt, "get tv:1399: HTTP 503 after 5 tries"));
  ExpectDrained();
}

// --- release and extend ---

TEST_P(IdQueueContract, GivesAReleasedMessageAgainAtOnce) {
  Send({{kFightClub, 3}, {kThrones, 2}});
  Release({Receive().at(0).receipt});
  const auto again = Receive();
  EXPECT_EQ(Ids(again), "movie:550");
  EXPECT_EQ(again[0].receive_count, 2);
}

TEST_P(IdQueueContract, HoldsAReleasedMessageBackForItsDelay) {
  Send({{kFightClub, 3}});
  Release(Receipts(Receive()), seconds(90));
  clock_.Advance(seconds(90) - Duration(1));
  EXPECT_TRUE(Receive().empty());
  clock_.Advance(Duration(1));
  EXPECT_EQ(Ids(Receive()), "movie:550");
}

TEST_P(IdQueueContract, DoesNotCountAReceiveThatIsTakenBack) {
  Send({{kFightClub, 3}});
  for (int i = 0; i < 5 * kMaxReceives; ++i) {
    const auto messages = Receive();
    ASSERT_EQ(messages.size(), 1U);
    EXPECT_EQ(messages[0].receive_count, 1);
    Release(Receipts(messages), {}, true);
  }
}

TEST_P(IdQueueContract, KeepsAnExtendedMessageHiddenFromNowOn) {
  Send({{kFightClub, 3}});
  const auto messages = Receive(1, seconds(30));
  clock_.Advance(seconds(20));
  Extend(Receipts(messages), seconds(30));
  clock_.Advance(seconds(29));
  EXPECT_TRUE(Receive().empty());
  clock_.Advance(seconds(1));
  EXPECT_EQ(Receive().at(0).receive_count, 2);
}

TEST_P(IdQueueContract, CutsEveryDelayToTheLongest) {
  Send({{kFightClub, 3}, {kThrones, 2}});
  const auto messages = Receive(2, hours(100));
  Release({messages[1].receipt}, hours(100));
  Send({{kPitt, 1}});
  Extend(Receipts(Receive(1)), hours(100));
  clock_.Advance(QueueOptions().longest_hidden - Duration(1));
  EXPECT_TRUE(Receive().empty());
  clock_.Advance(Duration(1));
  EXPECT_EQ(Ids(Receive()), "movie:550 tv:1399 person:287");
}

TEST_P(IdQueueContract, TakesANegativeDelayForNone) {
  Send({{kFightClub, 3}});
  Release(Receipts(Receive()), -seconds(5));
  EXPECT_EQ(Ids(Receive(1, seconds(-5))), "movie:550");
  EXPECT_EQ(Ids(Receive()), "movie:550");
}

TEST_P(IdQueueContract, IsNotMovedByTheWallClock) {
  Send({{kFightClub, 3}, {kThrones, 2}});
  const auto messages = Receive(2, seconds(60));
  Release({messages[1].receipt}, seconds(30));
  clock_.JumpWall(hours(24));
  EXPECT_TRUE(Receive().empty());
  clock_.JumpWall(-hours(48));
  clock_.Advance(seconds(30));
  const auto released = Receive();
  EXPECT_EQ(Ids(released), "tv:1399");
  Settle({messages[0].receipt, released.at(0).receipt});
  ExpectDrained();
}

TEST_P(IdQueueContract, TellsWhenTheNextMessageBecomesVisible) {
  Send({{kFightClub, 3}, {kThrones, 2}, {kPitt, 1}});
  EXPECT_EQ(queue().NextVisible().value(), clock_.Now());
  const Time start = clock_.Now();
  const auto messages = Receive(3, seconds(60));
  EXPECT_EQ(queue().NextVisible().value(), start + seconds(60));
  Release({messages[0].receipt}, seconds(45));
  EXPECT_EQ(queue().NextVisible().value(), start + seconds(45));
  clock_.Advance(seconds(45));
  EXPECT_EQ(queue().NextVisible().value(), clock_.Now());
  Settle({Receive().at(0).receipt});
  EXPECT_EQ(queue().NextVisible().value(), start + seconds(60));
  clock_.JumpWall(hours(1));
  EXPECT_EQ(queue().NextVisible().value(), clock_.Now() + seconds(15));
  clock_.Advance(seconds(25));
  EXPECT_EQ(queue().NextVisible().value(), clock_.Now()) << "it became visible, and nobody has received it";
  Settle(Receipts(Receive()));
  EXPECT_FALSE(queue().NextVisible().value());
}

// --- restart ---

TEST_P(IdQueueContract, MakesWhatAKilledProcessHadReceivedVisibleAtOnce) {
  Send({{kFightClub, 3}, {kThrones, 2}});
  const auto before = Receive(2, minutes(30));
  Settle({before[1].receipt});
  world_->Restart();
  const auto messages = Receive();
  EXPECT_EQ(Ids(messages), "movie:550");
  EXPECT_EQ(messages[0].receive_count, 2);
}

TEST_P(IdQueueContract, GivesUpAMessageThatKillsItsReader) {
  Send({{kFightClub, 3}});
  for (int i = 0; i < kMaxReceives; ++i) {
    EXPECT_EQ(Ids(Receive(1)), "movie:550");
    world_->Restart();
  }
  EXPECT_TRUE(Receive(1).empty());
}

TEST_P(IdQueueContract, KeepsDelaysOverARestart) {
  Send({{kFightClub, 3}});
  Release(Receipts(Receive()), seconds(30));
  clock_.Advance(seconds(10));
  world_->Restart();
  EXPECT_EQ(queue().NextVisible().value(), clock_.Now() + seconds(20));
  EXPECT_TRUE(Receive().empty());
  clock_.Advance(seconds(20));
  EXPECT_EQ(Ids(Receive()), "movie:550");
}

}  // namespace tmdbc::testing
