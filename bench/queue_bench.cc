// SPDX-License-Identifier: MIT
// The id queue at the size of the largest export: 5 million ids sent and received, durably, beside raw SQLite
// writing the same rows. Needs tmdbc_queue. QUEUE_BENCH_DIR names the disk to measure (the working directory
// by default).
//   queue_bench --benchmark_counters_tabular=true
#include <benchmark/benchmark.h>
#include <sqlite3.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "base/sqlite.h"
#include "queue/sqlite_queue.h"

namespace tmdbc {
namespace {

constexpr std::int64_t kIds = 5'000'000;

std::string Path() {
  const char* folder = std::getenv("QUEUE_BENCH_DIR");
  return fmt::format("{}/queue-bench-{}.db", folder ? folder : ".", getpid());
}

void RemoveFiles() {
  for (const char* suffix : {"", "-wal", "-shm"}) std::remove((Path() + suffix).c_str());
}

struct Entry {
  std::uint32_t id;
  float popularity;
};

// As in the person export: ids ascending with gaps, popularities with four decimals, most of them small.
const std::vector<Entry>& Export() {
  static const std::vector<Entry> entries = [] {
    std::mt19937_64 random(1);
    std::exponential_distribution<double> popularity(1.5);
    std::vector<Entry> made;
    made.reserve(kIds);
    std::uint32_t id = 3;
    for (std::int64_t i = 0; i < kIds; ++i) {
      id += 1 + std::uint32_t(random() % 100 < 36);
      made.push_back({id, float(double(std::int64_t(popularity(random) * 10'000)) / 10'000)});
    }
    return made;
  }();
  return entries;
}

// What a harvest does with it.
const std::vector<Entry>& MostPopularFirst() {
  static const std::vector<Entry> entries = [] {
    std::vector<Entry> sorted = Export();
    std::ranges::sort(sorted, [](const Entry& a, const Entry& b) {
      return a.popularity != b.popularity ? a.popularity > b.popularity : a.id < b.id;
    });
    return sorted;
  }();
  return entries;
}

double CpuSeconds() {
  timespec time{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return double(time.tv_sec) + double(time.tv_nsec) * 1e-9;
}

double ResidentMiB() {
  long total = 0, resident = 0;
  std::ifstream("/proc/self/statm") >> total >> resident;
  return double(resident) * double(sysconf(_SC_PAGESIZE)) / (1 << 20);
}

struct Queue {
  SystemClock clock;
  Database db;
  std::unique_ptr<SqliteIdQueue> queue;
  Queue() : db(Database::Open(Path(), Database::Mode::kReadWrite).value()) {
    queue = SqliteIdQueue::Open(db, clock).value();
  }
};

void SendAll(SqliteIdQueue& queue, const std::vector<Entry>& entries, std::size_t slice) {
  std::vector<QueueItem> items;
  for (std::size_t i = 0; i < entries.size(); i += slice) {
    items.clear();
    for (std::size_t j = i; j < std::min(i + slice, entries.size()); ++j) {
      items.push_back({{MediaType::kPerson, entries[j].id}, entries[j].popularity});
    }
    if (!queue.Send(items)) std::abort();
  }
}

void Report(benchmark::State& state, double cpu, std::int64_t ids) {
  state.SetItemsProcessed(ids);
  state.counters["cpu_s"] = cpu;
  state.counters["us_per_id"] = cpu * 1e6 / double(ids);
}

// range(0): ids a Send(). range(1): 1 sent most popular first, 0 in the order of the export.
void BM_Send(benchmark::State& state) {
  const auto& entries = state.range(1) == 1 ? MostPopularFirst() : Export();
  double cpu = 0, resident = 0;
  std::int64_t bytes = 0;
  for (auto _ : state) {
    state.PauseTiming();
    RemoveFiles();
    const double before = ResidentMiB();
    state.ResumeTiming();
    const double start = CpuSeconds();
    {
      Queue q;
      SendAll(*q.queue, entries, std::size_t(state.range(0)));
      resident = ResidentMiB() - before;
    }
    cpu += CpuSeconds() - start;
    state.PauseTiming();
    bytes = std::ifstream(Path(), std::ios::ate | std::ios::binary).tellg();
    state.ResumeTiming();
  }
  Report(state, cpu / double(state.iterations()), kIds);
  state.counters["bytes_per_id"] = double(bytes) / double(kIds);
  state.counters["grown_MiB"] = resident;
  RemoveFiles();
}
BENCHMARK(BM_Send)
    ->ArgNames({"slice", "popular_first"})
    ->Args({50'000, 1})
    ->Args({10'000, 1})
    ->Args({50'000, 0})
    ->Unit(benchmark::kMillisecond)
    ->Iterations(1)
    ->UseRealTime();

// The least that SQLite needs for the same rows in the same transactions: one prepared INSERT of 100 rows, no
// check for ids already there, no counts. range(0): ids a transaction.
void BM_RawSqliteInsert(benchmark::State& state) {
  const auto& entries = MostPopularFirst();
  constexpr int kRows = 100;
  double cpu = 0;
  for (auto _ : state) {
    RemoveFiles();
    const double start = CpuSeconds();
    sqlite3* db = nullptr;
    sqlite3_open(Path().c_str(), &db);
    sqlite3_exec(db,
                 "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
                 "CREATE TABLE ready(type INTEGER, rank INTEGER, id INTEGER, PRIMARY KEY(type, rank, id)) "
                 "WITHOUT ROWID",
                 nullptr, nullptr, nullptr);
    std::string sql = "INSERT INTO ready VALUES ";
    for (int i = 0; i < kRows; ++i) sql += i == 0 ? "(4,?,?)" : ",(4,?,?)";
    sqlite3_stmt* insert = nullptr;
    sqlite3_prepare_v2(db, sql.c_str(), -1, &insert, nullptr);
    const auto slice = std::size_t(state.range(0));
    for (std::size_t i = 0; i < entries.size(); i += slice) {
      sqlite3_exec(db, "BEGIN IMMEDIATE", nullptr, nullptr, nullptr);
      for (std::size_t j = i; j < i + slice; j += kRows) {
        int index = 0;
        for (std::size_t k = j; k < j + kRows; ++k) {
          sqlite3_bind_int64(insert, ++index,
                             0x7f80'0000 - std::bit_cast<std::uint32_t>(entries[k].popularity));
          sqlite3_bind_int64(insert, ++index, entries[k].id);
        }
        if (sqlite3_step(insert) != SQLITE_DONE) std::abort();
        sqlite3_reset(insert);
      }
      sqlite3_exec(db, "COMMIT", nullptr, nullptr, nullptr);
    }
    sqlite3_finalize(insert);
    sqlite3_close(db);
    cpu += CpuSeconds() - start;
  }
  Report(state, cpu / double(state.iterations()), kIds);
  RemoveFiles();
}
BENCHMARK(BM_RawSqliteInsert)
    ->ArgName("slice")
    ->Arg(50'000)
    ->Arg(10'000)
    ->Unit(benchmark::kMillisecond)
    ->Iterations(1)
    ->UseRealTime();

// The queue of all ids, filled once for those that follow.
Queue& Filled() {
  static std::optional<Queue> filled;
  if (!filled) {
    RemoveFiles();
    filled.emplace();
    SendAll(*filled->queue, MostPopularFirst(), 50'000);
    std::atexit([] { RemoveFiles(); });
  }
  return *filled;
}

// A restart: what the first Send() after it costs, which reads all ids once, and one of ids that are all
// known.
void BM_SendAgainAfterRestart(benchmark::State& state) {
  Filled();
  double cpu = 0;
  for (auto _ : state) {
    const double start = CpuSeconds();
    Queue again;
    SendAll(*again.queue, MostPopularFirst(), 50'000);
    cpu += CpuSeconds() - start;
  }
  Report(state, cpu / double(state.iterations()), kIds);
}
BENCHMARK(BM_SendAgainAfterRestart)->Unit(benchmark::kMillisecond)->Iterations(1)->UseRealTime();

// range(0): messages a Receive() and a Settle(), each a transaction of its own. range(1): 1 with both in one
// transaction, as a collector that keeps up does it.
void BM_ReceiveSettle(benchmark::State& state) {
  SqliteIdQueue& queue = *Filled().queue;
  std::vector<Receipt> receipts;
  std::int64_t ids = 0;
  const double start = CpuSeconds();
  const auto round = [&]() -> Result<void> {
    TRY_ASSIGN(const auto messages, queue.Receive(int(state.range(0)), std::chrono::seconds(60)));
    receipts.clear();
    for (const Message& message : messages) receipts.push_back(message.receipt);
    ids += std::int64_t(receipts.size());
    return queue.Settle(receipts);
  };
  for (auto _ : state) {
    if (!(state.range(1) == 1 ? Filled().db.Transact(round) : round())) std::abort();
  }
  Report(state, CpuSeconds() - start, ids);
}
BENCHMARK(BM_ReceiveSettle)
    ->ArgNames({"batch", "one_transaction"})
    ->Args({20, 0})
    ->Args({100, 0})
    ->Args({1000, 0})
    ->Args({20, 1})
    ->Args({100, 1})
    ->Args({1000, 1})
    ->MinTime(2)
    ->UseRealTime();

void BM_Counts(benchmark::State& state) {
  SqliteIdQueue& queue = *Filled().queue;
  for (auto _ : state) benchmark::DoNotOptimize(queue.Counts().value());
}
BENCHMARK(BM_Counts);

void BM_Peek20(benchmark::State& state) {
  SqliteIdQueue& queue = *Filled().queue;
  for (auto _ : state) benchmark::DoNotOptimize(queue.Peek({}, 20).value());
}
BENCHMARK(BM_Peek20);

}  // namespace
}  // namespace tmdbc

BENCHMARK_MAIN();
