// SPDX-License-Identifier: MIT
// RecordReader: looks records up, now, in their history and as of a time. It has no way to write, and needs
// none: a process may read beside one that writes, without recovery, and nothing is scanned at the start. It
// sees what has been committed, at once. One thread.
//
// Where nothing has been stored yet every look-up gives kNotFound with a sentence that says so. kCorrupt
// names file and frame.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/files.h"
#include "base/sqlite.h"
#include "storage/record.h"
#include "storage/record_index.h"
#include "storage/record_loader.h"

namespace tmdbc {

// The body of a current view, and what the index says of it.
struct StoredBody {
  IndexRow row;
  std::string data;  // empty of a tombstone
};

class RecordReader {
 public:
  // Both outlive the reader. Nothing is read yet. It keeps up to `kept_bytes` of inflated frames at hand.
  RecordReader(BlobReader& files, Database& catalog, std::size_t kept_bytes = 0)
      : index_(catalog), loader_(files, kept_bytes) {}

  // The current view. kNotFound when the id was never stored, or purged; a tombstone is a value (status 404).
  Result<StoredRecord> Find(MediaId id);
  // The same without what only the line knows (etag, sha256, the line itself), which costs less
  // (RecordLoader::LoadViewBody()).
  Result<StoredBody> FindBody(MediaId id);
  // What the index says of the current view, a tombstone too, without reading it. kNotFound when the id was never
  // stored.
  Result<IndexRow> ViewOf(MediaId id);
  // The live season in that place, else the tombstone of the last one that was there.
  Result<StoredRecord> FindSeason(std::int64_t tv_id, std::int64_t season_number);
  Result<StoredBody> FindSeasonBody(std::int64_t tv_id, std::int64_t season_number);
  // The season record that holds the episode of that id, or held it last.
  Result<StoredRecord> FindSeasonOfEpisode(std::int64_t episode_id);
  // The id of the season that FindSeason() finds, without reading it.
  Result<MediaId> SeasonAt(std::int64_t tv_id, std::int64_t season_number);
  // Every season record of the show that the episode belongs to, live or not: a season may have been made
  // again under another id, with the episodes that it had. The one of FindSeasonOfEpisode() is the first.
  // Reads none of them.
  Result<std::vector<MediaId>> SeasonsOfEpisode(std::int64_t episode_id);
  // Every version kept, oldest first, each as it was when the version began: a stats record is not a step,
  // Find() has the latest numbers. One that cannot be read is there with its `damage`.
  Result<std::vector<StoredRecord>> History(MediaId id);
  // What the index says of these versions, without reading them. kNotFound also when the id was purged.
  Result<std::vector<StepRow>> VersionsOf(MediaId id);
  // What is kept of an id's past, without reading it. kNotFound when the id was never stored.
  Result<Kept> KeptOf(MediaId id);
  // The version that was in force at that time: the last one fetched at or before it, with the newest numbers
  // when it is the current one and they had been fetched. A tombstone is a value. kNotFound when the id was
  // not stored yet.
  Result<StoredRecord> FindAsOf(MediaId id, Time at);

 private:
  Result<StoredRecord> LoadView(const IndexRow& row);
  Result<StoredBody> LoadBody(const IndexRow& row);
  Result<IndexRow> SeasonRow(std::int64_t tv_id, std::int64_t season_number);
  Result<std::vector<StoredRecord>> LoadHistory(MediaId id);
  Result<StoredRecord> LoadAsOf(MediaId id, Time at);
  // The steps of the history before `current`; of a stats record also the one it refreshes.
  Result<std::vector<StepRow>> StepsOf(const IndexRow& current);

  RecordIndex index_;
  RecordLoader loader_;
};

}  // namespace tmdbc
