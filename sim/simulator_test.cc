// SPDX-License-Identifier: MIT
#include "simulator.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/compression.h"
#include "base/hash.h"
#include "json.h"
#include "md5.h"
#include "synthetic_world.h"

namespace tmdbc::sim {
namespace {

constexpr const char* kKey = "0123456789abcdef0123456789abcdef";

class ManualClock final : public Clock {
 public:
  Time Now() const override { return now; }
  MonoTime Mono() const override { return mono; }
  void Advance(Duration by) {
    now += by;
    mono += by;
  }
  Time now = Time(std::chrono::sys_days(std::chrono::year(2026) / 11 / 22)) + std::chrono::hours(12);
  MonoTime mono{std::chrono::hours(1)};
};

struct Fetched {
  http::Answer answer;
  std::string body;  // as sent
  int status() const { return answer.status; }
  std::string header(std::string_view name) const {
    for (const auto& [key, value] : answer.headers) {
      if (key == name) return value;
    }
    return "";
  }
};

// A simulator without a server around it: requests are values, time is the test's.
class Bench {
 public:
  explicit Bench(SimulatorOptions options = {.rate = 0}, SyntheticOptions world = {.seed = 5})
      : world_(world), simulator_(world_, std::move(options), clock) {}

  Fetched Get(std::string target, std::vector<http::Header> headers = {}, std::string method = "GET") {
    http::ServerRequest request{.method = std::move(method),
                                .target = std::move(target),
                                .headers = std::move(headers),
                                .body = "",
                                .peer_address = "127.0.0.1",
                                .received = clock.mono};
    return Send(request);
  }
  Fetched Send(const http::ServerRequest& request) {
    Fetched fetched{simulator_.Handle(request), ""};
    if (fetched.answer.body) fetched.body = *fetched.answer.body;
    return fetched;
  }
  // Below /3/, with a key.
  Fetched Api(const std::string& path, std::vector<http::Header> headers = {}) {
    return Get("/3/" + path + (path.find('?') == std::string::npos ? "?" : "&") + "api_key=" + kKey,
               std::move(headers));
  }
  std::string Counters() { return Get("/sim/counters").body; }
  std::int64_t Counter(std::string_view name) {
    return std::stoll(std::string(PartOf(Counters(), name).value_or("-1")));
  }

  std::int64_t First(Kind kind) {
    std::int64_t first = 0;
    world_.ForEachId(kind, [&](std::int64_t id, bool) { first = first == 0 ? id : first; });
    return first;
  }
  // A show of exactly that many seasons.
  std::int64_t ShowOf(std::size_t seasons) {
    std::int64_t found = 0;
    world_.ForEachId(
        Kind::kTv, [&](std::int64_t id, bool) { found = world_.Seasons(id).size() == seasons ? id : found; });
    return found;
  }
  SyntheticWorld& world() { return world_; }
  Simulator& simulator() { return simulator_; }

  ManualClock clock;

 private:
  SyntheticWorld world_;
  Simulator simulator_;
};

std::vector<std::string> Names(const std::string& json) {
  std::vector<std::string> names;
  for (const RawPart& part : PartsOf(json)) names.emplace_back(part.name);
  return names;
}

std::string Numbered(const char* prefix, int from, int to) {
  std::string list;
  for (int i = from; i <= to; ++i)
    list.append(list.empty() ? "" : ",").append(prefix).append(std::to_string(i));
  return list;
}

// The key

TEST(Simulator, RefusesEveryPathWithoutAKey) {
  Bench bench;
  for (const char* path : {"/3/movie/1", "/3/nonsense", "/3/configuration", "/4/x", "/"}) {
    const Fetched fetched = bench.Get(path);
    EXPECT_EQ(fetched.status(), 401) << path;
    EXPECT_EQ(
        fetched.body,
        R"({"success":false,"status_code":7,"status_message":"Invalid API key: You must be granted a valid key."})");
  }
}

TEST(Simulator, TakesAnyWellFormedKeyUnlessOneIsSet) {
  struct Case {
    const char* set;
    std::string query;
    std::string authorization;
    int status;
  };
  const Case cases[] = {
      {"", std::string("?api_key=") + kKey, "", 200},
      {"", "?api_key=0123", "", 401},
      {"", "?api_key=zz23456789abcdef0123456789abcdef", "", 401},
      {"", "", "Bearer a.b.c", 200},
      {"", "", "Bearer ", 401},
      {"", "", "Basic a.b.c", 401},
      {"secret", "?api_key=secret", "", 200},
      {"secret", std::string("?api_key=") + kKey, "", 401},
      {"secret", "", "Bearer secret", 200},
      {"secret", "", "Bearer other", 401},
  };
  for (const Case& c : cases) {
    Bench bench({.rate = 0, .api_key = c.set});
    const std::vector<http::Header> headers =
        c.authorization.empty() ? std::vector<http::Header>{}
                                : std::vector<http::Header>{{"authorization", c.authorization}};
    EXPECT_EQ(bench.Get("/3/configuration" + c.query, headers).status(), c.status)
        << c.set << " " << c.query << c.authorization;
  }
}

TEST(Simulator, NeedsNoKeyForExportsAndItsOwnPaths) {
  Bench bench;
  EXPECT_EQ(bench.Get("/p/exports/movie_ids_11_21_2026.json.gz").status(), 200);
  EXPECT_EQ(bench.Get("/sim/counters").status(), 200);
}

// Paths and errors

TEST(Simulator, AnswersErrorsAsTmdbDoes) {
  Bench bench;
  struct Case {
    std::string path;
    int status;
    const char* code;
  };
  const std::string movie = "movie/" + std::to_string(bench.First(Kind::kMovie));
  const std::string show = "tv/" + std::to_string(bench.First(Kind::kTv));
  const Case cases[] = {
      {"movie/999999999", 404, "34"},    {"movie/0", 404, "6"},
      {"movie/abc", 404, "6"},           {"movie/-5", 404, "6"},
      {"tv/999999999", 404, "34"},       {"keyword/999999999", 404, "34"},
      {"nonsense", 404, "34"},           {"nonsense/1", 404, "34"},
      {show + "/season/777", 404, "34"}, {show + "/season/1/episode/99999", 404, "34"},
      {movie + "/nonsense", 404, "34"},  {movie + "?append_to_response=" + Numbered("n", 1, 21), 400, "27"},
  };
  for (const Case& c : cases) {
    const Fetched fetched = bench.Api(c.path);
    EXPECT_EQ(fetched.status(), c.status) << c.path;
    EXPECT_EQ(PartOf(fetched.body, "status_code"), c.code) << c.path << ": " << fetched.body;
    EXPECT_EQ(PartOf(fetched.body, "success"), "false") << c.path;
    EXPECT_EQ(fetched.header("ETag"), "") << c.path;
  }
  EXPECT_EQ(bench.Get(std::string("/3/configuration?api_key=") + kKey, {}, "DELETE").status(), 405);
}

TEST(Simulator, ServesEveryKindByItsPath) {
  Bench bench;
  for (const Kind kind : {Kind::kMovie, Kind::kTv, Kind::kPerson, Kind::kCollection, Kind::kCompany,
                          Kind::kNetwork, Kind::kKeyword}) {
    const std::int64_t id = bench.First(kind);
    const Fetched fetched = bench.Api(std::string(NameOf(kind)) + "/" + std::to_string(id));
    EXPECT_EQ(fetched.status(), 200);
    EXPECT_EQ(fetched.body, bench.world().Details(kind, id));
  }
  EXPECT_EQ(bench.Api("genre/tv/list").body, bench.world().List("genre/tv/list"));
  EXPECT_EQ(bench.Api("movie/" + std::to_string(bench.First(Kind::kMovie)) + "-some-title").status(), 200);
}

TEST(Simulator, ServesSeasonsAndEpisodesByTheirOwnPaths) {
  Bench bench;
  const std::int64_t show = bench.First(Kind::kTv);
  const std::string path = "tv/" + std::to_string(show) + "/season/1";
  EXPECT_EQ(bench.Api(path).body, bench.world().Season(show, 1));
  EXPECT_EQ(bench.Api(path + "/episode/2").body, bench.world().Episode(show, 1, 2));
  EXPECT_EQ(Names(bench.Api(path + "?append_to_response=images,credits").body).back(), "credits");
  EXPECT_EQ(Names(bench.Api(path + "/episode/2?append_to_response=external_ids").body).back(),
            "external_ids");
}

TEST(Simulator, PutsTheIdInFrontOfASubResourceOnItsOwn) {
  Bench bench;
  const std::int64_t id = bench.First(Kind::kMovie);
  const std::string alone = bench.Api("movie/" + std::to_string(id) + "/watch/providers").body;
  EXPECT_EQ(alone, "{\"id\":" + std::to_string(id) + "," +
                       bench.world().Part(Kind::kMovie, id, "watch/providers")->substr(1));
}

// Appending

TEST(Simulator, AppendsAfterTheBodyInTheOrderOfTheRequest) {
  Bench bench;
  const std::int64_t id = bench.First(Kind::kMovie);
  const std::string base = *bench.world().Details(Kind::kMovie, id);
  const std::string body =
      bench.Api("movie/" + std::to_string(id) + "?append_to_response=watch%2Fproviders,bogus,credits,credits")
          .body;
  const std::string expected = base.substr(0, base.size() - 1) + ",\"watch/providers\":" +
                               *bench.world().Part(Kind::kMovie, id, "watch/providers") +
                               ",\"credits\":" + *bench.world().Part(Kind::kMovie, id, "credits") + "}";
  EXPECT_EQ(body, expected);
}

TEST(Simulator, AllowsTwentyAppendsNamespacesAndSeasonsTogether) {
  Bench bench;
  const std::string path = "tv/" + std::to_string(bench.First(Kind::kTv)) + "?append_to_response=credits,";
  EXPECT_EQ(bench.Api(path + Numbered("season/", 0, 18)).status(), 200);
  EXPECT_EQ(bench.Api(path + Numbered("season/", 0, 19)).status(), 400);
}

TEST(Simulator, AppendsSeasonsWithoutTheirIdAndDropsAbsentOnes) {
  Bench bench;
  const std::int64_t show = bench.ShowOf(10);
  ASSERT_NE(show, 0);
  const std::string body = bench
                               .Api("tv/" + std::to_string(show) +
                                    "?append_to_response=season/0,season/1,season/10,season/11,season/x")
                               .body;
  std::vector<std::string> seasons;
  for (const RawPart& part : PartsOf(body)) {
    if (!part.name.starts_with("season/")) continue;
    seasons.emplace_back(part.name);
    const auto names = Names(std::string(part.value));
    EXPECT_EQ(std::count(names.begin(), names.end(), "id"), 0);
    EXPECT_EQ(names.front(), "_id");
    const int number = std::stoi(std::string(part.name.substr(7)));
    EXPECT_EQ(part.value, WithoutPart(*bench.world().Season(show, number), "id"));
    EXPECT_TRUE(PartOf(ElementsOf(*PartOf(part.value, "episodes"))[0], "id").has_value())
        << "episodes keep theirs";
  }
  EXPECT_EQ(seasons, (std::vector<std::string>{"season/1", "season/10"}));
}

// Headers and encodings

TEST(Simulator, SendsTheSameBodyWithAndWithoutGzip) {
  Bench bench;
  const std::string path =
      "movie/" + std::to_string(bench.First(Kind::kMovie)) + "?append_to_response=credits,images";
  const Fetched plain = bench.Api(path), gzip = bench.Api(path, {{"Accept-Encoding", "gzip, deflate"}});
  EXPECT_EQ(plain.header("Content-Encoding"), "");
  EXPECT_EQ(gzip.header("Content-Encoding"), "gzip");
  const auto inflated = GunzipWhole(gzip.body, 1 << 20);
  ASSERT_TRUE(inflated.has_value());
  EXPECT_EQ(*inflated, plain.body);
  EXPECT_EQ(plain.header("ETag"), "W/\"" + Md5Hex(plain.body) + "\"");
  EXPECT_EQ(gzip.header("ETag"), plain.header("ETag"));
  EXPECT_TRUE(plain.header("Cache-Control").starts_with("public, max-age="));
}

TEST(Simulator, VariesContentTypeAndFramingAsTmdbDoes) {
  Bench bench;
  std::map<std::string, int> types;
  int chunked = 0, films = 0;
  bench.world().ForEachId(Kind::kMovie, [&](std::int64_t id, bool) {
    const Fetched fetched = bench.Api("movie/" + std::to_string(id));
    ++types[fetched.header("Content-Type")];
    chunked += fetched.answer.framing == http::Answer::Framing::kChunked ? 1 : 0;
    ++films;
  });
  EXPECT_EQ(types.size(), 3u);
  for (const auto& [type, count] : types) EXPECT_TRUE(type.starts_with("application/json")) << type;
  EXPECT_GT(chunked, films * 9 / 10);
  EXPECT_LT(chunked, films);
}

TEST(Simulator, GivesTheSameAnswerWhenItsCacheIsTooSmall) {
  Bench roomy, cramped({.rate = 0, .cache_bytes = 10'000});
  for (int round = 0; round < 3; ++round) {
    roomy.world().ForEachId(Kind::kPerson, [&](std::int64_t id, bool) {
      const std::string path = "person/" + std::to_string(id);
      ASSERT_EQ(roomy.Api(path).body, cramped.Api(path).body);
    });
  }
}

// Limits

TEST(Simulator, Refuses41RequestsInASecond) {
  Bench bench({.rate = 40});
  const auto one = [&] { return bench.Api("configuration").status(); };
  for (int i = 0; i < 40; ++i) {
    EXPECT_EQ(one(), 200);
    bench.clock.Advance(std::chrono::milliseconds(10));
  }
  const Fetched refused = bench.Api("configuration");
  EXPECT_EQ(refused.status(), 429);
  EXPECT_EQ(PartOf(refused.body, "status_code"), "25");
  EXPECT_EQ(refused.header("Retry-After"), "");
  bench.clock.Advance(std::chrono::milliseconds(600));
  EXPECT_EQ(one(), 200);
  EXPECT_EQ(PartOf(*PartOf(bench.Counters(), "refused"), "rate"), "1");
  EXPECT_EQ(bench.Counter("most_in_a_second"), 41);
}

TEST(Simulator, CountsTheRateFromArrivalWhateverTheLatency) {
  Bench bench({.rate = 1, .latency = {std::chrono::milliseconds(500), std::chrono::milliseconds(900)}});
  const Fetched first = bench.Api("configuration");
  EXPECT_GE(first.answer.delay, std::chrono::milliseconds(500));
  EXPECT_LE(first.answer.delay, std::chrono::milliseconds(900));
  bench.clock.Advance(std::chrono::milliseconds(999));
  EXPECT_EQ(bench.Api("configuration").status(), 429);
  bench.clock.Advance(std::chrono::milliseconds(1));
  EXPECT_EQ(bench.Api("configuration").status(), 200);
}

TEST(Simulator, LimitsNeitherExportsNorItsOwnPaths) {
  Bench bench({.rate = 1});
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(bench.Get("/p/exports/movie_ids_11_21_2026.json.gz").status(), 200);
    EXPECT_EQ(bench.Get("/sim/counters").status(), 200);
  }
  EXPECT_EQ(bench.Counter("most_in_a_second"), 0);
}

TEST(Simulator, RefusesAConnectionTooMany) {
  Bench bench;
  const http::ServerRequest request{.method = "GET",
                                    .target = std::string("/3/configuration?api_key=") + kKey,
                                    .headers = {},
                                    .body = "",
                                    .peer_address = "127.0.0.1",
                                    .received = bench.clock.mono,
                                    .over_connection_limit = true};
  EXPECT_EQ(bench.Send(request).status(), 429);
  EXPECT_EQ(PartOf(*PartOf(bench.Counters(), "refused"), "connections"), "1");
}

TEST(Latency, StaysWithinItsBoundsAndHasALongTailWhenLognormal) {
  Random random(1);
  const Latency uniform{std::chrono::milliseconds(10), std::chrono::milliseconds(20)};
  const Latency lognormal{std::chrono::milliseconds(10), std::chrono::milliseconds(1000),
                          Latency::Shape::kLognormal};
  std::vector<Duration> drawn;
  for (int i = 0; i < 10'000; ++i) {
    const Duration even = uniform.Draw(random);
    EXPECT_GE(even, std::chrono::milliseconds(10));
    EXPECT_LE(even, std::chrono::milliseconds(20));
    drawn.push_back(lognormal.Draw(random));
    EXPECT_GE(drawn.back(), std::chrono::milliseconds(10));
  }
  std::sort(drawn.begin(), drawn.end());
  EXPECT_NEAR(std::chrono::duration<double>(drawn[5000]).count(), 0.1, 0.01);
  EXPECT_NEAR(std::chrono::duration<double>(drawn[9900]).count(), 1.0, 0.2);
  EXPECT_EQ(Latency{}.Draw(random), Duration(0));
}

// Exports

TEST(Exports, AreNamedAsTmdbNamesThem) {
  const auto name = ParseExportName("adult_tv_series_ids_01_31_2026.json.gz");
  ASSERT_TRUE(name.has_value());
  EXPECT_EQ(name->kind, Kind::kTv);
  EXPECT_TRUE(name->adult);
  EXPECT_EQ(name->date, std::chrono::sys_days(std::chrono::year(2026) / 1 / 31));
  for (const char* wrong :
       {"movie_ids_13_01_2026.json.gz", "movie_ids_02_30_2026.json.gz", "movie_ids_1_2_2026.json.gz",
        "movies_11_22_2026.json.gz", "movie_ids_11_22_2026.json", "_11_22_2026.json.gz", "movie_ids.json.gz",
        "", "movie_ids_11_22_2026.json.gz.gz"}) {
    EXPECT_FALSE(ParseExportName(wrong).has_value()) << wrong;
  }
}

TEST(Exports, HoldTheLinesOfTheWorld) {
  Bench bench;
  for (const auto& [file, kind, adult] : {std::tuple("movie_ids", Kind::kMovie, false),
                                          {"adult_person_ids", Kind::kPerson, true},
                                          {"keyword_ids", Kind::kKeyword, false}}) {
    const Fetched fetched = bench.Get(std::string("/p/exports/") + file + "_11_22_2026.json.gz");
    EXPECT_EQ(fetched.status(), 200);
    EXPECT_EQ(fetched.answer.framing, http::Answer::Framing::kLength);
    EXPECT_EQ(fetched.header("Last-Modified"), "Sun, 22 Nov 2026 07:19:28 GMT");
    EXPECT_EQ(fetched.header("Content-Encoding"), "");
    std::string lines;
    bench.world().ForEachLine(kind, adult, [&](std::string_view line) { lines += line; });
    const auto inflated = GunzipWhole(fetched.body, 1 << 24);
    ASSERT_TRUE(inflated.has_value());
    EXPECT_EQ(*inflated, lines);
  }
}

TEST(Exports, AreDeniedWithXmlWhileTheyAreNotPublished) {
  struct Case {
    const char* date;
    int hour;
    ExportOptions options;
    int status;
  };
  const Case cases[] = {
      {"11_22_2026", 12, {}, 200},
      {"11_22_2026", 7, {}, 403},
      {"11_21_2026", 7, {}, 200},
      {"11_23_2026", 12, {}, 403},
      {"08_22_2026", 12, {}, 200},
      {"08_21_2026", 12, {}, 403},
      {"11_22_2026", 12, {.publish_delay = std::chrono::hours(5)}, 403},
      {"11_22_2026", 0, {.publish_delay = std::chrono::hours(-8)}, 200},
      {"11_22_2026", 12, {.withheld_days = 1}, 403},
      {"11_21_2026", 12, {.withheld_days = 1}, 200},
      {"11_20_2026", 12, {.withheld_days = 3}, 403},
      {"11_19_2026", 12, {.withheld_days = 3}, 200},
  };
  for (const Case& c : cases) {
    Bench bench({.rate = 0, .exports = c.options});
    bench.clock.now =
        Time(std::chrono::sys_days(std::chrono::year(2026) / 11 / 22)) + std::chrono::hours(c.hour);
    const Fetched fetched = bench.Get(std::string("/p/exports/movie_ids_") + c.date + ".json.gz");
    EXPECT_EQ(fetched.status(), c.status) << c.date << " at " << c.hour;
    if (c.status == 403) {
      EXPECT_NE(fetched.body.find("<Error><Code>AccessDenied</Code>"), std::string::npos);
      EXPECT_EQ(fetched.header("Content-Type"), "application/xml");
    }
  }
}

TEST(Exports, AnswerRanges) {
  Bench bench;
  const char* path = "/p/exports/movie_ids_11_22_2026.json.gz";
  const std::string whole = bench.Get(path).body;
  const std::string size = std::to_string(whole.size()), last = std::to_string(whole.size() - 1);
  struct Case {
    std::string range;
    int status;
    std::string content_range;
    std::string body;
  };
  const Case cases[] = {
      {"bytes=0-9", 206, "bytes 0-9/" + size, whole.substr(0, 10)},
      {"bytes=100-", 206, "bytes 100-" + last + "/" + size, whole.substr(100)},
      {"bytes=-5", 206, "bytes " + std::to_string(whole.size() - 5) + "-" + last + "/" + size,
       whole.substr(whole.size() - 5)},
      {"bytes=0-99999999", 206, "bytes 0-" + last + "/" + size, whole},
      {"bytes=" + size + "-", 416, "bytes */" + size, ""},
      {"bytes=9-3", 416, "bytes */" + size, ""},
      {"lines=1-2", 416, "bytes */" + size, ""},
  };
  for (const Case& c : cases) {
    const Fetched fetched = bench.Get(path, {{"Range", c.range}});
    EXPECT_EQ(fetched.status(), c.status) << c.range;
    EXPECT_EQ(fetched.header("Content-Range"), c.content_range) << c.range;
    EXPECT_EQ(fetched.body, c.body) << c.range;
  }
}

// Faults

FaultOptions Only(Fault fault, double percent = 100) {
  FaultOptions options;
  options.percent[static_cast<std::size_t>(fault)] = percent;
  return options;
}

const std::vector<http::Header> kWantsGzip = {{"Accept-Encoding", "gzip"}};

TEST(Faults, HaveNamesThatAreUnderstood) {
  std::set<std::string_view> names;
  for (int i = 0; i < kFaults; ++i) {
    const auto fault = static_cast<Fault>(i);
    EXPECT_EQ(FaultOf(NameOf(fault)), fault);
    names.insert(NameOf(fault));
  }
  EXPECT_EQ(names.size(), static_cast<std::size_t>(kFaults));
  EXPECT_EQ(FaultOf("nonsense"), std::nullopt);
}

TEST(Faults, StrikeTheSharedPercentage) {
  FaultOptions options;
  options.SetAll(8);
  FaultPlan plan(options, 1);
  std::map<Fault, int> seen;
  int all = 0;
  for (int i = 0; i < 200'000; ++i) {
    if (const auto fault = plan.Next("/3/movie/" + std::to_string(i), MonoTime{})) {
      ++seen[*fault];
      ++all;
    }
  }
  EXPECT_NEAR(all, 200'000 * 0.0803, 500);
  EXPECT_FALSE(seen.contains(Fault::kStale));
  EXPECT_EQ(seen.size(), static_cast<std::size_t>(kFaults) - 1);
}

TEST(Faults, DependOnTheSeedAndTheTargetAndNotOnTheOrder) {
  FaultOptions options;
  options.SetAll(50);
  const auto strike = [&](std::uint64_t seed, bool backwards) {
    FaultPlan plan(options, seed);
    std::map<int, std::vector<std::optional<Fault>>> seen;
    for (int round = 0; round < 3; ++round) {
      for (int i = 0; i < 200; ++i) {
        const int target = backwards ? 199 - i : i;
        seen[target].push_back(plan.Next(std::to_string(target), MonoTime{}));
      }
    }
    return seen;
  };
  EXPECT_EQ(strike(1, false), strike(1, true));
  EXPECT_NE(strike(1, false), strike(2, false));
}

TEST(Faults, AnswerWithTheErrorTheyAreNamedAfter) {
  struct Case {
    Fault fault;
    int status;
    const char* start;
    const char* retry_after;
  };
  const Case cases[] = {
      {Fault::kHtml200, 200, "<html>", ""},
      {Fault::kHtml404, 404, "<html>", ""},
      {Fault::kHtml502, 502, "<html>", ""},
      {Fault::kHtml503, 503, "<html>", ""},
      {Fault::kJson500, 500, R"({"success":false,"status_code":11)", ""},
      {Fault::kJson502, 502, R"({"success":false,"status_code":43)", ""},
      {Fault::kJson503, 503, R"({"success":false,"status_code":9)", ""},
      {Fault::kJson504, 504, R"({"success":false,"status_code":24)", ""},
      {Fault::k429Bare, 429, R"({"success":false,"status_code":25)", ""},
      {Fault::k429Zero, 429, R"({"success":false,"status_code":25)", "0"},
      {Fault::k429Seconds, 429, R"({"success":false,"status_code":25)", "1"},
      {Fault::k429Date, 429, R"({"success":false,"status_code":25)", "Sun, 22 Nov 2026 12:00:02 GMT"},
      {Fault::kEmpty200, 200, "", ""},
  };
  for (const Case& c : cases) {
    Bench bench({.rate = 0, .faults = Only(c.fault)});
    const Fetched fetched = bench.Api("configuration");
    EXPECT_EQ(fetched.status(), c.status) << NameOf(c.fault);
    EXPECT_TRUE(fetched.body.starts_with(c.start)) << NameOf(c.fault) << ": " << fetched.body;
    EXPECT_EQ(fetched.header("Retry-After"), c.retry_after) << NameOf(c.fault);
    EXPECT_EQ(fetched.header("Content-Type").starts_with("text/html"), std::string_view(c.start) == "<html>")
        << NameOf(c.fault);
    EXPECT_EQ(PartOf(*PartOf(bench.Counters(), "faults"), NameOf(c.fault)), "1");
  }
  Bench bench({.rate = 0, .faults = Only(Fault::kEmpty200)});
  EXPECT_EQ(bench.Api("configuration").body, "");
}

TEST(Faults, BreakTheConnectionOrTheFraming) {
  using Ending = http::Answer::Ending;
  const auto spoiled = [](Fault fault) {
    Bench bench({.rate = 0, .faults = Only(fault)});
    return bench.Api("configuration", kWantsGzip).answer;
  };
  EXPECT_TRUE(spoiled(Fault::kResetBefore).silent);
  EXPECT_EQ(spoiled(Fault::kResetBefore).ending, Ending::kReset);
  EXPECT_EQ(spoiled(Fault::kResetMid).ending, Ending::kReset);
  EXPECT_EQ(spoiled(Fault::kResetMid).cut_body_after, spoiled(Fault::kResetMid).body->size() / 2);
  EXPECT_GT(spoiled(Fault::kWrongLength).claimed_length, spoiled(Fault::kWrongLength).body->size());
  EXPECT_EQ(spoiled(Fault::kWrongLength).ending, Ending::kClose);
  EXPECT_TRUE(spoiled(Fault::kStall).silent);
  EXPECT_EQ(spoiled(Fault::kStall).ending, Ending::kHang);
  EXPECT_EQ(spoiled(Fault::kStall).hang, std::chrono::seconds(35));
  EXPECT_GT(spoiled(Fault::kTrickle).trickle_pieces, 1u);
}

TEST(Faults, SpoilTheBytesOfTheBody) {
  Bench healthy;
  const std::string good = healthy.Api("configuration").body;
  const auto fetch = [](Fault fault) {
    Bench bench({.rate = 0, .faults = Only(fault)});
    return bench.Api("configuration", kWantsGzip);
  };
  EXPECT_FALSE(GunzipWhole(fetch(Fault::kBadGzip).body, 1 << 20).has_value());
  EXPECT_FALSE(GunzipWhole(fetch(Fault::kCut).body, 1 << 20).has_value());
  EXPECT_EQ(*GunzipWhole(fetch(Fault::kCutJson).body, 1 << 20), good.substr(0, good.size() / 2));
  EXPECT_EQ(fetch(Fault::kBareGzip).header("Content-Encoding"), "");
  EXPECT_EQ(*GunzipWhole(fetch(Fault::kBareGzip).body, 1 << 20), good);
  EXPECT_EQ(*GunzipWhole(fetch(Fault::kTrickle).body, 1 << 20), good);
}

TEST(Faults, ServeAnotherIdOrAnOlderBody) {
  Bench wrong({.rate = 0, .faults = Only(Fault::kWrongId)}),
      stale({.rate = 0, .faults = Only(Fault::kStale)}), healthy;
  const std::int64_t id = healthy.First(Kind::kMovie);
  const std::string path = "movie/" + std::to_string(id) + "?append_to_response=credits";
  const std::string other = wrong.Api(path).body, older = stale.Api(path).body,
                    today = healthy.Api(path).body;
  EXPECT_NE(PartOf(other, "id"), std::to_string(id));
  EXPECT_EQ(Names(other), Names(today));
  EXPECT_EQ(PartOf(older, "id"), std::to_string(id));
  EXPECT_EQ(Names(older), Names(today));
  EXPECT_EQ(PartOf(older, "credits"), PartOf(today, "credits"));
  EXPECT_NE(older, today);
  // A list has no other id: nothing happens to it, and nothing is counted.
  EXPECT_EQ(wrong.Api("genre/tv/list").body, healthy.Api("genre/tv/list").body);
  EXPECT_EQ(PartOf(*PartOf(wrong.Counters(), "faults"), "wrong-id"), "1");
}

TEST(Faults, BeginAnOutageForEverybodyThatEnds) {
  Bench bench({.rate = 0, .faults = Only(Fault::kBurst, 1)});
  int asked = 0;
  while (bench.Api("movie/" + std::to_string(++asked)).status() != 503) ASSERT_LT(asked, 2000);
  bench.clock.Advance(std::chrono::milliseconds(1900));
  EXPECT_GE(bench.Api("configuration").status(), 500);
  EXPECT_GE(bench.Api("genre/tv/list").status(), 500);
  bench.clock.Advance(std::chrono::milliseconds(2100));
  EXPECT_EQ(bench.Api("genre/movie/list").status(), 200);
}

TEST(Faults, LeaveExportsAloneUnlessToldOtherwise) {
  FaultOptions faults = Only(Fault::kHtml503);
  const char* path = "/p/exports/movie_ids_11_22_2026.json.gz";
  EXPECT_EQ(Bench({.rate = 0, .faults = faults}).Get(path).status(), 200);
  faults.on_exports = true;
  EXPECT_EQ(Bench({.rate = 0, .faults = faults}).Get(path).status(), 503);
  for (const Fault fault : {Fault::kBadGzip, Fault::kCut}) {
    faults = Only(fault);
    faults.on_exports = true;
    Bench bench({.rate = 0, .faults = faults});
    const Fetched fetched = bench.Get(path);
    EXPECT_EQ(fetched.answer.framing, http::Answer::Framing::kLength);
    EXPECT_EQ(fetched.header("Content-Encoding"), "");
    EXPECT_FALSE(GunzipWhole(fetched.body, 1 << 24).has_value()) << NameOf(fault);
  }
}

// The judge's book

TEST(Simulator, CountsWhatArrives) {
  Bench bench;
  const std::string movie = std::to_string(bench.First(Kind::kMovie)),
                    show = std::to_string(bench.First(Kind::kTv));
  bench.Api("movie/" + movie + "?append_to_response=credits,images,bogus");
  bench.clock.Advance(std::chrono::milliseconds(2500));
  bench.Api("tv/" + show + "?append_to_response=season/0,season/1,season/77");
  bench.Api("tv/" + show + "/season/1");
  bench.Api("tv/" + show + "/season/1/episode/1");
  bench.Api("movie/" + movie + "/credits");
  bench.Api("movie/999999999");
  bench.Api("configuration");
  bench.Get("/3/movie/1");
  bench.Get("/p/exports/movie_ids_11_21_2026.json.gz");
  const std::string counters = bench.Counters();
  EXPECT_EQ(PartOf(counters, "requests"), "9");
  EXPECT_EQ(PartOf(counters, "api_requests"), "8");
  EXPECT_EQ(
      PartOf(counters, "by_class"),
      R"({"configuration":{"200":1},"episode":{"200":1},"export":{"200":1},"movie":{"200":1,"404":1},"part":{"200":1},"refused":{"401":1},)"
      R"("season":{"200":1},"tv":{"200":1}})");
  EXPECT_EQ(PartOf(counters, "by_status"), R"({"200":7,"401":1,"404":1})");
  EXPECT_EQ(PartOf(counters, "appended_objects"), "4");
  EXPECT_EQ(PartOf(counters, "first_request"), "\"2026-11-22T12:00:00.000Z\"");
  EXPECT_EQ(PartOf(counters, "last_request"), "\"2026-11-22T12:00:02.500Z\"");
  EXPECT_EQ(PartOf(counters, "seconds"), "2.5");
  bench.Get("/sim/reset");
  EXPECT_EQ(bench.Counter("requests"), 0);
  EXPECT_EQ(PartOf(bench.Counters(), "first_request"), "null");
}

TEST(Simulator, TellsTheTruthThatItServes) {
  Bench bench;
  const std::int64_t movie = bench.First(Kind::kMovie), show = bench.ShowOf(10),
                     keyword = bench.First(Kind::kKeyword);
  const auto truth = [&](const std::string& query) { return bench.Get("/sim/truth?" + query).body; };
  const std::string id = std::to_string(movie);
  EXPECT_EQ(
      truth("type=movie&id=" + id),
      bench.Api("movie/" + id + "?append_to_response=" + std::string(DefaultAppends(Kind::kMovie))).body);
  EXPECT_EQ(truth("type=movie&id=" + id + "&append_to_response=images,credits"),
            bench.Api("movie/" + id + "?append_to_response=images,credits").body);
  const std::string tv = std::to_string(show);
  const std::string appended =
      bench.Api("tv/" + tv + "?append_to_response=" + std::string(DefaultAppends(Kind::kTv)) + ",season/3")
          .body;
  EXPECT_EQ(truth("type=tv&id=" + tv), WithoutPart(appended, "season/3"));
  EXPECT_EQ(truth("type=season&tv_id=" + tv + "&season_number=3"), PartOf(appended, "season/3"));
  EXPECT_EQ(truth("type=keyword&id=" + std::to_string(keyword)),
            bench.world().ExportLine(Kind::kKeyword, keyword));
  EXPECT_EQ(bench.Get("/sim/truth?type=movie&id=999999999").status(), 404);
  EXPECT_EQ(bench.Counter("requests"), 3) << "its own paths do not count";
}

TEST(Simulator, WritesTheTruthOfEveryLiveId) {
  Bench bench({.rate = 0}, {.seed = 5, .counts = {40, 12, 20, 5, 5, 5, 5}, .gone_share = 0.2});
  std::map<std::string, int> lines;
  bench.simulator().api().ForEachTruth([&](const std::string& line) {
    const std::string type(*PartOf(line, "type"));
    ++lines[type];
    std::string query =
        "/sim/truth?type=" + type.substr(1, type.size() - 2) + "&id=" + std::string(*PartOf(line, "id"));
    if (type == "\"season\"") {
      query += "&tv_id=" + std::string(*PartOf(line, "tv_id")) +
               "&season_number=" + std::string(*PartOf(line, "season_number"));
    }
    const std::string body = bench.Get(query).body;
    EXPECT_EQ(PartOf(line, "sha256"), "\"" + Sha256Hex(body) + "\"");
    EXPECT_EQ(PartOf(line, "bytes"), std::to_string(body.size()));
  });
  std::map<std::string, int> live;
  for (const Kind kind : {Kind::kMovie, Kind::kTv, Kind::kPerson, Kind::kCollection, Kind::kCompany,
                          Kind::kNetwork, Kind::kKeyword}) {
    bench.world().ForEachId(kind, [&](std::int64_t id, bool) {
      ++live["\"" + std::string(NameOf(kind)) + "\""];
      if (kind == Kind::kTv) live["\"season\""] += static_cast<int>(bench.world().Seasons(id).size());
    });
  }
  EXPECT_EQ(lines, live);
  EXPECT_LT(lines["\"movie\""], 42);
}

}  // namespace
}  // namespace tmdbc::sim
