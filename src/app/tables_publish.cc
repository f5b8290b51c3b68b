// SPDX-License-Identifier: MIT
#include "app/tables_publish.h"

#include <utility>

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
  return tables::Publish({store.feed, store.reader, library, store.clock, stop, std::move(progress)}, options);
}

}  // namespace tmdbc
