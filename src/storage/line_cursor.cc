// SPDX-License-Identifier: MIT
#include "storage/line_cursor.h"

#include <fmt/format.h>

#include <charconv>
#include <iterator>
#include <system_error>

namespace tmdbc {

void AppendEtag(const std::optional<std::string>& etag, std::string& out) {
  if (!etag) {
    out += "null";
    return;
  }
  out += '"';
  for (const char c : *etag) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte >= 0x7f) {
      fmt::format_to(std::back_inserter(out), "\\u{:04x}", byte);
    } else {
      if (c == '"' || c == '\\') out += '\\';
      out += c;
    }
  }
  out += '"';
}

bool LineCursor::Skip(std::string_view literal) {
  if (!rest_.starts_with(literal)) return false;
  rest_.remove_prefix(literal.size());
  return true;
}

std::int64_t LineCursor::Integer() {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), value);
  ok_ = ok_ && error == std::errc();
  rest_.remove_prefix(std::size_t(end - rest_.data()));
  return value;
}

std::string_view LineCursor::Word() {
  const auto quote = rest_.find('"');
  if (quote == std::string_view::npos) {
    ok_ = false;
    return {};
  }
  const auto word = rest_.substr(0, quote);
  rest_.remove_prefix(quote + 1);
  return word;
}

std::optional<std::string> LineCursor::Etag() {
  if (Skip("null")) return std::nullopt;
  Expect("\"");
  std::string etag;
  while (ok_) {
    if (rest_.empty()) {
      ok_ = false;
    } else if (Skip("\"")) {
      break;
    } else if (Skip("\\u00")) {
      unsigned byte = 0;
      const auto digits = rest_.substr(0, 2);
      const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), byte, 16);
      ok_ = error == std::errc() && digits.size() == 2 && end == digits.data() + 2;
      etag += static_cast<char>(byte);
      rest_.remove_prefix(digits.size());
    } else {
      Skip("\\");
      if (rest_.empty()) break;
      etag += rest_.front();
      rest_.remove_prefix(1);
    }
  }
  return etag;
}

}  // namespace tmdbc
