// SPDX-License-Identifier: MIT
#include "tables/publish.h"

#include <gtest/gtest.h>

#include <fstream>
#include <random>
#include <set>
#include <sstream>

#include "base/compression.h"
#include "tables/publish_world_test.h"
#include "tmdb/configuration_lists.h"
#include "tmdb/export_line.h"

namespace tmdbc::tables {
namespace {

using std::chrono::hours;
using testing::MakeDocument;
using testing::Movie;
using testing::PublishWorld;
using testing::Season;
using testing::Show;

constexpr auto kMovie = MediaType::kMovie;

Document Film(std::int64_t id, std::string_view members, Time at) {
  return MakeDocument({kMovie, id}, fmt::format(R"({{"id":{},{}}})", id, members), at);
}

TEST(Publish, MakesTablesOfWhatIsStored) {
  PublishWorld world;
  const Time now = world.store.clock.Now();
  world.Put(Film(
      550, R"("title":"Fight Club","credits":{"cast":[{"id":819,"name":"Edward Norton","order":0}]})", now));
  world.Put(Film(5000, R"("title":"Far off","release_date":"1999")", now));
  world.Put(Show(1399, "Game of Thrones", now));
  world.Put(Season(3624, 1399, 1, 2, now));
  world.Put(MakeDocument({MediaType::kConfiguration, 1}, R"({"genres":[{"id":18,"name":"Drama"}]})", now));
  world.Seal();
  const PublishReport report = world.Publish();
  EXPECT_TRUE(report.published);
  EXPECT_TRUE(report.built);
  EXPECT_EQ(report.generation, 1);
  EXPECT_EQ(report.records, 5);
  EXPECT_EQ(world.Ask("SELECT movie_id, title, release_date, version FROM {movies}"),
            "550 Fight Club NULL 1; 5000 Far off NULL 1");
  EXPECT_EQ(world.Ask("SELECT movie_id, position, name FROM {movie_cast}"), "550 0 Edward Norton");
  EXPECT_EQ(world.Ask("SELECT tv_id, season_number, episode_id, name FROM {episodes}"),
            "1399 1 362401 Episode 1; 1399 1 362402 Episode 2");
  EXPECT_EQ(world.Ask("SELECT * FROM {genres}"), "movie 18 Drama");
  EXPECT_EQ(world.Ask("SELECT record_type, id, path, value, reason FROM {rejects}"),
            R"(movie 5000 release_date "1999" no day of the calendar)");
  EXPECT_EQ(
      world.Ask("SELECT record_type, id, version, change, is_current, valid_to FROM {record_versions}"),
      "configuration 1 1 insert true NULL; movie 550 1 insert true NULL; movie 5000 1 insert true NULL; "
      "season 3624 1 insert true NULL; tv 1399 1 insert true NULL");
  EXPECT_EQ(
      world.Ask("SELECT record_type, sequence, rows_changed FROM {snapshots} WHERE record_type = 'season'"),
      "season 1 4");
  EXPECT_EQ(world.Ask("SELECT count(*) FROM {data_dictionary} WHERE table_name = 'movies' AND key_part"),
            "1");
  // Two films in files of their own, named by their ranges.
  const Manifest manifest = world.Newest();
  ASSERT_EQ(manifest.tables.at("movies").files.size(), 2u);
  EXPECT_EQ(manifest.tables.at("movies").files[0].path, "movies/0000000000-0000001023.000000001.parquet");
  EXPECT_EQ(manifest.tables.at("movies").files[1].first, 5000);
  EXPECT_EQ(manifest.tables.at("movies").delta_version, 0);
}

TEST(Publish, MakesATableOfTheGenresInEachLanguage) {
  PublishWorld world;
  const Time now = world.store.clock.Now();
  const auto put = [&](std::string_view path, std::string_view body) {
    world.Put(
        MakeDocument({MediaType::kConfiguration, ConfigurationId(path).value()}, std::string(body), now));
  };
  put("genre/movie/list", R"({"genres":[{"id":18,"name":"Drama"}]})");
  put("genre/movie/list?language=fr-FR", R"({"genres":[{"id":18,"name":"Drame"}]})");
  put("genre/tv/list?language=de-DE", R"({"genres":[{"id":37,"name":null}]})");
  world.Seal();
  world.Publish();
  EXPECT_EQ(world.Ask("SELECT * FROM {genre_translations}"), "movie fr-FR 18 Drame; tv de-DE 37 NULL");
  EXPECT_EQ(world.Ask("SELECT * FROM {genres}"), "movie 18 Drama");
}

TEST(Publish, OfAnEmptyStoreMakesNothing) {
  PublishWorld world;
  const PublishReport report = world.Publish();
  EXPECT_FALSE(report.published);
  EXPECT_EQ(report.generation, 0);
}

TEST(Publish, WritesNothingWhenNothingHasChanged) {
  PublishWorld world;
  world.Put(Movie(1, "A", 1, world.store.clock.Now()));
  world.Seal();
  world.Publish();
  int acts = 0;
  PublishOptions counting = world.options;
  counting.before = [&](std::string_view, const std::string&) -> Result<void> {
    ++acts;
    return {};
  };
  const PublishReport report = world.Publish(counting);
  EXPECT_FALSE(report.published);
  EXPECT_EQ(report.generation, 1);
  EXPECT_EQ(acts, 0);
}

TEST(Publish, ReplacesOnlyTheFilesWhoseRowsHaveChanged) {
  PublishWorld world;
  const Time now = world.store.clock.Now();
  world.Put(Film(1, R"("title":"A","genres":[{"id":18}])", now));
  world.Put(Film(5000, R"("title":"B","genres":[{"id":35}])", now));
  world.Seal();
  world.Publish();
  world.Put(Film(1, R"("title":"A again","genres":[{"id":18}])", now + hours(1)));
  world.Seal();
  world.Publish();
  const Manifest manifest = world.Newest();
  EXPECT_EQ(manifest.tables.at("movies").files[0].path, "movies/0000000000-0000001023.000000002.parquet");
  EXPECT_EQ(manifest.tables.at("movies").files[1].path, "movies/0000004096-0000005119.000000001.parquet");
  EXPECT_EQ(manifest.tables.at("movie_genres").files[0].path,
            "movie_genres/0000000000-0000001023.000000001.parquet");
  EXPECT_EQ(manifest.tables.at("movies").delta_version, 1);
  EXPECT_EQ(manifest.tables.at("movie_genres").delta_version, 0);
  EXPECT_EQ(world.Ask("SELECT movie_id, title, version FROM {movies}"), "1 A again 2; 5000 B 1");
}

TEST(Publish, AppliesThePatchesOfNumbersOnTheVersionTheyStandOn) {
  PublishWorld world;
  const Time now = world.store.clock.Now();
  world.Put(Movie(1, "A", 1, now));
  world.Put(Movie(2, "B", 1, now));
  world.Seal();
  world.Put(Movie(2, "B", 2, now + hours(1)));  // in the same publish as its version
  world.Seal();
  world.Publish();
  EXPECT_EQ(world.Ask("SELECT movie_id, popularity, version FROM {movies}"), "1 1.0 1; 2 2.0 1");
  world.Put(Movie(1, "A", 3, now + hours(2)));
  world.Put(Movie(2, "B", 4, now + hours(2)));
  world.Seal();
  world.Publish();
  EXPECT_EQ(world.Ask("SELECT movie_id, popularity, vote_count, version, fetched_at FROM {movies}"),
            "1 3.0 30 1 2026-11-22 02:00:00+00; 2 4.0 40 1 2026-11-22 02:00:00+00");
  EXPECT_EQ(world.Ask("SELECT count(*) FROM {record_versions}"), "2");
  EXPECT_EQ(world.PartsOfABuild(), PublishWorld::PartsOf(world.Newest()));
}

TEST(Publish, LeavesOfADeletedRecordItsHistoryAlone) {
  PublishWorld world;
  const Time now = world.store.clock.Now();
  world.Put(Film(1, R"("title":7,"new":1)", now));
  world.Put(Film(2, R"("title":"B","new":2)", now));
  world.Seal();
  world.Publish();
  EXPECT_EQ(world.Ask("SELECT * FROM {unknown_paths}"), "movie new 2 1");
  ASSERT_TRUE(world.store.store->writer->PutGone({kMovie, 1}, now + hours(1)));
  world.Seal();
  world.Publish();
  EXPECT_EQ(world.Ask("SELECT movie_id FROM {movies}"), "2");
  EXPECT_TRUE(world.Newest().tables.at("rejects").files.empty());
  EXPECT_EQ(world.Ask("SELECT * FROM {unknown_paths}"), "movie new 1 2");
  EXPECT_EQ(
      world.Ask(
          "SELECT version, change, status, valid_from, valid_to, is_current FROM {record_versions} WHERE id = 1"),
      "1 insert 200 2026-11-22 00:00:00+00 2026-11-22 01:00:00+00 false; "
      "2 delete 404 2026-11-22 01:00:00+00 NULL true");
  // The last film goes: its tables have no file.
  ASSERT_TRUE(world.store.store->writer->PutGone({kMovie, 2}, now + hours(2)));
  world.Seal();
  world.Publish();
  EXPECT_TRUE(world.Newest().tables.at("movies").files.empty());
  EXPECT_TRUE(world.Newest().tables.at("unknown_paths").files.empty());
}

TEST(Publish, FindsTheOldRowsOfASeasonThatMoved) {
  PublishWorld world;
  const Time now = world.store.clock.Now();
  world.Put(Season(7, 100, 1, 2, now));
  world.Put(Season(8, 100, 2, 1, now));
  world.Seal();
  world.Publish();
  world.Put(Season(7, 9000, 1, 1, now + hours(1)));
  world.Seal();
  world.Publish();
  EXPECT_EQ(world.Ask("SELECT season_id, tv_id FROM {seasons} ORDER BY 1"), "7 9000; 8 100");
  EXPECT_EQ(world.Ask("SELECT season_id, count(*) FROM {episodes} GROUP BY ALL ORDER BY 1"), "7 1; 8 1");
}

// Every byte of the folder.
bool Holds(const std::filesystem::path& root, std::string_view text) {
  for (const auto& entry : std::filesystem::recursive_directory_iterator(root)) {
    if (!entry.is_regular_file()) continue;
    std::ifstream file(entry.path(), std::ios::binary);
    std::stringstream bytes;
    bytes << file.rdbuf();
    if (bytes.str().find(text) != std::string::npos) return true;
  }
  return false;
}

TEST(Publish, KeepsNothingOfWhatWasPurgedBeyondADay) {
  PublishWorld world;
  const Time now = world.store.clock.Now();
  // So short that Parquet keeps it as it is.
  world.Put(Film(1, R"("title":"QuiteRare")", now));
  world.Put(Film(2, R"("title":"B")", now));
  world.Seal();
  world.Publish();
  EXPECT_TRUE(Holds(world.root, "QuiteRare"));
  ASSERT_TRUE(world.store.store->writer->PutPurge({kMovie, 1}, now + hours(1)));
  world.Seal();
  world.Publish();
  EXPECT_EQ(world.Ask("SELECT id, version, change FROM {record_versions} ORDER BY id"),
            "1 1 purge; 2 1 insert");
  EXPECT_TRUE(world.Newest().purged);
  EXPECT_TRUE(Holds(world.root, "QuiteRare"));  // for readers that are at it
  world.store.clock.Advance(hours(25));
  world.Publish();  // nothing is new, and yet it goes
  EXPECT_FALSE(Holds(world.root, "QuiteRare"));
  EXPECT_EQ(world.Ask("SELECT movie_id FROM {movies}"), "2");
}

TEST(Publish, KeepsTheGenerationBeforeForThoseWhoReadIt) {
  PublishWorld world;
  for (int day = 0; day < 4; ++day) {
    world.Put(Movie(1, fmt::format("Title {}", day), 1, world.store.clock.Now()));
    world.Seal();
    world.Publish();
    world.store.clock.Advance(hours(30));
  }
  std::vector<std::string> manifests;
  for (const auto& entry : std::filesystem::directory_iterator(world.root / "manifests"))
    manifests.push_back(entry.path().filename());
  std::ranges::sort(manifests);
  EXPECT_EQ(manifests, (std::vector<std::string>{"000000003.json", "000000004.json"}));
  for (const std::int64_t generation : {3, 4}) {
    PosixFileSystem files(world.root);
    const auto manifest = ReadManifest(files, generation);
    ASSERT_TRUE(manifest);
    for (const auto& [name, table] : manifest->tables) {
      for (const DataFile& file : table.files) EXPECT_TRUE(*files.Exists(file.path)) << file.path;
    }
  }
  EXPECT_EQ(std::filesystem::read_symlink(world.root / "latest"), "snapshots/000000004");
  EXPECT_TRUE(std::filesystem::exists(world.root / "latest/movies/0000000000-0000001023.000000004.parquet"));
}

TEST(Publish, MakesEverythingAnewWhenAFileIsMissing) {
  PublishWorld world;
  world.Put(Movie(1, "A", 1, world.store.clock.Now()));
  world.Put(Show(1399, "Game of Thrones", world.store.clock.Now()));
  world.Seal();
  world.Publish();
  const auto before = PublishWorld::PartsOf(world.Newest());
  world.Lose(world.Newest().tables.at("movies").files[0].path);
  const PublishReport report = world.Publish();
  EXPECT_TRUE(report.built);
  EXPECT_EQ(report.lost, std::vector<std::string>{"movies/0000000000-0000001023.000000001.parquet"});
  EXPECT_EQ(PublishWorld::PartsOf(world.Newest()), before);
  EXPECT_EQ(world.Newest().tables.at("movies").delta_version, 1);
  EXPECT_EQ(world.Ask("SELECT title FROM {movies}"), "A");
  EXPECT_EQ(world.Ask("SELECT DISTINCT generation FROM {snapshots} ORDER BY 1"), "1; 2");
  EXPECT_FALSE(world.Publish().published);
}

TEST(Publish, WritesLogsAndDocumentsBesideTheData) {
  PublishWorld world;
  world.Put(Movie(1, "A", 1, world.store.clock.Now()));
  world.Seal();
  world.Publish();
  for (const char* path :
       {"README.md", "views.sql", "dictionary.json", "croissant.json", "datapackage.json",
        "movies/_delta_log/00000000000000000000.json", "people/_delta_log/00000000000000000000.json"})
    EXPECT_TRUE(std::filesystem::exists(world.root / path)) << path;
}

// One with these lines, as the harvester keeps it.
void KeepExport(PublishWorld& world, std::string_view name, MediaType type, std::string_view day,
                std::string_view lines) {
  const auto date = ParseDate(day).value();
  const std::string path = KeptExportPath(name, date);
  world.store.files.Put(path, Gzip(lines));
  world.exports.push_back({std::string(name), type, date, path});
}

TEST(Publish, KeepsThePopularityOfEachDayThatAnExportHas) {
  PublishWorld world;
  world.Put(Movie(1, "A", 1, world.store.clock.Now()));
  world.Seal();
  KeepExport(
      world, "movie_ids", kMovie, "2026-11-29",
      "{\"id\":1,\"popularity\":61.416}\n{\"id\":2,\"popularity\":0.99}\nno line\n{\"id\":3,\"popularity\":1}\n");
  KeepExport(world, "movie_ids", kMovie, "2026-11-30", "{\"id\":1,\"popularity\":62.5}\n");
  world.Publish();
  EXPECT_EQ(world.Ask("SELECT * FROM {popularity_daily}"),
            "movie 1 2026-11-29 61.416; movie 1 2026-11-30 62.5; movie 3 2026-11-29 1.0");
  EXPECT_FALSE(world.Publish().published);
  // The first is no longer kept; a new month; the adult titles of the same day.
  world.exports.erase(world.exports.begin());
  KeepExport(world, "movie_ids", kMovie, "2026-12-01",
             "{\"id\":1,\"popularity\":7}\n{\"id\":9,\"popularity\":2}\n");
  KeepExport(world, "adult_movie_ids", kMovie, "2026-12-01", "{\"id\":9,\"popularity\":2}\n");
  EXPECT_TRUE(world.Publish().published);
  EXPECT_EQ(
      world.Ask("SELECT id, day, popularity FROM {popularity_daily} WHERE day > '2026-11-29' ORDER BY 2, 1"),
      "1 2026-11-30 62.5; 1 2026-12-01 7.0; 9 2026-12-01 2.0");
  EXPECT_EQ(world.Newest().tables.at("popularity_daily").files.size(), 2u);
  // A build has no other source for the days that are past.
  PublishOptions again = world.options;
  again.rebuild = true;
  world.Publish(again);
  EXPECT_EQ(world.Ask("SELECT count(*) FROM {popularity_daily}"), "5");
}

constexpr std::string_view kFirstSegment = "records/movie/000/000/001.jsonl.zst";

// What of a segment's one frame says `from` says `to` from now on, as a program with a fault would have written it.
void Rewrite(PublishWorld& world, std::string_view segment, std::string_view from, std::string_view to) {
  const std::string path(segment);
  const auto size = world.store.files.Size(path);
  ASSERT_TRUE(size) << size.error().message;
  auto text = ZstdUnframe(world.store.files.Read(path, 0, *size).value(), 1 << 20);
  ASSERT_TRUE(text) << text.error().message;
  const auto at = text->find(from);
  ASSERT_NE(at, std::string::npos);
  text->replace(at, from.size(), to);
  const std::string frame = ZstdFrame(*text);
  world.store.files.Put(path, frame);
  ASSERT_TRUE(world.store.catalog.Execute(
      fmt::format("UPDATE store_segments SET bytes = {} WHERE type = 1 AND number = 1", frame.size())));
}

TEST(Publish, KeepsTheRowsOfARecordWhoseBodyIsDamaged) {
  PublishWorld world;
  const Time now = world.store.clock.Now();
  world.Put(Movie(1, "A", 1, now));
  world.Put(Movie(2, "B", 1, now));
  world.Seal();
  world.Publish();
  world.Put(Movie(1, "A", 3, now + hours(1)));  // a patch: its body is in the first segment
  world.Put(Movie(2, "B again", 1, now + hours(1)));
  world.Seal();
  world.store.files.FlipBit(std::string(kFirstSegment), 40, 1);
  const PublishReport report = world.Publish();
  ASSERT_EQ(report.damages.size(), 1u);
  EXPECT_TRUE(
      report.damages[0].starts_with("movie:1 (up to segment 2) is damaged: its version 1 cannot be read"))
      << report.damages[0];
  EXPECT_EQ(world.Ask("SELECT movie_id, title, popularity, version FROM {movies}"),
            "1 A 1.0 1; 2 B again 1.0 2");
  EXPECT_EQ(world.Ask("SELECT id, version, is_current FROM {record_versions}"),
            "1 1 true; 2 1 false; 2 2 true");
  // Fetched again it is whole.
  world.Put(Movie(1, "A again", 4, now + hours(2)));
  world.Seal();
  EXPECT_TRUE(world.Publish().damages.empty());
  EXPECT_EQ(world.Ask("SELECT movie_id, title, version FROM {movies}"), "1 A again 2; 2 B again 2");
}

TEST(Publish, GoesOnBehindALineThatIsNone) {
  PublishWorld world;
  const Time now = world.store.clock.Now();
  world.Put(Film(1, R"("title":"A")", now));
  world.Put(Film(2, R"("title":"B")", now));
  world.Seal();
  Rewrite(world, kFirstSegment, R"("change":"insert")", R"("change":"invert")");
  const PublishReport report = world.Publish();
  ASSERT_EQ(report.damages.size(), 1u);
  EXPECT_TRUE(report.damages[0].starts_with("a line of movie segment 1 is damaged: ")) << report.damages[0];
  EXPECT_EQ(world.Ask("SELECT movie_id, title FROM {movies}"), "2 B");
  EXPECT_FALSE(world.Publish().published);
}

TEST(Publish, GoesOnBehindABodyThatIsNoJson) {
  PublishWorld world;
  const Time now = world.store.clock.Now();
  world.Put(Film(1, R"("title":"A")", now));
  world.Put(Film(2, R"("title":"B")", now));
  world.Seal();
  Rewrite(world, kFirstSegment, R"("title":"A")", R"("title";"A")");
  const PublishReport report = world.Publish();
  ASSERT_EQ(report.damages.size(), 1u);
  EXPECT_TRUE(report.damages[0].starts_with("movie:1 (up to segment 1) is damaged: ")) << report.damages[0];
  EXPECT_EQ(world.Ask("SELECT movie_id, title FROM {movies}"), "2 B");
}

TEST(Publish, GoesOnBehindAnExportThatIsCut) {
  PublishWorld world;
  world.Put(Movie(1, "A", 1, world.store.clock.Now()));
  world.Seal();
  KeepExport(world, "movie_ids", kMovie, "2026-11-29", "{\"id\":1,\"popularity\":5}\n");
  KeepExport(world, "movie_ids", kMovie, "2026-11-30", "{\"id\":1,\"popularity\":6}\n");
  const std::string cut = world.exports[0].path;
  const auto size = world.store.files.Size(cut);
  world.store.files.Put(cut, world.store.files.Read(cut, 0, *size - 6).value());
  const PublishReport report = world.Publish();
  ASSERT_EQ(report.damages.size(), 1u);
  EXPECT_TRUE(report.damages[0].starts_with(cut + " is damaged: gunzip")) << report.damages[0];
  EXPECT_EQ(world.Ask("SELECT id, day, popularity FROM {popularity_daily}"), "1 2026-11-30 6.0");
  EXPECT_EQ(world.Ask("SELECT title FROM {movies}"), "A");
}

// The bytes of a file are others, as many as before.
void Rot(const std::filesystem::path& path) {
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  ASSERT_TRUE(file) << path;
  const auto middle = std::streamoff(std::filesystem::file_size(path) / 2);
  file.seekg(middle);
  const char byte = char(file.get() ^ 1);
  file.seekp(middle);
  file.put(byte);
}

std::string OnlyFile(PublishWorld& world, std::string_view table) {
  const Manifest manifest = world.Newest();
  const auto& files = manifest.tables.find(table)->second.files;
  EXPECT_EQ(files.size(), 1u);
  return files.at(0).path;
}

TEST(Publish, FinishesTheGenerationBeforeThoughAFileOfItIsMissing) {
  PublishWorld world;
  world.Put(Movie(1, "A", 1, world.store.clock.Now()));
  world.Seal();
  world.Publish();
  world.Put(Movie(1, "A again", 1, world.store.clock.Now() + hours(1)));
  world.Seal();
  PublishOptions dying = world.options;
  dying.before = [](std::string_view, const std::string& path) -> Result<void> {
    if (path.contains("_delta_log")) return Fail(ErrorCode::kInternal, "killed");
    return {};
  };
  ASSERT_FALSE(world.TryPublish(dying));
  const std::string lost = OnlyFile(world, "movies");
  EXPECT_EQ(lost, "movies/0000000000-0000001023.000000002.parquet");
  std::filesystem::remove(world.root / lost);  // the one name that it has
  EXPECT_EQ(world.Publish().lost, std::vector<std::string>{lost});
  world.ExpectLogsOfTheManifest();
  EXPECT_EQ(world.Ask("SELECT title FROM {movies}"), "A again");
}

TEST(Publish, TakesKeptExportsInAgainWhenTheDaysOfAMonthAreLost) {
  for (const bool rots : {false, true}) {
    PublishWorld world;
    world.Put(Movie(1, "A", 1, world.store.clock.Now()));
    world.Seal();
    KeepExport(world, "movie_ids", kMovie, "2026-11-29", "{\"id\":1,\"popularity\":5}\n");
    KeepExport(world, "movie_ids", kMovie, "2026-11-30", "{\"id\":1,\"popularity\":6}\n");
    world.Publish();
    world.exports.erase(world.exports.begin());  // it is kept no longer
    const std::string days = OnlyFile(world, "popularity_daily"), snapshots = OnlyFile(world, "snapshots");
    PublishOptions options = world.options;
    options.rebuild = rots;
    for (const std::string& path : {days, snapshots}) {
      if (rots) {
        Rot(world.root / path);
      } else {
        world.Lose(path);
      }
    }
    const PublishReport report = world.Publish(options);
    EXPECT_EQ(report.built, rots);
    EXPECT_TRUE(report.lost.empty());
    EXPECT_EQ(
        report.gone,
        (std::vector<std::string>{
            days + " was lost, and the days without a kept export with it; taken in again: 2026-11-30",
            snapshots + " was lost, and with it what was taken in when"}));
    EXPECT_EQ(world.Ask("SELECT id, day, popularity FROM {popularity_daily}"), "1 2026-11-30 6.0");
    world.ExpectLogsOfTheManifest();
    EXPECT_FALSE(world.Publish().published);
  }
}

TEST(Publish, TakesNoRowFromAFileWhoseBytesAreOthers) {
  PublishWorld world;
  world.Put(Movie(1, "A", 1, world.store.clock.Now()));
  world.Seal();
  world.Publish();
  const std::string old = OnlyFile(world, "movies");
  Rot(world.root / old);
  world.Put(Movie(2, "B", 1, world.store.clock.Now()));
  world.Seal();
  const PublishReport report = world.Publish();
  EXPECT_TRUE(report.built);
  EXPECT_EQ(report.lost, std::vector<std::string>{old});
  EXPECT_EQ(report.records, 2);
  EXPECT_EQ(world.Ask("SELECT movie_id, title FROM {movies}"), "1 A; 2 B");
  EXPECT_EQ(PublishWorld::PartsOf(world.Newest()), world.PartsOfABuild());
  world.ExpectLogsOfTheManifest();
}

TEST(Publish, OfAFeedThatOnlyVerifiesMakesNothing) {
  PublishWorld world;
  world.Put(Movie(1, "A", 1, world.store.clock.Now()));
  world.Seal();
  world.Publish();
  world.Put(Movie(1, "A", 1, world.store.clock.Now() + hours(1)));
  world.Seal();
  ASSERT_EQ(world.store.store->feed.NewestSequence(kMovie).value(), 2);
  EXPECT_FALSE(world.Publish().published);
  EXPECT_EQ(world.Newest().generation, 1);
  world.Put(Movie(1, "A again", 1, world.store.clock.Now() + hours(2)));
  world.Seal();
  EXPECT_EQ(world.Publish().generation, 2);
  EXPECT_EQ(world.Ask("SELECT title FROM {movies}"), "A again");
}

TEST(Publish, OneProcessAtATime) {
  PublishWorld world;
  world.Put(Movie(1, "A", 1, world.store.clock.Now()));
  world.Seal();
  const auto other = TableFolder::Open(world.root);
  ASSERT_TRUE(other);
  const auto report = world.TryPublish(world.options);
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().code, ErrorCode::kBusy);
}

TEST(Publish, StopsWhenAskedAndHasChangedNothing) {
  PublishWorld world;
  world.Put(Movie(1, "A", 1, world.store.clock.Now()));
  world.Seal();
  world.stop.Request();
  const auto report = world.TryPublish(world.options);
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().code, ErrorCode::kUnavailable);
  EXPECT_FALSE(std::filesystem::exists(world.root / "manifests"));
}

TEST(Publish, RefusesTablesOfALaterProgram) {
  PublishWorld world;
  world.Put(Movie(1, "A", 1, world.store.clock.Now()));
  world.Seal();
  std::filesystem::create_directories(world.root / "manifests");
  std::ofstream(world.root / "manifests/000000001.json") << R"({"format":2})";
  const auto report = world.TryPublish(world.options);
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().code, ErrorCode::kInvalid);
}

// Two stores with one past. The second was put back from an old copy and has grown since, beyond where the tables of
// the first one ended.
struct PutBack {
  PublishWorld lost, store;

  template <class Do>
  void Both(const Do& act) {
    for (PublishWorld* world : {&lost, &store}) {
      act(*world);
      world->Seal();
      world->store.clock.Advance(hours(1));
    }
  }
  // Of the tables that `lost` has made.
  PublishReport GoOn() {
    std::filesystem::remove_all(store.root);
    std::filesystem::rename(lost.root, store.root);
    return store.Publish();
  }
};

TEST(Publish, AStoreThatWasPutBackAndHasGrownBeyondItIsNoticed) {
  const auto now = [](PublishWorld& world) { return world.store.clock.Now(); };
  using Act = std::function<void(PublishWorld&)>;
  struct Case {
    const char* what;
    Act was_lost, came_instead;
  };
  const Case cases[] = {
      {"a new film that never came back", [&](PublishWorld& world) { world.Put(Movie(9, "Lost", 1, now(world))); },
       [&](PublishWorld& world) { world.Put(Movie(3, "C", 1, now(world))); }},
      {"a new film that was fetched again", [&](PublishWorld& world) { world.Put(Movie(9, "Lost", 1, now(world))); },
       [&](PublishWorld& world) { world.Put(Movie(9, "Found", 1, now(world) + hours(1))); }},
      {"another version", [&](PublishWorld& world) { world.Put(Movie(1, "Lost", 1, now(world))); },
       [&](PublishWorld& world) { world.Put(Movie(1, "A again", 1, now(world) + hours(1))); }},
      {"a version that never came back", [&](PublishWorld& world) { world.Put(Movie(1, "Lost", 1, now(world))); },
       [&](PublishWorld& world) { world.Put(Movie(3, "C", 1, now(world))); }},
      {"numbers alone", [&](PublishWorld& world) { world.Put(Movie(1, "A", 7, now(world))); },
       [&](PublishWorld& world) { world.Put(Movie(3, "C", 1, now(world))); }},
      {"a deletion",
       [&](PublishWorld& world) { EXPECT_TRUE(world.store.store->writer->PutGone({kMovie, 1}, now(world))); },
       [&](PublishWorld& world) { world.Put(Movie(3, "C", 1, now(world))); }},
  };
  for (const Case& one : cases) {
    SCOPED_TRACE(one.what);
    PutBack worlds;
    worlds.Both([&](PublishWorld& world) {
      world.Put(Movie(1, "A", 1, now(world)));
      world.Put(Movie(2000, "B", 1, now(world)));
    });
    one.was_lost(worlds.lost);
    worlds.lost.Seal();
    worlds.lost.Publish();
    one.came_instead(worlds.store);
    worlds.store.Seal();
    worlds.store.Put(Movie(4, "D", 1, now(worlds.store) + hours(2)));
    worlds.store.Seal();
    const PublishReport report = worlds.GoOn();
    EXPECT_TRUE(report.other_past);
    EXPECT_TRUE(report.built);
    EXPECT_EQ(PublishWorld::PartsOf(worlds.store.Newest()), worlds.store.PartsOfABuild());
    EXPECT_FALSE(worlds.store.Publish().published) << "once";
  }
}

TEST(Publish, AStoreThatOnlyWentOnIsNotMadeAgain) {
  PutBack worlds;
  worlds.Both([&](PublishWorld& world) { world.Put(Movie(1, "A", 1, world.store.clock.Now())); });
  worlds.lost.Publish();
  // Put back from a copy that has all that the tables have.
  worlds.store.Put(Movie(1, "A", 7, worlds.store.store.clock.Now()));
  worlds.store.Seal();
  const PublishReport report = worlds.GoOn();
  EXPECT_FALSE(report.built);
  EXPECT_EQ(worlds.store.Ask("SELECT popularity FROM {movies}"), "7.0");
}

TEST(Publish, ATableThatHasOutgrownItsFilesIsCutAnew) {
  PublishWorld world;
  world.options.sizes.file_bytes = 200'000;
  const auto films = [&](std::int64_t first, std::int64_t last, std::size_t length = 4000) {
    for (std::int64_t id = first; id <= last; ++id) {
      // Nothing that packs well.
      std::string text;
      for (std::uint64_t i = std::uint64_t(id); text.size() < length; i = i * 6364136223846793005u + 1442695040888963407u)
        text += fmt::format("{:x}", i);
      world.Put(Film(id * 20, fmt::format(R"("title":"{}")", text), world.store.clock.Now()));
    }
    world.Seal();
    world.store.clock.Advance(hours(1));
  };
  films(1, 3, 100);
  world.Publish();
  const auto width = [&] { return world.Newest().tables.at("movies").width; };
  const std::int64_t wide = width();
  EXPECT_GE(wide, 16 << 10);
  films(4, 60);
  EXPECT_FALSE(world.Publish().built) << "one file of some size";
  films(61, 600);
  EXPECT_FALSE(world.Publish().built) << "it is seen by the next";
  ASSERT_GT(world.Newest().tables.at("movies").files[0].bytes, 800'000);
  EXPECT_FALSE(world.Publish().published) << "that has something to publish";
  films(601, 601);
  EXPECT_TRUE(world.Publish().built);
  EXPECT_LT(width(), wide);
  EXPECT_GT(world.Newest().tables.at("movies").files.size(), 3u);
  EXPECT_EQ(PublishWorld::PartsOf(world.Newest()), world.PartsOfABuild());
  films(602, 603);
  EXPECT_FALSE(world.Publish().built) << "once";
  EXPECT_EQ(PublishWorld::PartsOf(world.Newest()), world.PartsOfABuild());
}

// A mirror's life: edits, numbers, deletions, returns, seasons that move, purges, compaction.
class Life {
 public:
  explicit Life(PublishWorld& world, std::uint64_t seed) : world_(world), random_(seed) {}

  void Day() {
    auto& writer = *world_.store.store->writer;
    for (int i = 0; i < 25; ++i) {
      const Time now = world_.store.clock.Now();
      const std::int64_t id = 1 + Below(40) * 131;  // over five ranges
      switch (Below(10)) {
        case 0:
          ASSERT_TRUE(writer.PutGone({kMovie, id}, now));
          break;
        case 1:
          world_.Put(Season(id, 1 + Below(3) * 2000, 1 + Below(3), int(Below(4)), now));
          break;
        case 2:
          ASSERT_TRUE(writer.PutGone({MediaType::kSeason, id}, now));
          break;
        case 3:
          // Only what is live is purged.
          if (writer.IsLive({kMovie, id}).value()) {
            ASSERT_TRUE(writer.PutPurge({kMovie, id}, now));
          }
          break;
        case 4:
          world_.Put(MakeDocument({MediaType::kConfiguration, 1 + Below(2)},
                                  fmt::format(R"({{"genres":[{{"id":{},"name":"G"}}],"odd":1}})", Below(5)),
                                  now));
          break;
        default:
          world_.Put(AnyFilm(id, now));
      }
      world_.store.clock.Advance(std::chrono::minutes(7));
      if (Below(12) == 0) world_.Seal();
    }
    world_.Seal();
    if (Below(3) == 0) {
      for (const MediaType type : {kMovie, MediaType::kSeason}) {
        const auto done = world_.store.store->Compact(type, {});
        ASSERT_TRUE(done) << done.error().message;
      }
    }
    world_.store.clock.Advance(hours(21));
  }

 private:
  std::int64_t Below(std::int64_t limit) { return std::int64_t(random_() % std::uint64_t(limit)); }

  Document AnyFilm(std::int64_t id, Time now) {
    std::string genres, cast;
    for (std::int64_t i = Below(4); i > 0; --i)
      genres += fmt::format(R"({}{{"id":{}}})", genres.empty() ? "" : ",", i);
    for (std::int64_t i = Below(3); i > 0; --i)
      cast += fmt::format(R"({}{{"id":{},"name":"P{}"}})", cast.empty() ? "" : ",", Below(9), i);
    constexpr std::string_view kOdd[] = {"", R"("budget":"odd",)", R"("new_member":1,)"};
    return Film(
        id,
        fmt::format(
            R"({}"title":"T{}","overview":"{}","popularity":{},"genres":[{}],"credits":{{"cast":[{}]}})",
            kOdd[Below(3)], Below(3), testing::kOverview, Below(100), genres, cast),
        now);
  }

  PublishWorld& world_;
  std::mt19937_64 random_;
};

class PublishLife : public ::testing::TestWithParam<std::uint64_t> {};

TEST_P(PublishLife, MakesTheBytesThatABuildWouldMake) {
  PublishWorld world;
  Life life(world, GetParam());
  for (int day = 0; day < 20; ++day) {
    life.Day();
    if (day % 2 == 0) {
      EXPECT_EQ(world.Publish().built, day == 0) << "day " << day;
    }
    if (day % 6 == 0) {
      ASSERT_EQ(PublishWorld::PartsOf(world.Newest()), world.PartsOfABuild()) << "day " << day;
    }
  }
  world.Publish();
  EXPECT_EQ(PublishWorld::PartsOf(world.Newest()), world.PartsOfABuild());
  EXPECT_GT(PublishWorld::PartsOf(world.Newest()).size(), 15u);
  // The same when it is asked for over the old ones.
  const auto before = PublishWorld::PartsOf(world.Newest());
  PublishOptions again = world.options;
  again.rebuild = true;
  EXPECT_TRUE(world.Publish(again).built);
  EXPECT_EQ(PublishWorld::PartsOf(world.Newest()), before);
}

INSTANTIATE_TEST_SUITE_P(Seeds, PublishLife, ::testing::Values(1, 2));

// Whatever is there is one generation, whole: by the hint, by `latest`, to the byte.
void ExpectWhole(PublishWorld& world) {
  PosixFileSystem files(world.root);
  const auto hint = files.Read("manifest.json", 0, 1000);
  ASSERT_TRUE(hint);
  const auto generation = ParseHint(*hint);
  ASSERT_TRUE(generation);
  const auto manifest = ReadManifest(files, *generation);
  ASSERT_TRUE(manifest) << manifest.error().message;
  std::size_t named = 0;
  for (const auto& [name, table] : manifest->tables) {
    for (const DataFile& file : table.files) {
      const auto bytes = files.Read(file.path, 0, 1 << 30);
      ASSERT_TRUE(bytes) << bytes.error().message;
      EXPECT_EQ(Sha256Hex(*bytes), file.sha256) << file.path;
      ++named;
    }
  }
  std::size_t linked = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(world.root / "latest/"))
    linked += entry.is_regular_file();
  const std::string latest = std::filesystem::read_symlink(world.root / "latest").filename();
  const auto shown = ParseManifestName(latest + ".json");
  ASSERT_TRUE(shown);
  EXPECT_TRUE(*shown == *generation || *shown == *generation + 1) << latest;
  if (*shown == *generation) {
    EXPECT_EQ(linked, named);
  }
}

TEST(Publish, KilledAtAnyStepLeavesOneGenerationWholeAndTheNextOneMakesUpForIt) {
  namespace fs = std::filesystem;
  PublishWorld world;
  const Time now = world.store.clock.Now();
  world.Put(Film(1, R"("title":"A","genres":[{"id":18}])", now));
  world.Put(Film(2000, R"("title":"B")", now));
  world.Seal();
  world.Publish();
  const fs::path first = world.root.string() + "_first";
  fs::remove_all(first);
  fs::copy(world.root, first, fs::copy_options::recursive | fs::copy_options::copy_symlinks);
  world.store.clock.Advance(hours(48));
  world.Put(Film(1, R"("title":"A again","genres":[{"id":35},{"id":18}])", now + hours(48)));
  world.Put(Film(3000, R"("title":"C")", now + hours(48)));
  world.Seal();
  const auto expected = world.PartsOfABuild();
  for (int dies_at = 1;; dies_at += dies_at < 40 ? 1 : 7) {
    fs::remove_all(world.root);
    fs::copy(first, world.root, fs::copy_options::recursive | fs::copy_options::copy_symlinks);
    int acts = 0;
    PublishOptions dying = world.options;
    dying.before = [&](std::string_view, const std::string&) -> Result<void> {
      if (++acts >= dies_at) return Fail(ErrorCode::kInternal, "killed");
      return {};
    };
    const auto died = world.TryPublish(dying);
    ASSERT_NO_FATAL_FAILURE(ExpectWhole(world)) << "at step " << dies_at;
    // Killed again where it is taken up.
    acts = 0;
    const auto died_again = world.TryPublish(dying);
    ASSERT_NO_FATAL_FAILURE(ExpectWhole(world)) << "at step " << dies_at;
    world.Publish();
    ASSERT_NO_FATAL_FAILURE(ExpectWhole(world)) << "at step " << dies_at;
    const auto parts = PublishWorld::PartsOf(world.Newest());
    ASSERT_EQ(parts, expected) << "at step " << dies_at;
    // Nothing is left of what was tried.
    std::set<std::string> named;
    for (const auto& entry : std::filesystem::directory_iterator(world.root / "manifests")) {
      PosixFileSystem files(world.root);
      const auto manifest = ReadManifest(files, *ParseManifestName(entry.path().filename().string()));
      for (const auto& [name, table] : manifest->tables) {
        for (const DataFile& file : table.files) named.insert(file.path);
      }
    }
    for (const auto& entry : std::filesystem::recursive_directory_iterator(world.root)) {
      const std::string path = std::filesystem::relative(entry.path(), world.root);
      if (entry.is_regular_file() && path.ends_with(".parquet") && std::ranges::count(path, '/') == 1) {
        EXPECT_TRUE(named.contains(path)) << path << " at step " << dies_at;
      }
    }
    if (died) {
      EXPECT_GT(dies_at, 60);
      break;
    }
  }
  fs::remove_all(first);
}

}  // namespace
}  // namespace tmdbc::tables
