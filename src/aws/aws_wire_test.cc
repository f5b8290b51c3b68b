// SPDX-License-Identifier: MIT
// What goes over a real socket: the bytes of a request, and answers that break.
#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <vector>

#include "aws/aws_client.h"
#include "aws/s3_object_store.h"
#include "aws/session.h"
#include "http/curl_transport.h"
#include "testing/fault_file_system.h"
#include "testing/raw_server.h"

namespace tmdbc::aws {
namespace {

using testing::RawServer;
using Connection = RawServer::Connection;

const std::map<std::string, std::string> kKey = {{"AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"},
                                                 {"AWS_SECRET_ACCESS_KEY", "secret"},
                                                 {"AWS_REGION", "us-east-1"},
                                                 {"HOME", "/nowhere"}};

// A store whose server is `url`, with waits of a millisecond.
struct WireStore {
  explicit WireStore(const std::string& url, std::uint64_t part_bytes = 64 << 20)
      : store(client, {.bucket = "bucket", .url = url + "/bucket", .part_bytes = part_bytes}) {}

  SystemClock clock;
  std::unique_ptr<http::CurlTransport> transport =
      http::CurlTransport::Create(clock, http::CurlOptions()).value();
  CredentialChain credentials{[](const char* name) -> const char* {
                                const auto at = kKey.find(name);
                                return at == kKey.end() ? nullptr : at->second.c_str();
                              },
                              clock, *transport};
  std::mt19937_64 random{1};
  AwsClient client{clock,
                   *transport,
                   credentials,
                   "us-east-1",
                   random,
                   {.tries = 8,
                    .backoff = {.base = std::chrono::milliseconds(1),
                                .cap = std::chrono::milliseconds(5),
                                .floor = std::chrono::milliseconds(1)}}};
  S3ObjectStore store;
};

TEST(AwsOnTheWire, SendsWhatItSigned) {
  std::string head, body;
  RawServer server([&](Connection& connection) {
    head = connection.ReadRequest().value_or("");
    body = connection.ReadBody(5);
    connection.Answer("", "ETag: \"e\"\r\n");
    connection.WaitForClose();
  });
  WireStore wire(server.url());
  EXPECT_EQ(wire.store.Put("a b/../\xc3\xa9+", "bytes", PutCondition::Absent()).value(), "e");
  EXPECT_TRUE(head.starts_with("PUT /bucket/a%20b/../%C3%A9%2B HTTP/1.1\r\n")) << head;
  EXPECT_NE(head.find("\r\nHost: " + server.url().substr(7) + "\r\n"), std::string::npos) << head;
  EXPECT_NE(head.find("\r\nContent-Length: 5\r\n"), std::string::npos) << head;
  EXPECT_NE(head.find("\r\nIf-None-Match: *\r\n"), std::string::npos) << head;
  EXPECT_NE(head.find("SignedHeaders=host;if-none-match;x-amz-content-sha256;x-amz-date;x-amz-meta-sha256,"),
            std::string::npos)
      << head;
  EXPECT_EQ(head.find("Expect:"), std::string::npos) << head;
  EXPECT_EQ(head.find("Transfer-Encoding"), std::string::npos) << head;
  EXPECT_EQ(body, "bytes");
}

TEST(AwsOnTheWire, AsksAgainForABodyThatWasCutShort) {
  std::atomic<int> asked{0};
  RawServer server([&](Connection& connection) {
    while (connection.ReadRequest()) {
      if (++asked > 3) {
        connection.Answer("0123456789", "ETag: \"e\"\r\n");
        continue;
      }
      connection.Send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\nETag: \"e\"\r\n\r\n01234");
      return asked == 2 ? connection.Reset() : connection.Close();
    }
  });
  WireStore wire(server.url());
  const auto object = wire.store.Get("a");
  ASSERT_TRUE(object) << object.error().message;
  EXPECT_EQ(object->bytes, "0123456789");
  EXPECT_EQ(asked, 4);
}

TEST(AwsOnTheWire, FindsItsPutAfterTheConnectionBroke) {
  std::mutex mutex;
  std::vector<std::string> lines;
  std::string sha;
  RawServer server([&](Connection& connection) {
    while (const auto head = connection.ReadRequest()) {
      const std::lock_guard lock(mutex);
      lines.push_back(head->substr(0, head->find(' ')));
      if (head->starts_with("PUT")) {
        connection.ReadBody(5);
        const auto at = head->find("x-amz-meta-sha256: ") + 19;
        sha = head->substr(at, 64);
        if (lines.size() == 1) return connection.Reset();
        connection.Answer("<Error><Code>PreconditionFailed</Code></Error>", "", "412 Precondition Failed");
      } else {
        connection.Send("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nETag: \"mine\"\r\nx-amz-meta-sha256: " +
                        sha + "\r\n\r\n");
      }
    }
  });
  WireStore wire(server.url());
  const auto put = wire.store.Put("a", "bytes", PutCondition::Absent());
  ASSERT_TRUE(put) << put.error().message;
  EXPECT_EQ(*put, "mine");
  EXPECT_EQ(lines, (std::vector<std::string>{"PUT", "PUT", "HEAD"}));
}

TEST(AwsOnTheWire, TakesARefusalThatComesBeforeTheBodyIsOut) {
  // The server has read the head alone, answers and closes: its answer counts, or else the try is lost and the next
  // one tells.
  RawServer server([&](Connection& connection) {
    while (const auto head = connection.ReadRequest()) {
      if (head->starts_with("HEAD")) {
        connection.Send(
            "HTTP/1.1 200 OK\r\nContent-Length: 9\r\nETag: \"theirs\"\r\nx-amz-meta-sha256: 00\r\n\r\n");
        continue;
      }
      connection.Answer("<Error><Code>PreconditionFailed</Code></Error>", "Connection: close\r\n",
                        "412 Precondition Failed");
      connection.ReadBody(16 << 20);
      return;
    }
  });
  WireStore wire(server.url());
  const auto put = wire.store.Put("a", std::string(16 << 20, 'x'), PutCondition::Absent());
  ASSERT_FALSE(put);
  EXPECT_EQ(put.error().code, ErrorCode::kExists) << put.error().message;
}

TEST(AwsOnTheWire, SaysWhereNobodyListens) {
  WireStore wire("http://127.0.0.1:" + std::to_string(testing::ClosedPort()));
  const auto object = wire.store.Get("a");
  ASSERT_FALSE(object);
  EXPECT_EQ(object.error().code, ErrorCode::kIo);
  EXPECT_NE(object.error().message.find("Connection refused after 8 tries"), std::string::npos)
      << object.error().message;
}

TEST(AwsSession, ReachesABucketElsewhereWithoutARegion) {
  std::string head;
  RawServer server([&](Connection& connection) {
    head = connection.ReadRequest().value_or("");
    connection.ReadBody(1);
    connection.Answer("", "ETag: \"e\"\r\n");
    connection.WaitForClose();
  });
  const SystemClock clock;
  std::map<std::string, std::string> set = kKey;
  set.erase("AWS_REGION");
  const Environment environment = [&set](const char* name) -> const char* {
    return set.contains(name) ? set[name].c_str() : nullptr;
  };
  const auto none = AwsSession::Open(environment, clock);
  ASSERT_FALSE(none);
  EXPECT_TRUE(none.error().message.starts_with("no AWS region is known: ")) << none.error().message;
  auto session = AwsSession::Open(environment, clock, server.url());
  ASSERT_TRUE(session) << session.error().message;
  auto bucket = (*session)->Bucket("mirror");
  ASSERT_TRUE(bucket);
  EXPECT_EQ((*bucket)->Put("a", "x", {}).value(), "e");
  EXPECT_TRUE(head.starts_with("PUT /mirror/a HTTP/1.1\r\n")) << head;
  EXPECT_NE(head.find("/us-east-1/s3/aws4_request"), std::string::npos);
  EXPECT_TRUE((*session)->Channel("https://sqs.example/1/ids.fifo", "https://sqs.example/1/dead.fifo"))
      << "queues that are given by url are not looked for";
}

}  // namespace
}  // namespace tmdbc::aws
