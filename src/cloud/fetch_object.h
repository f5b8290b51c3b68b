// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/files.h"
#include "base/result.h"
#include "storage/object_store.h"

namespace tmdbc {

// What is fetched in one request.
inline constexpr std::uint64_t kFetchRange = 32 << 20;

// Copies an object of so many bytes into a file, in ranges: the file is whole or not there. kCorrupt when it is
// another than was said; an empty `crc` is not looked at.
Result<void> FetchObject(ObjectStore& from, const std::string& key, FileSystem& to, const std::string& path,
                         std::uint64_t bytes, const std::optional<std::uint32_t>& crc);

}  // namespace tmdbc
