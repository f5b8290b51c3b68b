// SPDX-License-Identifier: MIT
// Whatever stands in state/head.json: one sentence, or a head that is written back and read again as the same.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "cloud/head_state.h"

namespace {

void Require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "%s\n", what);
  std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto head = tmdbc::ParseHeadState({reinterpret_cast<const char*>(data), size});
  if (!head) {
    Require(head.error().message.starts_with(tmdbc::kHeadKey), "an error names the key");
    return 0;
  }
  const auto again = tmdbc::ParseHeadState(tmdbc::FormatHeadState(*head));
  Require(again && *again == *head, "a head survives being written");
  const auto& key = head->catalog.key;
  Require(key.empty() || (key.starts_with(tmdbc::kCatalogPrefix) && key.find("..") == key.npos), "a key of a catalog");
  return 0;
}
