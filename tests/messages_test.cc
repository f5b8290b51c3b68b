// SPDX-License-Identifier: MIT
// No message below src/app names a flag, a setting or `verify`: an error carries a Hint, and src/app/hints.cc puts it
// into words. What a program without a command line (a function in the cloud, a server) tells must be true there, too.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <regex>
#include <sstream>
#include <string>
#include <vector>

#include "settings/settings.h"

namespace tmdbc {
namespace {

namespace fs = std::filesystem;

std::string ReadFile(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

struct Literal {
  std::size_t line;
  std::string text;
};

// The string literals of C++ text; raw ones too. Enough of the grammar for code that compiles.
std::vector<Literal> LiteralsIn(const std::string& code) {
  std::vector<Literal> literals;
  std::size_t line = 1;
  const auto skip_to = [&](std::size_t& at, std::string_view end) {
    const std::size_t from = at;
    at = std::min(code.find(end, at), code.size() - end.size()) + end.size();
    line += std::size_t(std::count(code.begin() + std::ptrdiff_t(from), code.begin() + std::ptrdiff_t(at), '\n'));
    return code.substr(from, at - from - end.size());
  };
  for (std::size_t at = 0; at < code.size();) {
    const std::string_view rest = std::string_view(code).substr(at);
    if (rest.starts_with("//") || rest.starts_with("#include")) {
      skip_to(at, "\n");
    } else if (rest.starts_with("/*")) {
      skip_to(at, "*/");
    } else if (rest.starts_with("R\"")) {
      const auto open = rest.find('(');
      const std::string end = ")" + std::string(rest.substr(2, open - 2)) + "\"";
      at += open + 1;
      const std::size_t began = line;
      literals.push_back({began, skip_to(at, end)});
    } else if (rest.starts_with('\'')) {
      // A digit separator is between digits; a character has its end two or three places on.
      const bool character = rest.size() > 2 && (rest[2] == '\'' || rest[1] == '\\');
      at += !character ? 1 : rest[1] == '\\' ? rest.find('\'', 3) + 1 : 3;
    } else if (rest.starts_with('"')) {
      std::string text;
      for (++at; at < code.size() && code[at] != '"'; ++at) {
        if (code[at] == '\\') ++at;
        text += code[at];
      }
      ++at;
      literals.push_back({line, text});
    } else {
      line += code[at] == '\n';
      ++at;
    }
  }
  return literals;
}

// Empty when it may be said anywhere.
std::string Forbidden(const std::string& literal) {
  static const std::regex kOfAnotherProgram(R"((\$\(|= )aws [a-z][^)]*)");
  const std::string text = std::regex_replace(literal, kOfAnotherProgram, "");
  static const std::regex kFlag("(^|[^-])--[a-z]"), kCommand(R"((`|run )(verify|harvest|collect|changes|queue)\b)");
  if (std::regex_search(text, kFlag)) return "a flag";
  if (std::regex_search(text, kCommand)) return "a command";
  for (const Setting& setting : SettingsTable())
    if (text.find(setting.name) != std::string::npos) return std::string(setting.name);
  return "";
}

TEST(Messages, BelowTheProgramNameNeitherFlagsNorCommandsNorSettings) {
  const char* source = std::getenv("TMDBC_SOURCE_DIR");
  ASSERT_NE(source, nullptr);
  std::size_t seen = 0;
  for (const auto& entry : fs::recursive_directory_iterator(fs::path(source) / "src")) {
    const std::string path = fs::relative(entry.path(), source).string();
    const bool code = path.ends_with(".cc") || path.ends_with(".h");
    const bool speaks_so = path.starts_with("src/app/") || path.starts_with("src/settings/") ||
                           path.starts_with("src/testing/") || path.find("_test.") != std::string::npos;
    if (!code || speaks_so) continue;
    for (const Literal& literal : LiteralsIn(ReadFile(entry.path()))) {
      ++seen;
      const std::string what = Forbidden(literal.text);
      EXPECT_EQ(what, "") << path << ":" << literal.line << ": \"" << literal.text << "\"";
    }
  }
  EXPECT_GT(seen, 1000u);
}

TEST(Messages, TheReaderOfLiteralsFindsThem) {
  const auto literals = LiteralsIn("// \"no\"\nconst char c = '\"', d = '\\'';\nint n = 1'000;\nF(\"a\\\"b\", R\"x(c \"d\"\n)x\");\nG(\"e\")");
  ASSERT_EQ(literals.size(), 3u);
  EXPECT_EQ(literals[0].text, "a\"b");
  EXPECT_EQ(literals[0].line, 4u);
  EXPECT_EQ(literals[1].text, "c \"d\"\n");
  EXPECT_EQ(literals[2].text, "e");
  EXPECT_EQ(literals[2].line, 6u);
  EXPECT_EQ(Forbidden("use --accept-gap"), "a flag");
  EXPECT_EQ(Forbidden("run verify on it"), "a command");
  EXPECT_EQ(Forbidden("check TMDB_API_KEY"), "TMDB_API_KEY");
  EXPECT_EQ(Forbidden("a -- b, ---"), "");
}

}  // namespace
}  // namespace tmdbc
