// SPDX-License-Identifier: MIT
// A bundle: all that a collector fetched for one batch of ids, as one object of the bucket: frames of zstd that hold
// JSON lines (docs/storage-format.md). The lines of one id stand together, a show before its seasons. The last line says
// what the batch came to; a bundle without it is refused.
//
// BundleWriter is the Intake of a collector without a store. BundleReader gives back, id by id, what was handed in, so
// that the owner hands it to the Intake of the store: one path for both worlds.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
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

// What a whole batch came to: the last line.
struct BundleSummary {
  std::string batch;
  std::int64_t requests = 0;   // sent to TMDB
  std::int64_t throttled = 0;  // answered 429
  std::int64_t retries = 0;
  double seconds = 0;
  bool denied = false;         // TMDB refuses the key
  bool answered = false;       // TMDB answered something useful: what failed beside it is no outage
  std::optional<std::chrono::sys_days> upstream_date;  // what day TMDB said it is (its Date header)
  std::string program;         // version of who wrote it
  bool operator==(const BundleSummary&) const = default;
};

// What became of one id.
struct BundleEntry {
  enum class Kind : std::uint8_t {
    kFetched,  // `documents` and `seasons`
    kGone,     // TMDB's own 404
    kFailed,   // a dead letter: `reason`
    kLeft,     // not finished: deadline, outage, stop
  };
  Kind kind = Kind::kLeft;
  MediaId id{};
  Time at{};                        // of kFetched and kGone: when TMDB answered
  std::vector<Document> documents;  // the id's own first, a show's seasons after it; hashed
  SeasonList seasons;
  std::string reason;
};

// A bundle this large takes no more in: the rest of its batch is left.
inline constexpr std::uint64_t kFullBundle = 48 << 20;

// One thread.
class BundleWriter final : public Intake {
 public:
  // Both outlive the writer; `batch` says which seasons of its shows are stored.
  BundleWriter(const IdBatch& batch, const Clock& clock);

  Result<std::vector<std::int64_t>> SeasonNumbers(std::int64_t tv_id) override;
  Result<void> Fetched(MediaId id, std::vector<Document> documents, const SeasonList& seasons, Time at) override;
  Result<void> Gone(MediaId id, Time at) override;
  bool CommitDue() const override;
  std::optional<MonoTime> CommitDeadline() const override;
  Result<void> Commit(const Settle& settle) override;  // runs `settle`; nothing else is to be done

  // True when it takes no more in: who drains stops.
  bool full() const;

  void Failed(MediaId id, std::string_view reason);
  void Left(MediaId id);
  // The whole bundle. Last.
  std::string Finish(const BundleSummary& summary);

 private:
  void Append(std::string_view line);

  const IdBatch& batch_;
  const Clock& clock_;
  std::map<std::int64_t, std::vector<std::int64_t>> seasons_;  // of the batch's shows
  ZstdEncoder encoder_;
  std::string lines_;  // not compressed yet
  std::string bundle_;
  IntakeReport report_;
};

// Reads a bundle whole before it gives the first entry: kCorrupt, with the reason, when a frame is damaged, a line is
// none, the last line is missing, or it is not the bundle of `batch`. `visit` may fail: then that error.
Result<BundleSummary> ReadBundle(std::string_view bundle, std::string_view batch,
                                 const std::function<Result<void>(BundleEntry entry)>& visit);

}  // namespace tmdbc
