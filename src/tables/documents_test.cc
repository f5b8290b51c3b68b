// SPDX-License-Identifier: MIT
#include "tables/documents.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "tables/spec.h"
#include "tables/tables_world_test.h"
#include "tables/views.h"

namespace tmdbc::tables {
namespace {

namespace fs = std::filesystem;

// A table of every kind with a file, without writing any.
Manifest EveryTable() {
  Manifest manifest;
  manifest.spec = kSpecVersion;
  manifest.generation = 12;
  manifest.committed_at = *ParseTime("2026-11-30T15:00:00.000Z");
  for (const Table& table : Tables()) {
    DataFile file;
    file.path = DataPath(table.name, "0000000000-0000065535", 12);
    file.rows = 1234567;
    file.bytes = 99;
    file.sha256 = std::string(64, 'b');
    manifest.tables[table.name] = {.delta_version = 0, .width = 65536, .files = {file}};
  }
  return manifest;
}

std::string ReadFile(const fs::path& path) {
  std::ifstream in(path);
  return {std::istreambuf_iterator<char>(in), {}};
}

void WriteDocuments(const fs::path& folder, const Manifest& manifest) {
  for (const DocumentFile& document : Documents(manifest)) std::ofstream(folder / document.name) << document.text;
}

TEST(Documents, TheDataDictionaryOfTheDocsIsMadeOfTheSpec) {
  const char* source = std::getenv("TMDBC_SOURCE_DIR");
  const fs::path path = fs::path(source ? source : ".") / "docs/data-dictionary.md";
  if (std::getenv("TMDBC_RENEW")) std::ofstream(path) << DictionaryMarkdown();
  EXPECT_EQ(ReadFile(path), DictionaryMarkdown())
      << "TMDBC_RENEW=1 tables_test --gtest_filter='Documents*' renews it";
}

TEST(Documents, TheDictionaryHasEveryTableOnce) {
  const std::string text = DictionaryMarkdown();
  for (const Table& table : Tables()) {
    const std::string heading = "\n### " + table.name + "\n";
    const auto at = text.find(heading);
    ASSERT_NE(at, std::string::npos) << table.name;
    EXPECT_EQ(text.find(heading, at + 1), std::string::npos) << table.name;
  }
}

// DuckDB reads them back: nobody here parses them.
class DocumentsReadBack : public ::testing::Test {
 protected:
  DocumentsReadBack()
      : root_(fs::canonical(fs::path(::testing::TempDir())) / fmt::format("documents-{}", ::getpid())) {
    fs::create_directories(root_);
    WriteDocuments(root_, manifest_);
    fs::current_path(root_);
  }
  ~DocumentsReadBack() override {
    fs::current_path(before_);
    fs::remove_all(root_);
  }
  std::int64_t Number(const std::string& sql) {
    const auto number = connection_.QueryNumber(sql);
    EXPECT_TRUE(number) << number.error().message << "\n" << sql;
    return number.value_or(-1);
  }
  static std::int64_t Columns() {
    std::int64_t columns = 0;
    for (const Table& table : Tables()) columns += static_cast<std::int64_t>(table.columns.size());
    return columns;
  }

  const fs::path before_ = fs::current_path();
  const fs::path root_;
  const Manifest manifest_ = EveryTable();
  duckdb::Database database_ = duckdb::Database::Open(tmdbc::testing::Duckdb(), {}).value();
  duckdb::Connection connection_ = database_.Connect().value();
};

TEST_F(DocumentsReadBack, DictionaryPackageAndCroissantHaveEveryColumn) {
  EXPECT_EQ(Number("SELECT count(*) FROM read_json('dictionary.json')"), Columns());
  EXPECT_EQ(
      Number(
          "SELECT count(*) FROM read_json('dictionary.json') WHERE description IS NULL OR description = ''"),
      0);
  EXPECT_EQ(
      Number(
          "SELECT sum(len(resource.schema.fields))::BIGINT FROM (SELECT unnest(resources) AS resource FROM "
          "read_json('datapackage.json', maximum_object_size = 100000000))"),
      Columns());
  EXPECT_EQ(Number("SELECT sum(len(r.field))::BIGINT FROM (SELECT unnest(recordSet) AS r FROM "
                   "read_json('croissant.json', maximum_object_size = 100000000))"),
            Columns());
  EXPECT_EQ(Number("SELECT count(*) FROM (SELECT unnest(distribution) AS d FROM read_json('croissant.json', "
                   "maximum_object_size = 100000000)) WHERE d.sha256 = repeat('b', 64)"),
            static_cast<std::int64_t>(Tables().size()));
}

TEST_F(DocumentsReadBack, ForeignKeysLeadToATableThatHasThatKey) {
  EXPECT_GT(
      Number("SELECT count(*) FROM (SELECT unnest(resources) AS r FROM read_json('datapackage.json')) WHERE "
             "r.schema.foreignKeys IS NOT NULL"),
      40);
  EXPECT_EQ(
      Number(
          "WITH r AS (SELECT unnest(resources) AS r FROM read_json('datapackage.json')) SELECT count(*) FROM "
          "(SELECT unnest(r.schema.foreignKeys) AS k FROM r) WHERE NOT EXISTS (SELECT 1 FROM r AS t WHERE t.r.name "
          "= k.reference.resource AND t.r.schema.primaryKey = k.reference.fields)"),
      0);
}

TEST_F(DocumentsReadBack, TheReadmeTellsCountsTermsAndAttribution) {
  const std::string text = ReadFile("README.md");
  for (const char* words :
       {"| movies | 1,234,567 | 1 | 99 |", "Generation 12", "kaggle_movies (view)", "not endorsed",
        "JustWatch", "six months", "polars.scan_delta", "2026-11-30T15:00:00"})
    EXPECT_NE(text.find(words), std::string::npos) << words;
}

TEST(DocumentsOfAFolder, ViewsSqlRunsInTheFolderItself) {
  const fs::path root = fs::canonical(fs::path(::testing::TempDir())) / fmt::format("views-{}", ::getpid());
  {
    testing::TablesFolder folder(root);
    testing::PutTwoFilms(folder);
    const Manifest manifest = folder.Commit();
    WriteDocuments(root, manifest);
    const fs::path before = fs::current_path();
    fs::current_path(root);
    const auto made = folder.connection().Execute(ReadFile("views.sql"));
    EXPECT_TRUE(made) << made.error().message;
    EXPECT_EQ(folder.connection().QueryNumber("SELECT count(*) FROM kaggle_movies").value_or(-1), 2);
    fs::current_path(before);
  }
  fs::remove_all(root);
}

}  // namespace
}  // namespace tmdbc::tables
