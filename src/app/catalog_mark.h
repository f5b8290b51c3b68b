// SPDX-License-Identifier: MIT
// CatalogMark: StoreMark over an open catalog. One thread.
#pragma once

#include <cstdint>
#include <optional>

#include "base/sqlite.h"
#include "serve/store_mark.h"

namespace tmdbc {

class CatalogMark : public serve::StoreMark {
 public:
  // Outlives it.
  explicit CatalogMark(Database& catalog) : catalog_(catalog) {}

  Result<std::uint64_t> Now() override;
  std::uint64_t IndexState() override { return 0; }

 private:
  Database& catalog_;
  std::optional<Statement> data_version_;
};

}  // namespace tmdbc
