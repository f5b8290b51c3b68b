// SPDX-License-Identifier: MIT
// ZstdStart: the start of a zstd frame, for a reader of one piece of it: inflating ends with the block (128 KiB,
// RFC 8878 section 3.1.1.2) in which the piece does. One thread.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace tmdbc {

class ZstdStart {
 public:
  ZstdStart();
  ZstdStart(ZstdStart&&) noexcept;
  ZstdStart& operator=(ZstdStart&&) noexcept;
  ~ZstdStart();

  // The first `wanted` bytes of the content, or all when it has no more. Only of all is the checksum known to be right:
  // a caller that takes less proves it in another way. kCorrupt when `frame` is not exactly one frame that states its
  // size, when that is larger than `max_bytes`, or when what was inflated is not zstd.
  Result<std::string> Of(std::string_view frame, std::size_t wanted, std::size_t max_bytes);

 private:
  struct Context;
  std::unique_ptr<Context> context_;
};

}  // namespace tmdbc
