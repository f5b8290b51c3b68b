// SPDX-License-Identifier: MIT
#include "titles/discover.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <functional>
#include <map>
#include <random>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "base/clock.h"

namespace tmdbc::titles {
namespace {

using Random = std::mt19937;

int Below(Random& random, int limit) {
  return int(random() % unsigned(limit));
}
bool Chance(Random& random, int percent) {
  return Below(random, 100) < percent;
}

constexpr std::int32_t kFirstDay = 18'000;  // 2019-04-14
constexpr int kDays = 1'500;
constexpr std::array<std::string_view, 3> kCountries = {"US", "DE", "FR"};
constexpr std::array<std::string_view, 3> kRatings = {"G", "PG", "R"};
constexpr std::array<std::string_view, 3> kWays = {"flatrate", "rent", "buy"};

std::string DayText(std::int32_t day) {
  return FormatDate(std::chrono::sys_days(std::chrono::days(day)));
}

// A film or show as the test knows it, and as TMDB would send it.
struct Made {
  std::int64_t id = 0;
  bool adult = false, video = false;
  std::optional<std::int32_t> day;
  double average = 0, popularity = 0;
  int votes = 0, runtime = 0, status = 0, type = 0;
  std::int64_t revenue = 0;
  std::string title, language;
  std::set<int> genres, keywords, cast, crew;
  struct Release {
    std::string country;
    int type;
    std::int32_t day;
    std::string rating;
  };
  std::vector<Release> releases;
  std::set<std::tuple<std::string, std::string, int>> providers;  // country, way, id
  std::vector<std::int32_t> episodes;
};

template <class Values, class Text>
std::string Joined(const Values& values, const Text& text) {
  std::string out;
  for (const auto& value : values) out += (out.empty() ? "" : ",") + text(value);
  return out;
}
std::string Ids(const std::set<int>& ids) {
  return Joined(ids, [](int id) { return fmt::format(R"({{"id":{}}})", id); });
}

std::string FilmBody(const Made& one) {
  const auto release = [](const Made::Release& of) {
    return fmt::format(
        R"({{"iso_3166_1":"{}","release_dates":[{{"certification":"{}","release_date":"{}T00:00:00.000Z","type":{}}}]}})",
        of.country, of.rating, DayText(of.day), of.type);
  };
  std::string regions;
  for (const std::string_view country : kCountries) {
    std::string ways;
    for (const std::string_view way : kWays) {
      std::set<int> some;
      for (const auto& [in, by, id] : one.providers)
        if (in == country && by == way) some.insert(id);
      if (some.empty()) continue;
      ways += fmt::format(R"(,"{}":[{}])", way,
                          Joined(some, [](int id) { return fmt::format(R"({{"provider_id":{}}})", id); }));
    }
    if (!ways.empty()) regions += fmt::format(R"({}"{}":{{"link":""{}}})", regions.empty() ? "" : ",", country, ways);
  }
  return fmt::format(
      R"({{"adult":{},"id":{},"video":{},"title":"{}","original_title":"{}","release_date":"{}","vote_average":{},)"
      R"("vote_count":{},"popularity":{},"runtime":{},"revenue":{},"original_language":"{}","genres":[{}],)"
      R"("keywords":{{"keywords":[{}]}},"credits":{{"cast":[{}],"crew":[{}]}},"release_dates":{{"results":[{}]}},)"
      R"("watch/providers":{{"results":{{{}}}}}}})",
      one.adult, one.id, one.video, one.title, one.title, one.day ? DayText(*one.day) : "", one.average, one.votes,
      one.popularity, one.runtime, one.revenue, one.language, Ids(one.genres), Ids(one.keywords), Ids(one.cast),
      Ids(one.crew), Joined(one.releases, release), regions);
}

std::set<int> SomeOf(Random& random, int limit, int at_most) {
  std::set<int> some;
  for (int i = Below(random, at_most + 1); i > 0; --i) some.insert(1 + Below(random, limit));
  return some;
}

Made MakeFilm(Random& random, std::int64_t id) {
  Made one;
  one.id = id;
  one.adult = Chance(random, 10);
  one.video = Chance(random, 10);
  if (Chance(random, 85)) one.day = kFirstDay + Below(random, kDays);
  one.average = Below(random, 80) / 8.0;
  one.votes = Below(random, 50);
  one.popularity = Below(random, 60) / 4.0;
  one.runtime = Below(random, 200);
  one.revenue = Chance(random, 50) ? 0 : Below(random, 1'000'000'000);
  one.title = fmt::format("{} {}", "abc"[Below(random, 3)], Below(random, 40));
  one.language = std::array{"en", "fr", "ja"}[std::size_t(Below(random, 3))];
  one.genres = SomeOf(random, 6, 3);
  one.keywords = SomeOf(random, 30, 4);
  one.cast = SomeOf(random, 20, 4);
  one.crew = SomeOf(random, 20, 3);
  for (int i = Below(random, 4); i > 0; --i) {
    one.releases.push_back({std::string(kCountries[std::size_t(Below(random, 3))]), 1 + Below(random, 6),
                            kFirstDay + Below(random, kDays),
                            Chance(random, 60) ? std::string(kRatings[std::size_t(Below(random, 3))]) : ""});
  }
  for (int i = Below(random, 4); i > 0; --i) {
    one.providers.emplace(kCountries[std::size_t(Below(random, 3))], kWays[std::size_t(Below(random, 3))],
                          1 + Below(random, 4));
  }
  return one;
}

// A filter, and what it means said in another way: by looking at each film.
struct Asked {
  DiscoverFilter filter;
  std::vector<std::function<bool(const Made&)>> passes;
};

std::set<int> PeopleOf(const Made& one) {
  std::set<int> both = one.cast;
  both.insert(one.crew.begin(), one.crew.end());
  return both;
}

void AskForIds(Random& random, Asked& asked, const std::vector<AttributeKind>& kinds, int limit,
               const std::function<std::set<int>(const Made&)>& of) {
  for (int groups = 1 + Below(random, 2); groups > 0; --groups) {
    std::vector<Attribute> any;
    std::set<int> ids;
    for (int i = 1 + Below(random, 3); i > 0; --i) {
      const int id = 1 + Below(random, limit);
      ids.insert(id);
      for (const AttributeKind kind : kinds) any.push_back(AttributeOf(kind, std::uint64_t(id)));
    }
    asked.filter.all_of.push_back(any);
    asked.passes.emplace_back([ids, of](const Made& one) {
      const std::set<int> has = of(one);
      return std::ranges::any_of(ids, [&](int id) { return has.contains(id); });
    });
  }
}

template <class T>
Span<T> AnySpan(Random& random, int low, int high) {
  Span<T> span;
  if (Chance(random, 70)) span.from = T(low + Below(random, high - low));
  if (Chance(random, 60)) span.to = T(low + Below(random, high - low));
  return span;
}

Asked RandomFilter(Random& random) {
  Asked asked;
  DiscoverFilter& filter = asked.filter;
  const auto must = [&](const auto& test) { asked.passes.emplace_back(test); };
  filter.include_adult = Chance(random, 30);
  if (!filter.include_adult) must([](const Made& one) { return !one.adult; });
  filter.include_video = Chance(random, 30);
  if (!filter.include_video) must([](const Made& one) { return !one.video; });
  if (Chance(random, 25)) AskForIds(random, asked, {AttributeKind::kGenre}, 6, [](const Made& one) { return one.genres; });
  if (Chance(random, 15)) AskForIds(random, asked, {AttributeKind::kKeyword}, 30, [](const Made& one) { return one.keywords; });
  if (Chance(random, 10)) AskForIds(random, asked, {AttributeKind::kCast}, 20, [](const Made& one) { return one.cast; });
  if (Chance(random, 15)) AskForIds(random, asked, {AttributeKind::kCast, AttributeKind::kCrew}, 20, PeopleOf);
  if (Chance(random, 20)) {
    const int without = 1 + Below(random, 6);
    filter.none_of.push_back(AttributeOf(AttributeKind::kGenre, std::uint64_t(without)));
    must([without](const Made& one) { return !one.genres.contains(without); });
  }
  if (Chance(random, 15)) {
    filter.all_of.push_back({AttributeOf(AttributeKind::kLanguage, TwoLetters("fr"))});
    must([](const Made& one) { return one.language == "fr"; });
  }
  if (Chance(random, 25)) {
    filter.days = AnySpan<std::int32_t>(random, kFirstDay, kFirstDay + kDays);
    filter.include_without_day = Chance(random, 30);
    must([days = filter.days, null = filter.include_without_day](const Made& one) {
      return days.open() || (one.day ? days.Holds(*one.day) : null);
    });
  }
  if (Chance(random, 20)) {
    filter.vote_average = AnySpan<float>(random, 0, 10);
    must([span = filter.vote_average](const Made& one) { return span.Holds(float(one.average)); });
  }
  if (Chance(random, 20)) {
    filter.vote_count = AnySpan<std::int64_t>(random, 0, 50);
    must([span = filter.vote_count](const Made& one) { return span.Holds(one.votes); });
  }
  if (Chance(random, 20)) {
    filter.runtime = AnySpan<std::int64_t>(random, 0, 200);
    must([span = filter.runtime](const Made& one) { return span.Holds(one.runtime); });
  }
  if (Chance(random, 30)) {
    ReleaseFilter release;
    release.days = AnySpan<std::int32_t>(random, kFirstDay, kFirstDay + kDays);
    std::string country;
    if (Chance(random, 60)) country = kCountries[std::size_t(Below(random, 3))];
    release.country = TwoLetters(country);
    if (Chance(random, 50)) {
      const auto first = 1 + Below(random, 6), second = 1 + Below(random, 6);
      release.types.push_back(1u << first | 1u << second);
    }
    filter.release = release;
    must([release, country](const Made& one) {
      return std::ranges::any_of(one.releases, [&](const Made::Release& of) {
        return (country.empty() || of.country == country) && release.days.Holds(of.day) &&
               (release.types.empty() || (release.types[0] >> of.type & 1) != 0);
      });
    });
  }
  if (Chance(random, 20)) {
    const std::string country(kCountries[std::size_t(Below(random, 3))]), rating(kRatings[std::size_t(Below(random, 3))]);
    filter.certification = CertificationFilter{TwoLetters(country), {rating, "PG"}};
    must([country, rating](const Made& one) {
      return std::ranges::any_of(one.releases, [&](const Made::Release& of) {
        return of.country == country && (of.rating == rating || of.rating == "PG");
      });
    });
  }
  if (Chance(random, 20)) {
    const std::string country(kCountries[std::size_t(Below(random, 3))]);
    const int provider = 1 + Below(random, 4);
    filter.all_of.push_back(
        {AttributeOf(AttributeKind::kProvider, ProviderValue(TwoLetters(country), kFlatrate, std::uint32_t(provider))),
         AttributeOf(AttributeKind::kProvider, ProviderValue(TwoLetters(country), kRent, std::uint32_t(provider)))});
    must([country, provider](const Made& one) {
      return one.providers.contains({country, "flatrate", provider}) || one.providers.contains({country, "rent", provider});
    });
  }
  return asked;
}

std::vector<std::int64_t> ByLooking(const std::vector<Made>& films, const Asked& asked, SortBy sort, bool descending) {
  std::vector<const Made*> found;
  for (const Made& one : films) {
    if (std::ranges::all_of(asked.passes, [&](const auto& passes) { return passes(one); })) found.push_back(&one);
  }
  const auto number = [&](const Made& one) -> double {
    switch (sort) {
      case SortBy::kPopularity: return one.popularity;
      case SortBy::kVoteAverage: return one.average;
      case SortBy::kVoteCount: return one.votes;
      case SortBy::kRevenue: return double(one.revenue);
      case SortBy::kDay: return one.day.value_or(0);
      default: return 0;
    }
  };
  std::ranges::sort(found, [&](const Made* a, const Made* b) {
    if (sort == SortBy::kDay && a->day.has_value() != b->day.has_value()) return a->day.has_value();
    if (sort == SortBy::kTitle && a->title != b->title) return descending ? a->title > b->title : a->title < b->title;
    if (number(*a) != number(*b)) return descending ? number(*a) > number(*b) : number(*a) < number(*b);
    return a->id < b->id;
  });
  std::vector<std::int64_t> ids;
  for (const Made* one : found) ids.push_back(one->id);
  return ids;
}

TEST(TitleDiscover, GivesWhatLookingAtEveryFilmGives) {
  Random random(20261130);
  std::vector<Made> films;
  MemoryTitles index;
  for (int id = 1; id <= 400; ++id) {
    films.push_back(MakeFilm(random, id));
    ASSERT_TRUE(index.Put({MediaType::kMovie, id}, FilmBody(films.back())));
  }
  const auto titles = index.Current();
  constexpr std::array kSorts = {SortBy::kPopularity, SortBy::kVoteAverage, SortBy::kVoteCount,
                                 SortBy::kRevenue,    SortBy::kDay,         SortBy::kTitle};
  std::size_t found_some = 0;
  for (int i = 0; i < 1'000; ++i) {
    const Asked asked = RandomFilter(random);
    const SortBy sort = kSorts[std::size_t(Below(random, int(kSorts.size())))];
    const bool descending = Chance(random, 50);
    const auto all = ByLooking(films, asked, sort, descending);
    const auto skip = std::size_t(Below(random, 40));
    const FoundPage page = Discover(*titles, MediaType::kMovie, asked.filter, sort, descending, skip, 20);
    std::vector<std::int64_t> ids;
    for (const Found& one : page.rows) ids.push_back(one.id.id);
    const std::vector<std::int64_t> expected(all.begin() + std::ptrdiff_t(std::min(skip, all.size())),
                                             all.begin() + std::ptrdiff_t(std::min(skip + 20, all.size())));
    ASSERT_EQ(ids, expected) << "filter " << i;
    ASSERT_EQ(page.total, std::int64_t(all.size())) << "filter " << i;
    found_some += all.empty() ? 0 : 1;
  }
  EXPECT_GT(found_some, 500u);
}

TEST(TitleDiscover, TakesAWholeNumberForOneHoweverItIsSpelled) {
  MemoryTitles index;
  ASSERT_TRUE(index.Put({MediaType::kMovie, 1},
                        R"({"id":1,"title":"A","vote_count":2.5e2,"runtime":90.0,"genres":[{"id":28.0}],)"
                        R"("revenue":1e9,"release_dates":{"results":[{"iso_3166_1":"US","release_dates":[)"
                        R"({"release_date":"2019-04-14T00:00:00.000Z","type":3.0}]}]}})"));
  DiscoverFilter filter;
  filter.vote_count = {250, 250};
  filter.runtime = {90, 90};
  filter.all_of = {{AttributeOf(AttributeKind::kGenre, 28)}};
  filter.release = ReleaseFilter{.days = {kFirstDay, kFirstDay}, .types = {1u << 3}};
  EXPECT_EQ(Discover(*index.Current(), MediaType::kMovie, filter, SortBy::kRevenue, true, 0, 20).total, 1);
}

TEST(TitleDiscover, FindsShowsByTheDaysOfTheirEpisodes) {
  MemoryTitles index;
  const auto show = [&](std::int64_t id, std::string_view more) {
    ASSERT_TRUE(index.Put({MediaType::kTv, id}, fmt::format(R"({{"id":{},"name":"Show","popularity":{}{}}})", id, id, more)));
  };
  show(1, R"(,"status":"Ended","type":"Scripted")");
  show(2, R"(,"status":"Returning Series","type":"News")");
  const auto season = [&](std::int64_t id, std::int64_t of, std::string_view day) {
    ASSERT_TRUE(index.Put({MediaType::kSeason, id},
                          fmt::format(R"({{"id":{},"name":"Season 1","season_number":1,"episodes":[{{"air_date":"{}"}}]}})", id, day), of));
  };
  season(10, 1, "2026-11-30");
  season(20, 2, "2026-12-05");
  const auto found = [&](const DiscoverFilter& filter) {
    std::string ids;
    for (const Found& one : Discover(*index.Current(), MediaType::kTv, filter, SortBy::kPopularity, true, 0, 20).rows)
      ids += fmt::format("{} ", one.id.id);
    return ids;
  };
  const auto today = std::int32_t(ParseDate("2026-11-30")->time_since_epoch().count());
  EXPECT_EQ(found({}), "2 1 ");
  EXPECT_EQ(found({.on_air = Span<std::int32_t>{today, today}}), "1 ");
  EXPECT_EQ(found({.on_air = Span<std::int32_t>{today, today + 7}}), "2 1 ");
  EXPECT_EQ(found({.on_air = Span<std::int32_t>{today + 1, {}}}), "2 ");
  EXPECT_EQ(found({.statuses = 1u << 3}), "1 ");
  EXPECT_EQ(found({.types = 1u << 1 | 1u << 4}), "2 1 ");
}

// More than are known to be the most popular ones: a list that begins with these and one of rarer films.
TEST(Discover, ListsByPopularityHoweverFarDownItsFilmsAre) {
  constexpr int kFilms = int(kMostPopular) + 3'000, kRareEvery = 1'000;
  MemoryTitles titles;
  for (int id = 1; id <= kFilms; ++id) {
    // Popular ones have high ids; each popularity twice.
    const auto put = titles.Put({MediaType::kMovie, id}, fmt::format(R"({{"id":{},"title":"T","popularity":{},"genre_ids":[],)"
                                                                     R"("genres":[{{"id":{}}}]}})",
                                                                     id, id / 2, id % kRareEvery == 0 ? 18 : 28));
    ASSERT_TRUE(put) << put.error().message;
  }
  const auto index = titles.Current();
  const auto ids = [&](const DiscoverFilter& filter, std::size_t skip, std::size_t count, bool descending = true) {
    std::vector<std::int64_t> found;
    const FoundPage page = Discover(*index, MediaType::kMovie, filter, SortBy::kPopularity, descending, skip, count);
    for (const Found& row : page.rows) found.push_back(row.id.id);
    return std::pair(found, page.total);
  };
  using Ids = std::vector<std::int64_t>;
  EXPECT_EQ(ids({}, 0, 3), std::pair(Ids({kFilms, kFilms - 2, kFilms - 1}), std::int64_t(kFilms)));
  EXPECT_EQ(ids({}, kFilms - 2, 3), std::pair(Ids({3, 1}), std::int64_t(kFilms)));
  EXPECT_EQ(ids({}, 0, 2, false), std::pair(Ids({1, 2}), std::int64_t(kFilms)));
  DiscoverFilter rare;
  rare.all_of = {{AttributeOf(AttributeKind::kGenre, 18)}};
  constexpr std::int64_t kRare = kFilms / kRareEvery;
  EXPECT_EQ(ids(rare, 0, 2), std::pair(Ids({kRare * kRareEvery, (kRare - 1) * kRareEvery}), kRare));
  EXPECT_EQ(ids(rare, std::size_t(kRare) - 2, 20), std::pair(Ids({2 * kRareEvery, kRareEvery}), kRare));
}

}  // namespace
}  // namespace tmdbc::titles
