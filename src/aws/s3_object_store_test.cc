// SPDX-License-Identifier: MIT
// The contract of ObjectStore over a fake S3, and what becomes of calls that break, get lost or are answered by
// somebody else.
#include "aws/s3_object_store.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "aws/fake_s3_test.h"
#include "testing/fault_file_system.h"
#include "testing/object_store_contract.h"

namespace tmdbc::testing {
namespace {

// A store that owns its world.
class FakeS3Store final : public ObjectStore {
 public:
  Result<std::string> Read(const std::string& key, std::uint64_t offset, std::uint64_t length) override {
    return world_.store.Read(key, offset, length);
  }
  Result<Object> Get(const std::string& key) override { return world_.store.Get(key); }
  Result<std::optional<ObjectInfo>> Head(const std::string& key) override { return world_.store.Head(key); }
  Result<std::vector<ObjectInfo>> ListObjects(const std::string& prefix, const std::string& after) override {
    return world_.store.ListObjects(prefix, after);
  }
  Result<std::string> Put(const std::string& key, std::string_view bytes,
                          const PutCondition& condition) override {
    return world_.store.Put(key, bytes, condition);
  }
  Result<std::string> PutFile(const std::string& key, BlobReader& from, const std::string& path,
                              const PutCondition& condition) override {
    return world_.store.PutFile(key, from, path, condition);
  }
  Result<void> Delete(std::span<const std::string> keys) override { return world_.store.Delete(keys); }

 private:
  aws::FakeS3World world_{100'000};  // so that the contract's file goes in parts
};

}  // namespace

INSTANTIATE_TEST_SUITE_P(FakeS3, ObjectStoreContract, ::testing::Values([]() -> std::unique_ptr<ObjectStore> {
                           return std::make_unique<FakeS3Store>();
                         }));

}  // namespace tmdbc::testing

namespace tmdbc::aws {
namespace {

std::int64_t Count(const std::vector<std::string>& calls, std::string_view begin) {
  return std::ranges::count_if(calls, [&](const std::string& call) { return call.starts_with(begin); });
}

// `reply` for the first `times` calls that begin so.
std::function<std::optional<Reply>(const std::string&)> Meet(std::string begin, int times, Reply reply) {
  return [begin = std::move(begin), times,
          reply = std::move(reply)](const std::string& call) mutable -> std::optional<Reply> {
    if (!call.starts_with(begin) || times-- <= 0) return std::nullopt;
    return reply;
  };
}

TEST(S3ObjectStore, KnowsItsOwnPutWhoseAnswerWasLost) {
  for (const Reply& loss : {Reply::Broken(), Reply::Broken(http::TransportFailure::kTimeout),
                            Reply::Status(500), Reply::Status(503)}) {
    FakeS3World world;
    world.s3.lost = Meet("PUT segment", 1, loss);
    const auto put = world.store.Put("segment", "mine", PutCondition::Absent());
    ASSERT_TRUE(put) << put.error().message;
    EXPECT_EQ(*put, world.s3.objects.at("segment").etag);
    EXPECT_EQ(world.s3.calls, (std::vector<std::string>{"PUT segment", "PUT segment", "HEAD segment"}));
    world.s3.lost = Meet("PUT segment", 1, loss);
    const auto swapped = world.store.Put("segment", "next", PutCondition::Matches(*put));
    ASSERT_TRUE(swapped) << swapped.error().message;
    EXPECT_EQ(world.store.Put("segment", "late", PutCondition::Matches(*put)).error().code,
              ErrorCode::kExists);
    EXPECT_EQ(world.s3.objects.at("segment").bytes, "next");
  }
}

TEST(S3ObjectStore, DoesNotTakeARivalsObjectForItsOwn) {
  FakeS3World world;
  // Its PUT never arrives, a rival's does.
  world.s3.instead = [&](const std::string& call) -> std::optional<Reply> {
    if (call != "PUT segment" || world.s3.objects.contains("segment")) return std::nullopt;
    world.s3.objects["segment"] = {"yours", "e", Sha256Hex("yours")};
    return Reply::Broken();
  };
  const auto put = world.store.Put("segment", "mine!", PutCondition::Absent());
  ASSERT_FALSE(put);
  EXPECT_EQ(put.error().code, ErrorCode::kExists);
  EXPECT_EQ(put.error().message, "put segment: there is another object");
}

TEST(S3ObjectStore, ComparesWhatSomebodyElseCopiedThere) {
  FakeS3World world;
  world.s3.objects["segment"] = {"bytes", "e", ""};  // aws s3 cp gives no sha256
  EXPECT_EQ(world.store.Put("segment", "bytes", PutCondition::Absent()).value(), "e");
  EXPECT_EQ(world.store.Put("segment", "other", PutCondition::Absent()).error().code, ErrorCode::kExists);
  EXPECT_EQ(world.store.Put("segment", "longer", PutCondition::Absent()).error().code, ErrorCode::kExists);
}

TEST(S3ObjectStore, TriesAgainWhenTwoCallsMeetOrTheServerIsBusy) {
  for (const Reply& reply :
       {FakeS3::Error(409, "ConditionalRequestConflict"), FakeS3::Error(503, "SlowDown"),
        FakeS3::Error(500, "InternalError"), Reply::Status(502, "<html><title>Bad Gateway</title>")}) {
    FakeS3World world;
    world.s3.instead = Meet("PUT head.json", 3, reply);
    const auto put = world.store.Put("head.json", "1", PutCondition::Absent());
    ASSERT_TRUE(put) << put.error().message;
    EXPECT_EQ(world.aws.client.sent().at("s3:PutObject"), 4);
  }
}

TEST(S3ObjectStore, SaysWhatItSawWhenItGivesUp) {
  FakeS3World world;
  world.s3.instead = Meet("PUT a", 1'000, FakeS3::Error(503, "SlowDown"));
  auto error = world.store.Put("a", "x", PutCondition::Absent()).error();
  EXPECT_EQ(error.code, ErrorCode::kIo);
  EXPECT_EQ(error.message, "put a: HTTP 503 SlowDown: m after 8 tries");
  world.s3.instead = Meet("", 1'000, FakeS3::Error(403, "AccessDenied"));
  for (const Error& denied :
       {world.store.Put("a", "x", PutCondition::Absent()).error(), world.store.Get("a").error(),
        world.store.Read("a", 0, 1).error(), world.store.Head("a").error(),
        world.store.ListObjects("a", "").error(), world.store.Delete(std::vector<std::string>{"a"}).error(),
        world.store.Delete(std::vector<std::string>{"a", "b"}).error()}) {
    EXPECT_EQ(denied.code, ErrorCode::kDenied) << denied.message;
    EXPECT_NE(denied.message.find(": HTTP 403 AccessDenied: m"), std::string::npos) << denied.message;
  }
  world.s3.instead = Meet("", 1'000, FakeS3::Error(404, "NoSuchBucket"));
  for (const Error& gone : {world.store.Get("a").error(), world.store.ListObjects("", "").error(),
                            world.store.Delete(std::vector<std::string>{"a"}).error()}) {
    EXPECT_EQ(gone.code, ErrorCode::kDenied)
        << "an empty bucket and one that does not exist are not the same: " << gone.message;
  }
}

TEST(S3ObjectStore, RefusesAnswersOfSomebodyElse) {
  // A portal between us and S3 says that all is well.
  FakeS3World world(1'000);
  world.s3.instead = Meet("", 1'000, Reply::Status(200, "<html><body><p>Please log in<br></body></html>"));
  for (const Error& error : {world.store.ListObjects("a", "").error(),
                             world.store.Delete(std::vector<std::string>{"a", "b"}).error()}) {
    EXPECT_EQ(error.code, ErrorCode::kIo);
    EXPECT_NE(error.message.find("where S3 answers <"), std::string::npos) << error.message;
  }
  EXPECT_FALSE(world.store.Put("a", "x", PutCondition::Absent())) << "nothing that names no ETag is a Put()";
  testing::FaultFileSystem files;
  files.Put("f", std::string(5'000, 'x'));
  EXPECT_FALSE(world.store.PutFile("a", files, "f", PutCondition::None()));
}

TEST(S3ObjectStore, RefusesAListThatNeverEnds) {
  FakeS3World world;
  world.s3.instead =
      Meet("GET", 1'000,
           Reply::Status(200, "<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>"));
  EXPECT_EQ(world.store.ListObjects("a", "").error().message,
            "list a: the server says that more follows, and not how to ask for it");
  world.s3.instead =
      Meet("GET", 1'000,
           Reply::Status(200,
                         "<ListBucketResult><IsTruncated>true</IsTruncated>"
                         "<NextContinuationToken>t</NextContinuationToken></ListBucketResult>"));
  EXPECT_FALSE(world.store.ListObjects("a", ""));
}

TEST(S3ObjectStore, ListsPageByPageWithTokensThatNeedCare) {
  FakeS3World world;
  world.s3.page = 2;
  std::vector<std::string> keys = {"p/a b", "p/a+b", "p/a=b&c", "p/\xc3\xa9", "p/~"};
  for (const std::string& key : keys) ASSERT_TRUE(world.store.Put(key, "x", {}));
  std::ranges::sort(keys);
  std::vector<std::string> listed;
  const auto objects = world.store.ListObjects("p/", "").value();
  for (const ObjectInfo& info : objects) listed.push_back(info.key);
  EXPECT_EQ(listed, keys);
  EXPECT_EQ(world.aws.client.sent().at("s3:ListObjectsV2"), 3);
}

TEST(S3ObjectStore, LearnsThatAServerWantsEtagsWithoutQuotes) {
  FakeS3World world;
  world.s3.bare_etags = true;
  const std::string first = world.store.Put("head", "1", PutCondition::Absent()).value();
  const std::string second = world.store.Put("head", "2", PutCondition::Matches(first)).value();
  EXPECT_EQ(world.aws.client.sent().at("s3:HeadObject"), 1);
  ASSERT_TRUE(world.store.Put("head", "3", PutCondition::Matches(second)));
  EXPECT_EQ(world.aws.client.sent().at("s3:HeadObject"), 1) << "it is remembered";
  EXPECT_EQ(world.store.Put("head", "4", PutCondition::Matches(second)).error().code, ErrorCode::kExists);
}

TEST(S3ObjectStore, ProbesAServerAndLeavesNothing) {
  FakeS3World good;
  EXPECT_TRUE(good.store.Probe());
  EXPECT_TRUE(good.s3.objects.empty());
  FakeS3World ceph;
  ceph.s3.bare_etags = true;
  EXPECT_TRUE(ceph.store.Probe());
  FakeS3World bad;
  bad.s3.ignores_conditions = true;
  const auto probed = bad.store.Probe();
  ASSERT_FALSE(probed);
  EXPECT_EQ(probed.error().code, ErrorCode::kInvalid);
  EXPECT_EQ(
      probed.error().message,
      "bucket bucket: this server ignores conditions; two writers would damage the store (Ceph does so in buckets "
      "with versioning)");
  EXPECT_TRUE(bad.s3.objects.empty());
  FakeS3World denied;
  denied.s3.instead = Meet("PUT", 1, FakeS3::Error(403, "AccessDenied"));
  EXPECT_EQ(denied.store.Probe().error().code, ErrorCode::kDenied);
}

TEST(S3ObjectStore, CutsWhatAServerWithoutRangesSends) {
  FakeS3World world;
  world.s3.ignores_ranges = true;
  ASSERT_TRUE(world.store.Put("ten", "0123456789", {}));
  EXPECT_EQ(world.store.Read("ten", 2, 3).value(), "234");
  EXPECT_EQ(world.store.Read("ten", 20, 3).value(), "");
}

TEST(S3ObjectStore, ReadsALongStretchInRangesSeveralAtATime) {
  FakeS3World world;
  std::string bytes;
  for (int i = 0; i < 2'000; ++i) bytes += std::to_string(i) + ",";
  ASSERT_TRUE(world.store.Put("catalog", bytes, {}));
  EXPECT_EQ(world.store.Read("catalog", 500, 7'300).value(), bytes.substr(500, 7'300));
  EXPECT_EQ(world.aws.client.sent().at("s3:GetObject"), 8);
  EXPECT_EQ(world.aws.transport.peak, 4);
  EXPECT_EQ(world.store.Read("catalog", 500, 100'000).value(), bytes.substr(500)) << "fewer bytes at the end";
  EXPECT_EQ(world.store.Read("catalog", 100'000, 5'000).value(), "");
  EXPECT_EQ(world.store.Read("absent", 0, 5'000).error().code, ErrorCode::kNotFound);
  int gets = 0;
  world.s3.instead = [&](const std::string&) -> std::optional<Reply> {
    if (++gets == 3) world.s3.objects["catalog"] = {"z" + bytes, "other", "s"};
    return std::nullopt;
  };
  const auto mixed = world.store.Read("catalog", 0, 5'000);
  ASSERT_FALSE(mixed);
  EXPECT_EQ(mixed.error().message, "read catalog: it was replaced meanwhile");
}

// --- files in parts ---

class InParts : public ::testing::Test {
 protected:
  InParts() {
    for (int i = 0; i < 1'000; ++i) bytes_ += std::to_string(i) + ",";
    files_.Put("catalog.db", bytes_);
  }
  Result<std::string> Put(const PutCondition& condition = PutCondition::Absent()) {
    return world_.store.PutFile("catalog/1", files_, "catalog.db", condition);
  }
  FakeS3World world_{1'000};
  testing::FaultFileSystem files_;
  std::string bytes_;
};

TEST_F(InParts, SendsAFileSeveralPartsAtATime) {
  const auto etag = Put();
  ASSERT_TRUE(etag) << etag.error().message;
  EXPECT_EQ(world_.s3.objects.at("catalog/1").bytes, bytes_);
  EXPECT_EQ(*etag, world_.s3.objects.at("catalog/1").etag);
  EXPECT_EQ(world_.aws.transport.peak, 4);
  EXPECT_EQ(world_.aws.client.sent(), (std::map<std::string, std::int64_t>{{"s3:CompleteMultipartUpload", 1},
                                                                           {"s3:CreateMultipartUpload", 1},
                                                                           {"s3:HeadObject", 1},
                                                                           {"s3:UploadPart", 4}}));
}

TEST_F(InParts, SendsAPartAgainFromItsBeginning) {
  world_.s3.instead = Meet("PUT catalog/1?partNumber=2", 3, Reply::Broken());
  ASSERT_TRUE(Put());
  EXPECT_EQ(world_.s3.objects.at("catalog/1").bytes, bytes_);
  EXPECT_EQ(Count(world_.s3.calls, "PUT catalog/1?partNumber=2"), 4);
}

TEST_F(InParts, EndsAnUploadThatFailed) {
  world_.s3.instead = Meet("PUT catalog/1?partNumber=3", 100, Reply::Status(500));
  const auto put = Put();
  ASSERT_FALSE(put);
  EXPECT_EQ(put.error().code, ErrorCode::kIo);
  EXPECT_EQ(put.error().message, "put catalog/1, part 3: HTTP 500 after 8 tries");
  EXPECT_TRUE(world_.s3.uploads.empty()) << "its parts would be paid for";
  EXPECT_TRUE(world_.s3.objects.empty());
}

TEST_F(InParts, KnowsThatItsEndHappenedThoughTheAnswerWasLost) {
  world_.s3.lost = Meet("POST catalog/1?uploadId", 1, Reply::Broken());
  const auto put = Put();
  ASSERT_TRUE(put) << put.error().message;
  EXPECT_EQ(*put, world_.s3.objects.at("catalog/1").etag);
  world_.s3.objects.clear();
  world_.s3.lost =
      Meet("POST catalog/1?uploadId", 1, Reply::Status(200, "<Error><Code>InternalError</Code></Error>"));
  EXPECT_TRUE(Put()) << "S3 says 200 before it knows";
}

TEST_F(InParts, SaysThatTheEndFailedWithinA200) {
  world_.s3.instead =
      Meet("POST catalog/1?uploadId", 100, Reply::Status(200, "<Error><Code>InternalError</Code></Error>"));
  const auto put = Put();
  ASSERT_FALSE(put);
  EXPECT_EQ(put.error().message, "put catalog/1: HTTP 200 InternalError after 8 tries");
  EXPECT_TRUE(world_.s3.objects.empty());
  EXPECT_TRUE(world_.s3.uploads.empty());
}

TEST_F(InParts, HoldsItsConditionBeforeItSendsAndAtTheEnd) {
  ASSERT_TRUE(world_.store.Put("catalog/1", "a rival's", {}));
  EXPECT_EQ(Put().error().code, ErrorCode::kExists);
  EXPECT_EQ(Count(world_.s3.calls, "POST"), 0) << "nothing is sent for nothing";
  EXPECT_EQ(Put(PutCondition::Matches("another")).error().code, ErrorCode::kExists);
  world_.s3.objects.clear();
  // The rival comes while the parts are on their way.
  world_.s3.instead = [&](const std::string& call) -> std::optional<Reply> {
    if (call.starts_with("PUT catalog/1?partNumber=1"))
      world_.s3.objects["catalog/1"] = {"a rival's", "e", "s"};
    return std::nullopt;
  };
  EXPECT_EQ(Put().error().code, ErrorCode::kExists);
  EXPECT_EQ(world_.s3.objects.at("catalog/1").bytes, "a rival's");
  EXPECT_TRUE(world_.s3.uploads.empty());
}

TEST_F(InParts, NamesTheFileThatCannotBeReadToTheEnd) {
  // It is read for its digest, and becomes shorter then.
  world_.s3.instead = [&](const std::string& call) -> std::optional<Reply> {
    if (call.starts_with("POST catalog/1?uploads")) files_.Put("catalog.db", "short");
    return std::nullopt;
  };
  const auto put = Put();
  ASSERT_FALSE(put);
  EXPECT_NE(put.error().code, ErrorCode::kExists);
  EXPECT_TRUE(world_.s3.objects.empty());
}

// --- deleting ---

TEST(S3ObjectStore, DeletesAgainWhatTheServerWasTooBusyFor) {
  FakeS3World world;
  world.s3.instead = Meet("POST ?delete", 1,
                          Reply::Status(200,
                                        "<DeleteResult><Error><Key>b</Key><Code>SlowDown</Code></Error>"
                                        "<Error><Key>a</Key><Code>NoSuchKey</Code></Error></DeleteResult>"));
  world.s3.objects["b"] = {"x", "e", "s"};
  ASSERT_TRUE(world.store.Delete(std::vector<std::string>{"a", "b"}));
  EXPECT_TRUE(world.s3.objects.empty());
  EXPECT_EQ(world.aws.client.sent().at("s3:DeleteObjects"), 2);
}

TEST(S3ObjectStore, NamesTheKeyThatMayNotBeDeleted) {
  FakeS3World world;
  world.s3.instead = Meet("POST ?delete", 1,
                          Reply::Status(200,
                                        "<DeleteResult><Error><Key>b</Key><Code>AccessDenied</Code>"
                                        "<Message>Access Denied</Message></Error></DeleteResult>"));
  const auto deleted = world.store.Delete(std::vector<std::string>{"a", "b"});
  ASSERT_FALSE(deleted);
  EXPECT_EQ(deleted.error().code, ErrorCode::kDenied);
  EXPECT_EQ(deleted.error().message, "delete b: AccessDenied: Access Denied");
}

TEST(S3ObjectStore, DeletesKeysThatXmlCannotHold) {
  FakeS3World world;
  const std::vector<std::string> keys = {"a\x01", "b", "c<&>\r"};
  for (const std::string& key : keys) world.s3.objects[key] = {"x", "e", "s"};
  ASSERT_TRUE(world.store.Delete(keys));
  EXPECT_TRUE(world.s3.objects.empty());
}

}  // namespace
}  // namespace tmdbc::aws
