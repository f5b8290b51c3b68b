// SPDX-License-Identifier: MIT
// Percent-encoding as URLs have it (RFC 3986 section 2.1). Pure; any thread.
#pragma once

#include <string>
#include <string_view>

namespace tmdbc {

// An escape that is none stays as it is. What comes out may hold any byte.
std::string PercentDecoded(std::string_view text);
// The same of a query as forms write it: + is a blank.
std::string FormDecoded(std::string_view text);

// Appends `text` with everything escaped but letters, digits, - . _ ~ (section 2.3), and the characters of `keep`.
void AppendPercentEncoded(std::string& out, std::string_view text, std::string_view keep = {});

}  // namespace tmdbc
