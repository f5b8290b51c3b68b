// SPDX-License-Identifier: MIT
// The files of web/, compressed when the program was built (embed.cmake) and part of it. Constant data; any thread.
#pragma once

#include <span>
#include <string_view>

namespace tmdbc::dashboard {

struct Asset {
  std::string_view path;  // "/app.js"
  std::string_view gzip;
};

std::span<const Asset> Assets();

// By the ending of its name; a file of an unknown kind is "application/octet-stream".
std::string_view ContentTypeOf(std::string_view path);

}  // namespace tmdbc::dashboard
