// SPDX-License-Identifier: MIT
// ImageFolder: the images that are kept, each a file under the name that TMDB gave it: images/SIZE/pB/pB8B….jpg,
// below a folder by the first two letters so that none holds millions. A file is whole or not there, and never changes:
// TMDB gives other bytes another name. What is on disk is the truth; there is no index beside it. One thread.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "base/files.h"
#include "base/stop.h"
#include "images/image_name.h"

namespace tmdbc::images {

inline constexpr std::uint64_t kMaxImage = 64 << 20;  // bytes; what is larger is none of TMDB's

class ImageFolder {
 public:
  // Outlives it; its root is DATA_DIR. The errors of the listing. What lies there and is not an image of that
  // layout is left alone, but for what an interrupted write left, which is removed.
  static Result<ImageFolder> Open(FileSystem& files);

  // In the order of the names, with the bytes of each.
  const std::map<ImageName, std::uint64_t>& all() const { return all_; }
  std::uint64_t bytes() const { return bytes_; }

  Result<void> Put(const ImageName& image, std::string_view bytes);
  // One that somebody removed already is not an error.
  Result<void> Remove(const ImageName& image);

  // Reads all of them and removes those that are no whole image any more; `removed` is told of each. How many were
  // read; fewer than all() when stopped.
  Result<std::int64_t> Check(const StopFlag& stop, const std::function<Result<void>(const ImageName&)>& removed);

  // Any thread, beside one that writes; kNotFound when it is not kept.
  static Result<std::string> Read(BlobReader& files, const ImageName& image);

 private:
  explicit ImageFolder(FileSystem& files) : files_(&files) {}

  FileSystem* files_;
  std::map<ImageName, std::uint64_t> all_;
  std::uint64_t bytes_ = 0;
};

}  // namespace tmdbc::images
