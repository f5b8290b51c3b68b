// SPDX-License-Identifier: MIT
#include "storage/popularity_table.h"

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

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

Result<void> PopularityTable::ReadRow(std::int64_t key, std::vector<float>& row) {
  if (!find_) {
    auto prepared = catalog_.Prepare("SELECT floats FROM store_popularity WHERE key=?1");
    if (!prepared && prepared.error().message.find("no such table") != std::string::npos) {
      return Fail(ErrorCode::kNotFound, "no records are stored here yet");
    }
    TRY_ASSIGN(find_, std::move(prepared));
  }
  row.clear();
  TRY_ASSIGN(const bool found, find_->Bind(key).Step());
  if (!found) return {};
  const auto floats = find_->Blob(0);
  row.resize(floats.size() / sizeof(float));
  std::memcpy(row.data(), floats.data(), row.size() * sizeof(float));
  find_->Reset();
  return {};
}

Result<std::optional<float>> PopularityTable::Find(MediaId id) {
  return Walk(*this, id.type).Find(id.id);
}

Result<std::optional<float>> PopularityTable::Walk::Find(std::int64_t id) {
  if (id < 0 || id > kMaxId) return std::nullopt;
  const std::int64_t key = RowKey({type_, id});
  if (key_ != key) {
    key_.reset();
    TRY(table_.ReadRow(key, row_));
    key_ = key;
  }
  const auto place = std::size_t(id % kIdsPerRow);
  if (place >= row_.size() || std::isnan(row_[place])) return std::nullopt;
  return row_[place];
}

Result<bool> PopularityTable::Holds(MediaType type) {
  TRY_ASSIGN(auto any, catalog_.Prepare("SELECT 1 FROM store_popularity WHERE key BETWEEN ?1 AND ?2 LIMIT 1"));
  return any.Bind(RowKey({type, 0}), RowKey({type, kMaxId})).Step();
}

}  // namespace tmdbc
