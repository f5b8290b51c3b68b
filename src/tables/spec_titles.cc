// SPDX-License-Identifier: MIT
// Films and shows.
#include <fmt/format.h>

#include "tables/spec_parts.h"

namespace tmdbc::tables {
namespace {

struct Titles {
  MediaType type;
  std::string_view prefix;  // of the names of tables
  std::string_view owner;
  bool film;
};

// The thirteen tables that films and shows have alike.
void AddShared(const Titles& titles, std::vector<Table>& tables) {
  const std::string_view one = titles.film ? "film" : "show";
  const auto add = [&](std::string_view name, std::string_view rows, std::string_view words,
                       const Cols& columns) {
    tables.push_back(Child(fmt::format("{}_{}", titles.prefix, name), titles.type, titles.owner, rows,
                           fmt::format(fmt::runtime(words), fmt::arg("one", one)), columns));
  };
  const auto of = [&](std::string_view film, std::string_view show) { return titles.film ? film : show; };

  add("genres", "genres[]", "The genres of each {one}.",
      {Int("genre_id").From("id"), Text("name", "Name of the genre.")});
  add("origin_countries", "origin_country[]", "The countries that each {one} comes from.",
      {Text("country").From(".")});
  add("production_companies", "production_companies[]", "The companies that made each {one}.",
      {Int("company_id").From("id"), Text("name", "Name of the company."), Text("origin_country"),
       Text("logo_path")});
  add("production_countries", "production_countries[]", "The countries in which each {one} was made.",
      {Text("country").From("iso_3166_1"), Text("name", "English name of the country.")});
  add("spoken_languages", "spoken_languages[]", "The languages spoken in each {one}.",
      {Text("language").From("iso_639_1"), Text("english_name"),
       Text("name", "Name of the language in itself.")});
  add("alternative_titles", of("alternative_titles.titles[]", "alternative_titles.results[]"),
      "Other titles of each {one}, by country.",
      {Text("country").From("iso_3166_1"), Text("title"),
       Text("type", "What kind of title it is, as text.")});
  add("keywords", of("keywords.keywords[]", "keywords.results[]"), "The keywords of each {one}.",
      {Int("keyword_id").From("id"), Text("name", "The keyword.")});
  add("reviews", "reviews.results[]", "Reviews of each {one} by users of TMDB: the first page, 20 at most.",
      {Text("review_id", "TMDB's id of the review.").From("id"), Text("author", "The reviewer."),
       Text("author_name", "The reviewer's full name.").From("author_details.name"),
       Text("author_username", "The reviewer's name on TMDB.").From("author_details.username"),
       Text("author_avatar_path", "Path of the reviewer's picture.").From("author_details.avatar_path"),
       Real("author_rating").From("author_details.rating"), Text("content", "The review, in Markdown."),
       Instant("created_at", "When it was written.").Unit("UTC"),
       Instant("updated_at", "When it was last changed.").Unit("UTC"),
       Text("url", "Address of the review.")});
  Cols translations = {Text("language").From("iso_639_1"),
                       Text("country").From("iso_3166_1"),
                       Text("language_name").From("name"),
                       Text("language_english_name").From("english_name"),
                       Text("title", "The title in that language; NULL when it is the original's.")
                           .From(of("data.title", "data.name")),
                       Text("overview").From("data.overview"),
                       Text("tagline").From("data.tagline"),
                       Text("homepage").From("data.homepage")};
  if (titles.film) {
    translations.push_back(Int("runtime").From("data.runtime"));
  }
  add("translations", "translations.translations[]", "The texts of each {one} in other languages.",
      translations);
  add("videos", "videos.results[]", "Trailers, teasers, clips of each {one}.",
      {Text("video_id", "TMDB's id of the video.").From("id"), Text("name"),
       Text("site", "Where it is: YouTube, Vimeo."), Text("video_key", "Its key there.").From("key"),
       Text("type", "Trailer, Teaser, Clip, Featurette..."),
       Bool("official", "Whether the makers published it."),
       Int("size", "Height of the picture.").Unit("lines"), Text("language").From("iso_639_1"),
       Text("country").From("iso_3166_1"), Instant("published_at", "When it was published.").Unit("UTC")});
  add("images", "images{}[]", "Backdrops, logos and posters of each {one}.", Image());
  add("watch_providers", "watch/providers.results{}{}[]",
      "Where each {one} can be streamed, rented or bought now, by country. Source: JustWatch.",
      {Text("country").From("{0}").Required(),
       Text("kind", "How: flatrate, rent, buy, ads, free.").From("{1}").Required(), Int("provider_id"),
       Text("provider_name"), Int("display_priority"), Text("logo_path")});
  add("watch_links", "watch/providers.results{}",
      "The page of TMDB that says where each {one} can be watched, by country. Source: JustWatch.",
      {Text("country").From("{0}").Required(), Text("link", "Address of the page.")});
}

void AddFilms(std::vector<Table>& tables) {
  constexpr auto kMovie = MediaType::kMovie;
  tables.push_back(
      Root("movies", kMovie, "Films, one row each.",
           {Int("movie_id").From("$id").Required(),
            Text("title"),
            Text("original_title"),
            Text("original_language"),
            Text("status"),
            Day("release_date"),
            Int("runtime"),
            Int("budget"),
            Int("revenue"),
            Real("popularity"),
            Real("vote_average"),
            Int("vote_count"),
            Bool("adult"),
            Bool("video", "Whether it is not a film proper: a compilation, a recording."),
            Bool("softcore"),
            Text("overview"),
            Text("tagline"),
            Text("homepage"),
            Text("imdb_id", "Its id on IMDb, as tt0137523.").From("imdb_id|external_ids.imdb_id"),
            Text("wikidata_id").From("external_ids.wikidata_id"),
            Text("facebook_id").From("external_ids.facebook_id"),
            Text("instagram_id").From("external_ids.instagram_id"),
            Text("twitter_id").From("external_ids.twitter_id"),
            Text("poster_path"),
            Text("backdrop_path"),
            Int("collection_id").From("belongs_to_collection.id"),
            Text("collection_name", "Name of the collection.").From("belongs_to_collection.name"),
            Text("collection_poster_path", "Path of the collection's poster.")
                .From("belongs_to_collection.poster_path"),
            Text("collection_backdrop_path", "Path of the collection's backdrop.")
                .From("belongs_to_collection.backdrop_path"),
            Int("reviews_total").From("reviews.total_results")}));
  tables.push_back(
      Child("movie_cast", kMovie, "movie_id", "credits.cast[]", "Who plays in each film.",
            Cols{Text("credit_id"), Text("character_name").From("character"), Int("cast_order").From("order"),
                 Int("cast_id", "TMDB's older number of the credit.")} +
                Person()));
  tables.push_back(Child("movie_crew", kMovie, "movie_id", "credits.crew[]", "Who made each film.",
                         Cols{Text("credit_id"), Text("department"), Text("job")} + Person()));
  tables.push_back(Child(
      "movie_release_dates", kMovie, "movie_id", "release_dates.results[].release_dates[]",
      "When each film came out, by country and kind of release.",
      {Text("country").From("^iso_3166_1"), Instant("release_at", "When.").From("release_date").Unit("UTC"),
       Int("type", "The kind of release.")
           .Unit("1 premiere, 2 limited, 3 theatrical, 4 digital, 5 physical, 6 TV"),
       Text("certification"), Text("language").From("iso_639_1"),
       Text("note", "A remark, as the name of a festival."),
       Text("descriptors", "What the rating is for, as a JSON list; NULL when it is empty.").Json()}));
  AddShared({kMovie, "movie", "movie_id", true}, tables);
}

void AddShows(std::vector<Table>& tables) {
  constexpr auto kTv = MediaType::kTv;
  const auto add = [&](std::string_view name, std::string_view rows, std::string_view words,
                       const Cols& columns) {
    tables.push_back(Child(name, kTv, "tv_id", rows, words, columns));
  };
  tables.push_back(Root("tv_shows", kTv, "Shows, one row each.",
                        {Int("tv_id").From("$id").Required(),
                         Text("name"),
                         Text("original_name"),
                         Text("original_language"),
                         Text("type", "Scripted, Miniseries, Reality, Documentary, News, Talk Show, Video."),
                         Text("status"),
                         Bool("in_production", "Whether more is being made."),
                         Day("first_air_date", "Day of the first episode."),
                         Day("last_air_date", "Day of the newest episode shown."),
                         Int("number_of_seasons", "How many seasons, without season 0.").Unit("seasons"),
                         Int("number_of_episodes", "How many episodes, without season 0.").Unit("episodes"),
                         Real("popularity"),
                         Real("vote_average"),
                         Int("vote_count"),
                         Bool("adult"),
                         Bool("softcore"),
                         Text("overview"),
                         Text("tagline"),
                         Text("homepage"),
                         Text("imdb_id", "Its id on IMDb, as tt0944947.").From("external_ids.imdb_id"),
                         Int("tvdb_id").From("external_ids.tvdb_id"),
                         Int("tvrage_id").From("external_ids.tvrage_id"),
                         Text("wikidata_id").From("external_ids.wikidata_id"),
                         Text("freebase_id").From("external_ids.freebase_id"),
                         Text("freebase_mid").From("external_ids.freebase_mid"),
                         Text("facebook_id").From("external_ids.facebook_id"),
                         Text("instagram_id").From("external_ids.instagram_id"),
                         Text("twitter_id").From("external_ids.twitter_id"),
                         Text("poster_path"),
                         Text("backdrop_path"),
                         Int("reviews_total").From("reviews.total_results")}));
  add("tv_cast", "aggregate_credits.cast[].roles[]", "Who plays in each show: a row for each part.",
      Cols{Text("credit_id"), Text("character_name").From("character"),
           Int("episode_count", "In how many episodes the person plays this part.").Unit("episodes"),
           Int("total_episode_count", "In how many episodes the person plays.")
               .From("^total_episode_count")
               .Unit("episodes"),
           Int("cast_order").From("^order")} +
          Person("^"));
  tables.back().keeps_empty = true;
  add("tv_crew", "aggregate_credits.crew[].jobs[]", "Who made each show: a row for each job.",
      Cols{Text("credit_id"), Text("job"),
           Int("episode_count", "In how many episodes the person did this job.").Unit("episodes"),
           Text("department").From("^department"),
           Int("total_episode_count", "On how many episodes the person worked.")
               .From("^total_episode_count")
               .Unit("episodes")} +
          Person("^"));
  tables.back().keeps_empty = true;
  add("tv_created_by", "created_by[]", "Who thought each show up.",
      {Text("credit_id"), Int("person_id").From("id"), Text("name", "Name of the person."),
       Text("original_name", "Name of the person as it is written at home."), Int("gender"),
       Text("profile_path")});
  add("tv_networks", "networks[]", "The networks that show each show.",
      {Int("network_id").From("id"), Text("name", "Name of the network."), Text("origin_country"),
       Text("logo_path")});
  add("tv_languages", "languages[]", "The languages in which each show is made.",
      {Text("language").From(".")});
  add("tv_episode_run_times", "episode_run_time[]", "How long an episode of each show takes.",
      {Int("minutes", "Length of an episode.").From(".").Unit("minutes")});
  add("tv_content_ratings", "content_ratings.results[]",
      "Age ratings of each show, by country; one may come twice.",
      {Text("country").From("iso_3166_1"), Text("rating", "The age rating."),
       Text("descriptors", "What the rating is for, as a JSON list; NULL when it is empty.").Json()});
  add("tv_episode_groups", "episode_groups.results[]", "Other orders of each show's episodes.",
      {Text("group_id", "TMDB's id of the order.").From("id"), Text("name"),
       Text("description", "What it is for."),
       Int("type", "The kind of order.")
           .Unit("1 original air date, 2 absolute, 3 DVD, 4 digital, 5 story arc, 6 production, 7 TV"),
       Int("episode_count"), Int("group_count", "How many groups, as seasons or discs.").Unit("groups"),
       Int("network_id").From("network.id"),
       Text("network_name", "Name of the network.").From("network.name"),
       Text("network_origin_country", "The country that the network comes from.")
           .From("network.origin_country")
           .Unit("ISO 3166-1 alpha-2"),
       Text("network_logo_path", "Path of the network's logo.").From("network.logo_path")});
  add("tv_screened_theatrically", "screened_theatrically.results[]", "Episodes that were shown in cinemas.",
      {Int("episode_id").From("id"), Int("season_number"), Int("episode_number")});
  add("tv_season_summaries", "seasons[]",
      "The seasons as the show lists them; the table seasons has those that were fetched.",
      {Int("season_id").From("id"), Int("season_number"), Text("name"), Text("overview"), Day("air_date"),
       Int("episode_count"), Text("poster_path"), Real("vote_average")});
  for (const bool last : {true, false}) {
    Table table = Child(last ? "tv_last_episode" : "tv_next_episode", kTv, "tv_id",
                        last ? "last_episode_to_air?" : "next_episode_to_air?",
                        last ? "The newest episode shown of each show that has one."
                             : "The next episode of each show, when it is known.",
                        Episode(false) + Cols{Int("show_id", "The show's id as the episode says it.")});
    table.columns.erase(table.columns.begin() + 1);  // at most one a show: no position
    table.sort = table.key = {"tv_id"};
    tables.push_back(std::move(table));
  }
  AddShared({kTv, "tv", "tv_id", false}, tables);
}

}  // namespace

void AddTitles(std::vector<Table>& tables) {
  AddFilms(tables);
  AddShows(tables);
}

}  // namespace tmdbc::tables
