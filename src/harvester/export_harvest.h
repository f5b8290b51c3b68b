// SPDX-License-Identifier: MIT
// ExportHarvest: takes in the daily exports: queues ids that are new, refreshes the popularity of all, and
// compares what TMDB lists with what is stored: live ids that are gone from the list, and dead ones that are
// back on it, are queued to be asked for. Absence alone deletes nothing. An export is believed only after its
// length, its gzip checksum and its line count were checked. One thread.
// Sources: docs/tmdb-facts.md, docs/decisions/exports.md.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/stop.h"
#include "harvester/accepted_exports.h"
#include "harvester/export_download.h"
#include "harvester/export_ids.h"
#include "harvester/export_reader.h"
#include "harvester/harvest_ports.h"
#include "harvester/harvest_report.h"
#include "harvester/queue_order.h"

namespace tmdbc {

// One harvest of the files that are asked for, in groups of a type, because the normal and the adult file of
// a type are one list. A group is taken in as soon as all of its files are here, while others are still on
// their way.
class ExportHarvest {
 public:
  // All but the sources outlive it.
  ExportHarvest(const HarvestPorts& ports, const HarvestSources& sources, const HarvestOptions& options,
                const StopFlag& stop, const QueueOrder& order);

  // Fills the report's exports, requests, stopped, and of each type what became of its known ids. Errors are
  // those of the disk, the store and the queue.
  Result<void> Execute(HarvestReport& report);

 private:
  enum class Stage : std::uint8_t { kComing, kHere, kJudged, kEnded };
  struct Wanted {
    const ExportFile* file = nullptr;
    std::optional<AcceptedExport> last;  // in force, its file is on the disk
    Stage stage = Stage::kComing;
    std::optional<ExportDownloader::JobId> job;
    std::string path;  // when it is here
    ExportContent content;
    ExportReport report;
    Time asked_by{};  // the time whose days were asked for first
    bool asked_again = false;
  };
  struct Group {
    MediaType type;
    std::vector<Wanted> files;
    bool taken_in = false;
  };

  Result<void> Work();
  Result<void> Plan();
  void Ask(Wanted& wanted);
  void UseKept(Wanted& wanted, std::string why);
  void Fetch(Wanted& wanted, std::vector<std::chrono::sys_days> days);
  void Arrived(ExportDownloader::JobId job);
  void SayWhichDay(Wanted& wanted);
  bool AskedByAWrongClock(const Wanted& wanted) const;
  void AskAgain(Wanted& wanted);
  void TellWhichClockIsRight(const Wanted& wanted);
  bool IsInForce(std::chrono::sys_days day) const;
  void NotPublished(Wanted& wanted, const FetchResult& result);
  void End(Wanted& wanted, ExportVerdict verdict, std::string reason, Hint hint = Hint::kNone);

  Result<void> TakeInReady();
  Result<bool> Read(Wanted& wanted);
  void SendBack(Wanted& wanted, const std::string& reason);
  Result<void> TakeIn(Group& group);
  Result<void> TakeInFile(Wanted& wanted, std::int64_t& left);
  Result<void> Queue(Wanted& wanted, std::span<const RankedId> unknown);
  Result<void> StoreKeywords(Wanted& wanted, std::span<const RankedId> beyond_limit);
  Result<void> PutKeyword(Wanted& wanted, std::string_view line, MediaId id);
  Result<void> CompareWithStore(Group& group);
  Result<void> SetPopularity(Group& group);
  Result<void> AddKept(const Wanted& wanted, std::vector<PackedId>& all);
  Result<void> Keep(Wanted& wanted);
  Result<void> BeginWatermark(const Group& group);
  Result<std::vector<std::int64_t>> ConfigurationIds();
  Result<void> QueueConfiguration();
  Result<std::int64_t> Send(std::span<const QueueItem> items);

  std::int64_t FloorOf(const ExportFile& file) const;
  VisitKnown KnownOf(MediaType type);
  bool stopping() const { return stop_.requested(); }
  void RemoveParts();
  void Finish();

  const HarvestPorts& ports_;
  const HarvestOptions& options_;
  const StopFlag& stop_;
  const QueueOrder& order_;
  const bool from_tmdb_;
  ExportDownloader downloader_;
  std::vector<Group> groups_;
  std::optional<ExportReport> configuration_;
  HarvestReport* report_ = nullptr;  // of the Execute() under way
};

}  // namespace tmdbc
