// SPDX-License-Identifier: MIT
#include "titles/past_popularity.h"

#include <algorithm>
#include <cstring>
#include <functional>
#include <utility>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "titles/top.h"

namespace tmdbc::titles {
namespace {

constexpr std::string_view kPastMagic = "TMDBCpo1";

template <class T>
void PutValue(std::string& out, T value) {
  out.append(reinterpret_cast<const char*>(&value), sizeof value);
}
template <class T>
bool TakeValue(std::string_view& bytes, T& value) {
  if (bytes.size() < sizeof value) return false;
  std::memcpy(&value, bytes.data(), sizeof value);
  bytes.remove_prefix(sizeof value);
  return true;
}

}  // namespace

std::string PackPast(const PastList& days) {
  std::string out(kPastMagic);
  PutValue(out, std::uint32_t(days.size()));
  for (const auto& day : days) {
    PutValue(out, day->day);
    PutValue(out, std::uint32_t(day->top.size()));
    for (const auto& [id, popularity] : day->top) {
      PutValue(out, id);
      PutValue(out, popularity);
    }
  }
  PutValue(out, std::uint64_t(XXH3_64bits(out.data(), out.size())));
  return out;
}

Result<PastList> UnpackPast(std::string_view bytes) {
  const auto corrupt = Fail(ErrorCode::kCorrupt, "what was popular is damaged");
  if (bytes.size() < kPastMagic.size() + 8 || !bytes.starts_with(kPastMagic)) return corrupt;
  std::string_view hash = bytes.substr(bytes.size() - 8);
  std::uint64_t stated = 0;
  bytes.remove_suffix(8);
  if (!TakeValue(hash, stated) || stated != XXH3_64bits(bytes.data(), bytes.size())) return corrupt;
  bytes.remove_prefix(kPastMagic.size());
  std::uint32_t days = 0;
  if (!TakeValue(bytes, days)) return corrupt;
  PastList list;
  for (; days > 0; --days) {
    PastPopularity one;
    std::uint32_t count = 0;
    if (!TakeValue(bytes, one.day) || !TakeValue(bytes, count) || bytes.size() / 8 < count) return corrupt;
    one.top.resize(count);
    for (auto& [id, popularity] : one.top) (void)(TakeValue(bytes, id) && TakeValue(bytes, popularity));
    list.push_back(std::make_shared<const PastPopularity>(std::move(one)));
  }
  if (!bytes.empty()) return corrupt;
  return list;
}

PastPopularity TopOf(const TypeTitles& type, std::int32_t day) {
  Top<std::pair<float, std::uint32_t>, std::greater<>> best(kPastTitles);
  for (const Layer& layer : type.layers) {
    layer.alive->Each([&](std::size_t at) { best.Take({(*layer.popularity)[at], layer.file->fixed()[at].id}); });
  }
  PastPopularity today{day, {}};
  for (const auto& [popularity, id] : best.Sorted()) today.top.emplace_back(id, popularity);
  std::ranges::sort(today.top);
  return today;
}

void AddDay(PastList& days, PastPopularity today) {
  std::erase_if(days, [&](const auto& one) { return one->day == today.day; });
  days.push_back(std::make_shared<const PastPopularity>(std::move(today)));
  std::ranges::sort(days, {}, [](const auto& one) { return one->day; });
  if (days.size() > kPastDays) days.erase(days.begin(), days.end() - std::ptrdiff_t(kPastDays));
}

}  // namespace tmdbc::titles
