// SPDX-License-Identifier: MIT
#include "base/json.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <bit>
#include <cassert>
#include <cmath>
#include <cstring>
#include <optional>
#include <utility>

#include "base/json_walker.h"

namespace tmdbc {
namespace {

// Bodies are 2 to 50 KB, some 300 KB. A parser that has grown beyond this is not kept: its tape takes 8 bytes a byte of
// JSON.
constexpr std::size_t kMaxSpareCapacity = 1 << 20;
constexpr std::size_t kFirstCapacity = 64 << 10;

// The thread's spare parser. It is a cache of memory and no state: nothing of one text can be seen from the next, and a
// ParsedJson owns its parser as long as it lives, so two at once in a thread get one each. Making a parser for each
// body instead would fault in its tape's fresh pages every time: half as much again as the parse itself for a body of
// 50 KB.
std::unique_ptr<simdjson::dom::parser>& SpareParser() {
  thread_local std::unique_ptr<simdjson::dom::parser> spare;
  return spare;
}

// --- what simdjson refuses and RFC 8259 allows ---
//
// There is no second parser: what simdjson refuses is replaced in a copy, byte for byte of the same length, by what it
// takes. Half a surrogate pair becomes \ufffd. An odd number becomes 0.5, and once the copy is parsed, its value on
// simdjson's tape becomes a NaN that carries a hash of its text.

struct Mended {
  std::string text;
  std::vector<std::pair<std::size_t, double>>
      odd;  // the how-manieth number of the text, and what it is to be
};

bool IsDigit(char c) {
  return c >= '0' && c <= '9';
}

// RFC 8259 section 6.
bool IsJsonNumber(std::string_view text) {
  const auto digits = [&text] {
    const std::size_t end = std::min(text.find_first_not_of("0123456789"), text.size());
    text.remove_prefix(end);
    return end > 0;
  };
  if (text.starts_with('-')) text.remove_prefix(1);
  if (text.starts_with('0')) {
    text.remove_prefix(1);
  } else if (!digits()) {
    return false;
  }
  if (text.starts_with('.')) {
    text.remove_prefix(1);
    if (!digits()) return false;
  }
  if (text.starts_with('e') || text.starts_with('E')) {
    text.remove_prefix(1);
    if (text.starts_with('+') || text.starts_with('-')) text.remove_prefix(1);
    if (!digits()) return false;
  }
  return text.empty();
}

double OddNumber(std::string_view text) {
  constexpr std::uint64_t kQuietNan = 0x7FF8'0000'0000'0000, kPayload = 0x0007'FFFF'FFFF'FFFF;
  return std::bit_cast<double>(kQuietNan | (XXH3_64bits(text.data(), text.size()) & kPayload));
}

// A number that is one by RFC 8259 but not by simdjson. Up to 18 digits without an exponent it takes any.
bool IsOdd(std::string_view number, simdjson::dom::parser& parser) {
  if (number.size() <= 18 && number.find_first_of("eE") == std::string_view::npos) return false;
  return IsJsonNumber(number) && parser.parse(number.data(), number.size()).error() != simdjson::SUCCESS;
}

// The code unit of the escape \uXXXX at `at`; nothing when there is none.
std::optional<unsigned> EscapedUnit(std::string_view text, std::size_t at) {
  if (text.size() < at + 6 || text[at] != '\\' || text[at + 1] != 'u') return std::nullopt;
  unsigned unit = 0;
  for (const char c : text.substr(at + 2, 4)) {
    const char low = static_cast<char>(c | 0x20);
    if (!IsDigit(c) && (low < 'a' || low > 'f')) return std::nullopt;
    unit = unit * 16 + static_cast<unsigned>(IsDigit(c) ? c - '0' : low - 'a' + 10);
  }
  return unit;
}

// `text` behind the string that begins at `at`, its halves of surrogate pairs replaced.
std::size_t MendString(std::string& text, std::size_t at, bool& mended) {
  constexpr auto kIsHigh = [](unsigned unit) { return unit >= 0xD800 && unit < 0xDC00; };
  constexpr auto kIsLow = [](unsigned unit) { return unit >= 0xDC00 && unit < 0xE000; };
  for (++at; at < text.size() && text[at] != '"';) {
    if (text[at] != '\\') {
      at = std::min(text.find_first_of("\"\\", at), text.size());
      continue;
    }
    const std::optional<unsigned> unit = EscapedUnit(text, at);
    if (!unit || (!kIsHigh(*unit) && !kIsLow(*unit))) {
      at += 2;
      continue;
    }
    const std::optional<unsigned> next = EscapedUnit(text, at + 6);
    if (kIsHigh(*unit) && next && kIsLow(*next)) {
      at += 12;
      continue;
    }
    text.replace(at, 6, "\\ufffd");
    mended = true;
    at += 6;
  }
  return std::min(at + 1, text.size());
}

// Nothing when there is nothing to mend. Any bytes.
std::optional<Mended> Mend(std::string_view json) {
  Mended mended;
  mended.text.reserve(json.size() + simdjson::SIMDJSON_PADDING);
  mended.text = json;
  std::string& text = mended.text;
  simdjson::dom::parser parser;  // of single numbers
  bool surrogates = false;
  std::size_t numbers = 0;
  for (std::size_t at = 0; at < text.size();) {
    if (text[at] == '"') {
      at = MendString(text, at, surrogates);
    } else if (IsDigit(text[at]) || text[at] == '-') {
      const std::size_t end = std::min(text.find_first_not_of("0123456789+-.eE", at), text.size());
      if (const std::string_view number = std::string_view(text).substr(at, end - at);
          IsOdd(number, parser)) {
        mended.odd.emplace_back(numbers, OddNumber(number));
        text.replace(at, end - at, end - at, ' ');  // white space, and of no meaning there
        text.replace(at, 3, "0.5");
      }
      ++numbers;
      at = end;
    } else {
      ++at;
    }
  }
  if (!surrogates && mended.odd.empty()) return std::nullopt;
  return mended;
}

// https://github.com/simdjson/simdjson/blob/master/doc/tape.md: a number takes two words, l, u or d and its 64 bits;
// everything else one.
void PutOddNumbers(simdjson::dom::document& document, const Mended& mended) {
  auto odd = mended.odd.begin();
  const std::size_t end =
      document.tape[0] & 0x00FF'FFFF'FFFF'FFFF;  // the root names the word behind the last one
  std::size_t numbers = 0;
  for (std::size_t at = 1; at < end && odd != mended.odd.end(); ++at) {
    const char tag = static_cast<char>(document.tape[at] >> 56);
    if (tag != 'l' && tag != 'u' && tag != 'd') continue;
    ++at;
    if (numbers++ != odd->first) continue;
    assert(tag == 'd');
    document.tape[at] = std::bit_cast<std::uint64_t>(odd->second);
    ++odd;
  }
  assert(odd == mended.odd.end());
}

}  // namespace

Result<ParsedJson> ParsedJson::Parse(std::string_view json, std::size_t slack) {
  if (json.starts_with(kByteOrderMark)) json.remove_prefix(kByteOrderMark.size());
  std::unique_ptr<simdjson::dom::parser> parser = std::move(SpareParser());
  if (parser == nullptr) {
    parser = std::make_unique<simdjson::dom::parser>();
    if (parser->allocate(kFirstCapacity, kMaxJsonDepth) != simdjson::SUCCESS) {
      return Fail(ErrorCode::kInternal, "parse JSON: out of memory");
    }
  }
  ParsedJson parsed(std::move(parser));
  const auto parse = [&parsed](std::string_view text, bool copy) {
    return parsed.parser_->parse(text.data(), text.size(), copy).get(parsed.root_);
  };
  simdjson::error_code error = parse(json, slack < simdjson::SIMDJSON_PADDING);
  if (error == simdjson::STRING_ERROR || error == simdjson::NUMBER_ERROR) {
    if (const auto mended = Mend(json)) {
      error = parse(mended->text, mended->text.capacity() - mended->text.size() < simdjson::SIMDJSON_PADDING);
      if (error == simdjson::SUCCESS) PutOddNumbers(parsed.parser_->doc, *mended);
    }
  }
  if (error == simdjson::MEMALLOC || error == simdjson::CAPACITY) {
    return Fail(ErrorCode::kInternal, "parse {} bytes of JSON: {}", json.size(),
                simdjson::error_message(error));
  }
  if (error != simdjson::SUCCESS) {
    return Fail(ErrorCode::kCorrupt, "not whole JSON: {}", simdjson::error_message(error));
  }
  return parsed;
}

bool IsOddNumber(simdjson::dom::element value) {
  double number = 0;
  return value.get(number) == simdjson::SUCCESS && std::isnan(number);
}

ParsedJson::~ParsedJson() {
  if (parser_ != nullptr && parser_->capacity() <= kMaxSpareCapacity) SpareParser() = std::move(parser_);
}

std::vector<RawMember> RawMembers(std::string_view json) {
  std::vector<RawMember> members;
  JsonWalker walker(json);
  if (json.starts_with(kByteOrderMark)) walker.Step(kByteOrderMark.size());
  const auto place = [&] { return static_cast<std::size_t>(walker.at() - json.data()); };
  walker.SkipSpace();
  if (walker.AtEnd()) return members;
  const bool object = walker.Peek() == '{';
  walker.Step();
  for (;;) {
    walker.SkipSpace();
    if (walker.AtEnd() || walker.Peek() == '}' || walker.Peek() == ']') return members;
    RawMember member;
    member.begin = place();
    if (object) {
      if (walker.Peek() == '"') walker.SkipString();
      walker.SkipSpace();
      if (!walker.AtEnd()) walker.Step();  // the colon
      walker.SkipSpace();
    }
    member.value = place();
    walker.SkipValue();
    member.end = place();
    members.push_back(member);
    walker.SkipSpace();
    if (!walker.AtEnd() && walker.Peek() == ',') walker.Step();
  }
}

std::string WithoutMembers(std::string_view json, const std::vector<RawMember>& members,
                           const std::vector<bool>& cut) {
  assert(members.size() == cut.size());
  if (members.empty()) return std::string(json);
  std::string kept;
  kept.reserve(json.size());
  kept += json.substr(0, members.front().begin);
  bool first = true;
  for (std::size_t i = 0; i < members.size(); ++i) {
    if (cut[i]) continue;
    // The comma that goes with a member is the one before it; the first member that stays has none.
    const std::size_t from = first ? members[i].begin : members[i - 1].end;
    kept += json.substr(from, members[i].end - from);
    first = false;
  }
  kept += json.substr(members.back().end);
  return kept;
}

}  // namespace tmdbc
