// SPDX-License-Identifier: MIT
// What an image of TMDB's is called: a file path of a body ("/pB8BM7pdSp6B6Ih7QZ4DrQ3PmJK.jpg") and a size of it
// ("w342", "original"). Both come from outside and become names of files and parts of URLs, so nothing else is let
// through. Pure; any thread. Sources: docs/tmdb-facts.md.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace tmdbc::images {

enum class Kind : std::uint8_t { kPoster, kBackdrop, kProfile, kStill, kLogo };
inline constexpr std::array kKinds = {Kind::kPoster, Kind::kBackdrop, Kind::kProfile, Kind::kStill, Kind::kLogo};
std::string_view Name(Kind kind);  // "poster"
Result<Kind> ParseKind(std::string_view name);

enum class Format : std::uint8_t { kJpeg, kPng, kSvg };

// A rendition: one image in one size.
struct ImageName {
  std::string size;  // "w342", "h632", "original"
  std::string name;  // "pB8BM7pdSp6B6Ih7QZ4DrQ3PmJK.jpg"
  auto operator<=>(const ImageName&) const = default;

  Format format() const;
  // "/w342/pB8B….jpg": behind the host's base URL.
  std::string url_path() const { return "/" + size + "/" + name; }
};

// The sizes in which TMDB gives images, whatever their kind: those of its /configuration. [rec 2026-06]
inline constexpr std::array<std::string_view, 11> kSizes = {"w45",  "w92",  "w154", "w185",  "w300", "w342",
                                                            "w500", "w780", "w1280", "h632", "original"};
// One of them.
bool IsSize(std::string_view text);
// The name in a file path; kInvalid when it is none: a slash, 1 to 64 letters, digits, - or _, and .jpg, .png or .svg.
Result<std::string> NameOfFilePath(std::string_view file_path);
// "w342/pB8B….jpg", the end of a URL; kInvalid when it is none.
Result<ImageName> ParseImageName(std::string_view text);

}  // namespace tmdbc::images
