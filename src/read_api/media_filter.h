// SPDX-License-Identifier: MIT
// Which images, videos and titles a query lets through: language, include_image_language, include_video_language,
// country. What passes keeps its bytes and its order, which is TMDB's ranking. Rules: docs/read-api.md. Pure; any
// thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "read_api/api_request.h"
#include "read_api/json_slice.h"

namespace tmdbc::read_api {

class LanguageFilter {
 public:
  // Of images: without a language and a list everything passes; a language alone lets only its own through; a list lets
  // its own through, and the language's. "null" in a list, or "xx", is what has no language.
  static LanguageFilter OfImages(const Query& query);
  // Of stills, which have no language: the list alone counts.
  static LanguageFilter OfStills(const Query& query);
  // Of videos: the list, else the language, else English.
  static LanguageFilter OfVideos(const Query& query);

  bool LetsAllThrough() const { return all_; }
  bool LetsThrough(JsonSlice image_or_video) const;

 private:
  void Add(std::string_view tag);

  bool all_ = false;
  bool without_language_ = false;
  std::vector<std::string> codes_;
};

// `object` with only those elements in its arrays: images{"posters":[...],...}, videos{"results":[...]}.
std::string FilteredBy(const LanguageFilter& filter, JsonSlice object);
// alternative_titles{"titles":[...]} of one country.
std::string TitlesOfCountry(std::string_view country, JsonSlice object);

}  // namespace tmdbc::read_api
