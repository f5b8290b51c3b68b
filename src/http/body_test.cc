// SPDX-License-Identifier: MIT
#include "http/body.h"

#include <gtest/gtest.h>

#include "base/compression.h"

namespace tmdbc::http {
namespace {

constexpr std::string_view kMovie =
    R"({"adult":false,"id":550,"original_title":"Fight Club","popularity":73.4})";

Response AnswerWith(std::string body, std::string_view encoding = {}) {
  Response response;
  response.status = 200;
  response.headers = {{"Content-Type", "application/json;charset=utf-8"}};
  if (!encoding.empty()) response.headers.emplace_back("content-encoding", encoding);
  response.body = std::move(body);
  return response;
}

TEST(DecodeBody, TrustsTheBytesMoreThanTheHeader) {
  const struct {
    std::string name, body, encoding;
  } cases[] = {
      {"plain", std::string(kMovie), ""},
      {"identity", std::string(kMovie), "identity"},
      {"gzip", Gzip(kMovie), "gzip"},
      {"gzip in capitals", Gzip(kMovie), "GZIP"},
      {"gzip without the header, May 2026", Gzip(kMovie), ""},
      {"plain although the header says gzip", std::string(kMovie), "gzip"},
  };
  for (const auto& c : cases) {
    const auto body = DecodeBody(AnswerWith(c.body, c.encoding));
    ASSERT_TRUE(body) << c.name << ": " << body.error().message;
    EXPECT_EQ(*body, kMovie) << c.name;
  }
  EXPECT_EQ(DecodeBody(AnswerWith("", "gzip")).value_or("?"), "") << "an empty answer stays empty";
}

TEST(DecodeBody, RefusesGzipThatIsCutOrBroken) {
  const std::string gzip = Gzip(kMovie);
  std::string flipped = gzip;
  flipped[gzip.size() - 6] = char(flipped[gzip.size() - 6] ^ 1);
  for (const std::string& bad : {gzip.substr(0, gzip.size() / 2), gzip.substr(0, gzip.size() - 1),
                                 gzip.substr(0, 2), flipped, gzip + "<html>"}) {
    const auto body = DecodeBody(AnswerWith(bad, "gzip"));
    ASSERT_FALSE(body);
    EXPECT_EQ(body.error().code, ErrorCode::kCorrupt);
  }
}

TEST(DecodeBody, RefusesAnEncodingNobodyAskedFor) {
  const auto body = DecodeBody(AnswerWith("\x8b\x1b\x80 brotli bytes", "br"));
  ASSERT_FALSE(body);
  EXPECT_EQ(body.error().code, ErrorCode::kCorrupt);
  EXPECT_NE(body.error().message.find("Content-Encoding"), std::string::npos);
}

TEST(DecodeBody, KeepsToItsBounds) {
  EXPECT_TRUE(DecodeBody(AnswerWith(Gzip(kMovie), "gzip"), kMovie.size()));
  EXPECT_FALSE(DecodeBody(AnswerWith(Gzip(kMovie), "gzip"), kMovie.size() - 1));
  EXPECT_FALSE(DecodeBody(AnswerWith(std::string(kMovie)), kMovie.size() - 1));
  EXPECT_FALSE(DecodeBody(AnswerWith(Gzip(std::string(100 << 20, ' ')), "gzip"))) << "a bomb";
}

}  // namespace
}  // namespace tmdbc::http
