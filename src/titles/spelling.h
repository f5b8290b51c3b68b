// SPDX-License-Identifier: MIT
// Spelling: which words of an index file begin nearly as a person typed. Any thread.
#pragma once

#include <cstddef>
#include <string_view>
#include <utility>
#include <vector>

#include "titles/index_file.h"

namespace tmdbc::titles {

// Ranges of words of a file. Any of these words will do for one word of a query. The ranges may overlap.
using WordRanges = std::vector<std::pair<std::size_t, std::size_t>>;

// The words that begin with `word`, or would if one letter of it were another one, were not there, were not missing, or
// had its place changed with its neighbour. Words of less than three letters are taken as they are.
WordRanges WordsNear(const IndexFile& file, std::string_view word);

}  // namespace tmdbc::titles
