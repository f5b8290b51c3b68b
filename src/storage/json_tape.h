// SPDX-License-Identifier: MIT
// JsonTape: where the values of a JSON text lie, from one pass over its bytes. Values are not read: a number of any
// size or spelling is as good as another, so is half a surrogate. Names are raw, as they stand between their quotes.
// Not a validator: it refuses what it cannot find its way in, no more. One thread; views point into the text.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace tmdbc {

class JsonTape {
 public:
  enum class Kind : std::uint8_t { kScalar, kArray, kObject };
  struct Node {
    std::uint32_t begin = 0, end = 0;            // of the value
    std::uint32_t name_begin = 0, name_end = 0;  // of a member: its name, without quotes
    std::uint32_t next = 0;                      // the node behind this one and all that is in it
    std::uint32_t children = 0;
    Kind kind = Kind::kScalar;
  };
  static constexpr std::size_t kMaxDepth = 1000;
  static constexpr std::uint32_t kRoot = 0;

  // Empty when `text` is not a JSON value, or nests deeper than kMaxDepth.
  static std::optional<JsonTape> Parse(std::string_view text);

  std::string_view text() const { return text_; }
  const Node& at(std::uint32_t node) const { return nodes_[node]; }
  std::string_view Raw(std::uint32_t node) const {
    return text_.substr(nodes_[node].begin, nodes_[node].end - nodes_[node].begin);
  }
  std::string_view Name(std::uint32_t node) const {
    return text_.substr(nodes_[node].name_begin, nodes_[node].name_end - nodes_[node].name_begin);
  }
  // for (auto child = tape.First(node); child != tape.End(node); child = tape.Next(child))
  static std::uint32_t First(std::uint32_t node) { return node + 1; }
  std::uint32_t End(std::uint32_t node) const { return nodes_[node].next; }
  std::uint32_t Next(std::uint32_t child) const { return nodes_[child].next; }
  std::vector<std::uint32_t> Children(std::uint32_t node) const;

 private:
  class Parser;
  std::string_view text_;
  std::vector<Node> nodes_;
};

}  // namespace tmdbc
