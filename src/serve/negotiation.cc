// SPDX-License-Identifier: MIT
#include "serve/negotiation.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <optional>

#include "base/words.h"

namespace tmdbc::serve {
namespace {

constexpr std::size_t kMaxCallback = 100;
constexpr std::size_t kMaxLoggedTarget = 512;
constexpr std::array<std::string_view, 4> kSecretNames = {"api_key", "session_id", "guest_session_id",
                                                          "request_token"};

std::string_view WithoutBlanks(std::string_view text) {
  const auto is_blank = [](char c) { return c == ' ' || c == '\t'; };
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

// "0.25" as 250; nothing when it is not a weight of section 12.4.2.
std::optional<int> Weight(std::string_view text) {
  if (text.empty() || text.size() > 5 || (text[0] != '0' && text[0] != '1')) return std::nullopt;
  if (text.size() > 1 && text[1] != '.') return std::nullopt;
  int thousandths = (text[0] - '0') * 1000;
  for (std::size_t i = 2, worth = 100; i < text.size(); ++i, worth /= 10) {
    if (std::isdigit(static_cast<unsigned char>(text[i])) == 0) return std::nullopt;
    thousandths += (text[i] - '0') * int(worth);
  }
  return thousandths <= 1000 ? std::optional(thousandths) : std::nullopt;
}

struct Coding {
  std::string name;  // in lower case
  int weight = 1000;
};

Coding CodingOf(std::string_view item) {
  const std::size_t semicolon = std::min(item.find(';'), item.size());
  Coding coding{.name = Lower(WithoutBlanks(item.substr(0, semicolon)))};
  if (semicolon == item.size()) return coding;
  const std::string parameter = Lower(WithoutBlanks(item.substr(semicolon + 1)));
  // What is malformed is not wanted: then the plain bytes are always right.
  coding.weight = parameter.starts_with("q=") ? Weight(std::string_view(parameter).substr(2)).value_or(0) : 0;
  return coding;
}

// Calls `visit` with each part of `text` between commas.
template <class Visit>
void EachItem(std::string_view text, const Visit& visit) {
  while (true) {
    const std::size_t comma = std::min(text.find(','), text.size());
    visit(WithoutBlanks(text.substr(0, comma)));
    if (comma == text.size()) return;
    text.remove_prefix(comma + 1);
  }
}

std::string_view Opaque(std::string_view etag) {
  if (etag.starts_with("W/")) etag.remove_prefix(2);
  return etag;
}

bool IsNamePart(unsigned char c) {
  return std::isalnum(c) != 0 || c == '_' || c == '$';
}

}  // namespace

bool IsUnder(std::string_view target, std::string_view folder) {
  if (!target.starts_with(folder)) return false;
  target.remove_prefix(folder.size());
  return target.empty() || target[0] == '/' || target[0] == '?';
}

bool PrefersGzip(std::string_view accept_encoding) {
  std::optional<int> gzip, any, identity;
  EachItem(accept_encoding, [&](std::string_view item) {
    const Coding coding = CodingOf(item);
    if (coding.name == "gzip" || coding.name == "x-gzip") gzip = coding.weight;
    if (coding.name == "*") any = coding.weight;
    if (coding.name == "identity") identity = coding.weight;
  });
  const int wanted = gzip.value_or(any.value_or(0));
  return wanted > 0 && wanted >= identity.value_or(0);
}

bool NamesEtag(std::string_view if_none_match, std::string_view etag) {
  if (WithoutBlanks(if_none_match) == "*") return true;
  bool named = false;
  EachItem(if_none_match, [&](std::string_view item) { named = named || Opaque(item) == Opaque(etag); });
  return named;
}

bool IsCallbackName(std::string_view name) {
  if (name.empty() || name.size() > kMaxCallback) return false;
  bool part_begins = true;
  for (const unsigned char c : name) {
    if (c == '.' ? part_begins : !IsNamePart(c) || (part_begins && std::isdigit(c) != 0)) return false;
    part_begins = c == '.';
  }
  return !part_begins;
}

std::string_view BearerToken(std::string_view authorization) {
  constexpr std::string_view kScheme = "bearer ";
  if (authorization.size() <= kScheme.size() || Lower(authorization.substr(0, kScheme.size())) != kScheme)
    return {};
  return WithoutBlanks(authorization.substr(kScheme.size()));
}

std::string_view RawQueryValue(std::string_view target, std::string_view name) {
  std::string_view value;
  std::size_t begin = target.find('?');
  while (begin < target.size()) {
    const std::size_t end = std::min(target.find('&', ++begin), target.size());
    const std::string_view pair = target.substr(begin, end - begin);
    if (pair.size() > name.size() && pair.starts_with(name) && pair[name.size()] == '=')
      value = pair.substr(name.size() + 1);
    begin = end;
  }
  return value;
}

std::string MaskedTarget(std::string_view target) {
  std::string out;
  const std::size_t question = std::min(target.find('?'), target.size());
  const auto append = [&](std::string_view text) {
    for (const unsigned char c : text) {
      if (c > ' ' && c < 0x7f) {
        out += static_cast<char>(c);
      } else {
        fmt::format_to(std::back_inserter(out), "%{:02X}", c);
      }
    }
  };
  append(target.substr(0, question));
  for (std::size_t begin = question; begin < target.size();) {
    const std::size_t end = std::min(target.find('&', begin + 1), target.size());
    const std::string_view pair = target.substr(begin + 1, end - begin - 1);
    const std::size_t equals = std::min(pair.find('='), pair.size());
    const bool secret = std::ranges::any_of(
        kSecretNames, [&](std::string_view name) { return Lower(pair.substr(0, equals)) == name; });
    // An escaped letter in a name would hide it from the comparison: then nothing of the value is shown.
    const bool unclear = pair.substr(0, equals).contains('%');
    out += target[begin];
    append(pair.substr(0, equals));
    if (equals < pair.size()) out += '=';
    if (equals < pair.size()) append(secret || unclear ? std::string_view("***") : pair.substr(equals + 1));
    begin = end;
  }
  if (out.size() > kMaxLoggedTarget) {
    out.resize(kMaxLoggedTarget);
    out += "...";
  }
  return out;
}

}  // namespace tmdbc::serve
