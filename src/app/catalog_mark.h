// SPDX-License-Identifier: MIT
// CatalogMark: StoreMark over an open catalog. One thread.
#pragma once

#include <cstdint>
#include <optional>

#include "base/sqlite.h"
#include "serve/store_mark.h"
#include "titles/titles.h"

namespace tmdbc {

class CatalogMark : public serve::StoreMark {
 public:
  // Both outlive it.
  CatalogMark(Database& catalog, const titles::TitleSource& titles) : catalog_(catalog), titles_(titles) {}

  Result<std::uint64_t> Now() override;
  std::uint64_t IndexState() override {
    const auto titles = titles_.Current();
    return titles ? titles->state() : 0;
  }

 private:
  Database& catalog_;
  const titles::TitleSource& titles_;
  std::optional<Statement> data_version_;
};

}  // namespace tmdbc
