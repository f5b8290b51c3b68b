// SPDX-License-Identifier: MIT
// MediaId: what every stage calls a thing of TMDB's by: its media type and TMDB's number for it, written "movie:550".
#pragma once

#include <compare>
#include <cstdint>
#include <string>

#include "tmdb/media_traits.h"

namespace tmdbc {

struct MediaId {
  MediaType type;
  std::int64_t id;
  auto operator<=>(const MediaId&) const = default;
};

// "movie:550"
std::string ToString(MediaId id);

}  // namespace tmdbc

template <>
struct std::hash<tmdbc::MediaId> {
  std::size_t operator()(const tmdbc::MediaId& id) const noexcept {
    return std::size_t(id.id) * 16 + std::size_t(id.type);
  }
};
