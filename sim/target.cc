// SPDX-License-Identifier: MIT
#include "target.h"

#include <charconv>

namespace tmdbc::sim {
namespace {

std::string PercentDecode(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    int value = 0;
    if (text[i] == '%' && i + 2 < text.size() &&
        std::from_chars(text.data() + i + 1, text.data() + i + 3, value, 16).ptr == text.data() + i + 3) {
      out += static_cast<char>(value);
      i += 2;
    } else {
      out += text[i] == '+' ? ' ' : text[i];
    }
  }
  return out;
}

}  // namespace

std::string_view Target::parameter(const std::string& name) const {
  const auto found = query.find(name);
  return found == query.end() ? std::string_view() : found->second;
}

Target ParseTarget(std::string_view text) {
  Target parsed;
  const auto question = text.find('?');
  parsed.path = PercentDecode(text.substr(0, question));
  if (question == std::string_view::npos) return parsed;
  for (const std::string_view pair : Split(text.substr(question + 1), '&')) {
    const auto equals = pair.find('=');
    const std::string_view value = equals == std::string_view::npos ? "" : pair.substr(equals + 1);
    parsed.query[PercentDecode(pair.substr(0, equals))] = PercentDecode(value);
  }
  return parsed;
}

std::vector<std::string_view> Split(std::string_view text, char by) {
  std::vector<std::string_view> parts;
  while (!text.empty()) {
    const auto at = text.find(by);
    if (at != 0) parts.push_back(text.substr(0, at));
    if (at == std::string_view::npos) break;
    text.remove_prefix(at + 1);
  }
  return parts;
}

std::string JoinFrom(const std::vector<std::string_view>& parts, std::size_t first) {
  std::string joined;
  for (std::size_t i = first; i < parts.size(); ++i) joined.append(i > first ? "/" : "").append(parts[i]);
  return joined;
}

std::optional<std::int64_t> ParseInteger(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<std::int64_t> ParseId(std::string_view text) {
  std::int64_t id = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id);
  if (error != std::errc() || (end != text.data() + text.size() && *end != '-')) return std::nullopt;
  return id;
}

std::optional<int> ParseNumber(std::string_view text) {
  const auto id = ParseId(text);
  if (!id || *id < 0 || *id > 1'000'000) return std::nullopt;
  return static_cast<int>(*id);
}

}  // namespace tmdbc::sim
