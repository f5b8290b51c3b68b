// SPDX-License-Identifier: MIT
// ApiKeys: the keys that a client must show one of, where the operator has named any. Any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace tmdbc::serve {

class ApiKeys {
 public:
  // None: everybody is let in.
  explicit ApiKeys(std::vector<std::string> keys = {}) : keys_(std::move(keys)) {}

  bool asked_for() const { return !keys_.empty(); }
  // Takes as long for a key that is nearly right as for one that is not, and as long for the first as for the last.
  bool Accepts(std::string_view key) const;

 private:
  const std::vector<std::string> keys_;
};

}  // namespace tmdbc::serve
