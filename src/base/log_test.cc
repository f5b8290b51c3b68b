// SPDX-License-Identifier: MIT
#include "base/log.h"

#include <gtest/gtest.h>
#include <simdjson.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <thread>
#include <vector>

#include "testing/fake_clock.h"

namespace tmdbc {
namespace {

using namespace std::chrono_literals;
using namespace std::string_view_literals;

class LogTest : public ::testing::Test {
 protected:
  void SetUp() override {
    out_ = std::tmpfile();
    ASSERT_NE(out_, nullptr);
    clock_.Advance(10h + 1min + 2s + 345ms);
  }
  void TearDown() override { std::fclose(out_); }

  Log Make(LogFormat format, LogLevel level = LogLevel::kTrace) { return Log(out_, level, format, clock_); }

  // What was written so far, line by line.
  std::vector<std::string> Lines() {
    std::vector<std::string> lines;
    std::fseek(out_, 0, SEEK_SET);
    std::string line;
    for (int c; (c = std::fgetc(out_)) != EOF;) {
      if (c != '\n') {
        line += char(c);
        continue;
      }
      lines.push_back(std::move(line));
      line.clear();
    }
    EXPECT_EQ(line, "") << "the last line is whole";
    return lines;
  }

  std::FILE* out_ = nullptr;
  tmdbc::testing::FakeClock clock_;
};

TEST_F(LogTest, WritesAtOnceToAStreamWithoutADescriptor) {
  char* text = nullptr;
  std::size_t size = 0;
  std::FILE* const memory = ::open_memstream(&text, &size);
  ASSERT_NE(memory, nullptr);
  ASSERT_LT(::fileno(memory), 0);
  Log(memory, LogLevel::kInfo, LogFormat::kText, clock_).Info("harvested");
  EXPECT_TRUE(std::string_view(text, size).ends_with("INFO  harvested\n")) << std::string(text, size);
  std::fclose(memory);
  std::free(text);
}

TEST_F(LogTest, WritesTextForPeople) {
  Log log = Make(LogFormat::kText);
  log.Info("harvested", {{"type", "movie"}, {"lines", 1238234}, {"seconds", 1.25}, {"accepted", true}});
  log.Warn("export refused",
           {{"reason", "80 % of the lines"}, {"empty", ""}, {"equation", "a=b"}, {"quote", "say \"hi\""}});
  log.Error("stopped");
  log.Debug("Amélie", {{"title", "Le Fabuleux"}, {"name", "日本"}});
  EXPECT_EQ(
      Lines(),
      (std::vector<std::string>{
          "2026-11-22T10:01:02.345Z INFO  harvested type=movie lines=1238234 seconds=1.25 accepted=true",
          "2026-11-22T10:01:02.345Z WARN  export refused reason=\"80 % of the lines\" empty=\"\" "
          "equation=\"a=b\" quote=\"say \\\"hi\\\"\"",
          "2026-11-22T10:01:02.345Z ERROR stopped",
          "2026-11-22T10:01:02.345Z DEBUG Amélie title=\"Le Fabuleux\" name=日本",
      }));
}

TEST_F(LogTest, WritesOneJsonObjectALine) {
  Log log = Make(LogFormat::kJson);
  log.Info("harvested", {{"type", "movie"}, {"lines", 1238234}, {"rate", 39.6}, {"dry_run", false}});
  const auto lines = Lines();
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_EQ(lines[0],
            R"({"time":"2026-11-22T10:01:02.345Z","level":"info","message":"harvested","type":"movie",)"
            R"("lines":1238234,"rate":39.6,"dry_run":false})");
}

TEST_F(LogTest, KeepsEveryLineWholeAndEveryObjectValidWhateverIsLogged) {
  const std::string_view nasty[] = {
      "two\nlines",
      "\x1b[31mred\x1b[0m",
      "nul\0byte"sv,
      "tab\tand\r",
      "quote\" slash\\",
      "\xff\xfe not utf-8",
      "\xc0\xaf overlong",
      "\xed\xa0\x80 surrogate",
      "cut \xe6\x97",
      ("c1 \xc2\x9b"
       "31m"),
      "\xf4\x90\x80\x80 beyond",
      "日本 \xf0\x9f\x8e\xac",
  };
  Log json = Make(LogFormat::kJson);
  Log text = Make(LogFormat::kText);
  for (const auto& value : nasty) {
    json.Info(value, {{value, value}});
    text.Info(value, {{"key", value}});
  }
  json.Info("numbers", {{"nan", std::nan("")}, {"inf", INFINITY}});
  const auto lines = Lines();
  ASSERT_EQ(lines.size(), 2 * std::size(nasty) + 1);
  simdjson::dom::parser parser;
  for (const auto& line : lines) {
    EXPECT_TRUE(simdjson::validate_utf8(line)) << line;
    for (const char c : line) EXPECT_FALSE(c >= 0 && c < ' ') << line;
    EXPECT_EQ(line.find("\xc2\x9b"), std::string::npos) << "a terminal takes it for an escape sequence";
    if (line.starts_with("{")) {
      EXPECT_EQ(parser.parse(line).error(), simdjson::SUCCESS) << line;
    }
  }
}

TEST_F(LogTest, MasksSecretsWhereverTheyWouldAppear) {
  for (const LogFormat format : {LogFormat::kText, LogFormat::kJson}) {
    Log log = Make(format);
    log.Mask("");
    log.Mask("0123456789abcdef");
    log.Mask("0123456789abcdef0123456789abcdef");
    log.Mask("to\"ken");
    log.Error("get /3/movie/550?api_key=0123456789abcdef0123456789abcdef: HTTP 401",
              {{"header", "Bearer to\"ken and to\"ken"}, {"half", "x0123456789abcdefx"}});
  }
  const auto lines = Lines();
  ASSERT_EQ(lines.size(), 2u);
  for (const auto& line : lines) {
    EXPECT_NE(line.find("api_key=***: HTTP 401"), std::string::npos) << line;
    EXPECT_NE(line.find("Bearer *** and ***"), std::string::npos) << line;
    EXPECT_NE(line.find("x***x"), std::string::npos) << line;
    EXPECT_EQ(line.find("0123456789abcdef"), std::string::npos) << line;
  }
}

TEST_F(LogTest, LeavesOutWhatIsBelowItsLevel) {
  Log log = Make(LogFormat::kText, LogLevel::kWarn);
  log.Debug("no");
  log.Info("no");
  log.Warn("yes");
  log.Error("yes");
  EXPECT_EQ(Lines().size(), 2u);
  EXPECT_FALSE(log.enabled(LogLevel::kInfo));
  EXPECT_TRUE(log.enabled(LogLevel::kWarn));
}

TEST_F(LogTest, TakesAnotherLevelWhileItRuns) {
  Log log = Make(LogFormat::kText, LogLevel::kInfo);
  log.Debug("one");
  log.SetLevel(LogLevel::kDebug);
  log.Debug("two");
  log.SetLevel(LogLevel::kError);
  log.Info("three");
  const auto lines = Lines();
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_TRUE(lines[0].ends_with("two")) << lines[0];
}

TEST_F(LogTest, JsonLinesCarryTheRunTheyBelongTo) {
  Log log = Make(LogFormat::kJson);
  log.Info("before");
  log.SetRun("20261122T100000Z-4711");
  log.Warn("dead letter", {{"id", "movie:550"}});
  log.SetRun("");
  log.Info("after");
  const auto lines = Lines();
  ASSERT_EQ(lines.size(), 3u);
  EXPECT_EQ(lines[0].find("run"), std::string::npos);
  EXPECT_NE(lines[1].find(
                R"("level":"warn","run":"20261122T100000Z-4711","message":"dead letter","id":"movie:550"})"),
            std::string::npos)
      << lines[1];
  EXPECT_EQ(lines[2].find("run"), std::string::npos);
}

TEST_F(LogTest, TextLinesDoNotCarryTheRun) {
  Log log = Make(LogFormat::kText);
  log.SetRun("20261122T100000Z-4711");
  log.Info("harvested");
  const auto lines = Lines();
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_EQ(lines[0].find("4711"), std::string::npos);
}

TEST_F(LogTest, KeepsTheLinesOfThreadsApart) {
  Log log = Make(LogFormat::kText);
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&log, t] {
        for (int i = 0; i < 200; ++i) log.Info("line", {{"thread", t}, {"padding", std::string(200, 'x')}});
      });
    }
  }
  const auto lines = Lines();
  EXPECT_EQ(lines.size(), 800u);
  for (const auto& line : lines) EXPECT_TRUE(line.ends_with("xx") && line.size() == lines[0].size()) << line;
}

}  // namespace
}  // namespace tmdbc
