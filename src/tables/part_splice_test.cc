// SPDX-License-Identifier: MIT
#include "tables/part_splice.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <random>
#include <set>

#include "duckdb/database.h"
#include "tables/scratch.h"
#include "testing/duckdb_library.h"

namespace tmdbc::tables {
namespace {

namespace fs = std::filesystem;

// The table movie_release_dates: texts, integers, a time, NULLs. By film, the rows that it has.
using Catalogue = std::map<std::int64_t, std::vector<std::string>>;

const Table& Releases() {
  return Tables()[FindTable("movie_release_dates").value()];
}

class SpliceWorld {
 public:
  SpliceWorld() : folder_(fs::path(::testing::TempDir()) / fmt::format("splice_{}", ::getpid())) {
    fs::remove_all(folder_);
    fs::create_directories(folder_);
  }
  ~SpliceWorld() { fs::remove_all(folder_); }

  std::string Path(const std::string& name) const { return folder_ / name; }
  std::string Bytes(const std::string& name) const {
    std::ifstream file(Path(name), std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  // What of `films` is in `changed`, put into the file `old` (empty: there is none).
  PageFileWriter::Finished Splice(const std::string& name, const std::string& old, const Catalogue& films,
                                  const std::vector<std::pair<std::int64_t, std::int64_t>>& changed) {
    std::optional<PageFile> before;
    if (!old.empty()) before.emplace(PageFile::Open(Releases(), Path(old)).value());
    const ChangedIds ids(changed);
    PartSplice splice(Releases(), Path(name), sizes, std::move(before), ids);
    for (const auto& [id, one] : changed) {
      RecordRows rows(Releases());
      if (const auto film = films.find(id); film != films.end()) Put(rows, id, film->second);
      for (const auto& record : rows.Records()) {
        const auto added = splice.Add(rows, record);
        EXPECT_TRUE(added) << added.error().message;
      }
    }
    const auto finished = splice.Finish();
    EXPECT_TRUE(finished) << finished.error().message;
    return finished.value_or(PageFileWriter::Finished{});
  }
  PageFileWriter::Finished Build(const std::string& name, const Catalogue& films) {
    std::vector<std::pair<std::int64_t, std::int64_t>> all;
    for (const auto& [id, rows] : films) all.emplace_back(id, 0);
    return Splice(name, "", films, all);
  }

  PageSizes sizes{.page_rows = 16, .group_rows = 100};

 private:
  static void Put(RecordRows& rows, std::int64_t id, const std::vector<std::string>& texts) {
    std::vector<Cell> cells(Releases().columns.size());
    for (std::size_t i = 0; i < texts.size(); ++i) {
      for (std::size_t column = 0; column < cells.size(); ++column) {
        const auto type = Releases().columns[column].type;
        cells[column] = type == ColumnType::kText ? TextCell(texts[i]) : NumberCell(std::int64_t(texts[i].size()));
        if ((std::int64_t(column) + id) % 5 == 0) cells[column] = {};
      }
      cells[Releases().Find("movie_id").value()] = NumberCell(id);
      cells[Releases().Find("position").value()] = NumberCell(std::int64_t(i));
      EXPECT_TRUE(rows.Row(cells));
    }
  }

  const fs::path folder_;
};

std::vector<std::string> SomeTexts(std::mt19937_64& random) {
  std::vector<std::string> texts;
  for (auto i = random() % 6; i > 0; --i)
    texts.push_back(random() % 3 == 0 ? fmt::format("text {}", random()) : fmt::format("few {}", random() % 4));
  return texts;
}

// Days of edits, arrivals and departures: each file is, to the byte, what a build of the same films makes.
TEST(PartSplice, MakesTheBytesThatABuildWouldMake) {
  SpliceWorld world;
  std::mt19937_64 random(7);
  Catalogue films;
  for (std::int64_t id = 1; id < 400; ++id) films[3 * id] = SomeTexts(random);
  world.Build("0", films);
  for (int day = 1; day <= 30; ++day) {
    std::map<std::int64_t, std::int64_t> changed;
    for (int i = 0; i < 6; ++i) {
      const auto id = std::int64_t(random() % 1400);
      changed[id] = 0;
      films[id] = SomeTexts(random);
      if (random() % 3 == 0) films.erase(id);
    }
    const auto name = std::to_string(day);
    world.Splice(name, std::to_string(day - 1), films, {changed.begin(), changed.end()});
    world.Build("fresh", films);
    ASSERT_EQ(world.Bytes(name), world.Bytes("fresh")) << "day " << day;
  }
}

TEST(PartSplice, TakesOverThePagesInWhichNothingChanged) {
  SpliceWorld world;
  std::mt19937_64 random(7);
  Catalogue films;
  for (std::int64_t id = 1; id < 1000; ++id) films[id] = {"one", "two", fmt::format("{}", random())};
  world.Build("old", films);
  films[500] = {"one", "another", "three", "four"};
  const auto finished = world.Splice("new", "old", films, {{500, 0}});
  EXPECT_EQ(finished.rows, 3 * 999 + 1);
  std::map<std::string, int> before;
  auto old = PageFile::Open(Releases(), world.Path("old")).value();
  auto now = PageFile::Open(Releases(), world.Path("new")).value();
  const auto text = Releases().Find("note").value();
  for (const auto& group : old.groups()) {
    for (const auto& page : group.chunks[text].pages) ++before[std::string(old.Raw(page))];
  }
  int pages = 0, others = 0;
  for (const auto& group : now.groups()) {
    for (const auto& page : group.chunks[text].pages) {
      ++pages;
      others += !before.contains(std::string(now.Raw(page)));
    }
  }
  EXPECT_GT(pages, 100);
  EXPECT_LE(others, 3);
}

// Spark reads other values where a page in codes follows a plain one of its column and row group.
TEST(PartSplice, WritesAColumnOfARowGroupAllInCodesOrAllPlain) {
  SpliceWorld world;
  Catalogue few, mixed;
  for (std::int64_t id = 1; id < 60; ++id) {
    few[id] = {"one", "one", "two"};
    mixed[id] = id < 20 ? std::vector<std::string>{fmt::format("a {}", id), fmt::format("bb {}", id)} : few[id];
  }
  const auto kinds = [&](const std::string& name) {
    std::set<PageKind> found;
    const PageFile file = PageFile::Open(Releases(), world.Path(name)).value();
    for (const GroupPlaces& group : file.groups()) {
      for (const ChunkPlaces& chunk : group.chunks) {
        for (const PagePlace& page : chunk.pages) {
          found.insert(page.kind);
          EXPECT_EQ(page.kind == PageKind::kCodes, chunk.dictionary.has_value());
        }
      }
    }
    return found;
  };
  world.Build("mixed", mixed);
  EXPECT_TRUE(kinds("mixed").contains(PageKind::kFew));
  std::vector<std::pair<std::int64_t, std::int64_t>> changed;
  for (std::int64_t id = 1; id < 20; ++id) changed.emplace_back(id, 0);
  world.Build("few", few);
  world.Splice("mended", "mixed", few, changed);
  kinds("mended");
  EXPECT_EQ(world.Bytes("mended"), world.Bytes("few"));
  world.Splice("mixed again", "few", mixed, changed);
  EXPECT_EQ(world.Bytes("mixed again"), world.Bytes("mixed"));
}

TEST(PartSplice, OfWhatComesOutTheSameMakesNoFile) {
  SpliceWorld world;
  std::mt19937_64 random(7);
  Catalogue films;
  for (std::int64_t id = 1; id < 300; ++id) films[id] = SomeTexts(random);
  world.Build("old", films);
  EXPECT_TRUE(world.Splice("new", "old", films, {{2, 0}, {250, 0}, {999, 0}}).is_old);
  EXPECT_FALSE(fs::exists(world.Path("new")));
}

TEST(PartSplice, OfAPartWithoutRowsMakesNoFile) {
  SpliceWorld world;
  world.Build("old", {{1, {"a"}}});
  EXPECT_EQ(world.Splice("new", "old", {}, {{1, 0}}).rows, 0);
  EXPECT_FALSE(fs::exists(world.Path("new")));
}

// Through another reader: every cell, and what the statistics say of them.
TEST(PartSplice, WritesWhatDuckdbReads) {
  SpliceWorld world;
  Catalogue films;
  for (std::int64_t id = 1; id < 3000; ++id)
    films[id] = {fmt::format("note {}", id), id % 2 == 0 ? "even" : "odd", std::string(std::size_t(id % 90), 'x')};
  world.Build("file", films);
  auto database = duckdb::Database::Open(testing::Duckdb(), {}).value();
  auto connection = database.Connect().value();
  const auto ask = [&](const std::string& sql) {
    const auto number = connection.QueryNumber(fmt::format(fmt::runtime(sql), duckdb::Quoted(world.Path("file"))));
    EXPECT_TRUE(number) << number.error().message;
    return number.value_or(-1);
  };
  EXPECT_EQ(ask("SELECT count(*) FROM read_parquet({})"), 3 * 2999);
  EXPECT_EQ(ask("SELECT sum(movie_id) FROM read_parquet({})"), 3 * 2999 * 3000 / 2);
  std::int64_t nulls = 0, length = 0;
  const auto note = std::int64_t(Releases().Find("note").value());
  for (const auto& [id, texts] : films) {
    for (const auto& text : texts) {
      const bool null = (note + id) % 5 == 0;
      nulls += null;
      length += null ? 0 : std::int64_t(text.size());
    }
  }
  EXPECT_EQ(ask("SELECT count(*) - count(note) FROM read_parquet({})"), nulls);
  EXPECT_EQ(ask("SELECT sum(length(note)) FROM read_parquet({})"), length);
  EXPECT_EQ(ask("SELECT count(*) FROM read_parquet({}) WHERE movie_id = 2718"), 3);
  EXPECT_EQ(ask("SELECT count(*) FROM read_parquet({}) WHERE movie_id > 2990 AND note = 'even'"),
            ask("SELECT count(*) FROM read_parquet({}) WHERE movie_id + 0 > 2990 AND note || '' = 'even'"));
}

// A cell of a column that goes through all NULL, one value, a few, runs of them, and mostly others, some of them long.
Cell SomeCell(ColumnType type, std::size_t row, std::mt19937_64& random, std::string& text) {
  const std::size_t shape = row / 700 % 6;
  if (shape == 0 || random() % 7 == 0) return {};
  const auto number = shape == 1   ? 5
                      : shape == 2 ? std::int64_t(random() % 20) - 10
                      : shape == 3 ? std::int64_t(row / 37)
                                   : std::int64_t(random());
  switch (type) {
    case ColumnType::kText:
      text = shape == 5 && row % 2 == 0 ? std::string(random() % 300, char('a' + row % 26)) : fmt::format("é{}", number);
      return TextCell(text);
    case ColumnType::kBool:
      return NumberCell(number % 2 != 0);
    case ColumnType::kDate:
      return NumberCell(number % 2'900'000);
    case ColumnType::kTime:
      return NumberCell(number % 250'000'000'000'000'000);
    case ColumnType::kReal:
      return {.null = false, .real = number == 0 ? -0.0 : double(number) / 8};
    case ColumnType::kInteger:
      return NumberCell(number);
  }
  return {};
}

TEST(PartSplice, WritesEveryTypeAsDuckdbReadsIt) {
  const auto at = FindTable("movies").value();
  const Table& movies = Tables()[at];
  std::set<ColumnType> types;
  for (const Column& column : movies.columns) types.insert(column.type);
  ASSERT_EQ(types.size(), 6u);
  SpliceWorld world;
  auto database = duckdb::Database::Open(testing::Duckdb(), {}).value();
  auto connection = database.Connect().value();
  Scratch scratch(connection);
  RecordRows rows(movies);
  std::mt19937_64 random(7);
  std::vector<std::pair<std::int64_t, std::int64_t>> ids;
  for (std::size_t row = 0; row < 10'000; ++row) {
    std::vector<std::string> texts(movies.columns.size());
    std::vector<Cell> cells;
    for (std::size_t i = 0; i < texts.size(); ++i)
      cells.push_back(SomeCell(movies.columns[i].type, row + 100 * i, random, texts[i]));
    ids.emplace_back(std::int64_t(row), 0);
    cells[movies.Find(movies.record_column).value()] = NumberCell(ids.back().first);
    ASSERT_TRUE(rows.Row(cells));
    ASSERT_TRUE(scratch.Row(at, cells));
  }
  const std::string written = scratch.Take(at).value();
  const ChangedIds changed(ids);
  for (const PageSizes& sizes : {PageSizes{}, PageSizes{.page_rows = 64, .group_rows = 1000}}) {
    PartSplice splice(movies, world.Path("file"), sizes, std::nullopt, changed);
    for (const auto& record : rows.Records()) ASSERT_TRUE(splice.Add(rows, record));
    ASSERT_EQ(splice.Finish().value().rows, 10'000);
    const std::string file = fmt::format("read_parquet({})", duckdb::Quoted(world.Path("file")));
    const auto differing = connection.QueryNumber(fmt::format(
        "SELECT count(*) FROM (({0} EXCEPT ALL {1}) UNION ALL ({1} EXCEPT ALL {0}))",
        fmt::format("SELECT {} FROM {}", ColumnList(movies), file), "FROM " + written));
    EXPECT_EQ(differing.value(), 0);
    // The statistics hide no row from a reader that asks for a value.
    for (const Column& column : movies.columns) {
      const std::string name = duckdb::QuotedName(column.name);
      for (const std::string value : {"min", "any_value", "max"}) {
        const auto found = [&](const std::string& from) {
          auto text = connection.Query(fmt::format("SELECT {}({})::VARCHAR FROM {}", value, name, written)).value();
          EXPECT_TRUE(text.Next().value());
          const std::string literal = duckdb::Quoted(std::string(text.Varchar(0, 0)));
          while (text.Next().value()) continue;
          return connection
              .QueryNumber(fmt::format("SELECT count(*) FROM {} WHERE {} = {}::{}", from, name, literal,
                                       SqlName(column.type)))
              .value();
        };
        EXPECT_GT(found(written), 0) << column.name;
        EXPECT_EQ(found(file), found(written)) << column.name;
      }
    }
  }
}

TEST(PartSplice, TellsThatTheOldFileWasCutOffWhileItWasRead) {
  SpliceWorld world;
  std::mt19937_64 random(7);
  Catalogue films;
  for (std::int64_t id = 1; id < 4000; ++id) films[id] = SomeTexts(random);
  world.Build("whole", films);
  ASSERT_GT(world.Bytes("whole").size(), 40'000u);
  const std::vector<std::pair<std::int64_t, std::int64_t>> changed = {{2000, 0}};
  const ChangedIds ids(changed);
  // The last one ends within the page of memory that the file ends in.
  for (const std::uintmax_t size : {std::uintmax_t(0), std::uintmax_t(5000), std::uintmax_t(30'000),
                                    std::uintmax_t(world.Bytes("whole").size() - 1)}) {
    SCOPED_TRACE(size);
    fs::copy_file(world.Path("whole"), world.Path("old"), fs::copy_options::overwrite_existing);
    PartSplice splice(Releases(), world.Path("new"), world.sizes, PageFile::Open(Releases(), world.Path("old")).value(),
                      ids);
    fs::resize_file(world.Path("old"), size);
    const auto finished = splice.Finish();
    ASSERT_FALSE(finished);
    EXPECT_EQ(finished.error().code, ErrorCode::kCorrupt) << finished.error().message;
  }
}

TEST(PageFile, RefusesWhatIsNone) {
  SpliceWorld world;
  world.Build("whole", {{1, {"a", "b"}}, {2, {"c"}}});
  const std::string whole = world.Bytes("whole");
  // Cut anywhere; with another byte anywhere in the index: refused, or (a bit that zstd does not look at) read as it
  // was.
  for (std::size_t size = 0; size < whole.size(); ++size)
    EXPECT_FALSE(ReadPageIndex(std::string_view(whole).substr(0, size), Releases().columns.size())) << size;
  const auto groups = ReadPageIndex(whole, Releases().columns.size());
  ASSERT_TRUE(groups);
  for (std::size_t at = groups->back().at + groups->back().length; whole.compare(at, 4, "TDCI") != 0; ++at) {
    std::string other = whole;
    other[at] = char(other[at] ^ 1);
    const auto read = ReadPageIndex(other, Releases().columns.size());
    EXPECT_TRUE(!read || FormatPageIndex(*read) == FormatPageIndex(*groups)) << at;
  }
}

}  // namespace
}  // namespace tmdbc::tables
