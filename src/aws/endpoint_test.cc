// SPDX-License-Identifier: MIT
#include "aws/endpoint.h"

#include <gtest/gtest.h>

#include <map>
#include <string>

namespace tmdbc::aws {
namespace {

Environment Of(const std::map<std::string, std::string>& set) {
  return [&set](const char* name) -> const char* {
    const auto at = set.find(name);
    return at == set.end() ? nullptr : at->second.c_str();
  };
}

TEST(Endpoint, IsAwsOwnUnlessTheEnvironmentSaysOtherwise) {
  std::map<std::string, std::string> set;
  EXPECT_EQ(ServiceUrl(Of(set), "sqs", "eu-central-1").value(), "https://sqs.eu-central-1.amazonaws.com");
  EXPECT_EQ(ServiceUrl(Of(set), "ssm", "cn-north-1").value(), "https://ssm.cn-north-1.amazonaws.com.cn");
  set["AWS_ENDPOINT_URL"] = "http://127.0.0.1:5000/";
  EXPECT_EQ(ServiceUrl(Of(set), "sqs", "").value(), "http://127.0.0.1:5000");
  set["AWS_ENDPOINT_URL_SQS"] = "https://sqs.example.org/queues";
  EXPECT_EQ(ServiceUrl(Of(set), "sqs", "").value(), "https://sqs.example.org/queues");
  EXPECT_EQ(ServiceUrl(Of(set), "ssm", "").value(), "http://127.0.0.1:5000");
}

TEST(Endpoint, RefusesWhatIsNone) {
  std::map<std::string, std::string> set;
  EXPECT_FALSE(ServiceUrl(Of(set), "sqs", "eu central"));
  EXPECT_FALSE(ServiceUrl(Of(set), "sqs", "x.example.org/"));
  EXPECT_FALSE(ServiceUrl(Of(set), "sqs", ""));
  for (const char* const url : {"localhost:5000", "ftp://x", "http://", "https:///x", "http://a b",
                                "http://x?y", "http://u:secret@x"}) {
    set["AWS_ENDPOINT_URL"] = url;
    const auto refused = ServiceUrl(Of(set), "sqs", "us-east-1");
    ASSERT_FALSE(refused) << url;
    EXPECT_EQ(refused.error().message,
              "AWS_ENDPOINT_URL is not an address of a service: it is http://host:port or https://host");
  }
}

TEST(Endpoint, AddressesABucketInTheStyleThatItsServerHas) {
  std::map<std::string, std::string> set;
  EXPECT_EQ(BucketUrl(Of(set), "", "eu-central-1", "mine").value(),
            "https://mine.s3.eu-central-1.amazonaws.com");
  EXPECT_EQ(BucketUrl(Of(set), "", "eu-central-1", "my.own").value(),
            "https://s3.eu-central-1.amazonaws.com/my.own");
  EXPECT_EQ(BucketUrl(Of(set), "", "eu-central-1", "mine", BucketStyle::kPath).value(),
            "https://s3.eu-central-1.amazonaws.com/mine");
  EXPECT_EQ(BucketUrl(Of(set), "http://[::1]:7480", "us-east-1", "mine").value(), "http://[::1]:7480/mine");
  EXPECT_EQ(BucketUrl(Of(set), "https://s3.example.org/", "us-east-1", "mine", BucketStyle::kVirtual).value(),
            "https://mine.s3.example.org");
  set["AWS_ENDPOINT_URL_S3"] = "http://127.0.0.1:5000";
  EXPECT_EQ(BucketUrl(Of(set), "", "us-east-1", "mine").value(), "http://127.0.0.1:5000/mine");
}

}  // namespace
}  // namespace tmdbc::aws
