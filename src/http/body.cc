// SPDX-License-Identifier: MIT
#include "http/body.h"

#include <algorithm>

#include "base/compression.h"

namespace tmdbc::http {
namespace {

bool BeginsAsGzip(std::string_view bytes) {
  return bytes.starts_with("\x1f\x8b");
}

// gzip goes here too: a body that lacks gzip's first bytes was sent plain under a wrong label.
bool IsEncodingWeBear(std::string_view encoding) {
  std::string name(encoding);
  std::transform(name.begin(), name.end(), name.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? char(c + 32) : c; });
  return name.empty() || name == "identity" || name == "gzip" || name == "x-gzip";
}

}  // namespace

Result<std::string> DecodeBody(const Response& response, std::size_t max_decoded) {
  if (BeginsAsGzip(response.body)) return GunzipWhole(response.body, max_decoded);
  if (!IsEncodingWeBear(response.header("Content-Encoding"))) {
    return Fail(ErrorCode::kCorrupt, "decode body: a Content-Encoding that was not asked for");
  }
  if (response.body.size() > max_decoded) {
    return Fail(ErrorCode::kCorrupt, "decode body: {} bytes, {} are allowed", response.body.size(),
                max_decoded);
  }
  return response.body;
}

}  // namespace tmdbc::http
