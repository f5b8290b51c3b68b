// SPDX-License-Identifier: MIT
// The change feed for followers: the lines of the sealed segments in the order in which they were written,
// each with the number of the segment it was first sealed in. RecordStore's ReadFeed() and NewestSequence()
// have the promises. One thread.
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>

#include "base/files.h"
#include "storage/record_index.h"

namespace tmdbc {

Result<std::int64_t> NewestSequenceOf(RecordIndex& index, MediaType type);

Result<std::int64_t> ReadChangeFeed(
    FileSystem& files, RecordIndex& index, MediaType type, std::int64_t since,
    const std::function<Result<bool>(std::int64_t sequence, std::string_view line)>& visit,
    const std::function<Result<void>(const RecordStore::FeedDamage&)>& skip);

}  // namespace tmdbc
