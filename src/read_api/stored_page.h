// SPDX-License-Identifier: MIT
// Lists of which the mirror has the first page, or nothing. Pure; any thread.
#pragma once

#include <cstdint>
#include <string>

#include "read_api/json_slice.h"

namespace tmdbc::read_api {

// {"page":1,"results":[],"total_pages":1,"total_results":0}: a list that has nothing.
std::string EmptyPage(std::int64_t page = 1);

// That page of a list of which the first page is stored: the stored one, or one without rows and the true totals.
std::string PageOfStored(JsonSlice first_page, std::int64_t page);

}  // namespace tmdbc::read_api
