// SPDX-License-Identifier: MIT
#include "aws/xml.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <utility>

namespace tmdbc::aws {
namespace {

constexpr std::string_view kSpaces = " \t\r\n";

constexpr std::array<std::pair<std::string_view, char>, 5> kEntities = {
    {{"amp", '&'}, {"lt", '<'}, {"gt", '>'}, {"quot", '"'}, {"apos", '\''}}};

void AppendUtf8(std::string& out, std::uint32_t code) {
  if (code < 0x80) {
    out += char(code);
  } else if (code < 0x800) {
    out += char(0xc0 | (code >> 6));
    out += char(0x80 | (code & 0x3f));
  } else if (code < 0x10000) {
    out += char(0xe0 | (code >> 12));
    out += char(0x80 | ((code >> 6) & 0x3f));
    out += char(0x80 | (code & 0x3f));
  } else {
    out += char(0xf0 | (code >> 18));
    out += char(0x80 | ((code >> 12) & 0x3f));
    out += char(0x80 | ((code >> 6) & 0x3f));
    out += char(0x80 | (code & 0x3f));
  }
}

class XmlReader {
 public:
  explicit XmlReader(std::string_view xml) : rest_(xml) {}

  Result<XmlElement> ReadDocument() {
    if (rest_.starts_with("\xEF\xBB\xBF")) rest_.remove_prefix(3);
    TRY(SkipBetween());
    TRY_ASSIGN(XmlElement root, ReadElement(1));
    TRY(SkipBetween());
    if (!rest_.empty()) return Fail(ErrorCode::kCorrupt, "XML with something behind its end");
    return root;
  }

 private:
  // Reads to the end of `end`; false when it is not there.
  bool Through(std::string_view end, std::string_view& before) {
    const auto at = rest_.find(end);
    if (at == std::string_view::npos) return false;
    before = rest_.substr(0, at);
    rest_.remove_prefix(at + end.size());
    return true;
  }

  // Declarations, comments and white space around the root.
  Result<void> SkipBetween() {
    while (true) {
      rest_.remove_prefix(std::min(rest_.find_first_not_of(kSpaces), rest_.size()));
      std::string_view skipped;
      if (rest_.starts_with("<?")) {
        if (!Through("?>", skipped)) return Fail(ErrorCode::kCorrupt, "XML that is cut off in a declaration");
      } else if (rest_.starts_with("<!--")) {
        if (!Through("-->", skipped)) return Fail(ErrorCode::kCorrupt, "XML that is cut off in a comment");
      } else {
        return {};
      }
    }
  }

  // "<ns:Name attribute='..'>" or "<Name/>".
  Result<XmlElement> ReadElement(int depth) {
    if (depth > kMaxXmlDepth)
      return Fail(ErrorCode::kCorrupt, "XML that nests deeper than {} levels", kMaxXmlDepth);
    if (!rest_.starts_with('<') || rest_.starts_with("</")) return Fail(ErrorCode::kCorrupt, "no XML");
    if (rest_.starts_with("<!")) return Fail(ErrorCode::kCorrupt, "XML with a document type");
    rest_.remove_prefix(1);
    const auto name_end = rest_.find_first_of(" \t\r\n/>");
    if (name_end == 0 || name_end == std::string_view::npos)
      return Fail(ErrorCode::kCorrupt, "XML with an element that has no name");
    const std::string_view tag = rest_.substr(0, name_end);
    XmlElement element;
    const auto colon = tag.rfind(':');
    element.name = tag.substr(colon == std::string_view::npos ? 0 : colon + 1);
    rest_.remove_prefix(name_end);
    TRY_ASSIGN(const bool empty, SkipAttributes());
    if (empty) return element;
    TRY(ReadContent(element, tag, depth));
    return element;
  }

  // To behind the '>'; a '>' within quotes is none. True for "/>".
  Result<bool> SkipAttributes() {
    char quote = 0, last = 0;
    for (std::size_t i = 0; i < rest_.size(); last = rest_[i++]) {
      const char c = rest_[i];
      if (quote != 0) {
        if (c == quote) quote = 0;
      } else if (c == '"' || c == '\'') {
        quote = c;
      } else if (c == '>') {
        rest_.remove_prefix(i + 1);
        return last == '/';
      } else if (c == '<') {
        break;
      }
    }
    return Fail(ErrorCode::kCorrupt, "XML that is cut off in a tag");
  }

  Result<void> ReadContent(XmlElement& element, std::string_view tag, int depth) {
    while (true) {
      std::string_view piece;
      const auto next = rest_.find('<');
      if (next == std::string_view::npos)
        return Fail(ErrorCode::kCorrupt, "XML that is cut off in <{}>", element.name.substr(0, 50));
      TRY(AppendText(element.text, rest_.substr(0, next)));
      rest_.remove_prefix(next);
      if (rest_.starts_with("</")) {
        if (!Through(">", piece) || piece.substr(2, piece.find_last_not_of(kSpaces) - 1) != tag)
          return Fail(ErrorCode::kCorrupt, "XML with an end that does not fit <{}>",
                      element.name.substr(0, 50));
        if (!element.children.empty() && element.text.find_first_not_of(kSpaces) == std::string::npos)
          element.text.clear();
        return {};
      }
      if (rest_.starts_with("<![CDATA[")) {
        rest_.remove_prefix(9);
        if (!Through("]]>", piece))
          return Fail(ErrorCode::kCorrupt, "XML that is cut off in a CDATA section");
        element.text += piece;
      } else if (rest_.starts_with("<!--") || rest_.starts_with("<?")) {
        const bool comment = rest_.starts_with("<!--");
        if (!Through(comment ? "-->" : "?>", piece))
          return Fail(ErrorCode::kCorrupt, "XML that is cut off in a comment");
      } else {
        TRY_ASSIGN(XmlElement child, ReadElement(depth + 1));
        element.children.push_back(std::move(child));
      }
    }
  }

  static Result<void> AppendText(std::string& out, std::string_view text) {
    while (true) {
      const auto amp = text.find('&');
      out += text.substr(0, amp);
      if (amp == std::string_view::npos) return {};
      const auto end = text.find(';', amp);
      if (end == std::string_view::npos || !AppendEntity(out, text.substr(amp + 1, end - amp - 1)))
        return Fail(ErrorCode::kCorrupt, "XML with an entity that is not known");
      text.remove_prefix(end + 1);
    }
  }

  static bool AppendEntity(std::string& out, std::string_view name) {
    for (const auto& [known, character] : kEntities) {
      if (name != known) continue;
      out += character;
      return true;
    }
    if (!name.starts_with('#')) return false;
    name.remove_prefix(1);
    const int base = name.starts_with('x') ? 16 : 10;
    if (base == 16) name.remove_prefix(1);
    std::uint32_t code = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), code, base);
    if (error != std::errc() || end != name.data() + name.size() || code == 0 || code > 0x10ffff ||
        (code >= 0xd800 && code < 0xe000))
      return false;
    AppendUtf8(out, code);
    return true;
  }

  std::string_view rest_;
};

}  // namespace

const XmlElement* XmlElement::Child(std::string_view child) const {
  for (const XmlElement& one : children)
    if (one.name == child) return &one;
  return nullptr;
}

std::string XmlElement::TextOf(std::string_view child) const {
  const XmlElement* const element = Child(child);
  return element ? element->text : "";
}

Result<XmlElement> ParseXml(std::string_view xml) {
  return XmlReader(xml).ReadDocument();
}

std::string EscapeXml(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '\r':
        out += "&#13;";  // a parser would make a line feed of it
        break;
      default:
        out += c;
    }
  }
  return out;
}

}  // namespace tmdbc::aws
