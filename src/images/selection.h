// SPDX-License-Identifier: MIT
// Which images of a record are wanted: a rule, applied to a body. Pure; any thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "images/image_name.h"
#include "tmdb/media_id.h"

namespace tmdbc::images {

struct Rule {
  std::vector<Kind> kinds;
  std::vector<std::string> sizes;  // of each image; IsSize()
  // "en", "de"; "null" for those that name none. Where there are more images than `per_title`, those of an earlier one
  // come first. Empty: all languages alike.
  std::vector<std::string> languages;
  std::size_t per_title = 1;  // images of each kind and record
};

// "en", or "null"; kInvalid for what is not a language of two letters.
Result<std::string> ParseImageLanguage(std::string_view text);

// The renditions that the rule wants of the body: of each kind the first ones in TMDB's own order, which is its
// ranking; where the images were not appended, the one that the body names (poster_path...). A name that is none is
// passed over. kCorrupt when it is not a JSON object.
Result<std::vector<ImageName>> SelectImages(std::string_view body, const Rule& rule);

}  // namespace tmdbc::images
