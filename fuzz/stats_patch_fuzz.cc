// SPDX-License-Identifier: MIT
// Fuzzes stats patches. The input is two texts, apart by a line break: as two bodies, a patch that is made of them can
// be applied to the first and gives the second's bytes or its content hashes; as a body and a patch, applying it gives
// a text or a reason, and a text whose way can be found.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "storage/json_tape.h"
#include "storage/stats_patch.h"
#include "tmdb/document.h"

namespace {

using namespace tmdbc;

void Require(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::string_view base = input.substr(0, input.find('\n'));
  const std::string_view other = input.substr(std::min(base.size() + 1, input.size()));
  if (const auto patch = MakeStatsPatch(base, other)) {
    Require(patch->size() * 2 <= other.size());
    const auto applied = ApplyStatsPatch(base, *patch);
    Require(applied.has_value());
    if (*applied != other) {
      const auto is = HashContent(*applied), wanted = HashContent(other);
      Require(is && wanted && *is == *wanted);
    }
  }
  const auto applied = ApplyStatsPatch(base, other);
  if (applied) {
    Require(JsonTape::Parse(*applied).has_value());
  } else {
    Require(!applied.error().message.empty());
  }
  return 0;
}
