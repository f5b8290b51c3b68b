// SPDX-License-Identifier: MIT
#include "app/tables_publish.h"

#include <utility>

#include "duckdb/database.h"
#include "tables/delta_log.h"
#include "tables/documents.h"

namespace tmdbc {

std::string TablesFolder(const std::string& data_dir) {
  return data_dir + "/tables";
}

Result<tables::PublishReport> PublishTables(OpenedStore& store, const duckdb::Library& library, bool rebuild,
                                            const StopFlag& stop,
                                            std::function<void(const tables::PublishProgress&)> progress) {
  tables::PublishOptions options;
  options.root = TablesFolder(store.name);
  options.rebuild = rebuild;
  options.derived.delta_logs = [&library](tables::TableFolder& folder, const tables::Manifest& manifest,
                                          const tables::Manifest* previous) -> Result<void> {
    TRY_ASSIGN(auto database, duckdb::Database::Open(library, {}));
    TRY_ASSIGN(auto connection, database.Connect());
    return tables::WriteDeltaLogs(folder, manifest, previous, connection);
  };
  options.derived.documents = tables::WriteDocuments;
  return tables::Publish({store.feed, store.reader, library, store.clock, stop, std::move(progress)},
                         options);
}

}  // namespace tmdbc
