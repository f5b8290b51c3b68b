// SPDX-License-Identifier: MIT
// The digests that AWS's protocols are made of beside SHA-256 (base/hash.h), in the spellings they want. Any thread.
#pragma once

#include <string>
#include <string_view>

namespace tmdbc::aws {

// 32 raw bytes (RFC 2104).
std::string HmacSha256(std::string_view key, std::string_view bytes);
// As Content-MD5 states it (RFC 1864): 24 characters.
std::string Md5Base64(std::string_view bytes);

}  // namespace tmdbc::aws
