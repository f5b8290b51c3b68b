// SPDX-License-Identifier: MIT
// ListenAddress: where a server of ours listens, as a person writes it. Pure; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace tmdbc {

// "127.0.0.1:9464", "localhost:9464", "[::1]:9464", or "9464" for a port of 127.0.0.1; port 0 takes
// any free one.
struct ListenAddress {
  std::string address;
  std::uint16_t port = 0;
};

// kInvalid, with what is wrong with it, in a person's words.
Result<ListenAddress> ParseListenAddress(std::string_view text);

}  // namespace tmdbc
