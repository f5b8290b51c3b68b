// SPDX-License-Identifier: MIT
#include "cloud/owner.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "cloud/cloud_world_test.h"

namespace tmdbc {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using testing::CloudWorld;
using testing::MemoryChannel;
using testing::MemoryObjectStore;

class OwnerTest : public ::testing::Test {
 protected:
  OwnerTest() {
    for (std::int64_t id = 1; id <= 30; ++id) {
      world_.tmdb.Edit({MediaType::kMovie, id});
      world_.tmdb.Edit({MediaType::kPerson, id});
    }
    for (std::int64_t id = 1; id <= 5; ++id)
      for (std::int64_t i = 0; i < id; ++i) world_.tmdb.Edit({MediaType::kTv, id});
    world_.tmdb.PublishExports();
  }
  OwnerReport Ask(std::string_view what) { return Good(world_.Ask(*machine_, what)); }
  OwnerReport Heartbeat() { return Good(world_.Heartbeat(*machine_)); }
  OwnerReport Good(Result<OwnerReport> report) {
    EXPECT_TRUE(report) << report.error().message;
    return report ? *report : OwnerReport();
  }
  // Heartbeats and collectors until nothing is left to do.
  void Work(int beats = 12) {
    for (int i = 0; i < beats; ++i) {
      world_.clock.Advance(minutes(5));
      Heartbeat();
      world_.CollectAll();
    }
  }

  CloudWorld world_;
  std::unique_ptr<CloudWorld::Machine> machine_ = world_.NewMachine();
};

TEST_F(OwnerTest, MirrorsAllThereIs) {
  const OwnerReport asked = Ask("auto");
  EXPECT_EQ(asked.end, OwnerEnd::kPublished);
  ASSERT_EQ(asked.harvests.size(), 1u);
  EXPECT_EQ(asked.out.ids, 65);
  EXPECT_EQ(asked.sent_batches, 1);
  EXPECT_EQ(world_.Keys("inbox/").size(), 0u);
  Work();
  EXPECT_EQ(world_.Difference(), "");
  for (const auto& [id, fetches] : world_.fetches) EXPECT_EQ(fetches, 1) << ToString(id);
  const HeadState head = world_.Head();
  EXPECT_EQ(head.waiting, 0);
  EXPECT_EQ(head.out_ids, 0);
  EXPECT_FALSE(head.holder);
  EXPECT_EQ(head.sequences.at(MediaType::kMovie), 1);
  EXPECT_LE(world_.Keys("state/catalog/").size(), 2u);
  EXPECT_EQ(world_.Keys("inbox/").size(), 0u);
}

}  // namespace
}  // namespace tmdbc
