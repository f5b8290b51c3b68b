// SPDX-License-Identifier: MIT
#include "json.h"

#include <array>
#include <charconv>

namespace tmdbc::sim {
namespace {

bool IsSpace(char c) {
  return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

// The end of the string that begins at `at` (its opening quote).
std::size_t EndOfString(std::string_view json, std::size_t at) {
  for (++at; at < json.size() && json[at] != '"'; ++at) {
    if (json[at] == '\\') ++at;
  }
  return std::min(at + 1, json.size());
}

std::size_t EndOfValue(std::string_view json, std::size_t at) {
  int depth = 0;
  while (at < json.size()) {
    const char c = json[at];
    if (c == '"') {
      at = EndOfString(json, at);
      if (depth == 0) return at;
      continue;
    }
    if (depth == 0 && (c == ',' || c == '}' || c == ']' || IsSpace(c))) return at;
    if (c == '{' || c == '[') ++depth;
    ++at;
    if ((c == '}' || c == ']') && --depth == 0) return at;
  }
  return at;
}

std::size_t SkipSpace(std::string_view json, std::size_t at) {
  while (at < json.size() && IsSpace(json[at])) ++at;
  return at;
}

// Calls `sink(at)` at the start of each element of the container; it returns where the element ends.
template <class Sink>
void Walk(std::string_view json, char open, const Sink& sink) {
  std::size_t at = SkipSpace(json, 0);
  if (at >= json.size() || json[at] != open) return;
  at = SkipSpace(json, at + 1);
  while (at < json.size() && json[at] != '}' && json[at] != ']') {
    at = SkipSpace(json, sink(at));
    if (at < json.size() && json[at] == ',') at = SkipSpace(json, at + 1);
  }
}

}  // namespace

void AppendQuoted(std::string& out, std::string_view text, bool html) {
  static constexpr std::string_view kHex = "0123456789abcdef";
  out += '"';
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out.append(1, '\\').append(1, c);
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\r') {
      out += "\\r";
    } else if (c == '\t') {
      out += "\\t";
    } else if (byte < 0x20 || (html && (c == '&' || c == '<' || c == '>'))) {
      out.append("\\u00").append(1, kHex[byte >> 4]).append(1, kHex[byte & 15]);
    } else {
      out += c;
    }
  }
  out += '"';
}

void AppendReal(std::string& out, double value, int decimals) {
  std::array<char, 40> text{};
  const auto end =
      std::to_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed, decimals).ptr;
  std::string_view digits(text.data(), static_cast<std::size_t>(end - text.data()));
  while (digits.ends_with('0') && !digits.ends_with(".0")) digits.remove_suffix(1);
  out += digits;
}

std::vector<RawPart> PartsOf(std::string_view json) {
  std::vector<RawPart> parts;
  Walk(json, '{', [&](std::size_t at) {
    const std::size_t name_end = EndOfString(json, at);
    std::size_t value = SkipSpace(json, name_end);
    value = SkipSpace(json, value + 1);  // the colon
    const std::size_t end = EndOfValue(json, value);
    parts.push_back({json.substr(at + 1, name_end - at - 2), json.substr(value, end - value)});
    return end;
  });
  return parts;
}

std::optional<std::string_view> PartOf(std::string_view json, std::string_view name) {
  for (const RawPart& part : PartsOf(json)) {
    if (part.name == name) return part.value;
  }
  return std::nullopt;
}

std::vector<std::string_view> ElementsOf(std::string_view json) {
  std::vector<std::string_view> elements;
  Walk(json, '[', [&](std::size_t at) {
    const std::size_t end = EndOfValue(json, at);
    elements.push_back(json.substr(at, end - at));
    return end;
  });
  return elements;
}

std::string ObjectOf(const std::vector<RawPart>& parts) {
  JsonWriter json;
  json.Object();
  for (const RawPart& part : parts) json.Key(part.name).Raw(part.value);
  return json.EndObject().Take();
}

std::string WithoutPart(std::string_view object, std::string_view name) {
  std::vector<RawPart> parts = PartsOf(object);
  std::erase_if(parts, [&](const RawPart& part) { return part.name == name; });
  return ObjectOf(parts);
}

std::string Compact(std::string_view json) {
  std::string out;
  out.reserve(json.size());
  for (std::size_t at = 0; at < json.size();) {
    if (json[at] == '"') {
      const std::size_t end = EndOfString(json, at);
      out += json.substr(at, end - at);
      at = end;
    } else {
      if (!IsSpace(json[at])) out += json[at];
      ++at;
    }
  }
  return out;
}

}  // namespace tmdbc::sim
