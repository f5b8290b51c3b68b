// SPDX-License-Identifier: MIT
// Whether bytes are a whole image of a format: what a host sent, before it is kept. Looks at the header as far as the
// dimensions and at the end; the pixels between are not decoded. Pure; any thread. Sources: ITU T.81 (JPEG) annex B,
// the PNG specification (W3C) sections 5 and 11.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/result.h"
#include "images/image_name.h"

namespace tmdbc::images {

struct Dimensions {
  std::uint32_t width = 0, height = 0;  // pixels; 0 of an SVG, which need not have any
};

// kCorrupt, with what is wrong: another format, no header, no dimensions, an end that is missing.
Result<Dimensions> CheckImage(std::string_view bytes, Format format);

}  // namespace tmdbc::images
