// SPDX-License-Identifier: MIT
// Owner: one call of the owner of a mirror in a bucket. It takes the catalog, brings it up to what the bucket holds,
// takes in what collectors left in the inbox, harvests when that was asked for, hands out the next ids, seals, and
// gives the catalog back. It fetches no records itself: collectors do, anywhere. docs/decisions/cloud.md has the
// protocol and why it holds whatever dies when.
//
// Nothing of a call has happened before its catalog is published; a call that fails, or loses the mirror to another
// owner, leaves nothing that the next one has to mend. One object lives as long as its process, and may own the mirror
// again and again: then it need not fetch the catalog that it published last. One thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/files.h"
#include "base/log.h"
#include "base/rate_limiter.h"
#include "base/result.h"
#include "cloud/batch_channel.h"
#include "cloud/bucket_home.h"
#include "cloud/dispatcher.h"
#include "cloud/spent.h"
#include "harvester/harvest_ports.h"
#include "harvester/harvest_report.h"
#include "harvester/harvest_request.h"
#include "http/http.h"
#include "storage/compaction.h"
#include "storage/object_store.h"
#include "storage/record_writer.h"
#include "tmdb/upstream_date.h"

namespace tmdbc {

inline constexpr std::string_view kInboxPrefix = "inbox/";
inline constexpr std::string_view kRequestPrefix = "inbox/request/";
// The lease outlives the process by this: a call of its that is still on its way arrives before the next owner.
inline constexpr Duration kLeaseBeyondDeadline = std::chrono::seconds(60);
// What is kept of the time of a call for sealing and giving back.
inline constexpr Duration kKeptForTheEnd = std::chrono::seconds(150);
// Bundles that make a cycle due at once.
inline constexpr std::size_t kDueBundles = 16;
inline constexpr std::uint64_t kDueBytes = 32 << 20;
// A request that fails so often is given up.
inline constexpr int kRequestTries = 3;
// One that meets an outage or a refused key is tried with each heartbeat for a day: then the next schedule asks again.
inline constexpr int kOutageTries = 288;

// All outlive the owner.
struct OwnerPorts {
  ObjectStore& objects;
  BatchChannel& channel;
  FileSystem& scratch;               // of this machine, the owner's alone
  const std::string scratch_folder;  // where that is, for SQLite
  const Clock& clock;
  http::HttpTransport& transport;    // for harvests
  UpstreamDate& upstream;            // the maker of the transport feeds it every answer
  std::mt19937_64& random;
  Log& log;
  // What this process has caused so far; empty: nothing that is billed.
  std::function<Spent()> spent = {};
};

// What an event in the inbox asks for.
struct OwnerRequest {
  std::vector<HarvestRequest> harvests;
  bool redrive = false;  // dead letters wait again
  bool accept_deletions = false;
};

struct OwnerOptions {
  DispatchOptions dispatch;
  HarvestSources sources;
  RecordWriterOptions writer = {};
  std::size_t least_to_merge = kLeastToMerge;
  std::vector<MediaType> types;  // of a request that names none
  // What the first heartbeat of a bucket asks for, as if an event had come; empty: nothing.
  std::string first_request = {};
  // What an event says, or kInvalid.
  std::function<Result<OwnerRequest>(std::string_view event, const std::string& key)> read_request;
  // Memory of a collector's function, in GB: its time is billed by that.
  double collector_gb = 0;
  // What a harvest is to do; the request's types are never empty.
  std::function<HarvestOptions(const HarvestRequest& request)> harvest_options;
};

struct OwnerEvent {
  std::string id;    // an event that comes twice has one id
  std::string body;  // as it came
};

struct OwnerCall {
  std::string holder;  // of this call alone, for ever
  Time deadline{};     // the process may be killed then
  std::optional<OwnerEvent> event = {};  // a heartbeat has none
};

enum class OwnerEnd : std::uint8_t {
  kNothingToDo,
  kHeld,       // somebody else has the mirror
  kLost,       // somebody else was here while we worked: nothing of this call has happened
  kPublished,
};

struct OwnerReport {
  OwnerEnd end = OwnerEnd::kNothingToDo;
  std::int64_t epoch = 0;
  std::int64_t bundles = 0, corrupt_bundles = 0, late_answers = 0;  // taken in
  std::int64_t requests = 0, throttled = 0;                         // of the collectors, as their bundles say
  bool denied = false;                                              // one says that TMDB refuses the key
  std::int64_t adopted_segments = 0;
  std::int64_t merged_segments = 0;  // that became fewer
  std::vector<HarvestReport> harvests;
  std::int64_t sent_batches = 0;
  std::int64_t waiting = 0, dead = 0;
  Dispatcher::Out out;
  ChannelCounts channel;
  std::optional<std::string> stopped;
  // When TMDB last confirmed the live record that has waited longest for it; looked for when there was a harvest.
  std::optional<Time> oldest_verified;
  SpentSoFar spent;
  std::optional<double> seen_rate = {};  // OwnerStatus
};

class Owner {
 public:
  Owner(const OwnerPorts& ports, OwnerOptions options);

  // Errors are of the object store, the scratch folder or the catalog; the mirror is then given free, if that can be
  // done.
  Result<OwnerReport> Call(const OwnerCall& call);

 private:
  class Cycle;  // one call that owns the mirror

  Result<void> PutRequest(const std::string& id, const std::string& body);
  Result<bool> IsDue(const HeadState& head);

  const OwnerPorts ports_;
  const OwnerOptions options_;
  BucketHome home_;
  RateLimiter limiter_;
  Spent counted_;  // of what this process has caused, in the catalog that was published last
};

}  // namespace tmdbc
