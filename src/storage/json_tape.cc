// SPDX-License-Identifier: MIT
#include "storage/json_tape.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace tmdbc {
namespace {

bool IsSpace(char c) {
  return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

}  // namespace

class JsonTape::Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {
    nodes_.reserve(text.size() / 16 + 1);  // TMDB's bodies have a value every 20 bytes
  }

  // The nodes; none when the text is refused.
  std::vector<Node> Run() {
    if (text_.size() >= std::numeric_limits<std::uint32_t>::max() || !Value(0, 0)) return {};
    while (!open_.empty()) {
      if (!Continue()) return {};
    }
    SkipSpace();
    return at_ == text_.size() ? std::move(nodes_) : std::vector<Node>{};
  }

 private:
  char Peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  void SkipSpace() {
    while (at_ < text_.size() && IsSpace(text_[at_])) ++at_;
  }
  static std::uint32_t Cut(std::size_t at) { return static_cast<std::uint32_t>(at); }

  // Behind the opening quote: past the closing one.
  bool SkipString() {
    while (true) {
      const auto quote = text_.find('"', at_);
      if (quote == std::string_view::npos) return false;
      std::size_t slashes = 0;
      while (quote - slashes > at_ && text_[quote - slashes - 1] == '\\') ++slashes;
      at_ = quote + 1;
      if (slashes % 2 == 0) return true;
    }
  }

  bool SkipLiteral() {
    const std::size_t begin = at_;
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == ',' || c == '}' || c == ']' || IsSpace(c)) break;
      if (c == '"' || c == '{' || c == '[' || c == ':') return false;
      ++at_;
    }
    return at_ > begin;
  }

  // A value at its first byte; a container is left open.
  bool Value(std::uint32_t name_begin, std::uint32_t name_end) {
    SkipSpace();
    const std::uint32_t node = Cut(nodes_.size());
    nodes_.push_back({.begin = Cut(at_), .name_begin = name_begin, .name_end = name_end});
    if (!open_.empty()) ++nodes_[open_.back()].children;
    const char first = Peek();
    if (first == '{' || first == '[') {
      if (open_.size() == kMaxDepth) return false;
      nodes_[node].kind = first == '{' ? Kind::kObject : Kind::kArray;
      open_.push_back(node);
      ++at_;
      return true;
    }
    if (first == '"') {
      ++at_;
      if (!SkipString()) return false;
    } else if (!SkipLiteral()) {
      return false;
    }
    nodes_[node].end = Cut(at_);
    nodes_[node].next = Cut(nodes_.size());
    return true;
  }

  // Within the innermost open container: its next child, or its end.
  bool Continue() {
    const std::uint32_t node = open_.back();
    const bool object = nodes_[node].kind == Kind::kObject;
    SkipSpace();
    if (Peek() == (object ? '}' : ']')) {
      if (behind_comma_) return false;
      ++at_;
      nodes_[node].end = Cut(at_);
      nodes_[node].next = Cut(nodes_.size());
      open_.pop_back();
      return true;
    }
    if (nodes_[node].children > 0 && !behind_comma_) {
      if (Peek() != ',') return false;
      ++at_;
      behind_comma_ = true;
      return true;
    }
    behind_comma_ = false;
    if (!object) return Value(0, 0);
    if (Peek() != '"') return false;
    const std::size_t name_begin = ++at_;
    if (!SkipString()) return false;
    const std::size_t name_end = at_ - 1;
    SkipSpace();
    if (Peek() != ':') return false;
    ++at_;
    return Value(Cut(name_begin), Cut(name_end));
  }

  const std::string_view text_;
  std::size_t at_ = 0;
  bool behind_comma_ = false;
  std::vector<std::uint32_t> open_;
  std::vector<Node> nodes_;
};

std::optional<JsonTape> JsonTape::Parse(std::string_view text) {
  JsonTape tape;
  tape.text_ = text;
  tape.nodes_ = Parser(text).Run();
  if (tape.nodes_.empty()) return std::nullopt;
  return tape;
}

std::vector<std::uint32_t> JsonTape::Children(std::uint32_t node) const {
  std::vector<std::uint32_t> children;
  children.reserve(nodes_[node].children);
  for (auto child = First(node); child != End(node); child = Next(child)) children.push_back(child);
  return children;
}

}  // namespace tmdbc
