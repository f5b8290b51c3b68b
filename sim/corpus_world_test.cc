// SPDX-License-Identifier: MIT
#include "corpus_world.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "json.h"
#include "simulator.h"
#include "testing/corpus.h"

namespace tmdbc::sim {
namespace {

// A corpus of a few recordings, in a folder of its own.
class Recorded {
 public:
  Recorded()
      : folder_(std::filesystem::temp_directory_path() / ("tmdb-sim-corpus-" + std::to_string(::getpid()))) {
    std::filesystem::create_directories(folder_ / "export");
    table_ = "file\tendpoint\thttp_status\trecorded\tfidelity\tbytes\n";
  }
  ~Recorded() { std::filesystem::remove_all(folder_); }

  Recorded& Add(const std::string& endpoint, const std::string& recorded, const std::string& json,
                const std::string& fidelity = "raw body", const std::string& status = "200") {
    const std::string file = std::to_string(++files_) + ".json";
    std::ofstream(folder_ / file) << json;
    table_ += file + "\t" + endpoint + "\t" + status + "\t" + recorded + "\t" + fidelity + "\t1\n";
    return *this;
  }
  // Named by the table, and not there.
  Recorded& AddAbsent(const std::string& endpoint) {
    table_ += "absent.json\t" + endpoint + "\t200\t2024-01-01\traw body\t1\n";
    return *this;
  }
  // The same table with its columns in another order, and one that nobody knows.
  Recorded& Reordered() {
    std::string rows;
    std::stringstream in(table_);
    for (std::string line; std::getline(in, line);) {
      std::stringstream cells(line);
      std::string row = "note", cell;
      std::vector<std::string> all;
      while (std::getline(cells, cell, '\t')) all.push_back(cell);
      for (auto it = all.rbegin(); it != all.rend(); ++it) row += "\t" + *it;
      rows += row + "\r\n";
    }
    table_ = rows;
    return *this;
  }
  Recorded& Keywords(const std::string& lines) {
    std::ofstream(folder_ / "export" / "keyword_ids_2024.json") << lines;
    return *this;
  }
  Result<std::unique_ptr<CorpusWorld>> Load(bool recorded_seasons_only = false) {
    std::ofstream(folder_ / "PROVENANCE.tsv") << table_;
    return CorpusWorld::Load({folder_.string(), recorded_seasons_only});
  }
  std::unique_ptr<CorpusWorld> World(bool recorded_seasons_only = false) {
    auto world = Load(recorded_seasons_only);
    EXPECT_TRUE(world.has_value()) << (world ? "" : world.error().message);
    return *std::move(world);
  }

 private:
  std::filesystem::path folder_;
  std::string table_;
  int files_ = 0;
};

TEST(CorpusWorld, PrefersWithoutLanguageThenUneditedThenNewest) {
  const auto world = Recorded()
                         .Add("/3/movie/7?language=de", "2026-06-13", R"({"id":7,"t":"de"})")
                         .Add("/3/movie/7", "Sat, 26 Nov 2022 18:52:55 GMT", R"({"id":7,"t":"2022"})")
                         .Add("/3/movie/7", "2024-03-24 (commit date)", R"({"id":7,"t":"2024"})")
                         .Add("/3/movie/7", "2026-02-16 (commit date)", R"({"id":7,"t":"edited"})",
                              "test resource; may be hand-edited")
                         .Add("/3/movie/7", "2020 (commit 2020-11-07)", R"({"id":7,"t":"2020"})")
                         .Add("/3/movie/8?language=it", "2026-06-13", R"({"id":8,"t":"it"})")
                         .Add("/3/movie/9", "2026-06-13", R"({"success":false})", "raw body", "404")
                         .World();
  EXPECT_EQ(world->Details(Kind::kMovie, 7), R"({"id":7,"t":"2024"})");
  EXPECT_EQ(world->Details(Kind::kMovie, 8), R"({"id":8,"t":"it"})");
  EXPECT_EQ(world->Details(Kind::kMovie, 9), std::nullopt);
}

TEST(CorpusWorld, TakesAppendedPartsAndPartsOfTheirOwn) {
  const auto world = Recorded()
                         .Add("/3/movie/7?append_to_response=credits,changes", "2025-01-01",
                              R"({"id":7,"v":1.50,"credits":{"cast":[ 1 ]},"changes":{}})")
                         .Add("/3/movie/7/images", "2025-01-01", R"({"id":7,"posters":[]})")
                         .Add("/3/movie/7/credits", "2026-01-01", R"({"id":7,"cast":[2]})")
                         .Add("/3/movie/7/lists?page=2", "2026-01-01", R"({"id":7,"page":2})")
                         .Add("/3/movie/7/watch/providers", "2026-01-01", R"({"id":7,"results":{}})")
                         .World();
  EXPECT_EQ(world->Details(Kind::kMovie, 7), R"({"id":7,"v":1.50})");
  EXPECT_EQ(world->Part(Kind::kMovie, 7, "credits"), R"({"cast":[2]})");
  EXPECT_EQ(world->Part(Kind::kMovie, 7, "images"), R"({"posters":[]})");
  EXPECT_EQ(world->Part(Kind::kMovie, 7, "watch/providers"), R"({"results":{}})");
  EXPECT_EQ(world->Part(Kind::kMovie, 7, "changes"), std::nullopt);
  EXPECT_EQ(world->Part(Kind::kMovie, 7, "lists"), std::nullopt);
}

TEST(CorpusWorld, TakesTheWhiteSpaceOutOfPrettyPrintedRecordings) {
  const auto world =
      Recorded().Add("/3/person/1", "2024-01-01", "{\n  \"id\": 1,\n  \"name\": \"A  B\"\n}\n").World();
  EXPECT_EQ(world->Details(Kind::kPerson, 1), R"({"id":1,"name":"A  B"})");
}

TEST(CorpusWorld, ServesAListedSeasonThatNobodyRecordedWithoutEpisodes) {
  Recorded recorded;
  recorded.Add(
      "/3/tv/5", "2024-01-01",
      R"({"id":5,"seasons":[{"air_date":"2001-01-01","id":50,"name":"Specials","season_number":0},{"id":51,"season_number":1,"vote_average":0}]})");
  recorded.Add("/3/tv/5/season/1", "2024-01-01",
               R"({"_id":"x","episodes":[{"id":9}],"id":51,"season_number":1})");
  recorded.Add("/3/tv/5/season/2", "2024-01-01", R"({"_id":"y","episodes":[],"id":52,"season_number":2})");
  recorded.Add("/3/tv/5/season/1/episode/1", "2024-01-01", R"({"id":9,"name":"Pilot"})");
  const auto world = recorded.World();
  EXPECT_EQ(world->Season(5, 1), R"({"_id":"x","episodes":[{"id":9}],"id":51,"season_number":1})");
  EXPECT_EQ(WithoutPart(*world->Season(5, 0), "_id"),
            R"({"air_date":"2001-01-01","episodes":[],"name":"Specials","id":50,"season_number":0})");
  EXPECT_EQ(world->Season(5, 2), std::nullopt) << "the show does not list it";
  EXPECT_EQ(world->Episode(5, 1, 1), R"({"id":9,"name":"Pilot"})");
  EXPECT_EQ(world->Seasons(5).size(), 2u);
  EXPECT_EQ(recorded.World(true)->Season(5, 0), std::nullopt);
  EXPECT_EQ(recorded.World(true)->Seasons(5).size(), 1u);
}

TEST(CorpusWorld, ListsInTheExportsExactlyWhatItServes) {
  const auto world =
      Recorded()
          .Add("/3/movie/7", "2024-01-01",
               R"({"adult":false,"id":7,"original_title":"A & \"B\"","popularity":1.5,"video":true})")
          .Add("/3/movie/8", "2024-01-01",
               R"({"adult":true,"id":8,"original_title":"C","popularity":0.0,"video":false})")
          .Add("/3/movie/9/credits", "2024-01-01", R"({"id":9,"cast":[]})")
          .Add("/3/tv/5", "2024-01-01", R"({"id":5,"original_name":"D","popularity":2})")
          .Add("/3/collection/10", "2024-01-01", R"({"id":10,"name":"E"})")
          .Keywords("{\"id\":3,\"name\":\"x \\u0026 y\"}\n{\"id\":1,\"name\":\"z\"}\n")
          .World();
  const auto lines = [&](Kind kind, bool adult) {
    std::string all;
    world->ForEachLine(kind, adult, [&](std::string_view line) { all += line; });
    return all;
  };
  EXPECT_EQ(lines(Kind::kMovie, false),
            "{\"adult\":false,\"id\":7,\"original_title\":\"A \\u0026 "
            "\\\"B\\\"\",\"popularity\":1.5,\"video\":true}\n");
  EXPECT_EQ(lines(Kind::kMovie, true),
            "{\"adult\":true,\"id\":8,\"original_title\":\"C\",\"popularity\":0.0,\"video\":false}\n");
  EXPECT_EQ(lines(Kind::kTv, false), "{\"id\":5,\"original_name\":\"D\",\"popularity\":2}\n");
  EXPECT_EQ(lines(Kind::kCollection, false), "{\"id\":10,\"name\":\"E\"}\n");
  EXPECT_EQ(lines(Kind::kKeyword, false), "{\"id\":3,\"name\":\"x \\u0026 y\"}\n{\"id\":1,\"name\":\"z\"}\n");
  EXPECT_EQ(world->Details(Kind::kKeyword, 3), R"({"id":3,"name":"x \u0026 y"})");
}

TEST(CorpusWorld, ReadsItsTableByTheNamesOfTheColumns) {
  const auto world = Recorded().Add("/3/movie/7", "2024-01-01", R"({"id":7,"t":"x"})").Reordered().World();
  EXPECT_EQ(world->Details(Kind::kMovie, 7), R"({"id":7,"t":"x"})");
}

TEST(CorpusWorld, CountsTheFilesThatAreNotThereAndServesTheRest) {
  const auto world =
      Recorded().AddAbsent("/3/movie/6").Add("/3/movie/7", "2024-01-01", R"({"id":7})").World();
  EXPECT_EQ(world->absent(), std::vector<std::string>{"absent.json"});
  EXPECT_TRUE(world->Details(Kind::kMovie, 7));
  EXPECT_FALSE(world->Details(Kind::kMovie, 6));
}

TEST(CorpusWorld, SaysWhatIsWrongWithAFolder) {
  const auto absent = CorpusWorld::Load({"/nonexistent", false});
  ASSERT_FALSE(absent.has_value());
  EXPECT_EQ(absent.error().code, ErrorCode::kNotFound);
  EXPECT_EQ(absent.error().message, "read /nonexistent/PROVENANCE.tsv: it is not there");
  const auto empty = Recorded().Load();
  ASSERT_FALSE(empty.has_value());
  EXPECT_EQ(empty.error().code, ErrorCode::kCorrupt);
}

TEST(CorpusWorld, ServesTheRecordedBodies) {
  TMDBC_NEEDS_CORPUS("PROVENANCE.tsv");
  const std::string folder = testing::CorpusFolder().string();
  auto loaded = CorpusWorld::Load({folder, false});
  ASSERT_TRUE(loaded.has_value()) << loaded.error().message;
  World& world = **loaded;
  int live = 0;
  for (const Kind kind :
       {Kind::kMovie, Kind::kTv, Kind::kPerson, Kind::kCollection, Kind::kCompany, Kind::kNetwork}) {
    int ids = 0, lines = 0;
    world.ForEachId(kind, [&](std::int64_t id, bool) {
      ++ids;
      const auto details = world.Details(kind, id);
      ASSERT_TRUE(details.has_value());
      EXPECT_EQ(PartOf(*details, "id"), std::to_string(id));
      EXPECT_EQ(details->find('\n'), std::string::npos);
      for (const SeasonRef& season : kind == Kind::kTv ? world.Seasons(id) : std::vector<SeasonRef>()) {
        EXPECT_EQ(PartOf(*world.Season(id, season.number), "id"), std::to_string(season.id));
      }
    });
    for (const bool adult : {false, true}) world.ForEachLine(kind, adult, [&](std::string_view) { ++lines; });
    EXPECT_EQ(ids, lines) << NameOf(kind);
    live += ids;
  }
  EXPECT_GT(live, 5);
  EXPECT_TRUE(world.List("genre/movie/list").has_value());
}

}  // namespace
}  // namespace tmdbc::sim
