// SPDX-License-Identifier: MIT
#include "mirror_life.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <exception>
#include <fstream>

#include "tmdb/document.h"

namespace tmdbc::testing {
namespace {

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

}  // namespace

MirrorLife::MirrorLife(Options options)
    : clock(options.born),
      machine(clock),
      world(options.catalogue, options.rates, Time(std::chrono::floor<std::chrono::days>(options.born))),
      simulator(world, options.manners, clock),
      transport(clock, simulator, options.seed),
      options_(std::move(options)),
      random_(options_.seed * 0x9E3779B97F4A7C15u + 5),
      folder_(MakeFolder()) {}

MirrorLife::~MirrorLife() {
  for (const std::string& problem : problems_) ADD_FAILURE() << problem;
  if (!problems_.empty() && !options_.loud) fmt::print("the end of its log:\n{}\n", TailOfLog());
  CloseStore();
  std::filesystem::remove_all(folder_);
}

bool MirrorLife::Process(const std::function<void(Settings&, Pipeline&)>& work) {
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

std::optional<Summary> MirrorLife::RunOnce(bool accept_deletions,
                               const std::function<void(Pipeline&)>& then) {
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

void MirrorLife::EndTroubles() {
  Trace("the troubles end");
  world.EvolveTo(clock.Now());
  world.Calm();
  simulator.SetFeed({.rows_per_page = 7});
  simulator.SetFaults({});
  simulator.SetExportFaults({});
  simulator.SetCaches(Duration(0), Duration(0));
}

void MirrorLife::Trace(std::string_view what) const {
  if (!options_.loud) return;
  fmt::print(stderr, "-- {} (the machine says {}) {}\n", FormatTime(clock.Now()), FormatTime(machine.Now()), what);
}

void MirrorLife::Refresh() {
  if (options_.in_bucket) CloseStore();
}

StorePieces& MirrorLife::store() {
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

std::vector<std::int64_t> MirrorLife::Stored(MediaType type) {
  std::vector<std::int64_t> ids;
  const auto visited = store().ledger.VisitLive(type, [&](const LiveRecord& record) { ids.push_back(record.id); });
  if (!visited) Problem("{}", visited.error().message);
  return ids;
}

std::vector<std::int64_t> MirrorLife::Known(MediaType type) {
  std::vector<std::int64_t> ids;
  const auto visited = store().ledger.VisitStates(type, [&](const IdState& state) { ids.push_back(state.id); });
  if (!visited) Problem("{}", visited.error().message);
  return ids;
}

std::string MirrorLife::Body(MediaId id) {
  const auto record = store().reader.Find(id);
  return record ? record->data : "";
}

std::size_t MirrorLife::Versions(MediaId id) {
  const auto history = store().reader.History(id);
  return history ? history->size() : 0;
}

std::string MirrorLife::Truth(MediaId id) {
  const sim::Kind kind = KindOf(id.type);
  return simulator.api().Truth(kind, id.id, sim::DefaultAppends(kind)).value_or("");
}

void MirrorLife::CheckWhole(const std::set<Subject>& may_be_late) {
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

std::filesystem::path MirrorLife::MakeFolder() {
  std::string name = MemoryFolder() / "tmdbc-life-XXXXXX";
  if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp " + name);
  return name;
}

Result<Settings> MirrorLife::ReadSettings() const {
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

void MirrorLife::CloseStore() {
  store_.reset();
  view_.reset();
  files_.reset();
  catalog_.reset();
}

std::optional<std::uint64_t> MirrorLife::ContentOf(const std::string& json) {
  const auto hash = HashContent(json);
  return hash ? std::optional(hash->content) : std::nullopt;
}

void MirrorLife::CheckSeasons(std::int64_t show) {
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

void MirrorLife::CheckHistory(MediaId id) {
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

std::string MirrorLife::TailOfLog() const {
  std::ifstream in(log_path(), std::ios::binary);
  const std::string all{std::istreambuf_iterator<char>(in), {}};
  constexpr std::size_t kMost = 6000;
  return all.size() <= kMost ? all : all.substr(all.size() - kMost);
}

}  // namespace tmdbc::testing
