// SPDX-License-Identifier: MIT
// The XML that S3 speaks (https://www.w3.org/TR/xml/): elements and their text. Namespaces and attributes are passed
// over, since servers differ in them; a document type is refused. Pure; any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace tmdbc::aws {

struct XmlElement {
  std::string name;  // without a prefix
  std::string text;  // its own, entities undone; white space alone counts as none where there are children
  std::vector<XmlElement> children;

  // The first child of that name; null when there is none.
  const XmlElement* Child(std::string_view child) const;
  // Its text; empty when there is none.
  std::string TextOf(std::string_view child) const;
};

inline constexpr int kMaxXmlDepth = 32;

// kCorrupt, with what is wrong, for what is not one whole element with UTF-8 names.
Result<XmlElement> ParseXml(std::string_view xml);

// `text` as the content of an element.
std::string EscapeXml(std::string_view text);

}  // namespace tmdbc::aws
