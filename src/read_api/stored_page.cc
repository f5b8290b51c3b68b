// SPDX-License-Identifier: MIT
#include "read_api/stored_page.h"

#include <fmt/format.h>

#include <array>

namespace tmdbc::read_api {

std::string EmptyPage(std::int64_t page) {
  return fmt::format(R"({{"page":{},"results":[],"total_pages":1,"total_results":0}})", page);
}

std::string PageOfStored(JsonSlice first_page, std::int64_t page) {
  if (page == 1) return std::string(first_page);
  return WithValues(JsonObject(first_page),
                    std::array{NewValue{"page", std::to_string(page)}, NewValue{"results", "[]"}});
}

}  // namespace tmdbc::read_api
