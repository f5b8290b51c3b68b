// SPDX-License-Identifier: MIT
// What the local queues promise beyond IdSender and IdReceiver (queue_desk.h) as tests. Include it in one .cc
// of a test binary and write there
//   INSTANTIATE_TEST_SUITE_P(Memory, QueueDeskContract, ::testing::Values(&MakeMemoryWorld));
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "queue/id_receiver.h"
#include "queue/id_sender.h"
#include "queue/queue_desk.h"
#include "testing/fake_clock.h"

namespace tmdbc::testing {

// A queue with a desk, and what it stands on.
class DeskWorld {
 public:
  virtual ~DeskWorld() = default;
  virtual IdSender& sender() = 0;
  virtual IdReceiver& receiver() = 0;
  virtual QueueDesk& desk() = 0;
  // The process is killed and started again.
  virtual void Restart() = 0;
};

class QueueDeskContract
    : public ::testing::TestWithParam<std::unique_ptr<DeskWorld> (*)(const Clock& clock, QueueOptions)> {
 protected:
  using seconds = std::chrono::seconds;
  using minutes = std::chrono::minutes;
  using hours = std::chrono::hours;

  static constexpr int kMaxReceives = 3;

  IdReceiver& queue() { return world_->receiver(); }
  QueueDesk& desk() { return world_->desk(); }

  std::int64_t Send(const std::vector<QueueItem>& items) { return world_->sender().Send(items).value(); }
  std::vector<Message> Receive(int max = 100, seconds visibility = seconds(60)) {
    return queue().Receive(max, visibility).value();
  }
  void Settle(const std::vector<Receipt>& receipts) { ASSERT_TRUE(queue().Settle(receipts)); }
  void Release(const std::vector<Receipt>& receipts, Duration delay = {}, bool uncount = false) {
    ASSERT_TRUE(queue().Release(receipts, delay, uncount));
  }
  QueueCounts CountsOf(MediaType type) { return desk().Counts().value()[type]; }

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
  std::unique_ptr<DeskWorld> world_ = GetParam()(clock_, {.max_receives = kMaxReceives});
};

// --- the receive order ---

TEST_P(QueueDeskContract, IsEmptyAtFirst) {
  EXPECT_EQ(Send({}), 0);
  EXPECT_TRUE(Receive().empty());
  EXPECT_TRUE(desk().Counts().value().empty());
  EXPECT_TRUE(desk().Peek({}, 10).value().empty());
  EXPECT_TRUE(desk().DeadLetters({}, 10).value().empty());
  EXPECT_EQ(desk().Redrive({}, Time::max()).value(), 0);
  EXPECT_EQ(desk().Purge({}, false).value(), 0);
  EXPECT_EQ(desk().Purge({}, true).value(), 0);
  EXPECT_FALSE(queue().NextVisible().value());
  EXPECT_FALSE(desk().OldestSent().value());
}

TEST_P(QueueDeskContract, GivesTheMostPopularFirstWhateverTheTypeOrTheSend) {
  Send({{{MediaType::kMovie, 1}, 2.5F}, {{MediaType::kTv, 1}, 90.0F}, {{MediaType::kPerson, 1}, 0.6F}});
  Send({{{MediaType::kMovie, 2}, 300.25F}, {{MediaType::kTv, 2}, 2.0F}, {{MediaType::kPerson, 2}, 91.0F}});
  EXPECT_EQ(Ids(Receive()), "movie:2 person:2 tv:1 movie:1 tv:2 person:1");
}

TEST_P(QueueDeskContract, GivesEquallyPopularIdsInAscendingOrder) {
  Send({{{MediaType::kPerson, 2}, 1}, {{MediaType::kMovie, 9}, 1}, {{MediaType::kMovie, 10}, 1}});
  Send({{{MediaType::kTv, 5}, 1}, {{MediaType::kMovie, 3}, 1}, {{MediaType::kPerson, 1}, 1}});
  EXPECT_EQ(Ids(Receive()), "movie:3 movie:9 movie:10 tv:5 person:1 person:2");
}

TEST_P(QueueDeskContract, TellsNeighbouringPopularitiesApart) {
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

TEST_P(QueueDeskContract, KeepsTheOrderOfManyThousandIds) {
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
    Settle(Receipts(messages));
  }
  EXPECT_EQ(received, Ids(items));
  EXPECT_TRUE(desk().Counts().value().empty());
}

TEST_P(QueueDeskContract, PutsATimedOutMessageBackInItsPlace) {
  Send({{kFightClub, 3}, {kThrones, 2}, {kPitt, 1}});
  Receive(2, seconds(30));
  clock_.Advance(seconds(30));
  EXPECT_EQ(Ids(Receive()), "movie:550 tv:1399 person:287");
}

TEST_P(QueueDeskContract, GivesAReleasedMessageAgainAtOnceInItsPlace) {
  Send({{kFightClub, 3}, {kThrones, 2}, {kPitt, 1}});
  const auto messages = Receive(2);
  Release(Receipts(messages));
  const auto again = Receive();
  EXPECT_EQ(Ids(again), "movie:550 tv:1399 person:287");
  EXPECT_EQ(again[0].receive_count, 2);
  EXPECT_EQ(again[2].receive_count, 1);
}

TEST_P(QueueDeskContract, GivesRetriesThatAreDueInTheOrderOfPopularity) {
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

// --- merging ---

TEST_P(QueueDeskContract, RaisesAWaitingMessageThatIsSentWithAHigherPopularity) {
  const Time start = clock_.Now();
  Send({{kFightClub, 10}, {kThrones, 5}});
  clock_.Advance(seconds(1));
  EXPECT_EQ(Send({{kThrones, 99}, {kFightClub, 3}, {kPitt, 1}}), 1);
  EXPECT_EQ(CountsOf(MediaType::kTv), (QueueCounts{.waiting = 1}));
  EXPECT_EQ(Ids(desk().Peek({}, 10).value()), "tv:1399 movie:550 person:287");
  const auto messages = Receive();
  EXPECT_EQ(Ids(messages), "tv:1399 movie:550 person:287");
  EXPECT_EQ(messages[0].popularity, 99);
  EXPECT_EQ(messages[1].popularity, 10) << "never lowered";
  Settle({messages[1].receipt, messages[2].receipt});
  EXPECT_EQ(desk().OldestSent().value(), start) << "it keeps its age";
}

TEST_P(QueueDeskContract, MergesWithinOneSendAndTheHighestCounts) {
  EXPECT_EQ(Send({{kFightClub, 1}, {kThrones, 2}, {kFightClub, 3}, {kFightClub, 2}}), 2);
  EXPECT_EQ(Ids(Receive()), "movie:550 tv:1399");
}

TEST_P(QueueDeskContract, GivesAnIdThatWasSentWhileInFlightOnceMore) {
  Send({{kFightClub, 10}, {kThrones, 1}});
  const auto messages = Receive();
  EXPECT_EQ(Send({{kFightClub, 20}, {kFightClub, 10}}), 0);
  EXPECT_TRUE(Receive().empty()) << "not twice at the same time";
  EXPECT_EQ(CountsOf(MediaType::kMovie), (QueueCounts{.in_flight = 1}));
  Settle(Receipts(messages));
  EXPECT_EQ(CountsOf(MediaType::kMovie), (QueueCounts{.waiting = 1}));
  const auto again = Receive();
  ASSERT_EQ(Ids(again), "movie:550");
  EXPECT_EQ(again[0].popularity, 20);
  EXPECT_EQ(again[0].receive_count, 1);
  Settle(Receipts(again));
  EXPECT_TRUE(desk().Counts().value().empty());
  EXPECT_FALSE(desk().OldestSent().value());
  EXPECT_EQ(Send({{kFightClub, 1}}), 1);
}

TEST_P(QueueDeskContract, GivesAnIdThatWasSentWhileInFlightOnlyOnceWhenItIsNotSettled) {
  Send({{kFightClub, 10}, {kThrones, 5}, {kPitt, 1}});
  const auto messages = Receive(3, seconds(30));
  Send({{kFightClub, 10}, {kThrones, 5}, {kPitt, 1}});
  Release({messages[0].receipt});
  ASSERT_TRUE(queue().Bury(messages[1].receipt, "no"));
  clock_.Advance(seconds(30));
  const auto again = Receive();
  EXPECT_EQ(Ids(again), "movie:550 person:287");
  EXPECT_EQ(again[0].receive_count, 2);
  Settle(Receipts(again));
  EXPECT_EQ(desk().Counts().value(), (std::map<MediaType, QueueCounts>{{MediaType::kTv, {.dead = 1}}}));
}

TEST_P(QueueDeskContract, MergesASecondSendWithTheDelayedMessage) {
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

TEST_P(QueueDeskContract, MergesASecondSendWithTheDeadLetterWhichStaysDead) {
  Send({{kFightClub, 10}});
  ASSERT_TRUE(queue().Bury(Receive().at(0).receipt, "get movie:550: HTTP 500 after 5 tries"));
  EXPECT_EQ(Send({{kFightClub, 10}}), 0);
  EXPECT_TRUE(Receive().empty());
  EXPECT_EQ(CountsOf(MediaType::kMovie), (QueueCounts{.dead = 1}));
}

// --- dead letters ---

TEST_P(QueueDeskContract, BuriesAMessageThatWasReceivedTooOften) {
  Send({{kFightClub, 3}, {kThrones, 2}});
  for (int receive = 1; receive <= kMaxReceives; ++receive) {
    const auto messages = Receive(1, seconds(30));
    ASSERT_EQ(Ids(messages), "movie:550");
    EXPECT_EQ(messages[0].receive_count, receive);
    clock_.Advance(seconds(30));
  }
  const Time died = clock_.Now();
  EXPECT_EQ(Ids(Receive(1)), "tv:1399");  // in its stead
  const auto letters = desk().DeadLetters({}, 10).value();
  ASSERT_EQ(letters.size(), 1U);
  EXPECT_EQ(letters[0].id, kFightClub);
  EXPECT_EQ(letters[0].popularity, 3);
  EXPECT_EQ(letters[0].receive_count, kMaxReceives);
  EXPECT_EQ(letters[0].reason, "received 3 times and never settled");
  EXPECT_EQ(letters[0].died, died);
}

TEST_P(QueueDeskContract, BuriesAMessageWithItsReason) {
  Send({{kThrones, 3.5F}});
  clock_.Advance(seconds(7));
  ASSERT_TRUE(queue().Bury(Receive().at(0).receipt, "get tv:1399: \"HTTP 503\" after 5 tries – naïve"));
  clock_.Advance(hours(3));
  EXPECT_TRUE(Receive().empty());
  const auto letters = desk().DeadLetters({}, 10).value();
  ASSERT_EQ(letters.size(), 1U);
  EXPECT_EQ(letters[0].id, kThrones);
  EXPECT_EQ(letters[0].popularity, 3.5F);
  EXPECT_EQ(letters[0].receive_count, 1);
  EXPECT_EQ(letters[0].reason, "get tv:1399: \"HTTP 503\" after 5 tries – naïve");
  EXPECT_EQ(letters[0].died, clock_.Now() - hours(3));
}

TEST_P(QueueDeskContract, ListsDeadLettersNewestFirst) {
  Send({{kFightClub, 3}, {kThrones, 2}, {kPitt, 1}});
  for (const Message& message : Receive()) {
    clock_.JumpWall(-minutes(1));  // newest is what came last, whatever the wall clock said
    ASSERT_TRUE(queue().Bury(message.receipt, "no"));
  }
  EXPECT_EQ(Ids(desk().DeadLetters({}, 10).value()), "person:287 tv:1399 movie:550");
  EXPECT_EQ(Ids(desk().DeadLetters({}, 2).value()), "person:287 tv:1399");
  EXPECT_EQ(Ids(desk().DeadLetters(MediaType::kMovie, 2).value()), "movie:550");
  EXPECT_EQ(Ids(desk().DeadLetters(MediaType::kKeyword, 2).value()), "");
  EXPECT_EQ(Ids(desk().DeadLetters({}, 0).value()), "");
}

TEST_P(QueueDeskContract, RedrivesDeadLettersAsIfSentNow) {
  Send({{kFightClub, 3}, {kThrones, 20}, {kPitt, 1}});
  const auto messages = Receive(2);
  for (const Message& message : messages) ASSERT_TRUE(queue().Bury(message.receipt, "no"));
  clock_.Advance(hours(5));
  EXPECT_EQ(desk().Redrive({}, Time::max()).value(), 2);
  EXPECT_EQ(desk().Redrive({}, Time::max()).value(), 0);
  EXPECT_TRUE(desk().DeadLetters({}, 10).value().empty());
  EXPECT_EQ(Send({{kFightClub, 3}}), 0);
  const auto again = Receive();
  EXPECT_EQ(Ids(again), "tv:1399 movie:550 person:287");
  EXPECT_EQ(again[0].receive_count, 1);
  Settle({again[2].receipt});
  EXPECT_EQ(desk().OldestSent().value(), clock_.Now());
}

TEST_P(QueueDeskContract, RedrivesWhatDiedBefore) {
  Send({{kFightClub, 3}, {kThrones, 20}, {kPitt, 1}});
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(queue().Bury(Receive(1).at(0).receipt, "no"));
    clock_.Advance(hours(1));
  }
  EXPECT_EQ(desk().Redrive({}, clock_.Now() - hours(3)).value(), 0);
  EXPECT_EQ(desk().Redrive(MediaType::kMovie, clock_.Now() - hours(2)).value(), 0);
  EXPECT_EQ(desk().Redrive({}, clock_.Now() - hours(1)).value(), 2);
  EXPECT_EQ(Ids(desk().DeadLetters({}, 10).value()), "person:287");
  EXPECT_EQ(Ids(Receive()), "tv:1399 movie:550");
}

// Or they would rest until that day comes.
TEST_P(QueueDeskContract, RedrivesWhatDiedByAClockThatRanAhead) {
  Send({{kFightClub, 3}});
  clock_.JumpWall(hours(24 * 30));
  ASSERT_TRUE(queue().Bury(Receive(1).at(0).receipt, "no"));
  EXPECT_EQ(desk().Redrive({}, clock_.Now() - hours(20)).value(), 0);
  clock_.JumpWall(-hours(24 * 30));
  EXPECT_EQ(desk().Redrive({}, clock_.Now() - hours(20)).value(), 1);
}

TEST_P(QueueDeskContract, RedrivesOneType) {
  Send({{kFightClub, 3}, {kThrones, 20}});
  for (const Message& message : Receive()) ASSERT_TRUE(queue().Bury(message.receipt, "no"));
  EXPECT_EQ(desk().Redrive(MediaType::kTv, Time::max()).value(), 1);
  EXPECT_EQ(Ids(Receive()), "tv:1399");
  EXPECT_EQ(Ids(desk().DeadLetters({}, 10).value()), "movie:550");
}

// --- peek and purge ---

TEST_P(QueueDeskContract, ShowsWhatWouldComeNextWithoutReceivingIt) {
  Send({{{MediaType::kMovie, 1}, 9}, {kFightClub, 3}, {kThrones, 20}, {kPitt, 1}});
  Release({Receive(2).at(1).receipt}, seconds(10));  // tv in flight, movie:1 delayed
  EXPECT_EQ(Ids(desk().Peek({}, 10).value()), "movie:550 person:287");
  clock_.Advance(seconds(10));
  EXPECT_EQ(Ids(desk().Peek({}, 2).value()), "movie:1 movie:550");
  EXPECT_EQ(Ids(desk().Peek(MediaType::kMovie, 10).value()), "movie:1 movie:550");
  EXPECT_EQ(Ids(desk().Peek(MediaType::kMovie, 1).value()), "movie:1");
  EXPECT_EQ(Ids(desk().Peek(MediaType::kTv, 10).value()), "");
  EXPECT_EQ(Ids(desk().Peek({}, 0).value()), "");
  EXPECT_EQ(desk().Peek({}, 1).value().at(0).popularity, 9);
  const auto messages = Receive();
  EXPECT_EQ(Ids(messages), "movie:1 movie:550 person:287");
  EXPECT_EQ(messages[1].receive_count, 1);
}

TEST_P(QueueDeskContract, DoesNotShowWhatTheNextReceiveWillBury) {
  Send({{kFightClub, 3}, {kThrones, 2}});
  for (int i = 0; i < kMaxReceives; ++i) Release({Receive(1).at(0).receipt});
  EXPECT_EQ(Ids(desk().Peek({}, 10).value()), "tv:1399");
  EXPECT_EQ(Ids(Receive()), "tv:1399");
}

TEST_P(QueueDeskContract, PurgesEverythingButTheDead) {
  Send({{kFightClub, 3}, {kThrones, 20}, {kPitt, 1}, {{MediaType::kMovie, 1}, 0}});
  const auto messages = Receive(3);
  ASSERT_TRUE(queue().Bury(messages[0].receipt, "no"));
  Release({messages[1].receipt}, minutes(1));
  EXPECT_EQ(desk().Purge({}, false).value(), 3);
  EXPECT_EQ(desk().Counts().value(), (std::map<MediaType, QueueCounts>{{MediaType::kTv, {.dead = 1}}}));
  EXPECT_FALSE(desk().OldestSent().value());
  EXPECT_FALSE(queue().NextVisible().value());
  Settle({messages[2].receipt});
  EXPECT_EQ(Send({{kFightClub, 3}, {kThrones, 20}, {kPitt, 1}}), 2);
  EXPECT_EQ(Ids(Receive()), "movie:550 person:287");
}

TEST_P(QueueDeskContract, PurgesOneType) {
  const Time first = clock_.Now();
  Send({{kFightClub, 3}, {kThrones, 20}});
  clock_.Advance(seconds(1));
  Send({{{MediaType::kMovie, 1}, 0}, {kPitt, 30}});
  const auto messages = Receive(3);
  EXPECT_EQ(Ids(messages), "person:287 tv:1399 movie:550");
  EXPECT_EQ(desk().Purge(MediaType::kMovie, false).value(), 2);
  EXPECT_EQ(desk().Purge(MediaType::kMovie, false).value(), 0);
  EXPECT_EQ(desk().Counts().value(),
            (std::map<MediaType, QueueCounts>{{MediaType::kTv, {.in_flight = 1}},
                                              {MediaType::kPerson, {.in_flight = 1}}}));
  EXPECT_EQ(desk().OldestSent().value(), first);
  EXPECT_EQ(desk().Purge(MediaType::kTv, false).value(), 1);
  EXPECT_EQ(desk().OldestSent().value(), clock_.Now());
  EXPECT_EQ(Send({{kFightClub, 3}}), 1);
}

TEST_P(QueueDeskContract, PurgesTheDead) {
  Send({{kFightClub, 3}, {kThrones, 20}, {kPitt, 1}});
  for (const Message& message : Receive(2)) ASSERT_TRUE(queue().Bury(message.receipt, "no"));
  EXPECT_EQ(desk().Purge(MediaType::kMovie, true).value(), 1);
  EXPECT_EQ(Ids(desk().DeadLetters({}, 10).value()), "tv:1399");
  EXPECT_EQ(Send({{kFightClub, 3}, {kThrones, 20}}), 1);
  EXPECT_EQ(desk().Purge({}, true).value(), 1);
  EXPECT_EQ(desk().Redrive({}, Time::max()).value(), 0);
  EXPECT_EQ(Ids(Receive()), "movie:550 person:287");
}

// --- counts and ages ---

TEST_P(QueueDeskContract, CountsEveryStateOfEveryType) {
  std::vector<QueueItem> items = {{kThrones, 1}};
  for (std::int64_t id = 1; id <= 10; ++id) items.push_back({{MediaType::kMovie, id}, float(10 * id)});
  Send(items);
  const auto messages = Receive(6);
  ASSERT_TRUE(queue().Bury(messages[0].receipt, "no"));
  Release({messages[1].receipt, messages[2].receipt}, minutes(1));
  Release({messages[3].receipt});
  EXPECT_EQ(desk().Counts().value(),
            (std::map<MediaType, QueueCounts>{
                {MediaType::kMovie, {.waiting = 5, .delayed = 2, .in_flight = 2, .dead = 1}},
                {MediaType::kTv, {.waiting = 1}}}));
  clock_.Advance(minutes(1));
  EXPECT_EQ(CountsOf(MediaType::kMovie), (QueueCounts{.waiting = 9, .dead = 1}));
}

TEST_P(QueueDeskContract, TellsWhenTheOldestMessageWasSent) {
  const Time start = clock_.Now();
  Send({{kFightClub, 3}, {kThrones, 2}});
  clock_.Advance(seconds(10));
  Send({{kPitt, 100}, {kFightClub, 3}});
  EXPECT_EQ(desk().OldestSent().value(), start);
  const auto messages = Receive(2);
  EXPECT_EQ(Ids(messages), "person:287 movie:550");
  Settle(Receipts(messages));
  EXPECT_EQ(desk().OldestSent().value(), start);
  Release({Receive(1).at(0).receipt}, minutes(1));
  EXPECT_EQ(desk().OldestSent().value(), start);
  clock_.Advance(minutes(1));
  Send({{kPitt, 1}});
  ASSERT_TRUE(queue().Bury(Receive(1).at(0).receipt, "no"));
  EXPECT_EQ(desk().OldestSent().value(), start + seconds(70));
  Settle(Receipts(Receive()));
  EXPECT_FALSE(desk().OldestSent().value());
}

TEST_P(QueueDeskContract, AgesByTheOrderOfSendingThoughTheWallClockGoesBack) {
  const Time start = clock_.Now();
  Send({{kFightClub, 3}});
  clock_.JumpWall(-hours(5));
  Send({{kThrones, 2}});
  EXPECT_EQ(desk().OldestSent().value(), start);
}

// --- restart ---

TEST_P(QueueDeskContract, CountsWhatAKilledProcessHadReceivedAsWaiting) {
  Send({{kFightClub, 3}, {kThrones, 2}, {kPitt, 1}});
  const auto before = Receive(2, minutes(30));
  Settle({before[1].receipt});
  world_->Restart();
  EXPECT_EQ(CountsOf(MediaType::kMovie), (QueueCounts{.waiting = 1}));
  const auto messages = Receive();
  EXPECT_EQ(Ids(messages), "movie:550 person:287");
  EXPECT_EQ(messages[0].receive_count, 2);
  EXPECT_EQ(messages[1].receive_count, 1);
  EXPECT_EQ(Send({{kFightClub, 3}, {kThrones, 2}, {kPitt, 1}}), 1);
}

TEST_P(QueueDeskContract, BuriesAMessageThatKillsItsReader) {
  Send({{kFightClub, 3}, {kThrones, 2}});
  for (int i = 0; i < kMaxReceives; ++i) {
    EXPECT_EQ(Ids(Receive(1)), "movie:550");
    world_->Restart();
  }
  EXPECT_EQ(Ids(Receive(1)), "tv:1399");
  EXPECT_EQ(CountsOf(MediaType::kMovie), (QueueCounts{.dead = 1}));
}

TEST_P(QueueDeskContract, KeepsDelaysAndDeadLettersOverARestart) {
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
  EXPECT_EQ(desk().DeadLetters({}, 1).value().at(0).reason, "HTTP 500");
}

}  // namespace tmdbc::testing
