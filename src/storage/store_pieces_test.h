// SPDX-License-Identifier: MIT
// StorePieces: every piece of one store, for tests and benchmarks: they write, look and verify in one place.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "storage/care.h"
#include "storage/change_feed.h"
#include "storage/compaction.h"
#include "storage/deletion_policy.h"
#include "storage/ledger.h"
#include "storage/popularity_table.h"
#include "storage/rebuild.h"
#include "storage/record_reader.h"
#include "storage/record_writer.h"
#include "storage/verify.h"

namespace tmdbc::testing {

struct StorePieces {
  static Result<std::unique_ptr<StorePieces>> Open(FileSystem& files, Database& catalog, const Clock& clock,
                                                   RecordWriterOptions options = {}) {
    TRY_ASSIGN(auto writer, RecordWriter::Open(files, catalog, clock, options));
    auto pieces = std::make_unique<StorePieces>(files, catalog);
    pieces->clock = &clock;
    pieces->frame_bytes = options.frame_bytes;
    pieces->writer = std::move(writer);
    return pieces;
  }
  // `kept_bytes`: of the reader's frames (RecordReader), where all records are read again and again.
  static std::unique_ptr<StorePieces> ForReading(FileSystem& files, Database& catalog, std::size_t kept_bytes = 0) {
    return std::make_unique<StorePieces>(files, catalog, kept_bytes);
  }

  StorePieces(FileSystem& its_files, Database& its_catalog, std::size_t kept_bytes = 0)
      : files(its_files), catalog(its_catalog), reader(its_files, its_catalog, kept_bytes) {}

  Result<VerifyReport> Verify(bool deep, const std::function<void()>& pause = {}) {
    return tmdbc::Verify(files, catalog, deep, pause);
  }
  // The writer goes on with the new index.
  Result<VerifyReport> Rebuild() {
    TRY_ASSIGN(auto report, tmdbc::Rebuild(files, catalog));
    if (writer) TRY(writer->Reload());
    return report;
  }
  // Into frames of the writer's size.
  Result<CompactReport> Compact(MediaType type, CompactOptions options = {},
                                const std::function<bool()>& stopping = {}) {
    options.frame_bytes = frame_bytes;
    return tmdbc::Compact(files, catalog, *writer, type, options, stopping);
  }
  // Every live record that TMDB has not answered for since; how many they were.
  Result<std::int64_t> PurgeUnverified(MediaType type, Time before) {
    std::vector<std::int64_t> due;
    TRY(ledger.VisitLive(type, [&](const LiveRecord& record) {
      if (record.verified_at < before) due.push_back(record.id);
    }));
    TRY(Purge(*writer, type, due, clock->Now()));
    return std::int64_t(due.size());
  }
  // The seasons that the show lists no longer become tombstones.
  Result<void> PutSeasonList(std::int64_t tv_id, std::span<const std::int64_t> listed, Time at) {
    const SeasonList list{.given = true, .numbers = {listed.begin(), listed.end()}, .ids = {}};
    TRY_ASSIGN(const auto seasons, writer->LiveSeasons(tv_id));
    for (const auto& season : seasons) {
      if (StandingOf(season.id.id, season.number, season.holds_number, list) == SeasonStanding::kNotListed)
        TRY(writer->PutGone(season.id, at, DeletionEvidence::kNotListed));
    }
    return {};
  }

  FileSystem& files;
  Database& catalog;
  const Clock* clock = nullptr;
  std::uint64_t frame_bytes = 0;
  RecordReader reader;
  RecordLedger ledger{catalog};
  PopularityTable popularity{catalog};
  ChangeFeed feed{files, catalog};
  std::unique_ptr<RecordWriter> writer;  // null: opened for reading
};

}  // namespace tmdbc::testing
