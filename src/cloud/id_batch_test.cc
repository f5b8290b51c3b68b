// SPDX-License-Identifier: MIT
#include "cloud/id_batch.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace tmdbc {
namespace {

constexpr std::string_view kMessage =
    R"({"schema":1,"batch":"000000123-0007","rate":39.2,"ids":[["movie",550],["tv",1399,[0,1,8]],["tv",7,[]],)"
    R"(["person",31],["configuration",1]]})";

TEST(IdBatch, ComesOutOfItsMessageAsItWentIn) {
  IdBatch batch{.name = "000000123-0007", .lane = 0, .rate = 39.2, .items = {}};
  batch.items = {{{MediaType::kMovie, 550}},
                 {{MediaType::kTv, 1399}, {0, 1, 8}},
                 {{MediaType::kTv, 7}},
                 {{MediaType::kPerson, 31}},
                 {{MediaType::kConfiguration, 1}}};
  EXPECT_EQ(FormatIdBatch(batch), kMessage);
  const auto parsed = ParseIdBatch(kMessage);
  ASSERT_TRUE(parsed) << parsed.error().message;
  EXPECT_EQ(*parsed, batch);
}

TEST(IdBatch, KeepsARateExactly) {
  for (const double rate : {0.1, 40.0, 1.0 / 3, 39.999999999999996, 1000.0}) {
    const auto parsed = ParseIdBatch(FormatIdBatch({.name = "000000001-0001", .rate = rate, .items = {}}));
    ASSERT_TRUE(parsed) << parsed.error().message;
    EXPECT_EQ(parsed->rate, rate);
  }
}

TEST(IdBatch, MayBeEmpty) {
  const auto parsed = ParseIdBatch(R"({"schema":1,"batch":"000000001-0001","rate":40,"ids":[]})");
  ASSERT_TRUE(parsed) << parsed.error().message;
  EXPECT_TRUE(parsed->items.empty());
}

TEST(IdBatch, SaysWhatIsWrongWithAMessage) {
  const auto ids = [](std::string_view text) {
    return fmt::format(R"({{"schema":1,"batch":"000000123-0007","rate":40,"ids":{}}})", text);
  };
  const std::vector<std::pair<std::string, std::string_view>> table = {
      {"", "message of ids: "},
      {"[]", "not an object"},
      {R"({"batch":"000000123-0007"})", "no schema"},
      {R"({"schema":2,"batch":"000000123-0007","rate":40,"ids":[]})", "schema 2, this program knows 1"},
      {R"({"schema":1,"batch":"../../head","rate":40,"ids":[]})", "no name of a batch"},
      {R"({"schema":1,"batch":"000000123-0007","rate":0,"ids":[]})", "no rate"},
      {R"({"schema":1,"batch":"000000123-0007","rate":1001,"ids":[]})", "no rate"},
      {R"({"schema":1,"batch":"000000123-0007","rate":"40","ids":[]})", "no rate"},
      {R"({"schema":1,"batch":"000000123-0007","rate":40})", "no ids"},
      {ids(R"([550])"), "550 is not an id"},
      {ids(R"([["movie"]])"), R"(["movie"] is not an id)"},
      {ids(R"([["film",550]])"), R"(["film",550] is not an id)"},
      {ids(R"([["movie",0]])"), "is not an id"},
      {ids(R"([["movie",-1]])"), "is not an id"},
      {ids(R"([["movie",4503599627370496]])"), "is not an id"},
      {ids(R"([["movie",1.5]])"), "is not an id"},
      {ids(R"([["movie",550,[1]]])"), "is not an id"},
      {ids(R"([["season",3624]])"), "is not an id"},
      {ids(R"([["tv",1399]])"), "is not an id"},
      {ids(R"([["tv",1399,[1,0]]])"), "is not an id"},
      {ids(R"([["tv",1399,[1,1]]])"), "is not an id"},
      {ids(R"([["tv",1399,[-1]]])"), "is not an id"},
      {ids(R"([["movie",550],["movie",550]])"), "movie:550 twice"},
      {ids(R"([["movie", 550]])"), "not in the form"},
      {ids(R"([],"more":1)"), "not in the form"},
      {R"({"schema":1,"batch":"000000123-0007","rate":40.0,"ids":[]})", "not in the form"},
  };
  for (const auto& [text, wanted] : table) {
    const auto parsed = ParseIdBatch(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_EQ(parsed.error().code, ErrorCode::kInvalid);
    EXPECT_NE(parsed.error().message.find(wanted), std::string::npos) << text << "\n" << parsed.error().message;
  }
}

TEST(IdBatch, IsBoundedInIdsAndBytes) {
  IdBatch batch{.name = "000000123-0007", .rate = 40, .items = {}};
  for (std::int64_t id = 1; id <= std::int64_t(kMostBatchIds); ++id) batch.items.push_back({{MediaType::kMovie, id}});
  EXPECT_TRUE(ParseIdBatch(FormatIdBatch(batch)));
  batch.items.push_back({{MediaType::kMovie, 9999}});
  EXPECT_NE(ParseIdBatch(FormatIdBatch(batch)).error().message.find("2001 ids"), std::string::npos);

  batch.items.clear();
  std::size_t bytes = kBatchHeadBytes;
  for (std::int64_t id = 4'000'000'000;; ++id) {
    const IdBatch::Item item{{MediaType::kTv, id}, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}};
    if (bytes + ItemBytes(item) > kMostBatchBytes) break;
    bytes += ItemBytes(item);
    batch.items.push_back(item);
  }
  EXPECT_LT(batch.items.size(), kMostBatchIds);
  EXPECT_TRUE(ParseIdBatch(FormatIdBatch(batch))) << "what the sizes promise fits";
  for (int more = 0; more < 4; ++more) batch.items.push_back({{MediaType::kCollection, 5'000'000'000 + more}});
  EXPECT_NE(ParseIdBatch(FormatIdBatch(batch)).error().message.find("are allowed"), std::string::npos);
}

TEST(IdBatch, NamesBatchesSoThatTheyBecomeKeys) {
  EXPECT_EQ(BatchName(123, 7), "000000123-0007");
  EXPECT_EQ(BatchName(999'999'999, 9'999), "999999999-9999");
  for (const std::string_view name : {"000000123-0007", "999999999-9999", "000000001-0001"}) {
    EXPECT_TRUE(IsBatchName(name)) << name;
  }
  for (const std::string_view name : {"", "000000123-000", "000000123-00070", "000000000-0007", "000000123-0000",
                                      "0000001230-007", "00000012a-0007", "-00000123-0007", "../../1234-007"}) {
    EXPECT_FALSE(IsBatchName(name)) << name;
  }
}

}  // namespace
}  // namespace tmdbc
