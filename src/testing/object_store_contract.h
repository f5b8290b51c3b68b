// SPDX-License-Identifier: MIT
// The contract of ObjectStore as tests, run by every implementation. Include it in one .cc of a test binary and
// write there
//   INSTANTIATE_TEST_SUITE_P(Memory, ObjectStoreContract, ::testing::Values(&MakeMemoryStore));
// A factory gives an empty store of its own each time. What only a store with faults can show is in
// storage/object_store_test.cc.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "storage/object_store.h"
#include "testing/fault_file_system.h"

namespace tmdbc::testing {

using MakeObjectStore = std::unique_ptr<ObjectStore> (*)();

class ObjectStoreContract : public ::testing::TestWithParam<MakeObjectStore> {
 protected:
  static constexpr std::uint64_t kAll = ~std::uint64_t(0);

  std::string Put(const std::string& key, std::string_view bytes,
                  const PutCondition& condition = PutCondition::None()) {
    const auto etag = store().Put(key, bytes, condition);
    EXPECT_TRUE(etag) << etag.error().message;
    return etag.value_or("");
  }
  std::string BytesOf(const std::string& key) {
    const auto object = store().Get(key);
    return object ? object->bytes : "error: " + object.error().message;
  }
  std::vector<std::string> KeysOf(const std::string& prefix, const std::string& after = "") {
    const auto objects = store().ListObjects(prefix, after);
    EXPECT_TRUE(objects) << objects.error().message;
    std::vector<std::string> keys;
    if (objects)
      for (const ObjectInfo& object : *objects) keys.push_back(object.key);
    return keys;
  }
  ErrorCode Refused(const std::string& key, std::string_view bytes, const PutCondition& condition) {
    const auto etag = store().Put(key, bytes, condition);
    EXPECT_FALSE(etag) << key;
    if (etag) return ErrorCode::kInternal;
    EXPECT_NE(etag.error().message.find(key), std::string::npos) << etag.error().message;
    return etag.error().code;
  }
  ObjectStore& store() { return *store_; }

 private:
  const std::unique_ptr<ObjectStore> store_ = GetParam()();
};

TEST_P(ObjectStoreContract, GivesBackWhatWasPut) {
  const std::string bytes("one\0two\r\n\xff\0", 11);
  const std::string etag = Put("records/movie/000/000/001.jsonl.zst", bytes);
  EXPECT_FALSE(etag.empty());
  const Object object = store().Get("records/movie/000/000/001.jsonl.zst").value();
  EXPECT_EQ(object.bytes, bytes);
  EXPECT_EQ(object.etag, etag);
  const ObjectInfo info = store().Head("records/movie/000/000/001.jsonl.zst").value().value();
  EXPECT_EQ(info.key, "records/movie/000/000/001.jsonl.zst");
  EXPECT_EQ(info.bytes, bytes.size());
  EXPECT_EQ(info.etag, etag);
}

TEST_P(ObjectStoreContract, KeepsAnEmptyObject) {
  Put("empty", "");
  EXPECT_EQ(BytesOf("empty"), "");
  EXPECT_EQ(store().Size("empty").value(), 0u);
  EXPECT_EQ(store().Read("empty", 0, 10).value(), "");
}

TEST_P(ObjectStoreContract, SaysThatAnObjectIsNotThere) {
  EXPECT_EQ(store().Get("no/such").error().code, ErrorCode::kNotFound);
  EXPECT_EQ(store().Read("no/such", 0, 1).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(store().Size("no/such").error().code, ErrorCode::kNotFound);
  EXPECT_NE(store().Get("no/such").error().message.find("no/such"), std::string::npos);
  EXPECT_FALSE(store().Head("no/such").value());
  EXPECT_FALSE(store().Exists("no/such").value());
  EXPECT_TRUE(store().List("no").value().empty());
}

TEST_P(ObjectStoreContract, ReadsARangeAndFewerBytesOnlyAtTheEnd) {
  Put("ten", "0123456789");
  EXPECT_EQ(store().Read("ten", 0, kAll).value(), "0123456789");
  EXPECT_EQ(store().Read("ten", 2, 3).value(), "234");
  EXPECT_EQ(store().Read("ten", 8, 100).value(), "89");
  EXPECT_EQ(store().Read("ten", 10, 1).value(), "");
  EXPECT_EQ(store().Read("ten", 1000, 1).value(), "");
  EXPECT_EQ(store().Read("ten", 0, 0).value(), "");
}

TEST_P(ObjectStoreContract, ReplacesAnObjectWhole) {
  const std::string first = Put("key", "a long first body");
  const std::string second = Put("key", "short");
  EXPECT_NE(first, second);
  EXPECT_EQ(BytesOf("key"), "short");
}

TEST_P(ObjectStoreContract, PutsWhereNothingIsAndNowhereElse) {
  Put("segment", "mine", PutCondition::Absent());
  EXPECT_EQ(Refused("segment", "yours", PutCondition::Absent()), ErrorCode::kExists);
  EXPECT_EQ(BytesOf("segment"), "mine");
}

TEST_P(ObjectStoreContract, PutsOverTheObjectThatWasReadAndNoOther) {
  const std::string first = Put("head.json", "1");
  const std::string second = Put("head.json", "2", PutCondition::Matches(first));
  EXPECT_EQ(Refused("head.json", "3", PutCondition::Matches(first)), ErrorCode::kExists);
  EXPECT_EQ(BytesOf("head.json"), "2");
  Put("head.json", "3", PutCondition::Matches(second));
  EXPECT_EQ(BytesOf("head.json"), "3");
  EXPECT_EQ(Refused("absent", "x", PutCondition::Matches(second)), ErrorCode::kExists);
  EXPECT_FALSE(store().Exists("absent").value());
}

// A writer that lost the answer of a Put() sends it again.
TEST_P(ObjectStoreContract, TakesTheSamePutTwice) {
  const std::string segment = Put("segment", "bytes", PutCondition::Absent());
  EXPECT_EQ(Put("segment", "bytes", PutCondition::Absent()), segment);
  const std::string first = Put("head.json", "1");
  const std::string second = Put("head.json", "2", PutCondition::Matches(first));
  EXPECT_EQ(Put("head.json", "2", PutCondition::Matches(first)), second);
  EXPECT_EQ(BytesOf("head.json"), "2");
}

TEST_P(ObjectStoreContract, PutsAFile) {
  FaultFileSystem files;
  std::string bytes;
  for (int i = 0; i < 100'000; ++i) bytes += "line " + std::to_string(i) + "\n";
  files.Put("catalog.db", bytes);
  const auto etag = store().PutFile("state/catalog/1.db", files, "catalog.db", PutCondition::Absent());
  ASSERT_TRUE(etag) << etag.error().message;
  EXPECT_TRUE(store().Get("state/catalog/1.db").value().bytes == bytes);
  EXPECT_EQ(store().Get("state/catalog/1.db").value().etag, *etag);
  files.Put("catalog.db", "another");
  const auto refused = store().PutFile("state/catalog/1.db", files, "catalog.db", PutCondition::Absent());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kExists);
  EXPECT_EQ(store().PutFile("other", files, "absent", PutCondition::None()).error().code,
            ErrorCode::kNotFound);
}

TEST_P(ObjectStoreContract, ListsWhatBeginsWithAPrefixSortedByBytes) {
  for (const char* key :
       {"records/tv/001", "records/movie/010", "records/movie/002", "records/movie/state.json",
        "records/movie2/001", "other", "records/movie/\xc3\xa9", "records/movie/Z"}) {
    Put(key, key);
  }
  EXPECT_EQ(KeysOf("records/movie/"),
            (std::vector<std::string>{"records/movie/002", "records/movie/010", "records/movie/Z",
                                      "records/movie/state.json", "records/movie/\xc3\xa9"}));
  EXPECT_EQ(
      KeysOf("records/movie/", "records/movie/010"),
      (std::vector<std::string>{"records/movie/Z", "records/movie/state.json", "records/movie/\xc3\xa9"}));
  EXPECT_EQ(KeysOf("records/movie/", "records/movie/0050").front(), "records/movie/010")
      << "`after` need not exist";
  EXPECT_EQ(KeysOf("").size(), 8u);
  EXPECT_TRUE(KeysOf("nothing").empty());
  EXPECT_EQ(store().List("records/movie").value(), KeysOf("records/movie/")) << "a folder, not its namesakes";
  const auto objects = store().ListObjects("other", "").value();
  EXPECT_EQ(objects.at(0).bytes, 5u);
  EXPECT_EQ(objects.at(0).etag, store().Get("other").value().etag);
}

TEST_P(ObjectStoreContract, TakesKeysThatNeedCareInAnAddress) {
  const std::vector<std::string> keys = {
      "a b", "a%20b", "a+b", "a=b&c?d#e", "a/../b", "a//b", "\xe6\x98\xa0\xe7\x94\xbb"};
  for (const std::string& key : keys) Put(key, "at " + key);
  for (const std::string& key : keys) EXPECT_EQ(BytesOf(key), "at " + key);
  std::vector<std::string> sorted = keys;
  std::sort(sorted.begin(), sorted.end());
  EXPECT_EQ(KeysOf(""), sorted);
}

// S3 gives and takes a thousand at a time.
TEST_P(ObjectStoreContract, ListsAndDeletesMoreThanAPage) {
  std::vector<std::string> keys;
  for (int i = 0; i < 1'005; ++i) keys.push_back("many/" + std::to_string(10'000 + i));
  for (const std::string& key : keys) Put(key, "x");
  Put("more", "x");
  EXPECT_EQ(KeysOf("many/"), keys);
  EXPECT_TRUE(store().Delete(keys));
  EXPECT_TRUE(KeysOf("many/").empty());
  EXPECT_EQ(BytesOf("more"), "x");
}

TEST_P(ObjectStoreContract, DeletesWhatIsThereAndDoesNotMindTheRest) {
  Put("a", "x");
  Put("b", "x");
  const std::vector<std::string> keys = {"a", "never was"};
  EXPECT_TRUE(store().Delete(keys));
  EXPECT_TRUE(store().Delete(keys));
  EXPECT_TRUE(store().Delete({}));
  EXPECT_EQ(KeysOf(""), std::vector<std::string>{"b"});
  Put("a", "again", PutCondition::Absent());
  EXPECT_EQ(BytesOf("a"), "again");
}

}  // namespace tmdbc::testing
