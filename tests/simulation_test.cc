// SPDX-License-Identifier: MIT
// The whole pipeline on fakes, from a seed: a small TMDB that is slow, unsteady and strict, the real
// collector, queue and store, a disk that fills up, fails and loses power, stop requests and crashes at
// random moments. Records change, go and come back, also while they are being fetched; now and then nearly
// all go at once. Whatever happens, in the end every id is stored as TMDB has it, dead by rule, or waits for
// somebody to accept its deletion, and the server never saw more than it allows.
//
// TMDBC_SEEDS=20000 simulation_test   more worlds (default 2000)
// TMDBC_SEED=17 simulation_test       this one alone, with its log
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "base/sqlite.h"
#include "collector/collector.h"
#include "queue/memory_queue.h"
#include "queue/sqlite_queue.h"
#include "storage/store_intake.h"
#include "storage/store_pieces_test.h"
#include "testing/fake_clock.h"
#include "testing/fake_tmdb.h"
#include "testing/fault_file_system.h"
#include "testing/seeds.h"

namespace tmdbc {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::FakeClock;
using testing::FakeTmdb;
using testing::FaultFileSystem;

// Thrown out of Wait() to end the process at that point, as SIGKILL would.
struct Killed {};

// The transport of one process: the world's, until the process is killed.
class MortalTransport final : public http::HttpTransport {
 public:
  MortalTransport(FakeTmdb& tmdb, const FaultFileSystem& files) : tmdb_(tmdb), files_(files) {}
  // The process dies in the `waits`-th Wait() from now on.
  void KillAt(int waits) { left_ = waits; }
  // Then something happens in the world.
  void DoAt(int waits, std::function<void()> what) {
    until_ = waits;
    what_ = std::move(what);
  }

  http::RequestId Start(http::Request request, std::function<void()> on_send) override {
    return tmdb_.Start(std::move(request), std::move(on_send));
  }
  std::vector<http::Outcome> Wait(MonoTime deadline) override {
    if (left_ == 0 || files_.power_is_off()) throw Killed();
    if (left_ > 0) --left_;
    if (what_ && until_-- == 0) what_();
    return tmdb_.Wait(deadline);
  }
  int Room() const override { return tmdb_.Room(); }
  int InFlight() const override { return tmdb_.InFlight(); }
  void Cancel(http::RequestId id) override { tmdb_.Cancel(id); }

 private:
  FakeTmdb& tmdb_;
  const FaultFileSystem& files_;
  int left_ = -1;
  int until_ = 0;
  std::function<void()> what_;
};

class World {
 public:
  World(std::uint64_t seed, bool loud)
      : seed_(seed),
        random_(seed * 0x9E3779B97F4A7C15u + 1),
        log_file_(loud ? stderr : std::fopen("/dev/null", "w")),
        log_(log_file_, loud ? LogLevel::kDebug : LogLevel::kError, LogFormat::kText, clock_),
        loud_(loud),
        rate_(Pick({1, 3, 10, 40, 40, 50, 200, 1000})),
        concurrency_(Pick({1, 2, 5, 5, 10, 20, 40})),
        tmdb_(clock_, Network()),
        memory_queue_(clock_, QueueOptions{.max_receives = 30}),
        catalog_(*Database::Open(":memory:", Database::Mode::kReadWrite)),
        sqlite_queue_(Chance(0.3)) {}
  ~World() {
    if (!loud_) std::fclose(log_file_);
  }

  void Run() {
    Populate();
    if (Chance(0.15)) PlanOutage();
    const int rounds = Below(3) + 1;
    for (int round = 0; round < rounds && !::testing::Test::HasFailure(); ++round) {
      if (round > 0) Evolve();
      ASSERT_NO_FATAL_FAILURE(DrainThroughTrouble(round == 0 ? Below(5) : Below(2)));
      if (undisturbed_) CheckRequests();
      CheckStored();
    }
    if (!held_.empty() && !::testing::Test::HasFailure()) AcceptDeletions();
    CheckServer();
  }

 private:
  // --- chance
  // ---------------------------------------------------------------------------------------------------------------
  int Below(int bound) { return static_cast<int>(random_() % static_cast<unsigned>(bound)); }
  bool Chance(double share) { return std::uniform_real_distribution<>(0, 1)(random_) < share; }
  int Pick(std::vector<int> choices) { return choices[random_() % choices.size()]; }

  FakeTmdb::Options Network() {
    FakeTmdb::Options options;
    options.seed = seed_;
    options.rate = rate_;
    options.latency_least = milliseconds(Below(100));
    options.latency_most = options.latency_least + milliseconds(1 + Below(Chance(0.1) ? 5000 : 400));
    options.connect_most = milliseconds(1 + Below(400));
    options.late = Duration(1 + Below(5000));
    options.stall = Chance(0.3) ? 0.05 : 0;
    options.faults = faults_ = Chance(0.3) ? 0 : Chance(0.7) ? 0.08 : 0.3;
    options.gzip = Chance(0.5) ? 0.3 : 0;
    return options;
  }

  // --- the world
  // --------------------------------------------------------------------------------------------------------------
  std::vector<std::int64_t> SomeSeasons() {
    std::set<std::int64_t> seasons;
    const int count = Chance(0.6) ? Below(5) : Chance(0.8) ? Below(30) : Below(70);
    const int first = Below(2);
    for (int i = 0; i < count; ++i) seasons.insert(first + i);
    if (Chance(0.1)) seasons.insert(2000 + Below(30));  // numbered by year
    return {seasons.begin(), seasons.end()};
  }

  void Populate() {
    const int count = 1 + Below(Chance(0.2) ? 120 : 30);
    std::vector<QueueItem> items;
    for (int i = 0; i < count; ++i) {
      static constexpr MediaType kTypes[] = {MediaType::kMovie, MediaType::kMovie, MediaType::kTv,
                                             MediaType::kPerson, MediaType::kCollection};
      const MediaId id{kTypes[random_() % std::size(kTypes)], 1 + Below(5000)};
      if (!ids_.insert(id).second) continue;
      items.push_back({id, static_cast<float>(Below(100)) / 4});
      if (Chance(0.1)) continue;  // 404
      tmdb_.Add(id, id.type == MediaType::kTv ? SomeSeasons() : std::vector<std::int64_t>());
      if (Chance(0.04)) {
        static constexpr FakeTmdb::Fault kLasting[] = {
            FakeTmdb::Fault::kServerError, FakeTmdb::Fault::kTruncated, FakeTmdb::Fault::kBare404,
            FakeTmdb::Fault::kBadRequest,  FakeTmdb::Fault::kWrongId,   FakeTmdb::Fault::kMaintenance,
            FakeTmdb::Fault::kThrottled};
        tmdb_.Break(id, kLasting[random_() % std::size(kLasting)]);
        broken_.insert(id);
      }
    }
    Send(items);
  }

  void Send(std::span<const QueueItem> items) {
    if (sqlite_queue_) {
      ASSERT_TRUE((*SqliteIdQueue::Open(catalog_, clock_, {.max_receives = 30}))->Send(items));
    } else {
      ASSERT_TRUE(memory_queue_.Send(items));
    }
    for (const QueueItem& item : items) sent_.push_back(item.id);
  }

  void PlanOutage() {
    static constexpr FakeTmdb::Fault kKinds[] = {FakeTmdb::Fault::kConnect,     FakeTmdb::Fault::kTimeout,
                                                 FakeTmdb::Fault::kServerError, FakeTmdb::Fault::kHtml,
                                                 FakeTmdb::Fault::kBare403,     FakeTmdb::Fault::kThrottled};
    const MonoTime from = clock_.Mono() + milliseconds(Below(8000));
    tmdb_.Outage(from, from + seconds(1 + Below(Chance(0.1) ? 1500 : 90)),
                 kKinds[random_() % std::size(kKinds)]);
    outage_ = true;
  }

  // Some days later: what changed is sent again.
  void Evolve() {
    clock_.Advance(hours(24) + seconds(Below(1000)));
    const bool nearly_all_go = Chance(0.2);
    std::vector<QueueItem> items;
    sent_.clear();
    for (const MediaId id : ids_) {
      if (dead_.contains(id) || broken_.contains(id) || !(nearly_all_go || Chance(0.5))) continue;
      if (!tmdb_.live(id)) {
        if (Chance(0.3))
          tmdb_.Add(id, id.type == MediaType::kTv ? SomeSeasons() : std::vector<std::int64_t>());
      } else if (Chance(nearly_all_go ? 0.95 : 0.1)) {
        tmdb_.Remove(id);
      } else {
        if (Chance(0.6)) tmdb_.Change(id, Chance(0.4));
        if (id.type == MediaType::kTv && Chance(0.3)) tmdb_.SetSeasons(id.id, SomeSeasons());
      }
      items.push_back({id, 1});
    }
    Send(items);
  }

  // While it is being fetched, or waits, or was just stored.
  void ChangeMeanwhile(IdSender& queue) {
    auto id = ids_.begin();
    std::advance(id, Below(static_cast<int>(ids_.size())));
    if (!tmdb_.live(*id) || dead_.contains(*id) || broken_.contains(*id)) return;
    tmdb_.Change(*id, Chance(0.3));
    const auto sent = queue.Send(std::vector<QueueItem>{{*id, 50}});
    // On a full or broken disk it cannot be queued: then nobody knows of the change, as if it came a day
    // later.
    if (!sent) unseen_.insert(*id);
    undisturbed_ = false;
  }

  // A season is asked for with its show.
  static MediaId AskedFor(MediaId id) {
    if (id.type != MediaType::kSeason) return id;
    return {MediaType::kTv, (id.id - 1) / 10'000};
  }

  // Somebody has looked: what is held goes.
  void AcceptDeletions() {
    clock_.Advance(hours(1));
    std::vector<QueueItem> items;
    std::set<MediaId> asked;
    for (const MediaId id : held_) asked.insert(AskedFor(id));
    for (const MediaId id : asked) items.push_back({id, 1});
    sent_.clear();
    Send(items);
    accept_deletions_ = true;
    ASSERT_NO_FATAL_FAILURE(DrainThroughTrouble(Below(2)));
    CheckStored();
    std::size_t left = 0;
    for (const MediaId id : held_) left += dead_.contains(AskedFor(id)) ? 0 : 1;
    EXPECT_EQ(left, 0u) << "accepted, and still held";
  }

  // --- processes
  // --------------------------------------------------------------------------------------------------------------
  void DrainThroughTrouble(int troubles) {
    undisturbed_ = troubles == 0 && !outage_;
    unseen_.clear();
    stored_before_ = Requests();
    for (const MediaId id : ids_) refused_before_[id] = tmdb_.refused(id);
    gone_before_ = gone_;
    held_before_ = held_;
    lives_ = 0;
    for (int life = 0;; ++life) {
      ASSERT_LT(life, 40) << "the run does not end";
      ++lives_;
      const bool last = Live(life < troubles);
      EndDiskTrouble();
      if (last || ::testing::Test::HasFatalFailure()) return;
      // Within this the last second of the process before is over at the server; rate_limiter_test has
      // restarts at once.
      clock_.Advance(milliseconds(1100 + Below(2000)));
    }
  }

  void EndDiskTrouble() {
    constexpr std::int64_t kNever = std::int64_t{1} << 60;
    if (files_.power_is_off()) files_.Restart(random_());
    files_.CutPowerAt(kNever);
    files_.FailAt(kNever, ErrorCode::kIo);
    files_.SetCapacity({});
    disk_trouble_ = false;
  }

  // One process, from its start to its end. True when the queue is drained.
  bool Live(bool trouble) {
    auto store = testing::StorePieces::Open(files_, catalog_, clock_, StoreOptions());
    if (!store) {
      ADD_FAILURE() << store.error().message;
      return true;
    }
    std::unique_ptr<SqliteIdQueue> sqlite_queue;
    if (sqlite_queue_) {
      sqlite_queue = *SqliteIdQueue::Open(catalog_, clock_, {.max_receives = 30});
    } else {
      memory_queue_.FreeLeases();
    }
    IdSender& sender = sqlite_queue ? static_cast<IdSender&>(*sqlite_queue) : memory_queue_;
    IdReceiver& receiver = sqlite_queue ? static_cast<IdReceiver&>(*sqlite_queue) : memory_queue_;
    QueueView& view = sqlite_queue ? static_cast<QueueView&>(*sqlite_queue) : memory_queue_;
    RateLimiter limiter(rate_, clock_);
    MortalTransport transport(tmdb_, files_);
    std::mt19937_64 random(random_());
    http::PacedRequester requester(clock_, transport, limiter, random);
    StoreIntake intake(clock_, *(*store)->writer, (*store)->ledger, {.accept_deletions = accept_deletions_});
    Collector collector(clock_, requester, receiver, intake, log_, random,
                        {.base_url = std::string(FakeTmdb::kBaseUrl),
                         .secret_query = {},
                         .bearer = {},
                         .user_agent = "simulation"},
                        DefaultNamespaces(), {.concurrency = concurrency_});
    StopFlag stop;
    MonoTime stop_asked{};
    int stop_at = -1, room_at = -1, progress = 0;
    if (trouble) {
      switch (Below(5)) {
        case 0:
          stop_at = Below(6);
          break;
        case 1:
          transport.KillAt(Below(200));
          break;
        case 2:
          files_.CutPowerAt(1 + Below(12));
          disk_trouble_ = true;
          break;
        case 3:
          files_.FailAt(1 + Below(12), ErrorCode::kIo);
          disk_trouble_ = true;
          break;
        case 4:
          files_.SetCapacity(files_.bytes_used() + static_cast<std::uint64_t>(Below(3000)));
          room_at = 1 + Below(30);
          disk_trouble_ = true;
          break;
      }
    }
    if (Chance(0.3)) transport.DoAt(Below(60), [&] { ChangeMeanwhile(sender); });
    collector.on_progress = [&](const CollectorStats&) {
      if (progress == stop_at) {
        stop.Request();
        stop_asked = clock_.Mono();
      }
      if (progress == room_at) files_.SetCapacity({});
      ++progress;
    };
    DrainResult result;
    try {
      result = collector.Drain(stop);
    } catch (const Killed&) {
      tmdb_.Crash();
      return false;
    }
    if (loud_) fmt::print(stderr, "life ended: {} {}\n", static_cast<int>(result.end), result.reason);
    EXPECT_EQ(tmdb_.InFlight(), 0);
    switch (result.end) {
      case DrainEnd::kDrained: {
        EXPECT_FALSE(stop.requested() && stop_asked + seconds(1) < clock_.Mono());
        const auto sealed = (*store)->writer->Seal();
        EXPECT_TRUE(sealed || disk_trouble_) << sealed.error().message;
        return true;
      }
      case DrainEnd::kStopped:
        EXPECT_TRUE(stop.requested());
        EXPECT_LT(clock_.Mono() - stop_asked, seconds(5));
        CheckNothingInFlight(view);
        return false;
      case DrainEnd::kStoreFailed:
        EXPECT_TRUE(disk_trouble_) << result.reason;
        return false;
      case DrainEnd::kUnreachable:
        // Two requests that hang, when they are the very first, are taken for a server that is not there.
        EXPECT_TRUE(outage_ || (faults_ > 0 && result.reason.find("minutes") == std::string::npos))
            << result.reason;
        if (outage_) clock_.Advance(seconds(60));
        CheckNothingInFlight(view);
        return false;
      case DrainEnd::kDenied:
      case DrainEnd::kKeyLost:
        ADD_FAILURE() << result.reason;
        return true;
    }
    return true;
  }

  RecordWriterOptions StoreOptions() {
    RecordWriterOptions options;
    options.frame_bytes = 2000;
    options.segment_bytes = Chance(0.5) ? 4000 : 32 << 20;
    options.zstd_level = 1;
    return options;
  }

  // --- checks
  // -----------------------------------------------------------------------------------------------------------------
  static void CheckNothingInFlight(QueueView& queue) {
    const auto all = queue.Counts();
    for (const auto& [type, counts] : *all) EXPECT_EQ(counts.in_flight, 0) << Name(type);
  }

  QueueView& Queue() {
    if (!sqlite_queue_) return memory_queue_;
    reader_ = std::make_unique<SqliteQueueView>(catalog_, clock_, QueueOptions{.max_receives = 30});
    return *reader_;
  }

  static bool NamesTheId(const DeadLetter& letter) {
    return letter.reason.starts_with("get " + ToString(letter.id) + ": ");
  }

  // What always fails in one namespace, or in one season, is stored without it.
  static bool NamesAPart(const DeadLetter& letter) {
    const std::string before = "get " + ToString(letter.id) + " ";
    if (!letter.reason.starts_with(before)) return false;
    const std::string part = letter.reason.substr(before.size(), letter.reason.find(": ") - before.size());
    const std::vector<std::string>& namespaces = DefaultNamespaces().at(letter.id.type);
    return part.starts_with("season/") || std::ranges::find(namespaces, part) != namespaces.end();
  }

  void CheckStored() {
    QueueView& queue = Queue();
    const auto all = queue.Counts();
    for (const auto& [type, counts] : *all) {
      EXPECT_EQ(counts.waiting + counts.delayed + counts.in_flight, 0) << Name(type);
    }
    dead_.clear();
    lacking_.clear();
    const auto letters = queue.DeadLetters({}, 100000);
    for (const DeadLetter& letter : *letters) {
      dead_.insert(letter.id);
      if (NamesAPart(letter)) lacking_.insert(letter.id);
      EXPECT_TRUE(NamesTheId(letter) || NamesAPart(letter)) << letter.reason;
      const bool by_rule = letter.reason.ends_with(" tries") || letter.reason.ends_with("HTTP 400 code 47");
      EXPECT_TRUE(by_rule) << letter.reason;
      // Five failures in a row of one request are rare unless they are the rule for that id.
      EXPECT_TRUE(broken_.contains(letter.id) || faults_ > 0 || outage_) << letter.reason;
    }
    auto opened = testing::StorePieces::Open(files_, catalog_, clock_, StoreOptions());
    ASSERT_TRUE(opened) << opened.error().message;
    testing::StorePieces& store = **opened;
    CheckDeletions(store);
    for (const MediaId id : ids_) {
      if (id.type != MediaType::kTv) continue;
      known_seasons_[id] = *store.ledger.SeasonNumbers(id.id);
      for (const std::int64_t number : known_seasons_[id])
        seasons_seen_.insert({MediaType::kSeason, FakeTmdb::SeasonId(id.id, number)});
    }
    CheckHeldSeasons();
    std::size_t unlucky = 0;
    for (const MediaId id : ids_) {
      if (unseen_.contains(id)) {
        continue;
      } else if (broken_.contains(id)) {
        EXPECT_TRUE(dead_.contains(id)) << ToString(id);
        EXPECT_FALSE(store.reader.Find(id)) << ToString(id);
      } else if (dead_.contains(id)) {
        ++unlucky;
        EXPECT_TRUE(!lacking_.contains(id) || store.reader.Find(id)) << ToString(id);
      } else {
        CheckStored(store, id);
      }
    }
    EXPECT_LE(unlucky, faults_ == 0 ? 0 : 2 + ids_.size() / 10);
    const auto report = store.Verify(true);
    ASSERT_TRUE(report);
    for (const auto& damage : report->damage) ADD_FAILURE() << damage.file << ": " << damage.what;
  }

  // Of each type one process deletes 21 records at most (5 % of these worlds is less), and none while
  // deletions of the type are held already.
  void CheckDeletions(testing::StorePieces& store) {
    held_.clear();
    gone_.clear();
    for (const MediaType type : kRecordTypes) {
      const auto held = store.ledger.HeldDeletions(type);
      ASSERT_TRUE(held);
      for (const std::int64_t id : *held) held_.insert({type, id});
      if (type == MediaType::kSeason) continue;  // CheckHeldSeasons()
      std::size_t due = 0, deleted = 0;
      for (const MediaId id : ids_) {
        if (id.type != type || tmdb_.live(id)) continue;
        const auto record = store.reader.Find(id);
        if (!record) continue;
        ++due;
        if (record->live()) continue;
        gone_.insert(id);
        deleted += gone_before_.contains(id) ? 0 : 1;
      }
      if (accept_deletions_) continue;
      const bool held_before =
          std::ranges::any_of(held_before_, [type](MediaId id) { return id.type == type; });
      EXPECT_LE(deleted, held_before ? 0 : 21 * lives_) << Name(type);
      EXPECT_TRUE(held->empty() || held_before || due > 20) << Name(type) << ": held without need";
    }
  }

  bool IsListed(MediaId season) const {
    const MediaId show = AskedFor(season);
    return tmdb_.live(show) && std::ranges::find(tmdb_.seasons(show.id), (season.id - 1) % 10'000) !=
                                   tmdb_.seasons(show.id).end();
  }

  // Seasons are held only where more than 20 are gone.
  void CheckHeldSeasons() {
    const auto is_season = [](MediaId id) { return id.type == MediaType::kSeason; };
    const auto held = std::ranges::count_if(held_, is_season);
    const auto gone = std::ranges::count_if(seasons_seen_, [this](MediaId id) { return !IsListed(id); });
    const bool excused = accept_deletions_ || lives_ > 1 || std::ranges::any_of(held_before_, is_season);
    EXPECT_TRUE(held == 0 || excused || gone > 20) << held << " seasons held without need";
  }

  void CheckStored(testing::StorePieces& store, MediaId id) {
    const auto record = store.reader.Find(id);
    EXPECT_FALSE(tmdb_.live(id) && held_.contains(id)) << ToString(id) << " is there, and still held";
    if (!tmdb_.live(id) && held_.contains(id)) {
      EXPECT_TRUE(record->live()) << ToString(id);
      return;
    }
    if (!tmdb_.live(id)) {
      EXPECT_TRUE(record ? !record->live() : record.error().code == ErrorCode::kNotFound) << ToString(id);
      return;
    }
    ASSERT_TRUE(record) << ToString(id) << ": " << record.error().message;
    EXPECT_EQ(record->data, tmdb_.Body(id, DefaultNamespaces().at(id.type)));
    EXPECT_TRUE(record->etag || faults_ > 0 || outage_);  // what was asked in parts has none
    CheckHistory(store, id);
    if (id.type != MediaType::kTv) return;
    std::set<std::int64_t> seasons(tmdb_.seasons(id.id).begin(), tmdb_.seasons(id.id).end());
    for (const MediaId held : held_) {
      if (held.type != MediaType::kSeason || AskedFor(held) != id) continue;
      EXPECT_FALSE(IsListed(held)) << ToString(held) << " is there, and still held";
      seasons.insert((held.id - 1) % 10'000);
    }
    EXPECT_EQ(*store.ledger.SeasonNumbers(id.id), std::vector(seasons.begin(), seasons.end()))
        << ToString(id);
    for (const std::int64_t number : tmdb_.seasons(id.id)) {
      const auto season = store.reader.FindSeason(id.id, number);
      ASSERT_TRUE(season) << ToString(id) << " season " << number;
      EXPECT_EQ(season->data, tmdb_.SeasonBody(id.id, number));
      EXPECT_EQ(season->id.id, FakeTmdb::SeasonId(id.id, number));
      CheckHistory(store, season->id);
    }
  }

  // Nothing twice, nothing older over something newer.
  static void CheckHistory(testing::StorePieces& store, MediaId id) {
    const auto history = store.reader.History(id);
    ASSERT_TRUE(history) << ToString(id);
    for (std::size_t i = 0; i < history->size(); ++i) {
      EXPECT_EQ((*history)[i].version, static_cast<std::int64_t>(i + 1)) << ToString(id);
      if (i == 0) continue;
      EXPECT_GT((*history)[i].fetched_at, (*history)[i - 1].fetched_at) << ToString(id);
      EXPECT_NE((*history)[i].data, (*history)[i - 1].data) << ToString(id);
    }
  }

  // Useful requests so far, by id.
  std::map<MediaId, std::int64_t> Requests() const {
    std::map<MediaId, std::int64_t> requests;
    for (const MediaId id : ids_) requests[id] = tmdb_.arrived(id) - tmdb_.refused(id);
    return requests;
  }

  // In a round without crashes each id took exactly the requests of its plan.
  void CheckRequests() {
    for (const MediaId id : sent_) {
      if (broken_.contains(id)) continue;
      const std::int64_t took = tmdb_.arrived(id) - tmdb_.refused(id) - stored_before_[id];
      // What failed twice may be asked in parts from then on: one request more for each failure, and the
      // seasons in smaller groups.
      const std::int64_t failed = tmdb_.refused(id) - refused_before_[id];
      const bool show = id.type == MediaType::kTv && tmdb_.live(id);
      const std::int64_t in_parts = failed > 1 ? failed + (show ? std::ssize(tmdb_.seasons(id.id)) : 0) : 0;
      const std::vector<std::int64_t>& known = known_seasons_[id];
      const std::vector<Call> plan = PlanCalls(id, known, DefaultNamespaces());
      if (!tmdb_.live(id) || IsDead(id)) {
        EXPECT_LE(took, static_cast<std::int64_t>(plan.size()) + in_parts) << ToString(id);
      } else {
        EXPECT_GE(took, Planned(id, plan)) << ToString(id);
        EXPECT_LE(took, Planned(id, plan) + in_parts) << ToString(id);
      }
    }
  }

  bool IsDead(MediaId id) {
    const auto letters = Queue().DeadLetters(id.type, 100000);
    return std::ranges::any_of(*letters, [id](const DeadLetter& letter) { return letter.id == id; });
  }

  std::int64_t Planned(MediaId id, const std::vector<Call>& plan) const {
    if (id.type != MediaType::kTv) return 1;
    std::set<std::string> asked;
    for (const Call& call : plan) asked.insert(call.appends.begin(), call.appends.end());
    const auto missing = std::ranges::count_if(
        tmdb_.seasons(id.id), [&](std::int64_t n) { return !asked.contains("season/" + std::to_string(n)); });
    return static_cast<std::int64_t>(plan.size()) + (missing + 19) / 20;
  }

  void CheckServer() const {
    const FakeTmdb::Counters& counters = tmdb_.counters();
    EXPECT_EQ(counters.throttled, 0) << "rate " << rate_;
    EXPECT_LE(counters.most_in_a_second, rate_);
    EXPECT_LE(counters.most_connections, 20);
    EXPECT_LE(counters.most_under_way, concurrency_);
    EXPECT_EQ(counters.started_without_room, 0);
    EXPECT_LT(clock_.Now(), Time(std::chrono::sys_days(std::chrono::year(2026) / 11 / 22)) + hours(24 * 4));
  }

  const std::uint64_t seed_;
  std::mt19937_64 random_;
  FakeClock clock_;
  std::FILE* const log_file_;
  Log log_;
  const bool loud_;
  const int rate_, concurrency_;
  double faults_ = 0;
  FakeTmdb tmdb_;
  MemoryIdQueue memory_queue_;
  FaultFileSystem files_;
  Database catalog_;
  const bool sqlite_queue_;
  std::unique_ptr<SqliteQueueView> reader_;

  std::set<MediaId> ids_, broken_, dead_;
  std::set<MediaId> lacking_;  // of the dead: stored, but for a part
  std::vector<MediaId> sent_;  // in this round
  std::map<MediaId, std::int64_t> stored_before_;
  std::map<MediaId, std::int64_t> refused_before_;
  std::map<MediaId, std::vector<std::int64_t>> known_seasons_;  // by the store
  std::set<MediaId> seasons_seen_;                              // of those the store ever had
  std::set<MediaId> gone_, gone_before_;                        // of what was stored once: deleted
  std::set<MediaId> held_, held_before_;                        // live, until their deletion is accepted
  std::set<MediaId> unseen_;  // changed in this round without anybody's knowledge
  std::size_t lives_ = 0;     // processes of this round
  bool accept_deletions_ = false;
  bool outage_ = false, disk_trouble_ = false, undisturbed_ = true;
};

// One part of the seeds, so that ctest can run the parts side by side.
class Simulation : public ::testing::TestWithParam<int> {};
constexpr int kParts = 4;

TEST_P(Simulation, EndsWithEveryIdStoredOrDeadByRule) {
  for (const std::uint64_t seed : testing::SeedsOf(GetParam(), kParts, 2000)) {
    World world(seed, testing::IsOneSeed());
    world.Run();
    if (HasFailure()) {
      FAIL() << "seed " << seed << "; to run it alone, with its log: TMDBC_SEED=" << seed
             << " simulation_test";
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, Simulation, ::testing::Range(0, kParts));

}  // namespace
}  // namespace tmdbc
