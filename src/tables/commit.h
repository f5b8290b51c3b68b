// SPDX-License-Identifier: MIT
// How a generation of tables becomes the one that readers see, and how older ones go:
//
//   1 data files, whole and synced, under their names
//   2 manifests/N.json, put where nothing is: this is the commit
//   3 the Delta logs      \.
//   4 snapshots/N, then   | derived from the manifests (derived_files.h): every start sees to it
//     `latest`, documents | that all of it is there
//     and manifest.json  /.
//   5 what no kept generation names is removed
//
// A crash before 2 leaves files that nobody names; they go at the next start.
#pragma once

#include <string>
#include <vector>

#include "base/clock.h"
#include "tables/manifest.h"
#include "tables/table_folder.h"

namespace tmdbc::tables {

// A file that was made under tmp/ and the name that the manifest has for it.
struct NewFile {
  std::string temporary;  // from the root
  std::string path;
};

// What was published last, to go on from.
struct Published {
  Manifest manifest;
  bool whole =
      true;  // else its manifest is damaged: this is what the newest whole one before it says, or nothing,
             // under the damaged one's number
};
// Empty when nothing was published. For a build (`builds`) a damaged manifest is no hindrance, nor that a later program
// made the tables; else they are kCorrupt and kInvalid.
Result<std::optional<Published>> ReadPublished(TableFolder& folder, bool builds);

// Steps 1 and 2. kExists when another process has published that generation.
Result<void> CommitGeneration(TableFolder& folder, const std::vector<NewFile>& files,
                              const Manifest& manifest);

// Step 5. Kept are the newest generation, the one before it, and all that were the newest within a day before `now`;
// when the newest took in a purge the one before it is no exception. Damaged manifests go.
Result<void> RemoveOld(TableFolder& folder, const Manifest& newest, Time now);

}  // namespace tmdbc::tables
