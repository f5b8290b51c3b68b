// SPDX-License-Identifier: MIT
// ImageHandler: the pictures that `images` fetched, at /t/p/SIZE/NAME as TMDB's own host has them. One thread.
//
//   GET, HEAD  the file; 304 when If-None-Match names it. It never changes under its name, so it may be kept for ever.
//   404        it is not kept here, or the path is none of a picture
#pragma once

#include <string_view>

#include "base/files.h"
#include "http/server.h"

namespace tmdbc::serve {

class ImageHandler {
 public:
  static constexpr std::string_view kPath = "/t/p/";

  // Its root is DATA_DIR; outlives the handler.
  explicit ImageHandler(BlobReader& files) : files_(files) {}

  http::Answer Handle(const http::ServerRequest& request);

 private:
  BlobReader& files_;
};

}  // namespace tmdbc::serve
