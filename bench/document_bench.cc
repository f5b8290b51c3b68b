// SPDX-License-Identifier: MIT
// What a body costs between the socket and the store: parse, hash, cut. The bare parse is the yardstick:
// parse and both hashes are to take at most 4 times as long. Bodies are made up in TMDB's shape: real ones
// are not ours to keep.
#include <benchmark/benchmark.h>
#include <fmt/core.h>

#include <random>
#include <string>

#include "tmdb/detail_fetch.h"
#include "base/json.h"

namespace tmdbc {
namespace {

std::string Credits(int people, std::mt19937_64& random) {
  std::string text = R"({"cast":[)";
  for (int i = 0; i < people; ++i) {
    text += fmt::format(
        R"({}{{"adult":false,"gender":{},"id":{},"known_for_department":"Acting","name":"Person \"{}\"","original_name":)"
        R"("Person {}","popularity":{}.{:04},"profile_path":"/{:016x}.jpg","cast_id":{},"character":"The R\u00f4le {}",)"
        R"("credit_id":"{:024x}","order":{}}})",
        i == 0 ? "" : ",", random() % 4, random() % 4'000'000, i, i, random() % 40, random() % 10000,
        random(), i, i, random(), i);
  }
  return text + R"(],"crew":[]})";
}

std::string MovieBody(int people) {
  std::mt19937_64 random(1);
  return R"({"adult":false,"backdrop_path":"/5TiwfWEaPSwD20uwXjCTUqpQX70.jpg","belongs_to_collection":null,"budget":63000000,)"
         R"("genres":[{"id":18,"name":"Drama"}],"homepage":"","id":550,"imdb_id":"tt0137523","overview":")" +
         std::string(400, 'x') +
         R"(","popularity":61.416,"runtime":139,"status":"Released","title":"A Film","vote_average":8.433,)"
         R"("vote_count":26280,"credits":)" +
         Credits(people, random) + "}";
}

std::string ShowBody(int seasons, int episodes) {
  std::mt19937_64 random(2);
  std::string list;
  std::string bodies;
  for (int number = 0; number < seasons; ++number) {
    list += fmt::format(R"({}{{"air_date":null,"id":{},"season_number":{}}})", number == 0 ? "" : ",",
                        3600 + number, number);
    bodies += fmt::format(R"(,"season/{}":{{"_id":"{:024x}","episodes":[)", number, random());
    for (int episode = 1; episode <= episodes; ++episode) {
      bodies += fmt::format(
          R"({}{{"episode_number":{},"id":{},"name":"Episode {}","vote_average":7.9,"credits":{}}})",
          episode == 1 ? "" : ",", episode, random() % 9'000'000, episode, Credits(8, random));
    }
    bodies += fmt::format(R"(],"season_number":{}}})", number);
  }
  return R"({"id":1399,"name":"A Show","seasons":[)" + list + R"(],"vote_count":21390)" + bodies + "}";
}

void Report(benchmark::State& state, const std::string& body) {
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations()) *
                          static_cast<std::int64_t>(body.size()));
  state.counters["body"] = static_cast<double>(body.size());
}

void BM_BareParse(benchmark::State& state) {
  const std::string body = MovieBody(static_cast<int>(state.range(0)));
  simdjson::dom::parser parser;
  for (auto _ : state) benchmark::DoNotOptimize(parser.parse(body).error());
  Report(state, body);
}
BENCHMARK(BM_BareParse)->Arg(15)->Arg(60)->Arg(180);

void BM_HashContent(benchmark::State& state) {
  const std::string body = MovieBody(static_cast<int>(state.range(0)));
  for (auto _ : state) benchmark::DoNotOptimize(HashContent(body));
  Report(state, body);
}
BENCHMARK(BM_HashContent)->Arg(15)->Arg(60)->Arg(180);

void BM_FetchOfAMovie(benchmark::State& state) {
  const std::string body = MovieBody(static_cast<int>(state.range(0)));
  for (auto _ : state) {
    DetailFetch fetch({MediaType::kMovie, 550}, {}, DefaultNamespaces());
    if (!fetch.Accept(fetch.TakeCalls()[0].index, body, std::nullopt, Time{})) state.SkipWithError("refused");
    benchmark::DoNotOptimize(fetch.TakeDocuments());
  }
  Report(state, body);
}
BENCHMARK(BM_FetchOfAMovie)->Arg(15)->Arg(60)->Arg(180);

void BM_BareParseOfAShow(benchmark::State& state) {
  const std::string body = ShowBody(8, static_cast<int>(state.range(0)));
  simdjson::dom::parser parser;
  for (auto _ : state) benchmark::DoNotOptimize(parser.parse(body).error());
  Report(state, body);
}
BENCHMARK(BM_BareParseOfAShow)->Arg(1)->Arg(10);

void BM_FetchOfAShow(benchmark::State& state) {
  const std::string body = ShowBody(8, static_cast<int>(state.range(0)));
  for (auto _ : state) {
    DetailFetch fetch({MediaType::kTv, 1399}, {}, DefaultNamespaces());
    if (!fetch.Accept(fetch.TakeCalls()[0].index, body, std::nullopt, Time{})) state.SkipWithError("refused");
    benchmark::DoNotOptimize(fetch.TakeDocuments());
  }
  Report(state, body);
}
BENCHMARK(BM_FetchOfAShow)->Arg(1)->Arg(10);

void BM_RawMembers(benchmark::State& state) {
  const std::string body = ShowBody(8, static_cast<int>(state.range(0)));
  for (auto _ : state) benchmark::DoNotOptimize(RawMembers(body));
  Report(state, body);
}
BENCHMARK(BM_RawMembers)->Arg(1)->Arg(10);

}  // namespace
}  // namespace tmdbc

BENCHMARK_MAIN();
