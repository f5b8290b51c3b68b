// SPDX-License-Identifier: MIT
// Translate: what `language` does to a body: its texts in that language, made up, and different whenever the English
// ones are.
#pragma once

#include <string>
#include <string_view>

namespace tmdbc::sim {

// `body` (valid JSON, an object) with its own texts and those of its seasons, episodes and genres in `language`, "de"
// or "de-DE"; English and no language at all leave it as it is.
std::string Translated(std::string body, std::string_view language);

// The part "videos" with those in the languages of `wanted` ("de,fr,null"); without any those in `language`, and
// without that the English ones.
std::string VideosIn(const std::string& part, std::string_view wanted, std::string_view language);

}  // namespace tmdbc::sim
