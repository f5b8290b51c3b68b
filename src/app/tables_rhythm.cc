// SPDX-License-Identifier: MIT
#include "app/tables_rhythm.h"

#include <utility>

#include "app/duckdb_place.h"
#include "app/hints.h"
#include "app/tables_publish.h"
#include "tables/manifest.h"

namespace tmdbc {
namespace {

// Collections of a day drift by some minutes: a whole day would skip every other one.
constexpr auto kAlmostADay = std::chrono::hours(20);
constexpr auto kCheckEnd = std::chrono::milliseconds(50);

Result<tables::PublishReport> PublishNow(const Settings& settings, const StopFlag& stop) {
  TRY_ASSIGN(const duckdb::Library library, LoadDuckdb(settings));
  return PublishTables(settings, library, false, stop, {});
}

}  // namespace

bool TablesAreDue(TablesRhythm rhythm, bool there, std::optional<Time> last, Time now) {
  switch (rhythm) {
    case TablesRhythm::kOff:
      return false;
    case TablesRhythm::kAuto:
      if (!there) return false;
      break;
    case TablesRhythm::kDaily:
      break;
    case TablesRhythm::kAfterEveryCollection:
      return true;
  }
  // A clock that was set back is no reason to wait for it.
  return !last || now < *last || now - *last >= kAlmostADay;
}

TablesPublisher::~TablesPublisher() {
  stop_.Request();
  if (thread_.joinable()) thread_.join();
}

bool TablesPublisher::IsDue() const {
  if (settings_.tables == TablesRhythm::kOff) return false;
  std::optional<Time> last = last_;
  PosixFileSystem files(TablesFolder(settings_));
  const auto newest = tables::NewestGeneration(files);
  const bool there = newest && *newest > 0;
  if (there && !last) {
    const auto manifest = tables::ReadManifest(files, *newest);
    if (manifest) last = manifest->committed_at;
  }
  return TablesAreDue(settings_.tables, there, last, clock_.Now());
}

void TablesPublisher::CollectionEnded() {
  wanted_ = true;
  Check();
}

void TablesPublisher::Begin() {
  last_ = clock_.Now();
  thread_ = std::thread([this, settings = settings_] {
    auto outcome = PublishNow(settings, stop_);
    const std::lock_guard lock(mutex_);
    outcome_ = std::move(outcome);
  });
}

bool TablesPublisher::HasEnded() {
  const std::lock_guard lock(mutex_);
  return outcome_.has_value();
}

bool TablesPublisher::Take() {
  thread_.join();
  const auto outcome = std::exchange(outcome_, std::nullopt);
  return LogOutcome(*outcome);
}

void TablesPublisher::Check() {
  if (thread_.joinable() && HasEnded()) (void)Take();
  if (thread_.joinable() || !std::exchange(wanted_, false)) return;
  if (IsDue()) Begin();
}

bool TablesPublisher::Finish(const StopFlag& stop) {
  if (!thread_.joinable()) return true;
  while (!HasEnded()) {
    if (stop.requested()) stop_.Request();
    std::this_thread::sleep_for(kCheckEnd);
  }
  return Take();
}

bool TablesPublisher::LogOutcome(const Result<tables::PublishReport>& outcome) {
  if (!outcome) {
    if (stop_.requested()) return true;
    log_.Error("the tables were not brought up to date: " + Explain(outcome.error()));
    return false;
  }
  for (const std::string& damage : outcome->damages)
    log_.Error(Explain(damage + ": its records are not in the tables", Hint::kRefetch));
  if (outcome->other_past) log_.Warn(kOtherPast);
  for (const std::string& file : outcome->lost)
    log_.Warn("tables/" + file + " was missing or damaged: all tables were made again");
  for (const std::string& path : outcome->mended)
    log_.Warn("tables/" + path + " was missing or damaged, and is whole again");
  for (const std::string& gone : outcome->gone) log_.Error("tables/" + gone);
  if (outcome->published) {
    log_.Info("published the tables", {{"generation", outcome->generation},
                                       {"records", outcome->records},
                                       {"rows", outcome->rows},
                                       {"files", outcome->files},
                                       {"bytes", outcome->bytes}});
  }
  return outcome->complete();
}

}  // namespace tmdbc
