// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <fstream>
#include <map>

#include "app/program_world_test.h"

namespace tmdbc {
namespace {

using testing::DataStore;
using testing::ExpectOneLine;
using testing::Outcome;
using testing::ProgramWorld;

using ChangesTest = ProgramWorld;

std::string Film(int id, std::string_view title) {
  return fmt::format(R"({{"id":{},"title":"{}"}})", id, title);
}

// Three segments of movies with 2, 2 and 1 lines, one of people.
void MakeStore() {
  DataStore data;
  data.Put({MediaType::kMovie, 1}, Film(1, "one"), "2026-11-01T10:00:00Z");
  data.Put({MediaType::kMovie, 2}, Film(2, "two"), "2026-11-01T10:00:00Z");
  data.Put({MediaType::kPerson, 287}, R"({"id":287,"name":"Brad Pitt"})", "2026-11-01T10:00:00Z");
  data.Seal();
  data.Put({MediaType::kMovie, 1}, Film(1, "uno"), "2026-11-02T10:00:00Z");
  data.PutGone({MediaType::kMovie, 2}, "2026-11-02T10:00:00Z");
  data.Seal();
  data.Put({MediaType::kMovie, 3}, Film(3, "three"), "2026-11-03T10:00:00Z");
  data.Seal();
  // In the open segment: no part of the feed yet.
  data.Put({MediaType::kMovie, 4}, Film(4, "four"), "2026-11-04T10:00:00Z");
  data.Commit();
}

// "1 movie:1 insert\n": of each line its number, its record and what became of it.
std::string Brief(const std::string& lines) {
  const auto value = [](const std::string& line, const std::string& key) {
    const auto at = line.find('"' + key + "\":") + key.size() + 3;
    std::string text = line.substr(at, line.find(',', at) - at);
    std::erase(text, '"');
    return text;
  };
  std::string brief;
  for (std::size_t at = 0; at < lines.size();) {
    const std::size_t end = lines.find('\n', at);
    const std::string line = lines.substr(at, end - at);
    EXPECT_TRUE(line.starts_with("{\"seq\":")) << line;
    brief += fmt::format("{} {}:{} {}\n", value(line, "seq"), value(line, "type"), value(line, "id"),
                         value(line, "change"));
    at = end + 1;
  }
  return brief;
}

TEST_F(ChangesTest, ALineIsTheStoredRecordWithItsSequenceNumberInFront) {
  MakeStore();
  const Outcome changes = Run({"changes", "--since=2", "--type=movie"});
  EXPECT_EQ(changes.code, 0) << changes.err;
  const std::string stored = Run({"query", "--type=movie", "--id=3", "--envelope"}).out;
  EXPECT_EQ(changes.out, "{\"seq\":3," + stored.substr(1));
}

TEST_F(ChangesTest, EverythingBehindAPositionComesInOrder) {
  MakeStore();
  EXPECT_EQ(Brief(Run({"changes", "--since=0"}).out),
            "1 movie:1 insert\n1 movie:2 insert\n2 movie:1 update\n2 movie:2 delete\n3 movie:3 insert\n"
            "1 person:287 insert\n");
  EXPECT_EQ(Brief(Run({"changes", "--since=movie=2,person=1"}).out), "3 movie:3 insert\n");
  // A type that is not named was never read.
  EXPECT_EQ(Brief(Run({"changes", "--since=movie=3"}).out), "1 person:287 insert\n");
  const Outcome newest = Run({"changes", "--since=movie=3,person=1"});
  EXPECT_EQ(newest.out, "");
  EXPECT_EQ(newest.code, 0);
}

TEST_F(ChangesTest, ALimitEndsWithItsSegmentAndSaysThatMoreIsLeft) {
  MakeStore();
  const Outcome some = Run({"changes", "--since=0", "--type=movie", "--limit=1"});
  EXPECT_EQ(some.code, 1) << some.err;
  EXPECT_EQ(Brief(some.out), "1 movie:1 insert\n1 movie:2 insert\n");
  const Outcome last = Run({"changes", "--since=2", "--type=movie", "--limit=1"});
  EXPECT_EQ(last.code, 0);
  EXPECT_EQ(Brief(last.out), "3 movie:3 insert\n");
  const Outcome all_types = Run({"changes", "--since=movie=2", "--limit=1"});
  EXPECT_EQ(all_types.code, 1);
  EXPECT_EQ(Brief(all_types.out), "3 movie:3 insert\n");
}

// What the document for consumers promises: the last line of an id, in the order of the lines, is what
// `query` answers.
TEST_F(ChangesTest, FollowingTheFeedGivesTheCurrentView) {
  {
    DataStore data;
    int second = 0;
    for (int round = 0; round < 12; ++round) {
      for (int id = 1; id <= 20; ++id) {
        const std::string time = fmt::format("2026-11-01T10:{:02}:{:02}Z", second / 60, second % 60);
        ++second;
        if ((id + round) % 7 == 0) {
          data.PutGone({MediaType::kMovie, id}, time);
        } else if ((id * 3 + round) % 4 == 0) {
          data.Put({MediaType::kMovie, id}, Film(id, fmt::format("{}", round)), time);
        }
      }
      data.Seal();
    }
  }
  std::map<std::string, std::string> view;  // of each id the body of its last line
  std::int64_t seq = 0;
  for (Outcome part{.code = 1, .out = {}, .err = {}}; part.code == 1;) {
    part = Run({"changes", "--type=movie", "--limit=9", fmt::format("--since={}", seq).c_str()});
    ASSERT_LE(part.code, 1) << part.err;
    for (std::size_t at = 0, end = 0; (end = part.out.find('\n', at)) != std::string::npos; at = end + 1) {
      const std::string line = part.out.substr(at, end - at);
      ASSERT_EQ(std::sscanf(line.c_str(), "{\"seq\":%ld,", &seq), 1);
      if (line.find("\"id\":null,") != std::string::npos) continue;  // speaks of many ids: nothing new
      const auto id_at = line.find("\"id\":") + 5;
      const auto data_at = line.find("\"data\":") + 7;
      view[line.substr(id_at, line.find(',', id_at) - id_at)] =
          line.substr(data_at, line.size() - 1 - data_at);
    }
  }
  ASSERT_EQ(view.size(), 20u);
  int deleted = 0;
  for (const auto& [id, data] : view) {
    const Outcome query = Run({"query", "--type=movie", "--id", id.c_str()});
    EXPECT_EQ(query.out, data == "null" ? "" : data + "\n");
    EXPECT_EQ(query.code, data == "null" ? 1 : 0);
    deleted += data == "null";
  }
  EXPECT_GT(deleted, 0);
}

TEST_F(ChangesTest, AStoreWithoutRecordsHasAnEmptyFeed) {
  {
    DataStore data;
  }
  const Outcome changes = Run({"changes", "--since=0"});
  EXPECT_EQ(changes.code, 0) << changes.err;
  EXPECT_EQ(changes.out, "");
}

TEST_F(ChangesTest, DamageStopsItUnlessItIsToBeSkipped) {
  MakeStore();
  {
    std::fstream segment("data/records/movie/000/000/002.jsonl.zst",
                         std::ios::in | std::ios::out | std::ios::binary);
    segment.seekp(30);
    segment.put('!');
  }
  const Outcome stopped = Run({"changes", "--since=0"});
  EXPECT_EQ(stopped.code, 3);
  EXPECT_NE(stopped.err.find("records/movie/000/000/002.jsonl.zst is damaged at byte 0: "), std::string::npos)
      << stopped.err;
  EXPECT_NE(stopped.err.find("`changes --skip-damaged` reads on behind it"), std::string::npos) << stopped.err;
  const Outcome skipped = Run({"changes", "--since=0", "--skip-damaged"});
  EXPECT_EQ(skipped.code, 1) << skipped.err;
  const std::string note =
      R"({"seq":2,"type":"movie","damaged":"records/movie/000/000/002.jsonl.zst","offset":0,)";
  const auto at = skipped.out.find(note);
  ASSERT_NE(at, std::string::npos) << skipped.out;
  std::string rest = skipped.out;
  rest.erase(at, rest.find('\n', at) + 1 - at);
  EXPECT_EQ(Brief(rest), "1 movie:1 insert\n1 movie:2 insert\n3 movie:3 insert\n1 person:287 insert\n");
  // It is told once: a follower that goes on behind it has nothing more to skip.
  EXPECT_EQ(Run({"changes", "--since=movie=2,person=1", "--skip-damaged"}).code, 0);
  // A fetch heals the record.
  {
    DataStore data;
    data.Put({MediaType::kMovie, 1}, Film(1, "uno"), "2026-11-05T10:00:00Z");
    data.Seal();
  }
  EXPECT_NE(Run({"changes", "--since=movie=3,person=1"}).out.find(R"("id":1,"version":3,"change":"update")"),
            std::string::npos);
}

TEST_F(ChangesTest, WhatCannotBeReadOnIsToldInOneLine) {
  MakeStore();
  ExpectOneLine(Run({"changes"}), 2, "--since is needed");
  ExpectOneLine(Run({"changes", "--since=4", "--type=movie"}), 2, "movie has no sequence number 4");
  ExpectOneLine(Run({"changes", "--since=tv=1"}), 2, "tv has no sequence number 1");
  ExpectOneLine(Run({"changes", "--since=7"}), 2, "--since is '7'");
  ExpectOneLine(Run({"changes", "--since=movie=1,movie=2"}), 2,
                "--since is 'movie=1,movie=2': it names movie twice");
  ExpectOneLine(Run({"changes", "--since=0", "--type=film"}), 2, "'film' is not a media type");
  ExpectOneLine(Run({"changes", "--since=0", "--limit=0"}), 2, "--limit is '0'");
  ExpectOneLine(Run({"changes", "--since=0", "--data-dir=absent"}), 2, "does not exist");
}

}  // namespace
}  // namespace tmdbc
