// SPDX-License-Identifier: MIT
// The contract of ObjectStore for the one in memory, and what that one promises beyond it: its faults.
#include "storage/object_store.h"

#include <gtest/gtest.h>

#include "testing/memory_object_store.h"
#include "testing/object_store_contract.h"

namespace tmdbc::testing {

INSTANTIATE_TEST_SUITE_P(Memory, ObjectStoreContract, ::testing::Values([]() -> std::unique_ptr<ObjectStore> {
                           return std::make_unique<MemoryObjectStore>();
                         }));

namespace {

using Fault = MemoryObjectStore::Fault;

TEST(MemoryObjectStore, FailsOnceAndDoesNothing) {
  MemoryObjectStore store;
  store.FailAt(2, Fault::kFails);
  ASSERT_TRUE(store.Put("a", "1", PutCondition::Absent()));
  const auto failed = store.Put("b", "1", PutCondition::Absent());
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, ErrorCode::kIo);
  EXPECT_FALSE(store.Exists("b").value());
  EXPECT_TRUE(store.Put("b", "1", PutCondition::Absent()));
}

TEST(MemoryObjectStore, DeniesWhatItIsToldToDeny) {
  MemoryObjectStore store;
  store.choose_fault = [](std::string_view act, const std::string& key) -> std::optional<Fault> {
    if (act == "put" && key.starts_with("records/")) return Fault::kDenied;
    return std::nullopt;
  };
  EXPECT_EQ(store.Put("records/1", "x", {}).error().code, ErrorCode::kDenied);
  EXPECT_TRUE(store.Put("inbox/1", "x", {}));
}

TEST(MemoryObjectStore, LosesTheAnswerOfAPutThatHappenedAndKnowsItAgain) {
  MemoryObjectStore store;
  store.FailAt(1, Fault::kLosesAnswer);
  EXPECT_EQ(store.Put("head.json", "mine", PutCondition::Absent()).error().code, ErrorCode::kIo);
  EXPECT_EQ(store.Get("head.json").value().bytes, "mine");
  EXPECT_TRUE(store.Put("head.json", "mine", PutCondition::Absent())) << "its own bytes are there";
  EXPECT_EQ(store.Put("head.json", "yours", PutCondition::Absent()).error().code, ErrorCode::kExists);
  EXPECT_EQ(store.bucket().puts, 1);
}

TEST(MemoryObjectStore, DeliversAPutAfterItsWriterGaveItUp) {
  MemoryObjectStore::Bucket bucket;
  MemoryObjectStore dead(bucket), alive(bucket);
  dead.FailAt(1, Fault::kArrivesLate);
  dead.FailAt(2, Fault::kDies);
  EXPECT_FALSE(dead.Put("segment", "of the dead", PutCondition::Absent()));
  EXPECT_FALSE(dead.Get("segment"));
  EXPECT_FALSE(dead.Get("segment"));
  EXPECT_FALSE(bucket.objects.contains("segment")) << "still on its way";
  EXPECT_TRUE(alive.Exists("segment").value()) << "the third call after it";
  EXPECT_EQ(alive.Put("segment", "of the living", PutCondition::Absent()).error().code, ErrorCode::kExists);
}

TEST(MemoryObjectStore, HoldsALateConditionAgainstWhatIsThereWhenItArrives) {
  MemoryObjectStore::Bucket bucket;
  MemoryObjectStore first(bucket), second(bucket);
  const std::string etag = first.Put("head.json", "0", {}).value();
  first.FailAt(1, Fault::kArrivesLate);
  EXPECT_FALSE(first.Put("head.json", "1", PutCondition::Matches(etag)));
  EXPECT_TRUE(second.Put("head.json", "2", PutCondition::Matches(etag)));
  bucket.DeliverAll();
  EXPECT_EQ(second.Get("head.json").value().bytes, "2");
}

}  // namespace
}  // namespace tmdbc::testing
