// SPDX-License-Identifier: MIT
// What the tables of the spec are put together from: makers of columns, and the groups of columns that several tables
// share. Used by the spec alone.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tables/spec.h"

namespace tmdbc::tables {

// A column as it is written down: Int("runtime", "Length; 0 when unknown").Unit("minutes").From("runtime").
class Col {
 public:
  Col(ColumnType type, std::string_view name, std::string_view description) {
    column_.name = name;
    column_.type = type;
    column_.source = name;
    column_.description = description;
  }
  Col&& From(std::string_view source) && { return column_.source = source, std::move(*this); }
  Col&& Unit(std::string_view unit) && { return column_.unit = unit, std::move(*this); }
  Col&& Required() && { return column_.required = true, std::move(*this); }
  Col&& Json() && { return column_.json = true, std::move(*this); }
  Col&& KeptElsewhere() && { return column_.kept_elsewhere = true, std::move(*this); }
  const Column& column() const { return column_; }

 private:
  Column column_;
};

// `description` may be left out for a name that means the same wherever it stands: those are listed in spec_parts.cc.
Col Text(std::string_view name, std::string_view description = {});
Col Int(std::string_view name, std::string_view description = {});
Col Real(std::string_view name, std::string_view description = {});
Col Bool(std::string_view name, std::string_view description = {});
Col Day(std::string_view name, std::string_view description = {});
Col Instant(std::string_view name, std::string_view description = {});

using Cols = std::vector<Col>;
Cols operator+(Cols first, const Cols& second);

// A person as credits show one, within `at` ("" or "^").
Cols Person(std::string_view at = "");
// An image of images{}[].
Cols Image();
// An episode; `season_number` is the envelope's where that is known.
Cols Episode(bool of_season_record);
// version, fetched_at: the end of every root table.
Cols Provenance();
// A list's company or network logo.
Cols Logo();

// A root table. Its first column is the record's id.
Table Root(std::string_view name, MediaType type, std::string_view description, const Cols& columns);
// A child table of films, shows, people...: `owner` and position come first.
Table Child(std::string_view name, MediaType type, std::string_view owner, std::string_view rows,
            std::string_view description, const Cols& columns);
// A child table of seasons: season_id, position, tv_id, season_number come first.
Table SeasonChild(std::string_view name, std::string_view rows, std::string_view description,
                  const Cols& columns);

// The parts of the spec, each in a file of its own.
void AddTitles(std::vector<Table>& tables);      // films and shows
void AddSeasons(std::vector<Table>& tables);     // seasons and episodes
void AddPeople(std::vector<Table>& tables);      // people
void AddSmallTypes(std::vector<Table>& tables);  // collections, companies, networks, keywords
void AddLists(std::vector<Table>& tables);       // of configuration
void AddHistory(std::vector<Table>& tables);     // of the store and the tables

}  // namespace tmdbc::tables
