// SPDX-License-Identifier: MIT
// StoreIntake: the Intake of a store on this machine: a RecordWriter, a RecordLedger, and the deletion policy
// between them. It counts what went within the last day, by type, as the day slides.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "base/clock.h"
#include "storage/deletion_policy.h"
#include "storage/intake.h"
#include "storage/ledger.h"
#include "storage/record_writer.h"

namespace tmdbc {

struct StoreIntakeOptions {
  bool accept_deletions = false;  // a person has agreed, however many they are
  // What is handed in was fetched elsewhere, and may come after what was fetched later, or twice: an answer that is not
  // newer than the last one known of its id changes nothing. On one machine answers come in their order, and a clock
  // that was set back must not make it deaf: there the answer handed in last counts, whatever its time.
  bool answers_come_late = false;
};

// One thread: the writer's.
class StoreIntake final : public Intake {
 public:
  // All references outlive the intake; both stand on the same catalog. Nobody else writes meanwhile.
  StoreIntake(const Clock& clock, RecordWriter& writer, RecordLedger& ledger, StoreIntakeOptions options);

  Result<std::vector<std::int64_t>> SeasonNumbers(std::int64_t tv_id) override;
  Result<void> Fetched(MediaId id, std::vector<Document> documents, const SeasonList& seasons,
                       Time at) override;
  Result<void> Gone(MediaId id, Time at) override;
  bool CommitDue() const override { return writer_.CommitDue(); }
  std::optional<MonoTime> CommitDeadline() const override { return writer_.CommitDeadline(); }
  Result<void> Commit(const Settle& settle) override;

 private:
  struct Day {
    std::map<MediaType, DeletionCounts> counts;
    MonoTime counted_at{};
  };

  // Whether that answer is to change nothing; counted then.
  Result<bool> Stale(MediaId id, Time at);
  // Whether a show's list of seasons says nothing of what is stored now.
  Result<bool> StaleList(MediaId id, Time at);
  // The seasons that are live though their show is gone.
  Result<void> SeasonsGone(MediaId show, Time at);
  // A live record that seems to be gone: deleted, held, or left as it is.
  Result<void> Delete(MediaId id, Time at, DeletionEvidence evidence);
  Result<DeletionDecision> Decide(MediaType type, DeletionEvidence evidence);
  Result<void> CountDay();
  // Whether anything is live, or was fetched, so that a 404 can be believed to be TMDB's.
  Result<bool> AnythingKnown();
  void Note(MediaType type, Change change) { ++pending_.changes[{type, change}]; }

  // Constant after construction.
  const Clock& clock_;
  RecordWriter& writer_;
  RecordLedger& ledger_;
  const bool accepted_;
  const bool late_;

  std::optional<Day> day_;                    // counted when the first deletion is to be decided
  std::map<MediaType, std::int64_t> undone_;  // deleted, not committed yet: the ledger does not know of them
  IntakeReport pending_;                      // since the last commit
  bool fetched_any_ = false;                  // since it was made
  std::int64_t unknown_gone_ = 0;             // 404s of ids that are not live, before that
};

}  // namespace tmdbc
