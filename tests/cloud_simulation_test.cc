// SPDX-License-Identifier: MIT
// Thousands of small worlds of a mirror in a bucket: owners and collectors that are killed between any two calls, calls
// of the dead that arrive late, lost answers, conditions that fail, messages lost, repeated and reordered, two owners
// at once, a TMDB that is edited all the while. Whatever happens: no segment gets a second body, no number is left out,
// no version stands twice, every id has one insert; and once the weather clears everything is stored as TMDB has it.
//
// Then the same with mistakes planted into the ports: what loses something must be found.
//
// TMDBC_SEED=17 is that one world, with its log; TMDBC_SEEDS=N the first N.
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "cloud/cloud_world_test.h"
#include "harvester/fetch_rules.h"
#include "queue/sqlite_queue.h"
#include "testing/seeds.h"

namespace tmdbc::testing {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using Fault = MemoryObjectStore::Fault;

enum class Mistake : std::uint8_t {
  kNone,
  // These lose something.
  kNoCatchingUp,             // segments beyond the catalog are not looked at
  kTakesTheNextNumber,       // a refused segment goes under the next number
  kHeadWithoutCondition,     // the head is published although another owner changed it
  kSettledBeforeStored,      // the catalog is published before its segments are put
  kWatermarkApart,           // what was read of the feed is read, whether the catalog is published or not
  // These only cost requests.
  kNoLease,
  kBundlesGoEarly,           // a bundle is deleted as soon as it was read
  kAcknowledgedEarly,        // a message is deleted before its bundle is there
  kNeverSent,                // a cycle that dies before it sent its messages is not made up for
};

// What S3ObjectStore does of its own: calls without an answer are made again. And where mistakes are planted.
class SimStore final : public ObjectStore {
 public:
  SimStore(MemoryObjectStore& inner, Mistake mistake) : inner_(inner), mistake_(mistake) {}

  Result<std::string> Read(const std::string& key, std::uint64_t offset, std::uint64_t length) override {
    return Again<std::string>([&] { return inner_.Read(key, offset, length); });
  }
  Result<Object> Get(const std::string& key) override {
    auto object = Again<Object>([&] { return inner_.Get(key); });
    if (object && key == kHeadKey) Learn(*object);
    if (object && mistake_ == Mistake::kBundlesGoEarly && key.starts_with(kBundlePrefix))
      (void)inner_.Delete(std::vector{key});
    return object;
  }
  Result<std::optional<ObjectInfo>> Head(const std::string& key) override {
    return Again<std::optional<ObjectInfo>>([&] { return inner_.Head(key); });
  }
  Result<std::vector<ObjectInfo>> ListObjects(const std::string& prefix, const std::string& after) override {
    auto found = Again<std::vector<ObjectInfo>>([&] { return inner_.ListObjects(prefix, after); });
    if (found && mistake_ == Mistake::kNoCatchingUp)
      std::erase_if(*found, [&](const ObjectInfo& object) { return IsBeyond(object.key); });
    return found;
  }
  Result<std::string> Put(const std::string& key, std::string_view bytes, const PutCondition& condition) override {
    PutCondition wanted = condition;
    if (key == kHeadKey && mistake_ == Mistake::kHeadWithoutCondition) {
      const auto head = ParseHeadState(bytes);
      if (head && !head->holder) wanted = PutCondition::None();
    }
    auto put = Again<std::string>([&] { return inner_.Put(key, bytes, wanted); });
    if (put && key == kHeadKey) PutHeldBack();
    return put;
  }
  Result<std::string> PutFile(const std::string& key, BlobReader& from, const std::string& path,
                              const PutCondition& condition) override {
    TRY_ASSIGN(const std::string bytes, from.Read(path, 0, ~std::uint64_t(0)));
    if (const auto name = ParseSegmentPath(key)) {
      if (mistake_ == Mistake::kSettledBeforeStored) {
        held_back_.emplace_back(key, bytes);
        return "\"later\"";
      }
      auto put = Put(key, bytes, condition);
      for (std::uint32_t number = name->number + 1;
           mistake_ == Mistake::kTakesTheNextNumber && !put && put.error().code == ErrorCode::kExists; ++number)
        put = Put(SealedPath(name->type, number), bytes, condition);
      return put;
    }
    return Put(key, bytes, condition);
  }
  Result<void> Delete(std::span<const std::string> keys) override {
    return Again<void>([&] { return inner_.Delete(keys); });
  }

 private:
  template <class T>
  Result<T> Again(const std::function<Result<T>()>& call) {
    Result<T> answer = call();
    for (int i = 0; i < 3 && !answer && answer.error().code == ErrorCode::kIo; ++i) answer = call();
    return answer;
  }
  void Learn(Object& object) {
    auto head = ParseHeadState(object.bytes);
    if (!head) return;
    sequences_ = head->sequences;
    if (mistake_ != Mistake::kNoLease) return;
    head->holder.reset();
    object.bytes = FormatHeadState(*head);
  }
  bool IsBeyond(const std::string& key) const {
    const auto name = ParseSegmentPath(key);
    if (!name) return false;
    const auto last = sequences_.find(name->type);
    return last == sequences_.end() || name->number > last->second;
  }
  void PutHeldBack() {
    for (const auto& [key, bytes] : std::exchange(held_back_, {})) (void)inner_.Put(key, bytes, PutCondition::Absent());
  }

  MemoryObjectStore& inner_;
  const Mistake mistake_;
  std::map<MediaType, std::int64_t> sequences_;
  std::vector<std::pair<std::string, std::string>> held_back_;
};

class NeverSends final : public BatchChannel {
 public:
  explicit NeverSends(BatchChannel& inner) : inner_(inner) {}
  Result<void> Send(std::span<const IdBatch> batches) override {
    // One in two is as if it had been sent.
    return ++sends_ % 2 == 0 ? Result<void>() : inner_.Send(batches);
  }
  Result<ChannelCounts> Count() override { return inner_.Count(); }

 private:
  BatchChannel& inner_;
  int sends_ = 0;
};

MemoryChannel::Options ChannelOf(std::uint64_t seed) {
  MemoryChannel::Options options{.seed = seed};
  if (seed % 3 == 0) options.lose = 0.05;
  if (seed % 2 == 0) options.repeat = 0.1;
  if (seed % 5 < 2) options.reorder = 0.3;
  options.count_every = minutes(seed % 2);
  return options;
}

class Sim {
 public:
  Sim(std::uint64_t seed, Mistake mistake)
      : mistake_(mistake), world_(seed, ChannelOf(seed)), random_(seed * 7919), severity_(double(seed % 4) * 0.008),
        asks_(seed % 3 == 0) {
    world_.dispatch = {.rate = 0.1, .concurrency = 2};
    world_.least_to_merge = 2;
    for (const MediaType type : {MediaType::kMovie, MediaType::kTv, MediaType::kPerson}) world_.tmdb.Edit({type, 1});
    for (int i = 0; i < 5; ++i) Edit();
    for (auto& machine : machines_) machine = New();
    world_.tmdb.PublishExports();
  }

  // Empty, or what must never be.
  std::string Run(int steps) {
    for (int i = 0; i < steps && fault_.empty(); ++i) Step();
    if (fault_.empty()) ClearUp();
    return fault_;
  }

  std::int64_t kills = 0, publications = 0, overlaps = 0, compacted = 0;
  std::int64_t fetches() const {
    std::int64_t sum = 0;
    for (const auto& [id, count] : world_.fetches) sum += count;
    return sum;
  }
  std::int64_t edits = 0;

 private:
  struct Process {
    std::unique_ptr<CloudWorld::Machine> machine;
    std::unique_ptr<SimStore> store;
    std::unique_ptr<NeverSends> channel;
    bool dead = false;
  };

  std::size_t Up(std::size_t below) { return random_() % below; }
  bool Chance(double share) { return share > 0 && std::bernoulli_distribution(share)(random_); }

  std::unique_ptr<Process> New() {
    auto process = std::make_unique<Process>();
    Process& p = *process;
    p.machine = world_.NewMachine();
    p.store = std::make_unique<SimStore>(p.machine->store, mistake_);
    p.channel = std::make_unique<NeverSends>(p.machine->channel);
    world_.MakeOwner(*p.machine, *p.store,
                     mistake_ == Mistake::kNeverSent ? static_cast<BatchChannel&>(*p.channel) : p.machine->channel);
    p.machine->store.choose_fault = [this, &p](std::string_view, const std::string&) { return Weather(p); };
    p.machine->channel.choose_fault = [this, &p](std::string_view) -> std::optional<MemoryChannel::Fault> {
      if (p.dead) return MemoryChannel::Fault::kDies;
      if (calm_ || !Chance(severity_)) return std::nullopt;
      const MemoryChannel::Fault faults[] = {MemoryChannel::Fault::kFails, MemoryChannel::Fault::kLosesAnswer,
                                             MemoryChannel::Fault::kHalf};
      return faults[Up(3)];
    };
    if (mistake_ == Mistake::kWatermarkApart) {
      p.machine->host.on_answer = [this](const FakeExportHost& view) {
        if (view.change_requests() == 0) return;
        const auto day = std::chrono::floor<std::chrono::days>(world_.clock.Now());
        for (const MediaType type : {MediaType::kMovie, MediaType::kTv, MediaType::kPerson})
          world_.host.ChangesOf(type, day).clear();
      };
    }
    return process;
  }

  // What happens to a call of an owner, and what others do meanwhile.
  std::optional<Fault> Weather(Process& process) {
    if (process.dead) return Fault::kDies;
    if (calm_) return std::nullopt;
    if (depth_ == 0 && Chance(0.01)) Meanwhile();
    if (Chance(0.006 + severity_ / 4)) {
      ++kills;
      process.dead = true;
      // One call of it may still be on its way.
      return Chance(0.5) ? Fault::kArrivesLate : Fault::kDies;
    }
    if (!Chance(severity_)) return std::nullopt;
    const Fault faults[] = {Fault::kFails, Fault::kLosesAnswer, Fault::kArrivesLate};
    return faults[Up(3)];
  }

  // It stands still: a lease may be over before it goes on.
  void Meanwhile() {
    ++depth_;
    ++overlaps;
    if (Chance(0.5)) world_.clock.Advance(minutes(17));
    for (std::size_t i = Up(4); i > 0; --i) Collect();
    if (Chance(0.3)) Edit();
    auto other = New();
    Own(*other);
    if (Chance(0.3)) Own(*other);
    --depth_;
  }

  void Edit() {
    ++edits;
    const MediaId id = Up(3) == 0   ? MediaId{MediaType::kTv, std::int64_t(1 + Up(4))}
                       : Up(4) == 0 ? MediaId{MediaType::kPerson, std::int64_t(1 + Up(3))}
                                    : MediaId{MediaType::kMovie, std::int64_t(1 + Up(6))};
    if (world_.tmdb.live(id) && Chance(0.2)) {
      world_.tmdb.Remove(id);
    } else {
      world_.tmdb.Edit(id);
    }
    Trace("edit", ToString(id));
  }

  void Own(Process& process) {
    const auto before = world_.tmdb.things();
    // In one world in three hardly anything but what somebody asks for is known to have changed.
    const bool harvest = Chance(asks_ ? 0.02 : 0.1), ask = !harvest && Chance(asks_ ? 0.4 : 0.1);
    const std::int64_t movie = 1 + std::int64_t(Up(6));
    const auto report = harvest ? world_.Ask(*process.machine, "auto")
                        : ask   ? world_.Ask(*process.machine, fmt::format("movies {}", movie))
                                : world_.Heartbeat(*process.machine);
    Trace(harvest ? "harvest"
          : ask   ? fmt::format("ask for movie:{}", movie)
                  : "heartbeat",
          report ? fmt::format("end {} epoch {} out {} waiting {}", int(report->end), report->epoch,
                               report->out.ids, report->waiting)
                 : report.error().message);
    Check();
    if (!report || report->end != OwnerEnd::kPublished) return;
    ++publications;
    compacted += report->merged_segments;
    if (ask) Told({MediaType::kMovie, movie}, before);
    // Where a day is read more often its ids are not all asked for each time (harvester/fetch_rules.h).
    harvests_ += std::ssize(report->harvests);
    if (report->harvests.empty() || harvests_ > kReadingsBeforeOften) return;
    for (const TypeReport& type : report->harvests.back().types) {
      if (!type.changes || type.changes->verdict != ChangesVerdict::kRead) continue;
      for (const auto& [id, thing] : before)
        if (id.type == type.type) Told(id, before);
    }
  }
  void Told(MediaId id, const std::map<MediaId, SmallTmdb::Thing>& things) {
    const auto thing = things.find(id);
    if (thing == things.end()) return;
    SmallTmdb::Thing& told = told_[id];
    if (told.content < thing->second.content) told = thing->second;
  }

  void Collect() {
    if (!working_.empty() && Chance(0.6)) {
      // Some stand still for hours.
      if (!calm_ && Chance(0.3)) std::swap(working_.front(), working_[Up(working_.size())]);
      auto collector = std::move(working_.back());
      working_.pop_back();
      if (!calm_ && Chance(0.1)) return;  // killed
      world_.End(collector);
      Trace("bundle", collector.batch.name);
      return;
    }
    if (auto collector = world_.Begin()) {
      if (mistake_ == Mistake::kAcknowledgedEarly) world_.messages.Delete(collector->delivery.receipt);
      working_.push_back(std::move(*collector));
    }
  }

  void Step() {
    world_.clock.Advance(seconds(Up(900)));
    world_.tmdb.PublishExports();
    if (Chance(0.15)) Edit();
    if (Chance(asks_ ? 0.05 : 0.02)) world_.messages.Purge();
    if (Chance(0.6)) Collect();
    if (Chance(0.6)) Collect();
    if (!Chance(0.5)) return;
    auto& process = machines_[Chance(0.8) ? 0 : 1];
    Own(*process);
    if (process->dead) process = New();
  }

  void ClearUp() {
    calm_ = true;
    world_.bucket.DeliverAll();
    for (auto& machine : machines_) machine = New();
    Drain();
    // Before another harvest could mend it.
    if (fault_.empty()) Stop(world_.Lost(told_));
    for (int day = 0; day < 4 && fault_.empty(); ++day) {
      world_.tmdb.PublishExports();
      const auto report = world_.Ask(*machines_[0]->machine, "auto");
      if (!report) Stop(report.error().message);
      Drain();
      const std::string difference = world_.Difference();
      Trace("day", difference);
      if (difference.empty() && world_.Keys("inbox/").empty()) return;
      const Time tomorrow = std::chrono::ceil<std::chrono::days>(world_.clock.Now()) + hours(9);
      world_.clock.Advance(tomorrow - world_.clock.Now());
    }
    Stop(fmt::format("never came: {}; {} objects in the inbox", world_.Difference(), world_.Keys("inbox/").size()));
  }
  // Until nothing waits and nothing is out.
  void Drain() {
    for (int beat = 0; beat < 60 && fault_.empty(); ++beat) {
      while (!working_.empty()) Collect();
      while (world_.CollectAll() > 0) continue;
      const HeadState head = world_.Head();
      if (!head.holder && head.waiting == 0 && head.out_ids == 0 && world_.Keys("inbox/").empty()) return;
      world_.clock.Advance(minutes(16));
      const auto report = world_.Heartbeat(*machines_[0]->machine);
      if (!report) Stop(report.error().message);
      Check();
    }
  }

  void Check() {
    if (fault_.empty()) Stop(world_.Fault());
  }
  void Stop(const std::string& fault) {
    if (fault_.empty()) fault_ = fault;
  }
  void Trace(std::string_view what, const std::string& of) {
    if (IsOneSeed())
      fmt::print(stderr, "{} {:{}}{}: {}\n", FormatTime(world_.clock.Now()), "", 2 * depth_, what, of);
  }
  const Mistake mistake_;
  CloudWorld world_;
  std::mt19937_64 random_;
  const double severity_;
  const bool asks_;
  std::unique_ptr<Process> machines_[2];
  std::vector<CloudWorld::Collector> working_;
  std::map<MediaId, SmallTmdb::Thing> told_;  // what a published harvest, or somebody who asked, knew of
  std::int64_t harvests_ = 0;
  bool calm_ = false;
  int depth_ = 0;
  std::string fault_;
};

constexpr int kParts = 8;

class CloudSimulations : public ::testing::TestWithParam<int> {};

TEST_P(CloudSimulations, NothingIsLostAndNothingStandsTwice) {
  std::int64_t kills = 0, publications = 0, overlaps = 0, compacted = 0, fetches = 0, edits = 0, worlds = 0;
  for (const std::uint64_t seed : SeedsOf(GetParam(), kParts, 2'000)) {
    Sim sim(seed, Mistake::kNone);
    const std::string fault = sim.Run(60);
    ASSERT_EQ(fault, "") << "in world " << seed;
    ++worlds;
    kills += sim.kills;
    publications += sim.publications;
    overlaps += sim.overlaps;
    compacted += sim.compacted;
    fetches += sim.fetches();
    edits += sim.edits;
  }
  fmt::print("{} worlds: {} owners killed, {} overlaps, {} publications, {} segments merged, {} edits, "
             "{:.2f} fetches an edit\n",
             worlds, kills, overlaps, publications, compacted, edits, double(fetches) / double(edits));
}

// The first world, from `first` on, in which a planted mistake is found, and what of it; empty: in none of so many.
std::string FoundIn(Mistake mistake, std::uint64_t first, std::uint64_t worlds) {
  for (std::uint64_t seed = first; seed < first + worlds; ++seed) {
    if (IsOneSeed() && seed != SeedsOf(0, 1, 1).front()) continue;
    const std::string fault = Sim(seed, mistake).Run(60);
    if (!fault.empty()) return fmt::format("in world {}: {}", seed, fault);
  }
  return "";
}

struct Planted {
  Mistake mistake;
  const char* name;
  std::uint64_t first = 1;  // a world in which it was found: there the search begins
};
void PrintTo(const Planted& planted, std::ostream* out) { *out << planted.name; }

class LosesSomething : public ::testing::TestWithParam<Planted> {};
TEST_P(LosesSomething, AndIsFound) {
  const std::string found = FoundIn(GetParam().mistake, GetParam().first, 300);
  EXPECT_NE(found, "") << "no world shows it";
  fmt::print("{}: {}\n", GetParam().name, found);
}
INSTANTIATE_TEST_SUITE_P(Planted, LosesSomething,
                         ::testing::Values(Planted{Mistake::kNoCatchingUp, "NoCatchingUp", 46},
                                           Planted{Mistake::kTakesTheNextNumber, "TakesTheNextNumber", 247},
                                           Planted{Mistake::kHeadWithoutCondition, "HeadWithoutCondition", 72},
                                           Planted{Mistake::kSettledBeforeStored, "SettledBeforeStored"},
                                           Planted{Mistake::kWatermarkApart, "WatermarkApart", 23}),
                         [](const auto& each) { return each.param.name; });

// Chance hardly ever comes to this one: a film is asked for while it is out, and was edited since it was fetched. In a
// catalog whose queue forgets that (planted by a trigger) the edit is lost; in ours it is not.
std::string AskedForWhileItIsOut(bool forgets) {
  CloudWorld world;
  const MediaId film{MediaType::kMovie, 1};
  world.tmdb.Edit(film);
  auto machine = world.NewMachine();
  if (forgets) {
    BucketHome home(machine->store, machine->scratch, world.clock);
    EXPECT_TRUE(home.Take("seed", minutes(1)).value());
    {
      auto db = Database::Open(machine->folder.path() + "/catalog.db", Database::Mode::kReadWrite).value();
      EXPECT_TRUE(SqliteIdQueue::Open(db, world.clock, kOwnersQueue));
      EXPECT_TRUE(db.Execute("CREATE TRIGGER forgets AFTER UPDATE OF again ON queue_lease WHEN new.again<>0 BEGIN "
                             "UPDATE queue_lease SET again=0 WHERE receipt=new.receipt; END"));
      EXPECT_TRUE(CheckpointCatalog(db));
    }
    EXPECT_TRUE(home.Publish({}));
  }
  EXPECT_EQ(world.Ask(*machine, "movies 1").value().out.ids, 1);
  const auto collector = world.Begin();
  world.tmdb.Edit(film);
  EXPECT_EQ(world.Ask(*machine, "movies 1").value().end, OwnerEnd::kPublished);
  const auto told = world.tmdb.things();
  world.End(*collector);
  for (int beat = 0; beat < 4; ++beat) {
    world.clock.Advance(minutes(11));
    EXPECT_TRUE(world.Heartbeat(*machine));
    world.CollectAll();
  }
  return world.Lost(told);
}

TEST(CloudSimulation, AnIdThatIsAskedForWhileItIsOutGoesOnceMore) {
  EXPECT_EQ(AskedForWhileItIsOut(false), "");
  EXPECT_NE(AskedForWhileItIsOut(true), "");
}

// The same answers, as if they had come just now.
std::string Redated(const CloudWorld::Collector& collector, Time now) {
  BundleWriter writer(collector.batch);
  const auto summary = ReadBundle(collector.bundle, collector.batch.name, [&](BundleEntry entry) -> Result<void> {
    for (Document& document : entry.documents) document.fetched_at = now;
    if (entry.kind == BundleEntry::Kind::kFetched)
      return writer.Fetched(entry.id, std::move(entry.documents), entry.seasons, now);
    if (entry.kind == BundleEntry::Kind::kGone) return writer.Gone(entry.id, now);
    return {};
  });
  return writer.Finish(summary.value());
}

// A collector that was paused for hours puts its bundle after another one has fetched the same film again. Where
// answers counted as of when they came to the bucket, the edit between the two would be lost.
std::string BundleThatComesLate(bool redated) {
  CloudWorld world;
  const MediaId film{MediaType::kMovie, 1};
  world.tmdb.Edit(film);
  auto machine = world.NewMachine();
  EXPECT_EQ(world.Ask(*machine, "movies 1").value().out.ids, 1);
  auto paused = world.Begin();
  world.messages.Purge();
  world.tmdb.Edit(film);
  const auto told = world.tmdb.things();
  for (int beat = 0; beat < 6; ++beat) {
    world.clock.Advance(minutes(11));
    EXPECT_TRUE(world.Heartbeat(*machine));
    world.CollectAll();
  }
  EXPECT_EQ(world.Lost(told), "");
  if (redated) paused->bundle = Redated(*paused, world.clock.Now());
  world.End(*paused);
  world.clock.Advance(minutes(11));
  EXPECT_EQ(world.Heartbeat(*machine).value().bundles, 1);
  return world.Lost(told);
}

TEST(CloudSimulation, ABundleThatComesLateUndoesNothing) {
  EXPECT_EQ(BundleThatComesLate(false), "");
  EXPECT_NE(BundleThatComesLate(true), "");
}

class OnlyCostsRequests : public ::testing::TestWithParam<Planted> {};
TEST_P(OnlyCostsRequests, AndLosesNothing) { EXPECT_EQ(FoundIn(GetParam().mistake, 1, 10), ""); }
INSTANTIATE_TEST_SUITE_P(Planted, OnlyCostsRequests,
                         ::testing::Values(Planted{Mistake::kNoLease, "NoLease"},
                                           Planted{Mistake::kBundlesGoEarly, "BundlesGoEarly"},
                                           Planted{Mistake::kAcknowledgedEarly, "AcknowledgedEarly"},
                                           Planted{Mistake::kNeverSent, "NeverSent"}),
                         [](const auto& each) { return each.param.name; });

INSTANTIATE_TEST_SUITE_P(Parts, CloudSimulations, ::testing::Range(0, kParts));

}  // namespace
}  // namespace tmdbc::testing
