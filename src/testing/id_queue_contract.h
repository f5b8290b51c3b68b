// SPDX-License-Identifier: MIT
// The contract of IdQueue as tests, run by every implementation. Include it in one .cc of a test binary and
// write there
//   INSTANTIATE_TEST_SUITE_P(Memory, IdQueueContract, ::testing::Values(&MakeMemoryWorld));
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "queue/id_queue.h"
#include "testing/fake_clock.h"

namespace tmdbc::testing {

// A queue and what it stands on.
class QueueWorld {
 public:
  virtual ~QueueWorld() = default;
  virtual IdQueue& queue() = 0;
  // The process is killed and started again.
  virtual void Restart() = 0;
};

using MakeQueueWorld = std::unique_ptr<QueueWorld> (*)(const Clock& clock, QueueOptions options);

class IdQueueContract : public ::testing::TestWithParam<MakeQueueWorld> {
 protected:
  using seconds = std::chrono::seconds;
  using minutes = std::chrono::minutes;
  using hours = std::chrono::hours;

  static constexpr int kMaxReceives = 3;

  IdQueue& queue() { return world_->queue(); }

  std::int64_t Send(const std::vector<QueueItem>& items) { return queue().Send(items).value(); }
  std::vector<Message> Receive(int max = 100, seconds visibility = seconds(60)) {
    return queue().Receive(max, visibility).value();
  }
  void Delete(const std::vector<Receipt>& receipts) { ASSERT_TRUE(queue().Delete(receipts)); }
  void Release(const std::vector<Receipt>& receipts, Duration delay = {}, bool uncount = false) {
    ASSERT_TRUE(queue().Release(receipts, delay, uncount));
  }
  void Extend(const std::vector<Receipt>& receipts, seconds visibility) {
    ASSERT_TRUE(queue().Extend(receipts, visibility));
  }
  QueueCounts CountsOf(MediaType type) { return queue().Counts().value()[type]; }

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

// --- send and the receive order ---

TEST_P(IdQueueContract, GivesWhatWasSent) {
  EXPECT_EQ(Send({{kFightClub, 83.461F}}), 1);
  const auto messages = Receive();
  ASSERT_EQ(messages.size(), 1U);
  EXPECT_EQ(messages[0].id, kFightClub);
  EXPECT_EQ(messages[0].popularity, 83.461F);
  EXPECT_EQ(messages[0].receive_count, 1);
}

TEST_P(IdQueueContract, IsEmptyAtFirst) {
  EXPECT_EQ(Send({}), 0);
  EXPECT_TRUE(Receive().empty());
  EXPECT_TRUE(queue().Counts().value().empty());
  EXPECT_TRUE(queue().Peek({}, 10).value().empty());
  EXPECT_TRUE(queue().DeadLetters({}, 10).value().empty());
  EXPECT_EQ(queue().Redrive({}, Time::max()).value(), 0);
  EXPECT_EQ(queue().Purge({}, false).value(), 0);
  EXPECT_EQ(queue().Purge({}, true).value(), 0);
  EXPECT_FALSE(queue().NextVisible().value());
  EXPECT_FALSE(queue().OldestSent().value());
}

TEST_P(IdQueueContract, GivesTheMostPopularFirstWhateverTheTypeOrTheSend) {
  Send({{{MediaType::kMovie, 1}, 2.5F}, {{MediaType::kTv, 1}, 90.0F}, {{MediaType::kPerson, 1}, 0.6F}});
  Send({{{MediaType::kMovie, 2}, 300.25F}, {{MediaType::kTv, 2}, 2.0F}, {{MediaType::kPerson, 2}, 91.0F}});
  EXPECT_EQ(Ids(Receive()), "movie:2 person:2 tv:1 movie:1 tv:2 person:1");
}

TEST_P(IdQueueContract, GivesEquallyPopularIdsInAscendingOrder) {
  Send({{{MediaType::kPerson, 2}, 1}, {{MediaType::kMovie, 9}, 1}, {{MediaType::kMovie, 10}, 1}});
  Send({{{MediaType::kTv, 5}, 1}, {{MediaType::kMovie, 3}, 1}, {{MediaType::kPerson, 1}, 1}});
  EXPECT_EQ(Ids(Receive()), "movie:3 movie:9 movie:10 tv:5 person:1 person:2");
}

TEST_P(IdQueueContract, TellsNeighbouringPopularitiesApart) {
  Send({{{MediaType::kMovie, 1}, 0.0F},
        {{MediaType::kMovie, 2}, 1.8133F},
        {{MediaType::kMovie, 3}, std::nextafter(1.8133F, 2.0F)},
        {{MediaType::kMovie, 4}, 3.4e38F},
        {{MediaType::kMovie, 5}, 1e-40F}});
  const auto messages = Receive();
  EXPECT_EQ(Ids(messages), "movie:4 movie:3 movie:2 movie:5 movie:1");
  EXPECT_EQ(messages[1].popularity, std::nextafter(1.8133F, 2.0F));
  EXPECT_EQ(messages[3].popularity, 1e-40F);
  EXPECT_EQ(messages[4].popularity, 0.0F);
}

TEST_P(IdQueueContract, TakesAnyIdOfAnyType) {
  std::vector<QueueItem> items;
  for (const MediaType type : kRecordTypes) {
    for (const std::int64_t id : {std::int64_t(0), std::int64_t(1), (std::int64_t(1) << 32) - 1,
                                  std::int64_t(1) << 32, std::int64_t(1) << 62}) {
      items.push_back({{type, id}, 1.0F});
    }
  }
  EXPECT_EQ(Send(items), std::int64_t(items.size()));
  EXPECT_EQ(Send(items), 0);
  EXPECT_EQ(Ids(Receive(1000)), Ids(items));  // kRecordTypes and the ids above are in ascending order
}

TEST_P(IdQueueContract, KeepsTheOrderOfAManyThousandIds) {
  std::vector<QueueItem> items;
  for (std::int64_t id = 1; id <= 5000; ++id) {
    items.push_back({{id % 3 == 0 ? MediaType::kTv : MediaType::kMovie, id}, float(id * 7919 % 997)});
  }
  EXPECT_EQ(Send(items), 5000);
  std::ranges::sort(items, [](const QueueItem& a, const QueueItem& b) {
    return a.popularity != b.popularity ? a.popularity > b.popularity : a.id < b.id;
  });
  std::string received;
  for (auto messages = Receive(77); !messages.empty(); messages = Receive(77)) {
    received += (received.empty() ? "" : " ") + Ids(messages);
    Delete(Receipts(messages));
  }
  EXPECT_EQ(received, Ids(items));
  EXPECT_TRUE(queue().Counts().value().empty());
}

TEST_P(IdQueueContract, RaisesAWaitingMessageThatIsSentWithAHigherPopularity) {
  const Time start = clock_.Now();
  Send({{kFightClub, 10}, {kThrones, 5}});
  clock_.Advance(seconds(1));
  EXPECT_EQ(Send({{kThrones, 99}, {kFightClub, 3}, {kPitt, 1}}), 1);
  EXPECT_EQ(CountsOf(MediaType::kTv), (QueueCounts{.waiting = 1}));
  EXPECT_EQ(Ids(queue().Peek({}, 10).value()), "tv:1399 movie:550 person:287");
  const auto messages = Receive();
  EXPECT_EQ(Ids(messages), "tv:1399 movie:550 person:287");
  EXPECT_EQ(messages[0].popularity, 99);
  EXPECT_EQ(messages[1].popularity, 10) << "never lowered";
  Delete({messages[1].receipt, messages[2].receipt});
  EXPECT_EQ(queue().OldestSent().value(), start) << "it keeps its age";
}

TEST_P(IdQueueContract, MergesWithinOneSendAndTheHighestCounts) {
  EXPECT_EQ(Send({{kFightClub, 1}, {kThrones, 2}, {kFightClub, 3}, {kFightClub, 2}}), 2);
  EXPECT_EQ(Ids(Receive()), "movie:550 tv:1399");
}

TEST_P(IdQueueContract, GivesAnIdThatWasSentWhileInFlightOnceMore) {
  Send({{kFightClub, 10}, {kThrones, 1}});
  const auto messages = Receive();
  EXPECT_EQ(Send({{kFightClub, 20}, {kFightClub, 10}}), 0);
  EXPECT_TRUE(Receive().empty()) << "not twice at the same time";
  EXPECT_EQ(CountsOf(MediaType::kMovie), (QueueCounts{.in_flight = 1}));
  Delete(Receipts(messages));
  EXPECT_EQ(CountsOf(MediaType::kMovie), (QueueCounts{.waiting = 1}));
  const auto again = Receive();
  ASSERT_EQ(Ids(again), "movie:550");
  EXPECT_EQ(again[0].popularity, 20);
  EXPECT_EQ(again[0].receive_count, 1);
  Delete(Receipts(again));
  EXPECT_TRUE(queue().Counts().value().empty());
  EXPECT_FALSE(queue().OldestSent().value());
  EXPECT_EQ(Send({{kFightClub, 1}}), 1);
}

TEST_P(IdQueueContract, GivesAnIdThatWasSentWhileInFlightOnlyOnceWhenItIsNotSettled) {
  Send({{kFightClub, 10}, {kThrones, 5}, {kPitt, 1}});
  const auto messages = Receive(3, seconds(30));
  Send({{kFightClub, 10}, {kThrones, 5}, {kPitt, 1}});
  Release({messages[0].receipt});
  ASSERT_TRUE(queue().Bury(messages[1].receipt, "no"));
  clock_.Advance(seconds(30));
  const auto again = Receive();
  EXPECT_EQ(Ids(again), "movie:550 person:287");
  EXPECT_EQ(again[0].receive_count, 2);
  Delete(Receipts(again));
  EXPECT_EQ(queue().Counts().value(), (std::map<MediaType, QueueCounts>{{MediaType::kTv, {.dead = 1}}}));
}

TEST_P(IdQueueContract, MergesASecondSendWithTheDelayedMessage) {
  Send({{kFightClub, 10}});
  Release(Receipts(Receive()), minutes(5));
  EXPECT_EQ(Send({{kFightClub, 10}}), 0);
  EXPECT_TRUE(Receive().empty());
  EXPECT_EQ(Send({{kFightClub, 30}, {kThrones, 20}}), 1);
  clock_.Advance(minutes(5));
  const auto messages = Receive();
  EXPECT_EQ(Ids(messages), "movie:550 tv:1399");
  EXPECT_EQ(messages[0].receive_count, 2);
}

TEST_P(IdQueueContract, MergesASecondSendWithTheDeadLetterWhichStaysDead) {
  Send({{kFightClub, 10}});
  ASSERT_TRUE(queue().Bury(Receive().at(0).receipt, "get movie:550: HTTP 500 after 5 tries"));
  EXPECT_EQ(Send({{kFightClub, 10}}), 0);
  EXPECT_TRUE(Receive().empty());
  EXPECT_EQ(CountsOf(MediaType::kMovie), (QueueCounts{.dead = 1}));
}

TEST_P(IdQueueContract, QueuesASettledIdAgain) {
  Send({{kFightClub, 10}});
  Delete(Receipts(Receive()));
  EXPECT_EQ(Send({{kFightClub, 20}}), 1);
  EXPECT_EQ(Receive().at(0).receive_count, 1);
}

// --- receive ---

TEST_P(IdQueueContract, GivesNoMoreThanAskedFor) {
  Send({{kFightClub, 3}, {kThrones, 2}, {kPitt, 1}});
  EXPECT_TRUE(Receive(0).empty());
  EXPECT_EQ(Ids(Receive(2)), "movie:550 tv:1399");
  EXPECT_EQ(Ids(Receive(2)), "person:287");
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

TEST_P(IdQueueContract, PutsATimedOutMessageBackInItsPlace) {
  Send({{kFightClub, 3}, {kThrones, 2}, {kPitt, 1}});
  Receive(2, seconds(30));
  clock_.Advance(seconds(30));
  EXPECT_EQ(Ids(Receive()), "movie:550 tv:1399 person:287");
}

TEST_P(IdQueueContract, NamesEachReceiveAnew) {
  Send({{kFightClub, 3}, {kThrones, 2}});
  const auto first = Receive(2, seconds(30));
  EXPECT_NE(first[0].receipt, first[1].receipt);
  clock_.Advance(seconds(30));
  const auto second = Receive();
  for (const Message& message : second) {
    EXPECT_NE(message.receipt, first[0].receipt);
    EXPECT_NE(message.receipt, first[1].receipt);
  }
}

TEST_P(IdQueueContract, BuriesAMessageThatWasReceivedTooOften) {
  Send({{kFightClub, 3}, {kThrones, 2}});
  for (int receive = 1; receive <= kMaxReceives; ++receive) {
    const auto messages = Receive(1, seconds(30));
    ASSERT_EQ(Ids(messages), "movie:550");
    EXPECT_EQ(messages[0].receive_count, receive);
    clock_.Advance(seconds(30));
  }
  const Time died = clock_.Now();
  EXPECT_EQ(Ids(Receive(1)), "tv:1399");  // in its stead
  const auto letters = queue().DeadLetters({}, 10).value();
  ASSERT_EQ(letters.size(), 1U);
  EXPECT_EQ(letters[0].id, kFightClub);
  EXPECT_EQ(letters[0].popularity, 3);
  EXPECT_EQ(letters[0].receive_count, kMaxReceives);
  EXPECT_EQ(letters[0].reason, "received 3 times and never settled");
  EXPECT_EQ(letters[0].died, died);
}

// --- delete ---

TEST_P(IdQueueContract, ForgetsWhatIsSettled) {
  Send({{kFightClub, 3}, {kThrones, 2}});
  Delete({Receive(1).at(0).receipt});
  clock_.Advance(hours(2));
  EXPECT_EQ(Ids(Receive()), "tv:1399");
}

TEST_P(IdQueueContract, IgnoresUnknownReceipts) {
  Send({{kFightClub, 3}});
  const Receipt receipt = Receive().at(0).receipt;
  const Receipt unknown = receipt + 1'000'000;
  Delete({});
  Delete({unknown, unknown, 0});
  Release({unknown});
  Extend({unknown}, seconds(5));
  ASSERT_TRUE(queue().Bury(unknown, "no reason"));
  EXPECT_EQ(CountsOf(MediaType::kMovie), (QueueCounts{.in_flight = 1}));
  Delete({unknown, receipt, receipt});
  EXPECT_TRUE(queue().Counts().value().empty());
}

TEST_P(IdQueueContract, VoidsAReceiptWhenTheMessageTimesOut) {
  Send({{kFightClub, 3}});
  const Receipt receipt = Receive(1, seconds(30)).at(0).receipt;
  clock_.Advance(seconds(30));
  Delete({receipt});
  Release({receipt}, minutes(10));
  Extend({receipt}, minutes(10));
  ASSERT_TRUE(queue().Bury(receipt, "too late"));
  EXPECT_EQ(CountsOf(MediaType::kMovie), (QueueCounts{.waiting = 1}));
  const auto again = Receive();
  ASSERT_EQ(Ids(again), "movie:550");
  Delete({receipt});
  EXPECT_EQ(CountsOf(MediaType::kMovie), (QueueCounts{.in_flight = 1}));
  Delete(Receipts(again));
  EXPECT_TRUE(queue().Counts().value().empty());
}

TEST_P(IdQueueContract, VoidsAReceiptWhenTheMessageIsReleased) {
  Send({{kFightClub, 3}});
  const Receipt receipt = Receive().at(0).receipt;
  Release({receipt}, minutes(1));
  Delete({receipt});
  Release({receipt}, {});
  Extend({receipt}, minutes(30));
  ASSERT_TRUE(queue().Bury(receipt, "too late"));
  EXPECT_EQ(CountsOf(MediaType::kMovie), (QueueCounts{.delayed = 1}));
  clock_.Advance(minutes(1));
  EXPECT_EQ(Ids(Receive()), "movie:550");
}

// --- release and extend ---

TEST_P(IdQueueContract, GivesAReleasedMessageAgainAtOnceInItsPlace) {
  Send({{kFightClub, 3}, {kThrones, 2}, {kPitt, 1}});
  const auto messages = Receive(2);
  Release(Receipts(messages));
  const auto again = Receive();
  EXPECT_EQ(Ids(again), "movie:550 tv:1399 person:287");
  EXPECT_EQ(again[0].receive_count, 2);
  EXPECT_EQ(again[2].receive_count, 1);
}

TEST_P(IdQueueContract, HoldsAReleasedMessageBackForItsDelay) {
  Send({{kFightClub, 3}});
  Release(Receipts(Receive()), seconds(90));
  clock_.Advance(seconds(90) - Duration(1));
  EXPECT_TRUE(Receive().empty());
  EXPECT_EQ(CountsOf(MediaType::kMovie), (QueueCounts{.delayed = 1}));
  clock_.Advance(Duration(1));
  EXPECT_EQ(CountsOf(MediaType::kMovie), (QueueCounts{.waiting = 1}));
  EXPECT_EQ(Ids(Receive()), "movie:550");
}

TEST_P(IdQueueContract, GivesRetriesThatAreDueInTheOrderOfPopularity) {
  Send({{{MediaType::kMovie, 1}, 1},
        {{MediaType::kTv, 2}, 2},
        {{MediaType::kMovie, 3}, 3},
        {{MediaType::kTv, 4}, 4}});
  const auto messages = Receive();  // 4 3 2 1
  Release({messages[3].receipt}, seconds(1));
  Release({messages[0].receipt, messages[1].receipt, messages[2].receipt}, seconds(2));
  Send({{kPitt, 2.5F}});
  clock_.Advance(seconds(2));
  EXPECT_EQ(Ids(Receive()), "tv:4 movie:3 person:287 tv:2 movie:1");
}

TEST_P(IdQueueContract, DoesNotCountAReceiveThatIsTakenBack) {
  Send({{kFightClub, 3}});
  for (int i = 0; i < 5 * kMaxReceives; ++i) {
    const auto messages = Receive();
    ASSERT_EQ(messages.size(), 1U);
    EXPECT_EQ(messages[0].receive_count, 1);
    Release(Receipts(messages), {}, true);
  }
  EXPECT_EQ(CountsOf(MediaType::kMovie), (QueueCounts{.waiting = 1}));
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
  Send({{kFightClub, 3}, {kThrones, 2}, {kPitt, 1}});
  const auto messages = Receive(2, hours(100));
  Release({messages[1].receipt}, hours(100));
  Extend(Receipts(Receive(1)), hours(100));
  clock_.Advance(IdQueue::kMaxHidden - Duration(1));
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
  EXPECT_EQ(Ids(Receive()), "tv:1399");
  Delete({messages[0].receipt});
  EXPECT_EQ(CountsOf(MediaType::kMovie), QueueCounts{});
}

// --- dead letters ---

TEST_P(IdQueueContract, BuriesAMessageWithItsReason) {
  Send({{kThrones, 3.5F}});
  clock_.Advance(seconds(7));
  ASSERT_TRUE(queue().Bury(Receive().at(0).receipt, "get tv:1399: \"HTTP 503\" after 5 tries – naïve"));
  clock_.Advance(hours(3));
  EXPECT_TRUE(Receive().empty());
  const auto letters = queue().DeadLetters({}, 10).value();
  ASSERT_EQ(letters.size(), 1U);
  EXPECT_EQ(letters[0].id, kThrones);
  EXPECT_EQ(letters[0].popularity, 3.5F);
  EXPECT_EQ(letters[0].receive_count, 1);
  EXPECT_EQ(letters[0].reason, "get tv:1399: \"HTTP 503\" after 5 tries – naïve");
  EXPECT_EQ(letters[0].died, clock_.Now() - hours(3));
}

TEST_P(IdQueueContract, ListsDeadLettersNewestFirst) {
  Send({{kFightClub, 3}, {kThrones, 2}, {kPitt, 1}});
  for (const Message& message : Receive()) {
    clock_.JumpWall(-minutes(1));  // newest is what came last, whatever the wall clock said
    ASSERT_TRUE(queue().Bury(message.receipt, "no"));
  }
  EXPECT_EQ(Ids(queue().DeadLetters({}, 10).value()), "person:287 tv:1399 movie:550");
  EXPECT_EQ(Ids(queue().DeadLetters({}, 2).value()), "person:287 tv:1399");
  EXPECT_EQ(Ids(queue().DeadLetters(MediaType::kMovie, 2).value()), "movie:550");
  EXPECT_EQ(Ids(queue().DeadLetters(MediaType::kKeyword, 2).value()), "");
  EXPECT_EQ(Ids(queue().DeadLetters({}, 0).value()), "");
}

TEST_P(IdQueueContract, RedrivesDeadLettersAsIfSentNow) {
  Send({{kFightClub, 3}, {kThrones, 20}, {kPitt, 1}});
  const auto messages = Receive(2);
  for (const Message& message : messages) ASSERT_TRUE(queue().Bury(message.receipt, "no"));
  clock_.Advance(hours(5));
  EXPECT_EQ(queue().Redrive({}, Time::max()).value(), 2);
  EXPECT_EQ(queue().Redrive({}, Time::max()).value(), 0);
  EXPECT_TRUE(queue().DeadLetters({}, 10).value().empty());
  EXPECT_EQ(Send({{kFightClub, 3}}), 0);
  const auto again = Receive();
  EXPECT_EQ(Ids(again), "tv:1399 movie:550 person:287");
  EXPECT_EQ(again[0].receive_count, 1);
  Delete({again[2].receipt});
  EXPECT_EQ(queue().OldestSent().value(), clock_.Now());
}

TEST_P(IdQueueContract, RedrivesWhatDiedBefore) {
  Send({{kFightClub, 3}, {kThrones, 20}, {kPitt, 1}});
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(queue().Bury(Receive(1).at(0).receipt, "no"));
    clock_.Advance(hours(1));
  }
  EXPECT_EQ(queue().Redrive({}, clock_.Now() - hours(3)).value(), 0);
  EXPECT_EQ(queue().Redrive(MediaType::kMovie, clock_.Now() - hours(2)).value(), 0);
  EXPECT_EQ(queue().Redrive({}, clock_.Now() - hours(1)).value(), 2);
  EXPECT_EQ(Ids(queue().DeadLetters({}, 10).value()), "person:287");
  EXPECT_EQ(Ids(Receive()), "tv:1399 movie:550");
}

TEST_P(IdQueueContract, RedrivesOneType) {
  Send({{kFightClub, 3}, {kThrones, 20}});
  for (const Message& message : Receive()) ASSERT_TRUE(queue().Bury(message.receipt, "no"));
  EXPECT_EQ(queue().Redrive(MediaType::kTv, Time::max()).value(), 1);
  EXPECT_EQ(Ids(Receive()), "tv:1399");
  EXPECT_EQ(Ids(queue().DeadLetters({}, 10).value()), "movie:550");
}

// --- peek and purge ---

TEST_P(IdQueueContract, ShowsWhatWouldComeNextWithoutReceivingIt) {
  Send({{{MediaType::kMovie, 1}, 9}, {kFightClub, 3}, {kThrones, 20}, {kPitt, 1}});
  Release({Receive(2).at(1).receipt}, seconds(10));  // tv in flight, movie:1 delayed
  EXPECT_EQ(Ids(queue().Peek({}, 10).value()), "movie:550 person:287");
  clock_.Advance(seconds(10));
  EXPECT_EQ(Ids(queue().Peek({}, 2).value()), "movie:1 movie:550");
  EXPECT_EQ(Ids(queue().Peek(MediaType::kMovie, 10).value()), "movie:1 movie:550");
  EXPECT_EQ(Ids(queue().Peek(MediaType::kMovie, 1).value()), "movie:1");
  EXPECT_EQ(Ids(queue().Peek(MediaType::kTv, 10).value()), "");
  EXPECT_EQ(Ids(queue().Peek({}, 0).value()), "");
  EXPECT_EQ(queue().Peek({}, 1).value().at(0).popularity, 9);
  const auto messages = Receive();
  EXPECT_EQ(Ids(messages), "movie:1 movie:550 person:287");
  EXPECT_EQ(messages[1].receive_count, 1);
}

TEST_P(IdQueueContract, DoesNotShowWhatTheNextReceiveWillBury) {
  Send({{kFightClub, 3}, {kThrones, 2}});
  for (int i = 0; i < kMaxReceives; ++i) Release({Receive(1).at(0).receipt});
  EXPECT_EQ(Ids(queue().Peek({}, 10).value()), "tv:1399");
  EXPECT_EQ(Ids(Receive()), "tv:1399");
}

TEST_P(IdQueueContract, PurgesEverythingButTheDead) {
  Send({{kFightClub, 3}, {kThrones, 20}, {kPitt, 1}, {{MediaType::kMovie, 1}, 0}});
  const auto messages = Receive(3);
  ASSERT_TRUE(queue().Bury(messages[0].receipt, "no"));
  Release({messages[1].receipt}, minutes(1));
  EXPECT_EQ(queue().Purge({}, false).value(), 3);
  EXPECT_EQ(queue().Counts().value(), (std::map<MediaType, QueueCounts>{{MediaType::kTv, {.dead = 1}}}));
  EXPECT_FALSE(queue().OldestSent().value());
  EXPECT_FALSE(queue().NextVisible().value());
  Delete({messages[2].receipt});
  EXPECT_EQ(Send({{kFightClub, 3}, {kThrones, 20}, {kPitt, 1}}), 2);
  EXPECT_EQ(Ids(Receive()), "movie:550 person:287");
}

TEST_P(IdQueueContract, PurgesOneType) {
  const Time first = clock_.Now();
  Send({{kFightClub, 3}, {kThrones, 20}});
  clock_.Advance(seconds(1));
  Send({{{MediaType::kMovie, 1}, 0}, {kPitt, 30}});
  const auto messages = Receive(3);
  EXPECT_EQ(Ids(messages), "person:287 tv:1399 movie:550");
  EXPECT_EQ(queue().Purge(MediaType::kMovie, false).value(), 2);
  EXPECT_EQ(queue().Purge(MediaType::kMovie, false).value(), 0);
  EXPECT_EQ(queue().Counts().value(),
            (std::map<MediaType, QueueCounts>{{MediaType::kTv, {.in_flight = 1}},
                                              {MediaType::kPerson, {.in_flight = 1}}}));
  EXPECT_EQ(queue().OldestSent().value(), first);
  EXPECT_EQ(queue().Purge(MediaType::kTv, false).value(), 1);
  EXPECT_EQ(queue().OldestSent().value(), clock_.Now());
  EXPECT_EQ(Send({{kFightClub, 3}}), 1);
}

TEST_P(IdQueueContract, PurgesTheDead) {
  Send({{kFightClub, 3}, {kThrones, 20}, {kPitt, 1}});
  for (const Message& message : Receive(2)) ASSERT_TRUE(queue().Bury(message.receipt, "no"));
  EXPECT_EQ(queue().Purge(MediaType::kMovie, true).value(), 1);
  EXPECT_EQ(Ids(queue().DeadLetters({}, 10).value()), "tv:1399");
  EXPECT_EQ(Send({{kFightClub, 3}, {kThrones, 20}}), 1);
  EXPECT_EQ(queue().Purge({}, true).value(), 1);
  EXPECT_EQ(queue().Redrive({}, Time::max()).value(), 0);
  EXPECT_EQ(Ids(Receive()), "movie:550 person:287");
}

// --- what a user asks ---

TEST_P(IdQueueContract, CountsEveryStateOfEveryType) {
  std::vector<QueueItem> items = {{kThrones, 1}};
  for (std::int64_t id = 1; id <= 10; ++id) items.push_back({{MediaType::kMovie, id}, float(10 * id)});
  Send(items);
  const auto messages = Receive(6);
  ASSERT_TRUE(queue().Bury(messages[0].receipt, "no"));
  Release({messages[1].receipt, messages[2].receipt}, minutes(1));
  Release({messages[3].receipt});
  EXPECT_EQ(queue().Counts().value(),
            (std::map<MediaType, QueueCounts>{
                {MediaType::kMovie, {.waiting = 5, .delayed = 2, .in_flight = 2, .dead = 1}},
                {MediaType::kTv, {.waiting = 1}}}));
  clock_.Advance(minutes(1));
  EXPECT_EQ(CountsOf(MediaType::kMovie), (QueueCounts{.waiting = 9, .dead = 1}));
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
  Delete({Receive().at(0).receipt});
  EXPECT_EQ(queue().NextVisible().value(), start + seconds(60));
  clock_.JumpWall(hours(1));
  EXPECT_EQ(queue().NextVisible().value(), clock_.Now() + seconds(15));
  clock_.Advance(seconds(25));
  EXPECT_EQ(queue().NextVisible().value(), clock_.Now()) << "it became visible, and nobody has received it";
  Delete(Receipts(Receive()));
  EXPECT_FALSE(queue().NextVisible().value());
}

TEST_P(IdQueueContract, TellsWhenTheOldestMessageWasSent) {
  const Time start = clock_.Now();
  Send({{kFightClub, 3}, {kThrones, 2}});
  clock_.Advance(seconds(10));
  Send({{kPitt, 100}, {kFightClub, 3}});
  EXPECT_EQ(queue().OldestSent().value(), start);
  const auto messages = Receive(2);
  EXPECT_EQ(Ids(messages), "person:287 movie:550");
  Delete(Receipts(messages));
  EXPECT_EQ(queue().OldestSent().value(), start);
  Release({Receive(1).at(0).receipt}, minutes(1));
  EXPECT_EQ(queue().OldestSent().value(), start);
  clock_.Advance(minutes(1));
  Send({{kPitt, 1}});
  ASSERT_TRUE(queue().Bury(Receive(1).at(0).receipt, "no"));
  EXPECT_EQ(queue().OldestSent().value(), start + seconds(70));
  Delete(Receipts(Receive()));
  EXPECT_FALSE(queue().OldestSent().value());
}

TEST_P(IdQueueContract, AgesByTheOrderOfSendingThoughTheWallClockGoesBack) {
  const Time start = clock_.Now();
  Send({{kFightClub, 3}});
  clock_.JumpWall(-hours(5));
  Send({{kThrones, 2}});
  EXPECT_EQ(queue().OldestSent().value(), start);
}

// --- restart ---

TEST_P(IdQueueContract, MakesWhatAKilledProcessHadReceivedVisibleAtOnce) {
  Send({{kFightClub, 3}, {kThrones, 2}, {kPitt, 1}});
  const auto before = Receive(2, minutes(30));
  Delete({before[1].receipt});
  world_->Restart();
  EXPECT_EQ(CountsOf(MediaType::kMovie), (QueueCounts{.waiting = 1}));
  const auto messages = Receive();
  EXPECT_EQ(Ids(messages), "movie:550 person:287");
  EXPECT_EQ(messages[0].receive_count, 2);
  EXPECT_EQ(messages[1].receive_count, 1);
  EXPECT_EQ(Send({{kFightClub, 3}, {kThrones, 2}, {kPitt, 1}}), 1);
}

TEST_P(IdQueueContract, BuriesAMessageThatKillsItsReader) {
  Send({{kFightClub, 3}, {kThrones, 2}});
  for (int i = 0; i < kMaxReceives; ++i) {
    EXPECT_EQ(Ids(Receive(1)), "movie:550");
    world_->Restart();
  }
  EXPECT_EQ(Ids(Receive(1)), "tv:1399");
  EXPECT_EQ(CountsOf(MediaType::kMovie), (QueueCounts{.dead = 1}));
}

TEST_P(IdQueueContract, KeepsDelaysAndDeadLettersOverARestart) {
  Send({{kFightClub, 3}, {kThrones, 2}});
  const auto messages = Receive();
  Release({messages[0].receipt}, seconds(30));
  ASSERT_TRUE(queue().Bury(messages[1].receipt, "HTTP 500"));
  clock_.Advance(seconds(10));
  world_->Restart();
  EXPECT_EQ(queue().NextVisible().value(), clock_.Now() + seconds(20));
  EXPECT_TRUE(Receive().empty());
  clock_.Advance(seconds(20));
  EXPECT_EQ(Ids(Receive()), "movie:550");
  EXPECT_EQ(queue().DeadLetters({}, 1).value().at(0).reason, "HTTP 500");
}

}  // namespace tmdbc::testing
