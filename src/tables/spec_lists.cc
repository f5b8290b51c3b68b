// SPDX-License-Identifier: MIT
// TMDB's own lists, and what is said of the store and the tables themselves.
#include "tables/spec_parts.h"

namespace tmdbc::tables {
namespace {

Table Plain(TableKind kind, std::string_view name, std::string_view description, const Cols& columns,
            std::vector<std::string> key) {
  Table table;
  table.name = name;
  table.kind = kind;
  table.description = description;
  for (const Col& column : columns) table.columns.push_back(column.column());
  table.sort = key;
  table.key = std::move(key);
  return table;
}

Table List(std::string_view name, std::vector<std::string> lists, std::string_view rows,
           std::string_view description, const Cols& columns, std::vector<std::string> key) {
  Table table = Plain(TableKind::kList, name, description, columns, std::move(key));
  table.lists = std::move(lists);
  table.rows = rows;
  return table;
}

Table History(std::string_view name, std::string_view description, const Cols& columns,
              std::vector<std::string> key) {
  return Plain(TableKind::kHistory, name, description, columns, std::move(key));
}

Col MediaTypeColumn() {
  return Text("media_type").From("$media_type").Required();
}
Col Index(std::string_view words) {
  return Int("position", words).From("$index").Required();
}

}  // namespace

void AddLists(std::vector<Table>& tables) {
  tables.push_back(
      List("genres", {"genre/movie/list", "genre/tv/list"}, "genres[]", "The genres of films and of shows.",
           {MediaTypeColumn(), Int("genre_id").From("id").Required(), Text("name", "Name of the genre.")},
           {"media_type", "genre_id"}));
  tables.push_back(List(
      "genre_translations", {"genre/movie/list?language=", "genre/tv/list?language="}, "genres[]",
      "The genres of films and of shows in each language of primary_translations.",
      {MediaTypeColumn(), Text("locale", "The language and country, as de-DE.").From("$locale").Required(),
       Int("genre_id").From("id").Required(),
       Text("name", "Name of the genre in that language; NULL where TMDB has none.")},
      {"media_type", "locale", "genre_id"}));
  tables.push_back(List(
      "certifications", {"certification/movie/list", "certification/tv/list"}, "certifications{}[]",
      "The age ratings of each country.",
      {MediaTypeColumn(), Text("country").From("{0}").Required(),
       Index("Its place in the country's list, from 0."), Text("certification"),
       Text("meaning", "What it means."), Int("sort_order", "The rank that TMDB gives it.").From("order")},
      {"media_type", "country", "position"}));
  tables.push_back(
      List("countries", {"configuration/countries"}, "[]", "Countries.",
           {Text("country").From("iso_3166_1").Required(), Text("english_name"), Text("native_name")},
           {"country"}));
  tables.push_back(List("languages", {"configuration/languages"}, "[]", "Languages.",
                        {Text("language").From("iso_639_1").Required(), Text("english_name"),
                         Text("name", "Name of the language in itself.")},
                        {"language"}));
  tables.push_back(List("jobs", {"configuration/jobs"}, "[].jobs[]", "The jobs of each department.",
                        {Text("department").From("^department").Required(),
                         Index("Its place in the department's list, from 0."), Text("job").From(".")},
                        {"department", "position"}));
  tables.push_back(List("primary_translations", {"configuration/primary_translations"}, "[]",
                        "The languages that TMDB is translated into.",
                        {Index("Its place in the list, from 0."), Text("locale").From(".")}, {"position"}));
  tables.push_back(
      List("timezones", {"configuration/timezones"}, "[].zones[]", "The time zones of each country.",
           {Text("country").From("^iso_3166_1").Required(), Index("Its place in the country's list, from 0."),
            Text("zone", "Name of the zone in the IANA data base.").From(".")},
           {"country", "position"}));
  tables.push_back(
      List("watch_regions", {"watch/providers/regions"}, "results[]",
           "The countries for which providers are known. Source: JustWatch.",
           {Text("country").From("iso_3166_1").Required(), Text("english_name"), Text("native_name")},
           {"country"}));
  tables.push_back(List("watch_providers", {"watch/providers/movie", "watch/providers/tv"}, "results[]",
                        "The providers of films and of shows. Source: JustWatch.",
                        {MediaTypeColumn(), Int("provider_id").Required(), Text("provider_name"),
                         Text("logo_path"), Int("display_priority")},
                        {"media_type", "provider_id"}));
  tables.push_back(List("watch_provider_priorities", {"watch/providers/movie", "watch/providers/tv"},
                        "results[].display_priorities{}",
                        "The rank of each provider by country. Source: JustWatch.",
                        {MediaTypeColumn(), Int("provider_id").From("^provider_id").Required(),
                         Text("country").From("{0}").Required(), Int("display_priority").From(".")},
                        {"media_type", "provider_id", "country"}));
  tables.push_back(List(
      "image_sizes", {"configuration"}, "images{}[]",
      "The sizes in which images are served: base URL, size and file path make an address.",
      {Text("kind", "The list that it stands in: backdrop_sizes, poster_sizes...").From("{0}").Required(),
       Index("Its place in the list, from 0."), Text("size", "The size, as w500 or original.").From("."),
       Text("base_url", "What comes before it.").From("^^images.base_url"),
       Text("secure_base_url", "The same by https.").From("^^images.secure_base_url")},
      {"kind", "position"}));
  tables.push_back(List(
      "change_keys", {"configuration"}, "change_keys[]", "The words that TMDB's change lists use.",
      {Index("Its place in the list, from 0."), Text("change_key", "The word.").From(".")}, {"position"}));
}

void AddHistory(std::vector<Table>& tables) {
  const auto record_type = [] {
    return Text("record_type",
                "movie, tv, season, person, collection, company, network, keyword or configuration.")
        .From("")
        .Required();
  };
  const auto id = [] { return Int("id", "TMDB's id of the record.").From("").Required(); };
  tables.push_back(History(
      "record_versions",
      "Every version of every record: as of a time, valid_from <= t AND (valid_to > t OR valid_to IS NULL).",
      {record_type(), id(), Int("version").From("").Required(),
       Text("change", "insert, update, delete, restore or purge.").From("").Required(),
       Instant("valid_from", "When it was fetched.").From("").Unit("UTC").Required(),
       Instant("valid_to", "When the next version was fetched; NULL of the newest.").From("").Unit("UTC"),
       Bool("is_current", "Whether it is the newest.").From("").Required(),
       Int("status", "HTTP status of the answer: 200, 404 of a delete, 0 of a purge.").From("").Required(),
       Text("etag", "The ETag that TMDB gave.").From(""),
       Text("sha256", "Of the body, as it was fetched.").From(""),
       Int("tv_id", "TMDB's id of the show, of a season.").From(""),
       Int("season_number", "Its number within the show, of a season.").From("")},
      {"record_type", "id", "version"}));
  Table rejects =
      History("rejects", "Values that did not fit their columns and became NULL there; of current records.",
              {record_type(), id(), Text("path", "Where it stands in the record.").From("").Required(),
               Text("value", "The value as JSON, its first 200 bytes.").From(""),
               Text("reason", "Why it did not fit.").From("").Required()},
              {"record_type", "id", "path", "value", "reason"});
  rejects.key.clear();
  tables.push_back(std::move(rejects));
  tables.push_back(
      History("unknown_members", "Members that no table knows, by record; of current records.",
              {record_type(), id(),
               Text("path", "Where it stands; [] is any element of a list.").From("").Required()},
              {"record_type", "id", "path"}));
  tables.push_back(History(
      "unknown_paths", "Members that no table knows: what TMDB has added, or a setting.",
      {record_type(), Text("path", "Where it stands; [] is any element of a list.").From("").Required(),
       Int("records", "How many current records have it.").From("").Unit("records").Required(),
       Int("example_id", "The lowest id of them.").From("").Required()},
      {"record_type", "path"}));
  tables.push_back(History(
      "popularity_daily", "The popularity of each day by TMDB's daily exports, of what is at all looked at.",
      {Text("record_type", "movie, tv or person.").From("").Required(), id(),
       Day("day", "The day of the export.").From("").Required(), Real("popularity").From("").Required()},
      {"record_type", "id", "day"}));
  tables.push_back(History(
      "snapshots", "What each publish of these tables took in.",
      {Int("generation", "Number of the publish, from 1.").From("").Required(),
       Instant("committed_at", "When it was published.").From("").Unit("UTC").Required(), record_type(),
       Int("sequence", "The sequence number of the change feed that it reaches.").From("").Required(),
       Int("rows_changed", "How many rows of that type's tables were written.")
           .From("")
           .Unit("rows")
           .Required()},
      {"generation", "record_type"}));
  tables.push_back(History(
      "data_dictionary", "This dictionary: every column of every table.",
      {Text("table_name", "Name of the table.").From("").Required(),
       Text("column_name", "Name of the column.").From("").Required(),
       Int("ordinal", "Its place in the table, from 1.").From("").Required(),
       Text("type", "Its type in SQL.").From("").Required(),
       Bool("nullable", "Whether it may be NULL.").From("").Required(),
       Text("unit", "The unit or code of its values.").From(""),
       Text("description", "What it is.").From("").Required(),
       Text("source_path", "Where it stands in TMDB's record; with a $ in front, in the line around it.")
           .From(""),
       Bool("key_part", "Whether it is part of the key.").From("").Required()},
      {"table_name", "ordinal"}));
}

}  // namespace tmdbc::tables
