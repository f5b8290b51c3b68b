// SPDX-License-Identifier: MIT
// The contract of ObjectStore, and what a store needs beyond it, asked of real servers: moto and Ceph.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <thread>
#include <vector>

#include "emulators.h"
#include "testing/fault_file_system.h"
#include "testing/object_store_contract.h"

namespace tmdbc::testing {

// As AWS's bucket is: versions are kept.
INSTANTIATE_TEST_SUITE_P(Moto, ObjectStoreContract, ::testing::Values([]() -> std::unique_ptr<ObjectStore> {
                           return std::make_unique<EmulatedStore>("moto", true);
                         }));
INSTANTIATE_TEST_SUITE_P(Ceph, ObjectStoreContract, ::testing::Values([]() -> std::unique_ptr<ObjectStore> {
                           return std::make_unique<EmulatedStore>("ceph");
                         }));

namespace {

class BucketServer : public ::testing::TestWithParam<const char*> {};
INSTANTIATE_TEST_SUITE_P(Moto, BucketServer, ::testing::Values("moto"));
INSTANTIATE_TEST_SUITE_P(Ceph, BucketServer, ::testing::Values("ceph"));

TEST_P(BucketServer, PassesTheProbeAndKeepsNothingOfIt) {
  EmulatedStore store(GetParam());
  const auto probed = store.s3.Probe();
  EXPECT_TRUE(probed) << probed.error().message;
  EXPECT_TRUE(store.ListObjects("", "").value().empty());
}

TEST_P(BucketServer, TakesALargeFileInParts) {
  EmulatedStore store(GetParam(), false, 5 << 20);
  FaultFileSystem files;
  std::string bytes(12 << 20, '\0');
  std::mt19937_64 random(7);
  for (char& byte : bytes) byte = char(random());
  files.Put("catalog.db", bytes);
  const auto etag = store.PutFile("state/catalog/1.db", files, "catalog.db", PutCondition::Absent());
  ASSERT_TRUE(etag) << etag.error().message;
  const Object object = store.Get("state/catalog/1.db").value();
  EXPECT_TRUE(object.bytes == bytes);
  EXPECT_EQ(object.etag, *etag);
  EXPECT_TRUE(store.Read("state/catalog/1.db", (5 << 20) - 3, 6).value() == bytes.substr((5 << 20) - 3, 6));
  EXPECT_TRUE(store.Read("state/catalog/1.db", 1, 9 << 20).value() == bytes.substr(1, 9 << 20))
      << "in ranges";
  EXPECT_TRUE(store.Read("state/catalog/1.db", 1, 99 << 20).value() == bytes.substr(1)) << "past the end";
  const auto sent = store.client().client.sent();
  EXPECT_EQ(sent.at("s3:UploadPart"), 3);

  EXPECT_EQ(store.PutFile("state/catalog/1.db", files, "catalog.db", PutCondition::Absent()).value(), *etag)
      << "the same again is not a conflict";
  EXPECT_EQ(store.client().client.sent().at("s3:UploadPart"), 3) << "nor is it sent again";
  files.Put("catalog.db", bytes + "more");
  EXPECT_EQ(store.PutFile("state/catalog/1.db", files, "catalog.db", PutCondition::Absent()).error().code,
            ErrorCode::kExists);
  const auto replaced =
      store.PutFile("state/catalog/1.db", files, "catalog.db", PutCondition::Matches(*etag));
  ASSERT_TRUE(replaced) << replaced.error().message;
  EXPECT_EQ(store.Size("state/catalog/1.db").value(), bytes.size() + 4);
}

TEST_P(BucketServer, LetsOneOfManyWritersWin) {
  EmulatedStore store(GetParam());
  const std::string head = store.Put("state/head.json", "0", PutCondition::Absent()).value();
  std::atomic<int> won{0}, lost{0}, other{0};
  {
    std::vector<std::jthread> writers;
    for (int i = 0; i < 8; ++i) {
      writers.emplace_back([&, i] {
        EmulatorClient own(GetParam());
        aws::S3ObjectStore mine(own.client, store.options());
        const auto put =
            mine.Put("state/head.json", "writer " + std::to_string(i), PutCondition::Matches(head));
        ++(put ? won : put.error().code == ErrorCode::kExists ? lost : other);
      });
    }
  }
  EXPECT_EQ(won, 1);
  EXPECT_EQ(lost, 7);
  EXPECT_EQ(other, 0);
}

TEST_P(BucketServer, RefusesAWrongKeyInOneSentence) {
  EmulatedStore store(GetParam());
  if (std::string(GetParam()) == "moto") return;  // it asks nobody who they are
  EmulatorClient stranger("ceph");
  std::map<std::string, std::string> wrong = stranger.set;
  wrong["AWS_SECRET_ACCESS_KEY"] = "not the secret";
  aws::CredentialChain chain(
      [&wrong](const char* name) -> const char* {
        return wrong.contains(name) ? wrong[name].c_str() : nullptr;
      },
      stranger.clock, *stranger.transport);
  aws::AwsClient client(stranger.clock, *stranger.transport, chain, "us-east-1", stranger.random);
  aws::S3ObjectStore denied(client, store.options());
  const auto put = denied.Put("a", "x", PutCondition::None());
  ASSERT_FALSE(put);
  EXPECT_EQ(put.error().code, ErrorCode::kDenied);
  EXPECT_EQ(put.error().message, "put a: HTTP 403 SignatureDoesNotMatch: the key's secret is another one");
}

TEST_P(BucketServer, SaysThatTheBucketIsNotThere) {
  EmulatorClient own(GetParam());
  aws::S3ObjectStore nowhere(
      own.client, {.bucket = "no-such-bucket",
                   .url = aws::BucketUrl(own.environment(), "", "us-east-1", "no-such-bucket").value()});
  for (const Error& error : {nowhere.Get("a").error(), nowhere.Put("a", "x", PutCondition::Absent()).error(),
                             nowhere.ListObjects("", "").error()}) {
    EXPECT_EQ(error.code, ErrorCode::kDenied) << error.message;
    EXPECT_NE(error.message.find("NoSuchBucket"), std::string::npos) << error.message;
  }
}

TEST(CephBucket, IsRefusedWithVersioningWhereItIgnoresConditions) {
  EmulatedStore store("ceph", true);
  const auto probed = store.s3.Probe();
  ASSERT_FALSE(probed);
  EXPECT_EQ(probed.error().code, ErrorCode::kInvalid);
  EXPECT_NE(probed.error().message.find("this server ignores conditions; two writers would damage the store"),
            std::string::npos)
      << probed.error().message;
}

}  // namespace
}  // namespace tmdbc::testing
