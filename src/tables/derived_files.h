// SPDX-License-Identifier: MIT
// What follows from the manifests, beside the data: the Delta logs, the documents, snapshots/N with `latest`, the hint.
// derived.json lists those of them that have bytes of their own, with size and sha256, so that whatever somebody took
// away, cut or put there is noticed and made again. docs/tables-format.md has its bytes.
//
//   {"generation":124,"files":[{"path":"README.md","bytes":5012,"sha256":"..."}]}
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/files.h"
#include "base/result.h"
#include "duckdb/library.h"
#include "tables/manifest.h"
#include "tables/table_folder.h"

namespace tmdbc::tables {

struct DerivedFile {
  std::string path;  // from the tables' folder
  std::int64_t bytes = 0;
  std::string sha256;
  bool operator==(const DerivedFile&) const = default;
};
DerivedFile FactsOf(std::string path, std::string_view bytes);

struct DerivedList {
  std::int64_t generation = 0;     // that all this was brought up to
  std::vector<DerivedFile> files;  // ascending by path

  bool operator==(const DerivedList&) const = default;
  const DerivedFile* Find(std::string_view path) const;
};

inline constexpr std::string_view kDerivedList = "derived.json";
std::string FormatDerivedList(const DerivedList& list);
// kCorrupt when the text is not such a list.
Result<DerivedList> ParseDerivedList(std::string_view json);
// kNotFound when there is none, kCorrupt as above.
Result<DerivedList> ReadDerivedList(BlobReader& folder);

// Whether the path is that of a file in a _delta_log that readers of the log go by.
bool IsOfLog(std::string_view path);

// Steps 3 and 4 of a generation (commit.h): makes what is not there as it is to be, and writes nothing when all is.
// Names and sizes tell, of documents the bytes; with `rebuild` logs and documents are made whatever is there. A log
// that is damaged begins again with the oldest generation that is kept. Repeated after a crash it ends the same. What
// was finished once and is no longer whole is returned, by path: "movies/_delta_log", "README.md", "latest".
Result<std::vector<std::string>> FinishGeneration(TableFolder& folder, const Manifest& newest,
                                                  const duckdb::Library& duckdb, bool rebuild);

// The name of the folder of its links: "snapshots/000000124".
std::string SnapshotPath(std::int64_t generation);
// The files of the generation that are there and whose name below latest/ is not the same file. `root`: the tables'
// folder.
std::vector<std::string> UnlinkedFiles(const std::string& root, const Manifest& manifest);

}  // namespace tmdbc::tables
