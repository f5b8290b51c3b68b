// SPDX-License-Identifier: MIT
// The OpenAPI 3.1 description of what the read API answers, made from one table (openapi.cc): path, parameters and the
// shape of the answer. Served at /3/openapi.json.
#pragma once

#include <span>
#include <string_view>

#include "read_api/call.h"

namespace tmdbc::read_api {

struct DescribedPath {
  std::string_view path;        // "movie/{movie_id}/credits"
  std::string_view answer;      // the name of a schema
  std::string_view parameters;  // of the query: names with blanks between; "query!" is required
  std::string_view summary;
};
std::span<const DescribedPath> DescribedPaths();

// The same text every time.
Answer OpenApi(Call& call);

}  // namespace tmdbc::read_api
