// SPDX-License-Identifier: MIT
// MirrorLife: a mirror's life over virtual time, in one thread: the pipeline of `run`, as it opens from a
// tmdb-collector.toml, on a fake clock and the simulated TMDB. A test says what each process does, lets days pass
// between them, kills some, and asks for the truth at any time: the mirror's, and TMDB's. The mirror is under DATA_DIR
// or in a bucket; there the truth is what an outsider reads of what was published.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
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

  explicit MirrorLife(Options options);
  ~MirrorLife();
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
  bool Process(const std::function<void(Settings&, Pipeline&)>& work);
  // What `run --once` does, without refreshes: each request has its reason in what happened. Empty: it was killed.
  std::optional<Summary> RunOnce(bool accept_deletions = false,
                                 const std::function<void(Pipeline&)>& then = {});

  // TMDB answers at once, without faults, and nothing happens there any more.
  void EndTroubles();

  // --- what it is to be told ---
  // Shown when the life ends, as a failure of the test.
  template <class... Args>
  void Problem(fmt::format_string<Args...> format, Args&&... args) {
    if (problems_.size() < kMostProblems)
      problems_.push_back(FormatTime(clock.Now()) + ": " + fmt::format(format, std::forward<Args>(args)...));
  }
  bool full_of_problems() const { return problems_.size() >= kMostProblems; }
  bool well() const { return problems_.empty(); }
  void Trace(std::string_view what) const;

  // --- the mirror and the truth ---
  // From a bucket one sees what was published when one looked first: this reads it again.
  void Refresh();
  // What is stored, as another process sees it.
  StorePieces& store();
  std::vector<std::int64_t> Stored(MediaType type);
  // Stored or not: tombstones and what was never there, too.
  std::vector<std::int64_t> Known(MediaType type);
  std::string Body(MediaId id);
  std::size_t Versions(MediaId id);
  std::string Truth(MediaId id);
  // What is stored of it is what TMDB has now.
  bool IsFresh(MediaId id) { return ContentOf(Body(id)) == ContentOf(Truth(id)); }
  // Then fetched_at is not the time at which TMDB answered. Empty: it always is.
  std::function<bool(Time)> clock_was_wrong;

  // The mirror is what TMDB is now, and it never deleted what was there. `may_be_late`: back without a word.
  void CheckWhole(const std::set<Subject>& may_be_late = {});

 private:
  static std::filesystem::path MakeFolder();
  std::string data_dir() const { return folder_ / "data"; }
  std::string log_path() const { return folder_ / "log"; }
  Result<Settings> ReadSettings() const;
  void CloseStore();

  static std::optional<std::uint64_t> ContentOf(const std::string& json);
  void CheckSeasons(std::int64_t show);
  // Nothing that TMDB had was deleted, nothing was purged, and no time goes back.
  void CheckHistory(MediaId id);
  std::string TailOfLog() const;

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
