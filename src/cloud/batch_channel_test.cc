// SPDX-License-Identifier: MIT
// The contract of BatchChannel over the fake, and what the fake does when a test wants it to fail.
#include "cloud/batch_channel.h"

#include <gtest/gtest.h>

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "testing/batch_channel_contract.h"
#include "testing/fake_clock.h"
#include "testing/memory_channel.h"

namespace tmdbc::testing {
namespace {

using std::chrono::days;
using std::chrono::minutes;

class MemoryChannelWorld final : public ChannelWorld {
 public:
  BatchChannel& channel() override { return channel_; }
  std::optional<Received> Receive() override {
    const auto delivery = queue_.Receive();
    if (!delivery) return std::nullopt;
    return Received{delivery->body, std::to_string(delivery->receipt)};
  }
  void Delete(const std::string& receipt) override { queue_.Delete(std::stoull(receipt)); }
  void Expire() override { clock_.Advance(minutes(18)); }
  int max_receives() override { return 4; }

 private:
  FakeClock clock_;
  MemoryChannel::Queue queue_{clock_};
  MemoryChannel channel_{queue_};
};

std::unique_ptr<ChannelWorld> MakeMemoryChannelWorld() {
  return std::make_unique<MemoryChannelWorld>();
}
INSTANTIATE_TEST_SUITE_P(Memory, BatchChannelContract, ::testing::Values(&MakeMemoryChannelWorld));

std::vector<IdBatch> Batches(std::int64_t count, int lanes = 1) {
  std::vector<IdBatch> batches;
  for (std::int64_t number = 1; number <= count; ++number) {
    batches.push_back({.name = BatchName(1, number), .lane = int(number) % lanes, .rate = 40, .items = {}});
  }
  return batches;
}

// The names, in the order in which they come when each is done at once.
std::vector<std::string> TakeAll(MemoryChannel::Queue& queue) {
  std::vector<std::string> names;
  while (const auto delivery = queue.Receive()) {
    names.push_back(ParseIdBatch(delivery->body)->name);
    queue.Delete(delivery->receipt);
  }
  return names;
}

TEST(MemoryChannel, LosesRepeatsAndReordersAsManyAsATestWants) {
  FakeClock clock;
  MemoryChannel::Queue loses(clock, {.lose = 0.3}), repeats(clock, {.repeat = 0.3}), reorders(clock, {.reorder = 0.3});
  for (MemoryChannel::Queue* queue : {&loses, &repeats, &reorders}) {
    ASSERT_TRUE(MemoryChannel(*queue).Send(Batches(1000)));
  }
  const auto few = TakeAll(loses), many = TakeAll(repeats), all = TakeAll(reorders);
  EXPECT_NEAR(double(few.size()), 700, 60);
  EXPECT_TRUE(std::ranges::is_sorted(few));
  EXPECT_NEAR(double(many.size()), 1300, 60);
  EXPECT_EQ(std::set(many.begin(), many.end()).size(), 1000u);
  EXPECT_EQ(all.size(), 1000u);
  EXPECT_FALSE(std::ranges::is_sorted(all));
}

TEST(MemoryChannel, RepeatsAMessageWhileTheFirstIsStillWithSomebody) {
  FakeClock clock;
  MemoryChannel::Queue queue(clock, {.repeat = 1});
  ASSERT_TRUE(MemoryChannel(queue).Send(Batches(1)));
  const auto first = queue.Receive(), second = queue.Receive();
  ASSERT_TRUE(first && second);
  EXPECT_EQ(first->body, second->body);
  queue.Delete(first->receipt);
  queue.Delete(second->receipt);
  clock.Advance(minutes(20));
  EXPECT_FALSE(queue.Receive());
}

TEST(MemoryChannel, ForgetsNamesAfterFiveMinutesAndMessagesAfterTheRetention) {
  FakeClock clock;
  MemoryChannel::Queue queue(clock);
  MemoryChannel channel(queue);
  ASSERT_TRUE(channel.Send(Batches(1)));
  clock.Advance(minutes(5));
  ASSERT_TRUE(channel.Send(Batches(1)));
  EXPECT_EQ(queue.Count().waiting, 2);
  ASSERT_TRUE(channel.Send(Batches(1)));
  EXPECT_EQ(queue.dropped(), 1);
  clock.Advance(days(4));
  EXPECT_EQ(queue.Count().waiting, 0);
}

TEST(MemoryChannel, FailsAsTold) {
  FakeClock clock;
  MemoryChannel::Queue queue(clock);
  MemoryChannel channel(queue), dying(queue);
  using Fault = MemoryChannel::Fault;
  const std::vector<std::pair<Fault, std::int64_t>> table = {
      {Fault::kFails, 0}, {Fault::kDenied, 0}, {Fault::kHalf, 2}, {Fault::kLosesAnswer, 4}};
  for (const auto& [fault, arrives] : table) {
    queue.Purge();
    clock.Advance(minutes(6));
    channel.FailAt(1, fault);
    const auto sent = channel.Send(Batches(4));
    ASSERT_FALSE(sent);
    EXPECT_EQ(sent.error().code, fault == Fault::kDenied ? ErrorCode::kDenied : ErrorCode::kIo);
    EXPECT_EQ(channel.Count()->waiting, arrives);
  }
  dying.FailAt(1, Fault::kDies);
  EXPECT_FALSE(dying.Count());
  EXPECT_FALSE(dying.Send(Batches(1)));
  EXPECT_TRUE(channel.Count()) << "another process lives on";
}

TEST(MemoryChannel, CountsAMinuteLateWhenToldTo) {
  FakeClock clock;
  MemoryChannel::Queue queue(clock, {.count_every = minutes(1)});
  MemoryChannel channel(queue);
  EXPECT_EQ(channel.Count()->waiting, 0);
  ASSERT_TRUE(channel.Send(Batches(2)));
  EXPECT_EQ(channel.Count()->waiting, 0);
  clock.Advance(minutes(1));
  EXPECT_EQ(channel.Count()->waiting, 2);
}

}  // namespace
}  // namespace tmdbc::testing
