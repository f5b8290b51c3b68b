// SPDX-License-Identifier: MIT
#include "http/listen_address.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <charconv>

namespace tmdbc {

Result<ListenAddress> ParseListenAddress(std::string_view text) {
  const auto bad = [&] {
    return Fail(ErrorCode::kInvalid,
                "'{}' is not an address to listen at: use host:port, the host a number or localhost, such as "
                "127.0.0.1:9464, or the port alone",
                text);
  };
  const std::size_t colon = text.rfind(':');
  // Without a host only this machine: the server tells everybody who can reach it.
  const bool port_alone = colon == std::string_view::npos;
  std::string_view host = port_alone ? "127.0.0.1" : text.substr(0, colon);
  const std::string_view port = port_alone ? text : text.substr(colon + 1);
  ListenAddress at;
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), at.port);
  if (error != std::errc() || end != port.data() + port.size()) return bad();
  if (host.starts_with('[') && host.ends_with(']')) {
    host = host.substr(1, host.size() - 2);
    if (host.find(':') == std::string_view::npos) return bad();
  } else if (host.find(':') != std::string_view::npos) {
    return bad();
  }
  at.address = host == "localhost" ? "127.0.0.1" : host;
  in6_addr parsed;
  const int family = at.address.find(':') == std::string::npos ? AF_INET : AF_INET6;
  if (::inet_pton(family, at.address.c_str(), &parsed) != 1) return bad();
  return at;
}

}  // namespace tmdbc
