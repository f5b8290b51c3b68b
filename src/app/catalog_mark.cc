// SPDX-License-Identifier: MIT
#include "app/catalog_mark.h"

namespace tmdbc {

Result<std::uint64_t> CatalogMark::Now() {
  if (!data_version_) {
    TRY_ASSIGN(data_version_, catalog_.Prepare("PRAGMA data_version"));
  }
  data_version_->Reset();
  TRY_ASSIGN(const bool row, data_version_->Step());
  if (!row) return Fail(ErrorCode::kInternal, "ask the catalog for its version: no answer");
  const auto version = std::uint64_t(data_version_->Int(0));
  data_version_->Reset();
  return version + 1;
}

}  // namespace tmdbc
