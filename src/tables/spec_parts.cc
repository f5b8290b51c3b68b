// SPDX-License-Identifier: MIT
#include "tables/spec_parts.h"

#include <cassert>
#include <map>

namespace tmdbc::tables {
namespace {

struct Common {
  std::string_view unit;
  std::string_view words;
};

// Names that mean the same in every table. The unit belongs to the meaning.
const std::map<std::string_view, Common>& CommonColumns() {
  static const std::map<std::string_view, Common> columns = {
      {"adult", {"", "Whether TMDB marks it as adult."}},
      {"air_date", {"", "The day on which it was first shown."}},
      {"aspect_ratio", {"", "Width divided by height."}},
      {"author_rating", {"0 to 10", "What the reviewer gave it."}},
      {"backdrop_path",
       {"", "Path of the backdrop image, to be put behind a base URL of image_sizes and a size."}},
      {"budget", {"USD", "What it cost; 0 when unknown."}},
      {"cast_order", {"", "Place in the credits as TMDB orders them, from 0."}},
      {"certification", {"", "The age rating."}},
      {"character_name", {"", "The part that is played; several are apart by a slash."}},
      {"collection_id", {"", "TMDB's id of the collection."}},
      {"company_id", {"", "TMDB's id of the company."}},
      {"country", {"ISO 3166-1 alpha-2", "The country."}},
      {"credit_id", {"", "TMDB's id of the credit: 24 hexadecimal digits."}},
      {"department", {"", "The department of the crew."}},
      {"display_priority", {"", "Rank in TMDB's own lists; lower comes first."}},
      {"english_name", {"", "Its English name."}},
      {"episode_count", {"episodes", "How many episodes."}},
      {"episode_id", {"", "TMDB's id of the episode."}},
      {"episode_number", {"", "Its number within the season; dates and longer numbers occur."}},
      {"facebook_id", {"", "Its name on Facebook."}},
      {"fetched_at", {"UTC", "When this content was fetched from TMDB."}},
      {"file_path", {"", "Path of the image, to be put behind a base URL of image_sizes and a size."}},
      {"file_type", {"", "The form that the image was uploaded in, as .svg."}},
      {"freebase_id", {"", "Its id in Freebase, which has ended, as /en/..."}},
      {"freebase_mid", {"", "Its machine id in Freebase, which has ended, as /m/..."}},
      {"gender", {"0 not set, 1 female, 2 male, 3 non-binary", "The gender as TMDB codes it."}},
      {"genre_id", {"", "TMDB's id of the genre."}},
      {"headquarters", {"", "Where it is based, as text."}},
      {"height", {"px", "Height of the image."}},
      {"homepage", {"", "Address of its own page."}},
      {"imdb_id", {"", "Its id on IMDb."}},
      {"instagram_id", {"", "Its name on Instagram."}},
      {"job", {"", "What was done."}},
      {"keyword_id", {"", "TMDB's id of the keyword."}},
      {"known_for_department", {"", "The department that the person is best known for."}},
      {"language", {"ISO 639-1, also TMDB's own xx, cn, mo, sh", "The language."}},
      {"language_english_name", {"", "English name of the language."}},
      {"language_name", {"", "Name of the language in itself."}},
      {"locale", {"language-COUNTRY", "A language as spoken in a country, as de-DE."}},
      {"logo_path", {"", "Path of the logo, to be put behind a base URL of image_sizes and a size."}},
      {"media_id", {"", "TMDB's id of the film or show that media_type says."}},
      {"media_type", {"movie or tv", "Whether it is a film or a show."}},
      {"movie_id", {"", "TMDB's id of the film."}},
      {"name", {"", "Its name."}},
      {"native_name", {"", "Its name in its own language."}},
      {"network_id", {"", "TMDB's id of the network."}},
      {"origin_country", {"ISO 3166-1 alpha-2", "The country it comes from."}},
      {"original_language", {"ISO 639-1, also TMDB's own xx, cn, mo, sh", "The language it was made in."}},
      {"original_name", {"", "Its name in the original language."}},
      {"original_title", {"", "Its title in the original language."}},
      {"overview", {"", "What it is about."}},
      {"person_id", {"", "TMDB's id of the person; NULL where TMDB gives none."}},
      {"popularity", {"", "TMDB's own figure for how much it is looked at now; without unit or bound."}},
      {"position", {"", "Its place among the rows of the record, from 0, in the order of TMDB's lists."}},
      {"poster_path", {"", "Path of the poster, to be put behind a base URL of image_sizes and a size."}},
      {"production_code", {"", "The maker's own number of it."}},
      {"profile_path", {"", "Path of the portrait, to be put behind a base URL of image_sizes and a size."}},
      {"provider_id", {"", "TMDB's id of the provider."}},
      {"provider_name", {"", "Name of the provider."}},
      {"release_date", {"", "The day on which it first came out."}},
      {"revenue", {"USD", "What it earned; 0 when unknown."}},
      {"reviews_total", {"reviews", "How many there are; the table of reviews has the first 20."}},
      {"runtime", {"minutes", "How long it is; 0 when unknown."}},
      {"season_id", {"", "TMDB's id of the season."}},
      {"season_number", {"", "Its number within the show; 0 holds the specials."}},
      {"softcore", {"", "Whether TMDB marks it as softcore; since 2026."}},
      {"status", {"", "How far it has come, in TMDB's words, as Released or Ended."}},
      {"still_path", {"", "Path of the still, to be put behind a base URL of image_sizes and a size."}},
      {"tagline", {"", "Its advertising line."}},
      {"title", {"", "Its title."}},
      {"tv_id", {"", "TMDB's id of the show."}},
      {"tvdb_id", {"", "Its number on TheTVDB."}},
      {"tvrage_id", {"", "Its number on TVRage, which has ended."}},
      {"twitter_id", {"", "Its name on Twitter, now X."}},
      {"type", {"", "Its kind, in TMDB's words."}},
      {"version", {"", "The version of the record in the store, from 1."}},
      {"vote_average", {"0 to 10", "Mean of the votes; 0 without votes."}},
      {"vote_count", {"votes", "How many have voted."}},
      {"width", {"px", "Width of the image."}},
      {"wikidata_id", {"", "Its item in Wikidata, as Q42."}},
  };
  return columns;
}

Col Make(ColumnType type, std::string_view name, std::string_view description) {
  const auto common = CommonColumns().find(name);
  if (!description.empty()) return {type, name, description};
  assert(common != CommonColumns().end());
  return Col(type, name, common->second.words).Unit(common->second.unit);
}

std::vector<Column> Bare(const Cols& columns) {
  std::vector<Column> bare;
  for (const Col& column : columns) bare.push_back(column.column());
  return bare;
}

std::string At(std::string_view level, std::string_view name) {
  return std::string(level) + std::string(name);
}

}  // namespace

Col Text(std::string_view name, std::string_view description) {
  return Make(ColumnType::kText, name, description);
}
Col Int(std::string_view name, std::string_view description) {
  return Make(ColumnType::kInteger, name, description);
}
Col Real(std::string_view name, std::string_view description) {
  return Make(ColumnType::kReal, name, description);
}
Col Bool(std::string_view name, std::string_view description) {
  return Make(ColumnType::kBool, name, description);
}
Col Day(std::string_view name, std::string_view description) {
  return Make(ColumnType::kDate, name, description);
}
Col Instant(std::string_view name, std::string_view description) {
  return Make(ColumnType::kTime, name, description);
}

Cols operator+(Cols first, const Cols& second) {
  first.insert(first.end(), second.begin(), second.end());
  return first;
}

Cols Person(std::string_view at) {
  return {Int("person_id").From(At(at, "id")),
          Text("name", "Name of the person.").From(At(at, "name")),
          Text("original_name", "Name of the person as it is written at home.").From(At(at, "original_name")),
          Int("gender").From(At(at, "gender")),
          Text("known_for_department").From(At(at, "known_for_department")),
          Real("popularity").From(At(at, "popularity")),
          Text("profile_path").From(At(at, "profile_path")),
          Bool("adult").From(At(at, "adult"))};
}

Cols Image() {
  return {
      Text("kind", "The list that it stands in: backdrops, logos, posters, profiles.").From("{0}").Required(),
      Text("file_path"),
      Int("width"),
      Int("height"),
      Real("aspect_ratio"),
      Text("language", "The language of what is written on it; NULL when there is nothing to read.")
          .From("iso_639_1")
          .Unit("ISO 639-1"),
      Text("country", "The country whose version it is.").From("iso_3166_1").Unit("ISO 3166-1 alpha-2"),
      Real("vote_average"),
      Int("vote_count")};
}

Cols Episode(bool of_season_record) {
  Cols columns = {Int("episode_id").From("id")};
  columns.push_back(of_season_record ? Int("season_number").From("$season_number").Required()
                                     : Int("season_number"));
  return columns + Cols{Int("episode_number"),
                        Text("episode_type", "standard, finale, mid_season: what it is in the season."),
                        Text("name"),
                        Text("overview"),
                        Day("air_date"),
                        Int("runtime"),
                        Text("production_code"),
                        Text("still_path"),
                        Real("vote_average"),
                        Int("vote_count")};
}

Cols Provenance() {
  return {Int("version").From("$version").Required(), Instant("fetched_at").From("$fetched_at").Required()};
}

Cols Logo() {
  return {Text("image_id", "TMDB's id of the image.").From("id"),
          Text("file_path"),
          Text("file_type"),
          Int("width"),
          Int("height"),
          Real("aspect_ratio"),
          Real("vote_average"),
          Int("vote_count")};
}

Table Root(std::string_view name, MediaType type, std::string_view description, const Cols& columns) {
  Table table;
  table.name = name;
  table.kind = TableKind::kRoot;
  table.description = description;
  table.type = type;
  table.columns = Bare(columns + Provenance());
  const std::string id = table.columns[0].name;
  table.sort = {id};
  table.key = {id};
  table.range_column = id;
  table.record_column = id;
  return table;
}

Table Child(std::string_view name, MediaType type, std::string_view owner, std::string_view rows,
            std::string_view description, const Cols& columns) {
  Table table;
  table.name = name;
  table.kind = TableKind::kChild;
  table.description = description;
  table.type = type;
  table.rows = rows;
  table.columns =
      Bare(Cols{Int(owner).From("$id").Required(), Int("position").From("$position").Required()} + columns);
  table.sort = {std::string(owner), "position"};
  table.key = table.sort;
  table.range_column = owner;
  table.record_column = owner;
  return table;
}

Table SeasonChild(std::string_view name, std::string_view rows, std::string_view description,
                  const Cols& columns) {
  Table table;
  table.name = name;
  table.kind = TableKind::kChild;
  table.description = description;
  table.type = MediaType::kSeason;
  table.rows = rows;
  table.columns =
      Bare(Cols{Int("season_id").From("$id").Required(), Int("position").From("$position").Required(),
                Int("tv_id").From("$tv_id").Required()} +
           columns);
  table.sort = {"tv_id", "season_number", "season_id", "position"};
  table.key = {"season_id", "position"};
  table.range_column = "tv_id";
  table.record_column = "season_id";
  return table;
}

}  // namespace tmdbc::tables
