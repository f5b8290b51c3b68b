// SPDX-License-Identifier: MIT
#include "storage/record_line.h"

#include <gtest/gtest.h>

#include <random>

#include "base/hash.h"
#include "storage/record_index.h"
#include "tmdb/document.h"

namespace tmdbc {
namespace {

const Time kFetched = ParseTime("2026-11-22T10:01:02.345Z").value();

RecordLine FightClub() {
  RecordLine line;
  line.id = {MediaType::kMovie, 550};
  line.version = 3;
  line.change = Change::kUpdate;
  line.fetched_at = kFetched;
  line.etag = "W/\"4d5ae1\"";
  line.data = R"({"id":550,"title":"Fight Club"})";
  line.sha256 = Sha256Hex(line.data);
  return line;
}

std::string Text(const RecordLine& line) {
  std::string text;
  AppendRecordLine(line, text);
  return text;
}

TEST(RecordLine, HasTheMembersOfTheFormatInTheirOrder) {
  EXPECT_EQ(
      Text(FightClub()),
      R"({"type":"movie","id":550,"version":3,"change":"update","fetched_at":"2026-11-22T10:01:02.345Z","status":200,)"
      R"("etag":"W/\"4d5ae1\"","sha256":"ca6bf2d8021254868e0cbe7d5de9efdd157276b13ee828020156e3280415fd1e",)"
      R"("data":{"id":550,"title":"Fight Club"}})"
      "\n");
}

TEST(RecordLine, NamesShowAndNumberOfASeason) {
  RecordLine line;
  line.id = {MediaType::kSeason, 3624};
  line.tv_id = 1399;
  line.season_number = 0;
  line.version = 1;
  line.fetched_at = kFetched;
  line.data = R"({"id":3624})";
  line.sha256 = Sha256Hex(line.data);
  EXPECT_TRUE(Text(line).starts_with(
      R"({"type":"season","id":3624,"tv_id":1399,"season_number":0,"version":1,"change":"insert",)"));
  const std::string text = Text(line);
  EXPECT_EQ(ParseRecordLine(std::string_view(text).substr(0, text.size() - 1)).value(), line);
}

TEST(RecordLine, HasNullsInATombstone) {
  RecordLine line;
  line.id = {MediaType::kTv, 7};
  line.version = 2;
  line.change = Change::kDelete;
  line.fetched_at = kFetched;
  line.status = 404;
  EXPECT_EQ(
      Text(line),
      R"({"type":"tv","id":7,"version":2,"change":"delete","fetched_at":"2026-11-22T10:01:02.345Z","status":404,)"
      R"("etag":null,"sha256":null,"data":null})"
      "\n");
}

TEST(RecordLine, HasAPatchOfTheNumbersWhenTheBodyIsTheOneOfTheVersion) {
  RecordLine line = FightClub();
  line.change = Change::kStats;
  line.data = {};
  line.sha256.clear();
  line.patch = R"([{"op":"replace","path":"/vote_count","value":26281}])";
  EXPECT_EQ(
      Text(line),
      R"({"type":"movie","id":550,"version":3,"change":"stats","fetched_at":"2026-11-22T10:01:02.345Z","status":200,)"
      R"("etag":"W/\"4d5ae1\"","sha256":null,"data":null,"patch":[{"op":"replace","path":"/vote_count","value":26281}]})"
      "\n");
}

TEST(RecordLine, NamesTheIdsOfWhichAFetchFoundNothingNew) {
  for (const MediaType type : {MediaType::kMovie, MediaType::kSeason}) {
    const RecordLine line{
        .id = {type, 0}, .change = Change::kVerified, .fetched_at = kFetched, .ids = {5, 550, 551}};
    EXPECT_EQ(
        Text(line),
        fmt::format(
            R"({{"type":"{}","id":null,"version":null,"change":"verified","fetched_at":"2026-11-22T10:01:02.345Z",)"
            R"("status":200,"etag":null,"sha256":null,"data":null,"ids":[5,550,551]}})"
            "\n",
            Name(type)));
  }
}

TEST(RecordLine, RefusesIdsThatAreNotAscending) {
  const RecordLine line{
      .id = {MediaType::kMovie, 0}, .change = Change::kVerified, .fetched_at = kFetched, .ids = {5, 550}};
  const std::string good = Text(line).substr(0, Text(line).size() - 1);
  ASSERT_TRUE(ParseRecordLine(good));
  const auto with = [&](std::string_view from, std::string_view to) {
    std::string bent = good;
    return bent.replace(bent.find(from), from.size(), to);
  };
  for (const std::string& bent :
       {with("5,550", "550,5"), with("5,550", "5,5"), with("5,550", ""), with("5,550", "5,"),
        with("5,550", ",5"), with("5,550", "5, 550"), with("5,550", "-5"), with("5,550", "0"),
        with("5,550", "05"), with("5,550", "5.0"), with("5,550", "99999999999999999999"),
        with("550]", "550]]"), with("id\":null", "id\":5"), with("200", "500"),
        with("version\":null", "version\":1"), with("verified", "stats"), with(",\"ids\":[5,550]", "")}) {
    EXPECT_FALSE(ParseRecordLine(bent)) << bent;
  }
}

TEST(RecordLine, ComesBackAsItWasWritten) {
  std::mt19937_64 random(7);
  const std::vector<std::optional<std::string>> etags = {
      std::nullopt, "", "W/\"0a\"", "back\\slash", "caf\xe9", "\x01\x7f\xff", "\"data\":"};
  for (int round = 0; round < 500; ++round) {
    RecordLine line;
    line.id = {kRecordTypes[random() % kRecordTypes.size()], std::int64_t(random() % kMaxRecordId) + 1};
    if (line.id.type == MediaType::kSeason) {
      line.tv_id = std::int64_t(random() % 300'000);
      line.season_number = std::int64_t(random() % 60);
    }
    line.version = 1 + std::int64_t(random() % 1000);
    line.change = static_cast<Change>(random() % 7);
    line.fetched_at = kFetched + std::chrono::milliseconds(random() % 100'000'000'000);
    line.etag = etags[random() % etags.size()];
    const std::string data =
        fmt::format(R"({{"id":{},"x":"{}"}})", line.id.id, std::string(random() % 300, 'y'));
    if (line.change == Change::kDelete || line.change == Change::kPurge) {
      line.status = 404;
    } else if (line.change == Change::kVerified) {
      line = {.id = {line.id.type, 0}, .change = Change::kVerified, .fetched_at = line.fetched_at};
      line.status = random() % 2 == 0 ? 200 : 404;
      for (std::int64_t id = 1; line.ids.empty() || random() % 20 != 0;
           id += 1 + std::int64_t(random() % 100'000))
        line.ids.push_back(id);
    } else if (line.change == Change::kStats && random() % 2 == 0) {
      line.patch = R"([{"op":"replace","path":"/vote_count","value":7}])";
    } else {
      line.data = data;
      line.sha256 = Sha256Hex(data);
    }
    std::string text = Text(line);
    ASSERT_EQ(text.find('\n'), text.size() - 1);
    ASSERT_TRUE(HashContent(text)) << "is not JSON: " << text;
    text.pop_back();
    const auto parsed = ParseRecordLine(text);
    ASSERT_TRUE(parsed) << parsed.error().message << ": " << text;
    EXPECT_EQ(*parsed, line) << text;
  }
}

TEST(RecordLine, RefusesALineThatWasNotWrittenByIt) {
  const std::string good = Text(FightClub()).substr(0, Text(FightClub()).size() - 1);
  ASSERT_TRUE(ParseRecordLine(good));
  const auto with = [&](std::string_view from, std::string_view to) {
    std::string bent = good;
    return bent.replace(bent.find(from), from.size(), to);
  };
  for (const std::string& bent : {std::string(),
                                  std::string("{}"),
                                  good.substr(1),
                                  good + " ",
                                  good.substr(0, good.size() - 2),
                                  with("movie", "film"),
                                  with(":550,", ":0550,"),
                                  with(":550,", ": 550,"),
                                  with("update", "unchanged"),
                                  with("update", "delete"),
                                  with(".345Z", "Z"),
                                  with("2026-11", "2026-13"),
                                  with("200", "+200"),
                                  with("200", "99999999999"),
                                  with("etag", "tage"),
                                  with("W/", "\\u0057/"),
                                  with("ca6b", "CA6B"),
                                  with("ca6b", "ca6"),
                                  with("{\"id\":550,\"title\":\"Fight Club\"}", "null"),
                                  with("\"data\"", "\"more\":1,\"data\"")}) {
    const auto parsed = ParseRecordLine(bent);
    ASSERT_FALSE(parsed) << bent;
    EXPECT_EQ(parsed.error().code, ErrorCode::kCorrupt);
  }
}

TEST(RecordLine, StopsWithinBrokenEtags) {
  const std::string good = Text(FightClub());
  const auto etag = good.find("W/");
  for (std::size_t cut = 0; cut < good.size() - 3; ++cut) EXPECT_FALSE(ParseRecordLine(good.substr(0, cut)));
  for (const char* bad : {"\\", "\\u00", "\\u00g1", "\\u004"})
    EXPECT_FALSE(ParseRecordLine(good.substr(0, etag) + bad));
}

}  // namespace
}  // namespace tmdbc
