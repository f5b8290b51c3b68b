// SPDX-License-Identifier: MIT
#include "tables/manifest.h"

#include <gtest/gtest.h>

namespace tmdbc::tables {
namespace {

Manifest Some() {
  Manifest manifest;
  manifest.spec = 1;
  manifest.generation = 124;
  manifest.parent = 123;
  manifest.committed_at = ParseTime("2026-11-30T15:00:00.000Z").value();
  manifest.sequences = {{MediaType::kMovie, 12}, {MediaType::kTv, 4}};
  manifest.marks[MediaType::kMovie] = {{550, 3, ParseTime("2026-11-30T14:59:00.000Z").value(), false}};
  manifest.exports["movie_ids"] = ParseDate("2026-11-29").value();
  manifest.tables["movies"] = {
      7,
      65536,
      9120331,
      {{"movies/0000000000-0000065535.000000123.parquet", 47102, 9120331, 2, 65531, std::string(64, 'a')}}};
  manifest.tables["genres"] = {};
  return manifest;
}

TEST(Manifest, IsReadAsItWasWritten) {
  const std::string text = FormatManifest(Some());
  EXPECT_TRUE(text.starts_with(
      R"({"format":1,"spec":1,"generation":124,"parent":123,"committed_at":"2026-11-30T15:00:00.000Z",)"
      R"("purged":false,"sequences":{"movie":12,"tv":4},)"
      R"("marks":{"movie":[{"id":550,"version":3,"fetched_at":"2026-11-30T14:59:00.000Z","stats":false}]},)"
      R"("exports":{"movie_ids":"2026-11-29"},)"
      R"("tables":{"genres":{"delta_version":-1,"width":0,"built_bytes":0,"files":[],"recent":null},)"
      R"("movies":{"delta_version":7,"width":65536,"built_bytes":9120331,"files":[{"path":"movies/0000000000-0000065535.000000123.parquet",)"
      R"("rows":47102,"bytes":9120331,"first":2,"last":65531,"sha256":"aaa)"))
      << text;
  const auto read = ParseManifest(text);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(*read, Some());
}

TEST(Manifest, PassesOverWhatALaterProgramAddsAndRefusesAnotherFormat) {
  std::string text = FormatManifest(Some());
  text.insert(1, R"("new":[1],)");
  EXPECT_TRUE(ParseManifest(text));
  text.replace(text.find("\"format\":1"), 10, "\"format\":2");
  const auto read = ParseManifest(text);
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code, ErrorCode::kInvalid);
  EXPECT_NE(read.error().message.find("format 2"), std::string::npos);
}

TEST(Manifest, MayLackWhatTheFirstOnesDidNotHave) {
  std::string text = FormatManifest(Manifest{.spec = 1, .generation = 1, .tables = {{"movies", {}}}});
  for (const std::string member : {R"("exports":{},)", R"("marks":{},)", R"("built_bytes":0,)"}) {
    ASSERT_NE(text.find(member), std::string::npos) << member;
    text.erase(text.find(member), member.size());
  }
  const auto manifest = ParseManifest(text);
  ASSERT_TRUE(manifest) << manifest.error().message;
  EXPECT_TRUE(manifest->exports.empty());
}

TEST(Manifest, RefusesWhatIsNoneAndAFileOutsideOfTheFolder) {
  for (const std::string_view text : {"", "{", "[]", "{}", R"({"format":1})"}) {
    const auto read = ParseManifest(text);
    ASSERT_FALSE(read) << text;
    EXPECT_EQ(read.error().code, ErrorCode::kCorrupt) << text;
  }
  for (const char* path :
       {"../movies/x.parquet", "/etc/x.parquet", "movies/../x.parquet", "x.parquet", "a/b/c.parquet"}) {
    Manifest manifest = Some();
    manifest.tables["movies"].files[0].path = path;
    EXPECT_FALSE(ParseManifest(FormatManifest(manifest))) << path;
  }
}

TEST(Manifest, NamesItsFilesByGenerationAndDataFilesByPart) {
  EXPECT_EQ(ManifestPath(124), "manifests/000000124.json");
  EXPECT_EQ(ParseManifestName("000000124.json"), 124);
  EXPECT_EQ(ParseManifestName("124.json"), std::nullopt);
  EXPECT_EQ(ParseManifestName("000000124.json.tmp"), std::nullopt);
  EXPECT_EQ(DataPath("movies", "0000000000-0000065535", 123),
            "movies/0000000000-0000065535.000000123.parquet");
  EXPECT_EQ(PartitionOf("movies/0000000000-0000065535.000000123.parquet"), "0000000000-0000065535");
  EXPECT_EQ(ParseHint(FormatHint(124)), 124);
  EXPECT_EQ(ParseHint("{}"), std::nullopt);
}

}  // namespace
}  // namespace tmdbc::tables
