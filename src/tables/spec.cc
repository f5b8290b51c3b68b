// SPDX-License-Identifier: MIT
#include "tables/spec.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "tables/spec_parts.h"

namespace tmdbc::tables {
namespace {

std::vector<Table> AllTables() {
  std::vector<Table> tables;
  AddTitles(tables);
  AddSeasons(tables);
  AddPeople(tables);
  AddSmallTypes(tables);
  AddLists(tables);
  AddHistory(tables);
  return tables;
}

// Of a list's elements: what a person's credits and a collection's parts repeat of the film or show. It is reached by
// media_id; with it person_cast would be 3.7 times as large.
constexpr std::string_view kCopies[] = {
    "overview",     "original_title", "original_name", "original_language", "popularity",
    "vote_average", "vote_count",     "poster_path",   "backdrop_path",     "adult",
    "video",        "softcore",       "genre_ids[]",   "origin_country[]"};

struct CopyList {
  MediaType type;
  std::string_view rows;
};
constexpr CopyList kCopyLists[] = {{MediaType::kPerson, "combined_credits.cast[]"},
                                   {MediaType::kPerson, "combined_credits.crew[]"},
                                   {MediaType::kCollection, "parts[]"}};

std::vector<UnusedPath> AllUnused() {
  constexpr std::string_view kSaid = "the line around the record says it";
  std::vector<UnusedPath> unused;
  const auto add = [&](MediaType type, std::string_view path, std::string_view reason,
                       std::string_view same_as = {}) {
    unused.push_back({type, std::string(path), std::string(reason), std::string(same_as)});
  };
  for (const MediaType type : kRecordTypes) {
    if (type != MediaType::kConfiguration) add(type, "id", kSaid, "$id");
  }
  add(MediaType::kSeason, "season_number", kSaid, "$season_number");
  add(MediaType::kSeason, "episodes[].season_number", kSaid, "$season_number");
  for (const MediaType type : {MediaType::kMovie, MediaType::kTv}) {
    add(type, "reviews.page", "paging of the answer");
    add(type, "reviews.total_pages", "paging of the answer");
  }
  for (const CopyList& list : kCopyLists) {
    for (const std::string_view name : kCopies)
      add(list.type, fmt::format("{}.{}", list.rows, name), "a copy of the film's or show's own");
  }
  return unused;
}

}  // namespace

std::string_view SqlName(ColumnType type) {
  switch (type) {
    case ColumnType::kText:
      return "VARCHAR";
    case ColumnType::kInteger:
      return "BIGINT";
    case ColumnType::kReal:
      return "DOUBLE";
    case ColumnType::kBool:
      return "BOOLEAN";
    case ColumnType::kDate:
      return "DATE";
    case ColumnType::kTime:
      return "TIMESTAMPTZ";
  }
  return "";
}

std::optional<std::size_t> Table::Find(std::string_view column) const {
  const auto found = std::ranges::find(columns, column, &Column::name);
  if (found == columns.end()) return std::nullopt;
  return std::size_t(found - columns.begin());
}

bool Table::IsKey(std::string_view column) const {
  return std::ranges::find(key, column) != key.end();
}

std::string Table::SourcePath(const Column& column) const {
  std::string paths;
  for (std::string_view rest = column.source; !rest.empty();) {
    std::string_view one = rest.substr(0, rest.find('|'));
    rest.remove_prefix(std::min(one.size() + 1, rest.size()));
    if (!paths.empty()) paths += '|';
    std::string holder = rows;
    for (; one.starts_with('^'); one.remove_prefix(1)) {
      // A level up: without the last list or members, and without the names behind those before.
      holder.resize(holder.find_last_of("[{"));
      holder.resize(holder.find_last_of("]}") + 1);
    }
    if (one.starts_with('$') || one.starts_with('{')) {
      paths += one.starts_with('{') ? rows + " (the member's name)" : std::string(one);
    } else if (one == ".") {
      paths += holder;
    } else {
      paths += holder + (holder.empty() ? "" : ".") + std::string(one);
    }
  }
  std::erase(paths, '?');
  return paths;
}

std::span<const Table> Tables() {
  static const std::vector<Table> tables = AllTables();
  return tables;
}

std::optional<std::size_t> FindTable(std::string_view name) {
  static const std::map<std::string, std::size_t, std::less<>> places = [] {
    std::map<std::string, std::size_t, std::less<>> map;
    for (std::size_t i = 0; i < Tables().size(); ++i) map.emplace(Tables()[i].name, i);
    return map;
  }();
  const auto found = places.find(name);
  if (found == places.end()) return std::nullopt;
  return found->second;
}

std::span<const UnusedPath> UnusedPaths() {
  static const std::vector<UnusedPath> unused = AllUnused();
  return unused;
}

}  // namespace tmdbc::tables
