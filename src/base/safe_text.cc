// SPDX-License-Identifier: MIT
#include "base/safe_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <iterator>

namespace tmdbc {
namespace {

bool IsContinuation(char byte) {
  return (byte & 0xc0) == 0x80;
}

// Of a valid sequence.
std::uint32_t CodePoint(std::string_view sequence) {
  const auto first = std::uint8_t(sequence[0]);
  if (sequence.size() == 1) return first;
  std::uint32_t point = first & (0xffu >> (sequence.size() + 1));
  for (const char byte : sequence.substr(1)) point = point << 6 | (std::uint8_t(byte) & 0x3fu);
  return point;
}

bool SpeaksToTerminals(std::uint32_t point) {
  const bool control = point < 0x20 || (point >= 0x7f && point < 0xa0);
  const bool separator = point == 0x2028 || point == 0x2029;
  const bool direction = point == 0x061c || point == 0x200e || point == 0x200f ||
                         (point >= 0x202a && point <= 0x202e) || (point >= 0x2066 && point <= 0x2069);
  return control || separator || direction;
}

void AppendEscaped(std::string& out, std::string_view text, bool quoted) {
  while (!text.empty()) {
    const std::size_t length = Utf8Length(text);
    const std::string_view sequence = text.substr(0, std::max<std::size_t>(length, 1));
    text.remove_prefix(sequence.size());
    if (length == 0) {
      out += "\xef\xbf\xbd";
      continue;
    }
    const std::uint32_t point = CodePoint(sequence);
    if (point == '\n') {
      out += "\\n";
    } else if (SpeaksToTerminals(point)) {
      fmt::format_to(std::back_inserter(out), "\\u{:04x}", point);
    } else {
      if (quoted && (point == '"' || point == '\\')) out += '\\';
      out += sequence;
    }
  }
}

}  // namespace

std::size_t Utf8Length(std::string_view text) {
  const auto first = std::uint8_t(text[0]);
  if (first < 0x80) return 1;
  const std::size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || text.size() < length) return 0;
  if (!std::all_of(text.begin() + 1, text.begin() + std::ptrdiff_t(length), IsContinuation)) return 0;
  const auto second = std::uint8_t(text[1]);
  if ((first == 0xe0 && second < 0xa0) || (first == 0xed && second > 0x9f) ||
      (first == 0xf0 && second < 0x90) || (first == 0xf4 && second > 0x8f)) {
    return 0;
  }
  return length;
}

void AppendPrintable(std::string& out, std::string_view text) {
  AppendEscaped(out, text, false);
}

std::string Printable(std::string_view text) {
  std::string out;
  AppendPrintable(out, text);
  return out;
}

void AppendJsonString(std::string& out, std::string_view text) {
  out += '"';
  AppendEscaped(out, text, true);
  out += '"';
}

}  // namespace tmdbc
