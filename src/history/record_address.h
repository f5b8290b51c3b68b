// SPDX-License-Identifier: MIT
// RecordAddress: what a type and an id, as a person writes them, name: "550", a season "1399/season/1", an
// episode "1399/season/1/episode/2", a configuration list by its path.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/result.h"
#include "tmdb/media_id.h"

namespace tmdbc {

struct RecordAddress {
  MediaType type{};
  // Either TMDB's id, or for a season or an episode the place in a show.
  std::int64_t id = 0;
  bool by_place = false;
  std::int64_t tv_id = 0, season_number = 0, episode_number = 0;
};

// kInvalid with what is allowed.
Result<RecordAddress> ParseRecordAddress(std::string_view type, std::string_view id);

// A whole number from 1: an id of TMDB's.
Result<std::int64_t> ParseId(std::string_view text);

}  // namespace tmdbc
