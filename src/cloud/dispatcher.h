// SPDX-License-Identifier: MIT
// Dispatcher: hands out what waits in the catalog's queue, in batches, to collectors anywhere; and knows what is out.
// The queue stays the truth: an id that is out is in flight there, under the receipt that stands in the row of its
// batch. Nothing rests on a message: it may be lost, come twice or late (docs/decisions/cloud.md).
//
// All of it is in the catalog, and becomes true when that is published. Tables: sent_batches, dispatch_state.
// One thread.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "base/sqlite.h"
#include "cloud/batch_channel.h"
#include "cloud/bundle.h"
#include "cloud/id_batch.h"
#include "queue/id_receiver.h"
#include "storage/ledger.h"
#include "tmdb/media_id.h"

namespace tmdbc {

// How the owner opens the queue: what is out stays so from one cycle to the next.
inline constexpr QueueOptions kOwnersQueue{
    .max_receives = 100, .free_on_open = false, .longest_hidden = std::chrono::hours(12)};
// A batch without a bundle goes out again after this.
inline constexpr Duration kOverdue = std::chrono::hours(6);
// So too when the channel was found empty twice, so far apart: what Count() says may be a minute old.
inline constexpr Duration kIdle = std::chrono::minutes(4);
// An id that went out alone so often, and never came back whole, is a dead letter.
inline constexpr int kMostLonelyRounds = 3;
// How many ids ask whether TMDB answers again.
inline constexpr int kProbeIds = 10;
// So many batches are made in one epoch, hardly more: their names have four digits for them. What is left has the next.
inline constexpr std::int64_t kMostBatches = 4'000;
inline constexpr std::string_view kKeyRefused = "TMDB refuses the key";

// One process carries so much, and TMDB counts by address: more lanes only wait more.
int LanesFor(double rate, int concurrency);
// How often bundles are taken in: every ten minutes, below ten requests a second every thirty.
Duration CycleFor(double rate);
// So many ids are out at most, less than a batch beyond it: two cycles of work.
std::int64_t WindowFor(double rate);
// About a minute of work of one lane.
int BatchIdsFor(double rate, int lanes);

struct DispatchOptions {
  double rate = 40;  // requests a second of all lanes
  int concurrency = 5;
};

// What became of the ids of a batch.
struct BatchOutcome {
  std::map<MediaId, std::string> failed = {};  // with the reason
  std::vector<MediaId> done = {};
  bool operator==(const BatchOutcome&) const = default;
};

class Dispatcher {
 public:
  // Makes the tables where there are none. All outlive the dispatcher; the queue is one of kOwnersQueue on the same
  // catalog.
  static Result<Dispatcher> Open(Database& catalog, IdReceiver& queue, RecordLedger& ledger, const Clock& clock,
                                 DispatchOptions options);

  // Forgets what is out, with its tables: the catalog leaves its bucket. The ids are in flight in the queue still;
  // opened with free_on_open it has them waiting.
  static Result<void> Forget(Database& catalog);

  // The bundle of `batch` has been taken in. Its ids leave the queue, become dead letters or wait again: what `outcome`
  // does not name was left. A batch that is not known (any more) changes nothing but what is known of TMDB.
  Result<void> CameBack(const std::string& batch, const BatchOutcome& outcome, const BundleSummary& summary);
  // The bundle of `batch` cannot be read: it is overdue from now on, so that what spoils it is alone after a few rounds,
  // and a dead letter in the end.
  Result<void> CameBackSpoiled(const std::string& batch);
  // All that it had was 404s, though nothing of it is known here: what answers is hardly TMDB.
  Result<void> TmdbIsNotItself();

  // Somebody asks for a collection: a refused key is tried once more.
  Result<void> TryAgain();

  // What was lost on the way or is overdue goes out again, and then the most urgent of what waits, up to the window.
  // `counts` are the channel's, after the inbox was looked at. With `hold`, and while messages are out that share the
  // rate among another number of lanes, nothing goes out; it returns to the queue what is overdue.
  Result<std::vector<IdBatch>> HandOut(std::int64_t epoch, const ChannelCounts& counts, bool hold);
  // Those of epochs after `sent`, which may not have reached the channel.
  Result<std::vector<IdBatch>> Unsent(std::int64_t sent);

  struct Out {
    std::int64_t batches = 0, ids = 0;
  };
  Result<Out> CountOut() { return CountOut(catalog_); }
  // Of a catalog that no dispatcher was opened on.
  static Result<Out> CountOut(Database& catalog);
  // Nothing is with a collector or on its way to one: nothing was handed out, or the channel was found empty twice.
  Result<bool> NothingOut(const ChannelCounts& counts);
  // Why nothing is handed out; empty when it is.
  std::optional<std::string> stopped() const;
  // Of the rate, left unused: learnt from 429s.
  double margin() const { return state_.margin; }

 private:
  // What is known of TMDB.
  enum class Health : std::uint8_t { kWell, kOut, kDenied };
  struct State {
    Health health = Health::kWell;
    double margin = 0;
    int lanes = 0;  // of what is out; 0: nothing was yet
  };
  struct Held {
    MediaId id{};
    Receipt receipt = 0;
  };
  struct Row {
    std::string name;
    int lane = 0;
    Time sent_at{};
    int rounds = 0;                 // that a lonely id has gone out; 0: not alone
    std::optional<Time> idle_at{};  // the channel was found empty then for the first time, and never otherwise since
    std::vector<Held> held;
  };

  Dispatcher(Database& catalog, IdReceiver& queue, RecordLedger& ledger, const Clock& clock, DispatchOptions options)
      : catalog_(catalog), queue_(queue), ledger_(ledger), clock_(clock), options_(options) {}
  Result<void> Load();
  Result<void> SaveState();
  Result<std::vector<Row>> Rows();
  // Whether messages of today's number of lanes may go out.
  Result<bool> LanesAgree();
  bool IsLost(const Row& row, const ChannelCounts& counts) const;
  Result<std::optional<Row>> Find(const std::string& name);
  Result<void> PutRow(const Row& row);
  Result<void> RemoveRow(const std::string& name);
  Result<IdBatch> BatchOf(const Row& row);
  // New batches of these, in their order, each within the bounds of a message.
  Result<void> SendOut(std::int64_t epoch, std::vector<Held> held, int rounds, std::vector<IdBatch>& out);
  Result<void> GoAgain(Row row, std::int64_t epoch, bool in_parts, std::vector<IdBatch>& out);

  Database& catalog_;
  IdReceiver& queue_;
  RecordLedger& ledger_;
  const Clock& clock_;
  const DispatchOptions options_;
  State state_;
  std::int64_t epoch_ = 0, number_ = 0;  // of the last batch made
};

}  // namespace tmdbc
