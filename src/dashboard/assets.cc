// SPDX-License-Identifier: MIT
#include "dashboard/assets.h"

#include <array>
#include <utility>

namespace tmdbc::dashboard {

std::string_view ContentTypeOf(std::string_view path) {
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 4> kKinds = {{
      {".html", "text/html; charset=utf-8"},
      {".css", "text/css; charset=utf-8"},
      {".js", "text/javascript; charset=utf-8"},
      {".svg", "image/svg+xml"},
  }};
  for (const auto& [ending, type] : kKinds)
    if (path.ends_with(ending)) return type;
  return "application/octet-stream";
}

}  // namespace tmdbc::dashboard
