// SPDX-License-Identifier: MIT
#include "tmdb/media_id.h"

namespace tmdbc {

std::string ToString(MediaId id) {
  return fmt::format("{}:{}", Name(id.type), id.id);
}

}  // namespace tmdbc
