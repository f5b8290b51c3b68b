// SPDX-License-Identifier: MIT
// The members that the lines of segments and of bundles have in common, written and taken apart in the one form that we
// write. The parser of a line writes its members again and compares: that is how it knows the form (record_line.cc).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tmdbc {

// Header bytes are Latin-1: every byte that is not plain ASCII becomes the \u00XX of its code point, so that the line
// is valid UTF-8 whatever a server sends, and nothing is lost. Empty: null.
void AppendEtag(const std::optional<std::string>& etag, std::string& out);

// Takes a line apart from left to right. After the first thing that does not fit, ok() is false and stays so.
class LineCursor {
 public:
  explicit LineCursor(std::string_view text) : rest_(text) {}

  bool ok() const { return ok_; }
  std::string_view rest() const { return rest_; }

  bool Skip(std::string_view literal);
  void Expect(std::string_view literal) { ok_ = Skip(literal) && ok_; }
  std::int64_t Integer();
  // Up to the next quote, which is taken too.
  std::string_view Word();
  // What AppendEtag() writes.
  std::optional<std::string> Etag();

 private:
  std::string_view rest_;
  bool ok_ = true;
};

}  // namespace tmdbc
