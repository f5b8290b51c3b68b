// SPDX-License-Identifier: MIT
// Text from outside (names, titles, paths, answers) on its way out: JSON stays valid whatever the bytes are, and
// nothing in a line for people can speak to the terminal or turn its direction around. Pure; any thread.
//
// Bytes that are not UTF-8 (RFC 3629) become U+FFFD. What is escaped, as \n or \u001b: C0 and C1 controls, DEL,
// the line and paragraph separators, and the characters that set or override the direction of text
// (https://www.unicode.org/reports/tr9/#Directional_Formatting_Characters).
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace tmdbc {

// The length of the UTF-8 sequence at the front of `text`, or 0 when there is none that is valid: no
// surrogates, nothing overlong, nothing beyond U+10FFFF. Requires a byte.
std::size_t Utf8Length(std::string_view text);

// Appends `text` so that it stays on its line.
void AppendPrintable(std::string& out, std::string_view text);
std::string Printable(std::string_view text);

// Appends `text` as a JSON string, with its quotes.
void AppendJsonString(std::string& out, std::string_view text);

}  // namespace tmdbc
