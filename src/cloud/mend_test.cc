// SPDX-License-Identifier: MIT
// A mirror in a bucket whose catalog, or head, is lost or damaged: made again from its records by the owner
// of the moment, whatever dies when.
#include <gtest/gtest.h>
#include <libdeflate.h>

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "cloud/bucket_view.h"
#include "cloud/cloud_world_test.h"
#include "cloud/mirror_keeper.h"
#include "queue/sqlite_queue.h"
#include "storage/rebuild.h"

namespace tmdbc {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using testing::CloudWorld;
using testing::MemoryObjectStore;
using Fault = MemoryObjectStore::Fault;

// What happened to the bucket.
enum class Loss : std::uint8_t {
  kNothing,
  kCatalog,      // in force: a byte of it has changed
  kCatalogs,     // all of them are gone
  kRottenPages,  // all of them are what SQLite cannot read
  kRottenInForce,  // the head vouches for a catalog that SQLite cannot read; the one before it is sound
  kHead,
  kHeadIsNoJson,
  kAll,  // head and catalogs
};
constexpr Loss kLosses[] = {Loss::kNothing,       Loss::kCatalog, Loss::kCatalogs,     Loss::kRottenPages,
                            Loss::kRottenInForce, Loss::kHead,    Loss::kHeadIsNoJson, Loss::kAll};

void Inflict(CloudWorld& world, Loss loss) {
  auto& objects = world.bucket.objects;
  const std::string head(kHeadKey), catalog = world.Head().catalog.key;
  const auto change = [&](const std::string& key, const std::string& bytes) {
    objects.at(key) = {bytes, "\"rotten\""};
  };
  if (loss == Loss::kCatalog) {
    std::string bytes = objects.at(catalog).bytes;
    bytes[bytes.size() / 2] ^= 1;
    change(catalog, bytes);
  }
  if (loss == Loss::kRottenPages) {
    for (const std::string& key : world.Keys(kCatalogPrefix)) change(key, std::string(20'000, 'x'));
  }
  if (loss == Loss::kRottenInForce) {
    HeadState said = world.Head();
    const std::string rotten(20'000, 'x');
    change(catalog, rotten);
    said.catalog.bytes = rotten.size();
    said.catalog.crc32 = libdeflate_crc32(0, rotten.data(), rotten.size());
    change(head, FormatHeadState(said));
  }
  if (loss == Loss::kCatalogs || loss == Loss::kAll) {
    for (const std::string& key : world.Keys(kCatalogPrefix)) objects.erase(key);
  }
  if (loss == Loss::kHead || loss == Loss::kAll) objects.erase(head);
  if (loss == Loss::kHeadIsNoJson) change(head, "{\"schema\":1,");
}

// A machine on which somebody makes the index again.
struct Mender {
  explicit Mender(CloudWorld& in, std::string called = "mender")
      : world(in), name(std::move(called)), store(in.bucket) {}
  // `between` is called before each segment.
  Result<VerifyReport> Mend(const std::function<void()>& between = {}) {
    TRY_ASSIGN(const auto keeper, MirrorKeeper::Take({.objects = store,
                                                      .scratch = scratch,
                                                      .scratch_folder = folder.path(),
                                                      .clock = world.clock},
                                                     {.holder = fmt::format("{}-{}", name, ++times), .mend = true}));
    lost = keeper->lost();
    fell_back = keeper->fell_back();
    const auto hold = [&]() -> Result<void> {
      if (between) between();
      return keeper->Keep();
    };
    TRY_ASSIGN(VerifyReport report, Rebuild(keeper->files(), keeper->catalog(), {.before_segment = hold}));
    TRY_ASSIGN(const auto queue, SqliteIdQueue::Open(keeper->catalog(), world.clock, kOwnersQueue));
    TRY(keeper->Publish(*queue, [] { return Result<void>(); }, true));
    return report;
  }

  CloudWorld& world;
  const std::string name;
  MemoryObjectStore store;
  testing::ScratchFolder folder;
  PosixFileSystem scratch{folder.path()};
  int times = 0;
  std::string lost, fell_back;
};

// Some days of a small mirror, segments merged among them; then five films are out with a collector.
struct Mirror {
  Mirror() {
    world.least_to_merge = 2;
    for (std::int64_t id = 1; id <= 6; ++id) world.tmdb.Edit({MediaType::kMovie, id});
    for (int i = 0; i < 5; ++i) world.tmdb.Edit({MediaType::kTv, 1});
    for (int day = 0; day < 3; ++day) {
      world.tmdb.Edit({MediaType::kMovie, 1 + day});
      world.tmdb.Edit({MediaType::kTv, 1});
      if (day == 1) world.tmdb.Remove({MediaType::kMovie, 6});
      world.tmdb.PublishExports();
      EXPECT_TRUE(world.Ask(*machine, "auto"));
      Work();
      world.clock.Advance(hours(22));
    }
    EXPECT_EQ(world.Difference(), "");
    for (std::int64_t id = 1; id <= 5; ++id) world.tmdb.Edit({MediaType::kMovie, id});
    EXPECT_EQ(world.Ask(*machine, "movies 12345").value().out.ids, 5);
    collector = world.Begin();
    EXPECT_TRUE(collector);
  }
  void Work() {
    for (int beat = 0; beat < 6; ++beat) {
      world.clock.Advance(minutes(11));
      const auto report = world.Heartbeat(*machine);
      EXPECT_TRUE(report) << report.error().message;
      world.CollectAll();
    }
  }
  // What is out comes back, tomorrow's harvest finds the rest; then all is as TMDB has it.
  std::string GoesOn() {
    machine = world.NewMachine();
    world.End(*collector);
    Work();
    world.clock.Advance(hours(20));
    world.tmdb.PublishExports();
    if (const auto asked = world.Ask(*machine, "auto"); !asked) return asked.error().message;
    Work();
    if (const std::string difference = world.Difference(); !difference.empty()) return difference;
    MemoryObjectStore reader(world.bucket);
    const auto view = BucketView::Open(reader);
    if (!view) return view.error().message;
    const auto report = VerifyView(**view, true);
    if (!report) return report.error().message;
    return report->damage.empty() ? "" : report->damage.front().file + ": " + report->damage.front().what;
  }

  CloudWorld world;
  std::unique_ptr<CloudWorld::Machine> machine = world.NewMachine();
  std::optional<CloudWorld::Collector> collector;
};

TEST(Mend, TheIndexIsMadeAgainWhateverOfItIsLost) {
  for (const Loss loss : kLosses) {
    SCOPED_TRACE(int(loss));
    Mirror mirror;
    const std::int64_t epoch = mirror.world.Head().epoch;
    Inflict(mirror.world, loss);
    Mender mender(mirror.world);
    const auto mended = mender.Mend();
    ASSERT_TRUE(mended) << mended.error().message;
    EXPECT_TRUE(mended->damage.empty());
    const HeadState head = mirror.world.Head();
    EXPECT_FALSE(head.holder);
    const bool queue_is_lost = loss == Loss::kCatalogs || loss == Loss::kRottenPages || loss == Loss::kAll;
    EXPECT_EQ(mender.lost.empty(), !queue_is_lost) << mender.lost;
    EXPECT_EQ(mender.fell_back.empty(), loss == Loss::kNothing || loss == Loss::kAll) << mender.fell_back;
    // The catalog before the last one does not know of these yet.
    if (!queue_is_lost && loss != Loss::kCatalog && loss != Loss::kRottenInForce) {
      EXPECT_EQ(head.out_ids, 5);
    }
    EXPECT_GT(head.epoch, loss == Loss::kAll ? 0 : epoch);
    EXPECT_EQ(mirror.GoesOn(), "");
  }
}

TEST(Mend, WithASoundCatalogNothingIsFetchedAgain) {
  Mirror mirror;
  const auto fetches = mirror.world.fetches;
  Mender mender(mirror.world);
  ASSERT_TRUE(mender.Mend());
  EXPECT_EQ(mirror.world.Head().waiting, 0);
  mirror.machine = mirror.world.NewMachine();
  mirror.world.End(*mirror.collector);
  mirror.Work();
  EXPECT_EQ(mirror.world.Difference(), "");
  EXPECT_EQ(mirror.world.fetches, fetches);
}

TEST(Mend, WhoHasNoHeadIsToldAndTakesNothing) {
  Mirror mirror;
  Inflict(mirror.world, Loss::kHead);
  const auto puts = mirror.world.bucket.puts;
  const auto beat = mirror.world.Ask(*mirror.machine, "auto");
  ASSERT_FALSE(beat) << "a new mirror would forget its queue";
  EXPECT_EQ(beat.error().hint, Hint::kRebuild);
  MemoryObjectStore reader(mirror.world.bucket);
  EXPECT_EQ(BucketView::ReadHead(reader).error().hint, Hint::kRebuild);
  EXPECT_EQ(mirror.world.bucket.puts, puts + 1) << "the event alone";
}

// Mends a bucket that was damaged so, again and again, with `fault` at each call in turn; when that was the end of it,
// somebody on another machine mends it. Then the index is what the records say, and what can be known of the queue is.
void MendWithFaultAtEachCall(Loss loss, Fault fault) {
  Mirror mirror;
  CloudWorld& world = mirror.world;
  Inflict(world, loss);
  const auto damaged = world.bucket.objects;
  for (std::int64_t nth = 1;; ++nth) {
    SCOPED_TRACE(fmt::format("loss {}, fault {} at call {}", int(loss), int(fault), nth));
    world.bucket.DeliverAll();
    world.bucket.objects = damaged;
    Mender first(world, "first"), next(world, "next");
    first.store.FailAt(nth, fault);
    const bool mended = first.Mend().has_value();
    ASSERT_EQ(world.Fault(), "");
    if (!mended) {
      world.clock.Advance(minutes(40));
      const auto again = next.Mend();
      ASSERT_TRUE(again) << again.error().message;
      ASSERT_TRUE(again->damage.empty());
    }
    world.bucket.DeliverAll();
    const HeadState head = world.Head();
    ASSERT_FALSE(head.holder);
    ASSERT_EQ(head.out_ids, loss == Loss::kCatalogs ? 0 : 5);
    MemoryObjectStore reader(world.bucket);
    const auto view = BucketView::Open(reader);
    ASSERT_TRUE(view) << view.error().message;
    const auto report = VerifyView(**view, true);
    ASSERT_TRUE(report) << report.error().message;
    ASSERT_TRUE(report->damage.empty()) << report->damage.front().file << ": " << report->damage.front().what;
    if (first.store.calls() < nth) break;  // it never came to that call
    ASSERT_LT(nth, 400);
  }
  EXPECT_EQ(mirror.GoesOn(), "");
}

TEST(Mend, WhereverItDiesNothingIsLost) {
  for (const Loss loss : {Loss::kNothing, Loss::kCatalogs, Loss::kHead, Loss::kHeadIsNoJson})
    MendWithFaultAtEachCall(loss, Fault::kDies);
}

TEST(Mend, ACallWithoutAnAnswerLosesNothing) {
  for (const Fault fault : {Fault::kFails, Fault::kLosesAnswer, Fault::kArrivesLate})
    MendWithFaultAtEachCall(Loss::kCatalogs, fault);
}

TEST(Mend, WhoLosesTheMirrorMeanwhileChangesNothing) {
  Mirror mirror;
  Inflict(mirror.world, Loss::kCatalog);
  Mender slow(mirror.world, "slow");
  bool over = false;
  const auto mended = slow.Mend([&] {
    if (std::exchange(over, true)) return;
    mirror.world.clock.Advance(minutes(40));
    EXPECT_EQ(mirror.world.Ask(*mirror.machine, "auto").value().end, OwnerEnd::kPublished);
  });
  ASSERT_FALSE(mended);
  EXPECT_EQ(mended.error().code, ErrorCode::kExists);
  EXPECT_EQ(mirror.GoesOn(), "");
}

TEST(Mend, ItHoldsTheMirrorForAsLongAsTheSegmentsTake) {
  Mirror mirror;
  Mender mender(mirror.world);
  const auto mended = mender.Mend([&] {
    mirror.world.clock.Advance(minutes(6));
    EXPECT_EQ(mirror.world.Ask(*mirror.machine, "auto").value().end, OwnerEnd::kHeld);
  });
  ASSERT_TRUE(mended) << mended.error().message;
  EXPECT_EQ(mirror.GoesOn(), "");
}

// A segment that is damaged is named, and what is whole is kept.
TEST(Mend, ADamagedSegmentIsNamed) {
  Mirror mirror;
  auto keys = mirror.world.Keys("records/person/");
  ASSERT_TRUE(keys.empty());
  keys = mirror.world.Keys("records/tv/000");
  ASSERT_FALSE(keys.empty());
  mirror.world.bucket.objects.at(keys.back()).bytes[30] ^= 1;
  Inflict(mirror.world, Loss::kCatalogs);
  Mender mender(mirror.world);
  const auto mended = mender.Mend();
  ASSERT_TRUE(mended) << mended.error().message;
  ASSERT_FALSE(mended->damage.empty());
  EXPECT_EQ(mended->damage.front().file, keys.back());
}

}  // namespace
}  // namespace tmdbc
