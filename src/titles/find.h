// SPDX-License-Identifier: MIT
// Look-ups in the title index by a value: another site's id, the newest id, what was changed when. Any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "titles/search.h"
#include "titles/titles.h"

namespace tmdbc::titles {

// "imdb_id"; nothing for what is not a source.
std::optional<ExternalSource> ParseExternalSource(std::string_view name);
// The records of the type that bear that id, the more popular first.
std::vector<Found> FindExternal(const Titles& titles, MediaType type, ExternalSource source, std::string_view value);

// The one with the highest id.
std::optional<Found> Latest(const Titles& titles, MediaType type);

// Those whose newest version was fetched from `from` up to `to` (exclusive), the latest first.
struct ChangedTitle {
  std::uint32_t id = 0;
  bool adult = false;
  bool softcore = false;
};
struct ChangedPage {
  std::vector<ChangedTitle> rows;
  std::int64_t total = 0;
};
ChangedPage ChangedBetween(const Titles& titles, MediaType type, std::int64_t from, std::int64_t to, std::size_t skip,
                           std::size_t count);

}  // namespace tmdbc::titles
