// SPDX-License-Identifier: MIT
// Pages of lists: 20 rows each, numbered from 1 to 500, in TMDB's envelope. Pure but for the call; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "read_api/call.h"
#include "read_api/rows.h"
#include "titles/search.h"

namespace tmdbc::read_api {

inline constexpr std::int64_t kRowsAPage = 20;
// So many rows are looked for in the title index: those beyond a page stand in for what was deleted a moment ago, and
// which the index still has.
inline constexpr std::size_t kRowsToFind = kRowsAPage + 5;

// The page that is asked for, else 1; nothing for any text but a whole number from 1 to 500: ErrorAnswer(22).
std::optional<std::int64_t> PageOf(const Query& query);
inline std::size_t SkipOf(std::int64_t page) {
  return std::size_t((page - 1) * kRowsAPage);
}

// {"page":..,"results":[rows],"total_pages":..,"total_results":..}; `first`, if not empty, is a member before the page
// ("dates":{...}). Nothing found is one page.
std::string Envelope(std::int64_t page, std::string_view rows, std::int64_t total, std::string_view first = {});

struct Rows {
  std::string text;       // with commas between
  std::int64_t gone = 0;  // so many were passed over
};
// The rows of the first of `found`, `most` at most. What is gone meanwhile is passed over, and the next takes its
// place; damaged ones leave their place empty.
Rows RowsOf(Call& call, std::span<const titles::Found> found, const RowStyle& style,
            std::size_t most = std::string::npos);
// The page of that number out of kRowsToFind that were found for it, in its envelope.
std::string PageOfRows(Call& call, std::int64_t page, const titles::FoundPage& found, const RowStyle& style,
                       std::string_view first = {});
// How the call wants its rows: in its language; in its region.
RowStyle StyleOf(const Call& call, RowForm form, bool with_region);

// What is answered while the title index is being built.
Answer IndexAwaited();

}  // namespace tmdbc::read_api
