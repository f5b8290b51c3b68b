// SPDX-License-Identifier: MIT
// StoreMark: the port through which the answer cache learns that something was committed. One thread.
#pragma once

#include <cstdint>

#include "base/result.h"

namespace tmdbc::serve {

class StoreMark {
 public:
  virtual ~StoreMark() = default;

  // Another number than at the last call when anything may have been committed since. Never 0. An error: the store is
  // gone or cannot be read. For requests of one `round` (http::ServerRequest) that is not 0 the first look will do.
  virtual Result<std::uint64_t> Now(std::uint64_t round) = 0;
  // The state of the title index (Answer::index_state).
  virtual std::uint64_t IndexState() = 0;
};

}  // namespace tmdbc::serve
