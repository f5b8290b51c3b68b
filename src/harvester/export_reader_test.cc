// SPDX-License-Identifier: MIT
#include "harvester/export_reader.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/compression.h"
#include "testing/corpus.h"

namespace tmdbc {
namespace {

class ExportReaderTest : public ::testing::Test {
 protected:
  ExportReaderTest()
      : root_(MakeFolder()), files_(root_), log_(stderr, LogLevel::kError, LogFormat::kText, clock_) {}
  ~ExportReaderTest() override { std::filesystem::remove_all(root_); }

  Result<ReadContent> Read(std::string_view gzip, bool include_adult = false) {
    EXPECT_TRUE(WriteWhole(files_, "exports/x.part", gzip));
    return ReadExport(files_, "exports/x.part", include_adult, stop_, log_);
  }

  static std::string MakeFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "export_reader_XXXXXX").string();
    EXPECT_NE(::mkdtemp(name.data()), nullptr);
    return name;
  }

  const std::string root_;
  PosixFileSystem files_;
  SystemClock clock_;
  Log log_;
  StopFlag stop_;
};

std::string Movies(int from, int to) {
  std::string text;
  for (int id = from; id <= to; ++id) {
    text += fmt::format(
        "{{\"adult\":false,\"id\":{},\"original_title\":\"The {} \\\"of\\\" "
        "\u6f22\",\"popularity\":{}.25,\"video\":false}}\n",
        id, id * 7919, id % 50);
  }
  return text;
}

TEST_F(ExportReaderTest, ReadsEveryLineOfAWholeFile) {
  const auto read = Read(Gzip(Movies(1, 20'000)));
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->content.lines, 20'000);
  EXPECT_EQ(read->content.bad_lines, 0);
  ASSERT_EQ(read->content.ids.size(), 20'000U);
  for (std::uint32_t id = 1; id <= 20'000; ++id) {
    EXPECT_EQ(read->content.ids[id - 1], PackId(id, float(id % 50) + 0.25F));
  }
}

TEST_F(ExportReaderTest, CountsBadAndRepeatedLinesAndLosesOnlyThem) {
  const auto read = Read(Gzip(Movies(1, 3) + "{\"id\":\"four\"}\n" + Movies(2, 2) +
                              "{\"adult\":false,\"id\":5,\"original_title\":\"cut\n\n" + Movies(6, 6)));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->content.lines, 7);
  EXPECT_EQ(read->content.bad_lines, 2);
  EXPECT_EQ(read->content.duplicates, 1);
  EXPECT_EQ(read->content.ids.size(), 4U);
  ASSERT_EQ(read->content.bad_examples.size(), 2U);
  EXPECT_EQ(read->content.bad_examples[0], "line 4 has an id that is not a number: {\"id\":\"four\"}");
  EXPECT_TRUE(read->content.bad_examples[1].starts_with("line 6 is not")) << read->content.bad_examples[1];
}

TEST_F(ExportReaderTest, ShowsFewBadLinesAndNoControlCharacters) {
  std::string text;
  for (int i = 0; i < 100; ++i) text += "\x1b[31mred" + std::string(500, 'z') + "\n";
  const auto read = Read(Gzip(text));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->content.bad_lines, 100);
  EXPECT_LE(read->content.bad_examples.size(), 5U);
  for (const std::string& example : read->content.bad_examples) {
    EXPECT_LT(example.size(), 200U);
    EXPECT_EQ(example.find('\x1b'), std::string::npos);
  }
}

TEST_F(ExportReaderTest, LeavesOutAdultTitlesUnlessAskedFor) {
  const std::string gzip =
      Gzip(Movies(1, 2) + "{\"adult\":true,\"id\":9,\"original_title\":\"x\",\"popularity\":1}\n");
  EXPECT_EQ(Read(gzip, false)->content.ids.size(), 2U);
  EXPECT_EQ(Read(gzip, false)->content.adult_skipped, 1);
  EXPECT_EQ(Read(gzip, true)->content.ids.size(), 3U);
}

TEST_F(ExportReaderTest, RefusesAFileThatIsNotWhole) {
  const std::string whole = Gzip(Movies(1, 5000));
  ASSERT_TRUE(Read(whole));
  for (const std::size_t size : {std::size_t(0), std::size_t(1), std::size_t(9), whole.size() / 2,
                                 whole.size() - 8, whole.size() - 1}) {
    const auto read = Read(whole.substr(0, size));
    ASSERT_FALSE(read) << size;
    EXPECT_EQ(read.error().code, ErrorCode::kCorrupt) << size;
  }
  for (std::size_t at = 4; at < whole.size(); at += whole.size() / 23) {
    std::string flipped = whole;
    flipped[at] ^= 0x04;
    // Bytes 4 to 9 of the header are a time and a system: they change nothing of the content.
    const bool harmless = at <= 9;
    EXPECT_EQ(Read(flipped).has_value(), harmless) << at;
  }
  EXPECT_FALSE(Read(whole + "trailing garbage"));
  EXPECT_FALSE(Read("<html></html>"));
}

TEST_F(ExportReaderTest, TakesSeveralMembersForOneStream) {
  const auto read = Read(Gzip(Movies(1, 10)) + Gzip(Movies(11, 20)));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->content.lines, 20);
}

TEST_F(ExportReaderTest, RefusesAFileThatInflatesWithoutEnd) {
  const auto read = Read(Gzip(std::string(64 << 20, ' ')));
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code, ErrorCode::kCorrupt);
}

TEST_F(ExportReaderTest, StopsWhenAsked) {
  stop_.Request();
  const auto read = Read(Gzip(Movies(1, 10)));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->end, ReadEnd::kStopped);
}

TEST_F(ExportReaderTest, AMissingFileIsAnErrorThatNamesIt) {
  const auto read = ReadExport(files_, "exports/none.part", false, stop_, log_);
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code, ErrorCode::kNotFound);
  EXPECT_NE(read.error().message.find("none.part"), std::string::npos);
}

TEST_F(ExportReaderTest, ReadsARealKeywordExport) {
  TMDBC_NEEDS_CORPUS("export/keyword_ids_2024.json");
  std::ifstream file(testing::CorpusFolder() / "export/keyword_ids_2024.json", std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  const auto read = Read(Gzip(text.str()));
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->content.lines, 67'483);
  EXPECT_EQ(read->content.bad_lines, 0);
  EXPECT_EQ(read->content.duplicates, 0);
  EXPECT_EQ(read->content.ids.size(), 67'483U);
}

TEST(WhyExportRefused, ByBadLinesAndByTheRuleOf95Percent) {
  const LastAccepted last{.date = ParseDate("2026-11-21").value(), .lines = 1'000'000};
  const LastAccepted small{.date = last.date, .lines = 80}, tiny{.date = last.date, .lines = 20};
  const struct {
    std::int64_t lines, bad;
    std::optional<LastAccepted> last;
    bool accept;
    bool refused;
    std::int64_t floor = 0;
  } cases[] = {
      {1'000'000, 0, std::nullopt, false, false},
      {0, 0, std::nullopt, false, false},
      {950'000, 0, last, false, false},
      {949'999, 0, last, false, true},
      {949'999, 0, last, true, false},
      {0, 0, last, false, true},
      {0, 0, last, true, false},
      {2'000'000, 0, last, false, false},
      // Of a small type a few lines are more than 5 %.
      {75, 0, small, false, false},
      {60, 0, small, false, false},
      {59, 0, small, false, true},
      {11, 0, tiny, false, false},
      {10, 0, tiny, false, true},
      {0, 0, tiny, false, true},
      // Ten bad lines are never too many; more are when they are more than 1 %.
      {10, 9, std::nullopt, false, false},
      {10, 10, std::nullopt, false, true},
      {11, 11, std::nullopt, false, true},
      {1'100, 11, std::nullopt, false, false},
      {1'099, 11, std::nullopt, false, true},
      {1'099, 11, std::nullopt, true, true},
      // Without one to compare with it is the floor that counts; no line at all is never an export.
      {0, 0, std::nullopt, false, true, 1},
      {0, 0, std::nullopt, true, true, 1},
      {0, 0, last, true, true, 1},
      {1, 0, std::nullopt, false, false, 1},
      {499'999, 0, std::nullopt, false, true, 500'000},
      {499'999, 0, std::nullopt, true, false, 500'000},
      {500'000, 0, std::nullopt, false, false, 500'000},
      {960'000, 0, last, false, false, 2'000'000},
  };
  for (const auto& c : cases) {
    EXPECT_EQ(!WhyRefused(c.lines, c.bad, c.floor, c.last, c.accept).reason.empty(), c.refused) << c.lines << " " << c.bad;
  }
  const auto [why, hint] = WhyRefused(900'000, 0, 1, last, false);
  EXPECT_NE(why.find("900,000"), std::string::npos);
  EXPECT_NE(why.find("1,000,000 of 2026-11-21"), std::string::npos);
  EXPECT_EQ(hint, Hint::kAcceptExport);
  EXPECT_EQ(WhyRefused(499'999, 0, 500'000, {}, false).hint, Hint::kAcceptExport);
  EXPECT_EQ(WhyRefused(0, 0, 1, last, false).hint, Hint::kNone) << "nothing takes a file without a line";
}

}  // namespace
}  // namespace tmdbc
