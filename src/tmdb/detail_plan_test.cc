// SPDX-License-Identifier: MIT
#include "tmdb/detail_plan.h"

#include <fmt/core.h>
#include <fmt/ranges.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <numeric>

namespace tmdbc {
namespace {

std::string Appends(const Call& call) {
  std::string text;
  for (const std::string& append : call.appends) text += fmt::format("{}{}", text.empty() ? "" : ",", append);
  return text;
}

std::vector<Call> Plan(MediaId id, std::vector<std::int64_t> known_seasons = {}) {
  return PlanCalls(id, known_seasons, DefaultNamespaces());
}

std::vector<std::int64_t> Count(std::int64_t from, std::int64_t count) {
  std::vector<std::int64_t> numbers(static_cast<std::size_t>(count));
  std::iota(numbers.begin(), numbers.end(), from);
  return numbers;
}

// The seasons that a plan asks for, in its order.
std::vector<std::string> SeasonsAsked(const std::vector<Call>& plan) {
  std::vector<std::string> seasons;
  for (const Call& call : plan) {
    for (const std::string& append : call.appends) {
      if (append.starts_with("season/")) seasons.push_back(append);
    }
  }
  return seasons;
}

TEST(PlanCalls, AskOnceForEveryTypeThatIsNoShow) {
  struct Row {
    MediaId id;
    const char* path;
    const char* appends;
  };
  const Row rows[] = {
      {{MediaType::kMovie, 550},
       "movie/550",
       "alternative_titles,credits,external_ids,images,keywords,release_dates,reviews,translations,videos,"
       "watch/providers"},
      {{MediaType::kPerson, 287}, "person/287", "combined_credits,external_ids,images,translations"},
      {{MediaType::kCollection, 10}, "collection/10", "images,translations"},
      {{MediaType::kCompany, 25}, "company/25", "alternative_names,images"},
      {{MediaType::kNetwork, 213}, "network/213", "alternative_names,images"},
      {{MediaType::kKeyword, 378}, "keyword/378", ""},
      {{MediaType::kConfiguration, 1}, "genre/movie/list", ""},
      {{MediaType::kConfiguration, 5}, "configuration", ""},
      {{MediaType::kConfiguration, 13}, "watch/providers/tv", ""},
  };
  for (const Row& row : rows) {
    const std::vector<Call> plan = Plan(row.id);
    ASSERT_EQ(plan.size(), 1U) << ToString(row.id);
    EXPECT_EQ(plan[0].path, row.path);
    EXPECT_EQ(Appends(plan[0]), row.appends);
  }
}

TEST(PlanCalls, AskNothingForWhatIsNeverFetched) {
  for (const MediaId id : {MediaId{MediaType::kSeason, 3624}, MediaId{MediaType::kEpisode, 63056},
                           MediaId{MediaType::kConfiguration, 0}, MediaId{MediaType::kConfiguration, -1},
                           MediaId{MediaType::kConfiguration, 14}}) {
    EXPECT_TRUE(Plan(id).empty()) << ToString(id);
  }
}

TEST(PlanCalls, GuessTheFirstEightSeasonsOfAnUnknownShow) {
  const std::vector<Call> plan = Plan({MediaType::kTv, 1399});
  ASSERT_EQ(plan.size(), 1U);
  EXPECT_EQ(plan[0].path, "tv/1399");
  EXPECT_EQ(Appends(plan[0]),
            "aggregate_credits,alternative_titles,content_ratings,episode_groups,external_ids,images,"
            "keywords,reviews,"
            "screened_theatrically,translations,videos,watch/providers,"
            "season/0,season/1,season/2,season/3,season/4,season/5,season/6,season/7");
}

TEST(PlanCalls, FillTheSlotsThatFewerNamespacesLeaveWithSeasons) {
  const auto plan_with = [](std::size_t namespaces) {
    Namespaces chosen;
    for (std::size_t i = 0; i < namespaces; ++i) chosen[MediaType::kTv].push_back(fmt::format("n{}", i));
    return PlanCalls({MediaType::kTv, 1}, {}, chosen);
  };
  EXPECT_EQ(SeasonsAsked(plan_with(0)).size(), 20U);
  EXPECT_EQ(SeasonsAsked(plan_with(0)).back(), "season/19");
  EXPECT_EQ(SeasonsAsked(plan_with(19)), std::vector<std::string>{"season/0"});
  ASSERT_EQ(plan_with(20).size(), 1U);
  EXPECT_TRUE(SeasonsAsked(plan_with(20)).empty());
}

// The floor of docs/decisions/seasons.md: ceil((12 namespaces + seasons) / 20) requests.
TEST(PlanCalls, TakeTheFewestCallsForAnyNumberOfKnownSeasons) {
  for (std::int64_t count = 1; count <= 100; ++count) {
    for (const std::int64_t first : {0, 1}) {
      const std::vector<std::int64_t> known = Count(first, count);
      const std::vector<Call> plan = Plan({MediaType::kTv, 7}, known);
      EXPECT_EQ(std::ssize(plan), (12 + count + 19) / 20) << count;
      const std::vector<std::string> asked = SeasonsAsked(plan);
      ASSERT_GE(std::ssize(asked), count);
      for (std::size_t i = 0; i < known.size(); ++i) EXPECT_EQ(asked[i], fmt::format("season/{}", known[i]));
      std::vector<std::string> distinct = asked;
      std::sort(distinct.begin(), distinct.end());
      EXPECT_EQ(std::unique(distinct.begin(), distinct.end()), distinct.end()) << count;
      for (const Call& call : plan) {
        EXPECT_EQ(call.path, "tv/7");
        EXPECT_EQ(call.appends.size(), kMaxAppends);
      }
    }
  }
}

TEST(PlanCalls, UseFreeSlotsToFindSeasonsAddedSince) {
  struct Row {
    std::vector<std::int64_t> known;
    std::vector<std::string> asked;
  };
  const Row rows[] = {
      {{0, 1, 2},
       {"season/0", "season/1", "season/2", "season/3", "season/4", "season/5", "season/6", "season/7"}},
      // No specials known: they come second, after the season that a running show gets next.
      {{1, 2},
       {"season/1", "season/2", "season/3", "season/0", "season/4", "season/5", "season/6", "season/7"}},
      {{1, 2, 3, 4, 5, 6, 7},
       {"season/1", "season/2", "season/3", "season/4", "season/5", "season/6", "season/7", "season/8"}},
      {{2023, 2024},
       {"season/2023", "season/2024", "season/2025", "season/0", "season/2026", "season/2027", "season/2028",
        "season/2029"}},
      {{0, 1, 2, 3, 4, 5, 6, 7},
       {"season/0", "season/1", "season/2", "season/3", "season/4", "season/5", "season/6", "season/7"}},
  };
  for (const Row& row : rows) EXPECT_EQ(SeasonsAsked(Plan({MediaType::kTv, 1}, row.known)), row.asked);
}

TEST(PlanCalls, TakeKnownSeasonsInAnyOrderAndForm) {
  EXPECT_EQ(Plan({MediaType::kTv, 1}, {3, -1, 0, 3, 1, 2}), Plan({MediaType::kTv, 1}, {0, 1, 2, 3}));
  const std::vector<std::int64_t> huge = {std::numeric_limits<std::int64_t>::max()};
  EXPECT_EQ(SeasonsAsked(Plan({MediaType::kTv, 1}, huge)),
            std::vector<std::string>{"season/9223372036854775807"});
}

TEST(PlanSeasonCalls, AskTwentySeasonsACall) {
  for (std::int64_t count = 0; count <= 100; ++count) {
    const std::vector<Call> calls = PlanSeasonCalls(1399, Count(8, count));
    EXPECT_EQ(std::ssize(calls), (count + 19) / 20);
    EXPECT_EQ(std::ssize(SeasonsAsked(calls)), count);
    for (const Call& call : calls) EXPECT_LE(call.appends.size(), kMaxAppends);
  }
}

TEST(MakeRequest, PutsTheAppendsInTheQueryAsAPersonWouldWriteThem) {
  const ApiAccess access{.base_url = "https://api.themoviedb.org/3",
                         .secret_query = "",
                         .bearer = "",
                         .user_agent = "tmdb-collector/0.1"};
  const http::Request request =
      MakeRequest(access, {.path = "tv/1399", .appends = {"images", "watch/providers", "season/0"}});
  EXPECT_EQ(request.url,
            "https://api.themoviedb.org/3/tv/1399?append_to_response=images,watch/providers,season/0");
  const std::vector<http::Header> expected = {
      {"Accept", "application/json"}, {"Accept-Encoding", "gzip"}, {"User-Agent", "tmdb-collector/0.1"}};
  EXPECT_EQ(request.headers, expected);
  EXPECT_EQ(MakeRequest(access, {.path = "configuration/languages", .appends = {}}).url,
            "https://api.themoviedb.org/3/configuration/languages");
}

TEST(MakeRequest, AsksForVideosInEveryLanguageAndInNone) {
  const ApiAccess access{.base_url = "http://h/3", .secret_query = "", .bearer = "", .user_agent = "x"};
  const std::string movie = MakeRequest(access, {.path = "movie/550", .appends = {"credits", "videos"}}).url;
  EXPECT_TRUE(movie.starts_with(
      "http://h/3/movie/550?append_to_response=credits,videos&include_video_language=aa,ab,"));
  EXPECT_TRUE(movie.ends_with(",zh,zu,null"));
  EXPECT_NE(movie.find(",de,"), std::string::npos);
  EXPECT_LT(movie.size(), 1000U);
  const std::string season =
      MakeRequest(access, {.path = "tv/1", .appends = {"season/1", "season/1/videos"}}).url;
  EXPECT_NE(season.find("include_video_language="), std::string::npos);
  EXPECT_EQ(MakeRequest(access, {.path = "tv/1", .appends = {"season/1"}}).url,
            "http://h/3/tv/1?append_to_response=season/1");
}

TEST(MakeRequest, KeepsTheKeyOutOfTheUrl) {
  const ApiAccess v3{.base_url = "http://localhost:8080/3",
                     .secret_query = "api_key=0123456789abcdef0123456789abcdef",
                     .bearer = "",
                     .user_agent = "x"};
  const http::Request with_query = MakeRequest(v3, {.path = "movie/550", .appends = {"credits"}});
  EXPECT_EQ(with_query.url, "http://localhost:8080/3/movie/550?append_to_response=credits");
  EXPECT_EQ(with_query.secret_query, "api_key=0123456789abcdef0123456789abcdef");
  for (const http::Header& header : with_query.headers) EXPECT_NE(header.first, "Authorization");

  const ApiAccess v4{
      .base_url = "http://localhost:8080/3", .secret_query = "", .bearer = "ey.J", .user_agent = "x"};
  const http::Request with_bearer = MakeRequest(v4, {.path = "movie/550", .appends = {}});
  EXPECT_EQ(with_bearer.secret_query, "");
  EXPECT_EQ(with_bearer.headers.back(), (http::Header{"Authorization", "Bearer ey.J"}));
}

// Their places are the ids of stored records.
TEST(ConfigurationPaths, KeepTheirPlaces) {
  const auto paths = ConfigurationPaths();
  ASSERT_EQ(paths.size(), 13U);
  EXPECT_EQ(paths[0], "genre/movie/list");
  EXPECT_EQ(paths[1], "genre/tv/list");
  EXPECT_EQ(paths[2], "certification/movie/list");
  EXPECT_EQ(paths[3], "certification/tv/list");
  EXPECT_EQ(paths[4], "configuration");
  EXPECT_EQ(paths[5], "configuration/countries");
  EXPECT_EQ(paths[6], "configuration/jobs");
  EXPECT_EQ(paths[7], "configuration/languages");
  EXPECT_EQ(paths[8], "configuration/primary_translations");
  EXPECT_EQ(paths[9], "configuration/timezones");
  EXPECT_EQ(paths[10], "watch/providers/regions");
  EXPECT_EQ(paths[11], "watch/providers/movie");
  EXPECT_EQ(paths[12], "watch/providers/tv");
}

TEST(ParseNamespaces, ReadsAListWithCommas) {
  const auto parsed = ParseNamespaces(MediaType::kMovie, " credits, images,watch/providers ");
  ASSERT_TRUE(parsed.has_value()) << parsed.error().message;
  EXPECT_EQ(*parsed, (std::vector<std::string>{"credits", "images", "watch/providers"}));
  for (const std::string_view none : {"", "  "}) {
    const auto empty = ParseNamespaces(MediaType::kPerson, none);
    ASSERT_TRUE(empty.has_value());
    EXPECT_TRUE(empty->empty());
  }
}

TEST(ParseNamespaces, TakesTheDefaultsBack) {
  for (const auto& [type, names] : DefaultNamespaces()) {
    std::string text;
    for (const std::string& name : names) text += fmt::format("{}{}", text.empty() ? "" : ",", name);
    const auto parsed = ParseNamespaces(type, text);
    ASSERT_TRUE(parsed.has_value()) << Name(type);
    EXPECT_EQ(*parsed, names);
  }
}

TEST(ParseNamespaces, RefusesWhatTmdbWouldRefuseOrIgnore) {
  struct Row {
    MediaType type;
    std::string text;
    const char* says;
  };
  const Row rows[] = {
      {MediaType::kMovie, "credits,,images", "'' is not a namespace"},
      {MediaType::kMovie, "credits,", "'' is not a namespace"},
      {MediaType::kMovie, "credits images", "'credits images' is not a namespace"},
      {MediaType::kMovie, "credits&api_key=x", "is not a namespace"},
      {MediaType::kMovie, "Credits", "'Credits' is not a namespace"},
      {MediaType::kMovie, "credits;images", "is not a namespace"},
      {MediaType::kMovie, "credits, images ,credits", "'credits' is named twice"},
      {MediaType::kTv, "season/1", "seasons are fetched with every show anyway"},
      {MediaType::kMovie, "credit",
       "'credit' is not a namespace of movie"},
      {MediaType::kPerson, "images, watch/providers", "'watch/providers' is not a namespace of person"},
      {MediaType::kKeyword, "movies", "nothing can be appended to a keyword"},
      {MediaType::kSeason, "images, reviews",
       "'reviews' is not a namespace of season"},
      {MediaType::kEpisode, "images", "nothing can be appended to a episode"},
      {MediaType::kConfiguration, "x", "nothing can be appended to a configuration"},
  };
  for (const Row& row : rows) {
    const auto parsed = ParseNamespaces(row.type, row.text);
    ASSERT_FALSE(parsed.has_value()) << row.text;
    EXPECT_EQ(parsed.error().code, ErrorCode::kInvalid);
    EXPECT_NE(parsed.error().message.find(row.says), std::string::npos) << parsed.error().message;
  }
}

TEST(SplitCall, HalvesSeasonsThenNamespacesDownToThePlainBody) {
  using Appends = std::vector<std::string>;
  const struct {
    Appends call;
    bool base;
    std::optional<std::pair<Appends, Appends>> parts;
  } cases[] = {
      {{"a", "b", "season/0", "season/1", "season/2"},
       true,
       {{{"a", "b", "season/0"}, {"season/1", "season/2"}}}},
      {{"a", "b", "season/0"}, true, {{{"a", "b"}, {"season/0"}}}},
      {{"a", "b", "c"}, true, {{{"a"}, {"b", "c"}}}},
      {{"a"}, true, {{{}, {"a"}}}},
      {{}, true, std::nullopt},
      {{"season/1"}, true, {{{}, {"season/1"}}}},
      {{"season/1", "season/2", "season/3"}, false, {{{"season/1"}, {"season/2", "season/3"}}}},
      {{"season/1"}, false, std::nullopt},
      {{"a", "b"}, false, {{{"a"}, {"b"}}}},
      {{"a"}, false, std::nullopt},
      {{}, false, std::nullopt},
  };
  for (const auto& c : cases) {
    const auto parts = SplitCall({.path = "tv/1", .appends = c.call}, c.base);
    ASSERT_EQ(parts.has_value(), c.parts.has_value()) << fmt::format("{}", fmt::join(c.call, ","));
    if (!parts) continue;
    EXPECT_EQ(parts->first, (Call{.path = "tv/1", .appends = c.parts->first}));
    EXPECT_EQ(parts->second, (Call{.path = "tv/1", .appends = c.parts->second}));
  }
}

TEST(ParseLanguages, TakesTagsAndRefusesWhatBuysNothing) {
  EXPECT_EQ(ParseLanguages(" de, pt-BR ").value(), (std::vector<std::string>{"de", "pt-BR"}));
  EXPECT_TRUE(ParseLanguages("").value().empty());
  for (const char* text :
       {"german", "d", "DE", "de-", "de_DE", "de-de", "de,,fr", "de,de", "en", "fr,en-US", "de&x=1"}) {
    const auto parsed = ParseLanguages(text);
    ASSERT_FALSE(parsed.has_value()) << text;
    EXPECT_EQ(parsed.error().code, ErrorCode::kInvalid);
  }
}

TEST(SeasonExtras, BuyTheRequestsThatTheyCost) {
  const std::vector<std::string> five = {"credits", "external_ids", "images", "translations", "videos"};
  const struct {
    SeasonExtras extras;
    std::int64_t seasons, requests;
  } cases[] = {
      {{.namespaces = {}, .languages = {}}, 8, 0},
      {{.namespaces = five, .languages = {}}, 0, 0},
      {{.namespaces = five, .languages = {}}, 1, 1},
      {{.namespaces = five, .languages = {}}, 3, 1},
      {{.namespaces = five, .languages = {}}, 4, 2},
      {{.namespaces = {"credits"}, .languages = {}}, 10, 1},
      {{.namespaces = {"credits"}, .languages = {}}, 11, 2},
      {{.namespaces = five, .languages = {}, .nested = false}, 4, 4},
      {{.namespaces = {}, .languages = {"de"}}, 20, 1},
      {{.namespaces = {}, .languages = {"de", "fr"}}, 21, 4},
      {{.namespaces = five, .languages = {"de", "fr"}}, 4, 4},
  };
  for (const auto& c : cases) {
    const std::vector<std::int64_t> seasons = Count(1, c.seasons);
    const auto names = PlanSeasonNamespaces(7, seasons, c.extras),
               texts = PlanSeasonLanguages(7, seasons, c.extras);
    EXPECT_EQ(std::ssize(names) + std::ssize(texts), c.requests);
    EXPECT_EQ(ExtraRequests(c.seasons, c.extras), c.requests);
    for (const Call& call : names) EXPECT_LE(call.appends.size(), kMaxAppends);
  }
  EXPECT_EQ(ExtraRequestsPerShow({}), 0);
  EXPECT_NEAR(ExtraRequestsPerShow({.namespaces = five, .languages = {}}), 1.2, 0.1);
  EXPECT_NEAR(ExtraRequestsPerShow({.namespaces = {}, .languages = {"de", "fr"}}), 2, 0.01);
}

TEST(SeasonExtras, AreAskedByNestedNamesOrSeasonBySeason) {
  const std::vector<std::int64_t> seasons = {0, 3};
  SeasonExtras extras{.namespaces = {"credits", "images"}, .languages = {"pt-BR"}};
  EXPECT_EQ(PlanSeasonNamespaces(7, seasons, extras),
            (std::vector<Call>{{.path = "tv/7",
                                .appends = {"season/0", "season/0/credits", "season/0/images", "season/3",
                                            "season/3/credits", "season/3/images"}}}));
  extras.nested = false;
  EXPECT_EQ(PlanSeasonNamespaces(7, seasons, extras),
            (std::vector<Call>{{.path = "tv/7/season/0", .appends = {"credits", "images"}},
                               {.path = "tv/7/season/3", .appends = {"credits", "images"}}}));
  const auto texts = PlanSeasonLanguages(7, seasons, extras);
  EXPECT_EQ(texts,
            (std::vector<Call>{{.path = "tv/7", .appends = {"season/0", "season/3"}, .language = "pt-BR"}}));
  const ApiAccess access{.base_url = "http://h/3", .secret_query = "", .bearer = "", .user_agent = "x"};
  EXPECT_EQ(MakeRequest(access, texts[0]).url,
            "http://h/3/tv/7?append_to_response=season/0,season/3&language=pt-BR");
}

}  // namespace
}  // namespace tmdbc
