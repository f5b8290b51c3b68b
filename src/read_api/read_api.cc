// SPDX-License-Identifier: MIT
#include "read_api/read_api.h"

#include <algorithm>
#include <utility>

#include "read_api/call.h"
#include "read_api/routes.h"

namespace tmdbc::read_api {
namespace {

bool Fits(const Route& route, const std::vector<std::string>& path) {
  return std::ranges::equal(route.pattern, path, [](std::string_view wanted, const std::string& part) {
    return wanted == "*" || wanted == part;
  });
}

}  // namespace

Answer ReadApi::Get(const ApiRequest& request) {
  const auto route =
      std::ranges::find_if(Routes(), [&](const Route& row) { return Fits(row, request.path); });
  if (route == Routes().end()) return ErrorAnswer(34);
  Call call(request, mirror_, clock_.Now());
  Answer answer = route->endpoint(call);
  return std::move(call).Finished(std::move(answer));
}

}  // namespace tmdbc::read_api
