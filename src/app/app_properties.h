// SPDX-License-Identifier: MIT
// What the program remembers in catalog.db by name (table app_properties). Losing one costs requests or a question,
// never a record. One thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/sqlite.h"

namespace tmdbc {

// Empty when it was never put. May be asked of a database that is open for reading only.
Result<std::optional<std::string>> GetProperty(Database& catalog, std::string_view name);
// Durable when it returns (within a caller's transaction: with that).
Result<void> PutProperty(Database& catalog, std::string_view name, std::string_view value);
Result<void> RemoveProperty(Database& catalog, std::string_view name);

}  // namespace tmdbc
