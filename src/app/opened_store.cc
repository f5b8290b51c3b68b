// SPDX-License-Identifier: MIT
#include "app/opened_store.h"

#include <utility>

namespace tmdbc {

Result<std::unique_ptr<OpenedStore>> OpenedStore::ForReading(const Settings& settings) {
  TRY_ASSIGN(DataDir dir, DataDir::OpenForReading(settings.data_dir));
  TRY_ASSIGN(Database catalog, dir.OpenCatalog());
  return std::make_unique<OpenedStore>(std::move(dir), std::move(catalog));
}

}  // namespace tmdbc
