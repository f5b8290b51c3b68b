// SPDX-License-Identifier: MIT
#include "cloud/head_state.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace tmdbc {
namespace {

constexpr std::string_view kHead =
    R"({"schema":1,"epoch":123,"holder":"8f3c-1","until":"2026-11-22T10:15:00.000Z",)"
    R"("catalog":"state/catalog/000000122.db","bytes":651234304,"crc32":"f5d6a61f",)"
    R"("previous":"state/catalog/000000121.db","sequences":{"movie":12,"tv":7},"waiting":5012345,)"
    R"("out":{"batches":24,"ids":47040},"sent":122,"stopped":null})"
    "\n";

std::string With(std::string_view from, std::string_view to) {
  std::string text(kHead);
  const auto at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

TEST(HeadState, SaysWhoOwnsWhat) {
  const auto head = ParseHeadState(kHead);
  ASSERT_TRUE(head) << head.error().message;
  EXPECT_EQ(head->epoch, 123);
  EXPECT_EQ(head->holder, "8f3c-1");
  EXPECT_EQ(FormatTime(head->until), "2026-11-22T10:15:00.000Z");
  EXPECT_EQ(head->catalog, (CatalogObject{"state/catalog/000000122.db", 651234304, 0xf5d6a61f}));
  EXPECT_EQ(head->previous, CatalogKey(121));
  EXPECT_EQ(head->sequences, (std::map<MediaType, std::int64_t>{{MediaType::kMovie, 12}, {MediaType::kTv, 7}}));
  EXPECT_EQ(head->waiting, 5012345);
  EXPECT_EQ(head->out_batches, 24);
  EXPECT_EQ(head->out_ids, 47040);
  EXPECT_EQ(head->sent, 122);
  EXPECT_FALSE(head->stopped);
  EXPECT_EQ(FormatHeadState(*head), kHead);
}

TEST(HeadState, OfAnEmptyBucketIsOneToo) {
  const HeadState empty{.epoch = 1, .holder = "me", .until = Time(std::chrono::hours(1))};
  const auto back = ParseHeadState(FormatHeadState(empty));
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(*back, empty);
}

TEST(HeadState, KeepsWhyNothingIsHandedOut) {
  HeadState head{.epoch = 9};
  head.stopped = "TMDB refuses the key \"\n";
  EXPECT_EQ(ParseHeadState(FormatHeadState(head)).value(), head);
}

TEST(HeadState, OfALaterProgramIsNotTakenForDamage) {
  const auto head = ParseHeadState(With("\"schema\":1", "\"schema\":2"));
  ASSERT_FALSE(head);
  EXPECT_EQ(head.error().code, ErrorCode::kInvalid);
  EXPECT_EQ(head.error().hint, Hint::kNewStore);
}

TEST(HeadState, NamesWhatIsWrong) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"", "state/head.json"},
      {"[]", "not an object"},
      {With("123", "-1"), "epoch"},
      {With("\"8f3c-1\"", "7"), "holder"},
      {With("2026-11-22T10", "yesterday"), "until"},
      {With("000000122.db", "../122.db"), "catalog is not the key"},
      {With("000000121.db", "121.db"), "previous is not the key"},
      {With("f5d6a61f", "f5d6a61g"), "crc32"},
      {With("f5d6a61f", "a61f"), "crc32"},
      {With("\"movie\"", "\"film\""), "sequences"},
      {With("\"movie\":12", "\"movie\":\"12\""), "sequences"},
      {With("\"batches\":24", "\"batches\":null"), "batches"},
      {With("\"sent\":122,", ""), "sent"},
      {With("\"sequences\":{\"movie\":12,\"tv\":7}", "\"sequences\":null"), "sequences is not an object"},
      {With("\"out\":{\"batches\":24,\"ids\":47040}", "\"out\":[]"), "out is not an object"},
      {With("\"out\":{\"batches\":24,\"ids\":47040},", ""), "out is not an object"},
      {With("\"stopped\":null", "\"stopped\":1"), "stopped"},
  };
  for (const auto& [text, what] : cases) {
    const auto head = ParseHeadState(text);
    ASSERT_FALSE(head) << text;
    EXPECT_EQ(head.error().code, ErrorCode::kCorrupt) << text;
    EXPECT_NE(head.error().message.find(what), std::string::npos) << head.error().message;
  }
}

}  // namespace
}  // namespace tmdbc
