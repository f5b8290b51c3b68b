// SPDX-License-Identifier: MIT
// ApiHandler: HTTP around the read API: methods, headers, caching. One thread.
#pragma once

#include "http/server.h"
#include "read_api/read_api.h"

namespace tmdbc::serve {

class ApiHandler {
 public:
  // Outlives it.
  explicit ApiHandler(read_api::ReadApi& api) : api_(api) {}

  http::Answer operator()(const http::ServerRequest& request);

 private:
  read_api::ReadApi& api_;
};

}  // namespace tmdbc::serve
