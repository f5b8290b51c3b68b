// SPDX-License-Identifier: MIT
// FeedPosition: how far a follower has read our change feed, and how --since says it: "movie=12,tv=7", "12"
// with --type, or "0" for the beginning. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "tmdb/media_id.h"

namespace tmdbc {

// The types to read, in the order of kRecordTypes, each with the sequence number after which its lines begin.
using FeedPosition = std::vector<std::pair<MediaType, std::int64_t>>;

// Of --since and --type. Without --type every type is read, those that `since` does not name from the
// beginning: a type that is mirrored since yesterday is not left out. kInvalid says what is allowed.
Result<FeedPosition> ParseFeedPosition(std::string_view since, const std::optional<std::string>& type);

}  // namespace tmdbc
