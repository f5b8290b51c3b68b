// SPDX-License-Identifier: MIT
#include "storage/popularity_table.h"

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

namespace tmdbc {

namespace {

constexpr std::int64_t kMaxId = (std::int64_t{1} << 52) - 1;

static_assert(std::endian::native == std::endian::little, "the blobs are little-endian");

// Of the row that holds the id: the type above the number of the thousand.
std::int64_t RowKey(MediaId id) {
  return std::int64_t(id.type) << 52 | id.id / PopularityTable::kIdsPerRow;
}

}  // namespace

Result<void> PopularityTable::Create() {
  return catalog_.Execute(
      "CREATE TABLE IF NOT EXISTS store_popularity(key INTEGER PRIMARY KEY, floats BLOB)");
}

Result<void> PopularityTable::Set(MediaType type, std::span<const Popularity> sorted) {
  for (const auto& [id, popularity] : sorted) {
    if (id < 0 || id > kMaxId)
      return Fail(ErrorCode::kInvalid, "popularity of {}:{}: no such id", Name(type), id);
  }
  return catalog_.Transact([&]() -> Result<void> {
    TRY_ASSIGN(auto clear, catalog_.Prepare("DELETE FROM store_popularity WHERE key BETWEEN ?1 AND ?2"));
    TRY(clear.Bind(RowKey({type, 0}), RowKey({type, kMaxId})).Run());
    TRY_ASSIGN(auto insert, catalog_.Prepare("INSERT INTO store_popularity VALUES(?1,?2)"));
    std::vector<float> row;
    for (std::size_t i = 0; i < sorted.size();) {
      const std::int64_t key = RowKey({type, sorted[i].id});
      row.clear();
      for (; i < sorted.size() && RowKey({type, sorted[i].id}) == key; ++i) {
        const auto place = std::size_t(sorted[i].id % kIdsPerRow);
        if (row.size() <= place) row.resize(place + 1, std::numeric_limits<float>::quiet_NaN());
        row[place] = sorted[i].popularity;
      }
      TRY(insert.Bind(key, std::as_bytes(std::span(row))).Run());
    }
    return {};
  });
}

Result<std::optional<float>> PopularityTable::Find(MediaId id) {
  if (id.id < 0 || id.id > kMaxId) return std::nullopt;
  if (!find_) {
    auto prepared = catalog_.Prepare("SELECT floats FROM store_popularity WHERE key=?1");
    if (!prepared && prepared.error().message.find("no such table") != std::string::npos) {
      return Fail(ErrorCode::kNotFound, "no records are stored here yet");
    }
    TRY_ASSIGN(find_, std::move(prepared));
  }
  TRY_ASSIGN(const bool found, find_->Bind(RowKey(id)).Step());
  if (!found) return std::nullopt;
  const auto floats = find_->Blob(0);
  const auto at = std::size_t(id.id % kIdsPerRow) * sizeof(float);
  float value = std::numeric_limits<float>::quiet_NaN();
  if (at + sizeof value <= floats.size()) std::memcpy(&value, floats.data() + at, sizeof value);
  find_->Reset();
  if (std::isnan(value)) return std::nullopt;
  return value;
}

}  // namespace tmdbc
