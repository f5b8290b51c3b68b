// SPDX-License-Identifier: MIT
#include "titles/search.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <ranges>
#include <sstream>
#include <string>
#include <tuple>
#include <vector>

#include "base/json.h"
#include "testing/corpus.h"
#include "titles/fold.h"

namespace tmdbc::titles {
namespace {

constexpr std::array kFilms = {MediaType::kMovie};

struct TitleWorld {
  void Film(std::int64_t id, std::string_view title, double popularity, std::string_view more = "") {
    const auto put = index.Put({MediaType::kMovie, id},
                         fmt::format(R"({{"id":{},"title":"{}","popularity":{}{}}})", id, title, popularity, more));
    ASSERT_TRUE(put) << put.error().message;
  }
  static std::string Ids(const std::vector<Found>& rows) {
    std::string ids;
    for (const Found& one : rows) ids += fmt::format("{}{}", ids.empty() ? "" : " ", one.id.id);
    return ids;
  }
  std::string Find(const SearchQuery& query) const { return Ids(Search(*index.Current(), kFilms, query, 0, 20).rows); }

  MemoryTitles index;
};

TEST(Fold, GivesNamesOneSpelling) {
  EXPECT_EQ(Fold("Le Fabuleux Destin d'Amélie"), "le fabuleux destin d amelie");
  EXPECT_EQ(Fold("well-plotted #007 2.007"), "well plotted 007 2 007");
  EXPECT_EQ(Fold("Ｆｕｌｌ ｗｉｄｔｈ ①"), "full width 1");
  EXPECT_EQ(Fold("Straße Łódź Ærø"), "strasse lodz aero");
  EXPECT_EQ(Fold("ガンダム0079"), "カ ン タ ム 0079");
  EXPECT_EQ(Fold("劇場版「進撃の巨人」"), "劇 場 版 進 撃 の 巨 人");
  EXPECT_EQ(Fold("올드보이"), "올 드 보 이");
  EXPECT_EQ(Fold("Ёлки"), "елки");
  EXPECT_EQ(Fold("a\xFFz"), "a z");
  EXPECT_EQ(Fold("..."), "");
}

TEST(TitleSearch, PutsExactNamesFirstAndThenThePopular) {
  TitleWorld world;
  world.Film(1, "Alien Nation", 9);
  world.Film(2, "Alien", 1);
  world.Film(3, "Alien", 2);
  world.Film(4, "Cosmic", 3, R"(,"translations":{"translations":[{"iso_639_1":"de","data":{"title":"Alien"}}]})");
  EXPECT_EQ(world.Find({.text = "alien"}), "3 2 1 4");
  EXPECT_EQ(world.Find({.text = "alien", .language = TwoLetters("de")}), "4 3 2 1");
  world.index.SetPopularity({MediaType::kMovie, 2}, 20);
  EXPECT_EQ(world.Find({.text = "alien"}), "2 3 1 4");
}

TEST(TitleSearch, WantsAllWordsInOneName) {
  TitleWorld world;
  world.Film(1, "Red Moon", 1, R"(,"alternative_titles":{"titles":[{"iso_3166_1":"US","title":"Blue Sun"}]})");
  EXPECT_EQ(world.Find({.text = "blue s"}), "1");
  EXPECT_EQ(world.Find({.text = "red sun"}), "");
  EXPECT_EQ(world.Find({.text = "?"}), "");
}

TEST(TitleSearch, FindsTheSameWhetherWordsAreRareOrCommon) {
  TitleWorld world;
  // More names than are compared letter by letter.
  for (int id = 1; id <= 21'000; ++id) world.Film(id, fmt::format("The Story {}", id), id % 100);
  const auto all = Search(*world.index.Current(), kFilms, {.text = "story the"}, 0, 5);
  EXPECT_EQ(all.total, 21'000);
  EXPECT_EQ(TitleWorld::Ids(all.rows), "99 199 299 399 499");
  EXPECT_EQ(Search(*world.index.Current(), kFilms, {.text = "the"}, 0, 5).total, 21'000);
  EXPECT_EQ(Search(*world.index.Current(), kFilms, {.text = "the 20999"}, 0, 5).total, 1);
  EXPECT_EQ(TitleWorld::Ids(Search(*world.index.Current(), kFilms, {.text = "the"}, 5, 2).rows), "599 699");
  EXPECT_EQ(Search(*world.index.Current(), kFilms, {.text = "the"}, 30'000, 20).rows.size(), 0u);
}

// Common beginnings have their titles at hand in the file. What is found is what a walk over all names finds.
TEST(TitleSearch, FindsCommonBeginningsAsAWalkOverAllNamesDoes) {
  std::mt19937 random(11);
  constexpr std::array kWords = {"a", "ab", "abe", "b", "the", "there", "e", "é", "の", "の花", "z", "12", "1", "th"};
  const auto name = [&] {
    std::string text;
    for (auto i = 1 + random() % 3; i > 0; --i) text += fmt::format("{}{}", text.empty() ? "" : " ", kWords[random() % kWords.size()]);
    return text;
  };
  struct Film {
    std::int64_t id;
    double popularity;
    unsigned votes;
    bool adult;
    std::string title, german;
  };
  for (const std::size_t count : {1, 40, 700}) {
    TitleWorld world;
    std::vector<Film> films;
    for (std::size_t i = 0; i < count; ++i) {
      Film film{std::int64_t(i * 3 + 1), double(random() % 20), unsigned(random() % 5), random() % 8 == 0, name(), name()};
      world.Film(film.id, film.title, film.popularity,
                 fmt::format(R"(,"vote_count":{},"adult":{},"release_date":"{}-01-01","translations":{{"translations":[)"
                             R"({{"iso_639_1":"de","data":{{"title":"{}"}}}}]}})",
                             film.votes, film.adult, 2000 + film.id % 3, film.german));
      films.push_back(std::move(film));
    }
    for (const std::string_view text : {"a", "A", "ab", "abe", "b", "t", "th", "the", "e", "の", "z", "1", "12", "x", "ther"}) {
      for (int kind = 0; kind < 8; ++kind) {
        const SearchQuery query{.text = text,
                                .language = (kind & 1) != 0 ? TwoLetters("de") : std::uint16_t{0},
                                .include_adult = (kind & 2) != 0,
                                .primary_year = (kind & 4) != 0 ? std::optional(2001) : std::nullopt};
        const std::string folded = Fold(text);
        const auto means = [&](const std::string& one) { return (" " + Fold(one)).find(" " + folded) != std::string::npos; };
        const auto exact = [&](const Film& film) {
          return Fold(film.title) == folded || (query.language != 0 && Fold(film.german) == folded);
        };
        std::vector<Film> expected;
        for (const Film& film : films) {
          if (film.adult && !query.include_adult) continue;
          if (query.primary_year && 2000 + film.id % 3 != *query.primary_year) continue;
          if (means(film.title) || means(film.german)) expected.push_back(film);
        }
        std::ranges::sort(expected, {}, [&](const Film& film) {
          return std::tuple(!exact(film), -film.popularity, -int(film.votes), film.id);
        });
        std::string ids;
        for (const Film& film : expected) ids += fmt::format("{}{}", ids.empty() ? "" : " ", film.id);
        const FoundPage all = Search(*world.index.Current(), kFilms, query, 0, 1000);
        ASSERT_EQ(TitleWorld::Ids(all.rows), ids) << text << " " << kind << " of " << count;
        ASSERT_EQ(all.total, std::int64_t(expected.size()));
        const FoundPage page = Search(*world.index.Current(), kFilms, query, 20, 20);
        ASSERT_TRUE(std::ranges::equal(page.rows, all.rows | std::views::drop(20) | std::views::take(20)));
      }
    }
  }
}

TEST(TitleSearch, PutsTheCompanyOfMostTitlesFirst) {
  TitleWorld world;
  int id = 0;
  for (const std::string_view name : {"Disney Channel", "DisneyToon", "Walt Disney", "Disney", "Disney Junior"})
    ASSERT_TRUE(world.index.Put({MediaType::kCompany, ++id}, fmt::format(R"({{"id":{},"name":"{}"}})", id, name)));
  world.Film(1, "A", 1, R"(,"production_companies":[{"id":3},{"id":2}])");
  world.Film(2, "B", 1, R"(,"production_companies":[{"id":2}])");
  world.Film(3, "C", 1, R"(,"production_companies":[{"id":1},{"id":2}])");
  ASSERT_TRUE(world.index.Put({MediaType::kTv, 9}, R"({"id":9,"name":"D","production_companies":[{"id":3}]})"));
  const auto find = [&](std::string_view text) {
    return TitleWorld::Ids(Search(*world.index.Current(), std::array{MediaType::kCompany}, {.text = text}, 0, 20).rows);
  };
  EXPECT_EQ(find("disney"), "4 3 1 5 2");  // the name itself, whole words, beginnings
  EXPECT_EQ(find("d"), "2 3 1 4 5");
  world.index.Remove({MediaType::kTv, 9});
  world.index.Remove({MediaType::kMovie, 1});
  EXPECT_EQ(find("disney"), "4 1 3 5 2");
}

// Films lie in two files, the newer of which has later news of some: only those that still name a company count.
TEST(TitleSearch, FindsAndCountsCompaniesAsAPlainScanDoes) {
  std::mt19937 random(11);
  const std::vector<std::string> words = {"a", "ab", "abe", "the", "theria", "の", "の山", "b"};
  MemoryTitles companies, older, newer;
  std::vector<std::string> names;
  for (int id = 1; id <= 900; ++id) {
    std::string name;
    for (std::size_t i = 1 + random() % 3; i > 0; --i) name += words[random() % words.size()] + (i > 1 ? " " : "");
    ASSERT_TRUE(companies.Put({MediaType::kCompany, id}, fmt::format(R"({{"id":{},"name":"{}"}})", id, name)));
    names.push_back(Fold(name));
  }
  std::map<std::int64_t, std::vector<int>> films;
  for (int put = 0; put < 1500; ++put) {
    const bool again = put >= 1000;
    const std::int64_t film = again ? 1 + std::int64_t(random() % 1000) : put + 1;
    films[film] = {1 + int(random() % 60), 61 + int(random() % 900)};
    const auto body = fmt::format(R"({{"id":{},"title":"T","production_companies":[{{"id":{}}},{{"id":{}}}]}})", film,
                                  films[film][0], films[film][1]);
    ASSERT_TRUE((again ? newer : older).Put({MediaType::kMovie, film}, body));
  }
  std::map<int, int> counts;
  for (const auto& [film, named] : films)
    for (const int company : named) ++counts[company];
  TypeTitles movies = newer.Current()->Of(MediaType::kMovie);
  Layer old = older.Current()->Of(MediaType::kMovie).layers.at(0);
  old.alive = std::make_shared<const Bits>(AliveIn(*old.file, {movies.layers.at(0).file}));
  movies.layers.push_back(old);
  const Titles index({movies, companies.Current()->Of(MediaType::kCompany)}, 1);

  for (const std::string_view text : {"a", "ab", "abe", "t", "the", "の", "の山", "a t", "ab の", "the the", "z"}) {
    const auto has = [&](int id, std::string_view end) {
      const std::string name = " " + names[std::size_t(id) - 1] + " ", folded = Fold(text);
      const bool run = text == "の山";  // side by side, and whole
      return std::ranges::all_of(std::views::split(folded, run ? '\n' : ' '), [&](const auto& word) {
        return name.contains(" " + std::string(word.begin(), word.end()) + std::string(run ? " " : end));
      });
    };
    std::vector<int> expected;
    for (int id = 1; id <= 900; ++id)
      if (has(id, "")) expected.push_back(id);
    std::ranges::sort(expected, {}, [&](int id) {
      return std::tuple(names[std::size_t(id) - 1] != Fold(text), !has(id, " "), -counts[id], id);
    });
    for (const std::size_t skip : {0, 20, 400}) {
      const FoundPage page = Search(index, std::array{MediaType::kCompany}, {.text = text}, skip, 20);
      std::string ids;
      for (const int id : expected | std::views::drop(skip) | std::views::take(20)) ids += fmt::format("{}{}", ids.empty() ? "" : " ", id);
      EXPECT_EQ(TitleWorld::Ids(page.rows), ids) << text << " from " << skip;
      EXPECT_EQ(page.total, std::ssize(expected)) << text;
    }
  }
}

TEST(TitleSearch, HidesAdultTitlesAndFiltersByYear) {
  TitleWorld world;
  world.Film(1, "Dr. No", 1, R"(,"adult":true)");
  world.Film(2, "Dr. No", 1,
             R"(,"release_date":"1962-10-05","release_dates":{"results":[{"iso_3166_1":"US","release_dates":[)"
             R"({"release_date":"1963-05-08T00:00:00.000Z","type":3}]}]})");
  world.Film(3, "Dr. No Returns", 1);
  EXPECT_EQ(world.Find({.text = "dr no"}), "2 3");
  EXPECT_EQ(world.Find({.text = "dr no", .include_adult = true}), "1 2 3");
  EXPECT_EQ(world.Find({.text = "dr no", .year = 1962}), "2");
  EXPECT_EQ(world.Find({.text = "dr no", .year = 1963}), "2");
  EXPECT_EQ(world.Find({.text = "dr no", .primary_year = 1963}), "");
}

TEST(TitleSuggest, ForgivesOneLetterOfEachWord) {
  TitleWorld world;
  world.Film(1, "Breaking Bad", 5);
  world.Film(2, "Brooklyn", 9);
  world.Film(3, "Сталкер", 1);
  const auto suggested = [&](std::string_view text) { return TitleWorld::Ids(Suggest(*world.index.Current(), text, 5)); };
  for (const std::string_view text : {"breakin", "braeking", "breeking", "beaking", "brreaking", "breakng bda"})
    EXPECT_EQ(suggested(text), "1") << text;
  EXPECT_EQ(suggested("сталкир"), "3");
  EXPECT_EQ(suggested("beraknig"), "");
  EXPECT_EQ(world.Find({.text = "breeking"}), "");
}

// Kendall's: 1 when all pairs of `rows` come in the same order in `page`, -1 when all come in the other one.
double Tau(const std::vector<MediaId>& rows, const FoundPage& page) {
  const auto place = [&](MediaId id) { return std::ranges::find(page.rows, id, &Found::id) - page.rows.begin(); };
  int same = 0, pairs = 0;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    for (std::size_t j = i + 1; j < rows.size(); ++j, ++pairs) same += place(rows[i]) < place(rows[j]) ? 1 : 0;
  }
  return 2.0 * same / pairs - 1;
}

// The recorded answers of TMDB's search: are their rows found by the names that the rows themselves show? Their order is
// TMDB's own secret (docs/read-api.md): how near ours comes is told.
TEST(TitleSearch, FindsWhatTmdbFound) {
  TMDBC_NEEDS_CORPUS("search");
  int hits = 0, found = 0, lists = 0;
  double taus = 0;
  for (const auto& file : std::filesystem::directory_iterator(testing::CorpusFolder() / "search")) {
    const std::string name = file.path().filename().string();
    if (name.contains("year=")) continue;  // by a name that its row does not show
    std::ifstream in(file.path());
    std::stringstream text;
    text << in.rdbuf();
    const std::string body = text.str();
    const auto json = ParsedJson::ParseString(body);
    ASSERT_TRUE(json) << name;
    std::string query = name.substr(name.find("query=") + 6);
    query = query.substr(0, query.find("__"));
    std::ranges::replace(query, '-', ' ');
    MemoryTitles index;
    std::vector<MediaId> rows;
    for (const auto row : json->root()["results"].get_array()) {
      std::string_view type;
      if (row["media_type"].get(type) != simdjson::SUCCESS) type = std::string_view(name).substr(0, name.find('_'));
      const MediaId id{*ParseMediaType(type), row["id"].get_int64().value()};
      ASSERT_TRUE(index.Put(id, simdjson::minify(row)));
      rows.push_back(id);
    }
    const auto page = Search(*index.Current(), kIndexedTypes, {.text = query, .include_adult = true}, 0, 100);
    hits += int(rows.size());
    int here = 0;
    for (const MediaId id : rows) here += std::ranges::find(page.rows, id, &Found::id) != page.rows.end() ? 1 : 0;
    found += here;
    if (here != int(rows.size())) fmt::print("{}: {} of {}\n", name, here, rows.size());
    if (rows.size() < 3 || name.starts_with("company") || name.starts_with("keyword")) continue;  // no popularity
    taus += Tau(rows, page);
    ++lists;
  }
  fmt::print("found {} of {}; order: tau {:.2f} over {} lists\n", found, hits, taus / lists, lists);
  EXPECT_GE(found, hits - 3);
  EXPECT_GT(hits, 200);
  EXPECT_GT(taus / lists, 0);
}

}  // namespace
}  // namespace tmdbc::titles
