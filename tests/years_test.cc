// SPDX-License-Identifier: MIT
// Years of a mirror's life, from a seed: the daemon itself, as `run` makes it from a tmdb-collector.toml, on a fake clock
// and the simulated TMDB, in one thread and in seconds. TMDB changes every day; the machine's clock is a month ahead for
// a day, at 1970 for a day, twelve hours back; MEDIA_TYPES shrinks to films for a year; the process is killed, and off
// for 40 days; feeds lag, bodies come stale, exports are late, cut, halved or empty. At all times what is stored is
// looked at again and nothing that TMDB has goes; in the end the mirror is what TMDB is.
//
// TMDBC_SEEDS=40 years_test   more lives (default 3)
// TMDBC_SEED=17 years_test    this one alone, with its log
#include <fcntl.h>
#include <fmt/core.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <deque>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "app/command.h"
#include "app/daemon.h"
#include "app/pipeline.h"
#include "evolving_world.h"
#include "settings/settings.h"
#include "sim_transport.h"
#include "storage/ledger.h"
#include "storage/record_reader.h"
#include "testing/fake_clock.h"
#include "tmdb/document.h"

namespace tmdbc {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using std::chrono::sys_days;
using testing::FakeClock;
using testing::Killed;
using testing::SimTransport;

constexpr int kDefaultSeeds = 3;  // one of each kind of schedule
constexpr std::size_t kMostProblems = 20;
// 120 records refreshed each month and three feeds eight times a day are 10,000 a year.
constexpr std::int64_t kMostRequests = 100'000;
constexpr sys_days kEpoch = std::chrono::year(2026) / 3 / 1;
constexpr days kLife{800};
// What a person would call a mirror that is looked after: nothing goes unconfirmed for much longer than the month after
// which it is due. While only films are harvested the others are looked at as well.
constexpr days kCaredFor{45};
// TMDB's terms.
constexpr days kMayBeKept{180};

struct TypeOf {
  MediaType type;
  sim::Kind kind;
};
constexpr TypeOf kTypes[] = {{MediaType::kMovie, sim::Kind::kMovie},
                             {MediaType::kTv, sim::Kind::kTv},
                             {MediaType::kPerson, sim::Kind::kPerson}};

// The kinds of schedules that docs/configuration.md describes.
constexpr std::string_view kSchedules[] = {
    // COLLECTION_INTERVAL
    "",
    // the example of two [[schedule]] tables
    R"toml([[schedule]]
name = "exports"
expression = "cron(30 9 * * ? *)"
timezone = "Europe/Berlin"
mode = "export"
limit = 10000

[[schedule]]
name = "changes"
expression = "rate(8 hours)"
mode = "changes"
)toml",
    // COLLECTION_SCHEDULE, when clocks are put forward and back
    "[harvester]\ncollection_schedule = \"cron(30 2 * * ? *)\"\ncollection_timezone = \"America/New_York\"\n",
};

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

// Standard output and error go to a file while it lives: the daemon prints a summary a day.
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

// In memory where there is such a folder: a life syncs its files thousands of times.
std::filesystem::path MakeFolder() {
  const bool memory = ::access("/dev/shm", W_OK) == 0;
  std::string name = (memory ? std::string("/dev/shm") : std::filesystem::temp_directory_path().string()) +
                     "/tmdbc-years-XXXXXX";
  if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp " + name);
  return name;
}

class Life {
 public:
  Life(std::uint64_t seed, bool loud)
      : seed_(seed),
        loud_(loud),
        random_(seed * 0x9E3779B97F4A7C15u + 11),
        troubled_(seed % 3 != 0),
        folder_(MakeFolder()),
        clock_(Time(kEpoch) + hours(9)),
        machine_(clock_),
        world_(Catalogue(seed), Rates(), Time(kEpoch)),
        simulator_(world_, Manners(), clock_),
        transport_(clock_, simulator_, seed) {
    world_.on_event = [this](const sim::Happened& happened) {
      if (happened.event == sim::Event::kAdd || happened.event == sim::Event::kRestore ||
          happened.event == sim::Event::kQuietRestore)
        came_[{happened.kind, happened.id}] = happened.at;
      if (happened.event == sim::Event::kQuietRestore) quietly_.insert({happened.kind, happened.id});
    };
    transport_.on_arrival = [this](std::string_view) {
      if (++requests_ <= kMostRequests || over_) return;
      Problem("{} requests: it asks without end", requests_);
      over_ = true;
      EndProcess("too many requests");
    };
    Plan();
  }
  ~Life() { std::filesystem::remove_all(folder_); }

  void Run() {
    {
      std::optional<Redirected> quiet;
      if (!loud_) quiet.emplace(log_path());
      while (!over_ && problems_.size() < kMostProblems) Process();
      if (over_) CheckEnd();
    }
    for (const std::string& problem : problems_) ADD_FAILURE() << problem;
    if (!problems_.empty() && !loud_) fmt::print("the end of its log:\n{}", Tail());
  }

 private:
  // --- chance ---
  int Below(int bound) { return static_cast<int>(random_() % static_cast<unsigned>(bound)); }
  bool Chance(double share) { return std::uniform_real_distribution<>(0, 1)(random_) < share; }
  template <class... Args>
  void Problem(fmt::format_string<Args...> format, Args&&... args) {
    if (problems_.size() < kMostProblems)
      problems_.push_back(FormatTime(clock_.Now()) + ": " + fmt::format(format, std::forward<Args>(args)...));
  }
  void Tell(std::string_view what) const {
    fmt::print(stderr, "-- {} (the machine says {}) {}\n", FormatTime(clock_.Now()),
               FormatTime(machine_.Now()), what);
  }

  // --- the world ---
  static sim::SyntheticOptions Catalogue(std::uint64_t seed) {
    sim::SyntheticOptions options;
    options.seed = seed;
    options.counts = {60, 20, 40, 5, 5, 5, 5};
    options.gone_share = seed % 2 == 0 ? 0.02 : 0;
    options.huge_show_episodes = 60;
    return options;
  }
  static sim::DailyRates Rates() {
    using sim::Family;
    sim::DailyRates rates;
    for (const auto& [type, kind] : kTypes) {
      rates.at(kind, Family::kEdit) = 1;
      rates.at(kind, Family::kStats) = 1;
      rates.at(kind, Family::kAdd) = 0.06;
      rates.at(kind, Family::kDelete) = 0.04;
      rates.at(kind, Family::kRestore) = 0.02;
      rates.at(kind, Family::kMerge) = 0.01;
    }
    rates.at(sim::Kind::kTv, Family::kSeason) = 0.4;
    return rates;
  }
  sim::SimulatorOptions Manners() {
    sim::SimulatorOptions options;
    options.seed = seed_;
    options.feed.rows_per_page = 7;
    if (!troubled_) return options;
    if (Chance(0.5)) {
      options.cache = hours(8);
      options.feed_cache = minutes(10);
    }
    if (Chance(0.5)) options.feed.lag = minutes(Below(300));
    if (Chance(0.5)) options.faults.SetAll(3);
    options.faults.percent[static_cast<std::size_t>(sim::Fault::kWrongId)] = 0;
    if (Chance(0.5)) {
      for (int day = 1; day < kLife.count(); ++day) {
        if (Chance(0.15))
          options.exports.faults[kEpoch + days(day)] = static_cast<sim::ExportFault>(Below(5));
      }
    }
    if (Chance(0.5)) options.feed.total_off = 1;
    return options;
  }

  // --- what a person and the machine do ---
  struct Step {
    Time at{};
    std::function<void()> happen;
  };
  void At(int day, const std::function<void()>& happen) {
    steps_.push_back({Time(kEpoch + days(day)) + minutes(9 * 60 + Below(24 * 60)), happen});
  }
  void Plan() {
    // Each clock is wrong for one day, at which the process may begin anew or live on.
    const bool restarts = seed_ % 2 == 0;
    const auto wrong = [&](int day, const std::function<void()>& set) {
      At(day, [this, set, restarts] {
        set();
        if (restarts) EndProcess("the clock is wrong");
      });
      At(day + 2, [this, restarts] {
        machine_.SetOffset({});
        if (restarts) EndProcess("the clock is right");
      });
    };
    if (seed_ % 3 != 1) wrong(1, [this] { machine_.SetTo(Time{} + hours(1)); });  // before there is NTP
    wrong(60, [this] { machine_.SetOffset(days(31)); });
    wrong(200, [this] { machine_.SetTo(Time{} + hours(1)); });
    wrong(300, [this] { machine_.SetOffset(hours(-12)); });
    At(100, [this] { SetTypes("movie"); });
    At(480, [this] { SetTypes("movie,tv,person"); });
    if (troubled_ && Chance(0.5)) {
      At(560, [this] {
        off_ = days(40);
        EndProcess("off for 40 days");
      });
    }
    if (troubled_ && Chance(0.5)) {
      for (int day = 30; day < kLife.count() - 20; day += 1 + Below(20))
        At(day, [this] { transport_.KillAt(Below(60)); });
    }
    At(static_cast<int>(kLife.count()) - 12, [this] { EndTroubles(); });
    At(static_cast<int>(kLife.count()), [this] {
      over_ = true;
      EndProcess("the end");
    });
    std::stable_sort(steps_.begin(), steps_.end(), [](const Step& a, const Step& b) { return a.at < b.at; });
  }
  void EndProcess(std::string_view why) {
    Tell(why);
    ended_ = true;
    ::raise(SIGTERM);
  }
  void SetTypes(const std::string& types) {
    types_ = types;
    narrowed_at_ = clock_.Now();
    EndProcess("MEDIA_TYPES=" + types);
  }
  void EndTroubles() {
    Tell("the troubles end");
    world_.LookAt(clock_.Now());
    world_.Calm();
    simulator_.SetFeed({.rows_per_page = 7});
    simulator_.SetFaults({});
    simulator_.SetExportFaults({});
    simulator_.SetCaches(Duration(0), Duration(0));
  }

  // --- the mirror ---
  std::string data_dir() const { return folder_ / "data"; }
  std::string log_path() const { return folder_ / "log"; }
  Result<Settings> ReadSettings() const {
    const std::string path = folder_ / "tmdb-collector.toml";
    std::ofstream(path) << kSchedules[seed_ % std::size(kSchedules)] << "[tmdb]\n"
                        << "tmdb_api_base_url = \"" << SimTransport::kHost << "/3\"\n"
                        << "tmdb_export_base_url = \"" << SimTransport::kHost << "/p/exports\"\n";
    std::vector<GivenSetting> flags = {{"TMDB_API_KEY", "0123456789abcdef0123456789abcdef", "the test"},
                                       {"DATA_DIR", data_dir(), "the test"},
                                       {"MEDIA_TYPES", types_, "the test"},
                                       {"RATE_LIMIT_REQUESTS", "40", "the test"},
                                       {"LOG_LEVEL", loud_ ? "info" : "warn", "the test"}};
    return LoadSettings({.config_path = path,
                         .env_path = folder_ / "none.env",
                         .environment = [](const char*) -> const char* { return nullptr; },
                         .flags = std::move(flags)});
  }

  // One process, from its start until it is stopped or killed.
  void Process() {
    auto settings = ReadSettings();
    if (!settings) return Problem("{}", settings.error().message);
    ended_ = false;
    try {
      Surroundings surroundings;
      surroundings.clock = &machine_;
      surroundings.make_transport = [this](const Clock&) -> Result<std::unique_ptr<http::HttpTransport>> {
        return std::make_unique<BorrowedTransport>(transport_);
      };
      surroundings.seed = random_();
      surroundings.sleep = [this](MonoTime until) { Sleep(until); };
      auto pipeline = Pipeline::Open(*settings, "run", std::move(surroundings));
      if (!pipeline) return Problem("{}", pipeline.error().message);
      catalog_ = &(*pipeline)->catalog();
      const auto code = Daemon(*settings, Arguments(), **pipeline).Run();
      catalog_ = nullptr;
      if (!code) Problem("the daemon ended: {}", code.error().message);
      if (code && !ended_) Problem("the daemon ended by itself, with exit code {}", *code);
      if (!(*pipeline)->Close()) Problem("the store could not be closed");
    } catch (const Killed&) {
      catalog_ = nullptr;
      Tell("killed");
      transport_.Restart();
      clock_.Advance(minutes(1 + Below(90)));
    }
    clock_.Advance(std::exchange(off_, Duration(0)));
  }

  // The machine sleeps for some minutes, or until the next thing happens.
  void Sleep(MonoTime until) {
    until = std::max(until, clock_.Mono() + minutes(5 + Below(15)));
    if (!steps_.empty())
      until = std::min(until, clock_.Mono() + std::max(steps_.front().at - clock_.Now(), Duration(1)));
    clock_.AdvanceTo(until);
    if (clock_.Now() >= next_check_) {
      next_check_ = clock_.Now() + days(7);
      CheckCare();
    }
    while (!ended_ && !steps_.empty() && steps_.front().at <= clock_.Now()) {
      const auto happen = std::move(steps_.front().happen);
      steps_.pop_front();
      happen();
    }
  }

  // --- what must hold ---
  bool Harvested(MediaType type) const { return type == MediaType::kMovie || types_ != "movie"; }

  // While it lives: once a week.
  void CheckCare() {
    if (catalog_ == nullptr || clock_.Now() - Time(kEpoch) < days(10)) return;
    RecordLedger ledger(*catalog_);
    for (const auto& [type, kind] : kTypes) {
      std::set<std::int64_t> stored;
      Time oldest = Time::max();
      const auto visited = ledger.VisitLive(type, [&](const LiveRecord& record) {
        stored.insert(record.id);
        oldest = std::min(oldest, record.verified_at);
      });
      if (!visited) return Problem("{}", visited.error().message);
      const auto age = std::chrono::floor<days>(clock_.Now() - std::min(oldest, clock_.Now()));
      // A clock that was wrong for two days, and 40 days without any process, are made up for in a few days.
      const days allowed = kCaredFor + (troubled_ ? days(45) : days(0));
      if (age > allowed) Problem("a {} was not looked at for {} days", Name(type), age.count());
      if (age > kMayBeKept) Problem("a {} is kept for {} days without TMDB's word", Name(type), age.count());
      if (Harvested(type)) CheckCoverage(kind, stored);
    }
  }

  // What has been there for a while is stored.
  void CheckCoverage(sim::Kind kind, const std::set<std::int64_t>& stored) {
    world_.LookAt(clock_.Now());
    std::int64_t there = 0, missing = 0, example = 0;
    world_.ForEachId(kind, [&](std::int64_t id, bool adult) {
      const auto came = came_.find({kind, id});
      const bool settled = came == came_.end() || clock_.Now() - came->second > days(troubled_ ? 14 : 5);
      if (adult || !settled || quietly_.contains({kind, id})) return;
      ++there;
      if (!stored.contains(id)) ++missing, example = id;
    });
    if (clock_.Now() - narrowed_at_ > days(5) && missing * 50 > there)
      Problem("{} of {} {} are not stored, such as {}", missing, there, NameOf(kind), example);
  }

  static std::uint64_t ContentOf(const std::string& json) {
    const auto hash = HashContent(json);
    return hash ? hash->content : 0;
  }

  void CheckEnd() {
    const auto catalog = Database::Open(data_dir() + "/catalog.db", Database::Mode::kReadOnly);
    if (!catalog) return Problem("{}", catalog.error().message);
    PosixFileSystem files(data_dir());
    RecordReader reader(files, const_cast<Database&>(*catalog));
    RecordLedger ledger(const_cast<Database&>(*catalog));
    world_.LookAt(clock_.Now());
    for (const auto& [type, kind] : kTypes) {
      std::set<std::int64_t> stored, known;
      const auto live = ledger.VisitLive(type, [&](const LiveRecord& record) { stored.insert(record.id); });
      const auto all = ledger.VisitStates(type, [&](const IdState& state) { known.insert(state.id); });
      if (!live || !all) return Problem("the ledger cannot be read");
      world_.ForEachId(kind, [&](std::int64_t id, bool adult) {
        if (!adult && !stored.contains(id)) Problem("{}:{} is missing", NameOf(kind), id);
      });
      for (const std::int64_t id : stored) {
        if (!world_.IsLive(kind, id)) {
          Problem("{}:{} is gone, but stored", NameOf(kind), id);
        } else {
          CheckRecord(reader, ledger, {type, id}, kind);
        }
      }
      for (const std::int64_t id : known) CheckHistory(reader, {type, id}, kind);
    }
  }

  void CheckRecord(RecordReader& reader, RecordLedger& ledger, MediaId id, sim::Kind kind) {
    const auto record = reader.Find(id);
    const auto truth = simulator_.api().Truth(kind, id.id, sim::DefaultAppends(kind));
    if (!record || !truth) return Problem("{} cannot be read", ToString(id));
    if (ContentOf(record->data) != ContentOf(*truth))
      Problem("{} is not as TMDB has it, fetched {}", ToString(id), FormatTime(record->fetched_at));
    if (kind != sim::Kind::kTv) return;
    std::vector<std::int64_t> expected;
    for (const sim::SeasonRef& ref : world_.Seasons(id.id)) {
      expected.push_back(ref.number);
      const auto season = reader.FindSeason(id.id, ref.number);
      if (!season || season->id.id != ref.id ||
          ContentOf(season->data) != ContentOf(*simulator_.api().SeasonTruth(id.id, ref.number)))
        Problem("tv:{} season {} is not as TMDB has it", id.id, ref.number);
    }
    if (ledger.SeasonNumbers(id.id) != expected) Problem("tv:{} has not the seasons that TMDB has", id.id);
  }

  // Nothing that TMDB had was ever deleted, nothing was purged, and no time goes back.
  void CheckHistory(RecordReader& reader, MediaId id, sim::Kind kind) {
    const auto kept = reader.KeptOf(id);
    if (kept && kept->purged_at) Problem("{} was purged at {}", ToString(id), FormatTime(*kept->purged_at));
    const auto history = reader.History(id);
    if (!history) return;  // known to be missing, never stored
    Time before{};
    for (const StoredRecord& record : *history) {
      if (record.fetched_at < before) Problem("{} was fetched before what it follows", ToString(id));
      before = record.fetched_at;
      if (record.change != Change::kDelete || ClockWasWrong(record.fetched_at)) continue;
      if (world_.WasLive(kind, id.id, record.fetched_at) &&
          world_.WasLive(kind, id.id, record.fetched_at - seconds(60)))
        Problem("{} was deleted at {} although it was there", ToString(id), FormatTime(record.fetched_at));
    }
  }
  // Then fetched_at is not the time at which TMDB answered.
  static bool ClockWasWrong(Time at) {
    if (at < Time(kEpoch)) return true;
    for (const int day : {1, 60, 91, 200, 300}) {
      if (at >= Time(kEpoch + days(day - 1)) && at < Time(kEpoch + days(day + 5))) return true;
    }
    return false;
  }

  std::string Tail() const {
    const std::string all = ReadAll(log_path());
    constexpr std::size_t kMost = 6000;
    return all.size() <= kMost ? all : all.substr(all.size() - kMost);
  }
  static std::string ReadAll(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }

  const std::uint64_t seed_;
  const bool loud_;
  std::mt19937_64 random_;
  const bool troubled_;
  const std::filesystem::path folder_;
  FakeClock clock_;
  MachineClock machine_;
  sim::EvolvingWorld world_;
  sim::Simulator simulator_;
  SimTransport transport_;

  std::deque<Step> steps_;
  std::string types_ = "movie,tv,person";
  Time narrowed_at_{};
  Duration off_{};      // how long the machine is off before the next process
  bool ended_ = false;  // this process was asked to end
  bool over_ = false;
  std::int64_t requests_ = 0;
  Database* catalog_ = nullptr;  // of the process that runs
  Time next_check_{};
  std::map<std::pair<sim::Kind, std::int64_t>, Time> came_;
  std::set<std::pair<sim::Kind, std::int64_t>> quietly_;
  std::vector<std::string> problems_;
};

TEST(Years, TheDaemonLooksAfterTheMirrorWhateverTheClockAndTheSchedulesSay) {
  const char* one = std::getenv("TMDBC_SEED");
  const char* many = std::getenv("TMDBC_SEEDS");
  const std::uint64_t first = one ? std::strtoull(one, nullptr, 10) : 1;
  const auto count = one ? 1 : many && std::atoi(many) > 0 ? std::strtoull(many, nullptr, 10) : kDefaultSeeds;
  for (std::uint64_t seed = first; seed < first + count && !HasFailure(); ++seed) {
    SCOPED_TRACE(fmt::format("TMDBC_SEED={} years_test", seed));
    Life(seed, one != nullptr).Run();
  }
}

}  // namespace
}  // namespace tmdbc
