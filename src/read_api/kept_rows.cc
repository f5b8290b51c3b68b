// SPDX-License-Identifier: MIT
#include "read_api/kept_rows.h"

namespace tmdbc::read_api {
namespace {

// Of an entry: hash node, two strings.
constexpr std::size_t kRowOverhead = 200;

}  // namespace

KeptRows::Row* KeptRows::Find(std::string_view key) {
  if (const auto found = newer_.rows.find(key); found != newer_.rows.end()) return &found->second;
  const auto found = older_.rows.find(key);
  if (found == older_.rows.end()) return nullptr;
  Row row = std::move(found->second);
  older_.rows.erase(found);
  Put(std::string(key), std::move(row));
  return &newer_.rows.find(key)->second;
}

void KeptRows::Put(std::string key, Row row) {
  const std::size_t bytes = kRowOverhead + key.size() + row.text.size();
  if (bytes > most_bytes_ / 2) return;
  if (newer_.bytes + bytes > most_bytes_ / 2) older_ = std::exchange(newer_, {});
  Row& place = newer_.rows[std::move(key)];
  newer_.bytes += bytes;
  place = std::move(row);
}

}  // namespace tmdbc::read_api
