// SPDX-License-Identifier: MIT
// query's questions about the past, asked of a real store through the program.
#include "history/history.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>

#include "app/program_world_test.h"
#include "base/hash.h"

namespace tmdbc {
namespace {

using testing::DataStore;
using testing::ExpectOneLine;
using testing::Outcome;
using testing::ProgramWorld;

constexpr MediaId kFilm{MediaType::kMovie, 550};
constexpr MediaId kShow{MediaType::kTv, 1399};

constexpr const char* kFirst = R"({"id":550,"title":"Fight Club","runtime":139,"popularity":61.4})";
constexpr const char* kSecond = R"({"id":550,"title":"Fight Club","runtime":140,"popularity":61.5})";
constexpr const char* kBack = R"({"id":550,"title":"Fight Club","runtime":141,"popularity":61.5})";

using HistoryTest = ProgramWorld;

// insert, update, stats, delete, restore: four versions, for the statistics are none.
void MakeFilm() {
  DataStore data;
  data.Put(kFilm, kFirst, "2026-11-01T10:00:00Z");
  data.Seal();
  data.Put(kFilm, kSecond, "2026-11-03T10:00:00Z");
  data.Commit();
  data.Put(kFilm, R"({"id":550,"title":"Fight Club","runtime":140,"popularity":99})", "2026-11-04T10:00:00Z");
  data.Commit();
  data.PutGone(kFilm, "2026-11-05T10:00:00Z");
  data.Commit();
  data.Put(kFilm, kBack, "2026-11-07T10:00:00Z");
  data.Seal();
}

TEST_F(HistoryTest, EachVersionIsALineForAPerson) {
  MakeFilm();
  const Outcome history = Run({"query", "--type=movie", "--id=550", "--history"});
  EXPECT_EQ(history.code, 0) << history.err;
  EXPECT_EQ(history.out,
            "version  change   fetched at                   bytes  what changed\n"
            "      1  insert   2026-11-01T10:00:00.000Z        63  Fight Club\n"
            "      2  update   2026-11-03T10:00:00.000Z        63  runtime\n"
            "      3  delete   2026-11-05T10:00:00.000Z         -  no longer at TMDB\n"
            "      4  restore  2026-11-07T10:00:00.000Z        63  runtime\n");
}

TEST_F(HistoryTest, EachVersionIsAnObjectForAProgram) {
  MakeFilm();
  const Outcome history = Run({"query", "--type=movie", "--id=550", "--history", "--json"});
  EXPECT_EQ(history.code, 0) << history.err;
  const std::string line =
      R"({{"version":{},"change":"{}","fetched_at":"2026-11-0{}T10:00:00.000Z","status":{},"sha256":{}}})"
      "\n";
  const auto quoted = [](const char* data) { return '"' + Sha256Hex(data) + '"'; };
  EXPECT_EQ(history.out, fmt::format(fmt::runtime(line), 1, "insert", 1, 200, quoted(kFirst)) +
                             fmt::format(fmt::runtime(line), 2, "update", 3, 200, quoted(kSecond)) +
                             fmt::format(fmt::runtime(line), 3, "delete", 5, 404, "null") +
                             fmt::format(fmt::runtime(line), 4, "restore", 7, 200, quoted(kBack)));
}

TEST_F(HistoryTest, AsOfGivesWhatWasKnownThen) {
  MakeFilm();
  const struct {
    const char* time;
    const char* data;
  } cases[] = {
      {"--as-of=2026-11-01T10:00:00Z", kFirst},
      {"--as-of=2026-11-02", kFirst},
      {"--as-of=2026-11-03T09:59:59.999Z", kFirst},
      {"--as-of=2026-11-03", kSecond},  // a day is what was known at its end
      {"--as-of=2026-11-03T11:00:00+01:00", kSecond},
      {"--as-of=2026-11-03T04:29:00-05:30", kFirst},
      {"--as-of=2026-11-07", kBack},
      {"--as-of=2036-01-01", kBack},
  };
  for (const auto& [time, data] : cases) {
    const Outcome then = Run({"query", "--type=movie", "--id=550", time});
    EXPECT_EQ(then.code, 0) << time << then.err;
    EXPECT_EQ(then.out, std::string(data) + "\n") << time;
  }
  ExpectOneLine(Run({"query", "--type=movie", "--id=550", "--as-of=2026-10-31"}), 1,
                "movie:550 was not in the store yet at 2026-10-31");
  ExpectOneLine(Run({"query", "--type=movie", "--id=550", "--as-of=2026-11-06"}), 1,
                "movie:550 was deleted: TMDB answered 404 on 2026-11-05T10:00:00.000Z");
  const Outcome tombstone = Run({"query", "--type=movie", "--id=550", "--as-of=2026-11-06", "--envelope"});
  EXPECT_EQ(tombstone.code, 0);
  EXPECT_NE(tombstone.out.find(R"("version":3,"change":"delete")"), std::string::npos) << tombstone.out;
}

TEST_F(HistoryTest, DiffNamesWhatChanged) {
  MakeFilm();
  EXPECT_EQ(Run({"query", "--type=movie", "--id=550", "--diff=1,2"}).out,
            "movie:550 version 1 of 2026-11-01T10:00:00.000Z -> version 2 of 2026-11-03T10:00:00.000Z\n"
            "~ runtime: 139 -> 140\n"
            "~ popularity: 61.4 -> 61.5\n");
  EXPECT_EQ(
      Run({"query", "--type=movie", "--id=550", "--diff=2,1", "--json"}).out,
      R"([{"op":"replace","path":"/runtime","value":139},{"op":"replace","path":"/popularity","value":61.4}])"
      "\n");
  EXPECT_EQ(Run({"query", "--type=movie", "--id=550", "--diff=2,3", "--json"}).out,
            R"([{"op":"replace","path":"","value":null}])"
            "\n");
  EXPECT_EQ(Run({"query", "--type=movie", "--id=550", "--diff=2,2"}).out,
            "movie:550 version 2 of 2026-11-03T10:00:00.000Z -> version 2 of 2026-11-03T10:00:00.000Z\n"
            "  no difference\n");
  ExpectOneLine(Run({"query", "--type=movie", "--id=550", "--diff=1,5"}), 1,
                "movie:550 has no version 5: it has 1 to 4");
}

TEST_F(HistoryTest, BadQuestionsAreToldInOneLine) {
  MakeFilm();
  const struct {
    std::vector<const char*> flags;
    int code;
    const char* says;
  } cases[] = {
      {{"--id=550", "--as-of=yesterday"}, 2, "--as-of: 'yesterday' is not a time: use one like"},
      {{"--id=550", "--as-of=2026-13-01"}, 2, "--as-of: '2026-13-01'"},
      {{"--id=550", "--as-of=2026-11-01T10:00:00+99:00"}, 2, "--as-of: "},
      {{"--id=550", "--diff=1"}, 2, "--diff: '1' does not name two versions"},
      {{"--id=550", "--diff=0,1"}, 2, "--diff: '0,1'"},
      {{"--id=550", "--diff=1,2,3"}, 2, "--diff: '1,2,3'"},
      {{"--id=550", "--history", "--diff=1,2"}, 2, "ask one at a time"},
      {{"--id=550", "--history", "--envelope"}, 2, "not with --history"},
      {{"--id=551", "--history"}, 1, "movie:551 is not in the store"},
      {{"--id=551", "--diff=1,2"}, 1, "movie:551 is not in the store"},
      {{"--id=551", "--as-of=2026-11-01"}, 1, "movie:551 was not in the store yet"},
  };
  for (const auto& [flags, code, says] : cases) {
    std::vector<const char*> words = {"query", "--type=movie"};
    words.insert(words.end(), flags.begin(), flags.end());
    ExpectOneLine(Run(words), code, says);
  }
}

// Season 1 of the show is 3624; its second episode comes, changes, goes and comes back, while the first
// stays.
void MakeShow() {
  DataStore data;
  const auto season = [&](const char* second, const char* name, const char* time) {
    data.PutSeason(
        3624, 1399, 1,
        fmt::format(R"({{"name":"{}","episodes":[{{"id":63056,"episode_number":1,"name":"Winter"}}{}]}})",
                    name, second),
        time);
    data.Commit();
  };
  data.Put(kShow, R"({"id":1399,"name":"Thrones","seasons":[{"id":3624,"season_number":1}]})",
           "2026-11-01T10:00:00Z");
  season("", "One", "2026-11-01T10:00:00Z");
  season(R"(,{"id":63057,"episode_number":2,"name":"Road","vote_count":1})", "One", "2026-11-02T10:00:00Z");
  season(R"(,{"id":63057,"episode_number":2,"name":"Road","vote_count":2})", "Two", "2026-11-03T10:00:00Z");
  season(R"(,{"id":63057,"episode_number":2,"name":"The Road"})", "Two", "2026-11-04T10:00:00Z");
  season("", "Two", "2026-11-05T10:00:00Z");
  season(R"(,{"id":63057,"episode_number":2,"name":"The Kingsroad"})", "Two", "2026-11-06T10:00:00Z");
  data.Seal();
}

TEST_F(HistoryTest, AnEpisodeHasTheVersionsOfItsSeasonInWhichItChanged) {
  MakeShow();
  const char* const expected =
      "version  change   fetched at                   bytes  what changed\n"
      "      2  insert   2026-11-02T10:00:00.000Z        60  Road\n"
      "      4  update   2026-11-04T10:00:00.000Z        49  name, vote_count\n"
      "      5  delete   2026-11-05T10:00:00.000Z         -  no longer at TMDB\n"
      "      6  restore  2026-11-06T10:00:00.000Z        54  name\n";
  std::string by_id = Run({"query", "--type=episode", "--id=63057", "--history"}).out;
  // That the vote count went is a change of a statistic, which a summary leaves out.
  EXPECT_EQ(by_id, std::string(expected).replace(std::string(expected).find(", vote_count"), 12, ""));
  EXPECT_EQ(Run({"query", "--type=episode", "--id=1399/season/1/episode/2", "--history"}).out, by_id);
  EXPECT_EQ(Run({"query", "--type=episode", "--id=63057", "--diff=4,6"}).out,
            "episode:63057 version 4 of 2026-11-04T10:00:00.000Z -> version 6 of 2026-11-06T10:00:00.000Z\n"
            "~ name: \"The Road\" -> \"The Kingsroad\"\n");
  EXPECT_EQ(Run({"query", "--type=episode", "--id=63057", "--diff=5,6", "--json"}).out,
            R"([{"op":"replace","path":"","value":{"id":63057,"episode_number":2,"name":"The Kingsroad"}}])"
            "\n");
  EXPECT_EQ(Run({"query", "--type=episode", "--id=63057", "--as-of=2026-11-02"}).out,
            "{\"id\":63057,\"episode_number\":2,\"name\":\"Road\",\"vote_count\":1}\n");
  ExpectOneLine(Run({"query", "--type=episode", "--id=63057", "--as-of=2026-11-01"}), 1,
                "episode:63057 was not in the store yet at 2026-11-01");
  EXPECT_EQ(Run({"query", "--type=season", "--id=1399/season/1", "--history", "--json"}).out,
            Run({"query", "--type=season", "--id=3624", "--history", "--json"}).out);
  ExpectOneLine(Run({"query", "--type=episode", "--id=1399/season/1/episode/3", "--history"}), 1,
                "is not in the store");
}

TEST_F(HistoryTest, APlaceInAShowIsLookedUpAsItWasThen) {
  {
    DataStore data;
    data.Put(kShow, R"({"id":1399,"seasons":[{"id":3624,"season_number":1}]})", "2026-11-01T10:00:00Z");
    data.PutSeason(3624, 1399, 1, R"({"name":"first","episodes":[]})", "2026-11-01T10:00:00Z");
    data.Commit();
    // The season was removed and made again.
    data.Put(kShow, R"({"id":1399,"seasons":[{"id":9000,"season_number":1}]})", "2026-11-05T10:00:00Z");
    data.PutSeason(9000, 1399, 1, R"({"name":"again","episodes":[]})", "2026-11-05T10:00:00Z");
    data.PutSeasonList(1399, {1}, "2026-11-05T10:00:00Z");
    data.Seal();
  }
  EXPECT_EQ(Run({"query", "--type=season", "--id=1399/season/1", "--as-of=2026-11-02"}).out,
            "{\"name\":\"first\",\"episodes\":[]}\n");
  EXPECT_EQ(Run({"query", "--type=season", "--id=1399/season/1", "--as-of=2026-11-05"}).out,
            "{\"name\":\"again\",\"episodes\":[]}\n");
  EXPECT_EQ(Run({"query", "--type=season", "--id=1399/season/1"}).out,
            "{\"name\":\"again\",\"episodes\":[]}\n");
}

// What was season 2 becomes season 7: before that there was none.
TEST_F(HistoryTest, APlaceThatWasFreeThenHasNothing) {
  {
    DataStore data;
    for (const auto& [number, time] : {std::pair{2, "2026-11-01T10:00:00Z"}, {7, "2026-11-05T10:00:00Z"}}) {
      data.Put(kShow, fmt::format(R"({{"id":1399,"seasons":[{{"id":3624,"season_number":{}}}]}})", number),
               time);
      data.PutSeason(3624, 1399, number, fmt::format(R"({{"season_number":{},"episodes":[]}})", number),
                     time);
      data.PutSeasonList(1399, {number}, time);
      data.Seal();
    }
  }
  EXPECT_EQ(Run({"query", "--type=season", "--id=1399/season/2", "--as-of=2026-11-02"}).out,
            "{\"season_number\":2,\"episodes\":[]}\n");
  EXPECT_EQ(Run({"query", "--type=season", "--id=1399/season/7", "--as-of=2026-11-05"}).out,
            "{\"season_number\":7,\"episodes\":[]}\n");
  for (const char* place : {"--id=1399/season/7", "--id=1399/season/7/episode/1"}) {
    const char* const type = std::string_view(place).ends_with("/1") ? "--type=episode" : "--type=season";
    ExpectOneLine(Run({"query", type, place, "--as-of=2026-11-02"}), 1,
                  "was not in the store yet at 2026-11-02");
  }
}

// Season 1 is made again under another id; its first episode goes on in it and changes, the
// second is gone, and comes back later.
void MakeSeasonAnew() {
  DataStore data;
  const auto show = [&](std::int64_t season, const char* episodes, const char* time) {
    data.Put(kShow, fmt::format(R"({{"id":1399,"seasons":[{{"id":{},"season_number":1}}]}})", season), time);
    data.PutSeason(season, 1399, 1, fmt::format(R"({{"id":{},"episodes":[{}]}})", season, episodes), time);
    data.PutSeasonList(1399, {1}, time);
    data.Seal();
  };
  const char* const winter = R"({"id":63056,"episode_number":1,"name":"Winter"})";
  const char* const both =
      R"({"id":63056,"episode_number":1,"name":"Winter"},{"id":63057,"episode_number":2,"name":"Road"})";
  const char* const later =
      R"({"id":63056,"episode_number":1,"name":"Winter Is Coming"},{"id":63057,"episode_number":2,"name":"Road"})";
  show(3624, winter, "2026-11-01T10:00:00Z");
  show(3624, both, "2026-11-02T10:00:00Z");
  show(9000, winter, "2026-11-05T10:00:00Z");
  show(9000, later, "2026-11-07T10:00:00Z");
}

TEST_F(HistoryTest, AnEpisodeByItsIdHasThePastOfEverySeasonThatHadIt) {
  MakeSeasonAnew();
  EXPECT_EQ(Run({"query", "--type=episode", "--id=63056", "--history"}).out,
            "version  change   fetched at                   bytes  what changed\n"
            "      1  insert   2026-11-01T10:00:00.000Z        47  Winter\n"
            "      5  update   2026-11-07T10:00:00.000Z        57  name\n");
  EXPECT_EQ(Run({"query", "--type=episode", "--id=63057", "--history"}).out,
            "version  change   fetched at                   bytes  what changed\n"
            "      2  insert   2026-11-02T10:00:00.000Z        45  Road\n"
            "      3  delete   2026-11-05T10:00:00.000Z         -  no longer at TMDB\n"
            "      5  restore  2026-11-07T10:00:00.000Z        45  as before\n");
  EXPECT_EQ(Run({"query", "--type=episode", "--id=63056", "--diff=2,5"}).out,
            "episode:63056 version 2 of 2026-11-02T10:00:00.000Z -> version 5 of 2026-11-07T10:00:00.000Z\n"
            "~ name: \"Winter\" -> \"Winter Is Coming\"\n");
  for (const char* day : {"--as-of=2026-11-01", "--as-of=2026-11-04", "--as-of=2026-11-06"}) {
    const Outcome then = Run({"query", "--type=episode", "--id=63056", day});
    EXPECT_EQ(then.out, "{\"id\":63056,\"episode_number\":1,\"name\":\"Winter\"}\n") << day << then.err;
    EXPECT_EQ(then.out, Run({"query", "--type=episode", "--id=1399/season/1/episode/1", day}).out) << day;
  }
  const Outcome envelope = Run({"query", "--type=episode", "--id=63056", "--as-of=2026-11-04", "--envelope"});
  EXPECT_NE(envelope.out.find(R"("type":"season","id":3624,)"), std::string::npos) << envelope.out;
  ExpectOneLine(Run({"query", "--type=episode", "--id=63057", "--as-of=2026-11-01"}), 1,
                "episode:63057 was not in the store yet at 2026-11-01");
  ExpectOneLine(
      Run({"query", "--type=episode", "--id=63057", "--as-of=2026-11-06"}), 1,
      "episode:63057 was not in its season any more at 2026-11-06: TMDB no longer listed it there on "
      "2026-11-05T10:00:00.000Z");
}

TEST_F(HistoryTest, AnEpisodeThatMovesBetweenSeasonsIsNeverAway) {
  {
    DataStore data;
    const auto seasons = [&](const char* first, const char* second, const char* time) {
      data.Put(kShow, R"({"id":1399,"seasons":[{"id":10,"season_number":1},{"id":20,"season_number":2}]})",
               time);
      data.PutSeason(10, 1399, 1, fmt::format(R"({{"id":10,"episodes":[{}]}})", first), time);
      data.PutSeason(20, 1399, 2, fmt::format(R"({{"id":20,"episodes":[{}]}})", second), time);
      data.Commit();
    };
    const char* const as_third = R"({"id":7,"episode_number":3,"name":"Road"})";
    const char* const as_first = R"({"id":7,"episode_number":1,"name":"Road"})";
    seasons(as_third, "", "2026-11-01T10:00:00Z");
    seasons("", as_first, "2026-11-02T10:00:00Z");
    seasons(as_third, "", "2026-11-03T10:00:00Z");
  }
  EXPECT_EQ(Run({"query", "--type=episode", "--id=7", "--history"}).out,
            "version  change   fetched at                   bytes  what changed\n"
            "      1  insert   2026-11-01T10:00:00.000Z        41  Road\n"
            "      3  update   2026-11-02T10:00:00.000Z        41  episode_number\n"
            "      5  update   2026-11-03T10:00:00.000Z        41  episode_number\n");
}

// Flips a byte of the segment.
void DamageSegment(const std::string& segment) {
  std::fstream file("data/records/" + segment, std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(30);
  const char byte = static_cast<char>(file.peek());
  file.seekp(30);
  file.put(static_cast<char>(byte ^ 0x10));
}

TEST_F(HistoryTest, ADamagedVersionTakesNoOtherAlong) {
  {
    DataStore data;
    for (const auto& [body, time] : {std::pair(kFirst, "2026-11-01T10:00:00Z"),
                                     {kSecond, "2026-11-03T10:00:00Z"},
                                     {kBack, "2026-11-07T10:00:00Z"}}) {
      data.Put(kFilm, body, time);
      data.Seal();
    }
  }
  DamageSegment("movie/000/000/002.jsonl.zst");
  const Outcome history = Run({"query", "--type=movie", "--id=550", "--history"});
  EXPECT_EQ(history.code, 3);
  EXPECT_EQ(history.out,
            "version  change   fetched at                   bytes  what changed\n"
            "      1  insert   2026-11-01T10:00:00.000Z        63  Fight Club\n"
            "      2  update   2026-11-03T10:00:00.000Z         -  damaged: it cannot be read\n"
            "      3  update   2026-11-07T10:00:00.000Z        63  runtime\n");
  EXPECT_TRUE(history.err.starts_with(
      "tmdb-collector: read movie:550 version 2 in records/movie/000/000/002.jsonl.zst at byte 0: "))
      << history.err;
  const Outcome damaged = Run({"query", "--type=movie", "--id=550", "--as-of=2026-11-04"});
  EXPECT_EQ(damaged.code, 3);
  EXPECT_NE(damaged.err.find("`harvest --ids` fetches them again"), std::string::npos) << damaged.err;
  const Outcome json = Run({"query", "--type=movie", "--id=550", "--history", "--json"});
  EXPECT_EQ(json.code, 3);
  EXPECT_NE(
      json.out.find(R"({"version":2,"change":"update","fetched_at":"2026-11-03T10:00:00.000Z","status":200,)"
                    R"("sha256":null,"damaged":"read movie:550 version 2 in )"),
      std::string::npos)
      << json.out;
  EXPECT_EQ(std::ranges::count(json.out, '\n'), 3);
  EXPECT_EQ(Run({"query", "--type=movie", "--id=550", "--diff=1,3"}).code, 0);
  ExpectOneLine(Run({"query", "--type=movie", "--id=550", "--diff=1,2"}), 3, "read movie:550 version 2 in ");
  EXPECT_EQ(Run({"query", "--type=movie", "--id=550", "--as-of=2026-11-02"}).out, std::string(kFirst) + "\n");
  ExpectOneLine(Run({"query", "--type=movie", "--id=550", "--as-of=2026-11-04"}), 3,
                "read movie:550 version 2 in ");
  // The newest version is damaged: the past can be asked for all the same.
  DamageSegment("movie/000/000/003.jsonl.zst");
  EXPECT_EQ(Run({"query", "--type=movie", "--id=550", "--history"}).code, 3);
  EXPECT_EQ(Run({"query", "--type=movie", "--id=550", "--as-of=2026-11-02"}).out, std::string(kFirst) + "\n");
}

TEST_F(HistoryTest, ADamagedSeasonHidesNoOtherVersionOfItsEpisodes) {
  MakeSeasonAnew();
  DamageSegment("season/000/000/004.jsonl.zst");  // the newest
  const Outcome then = Run({"query", "--type=episode", "--id=63056", "--as-of=2026-11-04"});
  EXPECT_EQ(then.code, 0) << then.err;
  EXPECT_EQ(then.out, "{\"id\":63056,\"episode_number\":1,\"name\":\"Winter\"}\n");
  for (const char* id : {"--id=63056", "--id=1399/season/1/episode/1"}) {
    const Outcome history = Run({"query", "--type=episode", id, "--history"});
    EXPECT_EQ(history.code, 3) << id;
    EXPECT_NE(history.out.find("insert   2026-11-0"), std::string::npos) << history.out;
    EXPECT_NE(history.out.find("damaged: it cannot be read"), std::string::npos) << history.out;
    EXPECT_NE(history.err.find("season/000/000/004.jsonl.zst"), std::string::npos) << history.err;
  }
}

TEST_F(HistoryTest, OfAPurgedRecordIsSaidThatItWasPurgedAndWhy) {
  {
    DataStore data;
    data.Put(kFilm, kFirst, "2026-03-01T10:00:00Z");
    data.Put(kShow, R"({"id":1399,"seasons":[{"id":3624,"season_number":1}]})", "2026-03-01T10:00:00Z");
    data.PutSeason(3624, 1399, 1, R"({"episodes":[{"id":7,"episode_number":1}]})", "2026-03-01T10:00:00Z");
    data.Commit();
    data.clock().JumpWall(DataStore::At("2026-11-01T10:00:00Z") - data.clock().Now());
    for (const MediaType type : {MediaType::kMovie, MediaType::kTv})
      ASSERT_EQ(data.store().PurgeUnverified(type, DataStore::At("2026-05-01T00:00:00Z")).value(), 1);
  }
  const struct {
    const char *type, *id;
  } records[] = {{"movie", "550"},   {"tv", "1399"},
                 {"season", "3624"}, {"season", "1399/season/1"},
                 {"episode", "7"},   {"episode", "1399/season/1/episode/1"}};
  for (const auto& [type, id] : records) {
    const std::string type_flag = fmt::format("--type={}", type), id_flag = fmt::format("--id={}", id);
    for (const char* question : {"--json", "--envelope", "--history", "--diff=1,2", "--as-of=2026-04-01"}) {
      ExpectOneLine(Run({"query", type_flag.c_str(), id_flag.c_str(), question}), 1,
                    fmt::format("{}:{} was purged on 2026-11-01T10:00:00.000Z: TMDB had not confirmed it for "
                                "180 days, and its terms of use allow no copy to be kept for more than six "
                                "months",
                                type, id));
    }
  }
  {
    DataStore data;
    data.Put(kFilm, kSecond, "2026-11-02T10:00:00Z");
    data.Seal();
  }
  EXPECT_EQ(Run({"query", "--type=movie", "--id=550"}).out, std::string(kSecond) + "\n");
  ExpectOneLine(Run({"query", "--type=movie", "--id=550", "--as-of=2026-04-01"}), 1,
                "of movie:550 nothing is kept from before its version 2 of 2026-11-02T10:00:00.000Z: earlier "
                "versions were purged, or dropped by a retention");
}

TEST_F(HistoryTest, ATimeWhoseVersionsWereDroppedIsNotCalledTooEarly) {
  {
    DataStore data;
    data.Put(kFilm, kFirst, "2026-01-01T10:00:00Z");
    data.Seal();
    data.Put(kFilm, kSecond, "2026-02-01T10:00:00Z");
    data.Seal();
    data.Put(kFilm, kBack, "2026-11-01T10:00:00Z");
    data.Seal();
    CompactOptions options;
    options.versions_before = DataStore::At("2026-10-01T00:00:00Z");
    ASSERT_EQ(data.store().Compact(MediaType::kMovie, options, {}).value().versions_dropped, 1);
  }
  ExpectOneLine(Run({"query", "--type=movie", "--id=550", "--as-of=2026-01-15"}), 1,
                "of movie:550 nothing is kept from before its version");
  EXPECT_EQ(Run({"query", "--type=movie", "--id=550", "--as-of=2026-11-02"}).code, 0);
}

}  // namespace
}  // namespace tmdbc
