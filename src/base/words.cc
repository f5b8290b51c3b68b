// SPDX-License-Identifier: MIT
#include "base/words.h"

#include <algorithm>
#include <cctype>
#include <numeric>
#include <vector>

#include "base/safe_text.h"

namespace tmdbc {
namespace {

constexpr std::size_t kV3KeyDigits = 32;
constexpr std::size_t kMaxShown = 100;

bool IsTokenLetter(unsigned char c) {
  return std::isalnum(c) || c == '-' || c == '_' || c == '.';
}

bool IsLikeKey(std::string_view word) {
  const bool hex = word.size() == kV3KeyDigits &&
                   std::ranges::all_of(word, [](unsigned char c) { return std::isxdigit(c); });
  return hex || (word.starts_with("eyJ") && word.size() >= kV3KeyDigits);
}

}  // namespace

std::string Lower(std::string_view text) {
  std::string lower(text);
  std::ranges::transform(lower, lower.begin(), [](unsigned char c) { return char(std::tolower(c)); });
  return lower;
}

int EditDistance(std::string_view a, std::string_view b) {
  std::vector<int> row(b.size() + 1);
  std::iota(row.begin(), row.end(), 0);
  for (std::size_t i = 0; i < a.size(); ++i) {
    int diagonal = row[0];
    row[0] = int(i) + 1;
    for (std::size_t j = 0; j < b.size(); ++j) {
      const int replaced = diagonal + (a[i] != b[j]);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, row[j] + 1, diagonal + 1});
    }
  }
  return row.back();
}

std::string DidYouMean(std::string_view word, std::span<const std::string> candidates) {
  if (word.size() > kMaxShown) return "";
  const std::string* best = nullptr;
  int best_distance = int(word.size()) / 3 + 1;  // farther than this is another word
  for (const std::string& candidate : candidates) {
    const int distance = EditDistance(word, candidate);
    if (distance < best_distance || (distance == best_distance && best == nullptr)) {
      best = &candidate;
      best_distance = distance;
    }
  }
  return best ? ", did you mean " + *best + "?" : "";
}

std::string MaskKeys(std::string_view text) {
  std::string masked;
  while (!text.empty()) {
    const auto end = std::ranges::find_if_not(text, IsTokenLetter) - text.begin();
    const std::string_view word = text.substr(0, std::size_t(end));
    if (IsLikeKey(word)) {
      masked += "***";
    } else {
      masked += word;
    }
    text.remove_prefix(word.size());
    if (!text.empty()) {
      masked += text.front();
      text.remove_prefix(1);
    }
  }
  return masked;
}

std::string ShowValue(std::string_view text) {
  std::string shown = MaskKeys(text);
  if (const auto query = shown.find('?'); query != std::string::npos) shown = shown.substr(0, query) + "?***";
  if (const auto user = shown.rfind('@'); user != std::string::npos) shown = "***" + shown.substr(user);
  for (char& c : shown) {
    if (std::isspace(static_cast<unsigned char>(c))) c = ' ';
  }
  if (shown.size() <= kMaxShown) return Printable(shown);
  std::size_t end = kMaxShown;
  while (end > 0 && (shown[end] & 0xc0) == 0x80) --end;  // no half letters
  return Printable(std::string_view(shown).substr(0, end)) + "...";
}

std::string ShellQuote(std::string_view text) {
  const bool plain = !text.empty() && std::ranges::all_of(text, [](unsigned char c) {
    return std::isalnum(c) || std::string_view("-_./,:=@%+").find(char(c)) != std::string_view::npos;
  });
  if (plain) return std::string(text);
  std::string quoted = "'";
  for (const char c : text) c == '\'' ? quoted += "'\\''" : quoted += c;
  return quoted + "'";
}

}  // namespace tmdbc
