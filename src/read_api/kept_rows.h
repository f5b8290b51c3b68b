// SPDX-License-Identifier: MIT
// KeptRows: rows of lists as they were made last. One costs a record that is read and inflated, and a list has twenty
// of them, mostly the same popular ones. A taker of a row asks whether its record is still the same (Source). One
// thread.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "read_api/answer.h"

namespace tmdbc::read_api {

class KeptRows {
 public:
  struct Row {
    Source source;  // the one record that it rests on
    std::string text;
  };
  // At most so many bytes; 0: it keeps none.
  explicit KeptRows(std::size_t most_bytes) : most_bytes_(most_bytes) {}

  // Null when there is none of that key. It lives until the next call.
  Row* Find(std::string_view key);
  void Put(std::string key, Row row);

  std::size_t bytes() const { return newer_.bytes + older_.bytes; }

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
  };
  struct Half {
    std::unordered_map<std::string, Row, Hash, std::equal_to<>> rows;
    std::size_t bytes = 0;
  };

  const std::size_t most_bytes_;
  // What was used lately is in the newer half. When that is full the older one leaves as a whole.
  Half newer_, older_;
};

}  // namespace tmdbc::read_api
