// SPDX-License-Identifier: MIT
#include "app/completions.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>

#include "app/manual.h"

namespace tmdbc {
namespace {

// What bash offers for the last of these words, as its own machinery would ask.
std::vector<std::string> Offers(const std::vector<std::string>& words) {
  const std::string path = ::testing::TempDir() + "completions-" + std::to_string(::getpid());
  std::ofstream script(path);
  script << CompletionScript("bash").value() << "COMP_WORDS=(";
  for (const std::string& word : words) script << "'" << word << "' ";
  script << ")\nCOMP_CWORD=" << words.size() - 1 << "\n_tmdb_collector\nprintf '%s\\n' \"${COMPREPLY[@]}\"\n";
  script.close();
  std::FILE* bash = ::popen(("bash " + path + " 2>&1").c_str(), "r");
  std::string text;
  std::array<char, 4096> piece{};
  while (bash != nullptr && std::fgets(piece.data(), piece.size(), bash) != nullptr) text += piece.data();
  if (bash != nullptr) ::pclose(bash);
  std::filesystem::remove(path);
  std::vector<std::string> offers;
  for (std::size_t at = 0; at < text.size();) {
    const auto end = text.find('\n', at);
    if (end > at) offers.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return offers;
}
using Words = std::vector<std::string>;

bool Has(const Words& offers, std::string_view word) {
  return std::ranges::find(offers, word) != offers.end();
}

TEST(BashCompletion, OffersCommandsThenTheirFlagsThenTheirValues) {
  EXPECT_EQ(Offers({"tmdb-collector", "stat"}), Words{"status"});
  EXPECT_EQ(Offers({"tmdb-collector", "queue", "re"}), Words{"redrive"});
  EXPECT_EQ(Offers({"tmdb-collector", "query", "--env"}), Words{"--envelope"});
  EXPECT_EQ(Offers({"tmdb-collector", "query", "--type", "=", "mov"}), Words{"movie"});
  EXPECT_EQ(Offers({"tmdb-collector", "query", "--type", "per"}), Words{"person"});
  EXPECT_EQ(Offers({"tmdb-collector", "harvest", "--mode", "="}),
            (Words{"auto", "export", "changes", "ids"}));
  EXPECT_EQ(Offers({"tmdb-collector", "run", "--log-format", "="}), (Words{"text", "json"}));
  EXPECT_EQ(Offers({"tmdb-collector", "completions", ""}), (Words{"bash", "zsh", "fish"}));
}

TEST(BashCompletion, OffersEveryCommandAndEveryFlagOfTheTables) {
  const Words commands = Offers({"tmdb-collector", ""});
  for (const Command& command : CommandTable()) {
    const std::string name(command.name);
    if (command.hidden) continue;
    EXPECT_TRUE(Has(commands, name.substr(0, name.find(' ')))) << name;
    Words words = {"tmdb-collector", name.substr(0, name.find(' '))};
    if (name.find(' ') != std::string::npos) words.emplace_back(name.substr(name.find(' ') + 1));
    words.push_back("--");
    const Words flags = Offers(words);
    for (const Option& option : command.options) {
      if (!option.flag.starts_with('-')) continue;
      EXPECT_TRUE(Has(flags, std::string(option.flag) + (option.value.empty() ? "" : "=")))
          << name << option.flag;
    }
  }
}

TEST(Completions, NoScriptOffersAFlagForTheKey) {
  for (const char* shell : {"bash", "zsh", "fish"}) {
    const auto script = CompletionScript(shell);
    ASSERT_TRUE(script) << shell;
    EXPECT_EQ(script->find("api-key"), std::string::npos) << shell;
    for (const Command& command : CommandTable()) {
      const std::string first(command.name.substr(0, command.name.find(' ')));
      EXPECT_EQ(script->find(first) == std::string::npos, command.hidden) << shell << " " << first;
    }
  }
  EXPECT_FALSE(CompletionScript("tcsh"));
}

TEST(Completions, ChoicesAreThoseOfTheSentences) {
  EXPECT_EQ(ChoicesOf(*FindSetting("LOG_LEVEL")), (Words{"trace", "debug", "info", "warn", "error"}));
  EXPECT_EQ(ChoicesOf(*FindSetting("INCLUDE_ADULT")), (Words{"true", "false"}));
  EXPECT_EQ(ChoicesOf(*FindSetting("MEDIA_TYPES")).size(), 8u);
  EXPECT_EQ(ChoicesOf(*FindSetting("RATE_LIMIT_REQUESTS")), Words{});
  EXPECT_EQ(ChoicesOf(*FindSetting("DATA_DIR")), Words{});
}

TEST(Manual, HasEveryCommandSettingAndExitCode) {
  const std::string commands = CommandsManual(), settings = SettingsManual();
  for (const Command& command : CommandTable()) {
    std::string name(command.name);
    EXPECT_EQ(commands.find(".SS \"tmdb\\-collector " + name) == std::string::npos, command.hidden) << name;
  }
  for (const Setting& setting : SettingsTable())
    EXPECT_NE(settings.find("\\fB" + std::string(setting.name)), std::string::npos) << setting.name;
  EXPECT_NE(commands.find("TMDB refuses the key"), std::string::npos);
  for (const char* flag :
       {"\\fB\\-\\-config\\fR=\\fIFILE\\fR", "\\fB\\-\\-debug\\fR", "\\fB\\-\\-version\\fR"})
    EXPECT_NE(commands.find(flag), std::string::npos) << flag;
}

}  // namespace
}  // namespace tmdbc
