// SPDX-License-Identifier: MIT
// What a record costs in the store: put and commit on a real disk, look-ups by id, bytes a record, the
// popularity of an export. Bodies are made up in TMDB's shape (18 KB); with TMDBC_CORPUS set to a folder of
// recorded ones, those are used.
#include <benchmark/benchmark.h>
#include <fmt/format.h>
#include <sys/resource.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "storage/store_pieces_test.h"

namespace tmdbc {
namespace {

namespace fs = std::filesystem;

// A folder for one benchmark, gone with it.
struct Folder {
  fs::path path = fs::temp_directory_path() / fmt::format("storage_bench.{}", std::random_device{}());
  Folder() { fs::create_directories(path); }
  ~Folder() { fs::remove_all(path); }
};

struct World {
  Folder folder;
  SystemClock clock;
  PosixFileSystem files{folder.path.string()};
  Database catalog =
      Database::Open((folder.path / "catalog.db").string(), Database::Mode::kReadWrite).value();
  std::unique_ptr<testing::StorePieces> store = testing::StorePieces::Open(files, catalog, clock, {}).value();
};

std::string MadeUpMovie(std::int64_t id, std::size_t bytes) {
  static constexpr const char* kWords[] = {"the",    "a",     "night", "detective", "finds", "city",
                                           "love",   "war",   "young", "must",      "world", "where",
                                           "family", "story", "life",  "secret",    "home",  "against"};
  std::mt19937_64 random{std::uint64_t(id)};
  std::string body =
      fmt::format(R"({{"adult":false,"id":{},"title":"Movie {}","popularity":{:.3f},"overview":")", id, id,
                  double(random() % 100'000) / 1000);
  for (int i = 0; i < 60; ++i)
    fmt::format_to(std::back_inserter(body), "{} ", kWords[random() % std::size(kWords)]);
  body += R"(","credits":{"cast":[)";
  for (int order = 0; body.size() < bytes; ++order) {
    fmt::format_to(
        std::back_inserter(body),
        R"({}{{"adult":false,"gender":{},"id":{},"known_for_department":"Acting","name":"Actor {}","original_name":)"
        R"("Actor {}","popularity":{:.3f},"profile_path":"/{:016x}{:08x}.jpg","cast_id":{},"character":"{} {}",)"
        R"("credit_id":"{:016x}{:08x}","order":{}}})",
        order == 0 ? "" : ",", random() % 3, random() % 3'000'000, random() % 50'000, random() % 50'000,
        double(random() % 9000) / 1000, random(), random() & 0xffffffff, order,
        kWords[random() % std::size(kWords)], random() % 99, random(), random() & 0xffffffff, order);
  }
  return body + "]}}";
}

// Documents to be stored over and over under ids of their own.
std::vector<Document> Documents() {
  std::vector<Document> documents;
  const auto add = [&](std::string body) {
    Document document;
    document.hash = HashContent(body).value_or(ContentHash{});
    document.data = OneLine(std::move(body)).value_or("{}");
    documents.push_back(std::move(document));
  };
  if (const char* corpus = std::getenv("TMDBC_CORPUS")) {
    for (const char* type : {"movie", "tv", "person"}) {
      for (const auto& entry : fs::directory_iterator(fs::path(corpus) / type)) {
        if (entry.path().extension() != ".json") continue;
        std::ifstream in(entry.path(), std::ios::binary);
        std::string body{std::istreambuf_iterator<char>(in), {}};
        if (HashContent(body)) add(std::move(body));
      }
    }
  }
  for (int id = 1; documents.size() < 200 && std::getenv("TMDBC_CORPUS") == nullptr; ++id)
    add(MadeUpMovie(id, 18'000));
  return documents;
}

double CpuSeconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) { return double(time.tv_sec) + double(time.tv_usec) / 1e6; };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

// Puts `count` records from id `first` on, committing when it is due.
std::uint64_t PutMany(World& world, const std::vector<Document>& documents, std::int64_t first,
                      std::int64_t count) {
  std::uint64_t bytes = 0;
  for (std::int64_t id = first; id < first + count; ++id) {
    Document document = documents[std::size_t(id) % documents.size()];
    document.id = {MediaType::kMovie, id};
    document.fetched_at = world.clock.Now();
    bytes += document.data.size();
    if (!world.store->writer->Put(std::move(document))) std::abort();
    if (world.store->writer->CommitDue() && !world.store->writer->Commit({})) std::abort();
  }
  if (!world.store->writer->Commit({})) std::abort();
  return bytes;
}

// New records, made durable in batches of 4 MiB. CPU counts the whole process: sha256, zstd, SQLite, write
// and sync.
void BM_PutCommit(benchmark::State& state) {
  const auto documents = Documents();
  constexpr std::int64_t kRecords = 2000;
  World world;
  std::int64_t next = 1;
  std::uint64_t bytes = 0;
  const double cpu = CpuSeconds();
  for (auto _ : state) {
    bytes += PutMany(world, documents, next, kRecords);
    next += kRecords;
  }
  const double records = double(next - 1);
  const auto counts = world.store->ledger.Counts().value();
  state.counters["cpu_us/record"] = (CpuSeconds() - cpu) * 1e6 / records;
  state.counters["bytes_in/record"] = double(bytes) / records;
  state.counters["bytes_stored/record"] = double(counts[0].second.bytes) / records;
  if (!world.store->writer->Seal()) std::abort();
  auto query =
      world.catalog.Prepare("SELECT page_count*page_size FROM pragma_page_count, pragma_page_size").value();
  if (query.Step().value()) state.counters["bytes_index/record"] = double(query.Int(0)) / records;
  state.SetItemsProcessed(std::int64_t(records));
}
BENCHMARK(BM_PutCommit)->Unit(benchmark::kMillisecond)->UseRealTime();

// Records of 60 bytes, as keywords are: what a record costs without its body.
void BM_PutCommitTiny(benchmark::State& state) {
  std::vector<Document> documents(1);
  documents[0].data = R"({"id":378,"name":"prison"})";
  documents[0].hash = HashContent(documents[0].data).value();
  constexpr std::int64_t kRecords = 50'000;
  World world;
  std::int64_t next = 1;
  const double cpu = CpuSeconds();
  for (auto _ : state) {
    PutMany(world, documents, next, kRecords);
    next += kRecords;
  }
  state.counters["cpu_us/record"] = (CpuSeconds() - cpu) * 1e6 / double(next - 1);
  state.SetItemsProcessed(next - 1);
}
BENCHMARK(BM_PutCommitTiny)->Unit(benchmark::kMillisecond)->UseRealTime();

// Fetches that find nothing new.
void BM_PutUnchanged(benchmark::State& state) {
  const auto documents = Documents();
  constexpr std::int64_t kRecords = 20'000;
  World world;
  PutMany(world, documents, 1, kRecords);
  for (auto _ : state) PutMany(world, documents, 1, kRecords);
  state.SetItemsProcessed(state.iterations() * kRecords);
}
BENCHMARK(BM_PutUnchanged)->Unit(benchmark::kMillisecond)->UseRealTime();

// Look-ups of random ids, the page cache warm.
template <auto find>
void FindById(benchmark::State& state) {
  const auto documents = Documents();
  constexpr std::int64_t kRecords = 20'000;
  World world;
  PutMany(world, documents, 1, kRecords);
  std::mt19937_64 random(1);
  for (auto _ : state) {
    auto found = (world.store->reader.*find)({MediaType::kMovie, 1 + std::int64_t(random() % kRecords)});
    if (!found) std::abort();
    benchmark::DoNotOptimize(found->data);
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(FindById<&RecordReader::Find>)->Name("BM_Find")->Unit(benchmark::kMicrosecond);
// Bodies alone, as `serve` wants them.
BENCHMARK(FindById<&RecordReader::FindBody>)->Name("BM_FindBody")->Unit(benchmark::kMicrosecond);

// A reader that starts, finds one record and ends.
void BM_OpenAndFind(benchmark::State& state) {
  const auto documents = Documents();
  constexpr std::int64_t kRecords = 20'000;
  World world;
  PutMany(world, documents, 1, kRecords);
  std::mt19937_64 random(1);
  for (auto _ : state) {
    auto catalog =
        Database::Open((world.folder.path / "catalog.db").string(), Database::Mode::kReadOnly).value();
    const auto reader = testing::StorePieces::ForReading(world.files, catalog);
    if (!reader->reader.Find({MediaType::kMovie, 1 + std::int64_t(random() % kRecords)})) std::abort();
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_OpenAndFind)->Unit(benchmark::kMicrosecond);

// The standing of a million ids, as a harvest asks for them.
void BM_VisitStates(benchmark::State& state) {
  World world;
  std::vector<Document> documents(1);
  documents[0].data = R"({"id":378,"name":"prison"})";
  documents[0].hash = HashContent(documents[0].data).value();
  constexpr std::int64_t kRecords = 1'000'000;
  PutMany(world, documents, 1, kRecords);
  for (std::int64_t id = 1; id <= 50'000; ++id) {
    if (!world.store->writer->PutGone({MediaType::kMovie, kRecords + 7 * id}, world.clock.Now()))
      std::abort();
  }
  if (!world.store->writer->Commit({})) std::abort();
  std::int64_t visited = 0;
  for (auto _ : state) {
    if (!world.store->ledger.VisitStates(MediaType::kMovie, [&](const IdState&) { ++visited; })) std::abort();
  }
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  state.counters["peak_mb"] = double(usage.ru_maxrss) / 1024;
  state.SetItemsProcessed(visited);
}
BENCHMARK(BM_VisitStates)->Unit(benchmark::kMillisecond);

// Thirty days' segments of 500 records each, merged into one.
void BM_Compact(benchmark::State& state) {
  const auto documents = Documents();
  std::int64_t bytes = 0;
  for (auto _ : state) {
    state.PauseTiming();
    auto world = std::make_unique<World>();
    for (std::int64_t day = 0; day < 30; ++day) {
      PutMany(*world, documents, 1 + 500 * day, 500);
      if (!world->store->writer->Seal()) std::abort();
    }
    state.ResumeTiming();
    const auto report = world->store->Compact(MediaType::kMovie, {}, {});
    if (!report) std::abort();
    bytes += report->bytes_before;
    state.counters["segments_before"] = double(report->segments_before);
    state.counters["segments_after"] = double(report->segments_after);
    state.PauseTiming();
    world.reset();
    state.ResumeTiming();
  }
  state.SetBytesProcessed(bytes);
}
BENCHMARK(BM_Compact)->Unit(benchmark::kMillisecond)->UseRealTime();

// The popularity of an export of five million ids.
void BM_SetPopularity(benchmark::State& state) {
  World world;
  std::vector<Popularity> sorted;
  for (std::int64_t id = 1; id <= 5'000'000; ++id) sorted.push_back({id, float(id % 1000) / 10});
  for (auto _ : state) {
    if (!world.store->popularity.Set(MediaType::kPerson, sorted)) std::abort();
  }
  state.SetItemsProcessed(state.iterations() * std::int64_t(sorted.size()));
}
BENCHMARK(BM_SetPopularity)->Unit(benchmark::kMillisecond)->UseRealTime();

void BM_PopularityOf(benchmark::State& state) {
  World world;
  std::vector<Popularity> sorted;
  for (std::int64_t id = 1; id <= 1'000'000; ++id) sorted.push_back({id, float(id % 1000) / 10});
  if (!world.store->popularity.Set(MediaType::kPerson, sorted)) std::abort();
  std::mt19937_64 random(1);
  for (auto _ : state) {
    benchmark::DoNotOptimize(
        world.store->popularity.Find({MediaType::kPerson, std::int64_t(random() % 1'000'000)}));
  }
}
BENCHMARK(BM_PopularityOf)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace tmdbc

BENCHMARK_MAIN();
