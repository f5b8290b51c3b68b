// SPDX-License-Identifier: MIT
#include "images/image_name.h"

#include <algorithm>
#include <cctype>

#include "base/safe_text.h"

namespace tmdbc::images {
namespace {

constexpr std::size_t kMaxStem = 64;

bool IsDigit(char c) {
  return c >= '0' && c <= '9';
}
bool IsNameLetter(char c) {
  return IsDigit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '_';
}

bool IsName(std::string_view text) {
  const std::size_t dot = std::min(text.rfind('.'), text.size());
  const std::string_view stem = text.substr(0, dot), ending = text.substr(dot);
  return !stem.empty() && stem.size() <= kMaxStem && std::ranges::all_of(stem, IsNameLetter) &&
         (ending == ".jpg" || ending == ".png" || ending == ".svg");
}

}  // namespace

std::string_view Name(Kind kind) {
  switch (kind) {
    case Kind::kPoster:
      return "poster";
    case Kind::kBackdrop:
      return "backdrop";
    case Kind::kProfile:
      return "profile";
    case Kind::kStill:
      return "still";
    case Kind::kLogo:
      return "logo";
  }
  return "";
}

Result<Kind> ParseKind(std::string_view name) {
  for (const Kind kind : kKinds) {
    if (Name(kind) == name) return kind;
  }
  return Fail(ErrorCode::kInvalid, "'{}' is not a kind of image: use poster, backdrop, profile, still or logo",
              Printable(name.substr(0, 40)));
}

Format ImageName::format() const {
  return name.ends_with(".jpg") ? Format::kJpeg : name.ends_with(".png") ? Format::kPng : Format::kSvg;
}

bool IsSize(std::string_view text) {
  return std::ranges::find(kSizes, text) != kSizes.end();
}

Result<std::string> NameOfFilePath(std::string_view file_path) {
  if (!file_path.starts_with('/') || !IsName(file_path.substr(1)))
    return Fail(ErrorCode::kInvalid, "'{}' is not a path of an image", Printable(file_path.substr(0, 80)));
  return std::string(file_path.substr(1));
}

Result<ImageName> ParseImageName(std::string_view text) {
  const std::size_t slash = std::min(text.find('/'), text.size());
  const std::string_view size = text.substr(0, slash), name = text.substr(std::min(slash + 1, text.size()));
  if (!IsSize(size) || !IsName(name))
    return Fail(ErrorCode::kInvalid, "'{}' is not a size and name of an image", Printable(text.substr(0, 80)));
  return ImageName{std::string(size), std::string(name)};
}

}  // namespace tmdbc::images
