// SPDX-License-Identifier: MIT
// What a person export of five million lines costs from the disk to the queue, stage by stage; each stage
// holds those before it. CPU is that of the process, peak_MiB its peak memory during the stage (file cache of
// SQLite included). The export is synthetic, in TMDB's shape: ids with gaps, nearly sorted, names of
// syllables, popularity with many equal small values. It is made once and left in the temporary folder.
// TMDBC_BENCH_LINES names another size.
//
//   export_bench --benchmark_filter=Inflate
#include <benchmark/benchmark.h>
#include <fmt/core.h>
#include <stdlib.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <random>
#include <string>

#include "base/compression.h"
#include "base/sqlite.h"
#include "harvester/accepted_exports.h"
#include "harvester/export_ids.h"
#include "harvester/export_reader.h"
#include "harvester/harvester.h"
#include "queue/sqlite_queue.h"
#include "storage/store_pieces_test.h"
#include "testing/fake_clock.h"
#include "testing/fake_export_host.h"

namespace tmdbc {
namespace {

namespace fs = std::filesystem;

template <class T>
T Must(Result<T> result) {
  if (result) {
    if constexpr (std::is_void_v<T>) {
      return;
    } else {
      return *std::move(result);
    }
  }
  fmt::print(stderr, "{}\n", result.error().message);
  std::abort();
}

std::int64_t LineCount() {
  const char* lines = std::getenv("TMDBC_BENCH_LINES");
  return lines ? std::atoll(lines) : 5'000'000;
}

std::string NameOf(std::mt19937_64& random) {
  static constexpr const char* kSyllables[] = {
      "an",  "be", "cor",    "da",     "el",     "fin", "go",  "hu",  "ist", "jo", "ka",
      "lin", "ma", "no",     "ol",     "pe",     "ri",  "sa",  "tor", "ur",  "vi", "wen",
      "ya",  "zh", "\u00e9", "\u00f6", "\u738b", "mc",  "son", "ski", "ez",  "ova"};
  std::string name;
  for (int word = 0; word < 2; ++word) {
    if (word) name += ' ';
    for (auto i = 2 + random() % 2; i > 0; --i) name += kSyllables[random() % std::size(kSyllables)];
  }
  return name;
}

// Returns the path below the temporary folder.
std::string MakeExport(std::int64_t lines) {
  const std::string name = fmt::format("tmdbc_bench_person_ids_{}.json.gz", lines);
  const fs::path path = fs::temp_directory_path() / name;
  if (fs::exists(path)) return name;
  fmt::print(stderr, "making {}\n", path.string());
  std::mt19937_64 random(1);
  std::string text;
  std::ofstream out(path.string() + ".tmp", std::ios::binary);
  std::uint64_t id = 4;
  for (std::int64_t i = 0; i < lines; ++i) {
    id += 1 + (random() % 4 == 0 ? random() % 3 : 0);
    // One line in fifty is out of order, as in the real files.
    const std::uint64_t shown = random() % 50 == 0 && id > 1000 ? id - 1000 : id;
    const double popularity = random() % 3 == 0 ? 0 : double(random() % 30'000) * double(random() % 10) / 1e5;
    text += fmt::format("{{\"adult\":false,\"id\":{},\"name\":\"{}\",\"popularity\":{:.4f}}}\n", shown,
                        NameOf(random), popularity);
    if (text.size() > (8 << 20) || i + 1 == lines) {
      out << Gzip(text);
      text.clear();
    }
  }
  out.close();
  fs::rename(path.string() + ".tmp", path);
  return name;
}

// Peak memory since it was made, by /proc (Linux).
class PeakMemory {
 public:
  PeakMemory() { std::ofstream("/proc/self/clear_refs") << "5"; }
  double mib() const {
    std::ifstream status("/proc/self/status");
    for (std::string line; std::getline(status, line);) {
      if (line.starts_with("VmHWM:")) return double(std::atoll(line.c_str() + 6)) / 1024;
    }
    return 0;
  }
};

struct Input {
  std::int64_t lines = LineCount();
  PosixFileSystem files{fs::temp_directory_path().string()};
  std::string path = MakeExport(lines);
  StopFlag stop;
  SystemClock clock;
  Log log{stderr, LogLevel::kError, LogFormat::kText, clock};
};

void Report(benchmark::State& state, const Input& input, const PeakMemory& peak) {
  state.SetItemsProcessed(state.iterations() * input.lines);
  state.counters["peak_MiB"] = peak.mib();
}

void Inflate(benchmark::State& state) {
  Input input;
  const PeakMemory peak;
  for (auto _ : state) {
    GzipInflater inflater;
    std::uint64_t bytes = 0;
    const std::uint64_t size = Must(input.files.Size(input.path));
    for (std::uint64_t at = 0; at < size; at += 1 << 20) {
      Must(inflater.Feed(Must(input.files.Read(input.path, at, 1 << 20)),
                         [&](std::string_view piece) { bytes += piece.size(); }));
    }
    Must(inflater.Finish());
    benchmark::DoNotOptimize(bytes);
  }
  Report(state, input, peak);
}

void Lines(benchmark::State& state) {
  Input input;
  const PeakMemory peak;
  for (auto _ : state) {
    std::size_t bytes = 0;
    Must(VisitExportLines(input.files, input.path, input.stop,
                          [&](std::int64_t, std::string_view line) { bytes += line.size(); }));
    benchmark::DoNotOptimize(bytes);
  }
  Report(state, input, peak);
}

void Parse(benchmark::State& state) {
  Input input;
  const PeakMemory peak;
  for (auto _ : state) {
    ExportLineParser parser;
    std::uint64_t sum = 0;
    Must(VisitExportLines(input.files, input.path, input.stop, [&](std::int64_t, std::string_view line) {
      if (const auto entry = parser.Parse(line)) sum += entry->id;
    }));
    benchmark::DoNotOptimize(sum);
  }
  Report(state, input, peak);
}

void SortById(benchmark::State& state) {
  Input input;
  const PeakMemory peak;
  for (auto _ : state) {
    const auto read = Must(ReadExport(input.files, input.path, false, input.stop, input.log));
    benchmark::DoNotOptimize(read.content.ids.data());
  }
  Report(state, input, peak);
}

Result<void> NothingKnown(const std::function<void(std::int64_t)>&) {
  return {};
}

void SortByPopularity(benchmark::State& state) {
  Input input;
  const PeakMemory peak;
  for (auto _ : state) {
    const auto read = Must(ReadExport(input.files, input.path, false, input.stop, input.log));
    const auto unknown = Must(FindUnknown(read.content.ids, NothingKnown));
    benchmark::DoNotOptimize(unknown.ids.data());
  }
  Report(state, input, peak);
}

// A data folder in which the export was accepted today, so that a harvest reads it from the disk: all of the
// work but the download.
class DataFolder {
 public:
  explicit DataFolder(const Input& input) {
    root_ = (fs::temp_directory_path() / "export_bench_XXXXXX").string();
    if (::mkdtemp(root_.data()) == nullptr) std::abort();
    clock_.Advance(std::chrono::hours(9));
    const auto today = std::chrono::floor<std::chrono::days>(clock_.Now());
    files_.emplace(root_);
    catalog_.emplace(Must(Database::Open(root_ + "/catalog.db", Database::Mode::kReadWrite)));
    store_ = Must(testing::StorePieces::Open(*files_, *catalog_, clock_, {}));
    queue_ = Must(SqliteIdQueue::Open(*catalog_, clock_));
    const std::string kept = root_ + "/" + KeptExportPath("person_ids", today);
    fs::create_directory(root_ + "/exports");
    fs::create_symlink(fs::temp_directory_path() / input.path, kept);
    Must(CreateAcceptedExports(*catalog_));
    Must(RecordAcceptedExport(
        *catalog_, {.name = "person_ids", .date = today, .lines = input.lines, .ids = input.lines}));
    host_.emplace(clock_);
  }
  ~DataFolder() {
    queue_.reset();
    store_.reset();
    catalog_.reset();
    fs::remove_all(root_);
  }

  HarvestReport Harvest(Log& log, const StopFlag& stop) {
    Harvester harvester({.clock = clock_,
                         .transport = *host_,
                         .files = *files_,
                         .catalog = *catalog_,
                         .reader = store_->reader,
                         .ledger = store_->ledger,
                         .writer = *store_->writer,
                         .popularity = store_->popularity,
                         .sender = *queue_,
                         .desk = *queue_,
                         .upstream = upstream_,
                         .limiter = limiter_,
                         .random = random_,
                         .log = log},
                        {.export_base_url = "http://exports.test", .api = {}});
    return Must(
        harvester.Harvest({.types = {MediaType::kPerson}, .limit = {}, .mode = HarvestMode::kExport}, stop));
  }
  testing::StorePieces& store() { return *store_; }

 private:
  std::string root_;
  testing::FakeClock clock_;
  UpstreamDate upstream_;
  RateLimiter limiter_{40, clock_};
  std::mt19937_64 random_{1};
  std::optional<PosixFileSystem> files_;
  std::optional<Database> catalog_;
  std::unique_ptr<testing::StorePieces> store_;
  std::unique_ptr<SqliteIdQueue> queue_;
  std::optional<testing::FakeExportHost> host_;
};

// Known, sorted and queued durably: the aim is 6 s of CPU.
void FirstHarvest(benchmark::State& state) {
  Input input;
  double peak_mib = 0;
  for (auto _ : state) {
    state.PauseTiming();
    DataFolder folder(input);
    const PeakMemory peak;
    state.ResumeTiming();
    const HarvestReport report = folder.Harvest(input.log, input.stop);
    state.PauseTiming();
    peak_mib = peak.mib();
    state.counters["queued"] = double(report.queued());
    state.ResumeTiming();
  }
  state.SetItemsProcessed(state.iterations() * input.lines);
  state.counters["peak_MiB"] = peak_mib;
}

void SecondHarvest(benchmark::State& state) {
  Input input;
  DataFolder folder(input);
  folder.Harvest(input.log, input.stop);
  const PeakMemory peak;
  for (auto _ : state) state.counters["queued"] = double(folder.Harvest(input.log, input.stop).queued());
  Report(state, input, peak);
}

// The popularity of all ids into the index, as after a new export.
void SetPopularity(benchmark::State& state) {
  Input input;
  DataFolder folder(input);
  const PeakMemory peak;
  for (auto _ : state) {
    auto read = Must(ReadExport(input.files, input.path, false, input.stop, input.log));
    const PopularityList list(std::move(read.content.ids));
    Must(folder.store().popularity.Set(MediaType::kPerson, list.entries()));
  }
  Report(state, input, peak);
}

BENCHMARK(Inflate)->Unit(benchmark::kMillisecond)->MeasureProcessCPUTime();
BENCHMARK(Lines)->Unit(benchmark::kMillisecond)->MeasureProcessCPUTime();
BENCHMARK(Parse)->Unit(benchmark::kMillisecond)->MeasureProcessCPUTime();
BENCHMARK(SortById)->Unit(benchmark::kMillisecond)->MeasureProcessCPUTime();
BENCHMARK(SortByPopularity)->Unit(benchmark::kMillisecond)->MeasureProcessCPUTime();
BENCHMARK(FirstHarvest)->Unit(benchmark::kMillisecond)->MeasureProcessCPUTime()->Iterations(1);
BENCHMARK(SecondHarvest)->Unit(benchmark::kMillisecond)->MeasureProcessCPUTime()->Iterations(1);
BENCHMARK(SetPopularity)->Unit(benchmark::kMillisecond)->MeasureProcessCPUTime()->Iterations(1);

}  // namespace
}  // namespace tmdbc

BENCHMARK_MAIN();
