// SPDX-License-Identifier: MIT
// What is fetched because a client waits for it (DemandDesk), where the store cannot take it at once: in a mirror in a
// bucket, whose process may die between two publications, and during a compaction. The pipeline is that of `run`, TMDB
// the simulated one (tests/mirror_life.h).
#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "mirror_life.h"
#include "storage/compaction.h"

namespace tmdbc {
namespace {

using std::chrono::minutes;
using testing::MirrorLife;
using What = DemandReply::What;

constexpr Time kBegan = std::chrono::sys_days(std::chrono::year(2026) / 3 / 1) + std::chrono::hours(9);

MirrorLife::Options SmallWorld(bool in_bucket) {
  MirrorLife::Options options;
  options.born = kBegan;
  options.catalogue.counts = {60, 5, 20, 5, 5, 5, 5};
  options.catalogue.huge_show_episodes = 30;
  options.in_bucket = in_bucket;
  return options;
}

// Films that TMDB has, so many of them.
std::vector<MediaId> FilmsOf(MirrorLife& life, std::size_t count) {
  life.world.EvolveTo(life.clock.Now());
  std::vector<MediaId> films;
  life.world.ForEachId(sim::Kind::kMovie, [&](std::int64_t id, bool adult) {
    if (!adult && films.size() < count) films.push_back({MediaType::kMovie, id});
  });
  return films;
}

// The server at the desk of one process.
class Clients {
 public:
  explicit Clients(Pipeline& pipeline) : pipeline_(pipeline), desk_(pipeline.FetchOnDemand()) {
    desk_.OnReply([this](const Demand& demand, const DemandReply& reply) { replies_[*demand.record] = reply.what; });
  }
  ~Clients() { desk_.OnReply({}); }
  void Ask(MediaId id) { desk_.Put({.record = id}); }
  // What came within some seconds; kSlow when nothing did.
  What Answer(MediaId id) {
    for (int i = 0; i < 100 && !replies_.contains(id); ++i)
      pipeline_.WaitUntil(pipeline_.clock().Mono() + std::chrono::milliseconds(100));
    const auto found = replies_.find(id);
    return found == replies_.end() ? What::kSlow : found->second;
  }
  bool HasAnswer(MediaId id) const { return replies_.contains(id); }

 private:
  Pipeline& pipeline_;
  DemandDesk& desk_;
  std::map<MediaId, What> replies_;
};

// Others see a bucket's mirror as it was published last, so TMDB answers them until then.
TEST(DemandLife, InABucketWhatIsFetchedIsThereForAllWhenItIsPublished) {
  MirrorLife life(SmallWorld(true));
  const auto films = FilmsOf(life, 6);
  ASSERT_TRUE(life.Process([&](Settings&, Pipeline& pipeline) {
    Clients clients(pipeline);
    clients.Ask(films[0]);
    EXPECT_EQ(clients.Answer(films[0]), What::kStored);
    EXPECT_NE(pipeline.store().reader.Find(films[0]).value().data, "") << "this process has it";
    pipeline.PublishChanges();
  }));
  life.Refresh();
  EXPECT_TRUE(life.IsFresh(films[0]));
  // Cut off from the bucket at one call after the other: the mirror stays whole, and what was published stays.
  life.may_fail = true;
  int cut_off = 0;
  for (int call = 1; call <= 40; call += 5) {
    int calls = 0;
    life.bucket_fault = [&](std::string_view, const std::string&) -> std::optional<testing::MemoryObjectStore::Fault> {
      if (++calls == call) return testing::MemoryObjectStore::Fault::kDies;
      return std::nullopt;
    };
    const MediaId film = films[std::size_t(1 + call % 4)];
    cut_off += life.Process([&](Settings&, Pipeline& pipeline) {
      Clients clients(pipeline);
      clients.Ask(film);
      EXPECT_EQ(clients.Answer(film), What::kStored);
      life.clock.Advance(minutes(11));
      pipeline.PublishChanges();
    }) ? 0 : 1;
    life.bucket_fault = {};
    life.clock.Advance(minutes(20));  // its holder is gone
  }
  EXPECT_GT(cut_off + life.failed_to_close, 3);
  life.may_fail = false;
  ASSERT_TRUE(life.Process([&](Settings&, Pipeline& pipeline) {
    Clients clients(pipeline);
    for (const MediaId film : films) {
      clients.Ask(film);
      EXPECT_EQ(clients.Answer(film), What::kStored) << ToString(film);
    }
  }));
  life.Refresh();
  for (const MediaId film : films) {
    EXPECT_TRUE(life.IsFresh(film)) << ToString(film);
    EXPECT_EQ(life.Versions(film), 1u) << ToString(film);
  }
  EXPECT_EQ(life.Stored(MediaType::kMovie).size(), films.size());
  EXPECT_TRUE(life.store().Verify(true).value().damage.empty());
}

TEST(DemandLife, ACompactionMakesNobodyWaitAndLosesNothing) {
  MirrorLife life(SmallWorld(false));
  const auto films = FilmsOf(life, 40);
  // A segment each.
  for (std::size_t i = 0; i < 12; ++i) {
    ASSERT_TRUE(life.Process([&](Settings&, Pipeline& pipeline) {
      Clients clients(pipeline);
      clients.Ask(films[i]);
      EXPECT_EQ(clients.Answer(films[i]), What::kStored);
    }));
  }
  std::size_t next = 12;
  std::size_t requests = 0;
  life.transport.on_arrival = [&](std::string_view) { ++requests; };
  ASSERT_TRUE(life.Process([&](Settings&, Pipeline& pipeline) {
    Clients clients(pipeline);
    const auto client = [&] {
      if (next == films.size() || pipeline.catalog().InTransaction()) return false;
      clients.Ask(films[next]);
      EXPECT_EQ(clients.Answer(films[next++]), What::kUnstored) << "the segments are being rearranged";
      return false;
    };
    pipeline.HoldStoring(true);
    const auto report =
        Compact(pipeline.files(), pipeline.catalog(), *pipeline.store().writer, MediaType::kMovie, {}, client);
    ASSERT_TRUE(report) << report.error().message;
    EXPECT_GT(report->segments_before, report->segments_after);
    pipeline.HoldStoring(false);
    ASSERT_GT(next, 13u);
    for (int i = 0; i < 100 && !pipeline.store().reader.Find(films[next - 1]); ++i)
      pipeline.WaitUntil(pipeline.clock().Mono() + std::chrono::milliseconds(100));
  }));
  EXPECT_EQ(requests, next - 12) << "one each";
  life.Refresh();
  for (std::size_t i = 0; i < next; ++i) EXPECT_TRUE(life.IsFresh(films[i])) << ToString(films[i]);
  EXPECT_EQ(life.Stored(MediaType::kMovie).size(), next);
  EXPECT_TRUE(life.store().Verify(true).value().damage.empty());
}

}  // namespace
}  // namespace tmdbc
