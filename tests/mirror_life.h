// SPDX-License-Identifier: MIT
// MirrorLife: a mirror's life over virtual time, in one thread: the pipeline of `run`, as it opens from a
// tmdb-collector.toml, on a fake clock and the simulated TMDB. A test says what each process does, lets days pass
// between them, kills some, and asks for the truth at any time: the mirror's, and TMDB's. The mirror is under DATA_DIR
// or in a bucket; there the truth is what an outsider reads of what was published.
#pragma once

#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <exception>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "app/collection.h"
#include "app/pipeline.h"
#include "cloud/bucket_view.h"
#include "evolving_world.h"
#include "settings/settings.h"
#include "sim_transport.h"
#include "storage/store_pieces_test.h"
#include "testing/fake_clock.h"
#include "testing/memory_folder.h"
#include "testing/memory_object_store.h"
#include "tmdb/document.h"

namespace tmdbc::testing {

struct TypeOfKind {
  MediaType type;
  sim::Kind kind;
};
// What a life mirrors: what changes by itself.
inline constexpr TypeOfKind kLivingTypes[] = {{MediaType::kMovie, sim::Kind::kMovie},
                                              {MediaType::kTv, sim::Kind::kTv},
                                              {MediaType::kPerson, sim::Kind::kPerson}};
constexpr sim::Kind KindOf(MediaType type) {
  return std::ranges::find(kLivingTypes, type, &TypeOfKind::type)->kind;
}

// The machine's clock, which may be wrong. Monotonic time is right.
class MachineClock final : public Clock {
 public:
  explicit MachineClock(const FakeClock& right) : right_(right) {}
  Time Now() const override { return at_ ? *at_ + (right_.Now() - since_) : right_.Now() + offset_; }
  MonoTime Mono() const override { return right_.Mono(); }
  void SetOffset(Duration offset) { offset_ = offset, at_.reset(); }
  void SetTo(Time time) { at_ = time, since_ = right_.Now(); }

 private:
  const FakeClock& right_;
  Duration offset_{};
  std::optional<Time> at_;
  Time since_{};
};

// The transport of a process, over that of the world, which outlives every process.
class BorrowedTransport final : public http::HttpTransport {
 public:
  explicit BorrowedTransport(http::HttpTransport& inner) : inner_(inner) {}
  http::RequestId Start(http::Request request, std::function<void()> on_send) override {
    return inner_.Start(std::move(request), std::move(on_send));
  }
  std::vector<http::Outcome> Wait(MonoTime deadline) override { return inner_.Wait(deadline); }
  int Room() const override { return inner_.Room(); }
  int InFlight() const override { return inner_.InFlight(); }
  void Cancel(http::RequestId id) override { inner_.Cancel(id); }

 private:
  http::HttpTransport& inner_;
};

// Standard output and error go to the end of a file while it lives.
class Redirected {
 public:
  explicit Redirected(const std::string& path) {
    std::fflush(nullptr);
    const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    for (const int fd : {1, 2}) {
      saved_.push_back(::fcntl(fd, F_DUPFD_CLOEXEC, 3));
      ::dup2(file, fd);
    }
    ::close(file);
  }
  ~Redirected() {
    std::fflush(nullptr);
    for (const int fd : {1, 2}) {
      ::dup2(saved_[static_cast<std::size_t>(fd - 1)], fd);
      ::close(saved_[static_cast<std::size_t>(fd - 1)]);
    }
  }

 private:
  std::vector<int> saved_;
};

class MirrorLife {
 public:
  using Subject = std::pair<sim::Kind, std::int64_t>;
  struct Options {
    Time born{};  // the first process
    std::uint64_t seed = 1;
    sim::SyntheticOptions catalogue;
    sim::DailyRates rates = {};
    sim::SimulatorOptions manners = {};
    bool loud = false;       // what processes print is shown; else the end of it, if something is wrong
    std::string schedules{};  // the first tables of tmdb-collector.toml
    bool in_bucket = false;
    std::string rate = "40";  // requests a second
  };
  static constexpr std::size_t kMostProblems = 20;
  static constexpr std::size_t kKeptFrames = 64 << 20;  // inflated: a small mirror is read whole, day after day

  explicit MirrorLife(Options options)
      : clock(options.born),
        machine(clock),
        world(options.catalogue, options.rates, Time(std::chrono::floor<std::chrono::days>(options.born))),
        simulator(world, options.manners, clock),
        transport(clock, simulator, options.seed),
        options_(std::move(options)),
        random_(options_.seed * 0x9E3779B97F4A7C15u + 5),
        folder_(MakeFolder()) {}
  ~MirrorLife() {
    for (const std::string& problem : problems_) ADD_FAILURE() << problem;
    if (!problems_.empty() && !options_.loud) fmt::print("the end of its log:\n{}\n", TailOfLog());
    CloseStore();
    std::filesystem::remove_all(folder_);
  }
  MirrorLife(const MirrorLife&) = delete;
  MirrorLife& operator=(const MirrorLife&) = delete;

  FakeClock clock;
  MachineClock machine;
  sim::EvolvingWorld world;
  sim::Simulator simulator;
  SimTransport transport;
  MemoryObjectStore::Bucket bucket;
  // What meets the calls of the next processes to the bucket (MemoryObjectStore::choose_fault); may be empty.
  std::function<std::optional<MemoryObjectStore::Fault>(std::string_view act, const std::string& key)> bucket_fault;

  // --- processes ---
  std::string media_types = "movie,tv,person";  // of the next process
  // Whether the next processes may fail to open or to close the store; how many failed to close it.
  bool may_fail = false;
  int failed_to_close = 0;
  // A process sleeps until then. Empty: virtual time passes.
  std::function<void(MonoTime until)> on_sleep;

  // One process, from its start to its end. False: it was killed in the middle, and some minutes have passed.
  bool Process(const std::function<void(Settings&, Pipeline&)>& work) {
    CloseStore();
    auto settings = ReadSettings();
    if (!settings) return Problem("{}", settings.error().message), true;
    std::optional<Redirected> quiet;
    if (!options_.loud) quiet.emplace(log_path());
    // A killed process makes no call on the way out.
    MemoryObjectStore writer(bucket);
    writer.choose_fault = [this](std::string_view act,
                                 const std::string& key) -> std::optional<MemoryObjectStore::Fault> {
      if (std::uncaught_exceptions() > 0) return MemoryObjectStore::Fault::kDies;
      return bucket_fault ? bucket_fault(act, key) : std::nullopt;
    };
    try {
      Surroundings surroundings;
      if (options_.in_bucket) surroundings.bucket = &writer;
      surroundings.clock = &machine;
      surroundings.make_transport = [this](const Clock&) -> Result<std::unique_ptr<http::HttpTransport>> {
        return std::make_unique<BorrowedTransport>(transport);
      };
      surroundings.seed = random_();
      surroundings.sleep = [this](MonoTime until) { on_sleep ? on_sleep(until) : clock.AdvanceTo(until); };
      const auto pipeline = Pipeline::Open(*settings, "run", std::move(surroundings));
      if (!pipeline && may_fail) return false;
      if (!pipeline) return Problem("{}", pipeline.error().message), true;
      work(*settings, **pipeline);
      const bool closed = (*pipeline)->Close();
      failed_to_close += !closed;
      if (!closed && !may_fail) Problem("the store could not be closed");
      return true;
    } catch (const Killed&) {
      Trace("killed");
    }
    transport.Restart();
    clock.Advance(std::chrono::minutes(1 + random_() % 90));
    return false;
  }
  // What `run --once` does, without refreshes: each request has its reason in what happened. Empty: it was killed.
  std::optional<Summary> RunOnce(bool accept_deletions = false,
                                 const std::function<void(Pipeline&)>& then = {}) {
    Result<Summary> summary;
    const bool lived = Process([&](Settings& settings, Pipeline& pipeline) {
      HarvestOptions options;
      options.types = settings.media_types;
      options.accept_deletions = accept_deletions;
      summary = Collect(pipeline, options);
      if (summary && then) then(pipeline);
    });
    if (!lived) return std::nullopt;
    if (!summary && may_fail) return std::nullopt;
    if (!summary) return Problem("{}", summary.error().message), Summary();
    return std::move(*summary);
  }

  // TMDB answers at once, without faults, and nothing happens there any more.
  void EndTroubles() {
    Trace("the troubles end");
    world.EvolveTo(clock.Now());
    world.Calm();
    simulator.SetFeed({.rows_per_page = 7});
    simulator.SetFaults({});
    simulator.SetExportFaults({});
    simulator.SetCaches(Duration(0), Duration(0));
  }

  // --- what it is to be told ---
  // Shown when the life ends, as a failure of the test.
  template <class... Args>
  void Problem(fmt::format_string<Args...> format, Args&&... args) {
    if (problems_.size() < kMostProblems)
      problems_.push_back(FormatTime(clock.Now()) + ": " + fmt::format(format, std::forward<Args>(args)...));
  }
  bool full_of_problems() const { return problems_.size() >= kMostProblems; }
  bool well() const { return problems_.empty(); }
  void Trace(std::string_view what) const {
    if (!options_.loud) return;
    fmt::print(stderr, "-- {} (the machine says {}) {}\n", FormatTime(clock.Now()), FormatTime(machine.Now()), what);
  }

  // --- the mirror and the truth ---
  // From a bucket one sees what was published when one looked first: this reads it again.
  void Refresh() {
    if (options_.in_bucket) CloseStore();
  }
  // What is stored, as another process sees it.
  StorePieces& store() {
    if (!store_ && options_.in_bucket) {
      std::filesystem::remove_all(folder_ / "looked");
      std::filesystem::create_directory(folder_ / "looked");
      view_ = BucketView::OpenWhole(reader_, folder_ / "looked", "catalog.db").value();
      store_ = StorePieces::ForReading(view_->files(), view_->catalog(), kKeptFrames);
    } else if (!store_) {
      catalog_.emplace(Database::Open(data_dir() + "/catalog.db", Database::Mode::kReadOnly).value());
      files_.emplace(data_dir());
      store_ = StorePieces::ForReading(*files_, *catalog_, kKeptFrames);
    }
    return *store_;
  }
  std::vector<std::int64_t> Stored(MediaType type) {
    std::vector<std::int64_t> ids;
    const auto visited = store().ledger.VisitLive(type, [&](const LiveRecord& record) { ids.push_back(record.id); });
    if (!visited) Problem("{}", visited.error().message);
    return ids;
  }
  // Stored or not: tombstones and what was never there, too.
  std::vector<std::int64_t> Known(MediaType type) {
    std::vector<std::int64_t> ids;
    const auto visited = store().ledger.VisitStates(type, [&](const IdState& state) { ids.push_back(state.id); });
    if (!visited) Problem("{}", visited.error().message);
    return ids;
  }
  std::string Body(MediaId id) {
    const auto record = store().reader.Find(id);
    return record ? record->data : "";
  }
  std::size_t Versions(MediaId id) {
    const auto history = store().reader.History(id);
    return history ? history->size() : 0;
  }
  std::string Truth(MediaId id) {
    const sim::Kind kind = KindOf(id.type);
    return simulator.api().Truth(kind, id.id, sim::DefaultAppends(kind)).value_or("");
  }
  // What is stored of it is what TMDB has now.
  bool IsFresh(MediaId id) { return ContentOf(Body(id)) == ContentOf(Truth(id)); }
  // Then fetched_at is not the time at which TMDB answered. Empty: it always is.
  std::function<bool(Time)> clock_was_wrong;

  // The mirror is what TMDB is now, and it never deleted what was there. `may_be_late`: back without a word.
  void CheckWhole(const std::set<Subject>& may_be_late = {}) {
    Refresh();
    world.EvolveTo(clock.Now());
    for (const auto& [type, kind] : kLivingTypes) {
      const std::vector<std::int64_t> stored = Stored(type);
      world.ForEachId(kind, [&](std::int64_t id, bool adult) {
        if (!adult && !may_be_late.contains({kind, id}) && !std::ranges::binary_search(stored, id))
          Problem("{}:{} is missing", Name(type), id);
      });
      for (const std::int64_t id : stored) {
        if (!world.IsLive(kind, id) || world.IsAdult(kind, id)) {
          Problem("{}:{} is stored, but is not there", Name(type), id);
        } else if (!IsFresh({type, id})) {
          Problem("{}:{} is not as TMDB has it", Name(type), id);
        }
        if (type == MediaType::kTv) CheckSeasons(id);
      }
      for (const std::int64_t id : Known(type)) CheckHistory({type, id});
    }
    const auto report = view_ ? VerifyView(*view_, true) : store().Verify(true);
    if (!report) return Problem("{}", report.error().message);
    for (const auto& damage : report->damage) Problem("{}: {}", damage.file, damage.what);
  }

 private:
  static std::filesystem::path MakeFolder() {
    std::string name = MemoryFolder() / "tmdbc-life-XXXXXX";
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp " + name);
    return name;
  }
  std::string data_dir() const { return folder_ / "data"; }
  std::string log_path() const { return folder_ / "log"; }
  Result<Settings> ReadSettings() const {
    const std::string path = folder_ / "tmdb-collector.toml";
    std::ofstream(path) << options_.schedules << "[tmdb]\n"
                        << "tmdb_api_base_url = \"" << SimTransport::kHost << "/3\"\n"
                        << "tmdb_export_base_url = \"" << SimTransport::kHost << "/p/exports\"\n";
    std::vector<GivenSetting> flags = {{"TMDB_API_KEY", "0123456789abcdef0123456789abcdef", "the test"},
                                       {"DATA_DIR", data_dir(), "the test"},
                                       {"MEDIA_TYPES", media_types, "the test"},
                                       {"RATE_LIMIT_REQUESTS", options_.rate, "the test"},
                                       {"COLLECTOR_CONCURRENCY", "10", "the test"},
                                       {"LOG_LEVEL", options_.loud ? "info" : "warn", "the test"}};
    if (options_.in_bucket) flags.push_back({"S3_BUCKET_NAME", "a-bucket", "the test"});
    return LoadSettings({.config_path = path,
                         .env_path = folder_ / "none.env",
                         .environment = [](const char*) -> const char* { return nullptr; },
                         .flags = std::move(flags)});
  }
  void CloseStore() {
    store_.reset();
    view_.reset();
    files_.reset();
    catalog_.reset();
  }

  static std::optional<std::uint64_t> ContentOf(const std::string& json) {
    const auto hash = HashContent(json);
    return hash ? std::optional(hash->content) : std::nullopt;
  }
  void CheckSeasons(std::int64_t show) {
    std::vector<std::int64_t> expected;
    for (const sim::SeasonRef& ref : world.Seasons(show)) {
      expected.push_back(ref.number);
      const auto season = store().reader.FindSeason(show, ref.number);
      if (!season || season->id.id != ref.id ||
          ContentOf(season->data) != ContentOf(simulator.api().SeasonTruth(show, ref.number).value_or("")))
        Problem("tv:{} season {} is not as TMDB has it", show, ref.number);
    }
    if (store().ledger.SeasonNumbers(show) != expected) Problem("tv:{} has not the seasons that TMDB has", show);
  }
  // Nothing that TMDB had was deleted, nothing was purged, and no time goes back.
  void CheckHistory(MediaId id) {
    const auto kept = store().reader.KeptOf(id);
    if (kept && kept->purged_at) Problem("{} was purged at {}", ToString(id), FormatTime(*kept->purged_at));
    const auto history = store().reader.History(id);
    if (!history) return;  // known to be missing, never stored
    Time before{};
    for (const StoredRecord& record : *history) {
      if (record.fetched_at < before) Problem("{} was fetched before what it follows", ToString(id));
      // By a clock that went back a line is dated behind the one before it: that says nothing of when it was.
      const bool by_order = record.fetched_at - before <= std::chrono::milliseconds(1);
      const Time previous = std::exchange(before, record.fetched_at);
      if (record.change != Change::kDelete || by_order || (clock_was_wrong && clock_was_wrong(before))) continue;
      // Between TMDB's answer and its storing seconds may pass.
      if (world.WasLive(KindOf(id.type), id.id, before) &&
          world.WasLive(KindOf(id.type), id.id, before - std::chrono::minutes(1)))
        Problem("{} was deleted at {}, after {}, although it was there", ToString(id), FormatTime(before),
                FormatTime(previous));
    }
  }
  std::string TailOfLog() const {
    std::ifstream in(log_path(), std::ios::binary);
    const std::string all{std::istreambuf_iterator<char>(in), {}};
    constexpr std::size_t kMost = 6000;
    return all.size() <= kMost ? all : all.substr(all.size() - kMost);
  }

  const Options options_;
  std::mt19937_64 random_;
  const std::filesystem::path folder_;
  std::vector<std::string> problems_;
  MemoryObjectStore reader_{bucket};
  std::unique_ptr<BucketView> view_;
  std::optional<Database> catalog_;
  std::optional<PosixFileSystem> files_;
  std::unique_ptr<StorePieces> store_;
};

}  // namespace tmdbc::testing
