// SPDX-License-Identifier: MIT
// The newest generation of the tables under DATA_DIR, and whether it has fallen behind the store.
#pragma once

#include <optional>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "settings/settings.h"
#include "tables/manifest.h"

namespace tmdbc {

// Why a statement over the tables in `folder` failed, with what helps where their files are not as they were written:
// kCorrupt then.
Error ExplainTables(const Error& error, const std::string& folder, const tables::Manifest& manifest);

// `folder`: DATA_DIR/tables. Empty: nothing was published yet.
Result<std::optional<tables::Manifest>> NewestTables(const std::string& folder);

// A sentence for a person who asks tables of last month: they are more than 7 days old, and the store has changed since.
// Empty otherwise, and where the store cannot be asked. It is opened only when they are that old.
std::string WhyTablesAreBehind(const Settings& settings, const tables::Manifest& manifest, Time now);

}  // namespace tmdbc
