// SPDX-License-Identifier: MIT
// docs/architecture.md says which folder may include which; this reads the table and every #include and
// compares. README's map names the same folders.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

namespace tmdbc {
namespace {

namespace fs = std::filesystem;

using Table = std::map<std::string, std::set<std::string>>;

std::string ReadAll(const fs::path& path) {
  std::ifstream in(path);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

// Rows "| src/foo | src/base, src/tmdb/media_id.h |" of the table under the heading "The tree".
Table ReadTable(const std::string& markdown) {
  Table table;
  const std::regex row(R"(\| ((?:src/\w+)|sim) \|([^|\n]*)\|)");
  for (std::sregex_iterator it(markdown.begin(), markdown.end(), row), end; it != end; ++it) {
    auto& allowed = table[(*it)[1]];
    std::stringstream entries((*it)[2]);
    for (std::string entry; std::getline(entries, entry, ',');) {
      entry.erase(0, entry.find_first_not_of(' '));
      entry.erase(entry.find_last_not_of(' ') + 1);
      if (!entry.empty()) allowed.insert(entry);
    }
  }
  return table;
}

// "src/queue" of "src/queue/id_queue.h".
std::string FolderOf(const std::string& path) {
  return path.substr(0, path.rfind('/'));
}

bool IsTest(const fs::path& path) {
  return path.stem().string().ends_with("_test");
}

// Every edge of the tree that the table does not allow, as "src/queue/x.cc includes src/storage/y.h".
std::vector<std::string> Violations(const fs::path& root, const Table& table) {
  std::vector<std::string> violations;
  constexpr std::string_view kInclude = "#include \"";
  for (const auto& [folder, allowed] : table) {
    for (const auto& entry : fs::recursive_directory_iterator(root / folder)) {
      const fs::path& path = entry.path();
      if ((path.extension() != ".h" && path.extension() != ".cc") || IsTest(path)) continue;
      std::ifstream in(path);
      for (std::string line; std::getline(in, line);) {
        if (!line.starts_with(kInclude)) continue;
        const std::string name = line.substr(kInclude.size(), line.rfind('"') - kInclude.size());
        // Without a folder it is a file of the same one (sim includes its own so).
        const std::string target = name.contains('/') ? "src/" + name : folder + "/" + name;
        if (FolderOf(target) == folder || allowed.contains(FolderOf(target)) || allowed.contains(target))
          continue;
        violations.push_back(fs::relative(path, root).string() + " includes " + target);
      }
    }
  }
  return violations;
}

fs::path Root() {
  return std::getenv("TMDBC_SOURCE_DIR") ? std::getenv("TMDBC_SOURCE_DIR") : ".";
}

TEST(IncludeTable, HoldsForTheWholeTree) {
  const Table table = ReadTable(ReadAll(Root() / "docs/architecture.md"));
  ASSERT_GE(table.size(), 10u) << "the table of docs/architecture.md was not found";
  for (const auto& violation : Violations(Root(), table)) ADD_FAILURE() << violation;
}

TEST(IncludeTable, NamesEveryFolder) {
  const Table table = ReadTable(ReadAll(Root() / "docs/architecture.md"));
  const std::string map = ReadAll(Root() / "README.md");
  for (const auto& entry : fs::directory_iterator(Root() / "src")) {
    const std::string folder = "src/" + entry.path().filename().string();
    EXPECT_TRUE(table.contains(folder)) << folder << " has no row in docs/architecture.md";
    EXPECT_TRUE(map.contains("    " + folder + " ")) << folder << " is not on README's map";
  }
}

TEST(IncludeTable, AnEdgeThatIsNotAllowedIsFound) {
  Table table = ReadTable(ReadAll(Root() / "docs/architecture.md"));
  table["src/queue"].erase("src/base");
  EXPECT_FALSE(Violations(Root(), table).empty());
}

}  // namespace
}  // namespace tmdbc
