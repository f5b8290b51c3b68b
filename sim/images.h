// SPDX-License-Identifier: MIT
// Images: what the image host answers: made-up pictures, whole and decodable, of the size that is asked for; the same
// bytes for the same path. A JPEG is one grey, a PNG one colour. Any thread.
#pragma once

#include <string>
#include <string_view>

#include "http/server.h"

namespace tmdbc::sim {

// /t/p/SIZE/NAME.jpg, .png or .svg; 404 for any other path. `path` is what stands behind /t/p/.
http::Answer AnswerImage(std::string_view path);

// A baseline JPEG, 1 to 4,000 pixels each way, of one grey: 1 to 63 or 192 to 255. Source: ITU T.81.
std::string GreyJpeg(int width, int height, int grey);

}  // namespace tmdbc::sim
