// SPDX-License-Identifier: MIT
#include "app/owner_request.h"

#include <gtest/gtest.h>

#include <fmt/format.h>

#include <string>

namespace tmdbc {
namespace {

using Kind = OwnerEventKind::Kind;

std::string Delivered(std::string_view detail) {
  return fmt::format(
      R"({{"version":"0","id":"6a7e8feb-b491-4cf7-a9f1-bf3703467718","detail-type":"Collection Requested",)"
      R"("source":"tmdb-data-collector","account":"111122223333","time":"2026-11-22T18:43:48Z",)"
      R"("region":"us-east-1","resources":[],"detail":{}}})",
      detail);
}

TEST(OwnerRequest, TellsHeartbeatsProbesAndRequestsApart) {
  EXPECT_EQ(KindOfEvent(R"({"detail-type":"Heartbeat"})")->kind, Kind::kHeartbeat);
  EXPECT_EQ(KindOfEvent(R"({"detail-type":"Probe"})")->kind, Kind::kProbe);
  const auto request = KindOfEvent(Delivered("{}")).value();
  EXPECT_EQ(request.kind, Kind::kRequest);
  EXPECT_EQ(request.id, "6a7e8feb-b491-4cf7-a9f1-bf3703467718");
  EXPECT_EQ(KindOfEvent("{}")->id, "");
  for (const char* event : {"", "7", "[]", "{"}) {
    EXPECT_EQ(KindOfEvent(event).error().code, ErrorCode::kInvalid) << event;
  }
}

TEST(OwnerRequest, IsAHarvestAsForTrigger) {
  const auto request =
      ReadOwnerRequest(Delivered(R"({"mode":"export","types":["movie"],"limit":7,"stage":"dev"})"), "k");
  ASSERT_TRUE(request) << request.error().message;
  EXPECT_FALSE(request->redrive);
  ASSERT_EQ(request->harvests.size(), 1u);
  EXPECT_EQ(request->harvests[0].mode, HarvestMode::kExport);
  EXPECT_EQ(request->harvests[0].limit, 7);
}

TEST(OwnerRequest, IsWhatAScheduleSends) {
  const auto request = ReadOwnerRequest(
      R"({"version":"0","id":"53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa","detail-type":"Scheduled Event",)"
      R"("source":"aws.events","account":"123456789012","time":"2026-10-08T16:53:06Z","region":"us-east-1",)"
      R"("resources":["arn:aws:events:us-east-1:123456789012:rule/my-schedule"],"detail":{}})",
      "k");
  ASSERT_TRUE(request) << request.error().message;
  ASSERT_EQ(request->harvests.size(), 1u);
  EXPECT_EQ(request->harvests[0].mode, HarvestMode::kAuto);
}

TEST(OwnerRequest, MayAskThatDeadLettersWaitAgain) {
  const auto request = ReadOwnerRequest(Delivered(R"({"mode":"redrive","stage":"dev"})"), "k");
  ASSERT_TRUE(request) << request.error().message;
  EXPECT_TRUE(request->redrive);
  EXPECT_TRUE(request->harvests.empty());
}

TEST(OwnerRequest, MayAgreeToTheDeletionsThatAreHeld) {
  for (const char* detail : {R"({"accept_deletions":true})", R"({"accept_deletions":true,"mode":"export"})",
                             R"({"mode":"export","accept_deletions":true,"limit":7})",
                             R"({"mode":"redrive","accept_deletions":true})"}) {
    const auto request = ReadOwnerRequest(Delivered(detail), "k");
    ASSERT_TRUE(request) << request.error().message;
    EXPECT_TRUE(request->accept_deletions) << detail;
    EXPECT_NE(request->redrive, request->harvests.size() == 1) << detail;
  }
  EXPECT_FALSE(ReadOwnerRequest(Delivered(R"({"accept_deletions":false})"), "k")->accept_deletions);
  EXPECT_FALSE(ReadOwnerRequest(Delivered("{}"), "k")->accept_deletions);
  EXPECT_FALSE(ReadOwnerRequest(Delivered(R"({"accept_deletions":"yes"})"), "k"));
}

TEST(OwnerRequest, RefusesWhatCannotBeDone) {
  for (const std::string& event :
       {Delivered(R"({"mode":"redrive","limit":7})"), Delivered(R"({"mode":"everything"})"), std::string("{}"),
        Delivered(R"({"stage":7})"), std::string(R"({"detail-type":"Redrive","detail":{"mode":"redrive"}})")}) {
    const auto request = ReadOwnerRequest(event, "inbox/request/1.json");
    ASSERT_FALSE(request) << event;
    EXPECT_EQ(request.error().code, ErrorCode::kInvalid);
    EXPECT_TRUE(request.error().message.starts_with("inbox/request/1.json")) << request.error().message;
  }
}

TEST(OwnerRequest, TakesTheRestFromTheSettings) {
  Settings settings;
  settings.media_types = {MediaType::kMovie, MediaType::kTv};
  settings.include_adult = true;
  settings.rate_limit_requests = 3;
  settings.collection_interval = std::chrono::hours(24);
  HarvestRequest request{.mode = HarvestMode::kChanges, .types = {}};
  const HarvestOptions options = HarvestOptionsFor(settings, request);
  EXPECT_EQ(options.types, settings.media_types);
  EXPECT_TRUE(options.include_adult);
  EXPECT_EQ(options.mode, HarvestMode::kChanges);
  EXPECT_GT(options.refresh_budget, 0);
  request.types = {MediaType::kPerson};
  EXPECT_EQ(HarvestOptionsFor(settings, request).types, request.types);
}

}  // namespace
}  // namespace tmdbc
