// SPDX-License-Identifier: MIT
#include "tables/spec.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

namespace tmdbc::tables {
namespace {

const Table& The(std::string_view name) {
  const auto place = FindTable(name);
  EXPECT_TRUE(place) << name;
  return Tables()[place.value_or(0)];
}

const Column& The(std::string_view table, std::string_view column) {
  const auto place = The(table).Find(column);
  EXPECT_TRUE(place) << table << "." << column;
  return The(table).columns[place.value_or(0)];
}

TEST(Spec, EveryTableAndColumnHasWordsAndANameOfItsOwn) {
  std::set<std::string> names;
  for (const Table& table : Tables()) {
    EXPECT_TRUE(names.insert(table.name).second) << table.name;
    EXPECT_TRUE(table.description.ends_with(".")) << table.name;
    std::set<std::string> columns;
    for (const Column& column : table.columns) {
      EXPECT_TRUE(columns.insert(column.name).second) << table.name << "." << column.name;
      EXPECT_TRUE(column.description.ends_with(".")) << table.name << "." << column.name;
    }
  }
}

TEST(Spec, HasTheTablesOfTheCatalogue) {
  std::map<TableKind, int> kinds;
  for (const Table& table : Tables()) ++kinds[table.kind];
  EXPECT_EQ(kinds[TableKind::kRoot] + kinds[TableKind::kChild], 65);
  EXPECT_EQ(kinds[TableKind::kList], 13);
  EXPECT_EQ(kinds[TableKind::kHistory], 7);
  for (const std::string_view name :
       {"movie_watch_links", "tv_watch_links", "episode_guest_stars", "network_logos"})
    EXPECT_TRUE(FindTable(name)) << name;
  EXPECT_FALSE(FindTable("films"));
}

TEST(Spec, SortsByATotalOrderOfItsOwnColumns) {
  for (const Table& table : Tables()) {
    EXPECT_FALSE(table.sort.empty()) << table.name;
    for (const std::string& name : table.sort) EXPECT_TRUE(table.Find(name)) << table.name << "." << name;
    for (const std::string& name : table.key) {
      ASSERT_TRUE(table.Find(name)) << table.name << "." << name;
      // A key that may be NULL would be none; and an order that lacks a part of the key would not be total.
      EXPECT_TRUE(table.columns[*table.Find(name)].required) << table.name << "." << name;
      EXPECT_TRUE(std::ranges::find(table.sort, name) != table.sort.end()) << table.name << "." << name;
    }
    if (!table.range_column.empty()) {
      EXPECT_TRUE(table.columns[*table.Find(table.range_column)].required) << table.name;
      EXPECT_EQ(table.sort[0], table.range_column) << table.name;
      EXPECT_TRUE(table.Find(table.record_column)) << table.name;
    }
  }
}

TEST(Spec, SaysWhereAValueStandsInTheRecord) {
  const auto path = [](std::string_view table, std::string_view column) {
    return The(table).SourcePath(The(table, column));
  };
  EXPECT_EQ(path("movies", "imdb_id"), "imdb_id|external_ids.imdb_id");
  EXPECT_EQ(path("movie_cast", "cast_order"), "credits.cast[].order");
  EXPECT_EQ(path("movie_release_dates", "country"), "release_dates.results[].iso_3166_1");
  EXPECT_EQ(path("tv_cast", "name"), "aggregate_credits.cast[].name");
  EXPECT_EQ(path("tv_origin_countries", "country"), "origin_country[]");
  EXPECT_EQ(path("tv_last_episode", "episode_id"), "last_episode_to_air.id");
  EXPECT_EQ(path("movies", "version"), "$version");
  EXPECT_EQ(path("image_sizes", "base_url"), "images.base_url");
  EXPECT_EQ(path("jobs", "department"), "[].department");
}

TEST(Spec, GivesTheUnitThatACommonNameHas) {
  EXPECT_EQ(The("movies", "budget").unit, "USD");
  EXPECT_EQ(The("tv_cast", "gender").unit, "0 not set, 1 female, 2 male, 3 non-binary");
}

}  // namespace
}  // namespace tmdbc::tables
