// SPDX-License-Identifier: MIT
#include "dashboard/request_guard.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <strings.h>

#include <algorithm>
#include <array>

#include "base/safe_text.h"

namespace tmdbc::dashboard {
namespace {

bool SameWord(std::string_view a, std::string_view b) {
  return a.size() == b.size() && ::strncasecmp(a.data(), b.data(), a.size()) == 0;
}

bool IsAddress(std::string_view host) {
  const bool six = host.starts_with('[') && host.ends_with(']');
  const std::string text(six ? host.substr(1, host.size() - 2) : host);
  std::array<unsigned char, 16> bytes{};
  return ::inet_pton(six ? AF_INET6 : AF_INET, text.c_str(), bytes.data()) == 1;
}

bool IsOurs(std::string_view host, const std::vector<std::string>& names) {
  return SameWord(host, "localhost") || IsAddress(host) ||
         std::ranges::any_of(names, [&](const std::string& name) { return SameWord(name, host); });
}

bool SameOrigin(std::string_view origin, std::string_view host) {
  for (const std::string_view scheme : {"http://", "https://"})
    if (origin.starts_with(scheme)) return SameWord(origin.substr(scheme.size()), host);
  return false;
}

// "[::1]" of "[::1]:8080", "localhost" of "localhost".
std::string_view HostWithoutPort(std::string_view host) {
  const auto colon = host.rfind(':');
  const bool port = colon != std::string_view::npos && host.find(']', colon) == std::string_view::npos;
  return port ? host.substr(0, colon) : host;
}

}  // namespace

Refusal RefusalOf(const http::ServerRequest& request, const std::vector<std::string>& names) {
  if (request.method != "GET" && request.method != "HEAD")
    return {405, "The dashboard only shows: GET and HEAD are all that it takes."};
  const std::string_view host = request.header("Host");
  if (!IsOurs(HostWithoutPort(host), names)) {
    return {
        421,
        fmt::format(
            "The dashboard does not answer as '{}': ask for it as localhost or by the address in figures.",
            Printable(host))};
  }
  // A link from elsewhere may lead to the page; what it shows is for the page alone.
  if (!request.target.starts_with("/dashboard/")) return {};
  const std::string_view origin = request.header("Origin"), site = request.header("Sec-Fetch-Site");
  if ((!origin.empty() && !SameOrigin(origin, host)) ||
      (!site.empty() && site != "same-origin" && site != "none"))
    return {403, "The dashboard's data is for its own page."};
  return {};
}

}  // namespace tmdbc::dashboard
