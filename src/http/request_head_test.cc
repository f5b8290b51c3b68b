// SPDX-License-Identifier: MIT
#include "http/request_head.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

namespace tmdbc::http {
namespace {

using Parsed = RequestHeadParser::Outcome;

TEST(RequestHead, TakesARequestApart) {
  RequestHeadParser parser({});
  const std::string bytes =
      "GET /3/movie/550?a=b HTTP/1.1\r\nHost: h:80\r\nAccept:  x \t\r\nEmpty:\r\n\r\nrest";
  ASSERT_EQ(parser.Parse(bytes), Parsed::kWhole);
  EXPECT_EQ(parser.size(), bytes.size() - 4);
  const RequestHead& head = parser.head();
  EXPECT_EQ(head.method, "GET");
  EXPECT_EQ(head.target, "/3/movie/550?a=b");
  EXPECT_EQ(head.host, "h:80");
  ASSERT_EQ(head.fields.size(), 3u);
  EXPECT_EQ(head.fields[1].second, "x");
  EXPECT_EQ(head.fields[2].second, "");
  EXPECT_TRUE(head.keep_alive);
  EXPECT_EQ(head.length, 0u);
}

TEST(RequestHead, TakesItHoweverItIsCut) {
  const std::string bytes =
      "\r\nPOST / HTTP/1.1\r\nHost: h\r\nContent-Length: 12\r\nExpect: 100-continue\r\n\r\n";
  for (std::size_t cut = 0; cut < bytes.size(); ++cut) {
    RequestHeadParser parser({});
    for (std::size_t length = cut; length < bytes.size(); length += cut + 1)
      ASSERT_EQ(parser.Parse(std::string_view(bytes).substr(0, length)), Parsed::kIncomplete)
          << cut << ' ' << length;
    ASSERT_EQ(parser.Parse(bytes), Parsed::kWhole);
    EXPECT_EQ(parser.head().length, 12u);
    EXPECT_TRUE(parser.head().expects_continue);
  }
}

TEST(RequestHead, KnowsWhoKeepsTheConnection) {
  struct Case {
    const char* version;
    const char* connection;
    bool keeps;
  };
  const Case cases[] = {{"1.1", "", true},
                        {"1.1", "Connection: close\r\n", false},
                        {"1.1", "Connection: TE, Close\r\n", false},
                        {"1.1", "Connection: closed\r\n", true},
                        {"1.0", "", false},
                        {"1.0", "Connection: Keep-Alive\r\n", true},
                        {"1.0", "Connection: keep-alive, close\r\n", false},
                        {"1.7", "", true}};
  for (const Case& c : cases) {
    RequestHeadParser parser({});
    ASSERT_EQ(
        parser.Parse(std::string("GET / HTTP/") + c.version + "\r\nHost: h\r\n" + c.connection + "\r\n"),
        Parsed::kWhole);
    EXPECT_EQ(parser.head().keep_alive, c.keeps) << c.version << ' ' << c.connection;
  }
}

TEST(RequestHead, ReadsAnAbsoluteTarget) {
  struct Case {
    const char* target;
    const char* path;
    const char* host;
  };
  const Case cases[] = {{"http://api.example:81/3/x?y", "/3/x?y", "api.example:81"},
                        {"HTTPS://[::1]:8/", "/", "[::1]:8"},
                        {"http://h", "/", "h"}};
  for (const Case& c : cases) {
    RequestHeadParser parser({});
    const std::string bytes = std::string("GET ") + c.target + " HTTP/1.1\r\nHost: other\r\n\r\n";
    ASSERT_EQ(parser.Parse(bytes), Parsed::kWhole);
    EXPECT_EQ(parser.head().target, c.path);
    EXPECT_EQ(parser.head().host, c.host);
  }
}

struct Refused {
  std::string bytes;
  int status;
};

TEST(RequestHead, RefusesWhatTwoProgramsCouldReadDifferently) {
  const std::string host = "Host: h\r\n";
  const auto get = [&](const std::string& fields) { return "GET / HTTP/1.1\r\n" + host + fields + "\r\n"; };
  const auto post = [&](const std::string& fields) { return "POST / HTTP/1.1\r\n" + host + fields + "\r\n"; };
  const Refused cases[] = {
      {post("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"), 400},
      {post("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n"), 400},
      {post("Content-Length: 5\r\nContent-Length: 5\r\n"), 400},
      {post("Content-Length: 5\r\nContent-Length: 6\r\n"), 400},
      {post("Content-Length: 5, 5\r\n"), 400},
      {post("Content-Length: +5\r\n"), 400},
      {post("Content-Length: -1\r\n"), 400},
      {post("Content-Length: 0x5\r\n"), 400},
      {post("Content-Length: 5 5\r\n"), 400},
      {post("Content-Length:\r\n"), 400},
      {post("Content-Length: 99999999999999999999\r\n"), 400},
      {post("Content-Length : 5\r\n"), 400},
      {post("Content-Length\t: 5\r\n"), 400},
      {post("Transfer-Encoding: chunked, identity\r\n"), 501},
      {post("Transfer-Encoding: xchunked\r\n"), 501},
      {post("Transfer-Encoding: \x0b"
            "chunked\r\n"),
       400},
      {post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"), 400},
      {post("Transfer-Encoding: chunked\r\n"), 411},
      {get("Transfer-Encoding: chunked\r\n"), 400},
      {"GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
      {get("A: b\r\n c\r\n"), 400},
      {get("A: b\r\n\tc\r\n"), 400},
      {"GET / HTTP/1.1\r\n " + host + "\r\n", 400},
      {get("A: b\n"), 400},
      {get("A: b\nB: c\r\n"), 400},
      {get("A: b\rB: c\r\n"), 400},
      {"GET / HTTP/1.1\nHost: h\n\n", 400},
      {"GET / HTTP/1.1\rHost: h\r\n\r\n", 400},
      {get("A\r\n"), 400},
      {get(": b\r\n"), 400},
      {get("A b: c\r\n"), 400},
      {get("A(b): c\r\n"), 400},
      {get(std::string("A: b\0c\r\n", 8)), 400},
      {get(std::string("A\0: b\r\n", 7)), 400},
      {get("A: \x1b[31m\r\n"), 400},
      {get("A: \x7f\r\n"), 400},
      {"GET / HTTP/1.1\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\nHost: a@b\r\n\r\n", 400},
      {"GET /\r\nHost: h\r\n\r\n", 400},
      {"GET\r\nHost: h\r\n\r\n", 400},
      {"GET  / HTTP/1.1\r\nHost: h\r\n\r\n", 400},
      {"GET / x HTTP/1.1\r\nHost: h\r\n\r\n", 400},
      {"GET / HTTP/1.1 \r\nHost: h\r\n\r\n", 400},
      {"GET\t/\tHTTP/1.1\r\nHost: h\r\n\r\n", 400},
      {"GET / HTTP/2.0\r\nHost: h\r\n\r\n", 505},
      {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505},
      {"GET / HTTP/1.11\r\nHost: h\r\n\r\n", 400},
      {"GET / http/1.1\r\nHost: h\r\n\r\n", 400},
      {"GET / ICY/1.1\r\nHost: h\r\n\r\n", 400},
      {"G(T / HTTP/1.1\r\nHost: h\r\n\r\n", 400},
      {std::string(33, 'G') + " / HTTP/1.1\r\nHost: h\r\n\r\n", 400},
      {"GET movie HTTP/1.1\r\nHost: h\r\n\r\n", 400},
      {"GET * HTTP/1.1\r\nHost: h\r\n\r\n", 400},
      {"CONNECT h:443 HTTP/1.1\r\nHost: h\r\n\r\n", 400},
      {"GET ftp://h/ HTTP/1.1\r\nHost: h\r\n\r\n", 400},
      {"GET http:///x HTTP/1.1\r\nHost: h\r\n\r\n", 400},
      {"GET http://a@h/ HTTP/1.1\r\nHost: h\r\n\r\n", 400},
      {"GET /a#b HTTP/1.1\r\nHost: h\r\n\r\n", 400},
      {std::string("GET /\0 HTTP/1.1\r\nHost: h\r\n\r\n", 28), 400},
      {"GET /\x01 HTTP/1.1\r\nHost: h\r\n\r\n", 400},
      {get("Expect: 200-ok\r\n"), 417},
      {"\x16\x03\x01\x02", 400},
      {"\r\n\r\n\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n", 400},
      {" GET / HTTP/1.1\r\nHost: h\r\n\r\n", 400},
  };
  for (const Refused& c : cases) {
    RequestHeadParser parser({});
    EXPECT_EQ(parser.Parse(c.bytes), Parsed::kRefused) << ::testing::PrintToString(c.bytes);
    EXPECT_EQ(parser.refusal().status, c.status) << ::testing::PrintToString(c.bytes) << parser.refusal().why;
    EXPECT_FALSE(parser.refusal().why.empty());
  }
}

TEST(RequestHead, HasALimitOnEverything) {
  const RequestHeadLimits limits{.bytes = 1000, .target = 100, .fields = 5};
  const auto parse = [&](const std::string& bytes) {
    RequestHeadParser parser(limits);
    const auto outcome = parser.Parse(bytes);
    return outcome == Parsed::kRefused ? parser.refusal().status : outcome == Parsed::kWhole ? 200 : 0;
  };
  const std::string end = " HTTP/1.1\r\nHost: h\r\n";
  EXPECT_EQ(parse("GET /" + std::string(99, 'a') + end + "\r\n"), 200);
  EXPECT_EQ(parse("GET /" + std::string(100, 'a') + end + "\r\n"), 414);
  EXPECT_EQ(parse("GET /" + std::string(2000, 'a')), 414);
  EXPECT_EQ(parse("GET /" + end + "A: 1\r\nA: 2\r\nA: 3\r\nA: 4\r\n\r\n"), 200);
  EXPECT_EQ(parse("GET /" + end + "A: 1\r\nA: 2\r\nA: 3\r\nA: 4\r\nA: 5\r\n\r\n"), 431);
  EXPECT_EQ(parse("GET /" + end + "A: " + std::string(2000, 'a')), 431);
}

// Whatever comes is whole, refused or waited for; nothing is read outside of the bytes (the sanitized tree sees it).
TEST(RequestHead, StandsAnyBytes) {
  std::mt19937 random(7);
  const std::string whole =
      "POST /3/x?y=z HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nConnection: a, close\r\n\r\n";
  for (int i = 0; i < 50'000; ++i) {
    std::string bytes = whole;
    for (int change = 0; change < 3; ++change) {
      const std::size_t at = random() % bytes.size();
      constexpr std::string_view kOdd("\0\r\n\t :/,\x7f\xff", 10);
      switch (random() % 3) {
        case 0:
          bytes[at] = kOdd[random() % kOdd.size()];
          break;
        case 1:
          bytes.erase(at, 1 + random() % 3);
          break;
        default:
          bytes.insert(at, 1, kOdd[random() % kOdd.size()]);
      }
    }
    const std::unique_ptr<char[]> exact(new char[bytes.size()]);
    std::ranges::copy(bytes, exact.get());
    RequestHeadParser parser({});
    const auto outcome = parser.Parse({exact.get(), bytes.size()});
    if (outcome == Parsed::kWhole) {
      EXPECT_LE(parser.size(), bytes.size());
    }
    if (outcome == Parsed::kRefused) {
      EXPECT_GE(parser.refusal().status, 400);
    }
  }
}

}  // namespace
}  // namespace tmdbc::http
