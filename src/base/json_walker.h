// SPDX-License-Identifier: MIT
// JsonWalker: steps over the values of JSON text that is known to be valid, finding their ends and checking nothing.
// Of text that is not valid it gives wrong answers; it never reads outside of it. Containers are skipped 64 bytes at a
// time where the machine has SSE2 (every x86-64): the way simdjson finds its structure, without an index of it. One
// thread.
#pragma once

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace tmdbc {

class JsonWalker {
 public:
  explicit JsonWalker(std::string_view text) : at_(text.data()), end_(text.data() + text.size()) {}

  const char* at() const { return at_; }
  bool AtEnd() const { return at_ == end_; }
  // Must not be AtEnd().
  char Peek() const { return *at_; }
  void Step(std::size_t bytes = 1) { at_ += bytes; }

  void SkipSpace() {
    while (at_ != end_ && IsSpace(*at_)) ++at_;
  }

  // At the opening quote.
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
    if (*at_ == '{' || *at_ == '[') return SkipContainer();
    while (at_ != end_ && *at_ != ',' && *at_ != '}' && *at_ != ']' && !IsSpace(*at_)) ++at_;
  }

 private:
  static bool IsSpace(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }

#ifdef __SSE2__
  // One bit a byte of 64.
  struct Block {
    std::uint64_t quotes = 0, slashes = 0, opens = 0, closes = 0;
    explicit Block(const char* bytes) {
      const __m128i quote = _mm_set1_epi8('"'), slash = _mm_set1_epi8('\\'), low = _mm_set1_epi8(0x20);
      const __m128i open = _mm_set1_epi8('{'), close = _mm_set1_epi8('}');
      for (int i = 0; i < 4; ++i) {
        const __m128i part = _mm_loadu_si128(reinterpret_cast<const __m128i*>(bytes + 16 * i));
        const auto bits = [i](__m128i found) {
          return std::uint64_t(static_cast<unsigned>(_mm_movemask_epi8(found))) << (16 * i);
        };
        const __m128i lowered = _mm_or_si128(part, low);  // [ becomes {, ] becomes }
        quotes |= bits(_mm_cmpeq_epi8(part, quote));
        slashes |= bits(_mm_cmpeq_epi8(part, slash));
        opens |= bits(_mm_cmpeq_epi8(lowered, open));
        closes |= bits(_mm_cmpeq_epi8(lowered, close));
      }
    }
  };

  void SkipContainer() {
    std::uint64_t escaped_first = 0;  // 1: the first byte of the block is escaped
    std::uint64_t in_string = 0;      // all ones: the block begins within a string
    std::int64_t depth = 0;
    while (at_ != end_) {
      const auto left = static_cast<std::size_t>(end_ - at_);
      char tail[64];
      const char* bytes = at_;
      if (left < sizeof tail) {
        std::memset(tail, ' ', sizeof tail);
        std::memcpy(tail, at_, left);
        bytes = tail;
      }
      const Block block(bytes);
      const std::uint64_t quotes = block.quotes & ~Escaped(block.slashes, escaped_first);
      const std::uint64_t strings =
          PrefixXor(quotes) ^ in_string;  // from a string's opening quote to before its closing one
      in_string = std::uint64_t(std::int64_t(strings) >> 63);
      const std::uint64_t opens = block.opens & ~strings, closes = block.closes & ~strings;
      if (depth > std::popcount(closes)) {
        depth += std::popcount(opens) - std::popcount(closes);
      } else {
        for (std::uint64_t rest = opens | closes; rest != 0; rest &= rest - 1) {
          const std::uint64_t bit = rest & (~rest + 1);
          depth += (opens & bit) != 0 ? 1 : -1;
          if (depth > 0) continue;
          at_ += std::countr_zero(rest) + 1;
          return;
        }
      }
      at_ += left < sizeof tail ? left : sizeof tail;
    }
  }

  static std::uint64_t PrefixXor(std::uint64_t bits) {
    for (int shift = 1; shift < 64; shift *= 2) bits ^= bits << shift;
    return bits;
  }

  // Which bytes a backslash before them escapes. https://github.com/simdjson/simdjson, json_escape_scanner.h: within a
  // run of backslashes every other one escapes.
  static std::uint64_t Escaped(std::uint64_t slashes, std::uint64_t& first) {
    if (slashes == 0) {
      const std::uint64_t escaped = first;
      first = 0;
      return escaped;
    }
    constexpr std::uint64_t kOdd = 0xAAAA'AAAA'AAAA'AAAA;
    const std::uint64_t potential = slashes & ~first;
    const std::uint64_t maybe_escaped = potential << 1;
    const std::uint64_t maybe_escaped_and_odd = maybe_escaped | kOdd;
    const std::uint64_t even_series_codes_and_odd = maybe_escaped_and_odd - potential;
    const std::uint64_t escape_and_terminal = even_series_codes_and_odd ^ kOdd;
    const std::uint64_t escaped = escape_and_terminal ^ (slashes | first);
    first = (escape_and_terminal & slashes) >> 63;
    return escaped;
  }
#else
  void SkipContainer() {
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
#endif

  const char* at_;
  const char* const end_;
};

}  // namespace tmdbc
