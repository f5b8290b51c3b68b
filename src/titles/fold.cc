// SPDX-License-Identifier: MIT
#include "titles/fold.h"

#include <utf8proc.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <utility>

namespace tmdbc::titles {
namespace {

// A stretch of folded text: a word, or a run that is cut into characters.
struct Run {
  std::string text;
  bool cut = false;
};

struct Range {
  utf8proc_int32_t first, last;
};
// Written without blanks between words: Thai and its neighbours, Hangul, kana, Han (Unicode's blocks).
constexpr std::array kUnspaced = {Range{0x0E00, 0x0EFF},   Range{0x1000, 0x109F},   Range{0x1100, 0x11FF},
                                  Range{0x1780, 0x17FF},   Range{0x2E80, 0x2FDF},   Range{0x3005, 0x3007},
                                  Range{0x3040, 0x31FF},   Range{0x3400, 0x4DBF},   Range{0x4E00, 0x9FFF},
                                  Range{0xAC00, 0xD7FF},   Range{0xF900, 0xFAFF},   Range{0x20000, 0x3FFFF}};

bool IsUnspaced(utf8proc_int32_t c) {
  return c >= kUnspaced[0].first && std::ranges::any_of(kUnspaced, [&](const Range& range) {
           return c >= range.first && c <= range.last;
         });
}

// Letters of the Latin script without a decomposition, as people without that keyboard type them.
std::string_view SpelledOut(utf8proc_int32_t c) {
  switch (c) {
    case 0xE6: return "ae";
    case 0xF0: return "d";
    case 0xF8: return "o";
    case 0xFE: return "th";
    case 0x111: return "d";
    case 0x127: return "h";
    case 0x131: return "i";
    case 0x142: return "l";
    case 0x153: return "oe";
    case 0x167: return "t";
    default: return {};
  }
}

bool IsWordPart(utf8proc_int32_t c) {
  switch (utf8proc_category(c)) {
    case UTF8PROC_CATEGORY_LU:
    case UTF8PROC_CATEGORY_LL:
    case UTF8PROC_CATEGORY_LT:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_LO:
    case UTF8PROC_CATEGORY_ND:
    case UTF8PROC_CATEGORY_NL:
    case UTF8PROC_CATEGORY_NO:
      return true;
    default:
      return false;
  }
}

class Runs {
 public:
  void Take(utf8proc_int32_t c) {
    if (!IsWordPart(c)) {
      open_ = false;
      return;
    }
    const bool cut = IsUnspaced(c);
    if (!open_ || all_.back().cut != cut) all_.push_back({"", cut});
    open_ = true;
    std::string& text = all_.back().text;
    if (cut && !text.empty()) text += ' ';
    if (const auto letters = SpelledOut(c); !letters.empty()) {
      text += letters;
      return;
    }
    utf8proc_uint8_t bytes[4];
    text.append(reinterpret_cast<const char*>(bytes), std::size_t(utf8proc_encode_char(c, bytes)));
  }
  void Break() { open_ = false; }
  std::vector<Run> TakeAll() { return std::move(all_); }

 private:
  std::vector<Run> all_;
  bool open_ = false;
};

// The same for plain ASCII, which most names are.
std::vector<Run> AsciiRuns(std::string_view text) {
  std::vector<Run> runs;
  bool open = false;
  for (const char c : text) {
    const char lower = c >= 'A' && c <= 'Z' ? char(c + 32) : c;
    const bool part = (lower >= 'a' && lower <= 'z') || (lower >= '0' && lower <= '9');
    if (part && !open) runs.emplace_back();
    if (part) runs.back().text += lower;
    open = part;
  }
  return runs;
}

std::vector<Run> RunsOf(std::string_view text) {
  if (std::ranges::none_of(text, [](char c) { return static_cast<unsigned char>(c) >= 0x80; })) return AsciiRuns(text);
  constexpr auto kOptions = utf8proc_option_t(UTF8PROC_COMPAT | UTF8PROC_CASEFOLD | UTF8PROC_IGNORE |
                                              UTF8PROC_STRIPMARK | UTF8PROC_COMPOSE);
  Runs runs;
  const auto* bytes = reinterpret_cast<const utf8proc_uint8_t*>(text.data());
  // Stretches between bytes that are no UTF-8 are mapped as one, so that marks meet the letters they stand on.
  std::vector<utf8proc_int32_t> folded;
  for (std::size_t begin = 0; begin < text.size();) {
    std::size_t end = begin;
    utf8proc_int32_t c = 0;
    while (end < text.size()) {
      const auto length = utf8proc_iterate(bytes + end, utf8proc_ssize_t(text.size() - end), &c);
      if (length <= 0) break;
      end += std::size_t(length);
    }
    const auto count = utf8proc_ssize_t(end - begin);
    folded.resize(std::size_t(count) * 4 + 16);
    auto length = utf8proc_decompose(bytes + begin, count, folded.data(), utf8proc_ssize_t(folded.size()), kOptions);
    if (length > utf8proc_ssize_t(folded.size())) {
      folded.resize(std::size_t(length));
      length = utf8proc_decompose(bytes + begin, count, folded.data(), length, kOptions);
    }
    // Hangul is one character again, not its letters.
    if (length > 0) length = utf8proc_normalize_utf32(folded.data(), length, kOptions);
    for (utf8proc_ssize_t i = 0; i < length; ++i) runs.Take(folded[std::size_t(i)]);
    runs.Break();
    begin = end + 1;
  }
  return runs.TakeAll();
}

std::string Joined(const std::vector<Run>& runs) {
  std::string out;
  for (const Run& run : runs) {
    if (!out.empty()) out += ' ';
    out += run.text;
  }
  return out;
}

}  // namespace

std::string Fold(std::string_view text) {
  return Joined(RunsOf(text));
}

FoldedQuery FoldQuery(std::string_view text) {
  FoldedQuery query;
  const std::vector<Run> runs = RunsOf(text);
  query.text = Joined(runs);
  for (const Run& run : runs) {
    Wanted wanted;
    for (std::size_t begin = 0; begin <= run.text.size();) {
      const std::size_t end = std::min(run.text.find(' ', begin), run.text.size());
      wanted.words.push_back(run.text.substr(begin, end - begin));
      begin = end + 1;
    }
    query.wanted.push_back(std::move(wanted));
  }
  return query;
}

}  // namespace tmdbc::titles
