// SPDX-License-Identifier: MIT
#include "images/image_check.h"

#include <algorithm>

namespace tmdbc::images {
namespace {

constexpr std::size_t kSvgHead = 4096;  // within which an SVG has its root element

std::uint32_t Byte(std::string_view bytes, std::size_t at) {
  return static_cast<unsigned char>(bytes[at]);
}
std::uint32_t BigEndian16(std::string_view bytes, std::size_t at) {
  return Byte(bytes, at) << 8 | Byte(bytes, at + 1);
}
std::uint32_t BigEndian32(std::string_view bytes, std::size_t at) {
  return BigEndian16(bytes, at) << 16 | BigEndian16(bytes, at + 2);
}

// A start of frame: SOF0 to SOF15 but for DHT (C4), JPG (C8) and DAC (CC), which lie between them.
bool IsStartOfFrame(std::uint32_t marker) {
  return marker >= 0xC0 && marker <= 0xCF && marker != 0xC4 && marker != 0xC8 && marker != 0xCC;
}

Result<Dimensions> CheckJpeg(std::string_view bytes) {
  if (!bytes.starts_with("\xFF\xD8\xFF")) return Fail(ErrorCode::kCorrupt, "it does not begin as a JPEG");
  // Encoders may pad the end with zeros.
  const std::size_t last = bytes.find_last_not_of('\0');
  if (last < 3 || !bytes.substr(0, last + 1).ends_with("\xFF\xD9"))
    return Fail(ErrorCode::kCorrupt, "the end of the JPEG is missing");
  for (std::size_t at = 2; at + 4 <= bytes.size();) {
    if (Byte(bytes, at) != 0xFF) return Fail(ErrorCode::kCorrupt, "the JPEG has no marker where one has to be");
    const std::uint32_t marker = Byte(bytes, at + 1);
    if (marker == 0xFF) {  // a fill byte
      ++at;
      continue;
    }
    const std::uint32_t length = BigEndian16(bytes, at + 2);
    if (IsStartOfFrame(marker) && length >= 8 && at + 9 <= bytes.size()) {
      const Dimensions size{BigEndian16(bytes, at + 7), BigEndian16(bytes, at + 5)};
      if (size.width == 0 || size.height == 0) return Fail(ErrorCode::kCorrupt, "the JPEG has no pixels");
      return size;
    }
    if (marker == 0xDA || length < 2) break;  // the pixels begin
    at += 2 + length;
  }
  return Fail(ErrorCode::kCorrupt, "the JPEG does not say how large it is");
}

Result<Dimensions> CheckPng(std::string_view bytes) {
  constexpr std::string_view kBegin("\x89PNG\r\n\x1A\n\0\0\0\rIHDR", 16);
  constexpr std::string_view kEnd("\0\0\0\0IEND\xAE\x42\x60\x82", 12);
  if (!bytes.starts_with(kBegin) || bytes.size() < 33) return Fail(ErrorCode::kCorrupt, "it does not begin as a PNG");
  if (!bytes.ends_with(kEnd)) return Fail(ErrorCode::kCorrupt, "the end of the PNG is missing");
  const Dimensions size{BigEndian32(bytes, 16), BigEndian32(bytes, 20)};
  if (size.width == 0 || size.height == 0) return Fail(ErrorCode::kCorrupt, "the PNG has no pixels");
  return size;
}

Result<Dimensions> CheckSvg(std::string_view bytes) {
  const auto first = bytes.find_first_not_of("\xEF\xBB\xBF \t\r\n");
  if (first == std::string_view::npos || bytes[first] != '<' || !bytes.substr(0, kSvgHead).contains("<svg"))
    return Fail(ErrorCode::kCorrupt, "it does not begin as an SVG");
  const std::string_view whole = bytes.substr(0, bytes.find_last_not_of(" \t\r\n") + 1);
  if (!whole.ends_with('>') || !whole.contains("</svg")) return Fail(ErrorCode::kCorrupt, "the end of the SVG is missing");
  return Dimensions{};
}

}  // namespace

Result<Dimensions> CheckImage(std::string_view bytes, Format format) {
  switch (format) {
    case Format::kJpeg:
      return CheckJpeg(bytes);
    case Format::kPng:
      return CheckPng(bytes);
    case Format::kSvg:
      return CheckSvg(bytes);
  }
  return Fail(ErrorCode::kInternal, "no such format");
}

}  // namespace tmdbc::images
