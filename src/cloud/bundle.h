// SPDX-License-Identifier: MIT
// A bundle: all that a collector fetched for one batch of ids, as one object of the bucket: frames of zstd that hold
// JSON lines (docs/storage-format.md, "Bundles"). The last line says what the batch came to; a bundle without it is
// refused.
//
// BundleWriter is the Intake of a collector without a store. ReadBundle() gives back, id by id, what was handed in, so
// that the owner hands it to the Intake of the store: one path for both worlds.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/compression.h"
#include "base/result.h"
#include "cloud/id_batch.h"
#include "storage/intake.h"
#include "tmdb/document.h"
#include "tmdb/media_id.h"

namespace tmdbc {

inline constexpr std::string_view kBundlePrefix = "inbox/bundle/";
// "inbox/bundle/000000123-0007.jsonl.zst"
std::string BundleKey(std::string_view batch);
// The inverse; empty for any other key.
std::optional<std::string> BatchOfKey(std::string_view key);

// What a whole batch came to: the last line.
struct BundleSummary {
  std::string batch;
  std::int64_t requests = 0;   // sent to TMDB
  std::int64_t throttled = 0;  // answered 429
  std::int64_t retries = 0;
  double seconds = 0;     // written in milliseconds
  bool denied = false;    // TMDB refuses the key
  bool answered = false;  // TMDB answered something useful: what failed beside it is not an outage
  std::optional<std::chrono::sys_days> upstream_date;  // what day TMDB said it is (its Date header)
  std::string program;                                 // the writer's version
  bool operator==(const BundleSummary&) const = default;
};

// What became of one id.
struct BundleEntry {
  enum class Kind : std::uint8_t {
    kFetched,  // `documents` and `seasons`: for Intake::Fetched()
    kGone,     // TMDB's own 404: for Intake::Gone()
    kFailed,   // a dead letter, nothing came of it: `reason`
    kLeft,     // not finished: deadline, outage, stop, or the bundle was full
  };
  Kind kind = Kind::kLeft;
  MediaId id{};
  Time at{};                        // of kFetched and kGone: the time that was handed in with it, in milliseconds
  std::vector<Document> documents;  // the id's own first, a show's seasons after it; hashed
  SeasonList seasons;
  // Why it is a dead letter. Of kFetched not empty when a part could not be had: what came is to be stored, and the
  // message is a dead letter all the same.
  std::string reason;
};

// A bundle this large, or of this much content, takes no more in: the rest of its batch is left.
inline constexpr std::uint64_t kFullBundle = 48 << 20;
inline constexpr std::uint64_t kFullBundleContent = 192 << 20;
// The lines of one id: a show with all its seasons. More is not a record.
inline constexpr std::uint64_t kMostEntryBytes = 128 << 20;
// Of a reason; what is longer is cut.
inline constexpr std::size_t kMostReasonBytes = 1000;
// What a reader believes: one entry more than a full bundle, and the lines that need no documents.
inline constexpr std::uint64_t kMostBundleBytes = kFullBundle + kMostEntryBytes + (8 << 20);
inline constexpr std::uint64_t kMostBundleContent = kFullBundleContent + kMostEntryBytes + (8 << 20);

// Nothing of it is durable before the whole bundle is in the bucket: Commit() runs `settle` and no more. One thread.
class BundleWriter final : public Intake {
 public:
  // `batch` outlives the writer. It says which seasons of its shows are stored.
  explicit BundleWriter(const IdBatch& batch);

  Result<std::vector<std::int64_t>> SeasonNumbers(std::int64_t tv_id) override;
  // kInvalid for what no bundle carries: documents that are not those of `id`, no JSON, not of their hash, or too long.
  // Once full() it takes nothing in and succeeds: the id is left.
  Result<void> Fetched(MediaId id, std::vector<Document> documents, const SeasonList& seasons, Time at) override;
  Result<void> Gone(MediaId id, Time at) override;
  bool CommitDue() const override { return false; }
  std::optional<MonoTime> CommitDeadline() const override { return std::nullopt; }
  Result<void> Commit(const Settle& settle) override;

  // True when it takes no more in: the drain stops.
  bool full() const;

  // A dead letter; also of an id that was fetched in part.
  void Failed(MediaId id, std::string_view reason);
  // So far. `ids` are those that a call named: an id may be fetched in part and failed.
  struct Counts {
    std::int64_t ids = 0, fetched = 0, gone = 0, failed = 0;
  };
  Counts counts() const;
  // The whole bundle. Ids of the batch that no call named are left. `summary.batch` and `.program` are filled
  // in. Last.
  std::string Finish(BundleSummary summary);

 private:
  void Append(std::string_view lines);

  const IdBatch& batch_;
  std::map<std::int64_t, std::vector<std::int64_t>> seasons_;  // of the batch's shows
  ZstdEncoder encoder_;
  std::set<MediaId> told_;    // ids that have their line
  std::set<MediaId> failed_;  // of these, or beside them, dead letters
  std::string lines_;         // not compressed yet
  std::string bundle_;
  std::uint64_t content_ = 0;  // of both, before compression
  std::int64_t fetched_ = 0, gone_ = 0;
  IntakeReport report_;
};

// Believes nothing: the whole bundle is read and checked before `visit` gets the first entry, in flat memory (it is
// read twice). kCorrupt, with the line and the reason, when a frame is damaged or larger than allowed, a line is not of
// the format, data is not JSON, an id stands twice, the last line is missing, or it is not the bundle of `batch`. Which
// ids the batch had is the caller's to compare. `visit` may fail: then that error, and nothing after it is visited.
Result<BundleSummary> ReadBundle(std::string_view bundle, std::string_view batch,
                                 const std::function<Result<void>(BundleEntry entry)>& visit);

}  // namespace tmdbc
