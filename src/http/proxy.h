// SPDX-License-Identifier: MIT
// ProxySettings: which proxy a url is asked through, as the environment says it: http_proxy (lower case only, see
// below), https_proxy, all_proxy, and no_proxy for the hosts that are asked directly. This machine is always
// asked directly: a proxy cannot reach its loopback. libcurl has the same rules but for that, and does not say
// what it did; here one function decides, and errors can name the proxy. Pure; any thread.
//
// no_proxy is a list with commas or spaces: "*", "example.org" (it and every name below it; a leading dot is
// passed over), an address, or a block of IPv4 addresses (10.0.0.0/8). HTTP_PROXY in capitals is not read: in
// a CGI program it is the client's `Proxy:` header (https://httpoxy.org).
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace tmdbc::http {

// "api.themoviedb.org", "127.0.0.1", "::1": of "https://user:password@host:port/path".
std::string_view HostNameOf(std::string_view url);

// localhost, a name below it, 127.0.0.0/8 (also as ::ffff:127.0.0.1), ::1.
bool IsLoopback(std::string_view host);

struct ProxySettings {
  std::string http, https, all;  // "http://proxy.example:3128"; empty: none
  std::string no_proxy;

  // `getenv` gives nullptr for what is not set.
  static ProxySettings FromEnvironment(const char* (*getenv)(const char* name));

  // kInvalid, naming the variable and what it may be, when one of them is not a proxy's address.
  Result<void> Check() const;

  // The proxy for `url` as libcurl wants it; empty: directly. May hold a password.
  std::string For(std::string_view url) const;
};

// "proxy.example:3128", without scheme and credentials: for errors.
std::string ShownProxy(std::string_view proxy);

}  // namespace tmdbc::http
