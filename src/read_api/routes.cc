// SPDX-License-Identifier: MIT
#include "read_api/routes.h"

#include "read_api/details.h"
#include "read_api/openapi.h"
#include "read_api/search.h"

namespace tmdbc::read_api {

std::span<const Route> Routes() {
  static const std::vector<Route> kRoutes = {
      {{"search", "*"}, Search},
      {{"openapi.json"}, OpenApi},
      {{"movie", "*"}, MovieDetails},
  };
  return kRoutes;
}

}  // namespace tmdbc::read_api
