// SPDX-License-Identifier: MIT
// The contract of BatchChannel as tests, run by every implementation: what is sent comes to a receiver, lane by lane.
// Include it in one .cc of a test binary and write there
//   INSTANTIATE_TEST_SUITE_P(Memory, BatchChannelContract, ::testing::Values(&MakeMemoryChannelWorld));
// A factory gives an empty queue of its own each time, which loses and repeats nothing.
#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cloud/batch_channel.h"

namespace tmdbc::testing {

// A channel, and the other end of it.
class ChannelWorld {
 public:
  struct Received {
    std::string body;
    std::string receipt;
  };
  virtual ~ChannelWorld() = default;
  virtual BatchChannel& channel() = 0;
  // Hidden from others until it is deleted or Expire()d; empty when there is nothing for now.
  virtual std::optional<Received> Receive() = 0;
  virtual void Delete(const std::string& receipt) = 0;
  // What is with somebody is visible again: the timeout has passed.
  virtual void Expire() = 0;
  // So often a message is received before it is a dead letter.
  virtual int max_receives() = 0;
};

class BatchChannelContract : public ::testing::TestWithParam<std::unique_ptr<ChannelWorld> (*)()> {
 protected:
  static IdBatch Batch(std::int64_t number, int lane = 0, std::int64_t ids = 3) {
    IdBatch batch{.name = BatchName(7, number), .lane = lane, .rate = 40, .items = {}};
    for (std::int64_t id = 1; id <= ids; ++id) batch.items.push_back({{MediaType::kMovie, number * 10'000 + id}});
    return batch;
  }
  void Send(const std::vector<IdBatch>& batches) {
    const auto sent = world_->channel().Send(batches);
    ASSERT_TRUE(sent) << sent.error().message;
  }
  // The number of the batch received, its receipt kept; 0: nothing.
  std::int64_t Receive() {
    const auto received = world_->Receive();
    if (!received) return 0;
    const auto batch = ParseIdBatch(received->body);
    EXPECT_TRUE(batch) << batch.error().message;
    if (!batch) return -1;
    const std::int64_t number = std::stoll(batch->name.substr(10));
    receipts_[number] = received->receipt;
    last_ = *batch;
    return number;
  }
  void Delete(std::int64_t number) { world_->Delete(receipts_.at(number)); }
  std::string Counts() {
    const auto counts = world_->channel().Count();
    if (!counts) return counts.error().message;
    return fmt::format("{} waiting, {} in flight, {} dead", counts->waiting, counts->in_flight, counts->dead);
  }

  const std::unique_ptr<ChannelWorld> world_ = GetParam()();
  std::map<std::int64_t, std::string> receipts_;
  IdBatch last_;
};

TEST_P(BatchChannelContract, BringsABatchAsItWasSent) {
  const IdBatch batch{.name = "000000007-0001",
                      .lane = 0,
                      .rate = 39.2,
                      .items = {{{MediaType::kMovie, 550}}, {{MediaType::kTv, 1399}, {0, 1, 2}}}};
  Send({batch});
  EXPECT_EQ(Receive(), 1);
  EXPECT_EQ(last_, batch);
  EXPECT_EQ(Receive(), 0);
}

TEST_P(BatchChannelContract, KeepsTheOrderOfALaneAndOneBatchOfItOut) {
  Send({Batch(1), Batch(2)});
  Send({Batch(3)});
  for (const std::int64_t number : {1, 2, 3}) {
    EXPECT_EQ(Receive(), number);
    EXPECT_EQ(Receive(), 0) << "the lane is with somebody";
    Delete(number);
  }
  EXPECT_EQ(Receive(), 0);
}

TEST_P(BatchChannelContract, WorksOnLanesBesideEachOther) {
  Send({Batch(1, 0), Batch(2, 1), Batch(3, 0), Batch(4, 1)});
  EXPECT_EQ(Receive() + Receive(), 1 + 2);
  EXPECT_EQ(Receive(), 0);
  Delete(2);
  EXPECT_EQ(Receive(), 4);
  Delete(1);
  EXPECT_EQ(Receive(), 3);
}

TEST_P(BatchChannelContract, SendsManyAtOnce) {
  std::vector<IdBatch> batches;
  for (std::int64_t number = 1; number <= 23; ++number) batches.push_back(Batch(number, 0, 1500));
  Send(batches);
  for (std::int64_t number = 1; number <= 23; ++number) {
    ASSERT_EQ(Receive(), number);
    EXPECT_EQ(last_.items.size(), 1500u);
    Delete(number);
  }
  Send({});
  EXPECT_EQ(Receive(), 0);
}

TEST_P(BatchChannelContract, DropsABatchThatIsSentAgainAtOnce) {
  Send({Batch(1)});
  Send({Batch(1), Batch(2)});
  EXPECT_EQ(Receive(), 1);
  Delete(1);
  EXPECT_EQ(Receive(), 2);
  Delete(2);
  EXPECT_EQ(Receive(), 0);
}

TEST_P(BatchChannelContract, BringsAgainWhatNobodyDeleted) {
  Send({Batch(1), Batch(2)});
  EXPECT_EQ(Receive(), 1);
  world_->Expire();
  EXPECT_EQ(Receive(), 1) << "in its old place";
  Delete(1);
  EXPECT_EQ(Receive(), 2);
}

TEST_P(BatchChannelContract, BuriesWhatIsNeverDeleted) {
  Send({Batch(1), Batch(2)});
  for (int i = 0; i < world_->max_receives(); ++i) {
    ASSERT_EQ(Receive(), 1);
    world_->Expire();
  }
  EXPECT_EQ(Receive(), 2);
  EXPECT_EQ(Counts(), "0 waiting, 1 in flight, 1 dead");
}

TEST_P(BatchChannelContract, CountsWhatIsInIt) {
  EXPECT_EQ(Counts(), "0 waiting, 0 in flight, 0 dead");
  Send({Batch(1), Batch(2), Batch(3, 1)});
  EXPECT_EQ(Counts(), "3 waiting, 0 in flight, 0 dead");
  const std::int64_t first = Receive();
  EXPECT_EQ(Counts(), "2 waiting, 1 in flight, 0 dead");
  Delete(first);
  EXPECT_EQ(Counts(), "2 waiting, 0 in flight, 0 dead");
}

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(BatchChannelContract);

}  // namespace tmdbc::testing
