// SPDX-License-Identifier: MIT
#include "collector/disposition.h"

#include <gtest/gtest.h>

#include <fmt/core.h>

#include <vector>

namespace tmdbc {
namespace {

using enum Disposition;

std::string TmdbError(int code) {
  return fmt::format(R"({{"success":false,"status_code":{},"status_message":"As TMDB says it."}})", code);
}

Disposition At(const Observed& observed, int tries, bool outage = false, bool key_proven = true) {
  return Dispose(observed, {.tries = tries, .max_tries = 5, .outage = outage, .key_proven = key_proven});
}

// Every row of TMDB's error table that is an error (docs/tmdb-facts.md), on the first and on the fifth try.
TEST(Disposition, FollowsTmdbsErrorTable) {
  struct Row {
    int code, status;
    Disposition first, fifth;
  };
  const std::vector<Row> table = {
      {2, 501, kRetry, kBury},  {3, 401, kRetry, kBury},  {4, 405, kBury, kBury},
      {5, 422, kBury, kBury},   {6, 404, kGone, kGone},   {7, 401, kDeny, kDeny},
      {8, 403, kRetry, kBury},  {9, 503, kRetry, kBury},  {10, 401, kDeny, kDeny},
      {11, 500, kRetry, kBury}, {14, 401, kRetry, kBury}, {15, 500, kRetry, kBury},
      {16, 401, kRetry, kBury}, {17, 401, kRetry, kBury}, {18, 400, kBury, kBury},
      {19, 406, kBury, kBury},  {20, 422, kBury, kBury},  {22, 400, kBury, kBury},
      {23, 400, kBury, kBury},  {24, 504, kRetry, kBury}, {25, 429, kThrottle, kThrottle},
      {26, 400, kBury, kBury},  {27, 400, kBury, kBury},  {28, 400, kBury, kBury},
      {29, 400, kBury, kBury},  {30, 401, kRetry, kBury}, {31, 401, kDeny, kDeny},
      {32, 401, kRetry, kBury}, {33, 401, kRetry, kBury}, {34, 404, kGone, kGone},
      {35, 401, kDeny, kDeny},  {36, 401, kRetry, kBury}, {37, 404, kRetry, kBury},
      {38, 401, kRetry, kBury}, {39, 401, kRetry, kBury}, {41, 422, kBury, kBury},
      {42, 405, kBury, kBury},  {43, 502, kRetry, kBury}, {44, 500, kRetry, kBury},
      {45, 403, kDeny, kDeny},  {46, 503, kRetry, kBury}, {47, 400, kBury, kBury},
  };
  for (const Row& row : table) {
    const Observed observed = ObserveStatus(row.status, TmdbError(row.code));
    EXPECT_EQ(observed.tmdb_code, row.code);
    EXPECT_EQ(At(observed, 1), row.first) << "code " << row.code;
    EXPECT_EQ(At(observed, 4), row.first) << "code " << row.code;
    EXPECT_EQ(At(observed, 5), row.fifth) << "code " << row.code;
  }
}

TEST(Disposition, BelievesNoStatusThatDoesNotSpeakTmdbsJson) {
  const std::string html = "<html><head><title>Oops</title></head><body>CloudFront</body></html>";
  struct Row {
    int status;
    Disposition first, fifth;
  };
  const std::vector<Row> table = {
      {201, kRetry, kBury},        {204, kRetry, kBury}, {206, kRetry, kBury}, {301, kRetry, kBury},
      {302, kRetry, kBury},        {304, kRetry, kBury}, {308, kRetry, kBury}, {400, kBury, kBury},
      {401, kRetry, kBury},        {403, kRetry, kBury}, {404, kRetry, kBury}, {405, kBury, kBury},
      {406, kBury, kBury},         {408, kRetry, kBury}, {410, kRetry, kBury}, {422, kBury, kBury},
      {429, kThrottle, kThrottle}, {451, kRetry, kBury}, {500, kRetry, kBury}, {501, kRetry, kBury},
      {502, kRetry, kBury},        {503, kRetry, kBury}, {504, kRetry, kBury}, {520, kRetry, kBury},
  };
  for (const Row& row : table) {
    for (const std::string& body :
         {html, std::string(), std::string(R"({"message":"Forbidden"})"), std::string("[34]"),
          std::string(R"({"status_code":"34"})"), std::string(R"({"status_code":34)")}) {
      const Observed observed = ObserveStatus(row.status, body);
      EXPECT_EQ(observed.tmdb_code, 0) << body;
      EXPECT_EQ(At(observed, 1, false, false), row.first) << row.status << body;
      EXPECT_EQ(At(observed, 5, false, false), row.fifth) << row.status << body;
    }
  }
}

TEST(Disposition, RetriesWhatWasNotAnsweredOrNotBelieved) {
  using enum http::TransportFailure;
  for (const auto failure : {kTimeout, kReset}) {
    EXPECT_EQ(At(ObserveFailure(failure, ""), 4), kRetry);
    EXPECT_EQ(At(ObserveFailure(failure, ""), 5), kBury);
  }
  const Error why{ErrorCode::kCorrupt, "truncated JSON"};
  for (const char* body : {"", "<!DOCTYPE html>", "{\"id\":5", "\x1f\x8b\x08"}) {
    EXPECT_EQ(At(ObserveBadBody(body, why), 1), kRetry) << body;
    EXPECT_EQ(At(ObserveBadBody(body, why), 5), kBury) << body;
  }
  EXPECT_EQ(At(Observed{}, 5), kDone);
}

TEST(Disposition, AsksInPartsWhatFailsAsAWholeBeforeItIsADeadLetter) {
  using enum http::TransportFailure;
  struct Row {
    const char* what;
    Observed observed;
    Disposition first, second, part, smallest;  // the smallest part: nothing is left to ask apart
  };
  const Error why{ErrorCode::kCorrupt, "truncated JSON"};
  const Row table[] = {
      {"500", ObserveStatus(500, ""), kRetry, kSplit, kSplit, kBury},
      {"504", ObserveStatus(504, ""), kRetry, kSplit, kSplit, kBury},
      {"timeout", ObserveFailure(kTimeout, ""), kRetry, kSplit, kSplit, kBury},
      {"reset", ObserveFailure(kReset, ""), kRetry, kSplit, kSplit, kBury},
      {"more bytes than we take", ObserveFailure(kTooLarge, ""), kSplit, kSplit, kSplit, kBury},
      {"no connection", ObserveFailure(kConnect, ""), kRetry, kRetry, kRetry, kRetry},
      {"maintenance", ObserveStatus(503, TmdbError(46)), kRetry, kRetry, kRetry, kBury},
      {"a bad body", ObserveBadBody("{", why), kRetry, kSplit, kSplit, kBury},
      {"no body", ObserveBadBody("", why), kRetry, kSplit, kSplit, kBury},
      {"a page instead", ObserveBadBody("<html>", why), kRetry, kSplit, kSplit, kBury},
      {"an address that is too long", ObserveStatus(414, "<html>"), kRetry, kSplit, kSplit, kBury},
      {"400", ObserveStatus(400, TmdbError(47)), kRetry, kBury, kRetry, kBury},
  };
  for (const Row& row : table) {
    SCOPED_TRACE(row.what);
    EXPECT_EQ(Dispose(row.observed, {.tries = 1, .suspect = false, .can_split = true}), row.first);
    EXPECT_EQ(Dispose(row.observed, {.tries = 2, .suspect = true, .can_split = true}), row.second);
    EXPECT_EQ(Dispose(row.observed, {.tries = 3, .suspect = false, .can_split = true, .part = true}),
              row.part);
    EXPECT_EQ(Dispose(row.observed, {.tries = 8, .suspect = true, .part = true}), row.smallest);
    EXPECT_EQ(Dispose(row.observed, {.tries = 2, .outage = true, .can_split = true}), kRetry) << "an outage";
  }
}

TEST(Disposition, TakesALikelyKeyErrorForTheKeysOnlyUntilTheKeyWasAccepted) {
  for (const int code : {3, 14, 32}) {
    EXPECT_EQ(At(ObserveStatus(401, TmdbError(code)), 1, false, false), kDeny) << code;
    EXPECT_EQ(At(ObserveStatus(401, TmdbError(code)), 1, false, true), kRetry) << code;
  }
  EXPECT_EQ(At(ObserveStatus(401, TmdbError(39)), 1, false, false), kRetry) << "a private resource";
}

TEST(Disposition, NeverBlamesTheIdForAServerThatCannotBeReached) {
  EXPECT_EQ(At(ObserveFailure(http::TransportFailure::kConnect, ""), 99), kRetry);
  EXPECT_EQ(Dispose(ObserveStatus(503, TmdbError(46)), {.tries = 99, .suspect = false}), kRetry);
  EXPECT_EQ(At(ObserveStatus(503, "<html>"), 99), kBury)
      << "a proxy may say so for one page that takes too long";
}

TEST(Disposition, GivesAnIdMoreTriesWhileNothingElseIsAnsweredEither) {
  EXPECT_EQ(Dispose(ObserveStatus(503, ""), {.tries = 5, .suspect = false}), kRetry);
  EXPECT_EQ(Dispose(ObserveStatus(503, ""), {.tries = 5, .suspect = true}), kBury);
  EXPECT_EQ(Dispose(ObserveStatus(422, TmdbError(5)), {.tries = 1, .suspect = false}), kRetry)
      << "it may say so to everything";
}

TEST(Disposition, TellsWhatTmdbsApiWouldNotAnswer) {
  const std::string html = "<html>";
  for (const int status : {301, 302, 308, 400, 401, 403, 404, 405, 410, 451}) {
    EXPECT_TRUE(ObserveStatus(status, html).foreign) << status;
    EXPECT_TRUE(ObserveStatus(status, "").foreign) << status;
  }
  EXPECT_TRUE(ObserveBadBody("<!DOCTYPE html>", {ErrorCode::kCorrupt, "tape error"}).foreign);
  // What a server in trouble answers, or one that wants to be left alone.
  for (const int status : {429, 500, 502, 503, 504, 520})
    EXPECT_FALSE(ObserveStatus(status, html).foreign) << status;
  EXPECT_FALSE(ObserveStatus(404, TmdbError(34)).foreign);
  EXPECT_FALSE(ObserveStatus(401, TmdbError(7)).foreign);
  EXPECT_FALSE(ObserveBadBody("{\"id\":5", {ErrorCode::kCorrupt, "cut"}).foreign);
  EXPECT_FALSE(ObserveFailure(http::TransportFailure::kTimeout, "").foreign);
}

TEST(Disposition, BuriesNothingDuringAnOutage) {
  for (const int status : {301, 400, 401, 403, 404, 422, 500, 503}) {
    EXPECT_EQ(At(ObserveStatus(status, ""), 9, true), kRetry) << status;
  }
  EXPECT_EQ(At(ObserveFailure(http::TransportFailure::kConnect, ""), 9, true), kRetry);
  EXPECT_EQ(At(ObserveStatus(404, TmdbError(34)), 9, true), kGone);
  EXPECT_EQ(At(ObserveStatus(401, TmdbError(7)), 9, true), kDeny);
}

TEST(Disposition, GivesReasonsThatAPersonCanUse) {
  EXPECT_EQ(BuryReason("movie:9",
                       ObserveBadBody("{", {ErrorCode::kCorrupt, "get movie/9: not whole JSON: cut"}), 5),
            "get movie:9: not whole JSON: cut after 5 tries");
  EXPECT_EQ(BuryReason("tv:1399", ObserveStatus(503, "<html>"), 5), "get tv:1399: HTTP 503 after 5 tries");
  EXPECT_EQ(BuryReason("movie:9", ObserveStatus(422, TmdbError(5)), 1), "get movie:9: HTTP 422 code 5");
  EXPECT_EQ(BuryReason("movie:9", ObserveBadBody("{\"id\":5", {ErrorCode::kCorrupt, "truncated JSON"}), 5),
            "get movie:9: truncated JSON after 5 tries");
  EXPECT_EQ(BuryReason("movie:9", ObserveBadBody(" <html>", {ErrorCode::kCorrupt, "tape error"}), 5),
            "get movie:9: HTML or XML instead of JSON after 5 tries");
  EXPECT_EQ(BuryReason("person:1", ObserveFailure(http::TransportFailure::kTimeout, ""), 5),
            "get person:1: timeout after 5 tries");
}

}  // namespace
}  // namespace tmdbc
