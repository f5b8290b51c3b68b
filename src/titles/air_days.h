// SPDX-License-Identifier: MIT
// Which shows have an episode on air when: their seasons know.
#pragma once

#include <cstdint>
#include <vector>

#include "titles/titles.h"

namespace tmdbc::titles {

// The ids of the shows with an episode from the first day to the last, both since 1970, ascending.
std::vector<std::uint32_t> ShowsOnAir(const Titles& titles, std::int32_t first, std::int32_t last);

}  // namespace tmdbc::titles
