// SPDX-License-Identifier: MIT
#include "settings/settings_docs.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>

#include "settings/env_file.h"

namespace tmdbc {
namespace {

std::string FileOfRepository(const std::string& path) {
  const char* source = std::getenv("TMDBC_SOURCE_DIR");
  std::ifstream file(std::string(source ? source : ".") + "/" + path);
  return {std::istreambuf_iterator<char>(file), {}};
}

TEST(SettingsDocs, TheConfigurationPageIsThatOfTheTable) {
  EXPECT_EQ(FileOfRepository("docs/configuration.md"), SettingsMarkdown())
      << "tmdb-collector settings --markdown > docs/configuration.md";
}

TEST(SettingsDocs, TheEnvExampleIsThatOfTheTable) {
  EXPECT_EQ(FileOfRepository(".env.example"), EnvExample())
      << "tmdb-collector settings --env-example > .env.example";
}

TEST(SettingsDocs, EverySettingIsDocumentedWithItsFlagAndTomlName) {
  const std::string page = SettingsMarkdown();
  for (const Setting& setting : SettingsTable()) {
    EXPECT_NE(page.find(fmt::format("### {}\n", setting.name)), std::string::npos);
    EXPECT_NE(page.find("`" + TomlKeyOf(setting) + "`"), std::string::npos);
    EXPECT_EQ(page.find(FlagOf(setting)) != std::string::npos, !setting.secret) << setting.name;
  }
}

// Somebody copies it and fills in the key only; or takes away every comment sign.
TEST(SettingsDocs, TheEnvExampleWorksAsItStandsAndUncommented) {
  const std::string example = EnvExample();
  const auto plain = ParseEnvFile(example, ".env");
  ASSERT_TRUE(plain) << plain.error().message;
  std::string uncommented = example;
  for (const Setting& setting : SettingsTable()) {
    const std::string line = fmt::format("# {}=", setting.name);
    if (const auto at = uncommented.find(line); at != std::string::npos) uncommented.erase(at, 2);
  }
  const auto all = ParseEnvFile(uncommented, ".env");
  ASSERT_TRUE(all) << all.error().message;
  EXPECT_EQ(all->size(), SettingsTable().size());
  std::vector<GivenSetting> given = *all;
  std::erase_if(given, [](const GivenSetting& g) { return g.text.empty(); });
  EXPECT_TRUE(ResolveSettings(given));
}

}  // namespace
}  // namespace tmdbc
