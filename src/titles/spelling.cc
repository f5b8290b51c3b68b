// SPDX-License-Identifier: MIT
#include "titles/spelling.h"

#include <utf8proc.h>

#include <algorithm>
#include <string>

namespace tmdbc::titles {
namespace {

constexpr std::size_t kLeastLetters = 3, kMostLetters = 40;

std::vector<utf8proc_int32_t> LettersOf(std::string_view word) {
  std::vector<utf8proc_int32_t> letters;
  const auto* bytes = reinterpret_cast<const utf8proc_uint8_t*>(word.data());
  for (std::size_t at = 0; at < word.size();) {
    utf8proc_int32_t letter = 0;
    const auto length = utf8proc_iterate(bytes + at, utf8proc_ssize_t(word.size() - at), &letter);
    if (length <= 0) return {};
    letters.push_back(letter);
    at += std::size_t(length);
  }
  return letters;
}

void AppendLetter(std::string& text, utf8proc_int32_t letter) {
  utf8proc_uint8_t bytes[4];
  text.append(reinterpret_cast<const char*>(bytes), std::size_t(utf8proc_encode_char(letter, bytes)));
}

class NearWords {
 public:
  NearWords(const IndexFile& file, std::string_view word) : file_(file), letters_(LettersOf(word)) {}

  WordRanges Find(std::string_view word) {
    Add(word);
    if (letters_.size() < kLeastLetters || letters_.size() > kMostLetters) return ranges_;
    for (std::size_t i = 0; i < letters_.size(); ++i) {
      Add(Text(0, i) + Text(i + 1, letters_.size()));
      if (i + 1 < letters_.size()) {
        std::string turned = Text(0, i);
        AppendLetter(turned, letters_[i + 1]);
        AppendLetter(turned, letters_[i]);
        Add(turned + Text(i + 2, letters_.size()));
      }
      AnyLetterAt(i, i + 1);
      AnyLetterAt(i, i);
    }
    return ranges_;
  }

 private:
  std::string Text(std::size_t first, std::size_t last) const {
    std::string text;
    for (std::size_t i = first; i < last; ++i) AppendLetter(text, letters_[i]);
    return text;
  }
  void Add(std::string_view prefix) {
    const auto range = file_.WordsFrom(prefix);
    if (range.first < range.second) ranges_.push_back(range);
  }
  // The letters before `i`, any letter of the script's block, and those from `rest` on.
  void AnyLetterAt(std::size_t i, std::size_t rest) {
    const std::string before = Text(0, i), after = Text(rest, letters_.size());
    const utf8proc_int32_t block = letters_[i] & ~0xFF;
    std::string end = before;
    AppendLetter(end, block + 0xFF);
    const std::size_t last = file_.WordAtOrAfter(end + '\xFF');
    std::string from = before;
    if (block > 0) AppendLetter(from, block);
    for (std::size_t at = file_.WordAtOrAfter(from); at < last;) {
      const std::string_view word = file_.Word(at);
      utf8proc_int32_t letter = 0;
      const auto* bytes = reinterpret_cast<const utf8proc_uint8_t*>(word.data());
      const auto length =
          word.size() <= before.size()
              ? 0
              : utf8proc_iterate(bytes + before.size(), utf8proc_ssize_t(word.size() - before.size()), &letter);
      if (length <= 0) {
        ++at;
        continue;
      }
      const std::string with(word.substr(0, before.size() + std::size_t(length)));
      Add(with + after);
      at = file_.WordAtOrAfter(with + '\xFF', at);
    }
  }

  const IndexFile& file_;
  const std::vector<utf8proc_int32_t> letters_;
  WordRanges ranges_;
};

}  // namespace

WordRanges WordsNear(const IndexFile& file, std::string_view word) {
  return NearWords(file, word).Find(word);
}

}  // namespace tmdbc::titles
