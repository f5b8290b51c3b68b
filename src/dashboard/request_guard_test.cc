// SPDX-License-Identifier: MIT
#include "dashboard/request_guard.h"

#include <gtest/gtest.h>

namespace tmdbc::dashboard {
namespace {

int StatusFor(std::string target, std::vector<http::Header> headers, std::string method = "GET") {
  return RefusalOf({.method = std::move(method), .target = std::move(target), .headers = std::move(headers)},
                   {"mirror.lan"})
      .status;
}

TEST(RequestGuard, KnowsItsOwnNames) {
  for (const char* host : {"localhost", "localhost:8080", "LOCALHOST:1", "127.0.0.1:8080", "192.168.1.7:8080",
                           "[::1]:8080", "[::1]", "mirror.lan:8080", "Mirror.LAN"}) {
    EXPECT_EQ(StatusFor("/", {{"Host", host}}), 0) << host;
  }
}

TEST(RequestGuard, ANameThatLeadsHereIsNotOurs) {
  for (const char* host :
       {"evil.example", "evil.example:8080", "localhost.evil.example", "127.0.0.1.evil.example",
        "127.0.0.1@evil.example", "", "[::1", "::1", "1.2.3", "localhost:80:80"}) {
    EXPECT_EQ(StatusFor("/", {{"Host", host}}), 421) << host;
    EXPECT_EQ(StatusFor("/dashboard/status.json", {{"Host", host}}), 421) << host;
  }
  EXPECT_EQ(StatusFor("/", {}), 421);
}

TEST(RequestGuard, DataIsForItsOwnPage) {
  const http::Header host{"Host", "localhost:8080"};
  const char* data = "/dashboard/status.json";
  EXPECT_EQ(StatusFor(data, {host}), 0);  // curl
  EXPECT_EQ(StatusFor(data, {host, {"Sec-Fetch-Site", "same-origin"}}), 0);
  EXPECT_EQ(StatusFor(data, {host, {"Sec-Fetch-Site", "none"}}), 0);  // typed by a person
  EXPECT_EQ(StatusFor(data, {host, {"Origin", "http://localhost:8080"}}), 0);
  EXPECT_EQ(StatusFor(data, {host, {"Sec-Fetch-Site", "cross-site"}}), 403);
  EXPECT_EQ(StatusFor(data, {host, {"Sec-Fetch-Site", "same-site"}}), 403);
  EXPECT_EQ(StatusFor(data, {host, {"Origin", "http://localhost:9090"}}), 403);
  EXPECT_EQ(StatusFor(data, {host, {"Origin", "https://evil.example"}}), 403);
  EXPECT_EQ(StatusFor(data, {host, {"Origin", "null"}}), 403);
  EXPECT_EQ(StatusFor("/", {host, {"Sec-Fetch-Site", "cross-site"}}), 0);  // a link in a wiki
}

TEST(RequestGuard, OnlyShows) {
  for (const char* method : {"POST", "PUT", "DELETE", "OPTIONS", "PATCH"})
    EXPECT_EQ(StatusFor("/", {{"Host", "localhost"}}, method), 405) << method;
  EXPECT_EQ(StatusFor("/", {{"Host", "localhost"}}, "HEAD"), 0);
}

}  // namespace
}  // namespace tmdbc::dashboard
