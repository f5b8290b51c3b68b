// SPDX-License-Identifier: MIT
#include "serve/api_keys.h"

#include <algorithm>

namespace tmdbc::serve {
namespace {

// Looks at every byte of `key`; only its length shows in the time.
bool IsSame(std::string_view expected, std::string_view key) {
  unsigned difference = expected.size() == key.size() ? 0 : 1;
  for (std::size_t i = 0; i < key.size(); ++i)
    difference |= unsigned(static_cast<unsigned char>(key[i] ^ expected[i % expected.size()]));
  return difference == 0;
}

}  // namespace

bool ApiKeys::Accepts(std::string_view key) const {
  if (keys_.empty()) return true;
  bool accepted = false;
  for (const std::string& expected : keys_) accepted |= IsSame(expected, key);
  return accepted;
}

}  // namespace tmdbc::serve
