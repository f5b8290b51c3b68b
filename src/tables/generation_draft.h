// SPDX-License-Identifier: MIT
// GenerationDraft: the manifest of a generation while it is being made: what it takes over from the one before, and the
// files that are new. A value; one thread.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "tables/commit.h"
#include "tables/manifest.h"
#include "tables/part_writer.h"
#include "tables/table_folder.h"

namespace tmdbc::tables {

// Whether the store has all that the table is made of. Nobody has the exports of last year, and what was published when
// is known from the tables alone.
bool CanBeMadeAgain(std::string_view table);

class GenerationDraft {
 public:
  // `previous` is null for the first; `build`: the rows that the records give are made from all of them again, and
  // nothing of `previous` counts but what cannot be made again. Its files in `lost`, by path, never count. All outlive
  // the draft.
  GenerationDraft(TableFolder& folder, const Manifest* previous, const std::set<std::string>& lost,
                  bool build);

  bool build() const { return build_; }
  // The full path of the file that holds that part of a table until now; empty when there is none, or it does not
  // count. kCorrupt when it is not the one that was written: damaged() is its path from then on.
  Result<std::string> OldFile(std::string_view table, std::string_view partition);
  // That part's old file was read, and is none of ours.
  void Distrust(std::string_view table, std::string_view partition);
  const std::string& damaged() const { return damaged_; }
  bool HasOldFiles(std::string_view table) const;
  // Ids a file of the table; 0 when it is not chosen yet.
  std::int64_t Width(std::string_view table) const;
  void SetWidth(std::string_view table, std::int64_t width);

  // That part of the table is what was written (nothing: it has no rows). A file with the old one's bytes keeps its
  // name.
  Result<void> Put(std::string_view table, std::string_view partition,
                   const std::optional<PartWriter::Part>& part);

  // Completes the manifest: versions of the Delta logs, what else it says of itself.
  const Manifest& Finish(Time now);
  Manifest& manifest() { return next_; }
  const std::vector<NewFile>& files() const { return files_; }
  std::int64_t bytes() const;

 private:
  const DataFile* Old(std::string_view table, std::string_view partition) const;

  TableFolder& folder_;
  const Manifest* const previous_;
  const std::set<std::string>& lost_;
  const bool build_;
  Manifest next_;
  std::set<std::string> whole_;  // old files that were looked at
  std::string damaged_;
  std::vector<NewFile> files_;
};

}  // namespace tmdbc::tables
