// SPDX-License-Identifier: MIT
#include "http/http.h"

#include <algorithm>

namespace tmdbc::http {
namespace {

constexpr std::size_t kShownBytes = 200;

char LowerAscii(char c) {
  return c >= 'A' && c <= 'Z' ? char(c - 'A' + 'a') : c;
}

bool EqualIgnoringCase(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return LowerAscii(x) == LowerAscii(y); });
}

}  // namespace

std::string_view NameOf(Method method) {
  switch (method) {
    case Method::kGet:
      return "GET";
    case Method::kHead:
      return "HEAD";
    case Method::kPut:
      return "PUT";
    case Method::kPost:
      return "POST";
    case Method::kDelete:
      return "DELETE";
  }
  return "";
}

std::string_view Response::header(std::string_view name) const {
  for (const auto& [key, value] : headers) {
    if (EqualIgnoringCase(key, name)) return value;
  }
  return {};
}

std::string Shown(std::string_view url) {
  if (const auto scheme = url.find("://"); scheme != std::string_view::npos) {
    const auto path = url.find_first_of("/?", scheme + 3);
    url = path == std::string_view::npos ? "/" : url.substr(path);
  }
  const bool cut = url.size() > kShownBytes;
  std::string shown(url.substr(0, cut ? kShownBytes - 3 : kShownBytes));
  // A url that came from outside must not move the cursor of a terminal or break a log line.
  std::replace_if(shown.begin(), shown.end(), [](char c) { return c <= ' ' || c > '~'; }, '?');
  if (cut) shown += "...";
  return shown;
}

}  // namespace tmdbc::http
