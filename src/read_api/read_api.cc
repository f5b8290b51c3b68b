// SPDX-License-Identifier: MIT
#include "read_api/read_api.h"

#include <utility>

#include "read_api/call.h"
#include "read_api/routes.h"

namespace tmdbc::read_api {
Answer ReadApi::Get(const ApiRequest& request) {
  const Route* const route = FindRoute(request.path);
  if (route == nullptr) return ErrorAnswer(34);
  Call call(request, mirror_, clock_.Now());
  Answer answer = route->endpoint(call);
  answer = std::move(call).Finished(std::move(answer));
  // 503: what it would be answered from is being made.
  const bool is_about_request = answer.status != 200 && answer.status != 404 && answer.status != 503;
  if (route->beyond == Beyond::kNothing || is_about_request) answer.lacking.reset();
  answer.lacks = answer.lacking.has_value() || (answer.lacks && route->beyond == Beyond::kTmdb && !is_about_request);
  return answer;
}

}  // namespace tmdbc::read_api
