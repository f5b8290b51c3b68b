// SPDX-License-Identifier: MIT
#include "tmdb/export_line.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <set>
#include <vector>

namespace tmdbc {
namespace {

using namespace std::chrono_literals;

Result<ExportEntry> Parse(std::string_view line) {
  ExportLineParser parser;
  const std::string padded = std::string(line) + std::string(kLinePadding, 'x');
  return parser.Parse(std::string_view(padded).substr(0, line.size()));
}

TEST(ExportLine, ReadsEachKindOfLine) {
  const struct {
    std::string_view line;
    std::uint32_t id;
    float popularity;
    bool adult;
  } cases[] = {
      {R"({"adult":false,"id":3924,"original_title":"Blondie","popularity":1.8133,"video":false})", 3924,
       1.8133F, false},
      {R"({"id":1,"original_name":"プライド","popularity":3.8242})", 1, 3.8242F, false},
      {R"({"adult":false,"id":16767,"name":"Aki Kaurismäki","popularity":2.4825})", 16767, 2.4825F, false},
      {R"({"id":10,"name":"Star Wars Collection"})", 10, 0, false},
      {R"({"id":378,"name":"prison"})", 378, 0, false},
      {R"({"adult":true,"id":26228,"original_title":"Rocco","popularity":0.0,"video":false})", 26228, 0,
       true},
      // Escapes, a brace and the name of a member inside a title; another order; blanks between the tokens.
      {R"({"id":5,"name":"A \"quoted\" \u0026 {\"id\":7} } title","popularity":0.6})", 5, 0.6F, false},
      {R"({"popularity":2,"name":"x","id":4294967295})", 4294967295U, 2, false},
      {R"( { "id" : 12 , "adult" : null , "popularity" : 1e1 } )", 12, 10, false},
      // Members that nobody has seen yet.
      {R"({"softcore":{"a":[1,{"id":99}]},"id":8,"popularity":1.5})", 8, 1.5F, false},
  };
  for (const auto& c : cases) {
    const auto entry = Parse(c.line);
    ASSERT_TRUE(entry) << c.line << ": " << entry.error().message;
    EXPECT_EQ(entry->id, c.id) << c.line;
    EXPECT_EQ(entry->popularity, c.popularity) << c.line;
    EXPECT_EQ(entry->adult, c.adult) << c.line;
  }
}

TEST(ExportLine, TakesAPopularityThatCannotBeUsedForZero) {
  for (const char* popularity : {"null", "-1.5", "\"1.5\"", "true", "[1]", "{}", "0.0", "-0.0", "NaN"}) {
    const auto entry = Parse(fmt::format(R"({{"id":5,"popularity":{},"video":false}})", popularity));
    ASSERT_TRUE(entry) << popularity << ": " << entry.error().message;
    EXPECT_EQ(entry->id, 5U);
    EXPECT_EQ(entry->popularity, 0) << popularity;
    EXPECT_FALSE(std::signbit(entry->popularity)) << popularity;
  }
  const auto huge = Parse(R"({"id":5,"popularity":1e300})");
  ASSERT_TRUE(huge);
  EXPECT_EQ(huge->popularity, std::numeric_limits<float>::max());
}

TEST(ExportLine, RefusesWhatIsNoLineOfAnExport) {
  for (const char* line : {
           "",
           "x",
           "[1]",
           "5",
           "null",
           "{}",
           R"({"name":"no id"})",
           R"({"id":0,"name":"zero"})",
           R"({"id":-5})",
           R"({"id":4294967296})",
           R"({"id":18446744073709551617})",
           R"({"id":"5"})",
           R"({"id":5.0})",
           R"({"id":null})",
           R"({"id":true})",
           R"({"id":5x})",
           R"({"adult":false,"id":3924,"original_title":"Blon)",
           R"({"adult":false,"id":3924,"original_title":"Blondie","popularity":1.8133)",
           R"({"adult":false,"id":3924)",
           R"({"id":5} {"id":6})",
           R"({"id":5}x)",
           "{\"id\":5,\"name\":\"\xff\xfe\"}",
           "<Error><Code>AccessDenied</Code></Error>",
       }) {
    const auto entry = Parse(line);
    ASSERT_FALSE(entry) << line;
    EXPECT_EQ(entry.error().code, ErrorCode::kCorrupt);
    EXPECT_FALSE(entry.error().message.empty());
  }
}

TEST(ExportLine, ABrokenLineDoesNotDisturbTheNextOne) {
  ExportLineParser parser;
  for (int i = 0; i < 3; ++i) {
    const std::string bad = R"({"id":5,"name":"cut)" + std::string(kLinePadding, '\n');
    EXPECT_FALSE(parser.Parse(std::string_view(bad).substr(0, bad.size() - kLinePadding)));
    const std::string good = R"({"id":6,"name":"whole"})" + std::string(kLinePadding, '\n');
    const auto entry = parser.Parse(std::string_view(good).substr(0, good.size() - kLinePadding));
    ASSERT_TRUE(entry);
    EXPECT_EQ(entry->id, 6U);
  }
}

TEST(ExportLine, ANumberEndsWhereTheLineEnds) {
  // What follows in the buffer is another line; a cut line must not borrow its digits.
  ExportLineParser parser;
  const std::string text =
      R"({"id":12)" + std::string("345,\"name\":\"next\"}") + std::string(kLinePadding, ' ');
  EXPECT_FALSE(parser.Parse(std::string_view(text).substr(0, 8)));
}

TEST(ExportFiles, NameUrlAndKeptFileAreTmdbs) {
  const auto day = std::chrono::sys_days(2026y / 7 / 3);
  EXPECT_EQ(ExportUrl("https://files.tmdb.org/p/exports", "movie_ids", day),
            "https://files.tmdb.org/p/exports/movie_ids_07_03_2026.json.gz");
  EXPECT_EQ(KeptExportPath("tv_series_ids", day), "exports/tv_series_ids_2026-07-03.json.gz");
  std::set<std::string_view> names;
  for (const ExportFile& file : kExportFiles) {
    names.insert(file.name);
    EXPECT_EQ(file.adult, file.name.starts_with("adult_"));
    const auto kept = ParseKeptExportPath(KeptExportPath(file.name, day));
    ASSERT_TRUE(kept);
    EXPECT_EQ(kept->name, file.name);
    EXPECT_EQ(kept->day, day);
  }
  EXPECT_EQ(names.size(), 10U);
  for (const char* other : {"exports/movie_ids.part", "exports/movie_ids_2026-02-30.json.gz",
                            "exports/.json.gz", "exports/2026-07-03.json.gz", "exports/_2026-07-03.json.gz",
                            "movie_ids_2026-07-03.json.gz", "exports/movie_ids_2026-07-03.json.gz.part"}) {
    EXPECT_FALSE(ParseKeptExportPath(other)) << other;
  }
}

using Lines = std::vector<std::pair<std::int64_t, std::string>>;

Lines Split(std::string_view text, std::size_t piece) {
  LineSplitter splitter;
  Lines lines;
  const auto keep = [&](std::int64_t number, std::string_view line) { lines.emplace_back(number, line); };
  // Every piece gets its own allocation, so that a sanitizer sees a read beyond it.
  for (std::size_t at = 0; at < text.size(); at += piece)
    splitter.Feed(std::string(text.substr(at, piece)), keep);
  splitter.Finish(keep);
  return lines;
}

TEST(LineSplitter, GivesTheSameLinesHoweverTheStreamIsCut) {
  std::string text;
  Lines expected;
  for (int i = 1; i <= 40; ++i) {
    const std::string line =
        fmt::format(R"({{"id":{},"name":"{}"}})", i, std::string(std::size_t(i * 3), 'n'));
    text += line + "\n";
    expected.emplace_back(i, line);
  }
  for (const std::size_t piece : {1UL, 2UL, 7UL, 63UL, 64UL, 65UL, 200UL, 1000UL, text.size()}) {
    EXPECT_EQ(Split(text, piece), expected) << piece;
  }
}

TEST(LineSplitter, TheLastLineMayLackItsLineBreak) {
  EXPECT_EQ(Split("a\nb", 2), (Lines{{1, "a"}, {2, "b"}}));
  EXPECT_EQ(Split("a\nb\n", 2), (Lines{{1, "a"}, {2, "b"}}));
  EXPECT_EQ(Split("", 2), Lines{});
}

TEST(LineSplitter, PassesOverAByteOrderMark) {
  for (const std::size_t piece : {1UL, 2UL, 100UL}) {
    EXPECT_EQ(Split("\xEF\xBB\xBF{\"id\":1}\n\xEF\xBB\xBF", piece),
              (Lines{{1, "{\"id\":1}"}, {2, "\xEF\xBB\xBF"}}));
  }
}

TEST(LineSplitter, LeavesOutBlankLinesButCountsThem) {
  EXPECT_EQ(Split("a\n\n\r\n  \nb\r\n", 100), (Lines{{1, "a"}, {5, "b"}}));
}

TEST(LineSplitter, CutsALineThatIsTooLongAndGoesOnWithTheNext) {
  const std::string text = "a\n" + std::string(LineSplitter::kMaxLine + 100'000, 'z') + "\nb\n";
  for (const std::size_t piece : {std::size_t(4096), text.size()}) {
    const Lines lines = Split(text, piece);
    ASSERT_EQ(lines.size(), 3U);
    EXPECT_EQ(lines[1].second, std::string(LineSplitter::kMaxLine, 'z'));
    EXPECT_EQ(lines[2], (Lines::value_type{3, "b"}));
  }
}

TEST(LineSplitter, EveryLineCanBeParsedWhereItLies) {
  std::string text;
  for (int i = 1; i <= 2000; ++i)
    text += fmt::format("{{\"id\":{},\"name\":\"n\",\"popularity\":{}.5}}\n", i, i);
  for (const std::size_t piece : {1UL, 61UL, 4096UL}) {
    LineSplitter splitter;
    ExportLineParser parser;
    std::int64_t next = 0;
    const auto check = [&](std::int64_t number, std::string_view line) {
      const auto entry = parser.Parse(line);
      ASSERT_TRUE(entry) << line;
      EXPECT_EQ(entry->id, ++next);
      EXPECT_EQ(number, next);
    };
    for (std::size_t at = 0; at < text.size(); at += piece)
      splitter.Feed(std::string(text.substr(at, piece)), check);
    splitter.Finish(check);
    EXPECT_EQ(next, 2000);
  }
}

}  // namespace
}  // namespace tmdbc
