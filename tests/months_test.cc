// SPDX-License-Identifier: MIT
// Months of a mirror's life on fakes, from a seed: a TMDB that changes every day, the real harvester, queue,
// collector and store, one cycle a day, and all the troubles that months bring: feeds that lag, bodies that
// come stale from a cache, exports that are late, missing, cut or halved, days with more changes than TMDB
// lists, errors, kills, and weeks in which nothing runs. When the troubles end, the mirror is what TMDB is,
// and at no time was anything deleted that was there.
//
// TMDBC_SEEDS=2000 months_test   more lives (default 16)
// TMDBC_SEED=17 months_test      this one alone, with its log
#include <fmt/core.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "base/sqlite.h"
#include "collector/collector.h"
#include "evolving_world.h"
#include "harvester/harvester.h"
#include "queue/sqlite_queue.h"
#include "sim_transport.h"
#include "storage/store_intake.h"
#include "storage/store_pieces_test.h"
#include "testing/fake_clock.h"
#include "testing/fault_file_system.h"
#include "tmdb/document.h"

namespace tmdbc {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using std::chrono::sys_days;
using testing::FakeClock;
using testing::FaultFileSystem;
using testing::Killed;
using testing::SimTransport;

constexpr int kDefaultSeeds = 16;
constexpr sys_days kEpoch = std::chrono::year(2026) / 3 / 1;
constexpr double kRate = 40;

struct TypeOf {
  MediaType type;
  sim::Kind kind;
};
constexpr TypeOf kTypes[] = {{MediaType::kMovie, sim::Kind::kMovie},
                             {MediaType::kTv, sim::Kind::kTv},
                             {MediaType::kPerson, sim::Kind::kPerson}};

// What may go wrong in a life.
struct Troubles {
  bool caches = false;    // stale bodies for eight hours, stale feed pages for ten minutes
  bool lag = false;       // of the feed
  bool exports = false;   // late, missing, truncated, halved, empty
  bool overfull = false;  // a day of more than 500 pages
  bool errors = false;    // resets, 5xx, 429, HTML, broken bodies
  bool kills = false;     // of the process, at any moment
  bool downtime = false;  // 40 days
  bool any() const { return caches || lag || exports || overfull || errors || kills || downtime; }
};

struct Figures {
  std::int64_t details = 0, feed_pages = 0, exports = 0;  // requests
  std::int64_t cycles = 0, kills = 0;
  std::int64_t listed = 0, deleted = 0, returned = 0, stats = 0;  // events
  std::int64_t records = 0;                                       // in the beginning
};

class Life {
 public:
  Life(std::uint64_t seed, bool loud)
      : seed_(seed),
        random_(seed * 0x9E3779B97F4A7C15u + 7),
        troubles_(Choose()),
        log_file_(loud ? stderr : std::fopen("/dev/null", "w")),
        loud_(loud),
        clock_(Time(kEpoch) + hours(9)),
        log_(log_file_, loud ? LogLevel::kInfo : LogLevel::kError, LogFormat::kText, clock_),
        world_(Catalogue(seed), Rates(), Time(kEpoch)),
        simulator_(world_, Manners(), clock_),
        transport_(clock_, simulator_, seed),
        catalog_(*Database::Open(":memory:", Database::Mode::kReadWrite)) {
    world_.on_event = [this](const sim::Happened& happened) { Happened(happened); };
    transport_.on_arrival = [this](std::string_view target) { Count(target); };
  }
  ~Life() {
    if (!loud_) std::fclose(log_file_);
  }

  void Run() {
    Tell("troubles: {}{}{}{}{}{}{}", troubles_.caches ? "caches " : "", troubles_.lag ? "lag " : "",
         troubles_.exports ? "exports " : "", troubles_.overfull ? "overfull " : "",
         troubles_.errors ? "errors " : "", troubles_.kills ? "kills " : "",
         troubles_.downtime ? "downtime" : "");
    const int cycles = 25 + Below(15);
    const int down_at = troubles_.downtime ? 3 + Below(cycles - 6) : -1;
    for (int cycle = 0; cycle < cycles && !::testing::Test::HasFailure(); ++cycle) {
      if (cycle == down_at) clock_.Advance(days(40));
      Cycle(troubles_.kills && Chance(0.3), false);
      if (cycle == 0) Mark();
      NextDay();
    }
    EndTroubles();
    Cycle(false, true);
    // Long enough for an export of the world as it stays now.
    clock_.Advance(hours(24) + minutes(Below(4 * 60)));
    Cycle(false, true);
    CheckRequests();
    CheckMirror();
    if (quietly_returned_.empty()) return;
    // Of these no feed says that they are back, and the dead are asked for at widening distances only.
    quietly_returned_.clear();
    for (int day = 0; day < 34 && !::testing::Test::HasFailure(); ++day) {
      clock_.Advance(hours(24));
      Cycle(false, true);
    }
    CheckMirror();
  }

  const Figures& figures() const { return figures_; }

 private:
  // --- chance
  int Below(int bound) { return static_cast<int>(random_() % static_cast<unsigned>(bound)); }
  bool Chance(double share) { return std::uniform_real_distribution<>(0, 1)(random_) < share; }

  template <class... Args>
  void Tell(fmt::format_string<Args...> format, Args&&... args) {
    if (loud_)
      fmt::print(stderr, "-- {} {}\n", FormatTime(clock_.Now()),
                 fmt::vformat(format, fmt::make_format_args(args...)));
  }

  // --- the world
  static sim::SyntheticOptions Catalogue(std::uint64_t seed) {
    sim::SyntheticOptions options;
    options.seed = seed;
    options.counts = {150, 40, 100, 5, 5, 5, 5};
    options.gone_share = seed % 3 == 0 ? 0.02 : 0;
    options.huge_show_episodes = 60;
    return options;
  }

  sim::DailyRates Rates() {
    using sim::Family;
    sim::DailyRates rates;
    for (const auto& [type, kind] : kTypes) {
      const double size = kind == sim::Kind::kMovie ? 1.5 : kind == sim::Kind::kTv ? 0.7 : 1;
      rates.at(kind, Family::kEdit) = 2 * size;
      rates.at(kind, Family::kStats) = 2 * size;
      rates.at(kind, Family::kAdd) = 0.3 * size;
      rates.at(kind, Family::kDelete) = 0.12 * size;
      rates.at(kind, Family::kRestore) = 0.08 * size;
      rates.at(kind, Family::kMerge) = 0.04 * size;
      if (seed_ % 4 == 1) rates.at(kind, Family::kQuietRestore) = 0.04 * size;
    }
    rates.at(sim::Kind::kTv, Family::kSeason) = 1;
    return rates;
  }

  // A quarter of the lives is undisturbed: of these the requests are counted.
  Troubles Choose() {
    if (seed_ % 4 == 0) return {};
    return {.caches = Chance(0.5),
            .lag = Chance(0.5),
            .exports = Chance(0.5),
            .overfull = Chance(0.2),
            .errors = Chance(0.5),
            .kills = Chance(0.5),
            .downtime = Chance(0.25)};
  }

  sim::SimulatorOptions Manners() {
    sim::SimulatorOptions options;
    options.seed = seed_;
    options.rate = static_cast<int>(kRate);
    if (troubles_.caches) {
      options.cache = hours(8);
      options.feed_cache = minutes(10);
    }
    if (troubles_.lag) options.feed.lag = minutes(Below(300));
    if (troubles_.errors) options.faults.SetAll(6);
    options.faults.stall = seconds(35);
    if (troubles_.exports) {
      options.faults.on_exports = troubles_.errors;
      for (int day = 1; day < 90; ++day) {
        if (Chance(0.3)) options.exports.faults[kEpoch + days(day)] = static_cast<sim::ExportFault>(Below(5));
      }
    }
    // Small pages make a day overfull without a world of 50,000 changes.
    options.feed.rows_per_page = troubles_.overfull ? 1 : 7;
    if (troubles_.overfull) options.feed.floods[kEpoch + days(5 + Below(20))] = 520;
    return options;
  }

  void Happened(const sim::Happened& happened) {
    Tell("{}", ToJson(happened));
    figures_.listed += happened.listed;
    figures_.deleted += happened.event == sim::Event::kDelete || happened.event == sim::Event::kMerge;
    figures_.returned += happened.event == sim::Event::kRestore;
    figures_.stats += happened.event == sim::Event::kStats;
    const std::pair subject(happened.kind, happened.id);
    if (happened.event != sim::Event::kStats) ++steps_[subject];
    if (happened.event == sim::Event::kQuietRestore) {
      quietly_returned_.insert(subject);
    } else if (happened.listed) {
      quietly_returned_.erase(subject);
    }
  }

  void Count(std::string_view target) {
    if (target.starts_with("/p/exports/")) {
      ++figures_.exports;
    } else if (target.find("/changes") != target.npos) {
      ++figures_.feed_pages;
    } else {
      ++figures_.details;
    }
  }

  // --- the mirror
  RecordWriterOptions StoreOptions() {
    RecordWriterOptions options;
    options.frame_bytes = 16 << 10;
    options.zstd_level = 1;
    return options;
  }

  // About a day later, at any hour.
  void NextDay() { clock_.Advance(hours(20) + minutes(Below(8 * 60))); }

  void Cycle(bool disturbed, bool accept_deletions) {
    ++figures_.cycles;
    for (int life = 0; life < 30; ++life) {
      if (disturbed && life < 3 && Chance(0.7)) transport_.KillAt(Below(life == 0 ? 40 : 300));
      try {
        Process(accept_deletions);
        transport_.KillAt(-1);
        return;
      } catch (const Killed&) {
        ++figures_.kills;
        Tell("killed");
        transport_.Restart();
        clock_.Advance(minutes(1 + Below(90)));
      }
      if (::testing::Test::HasFatalFailure()) return;
    }
    ADD_FAILURE() << "the cycle does not end";
  }

  // One process: harvest, drain, seal, purge.
  void Process(bool accept_deletions) {
    auto opened = testing::StorePieces::Open(files_, catalog_, clock_, StoreOptions());
    ASSERT_TRUE(opened) << opened.error().message;
    testing::StorePieces& store = **opened;
    const auto queue = *SqliteIdQueue::Open(catalog_, clock_, {.max_receives = 100});
    RateLimiter limiter(kRate, clock_);
    std::mt19937_64 random(random_());
    const ApiAccess access{.base_url = std::string(SimTransport::kHost) + "/3",
                           .secret_query = "api_key=0123456789abcdef0123456789abcdef",
                           .bearer = {},
                           .user_agent = "months"};
    Harvester harvester({.clock = clock_,
                         .transport = transport_,
                         .files = files_,
                         .catalog = catalog_,
                         .reader = store.reader,
                         .ledger = store.ledger,
                         .writer = *store.writer,
                         .popularity = store.popularity,
                         .sender = *queue,
                         .desk = *queue,
                         .upstream = upstream_,
                         .limiter = limiter,
                         .random = random,
                         .log = log_},
                        {.export_base_url = std::string(SimTransport::kHost) + "/p/exports",
                         .api = access,
                         .concurrency = 5});
    StopFlag stop;
    HarvestOptions options;
    for (const auto& [type, kind] : kTypes) options.types.push_back(type);
    options.accept_deletions = accept_deletions;
    const auto harvested = harvester.Harvest(options, stop);
    ASSERT_TRUE(harvested) << harvested.error().message;
    Tell("harvested: {} queued, exit code {}", harvested->queued(), harvested->exit_code());
    for (const TypeReport& of : harvested->types) {
      Tell("{}: candidates {}, returns {}, held {}, refreshed {}, changes {}: {} -> {} {}", Name(of.type),
           of.candidates, of.returns, of.held, of.refreshed, of.changes ? of.changes->queued : -1,
           of.changes && of.changes->watermark_before ? FormatDate(*of.changes->watermark_before) : "none",
           of.changes && of.changes->watermark_after ? FormatDate(*of.changes->watermark_after) : "none",
           of.changes ? of.changes->reason : "");
    }
    for (const ExportReport& of : harvested->exports) {
      Tell("{}: verdict {}, {} {}", of.name, static_cast<int>(of.verdict), of.unchanged ? "known" : "new",
           of.reason);
    }
    http::PacedRequester requester(clock_, transport_, limiter, random);
    StoreIntake intake(clock_, *store.writer, store.ledger, {.accept_deletions = accept_deletions});
    Collector collector(clock_, requester, *queue, intake, log_, random, access, DefaultNamespaces(),
                        {.concurrency = 10});
    const DrainResult drained = collector.Drain(stop);
    const bool excused = troubles_.errors && !calm_;
    EXPECT_TRUE(drained.end == DrainEnd::kDrained || excused) << drained.reason;
    const auto sealed = store.writer->Seal();
    EXPECT_TRUE(sealed) << sealed.error().message;
    for (const auto& [type, kind] : kTypes) {
      const auto purged = store.PurgeUnverified(type, clock_.Now() - days(180));
      ASSERT_TRUE(purged) << purged.error().message;
      EXPECT_EQ(*purged, 0) << Name(type);
    }
    // What failed five times, which errors may do to any id, a person puts back.
    if (troubles_.errors) {
      const auto redriven = queue->Redrive({}, Time::max());
      ASSERT_TRUE(redriven);
    }
  }

  void Mark() {
    figures_.records = figures_.details;
    figures_.listed = figures_.deleted = figures_.returned = figures_.stats = 0;
    figures_.details = figures_.feed_pages = figures_.exports = 0;
    figures_.cycles = 0;
    steps_.clear();
  }

  void EndTroubles() {
    Tell("the troubles end");
    world_.LookAt(clock_.Now());
    world_.Calm();
    calm_ = true;
    sim::FeedOptions feed;
    feed.rows_per_page = 7;
    simulator_.SetFeed(feed);
    simulator_.SetFaults({});
    simulator_.SetExportFaults({});
    simulator_.SetCaches(Duration(0), Duration(0));
  }

  // --- what must hold
  void CheckMirror() {
    if (::testing::Test::HasFatalFailure()) return;
    auto opened = testing::StorePieces::Open(files_, catalog_, clock_, StoreOptions());
    ASSERT_TRUE(opened) << opened.error().message;
    testing::StorePieces& store = **opened;
    world_.LookAt(clock_.Now());
    for (const auto& [type, kind] : kTypes) {
      std::set<std::int64_t> stored;
      ASSERT_TRUE(store.ledger.VisitLive(type, [&](const LiveRecord& record) { stored.insert(record.id); }));
      std::set<std::int64_t> live;
      world_.ForEachId(kind, [&](std::int64_t id, bool adult) {
        const bool may_be_late = quietly_returned_.contains({kind, id});
        if (stored.contains(id) || (!adult && !may_be_late)) live.insert(id);
      });
      for (const std::int64_t id : live)
        EXPECT_TRUE(stored.contains(id)) << NameOf(kind) << ":" << id << " is missing";
      for (const std::int64_t id : stored) {
        EXPECT_TRUE(live.contains(id)) << NameOf(kind) << ":" << id << " is gone, but stored";
        if (live.contains(id)) CheckRecord(store, {type, id}, kind);
      }
      ASSERT_TRUE(
          store.ledger.VisitStates(type, [&](const IdState& state) { known_.push_back({type, state.id}); }));
      for (const MediaId id : std::exchange(known_, {})) CheckHistory(store, id, kind);
    }
    const auto report = store.Verify(true);
    ASSERT_TRUE(report);
    for (const auto& damage : report->damage) ADD_FAILURE() << damage.file << ": " << damage.what;
  }

  static std::uint64_t ContentOf(const std::string& json) {
    const auto hash = HashContent(json);
    EXPECT_TRUE(hash) << json.substr(0, 200);
    return hash ? hash->content : 0;
  }

  void CheckRecord(testing::StorePieces& store, MediaId id, sim::Kind kind) {
    const auto record = store.reader.Find(id);
    ASSERT_TRUE(record) << record.error().message;
    const auto truth = simulator_.api().Truth(kind, id.id, sim::DefaultAppends(kind));
    ASSERT_TRUE(truth) << ToString(id);
    EXPECT_EQ(ContentOf(record->data), ContentOf(*truth))
        << ToString(id) << " is not as TMDB has it, fetched " << FormatTime(record->fetched_at);
    if (kind == sim::Kind::kTv) CheckSeasons(store, id.id);
  }

  void CheckSeasons(testing::StorePieces& store, std::int64_t show) {
    const auto numbers = store.ledger.SeasonNumbers(show);
    ASSERT_TRUE(numbers);
    std::vector<std::int64_t> expected;
    for (const sim::SeasonRef& ref : world_.Seasons(show)) {
      expected.push_back(ref.number);
      const auto season = store.reader.FindSeason(show, ref.number);
      ASSERT_TRUE(season) << season.error().message;
      EXPECT_EQ(season->id.id, ref.id) << "tv:" << show << " season " << ref.number;
      if (!season->live()) continue;
      EXPECT_EQ(ContentOf(season->data), ContentOf(*simulator_.api().SeasonTruth(show, ref.number)))
          << "tv:" << show << " season " << ref.number;
    }
    EXPECT_EQ(*numbers, expected) << "tv:" << show;
  }

  void CheckHistory(testing::StorePieces& store, MediaId id, sim::Kind kind) {
    const auto history = store.reader.History(id);
    if (!history) return;  // known to be missing, never stored
    for (const StoredRecord& record : *history) {
      if (record.change != Change::kDelete) continue;
      // Between TMDB's answer and its storing seconds may pass.
      const bool was_live = world_.WasLive(kind, id.id, record.fetched_at) &&
                            world_.WasLive(kind, id.id, record.fetched_at - seconds(60));
      EXPECT_FALSE(was_live) << ToString(id) << " was deleted at " << FormatTime(record.fetched_at)
                             << " although it was there";
    }
    // Without a stale cache there is no version that was not seen at TMDB; popularity alone makes none.
    const auto steps = steps_.find({kind, id.id});
    const std::int64_t most = 1 + (steps == steps_.end() ? 0 : steps->second);
    if (!troubles_.caches) {
      EXPECT_LE(static_cast<std::int64_t>(history->size()), most) << ToString(id);
    }
  }

  void CheckRequests() {
    Tell("{} details, {} feed pages, {} exports for {} edits, {} deletions, {} returns in {} cycles",
         figures_.details, figures_.feed_pages, figures_.exports, figures_.listed, figures_.deleted,
         figures_.returned, figures_.cycles);
    if (troubles_.any()) return;
    // An edit is fetched on its day and, since a cache may have given its old body, once more when the day is
    // over; a deletion costs the 404, a return what it takes to see that it is no mistake.
    EXPECT_LE(figures_.details, 5 * figures_.listed / 2 + 4 * (figures_.deleted + figures_.returned) + 20);
    EXPECT_LE(figures_.exports, 3 * (figures_.cycles + 1));
  }

  const std::uint64_t seed_;
  UpstreamDate upstream_;
  std::mt19937_64 random_;
  const Troubles troubles_;
  std::FILE* const log_file_;
  const bool loud_;
  FakeClock clock_;
  Log log_;
  sim::EvolvingWorld world_;
  sim::Simulator simulator_;
  SimTransport transport_;
  FaultFileSystem files_;
  Database catalog_;

  Figures figures_;
  std::map<std::pair<sim::Kind, std::int64_t>, std::int64_t> steps_;  // since the first cycle
  std::set<std::pair<sim::Kind, std::int64_t>> quietly_returned_;
  std::vector<MediaId> known_;
  bool calm_ = false;
};

TEST(Months, TheMirrorIsWhatTmdbIsWhenTheTroublesAreOver) {
  const char* one = std::getenv("TMDBC_SEED");
  const char* many = std::getenv("TMDBC_SEEDS");
  const std::uint64_t first = one ? std::strtoull(one, nullptr, 10) : 1;
  const std::uint64_t count = one ? 1 : many ? std::strtoull(many, nullptr, 10) : kDefaultSeeds;
  for (std::uint64_t seed = first; seed < first + count && !HasFailure(); ++seed) {
    SCOPED_TRACE(fmt::format("TMDBC_SEED={} months_test", seed));
    Life(seed, one != nullptr).Run();
  }
}

}  // namespace
}  // namespace tmdbc
