// SPDX-License-Identifier: MIT
#include "read_api/read_api.h"

#include <utility>

#include "read_api/call.h"
#include "read_api/routes.h"

namespace tmdbc::read_api {
Answer ReadApi::Get(const ApiRequest& request) {
  const Endpoint endpoint = FindEndpoint(request.path);
  if (endpoint == nullptr) return ErrorAnswer(34);
  Call call(request, mirror_, clock_.Now());
  Answer answer = endpoint(call);
  return std::move(call).Finished(std::move(answer));
}

}  // namespace tmdbc::read_api
