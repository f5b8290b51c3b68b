// SPDX-License-Identifier: MIT
#include "app/trigger_event.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>

#include "base/clock.h"

namespace tmdbc {
namespace {

// A line for each event, its error where it cannot run; or the error of the whole file.
std::vector<std::string> Parse(std::string_view text) {
  const auto events = ParseTriggerEvents(text, "e.json");
  if (!events) return {events.error().message};
  std::vector<std::string> lines;
  for (const Result<TriggerEvent>& parsed : *events) {
    if (!parsed) {
      lines.push_back(parsed.error().message);
      continue;
    }
    const TriggerEvent& event = *parsed;
    std::string line = event.mode == HarvestMode::kAuto     ? "auto"
                       : event.mode == HarvestMode::kExport ? "export"
                                                            : "changes";
    for (const MediaType type : event.types) line += fmt::format(" {}", Name(type));
    for (const std::int64_t id : event.ids) line += fmt::format(" #{}", id);
    if (event.since) line += " since " + FormatDate(*event.since);
    if (event.until) line += " until " + FormatDate(*event.until);
    if (event.limit) line += fmt::format(" limit {}", *event.limit);
    lines.push_back(line);
  }
  return lines;
}
using Lines = std::vector<std::string>;

// An entry whose Detail is this object.
std::string Entry(std::string_view detail) {
  std::string quoted;
  for (const char c : detail) quoted += c == '"' ? std::string("\\\"") : std::string(1, c);
  return R"({"Source":"tmdb-data-collector","DetailType":"Collection Requested","Detail":")" + quoted + "\"}";
}

TEST(TriggerEvents, TheSampleOfTheRepositoryAsksForAHarvestOfTheUsualTypes) {
  const char* source = std::getenv("TMDBC_SOURCE_DIR");
  std::ifstream file(std::string(source ? source : ".") + "/samples/trigger-event.json");
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  EXPECT_EQ(Parse(text), Lines{"auto movie tv person"});
}

TEST(TriggerEvents, AreTakenInTheOrderOfTheFile) {
  EXPECT_EQ(Parse("[" + Entry(R"({"mode":"export","types":["movie","keyword"],"limit":10})") + "," +
                  Entry(R"({"mode":"changes","since":"2026-11-01","until":"2026-11-22"})") + "," +
                  Entry(R"({"mode":"ids","types":["tv"],"ids":[1399,66732]})") + "," + Entry("{}") + "]"),
            (Lines{"export movie keyword limit 10", "changes since 2026-11-01 until 2026-11-22",
                   "auto tv #1399 #66732", "auto"}));
}

TEST(TriggerEvents, MayBeWrappedAsPutEventsTakesThem) {
  EXPECT_EQ(Parse(R"({"Entries":[)" + Entry("{}") + "]}"), Lines{"auto"});
  EXPECT_EQ(Parse(Entry("{}")), Lines{"auto"});
  EXPECT_EQ(
      Parse(
          R"([{"Time":"2026-11-22T10:00:00Z","Source":"tmdb-data-collector","Resources":[],"DetailType":"Collection Requested","Detail":"{}","EventBusName":"default","TraceHeader":"Root=1"}])"),
      Lines{"auto"});
}

TEST(TriggerEvents, MayBeOneEventAsItIsDelivered) {
  constexpr std::string_view kEnvelope =
      R"("version":"0","id":"17793124-05d4-b198-2fde-7ededc63b103","account":"111122223333","time":"2026-11-22T10:00:00Z","region":"eu-central-1","resources":["arn:aws:events:eu-central-1:111122223333:rule/collect"],)";
  const std::string envelope = "{" + std::string(kEnvelope);
  EXPECT_EQ(
      Parse(
          envelope +
          R"("source":"tmdb-data-collector","detail-type":"Collection Requested","detail":{"types":["movie"]}})"),
      Lines{"auto movie"});
  EXPECT_EQ(Parse(envelope + R"("source":"aws.events","detail-type":"Scheduled Event","detail":{}})"),
            Lines{"auto"});
  EXPECT_EQ(Parse(envelope + R"("source":"aws.scheduler","detail-type":"Scheduled Event","detail":"{}"})"),
            Lines{"auto"});
}

struct BadEvent {
  std::string text;
  const char* message;
};

class TriggerMistake : public ::testing::TestWithParam<BadEvent> {};
TEST_P(TriggerMistake, IsNamedWithItsPlace) {
  EXPECT_EQ(Parse(GetParam().text).back(), GetParam().message);
}

std::string Second(std::string_view detail) {
  return "[" + Entry("{}") + "," + Entry(detail) + "]";
}

INSTANTIATE_TEST_SUITE_P(
    Table, TriggerMistake,
    ::testing::Values(
        BadEvent{"[]", "e.json: it has no events: give 1 to 1000"},
        BadEvent{"[1]", "e.json: entry 1: 1 is not an event, which is an object"},
        BadEvent{"\"x\"", "e.json: \"x\" is not an event, which is an object"},
        BadEvent{R"({"Entries":{}})", "e.json: Entries must be a list of events"},
        BadEvent{R"({"Entries":[],"more":1})", "e.json: 'more' is not a member that it may have"},
        BadEvent{R"([{"Source":"tmdb-data-collector","DetailType":"Collection Requested"}])",
                "e.json: entry 1: it has no Detail"},
        BadEvent{R"([{"Source":"tmdb-data-collector","DetailType":"Collection Requested","Details":"{}"}])",
                "e.json: entry 1: 'Details' is not a member that it may have, did you mean Detail?"},
        BadEvent{R"([{"Source":"tmdb-data-collector","DetailType":"Collection Requested","Detail":{}}])",
                "e.json: entry 1: its Detail is {}: it must be the text of a JSON object"},
        BadEvent{R"([{"Source":"shop","DetailType":"Order Placed","Detail":"{}"}])",
                "e.json: entry 1: an event 'Order Placed' of 'shop' starts nothing: use 'Source' "
                "\"tmdb-data-collector\" "
                "and 'DetailType' \"Collection Requested\""},
        BadEvent{Second(R"({"mode":"full"})"),
                "e.json: entry 2: Detail: mode is 'full': use auto, export, changes or ids"},
        BadEvent{Second(R"({"mode":1})"), "e.json: entry 2: Detail: mode is 1: it must be a text"},
        BadEvent{Second(R"({"type":["movie"]})"),
                "e.json: entry 2: Detail: 'type' is not a member that it may have, did you mean types?"},
        BadEvent{Second(R"({"types":["movies"]})"),
                "e.json: entry 2: Detail: types is [\"movies\"]: use a list of movie, tv, person, "
                "collection, company, "
                "network, keyword, configuration, as [\"movie\",\"tv\"]"},
        BadEvent{Second(R"({"types":[]})"),
                "e.json: entry 2: Detail: types is []: use a list of movie, tv, person, collection, company, "
                "network, "
                "keyword, configuration, as [\"movie\",\"tv\"]"},
        BadEvent{Second(R"({"types":["movie"],"ids":[0]})"),
                "e.json: entry 2: Detail: ids is [0]: use 1 to 100000 ids, as [550,551]"},
        BadEvent{Second(R"({"ids":[550]})"), "e.json: entry 2: Detail: ids are of one type: name it in types"},
        BadEvent{Second(R"({"mode":"ids"})"), "e.json: entry 2: Detail: mode ids needs ids"},
        BadEvent{Second(R"({"mode":"export","types":["movie"],"ids":[550]})"),
                "e.json: entry 2: Detail: ids goes with mode ids"},
        BadEvent{Second(R"({"since":"2026-11-22"})"), "e.json: entry 2: Detail: since goes with mode changes"},
        BadEvent{Second(R"({"mode":"changes","since":"yesterday"})"),
                "e.json: entry 2: Detail: since is 'yesterday': use a day as 2026-11-22"},
        BadEvent{Second(R"({"mode":"changes","limit":5})"),
                "e.json: entry 2: Detail: limit goes with the exports, not with mode changes"},
        BadEvent{Second(R"({"limit":-1})"),
                "e.json: entry 2: Detail: limit is -1: use a whole number from 0 to 1000000000"},
        BadEvent{Second(R"([])"),
                "e.json: entry 2: the text of its Detail is not a JSON object (The JSON "
                "element does not have "
                "the requested type.)"}));

TEST(TriggerEvents, OneThatCannotRunTakesNoOtherAlong) {
  EXPECT_EQ(Parse("[" + Entry(R"({"mode":"full"})") + ",7," + Entry("{}") + "]"),
            (Lines{"e.json: entry 1: Detail: mode is 'full': use auto, export, changes or ids",
                   "e.json: entry 2: 7 is not an event, which is an object", "auto"}));
}

// Every member in every shape that JSON has: a sentence or an event, never a crash.
TEST(TriggerEvents, NoShapeOfJsonIsTooOdd) {
  for (const char* member : {"mode", "types", "ids", "since", "until", "limit", "other"}) {
    for (const char* value :
         {"null", "true", "7", "-1", "1.5", "1e400", "99999999999999999999", R"("movie")", R"("")", "[]",
          "{}", "[null]", "[[]]", R"([{"a":1}])", R"(["movie",null])", R"([550,"551"])", R"({"a":[]})"}) {
      const std::string detail = fmt::format(R"({{"{}":{}}})", member, value);
      EXPECT_EQ(Parse("[" + Entry(detail) + "]").size(), 1u) << detail;
      EXPECT_EQ(Parse(fmt::format(R"({{"source":"aws.events","detail-type":"Scheduled Event","detail":{}}})",
                                  detail))
                    .size(),
                1u)
          << detail;
    }
  }
}

TEST(TriggerEvents, AByteOrderMarkCostsNothing) {
  EXPECT_EQ(Parse("\xef\xbb\xbf" + Entry("{}")), Lines{"auto"});
}

TEST(TriggerEvents, AMistakeInTheSyntaxIsNamedWithItsLine) {
  for (const auto& [text, place] :
       {std::pair{"[\n  {\n    \"Source\" \"x\"\n  }\n]\n", "e.json:3: not valid JSON: "},
        std::pair{"[\n  {\"Source\": tru},\n  {}\n]\n", "e.json:2: not valid JSON: "},
        std::pair{"[\n  {\"Source\": nul},\n  {}\n]\n", "e.json:2: not valid JSON: "},
        std::pair{"[\n  {\"Source\": \"open\n", "e.json: not valid JSON: "},
        std::pair{"", "e.json: not valid JSON: "}}) {
    const auto events = ParseTriggerEvents(text, "e.json");
    ASSERT_FALSE(events) << text;
    EXPECT_TRUE(events.error().message.starts_with(place)) << events.error().message;
  }
}

}  // namespace
}  // namespace tmdbc
