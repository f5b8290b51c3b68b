// SPDX-License-Identifier: MIT
// Publishing the tables of a store: what `tables` does, and `run` by its setting TABLES.
#pragma once

#include <functional>
#include <string>

#include "app/opened_store.h"
#include "duckdb/library.h"
#include "settings/settings.h"
#include "tables/publish.h"

namespace tmdbc {

// DATA_DIR/tables.
std::string TablesFolder(const std::string& data_dir);

Result<tables::PublishReport> PublishTables(const Settings& settings, OpenedStore& store,
                                            const duckdb::Library& library, bool rebuild,
                                            const StopFlag& stop,
                                            std::function<void(const tables::PublishProgress&)> progress);

}  // namespace tmdbc
