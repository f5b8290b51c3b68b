// SPDX-License-Identifier: MIT
// Intake: all that the collector knows of storage. It hands in what was fetched and what TMDB says is gone,
// asks what seasons a show has, and commits: what it hands in with a message and the settling of that message
// become durable together. What is done with it, what is deleted or held back, is behind this port
// (StoreIntake, deletion_policy.h).
//
// What was handed in is not stored before Commit() has returned. One thread.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "storage/record.h"
#include "tmdb/document.h"
#include "tmdb/media_id.h"

namespace tmdbc {

// What became of what was handed in since the last commit.
struct IntakeReport {
  // Records, by what was done to them; kUnchanged among them. A deleted show's seasons count too.
  std::map<std::pair<MediaType, Change>, std::int64_t> changes;
  // Things that TMDB has no more: deleted, held, or never stored.
  std::map<MediaType, std::int64_t> gone;
  // Of these, live records that stay until a person agrees: too many went at once.
  std::map<MediaType, std::int64_t> held;
  // Answers that came late or twice and changed nothing (StoreIntakeOptions::answers_come_late).
  std::int64_t stale = 0;
};

class Intake {
 public:
  virtual ~Intake() = default;

  // The numbers of the seasons that are stored live for a show, ascending; empty when it is unknown.
  virtual Result<std::vector<std::int64_t>> SeasonNumbers(std::int64_t tv_id) = 0;

  // Everything that was fetched of `id`: its document first, a show's seasons after it. `seasons` is what the
  // show's body lists; a stored season that it does not list any more is gone. kInvalid: no record can be
  // made of it, now or later. Other errors are the store's; it may be handed in again.
  virtual Result<void> Fetched(MediaId id, std::vector<Document> documents, const SeasonList& seasons,
                               Time at) = 0;
  // TMDB answered its own 404 for `id`. kUnavailable: so it did for everything so far, and nothing of it is
  // known here; what answers is hardly TMDB.
  virtual Result<void> Gone(MediaId id, Time at) = 0;

  // True when there is enough, or it has waited long enough, to be committed.
  virtual bool CommitDue() const = 0;
  // When CommitDue() will become true by age; empty while there is nothing to commit.
  virtual std::optional<MonoTime> CommitDeadline() const = 0;
  // Makes durable what was handed in, with what `settle` does: in one transaction where both share a
  // database, before it where they do not. On an error nothing of it is settled and all is kept: try again
  // (kNoSpace: when there is room).
  using Settle = std::function<Result<void>(const IntakeReport&)>;
  virtual Result<void> Commit(const Settle& settle) = 0;
};

}  // namespace tmdbc
