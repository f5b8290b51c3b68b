// SPDX-License-Identifier: MIT
#include "app/tables_publish.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "app/newest_tables.h"
#include "harvester/accepted_exports.h"
#include "tmdb/export_line.h"

namespace tmdbc {

std::string TablesFolder(const std::string& data_dir) {
  return data_dir + "/tables";
}

Result<tables::PublishReport> PublishTables(const Settings& settings, OpenedStore& store,
                                            const duckdb::Library& library, bool rebuild,
                                            const StopFlag& stop,
                                            std::function<void(const tables::PublishProgress&)> progress) {
  // A damaged manifest is told with what helps.
  if (!rebuild) TRY(NewestTables(TablesFolder(store.name)));
  std::vector<tables::PopularityExport> exports;
  TRY_ASSIGN(const auto accepted, AcceptedExports(store.catalog));
  for (const AcceptedExport& one : accepted) {
    const auto file = std::ranges::find(kExportFiles, one.name, &ExportFile::name);
    const std::string path = KeptExportPath(one.name, one.date);
    if (file == kExportFiles.end() || !file->has_popularity) continue;
    TRY_ASSIGN(const bool kept, store.files.Exists(path));
    if (kept) exports.push_back({one.name, file->type, one.date, path});
  }
  tables::PublishOptions options;
  options.root = TablesFolder(store.name);
  options.rebuild = rebuild;
  options.popularity_minimum = settings.popularity_history_min;
  return tables::Publish({store.feed, store.reader, library, store.clock, stop, store.files,
                          std::move(exports), std::move(progress)},
                         options);
}

}  // namespace tmdbc
