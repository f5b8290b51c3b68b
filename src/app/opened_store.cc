// SPDX-License-Identifier: MIT
#include "app/opened_store.h"

#include <filesystem>
#include <system_error>
#include <utility>

#include "base/system_error.h"

namespace tmdbc {

OpenedStore::OpenedStore(std::unique_ptr<Local> local, std::unique_ptr<Remote> remote)
    : local_(std::move(local)),
      remote_(std::move(remote)),
      name(local_ ? local_->dir.path() : remote_->bucket->name()),
      files(local_ ? static_cast<FileSystem&>(local_->files) : remote_->view->files()),
      catalog(local_ ? local_->catalog : remote_->view->catalog()) {}

Result<std::unique_ptr<OpenedStore>> OpenedStore::ForReading(const Settings& settings) {
  return Open(settings, false);
}

Result<std::unique_ptr<OpenedStore>> OpenedStore::ForReadingAll(const Settings& settings) {
  return Open(settings, true);
}

Result<void> OpenedStore::MakeFolderBeside(const std::string& folder) const {
  std::error_code error;
  if (remote_) std::filesystem::create_directories(folder, error);
  if (error) return SystemError("make folder", folder, error.value());
  return {};
}

Result<std::unique_ptr<OpenedStore>> OpenedStore::Open(const Settings& settings, bool whole) {
  if (settings.s3_bucket_name.empty()) {
    TRY_ASSIGN(DataDir dir, DataDir::OpenForReading(settings.data_dir));
    TRY_ASSIGN(Database catalog, dir.OpenCatalog());
    PosixFileSystem files(dir.path());
    std::unique_ptr<Local> local(new Local{std::move(dir), std::move(catalog), std::move(files)});
    return std::unique_ptr<OpenedStore>(new OpenedStore(std::move(local), nullptr));
  }
  auto remote = std::make_unique<Remote>();
  TRY_ASSIGN(remote->bucket, OpenedBucket::Open(settings));
  ObjectStore& objects = remote->bucket->objects();
  if (whole) {
    TRY_ASSIGN(remote->folder, TemporaryFolder::Make());
  }
  auto view = whole ? BucketView::OpenWhole(objects, remote->folder.path(), "catalog.db") : BucketView::Open(objects);
  if (!view) return std::unexpected(OfBucket(remote->bucket->name(), view.error()));
  remote->view = *std::move(view);
  return std::unique_ptr<OpenedStore>(new OpenedStore(nullptr, std::move(remote)));
}

}  // namespace tmdbc
