// SPDX-License-Identifier: MIT
#include "read_api/answer.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/json_writer.h"

namespace tmdbc::read_api {
namespace {

struct ErrorRow {
  int code;
  int status;
  std::string_view message;
};

constexpr std::array kErrors = {
    ErrorRow{3, 401, "Authentication failed: You do not have permissions to access the service."},
    ErrorRow{5, 422, "Invalid parameters: Your request parameters are incorrect."},
    ErrorRow{6, 404, "Invalid id: The pre-requisite id is invalid or not found."},
    ErrorRow{7, 401, "Invalid API key: You must be granted a valid key."},
    ErrorRow{9, 503, "Service offline: This service is temporarily offline, try again later."},
    ErrorRow{11, 500, "Internal error: Something went wrong, contact TMDB."},
    ErrorRow{20, 422, "Invalid date range: Should be a range no longer than 14 days."},
    ErrorRow{22, 400, "Invalid page: Pages start at 1 and max at 500. They are expected to be an integer."},
    ErrorRow{23, 400, "Invalid date: Format needs to be YYYY-MM-DD."},
    ErrorRow{24, 504, "Your request to the backend server timed out. Try again."},
    ErrorRow{27, 400, "Too many append to response objects: The maximum number of remote calls is 20."},
    ErrorRow{34, 404, "The resource you requested could not be found."},
    ErrorRow{42, 405, "This request method is not supported for this resource."},
};

}  // namespace

std::string_view Name(Fidelity fidelity) {
  switch (fidelity) {
    case Fidelity::kExact:
      return "exact";
    case Fidelity::kDerived:
      return "derived";
    case Fidelity::kApproximate:
      return "approximate";
    case Fidelity::kEmpty:
      return "empty";
    case Fidelity::kMissing:
      return "missing";
    case Fidelity::kNone:
      break;
  }
  return "";
}

Answer ErrorAnswer(int status_code) {
  const auto row = std::ranges::find(kErrors, status_code, &ErrorRow::code);
  JsonWriter json;
  json.BeginObject().Field("success", false).Field("status_code", row->code);
  json.Field("status_message", row->message).EndObject();
  return {.status = row->status, .body = json.text(), .fidelity = Fidelity::kNone};
}

Answer ParameterMissing(std::string_view name) {
  return {.status = 422,
          .body = fmt::format(R"({{"errors":["{} must be provided"]}})", name),
          .fidelity = Fidelity::kNone};
}

}  // namespace tmdbc::read_api
