// SPDX-License-Identifier: MIT
// The version, the same as in CMakeLists.txt (a test compares them).
#pragma once

#include <string_view>

namespace tmdbc {

inline constexpr std::string_view kVersion = "0.1.0";
inline constexpr std::string_view kUserAgent = "tmdb-data-collector/0.1.0";

}  // namespace tmdbc
