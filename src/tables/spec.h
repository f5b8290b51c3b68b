// SPDX-License-Identifier: MIT
// The spec: every table and every column there is, once. From it follow the DDL, the extraction, the data dictionary,
// the schema of the Delta log and the documents beside the tables. The names are promises: add, never rename. Who
// changes what a column means, or how files are laid out, raises kSpecVersion, which makes the next publish a build.
// Constant data; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tmdb/media_traits.h"

namespace tmdbc::tables {

inline constexpr int kSpecVersion = 5;

// Six types are enough: every integer is 64 bits wide, every other number a double. One rule removes overflow and the
// question whether 7 is a float; dictionary and run-length coding make the width free.
enum class ColumnType : std::uint8_t { kText, kInteger, kReal, kBool, kDate, kTime };
// "VARCHAR", "BIGINT", "DOUBLE", "BOOLEAN", "DATE", "TIMESTAMPTZ": DuckDB's names. Times are UTC, in microseconds.
std::string_view SqlName(ColumnType type);

// Where a value comes from, from the element that is the row:
//   name.name    a member of it, or of a member of it; no name of TMDB's holds a full stop
//   .            the element itself
//   ^name        a member of the element that holds it, a level up; ^^ two levels
//   {0}          the first name on the way that {} stood for, {1} the second
//   $id          of the envelope: id, version, fetched_at, tv_id, season_number; $position: the row's place among those
//                of the record, from 0; $index: its place in its own list; $count(episodes): the length of that list;
//                $media_type: of a list, movie or tv; $locale: its language, as de-DE
//   a|b          the first that is there and not empty
// Empty: no record says it (history).
struct Column {
  std::string name;
  ColumnType type{};
  std::string source;
  std::string unit;         // "minutes", "USD"; empty: none
  std::string description;  // never empty
  bool required = false;    // never NULL
  bool json = false;        // the member as JSON text; NULL when it is an empty list or object
  // What does not fit is kept in another column: NULL here is no reject.
  bool kept_elsewhere = false;
};

enum class TableKind : std::uint8_t {
  kRoot,     // one row a record
  kChild,    // rows of a list within a record
  kList,     // cut from configuration records; written whole
  kHistory,  // of the store and of the tables themselves; made by a publish
};

struct Table {
  std::string name;
  TableKind kind{};
  std::string description;
  // Of a root or child: whose records it is cut from.
  std::optional<MediaType> type;
  // Of a list: the configuration records that it is cut from, by path.
  std::vector<std::string> lists;
  // The elements that become rows, from `data`: names with a full stop between, [] for the elements of a list, {} for
  // the members of an object, ? behind an object that is a row itself when it is there. Empty: `data`.
  std::string rows;
  // Where the innermost list of `rows` is empty its holder becomes one row all the same.
  bool keeps_empty = false;
  std::vector<Column> columns;
  // The first columns of the order in which rows are written; together unique.
  std::vector<std::string> sort;
  // No two rows have the same values in these.
  std::vector<std::string> key;
  // The column whose ranges of ids are the files, and the one that names the record a row was cut from. Only of a
  // season and what is in it are they two: files go by tv_id, the record is season_id. Empty: one file, or one a record
  // type.
  std::string range_column;
  std::string record_column;

  std::optional<std::size_t> Find(std::string_view column) const;
  bool IsKey(std::string_view column) const;
  // "credits.cast[].order": where a column's value is, for people.
  std::string SourcePath(const Column& column) const;
};

// In the order in which they are listed to people. A table's place is how the code calls it.
std::span<const Table> Tables();
std::optional<std::size_t> FindTable(std::string_view name);

// A path within the records of a type that is known and is not a column. An object or list where it ends is a reject.
struct UnusedPath {
  MediaType type{};
  std::string path;  // in the notation of Table::rows
  std::string reason;
  std::string
      same_as;  // "$id": the envelope says it, and another value here is a reject; empty: it is passed over
};
std::span<const UnusedPath> UnusedPaths();

}  // namespace tmdbc::tables
