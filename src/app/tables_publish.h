// SPDX-License-Identifier: MIT
// Publishing the tables of a store: what `tables` does, and `run` by its setting TABLES.
#pragma once

#include <functional>
#include <string>

#include "duckdb/library.h"
#include "settings/settings.h"
#include "tables/publish.h"

namespace tmdbc {

// DATA_DIR/tables; of a mirror in a bucket the folder in which its tables are made.
std::string TablesFolder(const Settings& settings);

// What a person is told of PublishReport::other_past.
inline constexpr const char* kOtherPast =
    "the store was put back from an old copy since the tables were made: all tables were made again";

// Where S3_BUCKET_NAME is set, of the mirror in the bucket and into it.
Result<tables::PublishReport> PublishTables(const Settings& settings, const duckdb::Library& library, bool rebuild,
                                            const StopFlag& stop,
                                            std::function<void(const tables::PublishProgress&)> progress);

}  // namespace tmdbc
