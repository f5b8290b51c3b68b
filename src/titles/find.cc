// SPDX-License-Identifier: MIT
#include "titles/find.h"

#include <algorithm>
#include <tuple>

#include "titles/top.h"

namespace tmdbc::titles {
namespace {

struct SeenChange {
  std::uint32_t at = 0;  // seconds since 1970
  std::uint32_t id = 0;
  std::uint8_t flags = 0;
  friend bool operator<(const SeenChange& a, const SeenChange& b) { return std::tuple(~a.at, a.id) < std::tuple(~b.at, b.id); }
};

}  // namespace

std::optional<ExternalSource> ParseExternalSource(std::string_view name) {
  const auto found = std::ranges::find(kExternalSources, name, &ExternalName::name);
  return found == kExternalSources.end() ? std::nullopt : std::optional(found->source);
}

std::vector<Found> FindExternal(const Titles& titles, MediaType type, ExternalSource source, std::string_view value) {
  const External wanted{source, CanonicalExternal(source, value)};
  std::vector<Found> all;
  for (const Layer& layer : titles.Of(type).layers) {
    for (const std::uint32_t at : layer.file->TitlesWith(ExternalAttribute(source, wanted.value))) {
      if (!layer.alive->Test(at)) continue;
      const auto entry = layer.file->Read(at);  // the attribute is a hash
      if (!entry || std::ranges::find(entry->externals, wanted) == entry->externals.end()) continue;
      all.push_back({{type, entry->fixed.id}, (*layer.popularity)[at]});
    }
  }
  std::ranges::sort(all, [](const Found& a, const Found& b) {
    return std::tuple(-a.popularity, a.id.id) < std::tuple(-b.popularity, b.id.id);
  });
  return all;
}

std::optional<Found> Latest(const Titles& titles, MediaType type) {
  std::optional<Found> latest;
  for (const Layer& layer : titles.Of(type).layers) {
    for (std::size_t at = layer.file->size(); at-- > 0;) {
      if (!layer.alive->Test(at)) continue;
      const std::int64_t id = layer.file->fixed()[at].id;
      if (!latest || id > latest->id.id) latest = Found{{type, id}, (*layer.popularity)[at]};
      break;
    }
  }
  return latest;
}

ChangedPage ChangedBetween(const Titles& titles, MediaType type, std::int64_t from, std::int64_t to, std::size_t skip,
                           std::size_t count) {
  Top<SeenChange> newest(skip + count);
  ChangedPage page;
  for (const Layer& layer : titles.Of(type).layers) {
    const auto fixed = layer.file->fixed();
    for (std::size_t at = 0; at < fixed.size(); ++at) {
      if (fixed[at].changed < from || fixed[at].changed >= to || !layer.alive->Test(at)) continue;
      ++page.total;
      newest.Take({fixed[at].changed, fixed[at].id, fixed[at].flags});
    }
  }
  const auto rows = newest.Sorted();
  for (std::size_t i = skip; i < rows.size(); ++i) page.rows.push_back({rows[i].id, (rows[i].flags & kAdult) != 0, (rows[i].flags & kSoftcore) != 0});
  return page;
}

}  // namespace tmdbc::titles
