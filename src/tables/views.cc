// SPDX-License-Identifier: MIT
#include "tables/views.h"

#include <fmt/format.h>

#include <algorithm>

#include "duckdb/database.h"
#include "tables/spec.h"

namespace tmdbc::tables {
namespace {

// The header of Kaggle's "Full TMDB Movies Dataset", lists as text with commas between.
constexpr std::string_view kKaggleMovies = R"(
SELECT movie_id AS id, title, vote_average, vote_count, status, release_date, revenue, runtime, adult, backdrop_path,
       budget, homepage, imdb_id, original_language, original_title, overview, popularity, poster_path, tagline,
       genres, production_companies, production_countries, spoken_languages, keywords
FROM movies
LEFT JOIN (SELECT movie_id, string_agg(name, ', ' ORDER BY position) AS genres
           FROM movie_genres GROUP BY movie_id) USING (movie_id)
LEFT JOIN (SELECT movie_id, string_agg(name, ', ' ORDER BY position) AS production_companies
           FROM movie_production_companies GROUP BY movie_id) USING (movie_id)
LEFT JOIN (SELECT movie_id, string_agg(name, ', ' ORDER BY position) AS production_countries
           FROM movie_production_countries GROUP BY movie_id) USING (movie_id)
LEFT JOIN (SELECT movie_id, string_agg(english_name, ', ' ORDER BY position) AS spoken_languages
           FROM movie_spoken_languages GROUP BY movie_id) USING (movie_id)
LEFT JOIN (SELECT movie_id, string_agg(name, ', ' ORDER BY position) AS keywords
           FROM movie_keywords GROUP BY movie_id) USING (movie_id))";

// The header of Kaggle's "Full TMDb TV Shows Dataset".
constexpr std::string_view kKaggleShows = R"(
SELECT tv_id AS id, name, number_of_seasons, number_of_episodes, original_language, vote_count, vote_average, overview,
       adult, backdrop_path, first_air_date, last_air_date, homepage, in_production, original_name, popularity,
       poster_path, type, status, tagline, genres, created_by, languages, networks, origin_country, spoken_languages,
       production_companies, production_countries, episode_run_time
FROM tv_shows
LEFT JOIN (SELECT tv_id, string_agg(name, ', ' ORDER BY position) AS genres
           FROM tv_genres GROUP BY tv_id) USING (tv_id)
LEFT JOIN (SELECT tv_id, string_agg(name, ', ' ORDER BY position) AS created_by
           FROM tv_created_by GROUP BY tv_id) USING (tv_id)
LEFT JOIN (SELECT tv_id, string_agg(language, ', ' ORDER BY position) AS languages
           FROM tv_languages GROUP BY tv_id) USING (tv_id)
LEFT JOIN (SELECT tv_id, string_agg(name, ', ' ORDER BY position) AS networks
           FROM tv_networks GROUP BY tv_id) USING (tv_id)
LEFT JOIN (SELECT tv_id, string_agg(country, ', ' ORDER BY position) AS origin_country
           FROM tv_origin_countries GROUP BY tv_id) USING (tv_id)
LEFT JOIN (SELECT tv_id, string_agg(english_name, ', ' ORDER BY position) AS spoken_languages
           FROM tv_spoken_languages GROUP BY tv_id) USING (tv_id)
LEFT JOIN (SELECT tv_id, string_agg(name, ', ' ORDER BY position) AS production_companies
           FROM tv_production_companies GROUP BY tv_id) USING (tv_id)
LEFT JOIN (SELECT tv_id, string_agg(name, ', ' ORDER BY position) AS production_countries
           FROM tv_production_countries GROUP BY tv_id) USING (tv_id)
LEFT JOIN (SELECT tv_id, arg_min(minutes, position) AS episode_run_time
           FROM tv_episode_run_times GROUP BY tv_id) USING (tv_id))";

constexpr std::string_view kCredits = R"(
SELECT 'movie' AS media_type, movie_id AS media_id, 'cast' AS kind, credit_id, person_id, name, gender,
       NULL::VARCHAR AS department, NULL::VARCHAR AS job, character_name, cast_order, NULL::BIGINT AS episode_count
FROM movie_cast
UNION ALL
SELECT 'movie', movie_id, 'crew', credit_id, person_id, name, gender, department, job, NULL, NULL, NULL FROM movie_crew
UNION ALL
SELECT 'tv', tv_id, 'cast', credit_id, person_id, name, gender, NULL, NULL, character_name, cast_order, episode_count
FROM tv_cast
UNION ALL
SELECT 'tv', tv_id, 'crew', credit_id, person_id, name, gender, department, job, NULL, NULL, episode_count
FROM tv_crew)";

constexpr std::string_view kDirectors = R"(
SELECT 'movie' AS media_type, movie_id AS media_id, credit_id, person_id, name, gender, NULL::BIGINT AS episode_count
FROM movie_crew WHERE job = 'Director'
UNION ALL
SELECT 'tv', tv_id, credit_id, person_id, name, gender, episode_count FROM tv_crew WHERE job = 'Director')";

constexpr std::string_view kImdbLinks = R"(
SELECT media_type, media_id, imdb_id,
       TRY_CAST(regexp_extract(imdb_id, '^[a-z]+0*([0-9]+)$', 1) AS BIGINT) AS imdb_number
FROM (SELECT 'movie' AS media_type, movie_id AS media_id, imdb_id FROM movies
      UNION ALL SELECT 'tv', tv_id, imdb_id FROM tv_shows
      UNION ALL SELECT 'person', person_id, imdb_id FROM people)
WHERE imdb_id IS NOT NULL)";

constexpr std::string_view kWatchNow = R"(
SELECT p.movie_id, m.title, p.country, p.kind, p.provider_id, p.provider_name, p.display_priority, l.link
FROM movie_watch_providers p JOIN movies m USING (movie_id)
LEFT JOIN movie_watch_links l ON l.movie_id = p.movie_id AND l.country = p.country)";

std::string SelectOf(const Table* table, const TableFiles* files, std::string_view folder) {
  if (files && !files->files.empty()) {
    std::string paths;
    for (const DataFile& file : files->files)
      paths += (paths.empty() ? "" : ", ") + duckdb::Quoted(std::string(folder) + file.path);
    // Files from before a column was added lack it. And no name on the way to them is a column.
    return fmt::format("SELECT * FROM read_parquet([{}], union_by_name = true, hive_partitioning = false)",
                       paths);
  }
  std::string columns;
  for (const Column& column : table->columns) {
    columns += fmt::format("{}NULL::{} AS {}", columns.empty() ? "" : ", ", SqlName(column.type),
                           duckdb::QuotedName(column.name));
  }
  return fmt::format("SELECT {} WHERE false", columns);
}

std::string Create(std::string_view name, std::string_view select) {
  return fmt::format("CREATE OR REPLACE VIEW {} AS {};", name, select);
}

}  // namespace

std::span<const DropInView> DropInViews() {
  static const std::vector<DropInView> views = {
      {"kaggle_movies",
       "Films with the 24 columns of Kaggle's \"Full TMDB Movies Dataset\".",
       {"movies", "movie_genres", "movie_production_companies", "movie_production_countries",
        "movie_spoken_languages", "movie_keywords"},
       kKaggleMovies},
      {"kaggle_tv_shows",
       "Shows with the 29 columns of Kaggle's \"Full TMDb TV Shows Dataset\".",
       {"tv_shows", "tv_genres", "tv_created_by", "tv_languages", "tv_networks", "tv_origin_countries",
        "tv_spoken_languages", "tv_production_companies", "tv_production_countries", "tv_episode_run_times"},
       kKaggleShows},
      {"credits",
       "Cast and crew of films and shows, in one.",
       {"movie_cast", "movie_crew", "tv_cast", "tv_crew"},
       kCredits},
      {"directors", "Who directed films and shows.", {"movie_crew", "tv_crew"}, kDirectors},
      {"imdb_links",
       "IMDb's id of films, shows and people, also as a number, as MovieLens has it.",
       {"movies", "tv_shows", "people"},
       kImdbLinks},
      {"movie_watch_now",
       "Where a film can be watched, by country, with its title and link. Source: JustWatch.",
       {"movie_watch_providers", "movies", "movie_watch_links"},
       kWatchNow},
  };
  return views;
}

std::vector<View> ViewsOf(const Manifest& manifest, std::string_view folder) {
  std::vector<View> views;
  for (const Table& table : Tables()) {
    const auto files = manifest.tables.find(table.name);
    views.push_back(
        {table.name,
         {},
         Create(table.name,
                SelectOf(&table, files == manifest.tables.end() ? nullptr : &files->second, folder))});
  }
  // Of a later program.
  for (const auto& [name, files] : manifest.tables) {
    if (!FindTable(name) && !files.files.empty())
      views.push_back({name, {}, Create(duckdb::QuotedName(name), SelectOf(nullptr, &files, folder))});
  }
  for (const DropInView& view : DropInViews())
    views.push_back(
        {std::string(view.name), {view.needs.begin(), view.needs.end()}, Create(view.name, view.select)});
  return views;
}

std::string ViewsScript(const Manifest& manifest, std::string_view folder) {
  std::string script = fmt::format("-- The tables of generation {}, {}.\n", manifest.generation,
                                   FormatTime(manifest.committed_at));
  for (const View& view : ViewsOf(manifest, folder)) script += view.statement + "\n";
  return script;
}

}  // namespace tmdbc::tables
