// SPDX-License-Identifier: MIT
#include "tmdb/change_page.h"

#include <gtest/gtest.h>

#include "base/clock.h"

namespace tmdbc {
namespace {

using namespace std::chrono_literals;

std::vector<std::int64_t> IdsOf(const ChangePage& page) {
  std::vector<std::int64_t> ids;
  for (const ChangeRow& row : page.rows) ids.push_back(row.id);
  return ids;
}

TEST(ChangePage, TheDayIsItsOwnStartAndEnd) {
  const ApiAccess access{.base_url = "https://api.themoviedb.org/3",
                         .secret_query = "api_key=0123456789abcdef0123456789abcdef",
                         .bearer = "",
                         .user_agent = "tmdb-collector/test"};
  const http::Request request =
      MakeChangesRequest(access, MediaType::kTv, std::chrono::sys_days(2026y / 2 / 28), 17);
  EXPECT_EQ(request.url,
            "https://api.themoviedb.org/3/tv/changes?start_date=2026-02-28&end_date=2026-02-28&page=17");
  EXPECT_EQ(request.secret_query, access.secret_query);
  EXPECT_EQ(request.headers.at(1), (http::Header{"Accept-Encoding", "gzip"}));
}

TEST(ChangePage, OnlyThreeTypesHaveAFeed) {
  for (const MediaType type : kRecordTypes) {
    const bool expected = type == MediaType::kMovie || type == MediaType::kTv || type == MediaType::kPerson;
    EXPECT_EQ(HasChangeFeed(type), expected) << Name(type);
  }
}

TEST(ChangePage, ReadsRowsAsTheyAreSentToday) {
  const auto page = ParseChangePage(
      R"({"results":[{"id":1628367,"adult":false,"softcore":false},{"id":11,"adult":true,"softcore":true},)"
      R"({"id":12,"adult":null,"softcore":null},{"id":13}],"page":2,"total_pages":79,"total_results":7891})",
      2);
  ASSERT_TRUE(page) << page.error().message;
  EXPECT_EQ(
      page->rows,
      (std::vector<ChangeRow>{
          {1628367, AdultMark::kNo}, {11, AdultMark::kYes}, {12, AdultMark::kNull}, {13, AdultMark::kNo}}));
  EXPECT_EQ(page->total_pages, 79);
  EXPECT_EQ(page->total_results, 7891);
}

TEST(ChangePage, RowsWithoutAnIdAreLeftOutButCounted) {
  const auto page = ParseChangePage(
      R"({"results":[{"id":null,"adult":null},{"adult":false},{"id":"x"},{"id":0},{"id":-4},{"id":4294967296},)"
      R"(7,null,{"id":99999999999999999999},{"id":5,"adult":false}],"page":1,"total_pages":1,"total_results":10})",
      1);
  ASSERT_TRUE(page) << page.error().message;
  EXPECT_EQ(IdsOf(*page), std::vector<std::int64_t>{5});
  EXPECT_EQ(page->rows_in_all, 10);
  EXPECT_EQ(page->unreadable, 8);  // all but the null id, which TMDB sends now and then
}

TEST(ChangePage, RepeatsAreKept) {
  const auto page =
      ParseChangePage(R"({"page":1,"results":[{"id":5},{"id":6},{"id":5}],"total_pages":1})", 1);
  ASSERT_TRUE(page);
  EXPECT_EQ(IdsOf(*page), (std::vector<std::int64_t>{5, 6, 5}));
}

TEST(ChangePage, AnEmptyDayIsAPage) {
  const auto page = ParseChangePage(R"({"results":[],"page":1,"total_pages":0,"total_results":0})", 1);
  ASSERT_TRUE(page);
  EXPECT_TRUE(page->rows.empty());
  EXPECT_EQ(page->total_pages, 0);
}

TEST(ChangePage, TotalsThatAreMissingOrOddCountAsNothing) {
  const struct {
    const char* totals;
    std::int64_t pages, results;
  } cases[] = {
      {"", 0, 0},
      {R"(,"total_pages":null,"total_results":"12")", 0, 0},
      {R"(,"total_pages":-1,"total_results":-5)", 0, 0},
      {R"(,"total_pages":3.0,"total_results":2.5e2)", 3, 250},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.totals);
    const auto page = ParseChangePage(std::string(R"({"results":[{"id":1}])") + c.totals + "}", 1);
    ASSERT_TRUE(page) << page.error().message;
    EXPECT_EQ(page->total_pages, c.pages);
    EXPECT_EQ(page->total_results, c.results);
  }
}

TEST(ChangePage, WhatIsNoPageIsRefused) {
  for (const char* body :
       {"", "null", "[]", "{}", R"({"results":{}})", R"({"results":[{"id":1})",
        R"({"status_code":34,"status_message":"The resource you requested could not be found."})",
        R"({"results":[],"page":1,"total_pages":4,"total_results":400})"}) {
    const auto page = ParseChangePage(body, 2);
    ASSERT_FALSE(page) << body;
    EXPECT_EQ(page.error().code, ErrorCode::kCorrupt) << body;
  }
}

TEST(ChangePage, AStatusSaysWhatToDo) {
  const auto body = [](int code) {
    return fmt::format(R"({{"success":false,"status_code":{},"status_message":"..."}})", code);
  };
  const struct {
    int status;
    std::string body;
    PageTrouble trouble;
  } cases[] = {
      {429, body(25), PageTrouble::kThrottled},  {429, "<html>", PageTrouble::kThrottled},
      {401, body(7), PageTrouble::kDenied},      {401, body(10), PageTrouble::kDenied},
      {403, body(45), PageTrouble::kDenied},     {401, "<html>", PageTrouble::kTryAgain},
      {403, "<html>", PageTrouble::kTryAgain},   {400, body(22), PageTrouble::kNoSuchPage},
      {422, body(22), PageTrouble::kNoSuchPage}, {400, body(23), PageTrouble::kHopeless},
      {422, body(20), PageTrouble::kHopeless},   {404, body(34), PageTrouble::kHopeless},
      {404, "<html>", PageTrouble::kTryAgain},   {500, body(11), PageTrouble::kTryAgain},
      {502, "<html>", PageTrouble::kTryAgain},   {503, body(46), PageTrouble::kTryAgain},
      {302, "", PageTrouble::kTryAgain},
  };
  for (const auto& c : cases)
    EXPECT_EQ(int(JudgeChangesStatus(c.status, c.body)), int(c.trouble)) << c.status << " " << c.body;
}

}  // namespace
}  // namespace tmdbc
