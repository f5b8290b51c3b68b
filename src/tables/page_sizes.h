// SPDX-License-Identifier: MIT
// Where the pages of a PageFile end. Pure.
#pragma once

#include <cstddef>
#include <cstdint>

namespace tmdbc::tables {

struct PageSizes {
  std::int64_t page_rows = 4096;      // about; a page has half to twice as many, and the rest of a record
  std::int64_t group_rows = 122'880;  // at least, and the rest of a page
};

// Whether a page of so many rows ends behind a record with that id whose rows are the last of them. The ids decide, not
// what was before the page: so that of one row more or less the next pages know nothing.
bool EndsPage(std::int64_t id, std::size_t record_rows, std::size_t page_rows, const PageSizes& sizes);

}  // namespace tmdbc::tables
