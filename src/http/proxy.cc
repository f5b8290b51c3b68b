// SPDX-License-Identifier: MIT
#include "http/proxy.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <optional>
#include <utility>

#include "base/words.h"

namespace tmdbc::http {
namespace {

// What stands between the scheme and the path: "user:password@host:port".
std::string_view AuthorityOf(std::string_view url) {
  if (const auto scheme = url.find("://"); scheme != std::string_view::npos) url.remove_prefix(scheme + 3);
  return url.substr(0, url.find_first_of("/?#"));
}

std::string_view WithoutUser(std::string_view authority) {
  if (const auto user = authority.rfind('@'); user != std::string_view::npos)
    authority.remove_prefix(user + 1);
  return authority;
}

std::optional<std::uint32_t> Ipv4Of(std::string_view text) {
  in_addr address{};
  if (::inet_pton(AF_INET, std::string(text).c_str(), &address) != 1) return std::nullopt;
  return ntohl(address.s_addr);
}

// `block`: "10.0.0.0/8".
bool IsInBlock(std::uint32_t address, std::string_view block) {
  const auto slash = block.find('/');
  const auto base = Ipv4Of(block.substr(0, slash));
  if (!base || slash == std::string_view::npos) return false;
  const std::string_view digits = block.substr(slash + 1);
  unsigned bits = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), bits);
  if (error != std::errc() || end != digits.data() + digits.size() || bits > 32) return false;
  return bits == 0 || (address ^ *base) >> (32 - bits) == 0;
}

bool IsNamed(std::string_view host, std::string_view entry) {
  if (entry == "*") return true;
  if (const auto address = Ipv4Of(host)) {
    if (entry.find('/') != std::string_view::npos) return IsInBlock(*address, entry);
    return entry == host;
  }
  if (entry.starts_with('[') && entry.ends_with(']')) entry = entry.substr(1, entry.size() - 2);
  while (entry.starts_with('.')) entry.remove_prefix(1);
  if (entry.empty() || !host.ends_with(entry)) return false;
  return host.size() == entry.size() || host[host.size() - entry.size() - 1] == '.';
}

bool IsListed(std::string_view host, std::string_view list) {
  constexpr std::string_view kBetween = ", \t";
  while (true) {
    const auto begin = list.find_first_not_of(kBetween);
    if (begin == std::string_view::npos) return false;
    list.remove_prefix(begin);
    const auto end = list.find_first_of(kBetween);
    if (IsNamed(host, list.substr(0, end))) return true;
    if (end == std::string_view::npos) return false;
    list.remove_prefix(end);
  }
}

// What libcurl takes: "[scheme://][user[:password]@]host[:port][/]".
bool IsProxyAddress(std::string_view proxy) {
  if (const auto colon = proxy.find("://"); colon != std::string_view::npos) {
    constexpr std::string_view kSchemes[] = {"http", "https", "socks", "socks4", "socks4a", "socks5", "socks5h"};
    const std::string scheme = Lower(proxy.substr(0, colon));
    if (std::ranges::find(kSchemes, scheme) == std::end(kSchemes)) return false;
  }
  std::string_view place = WithoutUser(AuthorityOf(proxy));
  if (place.find_first_of(" \t\r\n\"'<>") != std::string_view::npos) return false;
  if (place.starts_with('[')) {
    const auto end = place.find(']');
    if (end == std::string_view::npos || end == 1) return false;
    place.remove_prefix(end + 1);
  } else {
    const auto end = std::min(place.find(':'), place.size());
    if (end == 0) return false;
    place.remove_prefix(end);
  }
  if (place.empty()) return true;
  place.remove_prefix(1);
  unsigned port = 0;
  const auto [end, error] = std::from_chars(place.data(), place.data() + place.size(), port);
  return error == std::errc() && end == place.data() + place.size() && port >= 1 && port <= 65'535;
}

// Without what may be a password.
std::string Masked(std::string_view proxy) {
  const auto at = proxy.rfind('@');
  return at == std::string_view::npos ? std::string(proxy) : "***" + std::string(proxy.substr(at));
}

std::string FirstSet(const char* (*getenv)(const char*), std::initializer_list<const char*> names) {
  for (const char* name : names) {
    if (const char* const value = getenv(name); value != nullptr && *value != '\0') return value;
  }
  return "";
}

}  // namespace

std::string_view HostNameOf(std::string_view url) {
  std::string_view host = WithoutUser(AuthorityOf(url));
  if (host.starts_with('[')) return host.substr(1, host.find(']') - 1);
  return host.substr(0, host.find(':'));
}

bool IsLoopback(std::string_view host) {
  std::string name = Lower(host);
  if (name.ends_with('.')) name.pop_back();  // the root, written out
  if (name == "localhost" || name.ends_with(".localhost") || name == "::1") return true;
  constexpr std::string_view kMapped = "::ffff:";  // an address of IPv4 as a socket of IPv6 shows it
  const auto address = Ipv4Of(name.starts_with(kMapped) ? name.substr(kMapped.size()) : name);
  return address && *address >> 24 == 127;
}

ProxySettings ProxySettings::FromEnvironment(const char* (*getenv)(const char* name)) {
  return {.http = FirstSet(getenv, {"http_proxy"}),
          .https = FirstSet(getenv, {"https_proxy", "HTTPS_PROXY"}),
          .all = FirstSet(getenv, {"all_proxy", "ALL_PROXY"}),
          .no_proxy = FirstSet(getenv, {"no_proxy", "NO_PROXY"})};
}

Result<void> ProxySettings::Check() const {
  const std::pair<const char*, const std::string&> all_of_them[] = {
      {"http_proxy", http}, {"https_proxy", https}, {"all_proxy", all}};
  for (const auto& [name, value] : all_of_them) {
    if (value.empty() || IsProxyAddress(value)) continue;
    return Fail(ErrorCode::kInvalid,
                "{} is '{}' (from the environment): use http://host:port, with https, socks4, socks4a, socks5 or "
                "socks5h in the place of http where the proxy speaks that",
                name, Masked(value));
  }
  return {};
}

std::string ProxySettings::For(std::string_view url) const {
  const std::string& proxy = Lower(url.substr(0, 8)) == "https://" && !https.empty() ? https
                             : Lower(url.substr(0, 7)) == "http://" && !http.empty() ? http
                                                                                     : all;
  if (proxy.empty()) return "";
  const std::string_view host = HostNameOf(url);
  if (IsLoopback(host) || IsListed(Lower(host), Lower(no_proxy))) return "";
  return proxy;
}

std::string ShownProxy(std::string_view proxy) {
  return std::string(WithoutUser(AuthorityOf(proxy)));
}

}  // namespace tmdbc::http
