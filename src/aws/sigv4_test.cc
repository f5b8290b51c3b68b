// SPDX-License-Identifier: MIT
// Requests as botocore signs them (testdata/sigv4.jsonl, made by tools/emulators/sigv4_vectors.py, where a second
// signer is asked about the same).
#include "aws/sigv4.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <map>
#include <string>

#include "aws/digest.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/words.h"

namespace tmdbc::aws {
namespace {

std::string TextOf(simdjson::dom::element object, const char* name) {
  return std::string(std::string_view(object[name].get_string()));
}

http::Method MethodOf(const std::string& name) {
  static const std::map<std::string, http::Method> methods = {{"GET", http::Method::kGet},
                                                              {"HEAD", http::Method::kHead},
                                                              {"PUT", http::Method::kPut},
                                                              {"POST", http::Method::kPost},
                                                              {"DELETE", http::Method::kDelete}};
  return methods.at(name);
}

TEST(SigV4, SignsAsBotocoreDoes) {
  const char* const source = std::getenv("TMDBC_SOURCE_DIR");
  std::ifstream in(std::string(source ? source : ".") + "/src/aws/testdata/sigv4.jsonl");
  int compared = 0;
  for (std::string line; std::getline(in, line); ++compared) {
    const auto parsed = ParsedJson::ParseString(line);
    ASSERT_TRUE(parsed) << line;
    const auto vector = parsed->root();
    QueryParameters query;
    for (const auto pair : vector["query"].get_array())
      query.emplace_back(std::string_view(pair.at(0).get_string()),
                         std::string_view(pair.at(1).get_string()));
    SignedRequest request{.method = MethodOf(TextOf(vector, "method")),
                          .host = TextOf(vector, "host"),
                          .path = EncodePath(TextOf(vector, "path")),
                          .query = EncodeQuery(query),
                          .headers = {},
                          .payload_hash = vector["payload"].is_null() ? std::string(kUnsignedPayload)
                                                                      : Sha256Hex(TextOf(vector, "payload"))};
    for (const auto pair : vector["headers"].get_array())
      request.headers.emplace_back(std::string_view(pair.at(0).get_string()),
                                   std::string_view(pair.at(1).get_string()));
    const Credentials who{TextOf(vector, "access_key_id"), TextOf(vector, "secret_access_key"),
                          TextOf(vector, "session_token"), std::nullopt};
    std::map<std::string, std::string> added;
    for (const auto& [name, value] : Sign(request, who, {TextOf(vector, "region"), TextOf(vector, "service")},
                                          ParseTime(TextOf(vector, "now")).value()))
      added[Lower(name)] = value;
    std::map<std::string, std::string> wanted;
    for (const auto field : vector["added"].get_object())
      wanted.emplace(field.key, std::string_view(field.value.get_string()));
    EXPECT_EQ(added, wanted) << TextOf(vector, "name");
  }
  EXPECT_GT(compared, 50);
}

TEST(SigV4, EncodesAPathOnceAndLeavesItsSlashes) {
  EXPECT_EQ(EncodePath("/bucket/a b/\xc3\xa9+~%2F"), "/bucket/a%20b/%C3%A9%2B~%252F");
  EXPECT_EQ(EncodePath("/a/../b//c/."), "/a/../b//c/.");
}

TEST(SigV4, SortsAQueryByItsEncodedNamesAndSpellsEmptyValuesOut) {
  EXPECT_EQ(EncodeQuery({}), "");
  EXPECT_EQ(EncodeQuery({{"versioning", ""}}), "versioning=");
  EXPECT_EQ(EncodeQuery({{"prefix", "a/b c"}, {"list-type", "2"}}), "list-type=2&prefix=a%2Fb%20c");
}

TEST(SigV4, NamesTheKeyAndNeverTheSecret) {
  const SignedRequest request{
      .method = http::Method::kGet, .host = "h", .path = "/", .query = "", .headers = {}, .payload_hash = ""};
  std::string all;
  for (const auto& [name, value] :
       Sign(request, {"AKIDEXAMPLE", "the-secret", "", std::nullopt}, {"us-east-1", "sqs"}, Time()))
    all += name + ": " + value + "\n";
  EXPECT_NE(all.find("Credential=AKIDEXAMPLE/19700101/us-east-1/sqs/aws4_request"), std::string::npos) << all;
  EXPECT_EQ(all.find("the-secret"), std::string::npos);
  EXPECT_EQ(all.find("content-sha256"), std::string::npos) << "S3 alone wants it";
}

}  // namespace
}  // namespace tmdbc::aws
