// SPDX-License-Identifier: MIT
#include "tmdb/json_text.h"

#include <cassert>
#include <cstring>

namespace tmdbc {
namespace {

// Bodies are 2 to 50 KB, some 300 KB. A parser that has grown beyond this is not kept: its tape takes 8 bytes
// a byte of JSON.
constexpr std::size_t kMaxSpareCapacity = 1 << 20;
constexpr std::size_t kFirstCapacity = 64 << 10;

// The thread's spare parser. It is a cache of memory and no state: nothing of one text can be seen from the
// next, and a ParsedJson owns its parser as long as it lives, so two at once in a thread get one each. Making
// a parser for each body instead would fault in its tape's fresh pages every time: half as much again as the
// parse itself for a body of 50 KB.
std::unique_ptr<simdjson::dom::parser>& SpareParser() {
  thread_local std::unique_ptr<simdjson::dom::parser> spare;
  return spare;
}

bool IsSpace(char c) {
  return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

// Walks text that is known to be valid. Every step stops at `end`, so that text that is not gives a wrong
// answer, not a crash.
class Walker {
 public:
  explicit Walker(std::string_view text) : at_(text.data()), end_(text.data() + text.size()) {}

  const char* at() const { return at_; }
  bool AtEnd() const { return at_ == end_; }
  // Must not be AtEnd().
  char Peek() const { return *at_; }
  void Step() { ++at_; }

  void SkipSpace() {
    while (at_ != end_ && IsSpace(*at_)) ++at_;
  }

  void SkipString() {
    const char* quote = at_;
    for (;;) {
      quote =
          static_cast<const char*>(std::memchr(quote + 1, '"', static_cast<std::size_t>(end_ - quote - 1)));
      if (quote == nullptr) {
        at_ = end_;
        return;
      }
      const char* slash = quote;
      while (slash[-1] == '\\') --slash;  // stops at the opening quote at the latest
      if ((quote - slash) % 2 == 0) break;
    }
    at_ = quote + 1;
  }

  void SkipValue() {
    if (at_ == end_) return;
    if (*at_ == '"') return SkipString();
    if (*at_ != '{' && *at_ != '[') {
      while (at_ != end_ && *at_ != ',' && *at_ != '}' && *at_ != ']' && !IsSpace(*at_)) ++at_;
      return;
    }
    int depth = 0;
    do {
      switch (*at_) {
        case '"':
          SkipString();
          continue;
        case '{':
        case '[':
          ++depth;
          break;
        case '}':
        case ']':
          --depth;
          break;
        default:
          break;
      }
      ++at_;
    } while (depth > 0 && at_ != end_);
  }

 private:
  const char* at_;
  const char* const end_;
};

}  // namespace

Result<ParsedJson> ParsedJson::Parse(std::string_view json, std::size_t slack) {
  std::unique_ptr<simdjson::dom::parser> parser = std::move(SpareParser());
  if (parser == nullptr) {
    parser = std::make_unique<simdjson::dom::parser>();
    if (parser->allocate(kFirstCapacity, kMaxJsonDepth) != simdjson::SUCCESS) {
      return Fail(ErrorCode::kInternal, "parse JSON: out of memory");
    }
  }
  ParsedJson parsed(std::move(parser));
  const bool copy = slack < simdjson::SIMDJSON_PADDING;
  const simdjson::error_code error = parsed.parser_->parse(json.data(), json.size(), copy).get(parsed.root_);
  if (error == simdjson::MEMALLOC || error == simdjson::CAPACITY) {
    return Fail(ErrorCode::kInternal, "parse {} bytes of JSON: {}", json.size(),
                simdjson::error_message(error));
  }
  if (error != simdjson::SUCCESS) {
    return Fail(ErrorCode::kCorrupt, "not whole JSON: {}", simdjson::error_message(error));
  }
  return parsed;
}

ParsedJson::~ParsedJson() {
  if (parser_ != nullptr && parser_->capacity() <= kMaxSpareCapacity) SpareParser() = std::move(parser_);
}

std::vector<RawMember> RawMembers(std::string_view json) {
  std::vector<RawMember> members;
  Walker walker(json);
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
