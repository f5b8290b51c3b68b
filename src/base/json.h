// SPDX-License-Identifier: MIT
// JSON in two views of the same bytes: parsed and checked (simdjson's DOM), and raw, so that a part can be cut out with
// its bytes as they came. The two agree on order: the i-th member of the parsed object is the i-th raw member,
// duplicates included, so names are compared in the parsed view, where their escapes are undone. Nothing here
// recurses; a walk of a parsed text may, it is at most kMaxJsonDepth deep.
//
// What RFC 8259 allows and simdjson refuses is read too: half a surrogate pair in an escape counts as U+FFFD, a number
// that no 64 bits hold counts by its text (IsOddNumber), a byte order mark in front is passed over. Only such a text
// takes a second pass.
#pragma once

#include <simdjson.h>

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace tmdbc {

// TMDB's deepest recorded body has 8 levels; what nests deeper than this is refused before it can cost a stack.
inline constexpr std::size_t kMaxJsonDepth = 1000;

// One parsed JSON text. Holds everything that root() points to, and nothing of the text it was made from. One thread.
class ParsedJson {
 public:
  // Checks all of `json`: grammar, UTF-8, depth, nothing behind the value; else kCorrupt. `slack` is how many bytes
  // after the end of `json` may be read (whatever they are): with simdjson::SIMDJSON_PADDING of them no copy is made.
  static Result<ParsedJson> Parse(std::string_view json, std::size_t slack = 0);
  static Result<ParsedJson> ParseString(const std::string& json) {
    return Parse(json, json.capacity() - json.size());
  }
  ParsedJson(ParsedJson&&) = default;
  ParsedJson& operator=(ParsedJson&&) = delete;
  ~ParsedJson();

  simdjson::dom::element root() const { return root_; }

 private:
  explicit ParsedJson(std::unique_ptr<simdjson::dom::parser> parser) : parser_(std::move(parser)) {}

  std::unique_ptr<simdjson::dom::parser> parser_;
  simdjson::dom::element root_;
};

// A number that neither int64, uint64 nor double holds: 20 digits, 1e400. Its element is a double that is not a number
// (NaN) and stands for its text: get<int64_t>() refuses it, and two of them are the same when their bits are.
bool IsOddNumber(simdjson::dom::element value);

// A byte order mark in front of a text; RFC 8259 section 8.1 lets a reader pass over it.
inline constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

// Where a member of an object or an element of an array lies: [begin, end) with its name, [value, end) without. Neither
// holds the white space or the comma around it.
struct RawMember {
  std::size_t begin = 0;
  std::size_t value = 0;  // equals `begin` in an array
  std::size_t end = 0;
};

// The members of the object, or the elements of the array, that `json` is. Requires text that Parse() accepted: it
// finds the ends of values and checks nothing. Never reads outside of `json`, whatever it holds.
std::vector<RawMember> RawMembers(std::string_view json);

// `json` without the members for which cut[i] is true, and without the comma that each of them had; every other byte is
// kept. `members` are those of RawMembers(json).
std::string WithoutMembers(std::string_view json, const std::vector<RawMember>& members,
                           const std::vector<bool>& cut);

}  // namespace tmdbc
