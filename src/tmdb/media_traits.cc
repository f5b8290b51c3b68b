// SPDX-License-Identifier: MIT
#include "tmdb/media_traits.h"

#include <string>

namespace tmdbc {

Result<MediaType> ParseMediaType(std::string_view name) {
  std::string allowed;
  for (const MediaTraits& row : kMediaTraits) {
    if (row.name == name) return row.type;
    allowed += allowed.empty() ? "" : ", ";
    allowed += row.name;
  }
  return Fail(ErrorCode::kInvalid, "'{}' is not a media type: use one of {}", name, allowed);
}

}  // namespace tmdbc
