// SPDX-License-Identifier: MIT
#include "images/image_folder.h"

#include <algorithm>
#include <utility>

#include "images/image_check.h"

namespace tmdbc::images {
namespace {

constexpr std::string_view kTemporary = ".new";
constexpr std::string_view kFolder = "images";

std::string PathOf(const ImageName& image) {
  return std::string(kFolder) + "/" + image.size + "/" + image.name.substr(0, 2) + "/" + image.name;
}

// The image that is kept at `path`, if one is.
Result<ImageName> ImageAt(const std::string& path) {
  const std::string below = path.substr(std::min(path.size(), kFolder.size() + 1));
  const std::size_t first = below.find('/'), last = below.rfind('/');
  if (first == std::string::npos || first == last) return Fail(ErrorCode::kInvalid, "{} is not an image", path);
  auto image = ParseImageName(below.substr(0, first) + below.substr(last));
  if (image && PathOf(*image) != path) return Fail(ErrorCode::kInvalid, "{} is no image's place", path);
  return image;
}

}  // namespace

Result<ImageFolder> ImageFolder::Open(FileSystem& files) {
  ImageFolder folder(files);
  TRY_ASSIGN(const auto paths, files.List(std::string(kFolder)));
  for (const std::string& path : paths) {
    if (path.ends_with(kTemporary) && ImageAt(path.substr(0, path.size() - kTemporary.size()))) {
      TRY(files.Remove(path));
      continue;
    }
    const auto image = ImageAt(path);
    if (!image) continue;
    TRY_ASSIGN(const std::uint64_t size, files.Size(path));
    folder.all_[*image] = size;
    folder.bytes_ += size;
  }
  return folder;
}

Result<void> ImageFolder::Put(const ImageName& image, std::string_view bytes) {
  const std::string path = PathOf(image), temporary = path + std::string(kTemporary);
  {
    TRY_ASSIGN(const auto file, files_->OpenAppend(temporary));
    TRY(file->Truncate(0));
    if (const auto written = file->Append(bytes); !written) {
      (void)files_->Remove(temporary);  // a full disk gets its room back
      return written;
    }
    TRY(file->Sync());
  }
  // The folder need not be synced: after a power cut the image is there whole, or is fetched again.
  TRY(files_->Rename(temporary, path));
  auto& size = all_[image];
  bytes_ += bytes.size() - size;
  size = bytes.size();
  return {};
}

Result<void> ImageFolder::Remove(const ImageName& image) {
  if (const auto removed = files_->Remove(PathOf(image)); !removed && removed.error().code != ErrorCode::kNotFound)
    return removed;
  if (const auto found = all_.find(image); found != all_.end()) {
    bytes_ -= found->second;
    all_.erase(found);
  }
  return {};
}

Result<std::int64_t> ImageFolder::Check(const StopFlag& stop,
                                        const std::function<Result<void>(const ImageName&)>& removed) {
  std::int64_t checked = 0;
  for (auto next = all_.begin(); next != all_.end() && !stop.requested();) {
    const ImageName image = (next++)->first;  // Remove() takes it out of all_
    const auto bytes = Read(*files_, image);
    if (!bytes && bytes.error().code == ErrorCode::kNotFound) {
      TRY(Remove(image));
      continue;
    }
    if (!bytes && !IsDamage(bytes.error())) return std::unexpected(bytes.error());
    ++checked;
    if (bytes && CheckImage(*bytes, image.format())) continue;
    TRY(Remove(image));
    TRY(removed(image));
  }
  return checked;
}

Result<std::string> ImageFolder::Read(BlobReader& files, const ImageName& image) {
  return files.Read(PathOf(image), 0, kMaxImage);
}

}  // namespace tmdbc::images
