// SPDX-License-Identifier: MIT
// Seasons and episodes, people, and the small types.
#include "tables/spec_parts.h"

namespace tmdbc::tables {

void AddSeasons(std::vector<Table>& tables) {
  Table seasons = Root(
      "seasons", MediaType::kSeason, "Seasons, one row each.",
      {Int("season_id").From("$id").Required(), Int("tv_id").From("$tv_id").Required(),
       Int("season_number").From("$season_number").Required(), Text("name"), Text("overview"),
       Day("air_date"), Text("poster_path"), Real("vote_average"),
       Text("object_id", "TMDB's internal id of it.").From("_id"),
       Int("episode_count", "How many episodes it has, counted.").From("$count(episodes)").Unit("episodes")});
  // Questions name the show.
  seasons.sort = {"tv_id", "season_number", "season_id"};
  seasons.range_column = "tv_id";
  tables.push_back(std::move(seasons));
  const Col season_number = Int("season_number").From("$season_number").Required();
  tables.push_back(
      SeasonChild("season_networks", "networks[]", "The networks that show each season.",
                  {season_number, Int("network_id").From("id"), Text("name", "Name of the network."),
                   Text("origin_country"), Text("logo_path")}));
  tables.push_back(
      SeasonChild("episodes", "episodes[]",
                  "Episodes. One may stand in two seasons for a while: the key is not episode_id.",
                  Episode(true) + Cols{Int("show_id", "The show's id as the episode says it.")}));
  tables.push_back(SeasonChild(
      "episode_crew", "episodes[].crew[]", "Who made each episode.",
      Cols{season_number, Int("episode_id").From("^id"), Text("credit_id"), Text("department"), Text("job")} +
          Person()));
  tables.push_back(
      SeasonChild("episode_guest_stars", "episodes[].guest_stars[]",
                  "Who plays in single episodes, beside the cast of the show.",
                  Cols{season_number, Int("episode_id").From("^id"), Text("credit_id"),
                       Text("character_name").From("character"), Int("cast_order").From("order")} +
                      Person()));
}

void AddPeople(std::vector<Table>& tables) {
  constexpr auto kPerson = MediaType::kPerson;
  const auto add = [&](std::string_view name, std::string_view rows, std::string_view words,
                       const Cols& columns) {
    tables.push_back(Child(name, kPerson, "person_id", rows, words, columns));
  };
  tables.push_back(Root(
      "people", kPerson, "People, one row each.",
      {Int("person_id", "TMDB's id of the person.").From("$id").Required(),
       Text("name"),
       Int("gender"),
       Day("birthday", "Day of birth; NULL when no whole date is known: see birthday_text.").KeptElsewhere(),
       Text("birthday_text", "Day of birth as TMDB has it, a year alone for instance.").From("birthday"),
       Day("deathday", "Day of death; NULL when no whole date is known: see deathday_text.").KeptElsewhere(),
       Text("deathday_text", "Day of death as TMDB has it.").From("deathday"),
       Text("place_of_birth", "Where the person was born."),
       Text("known_for_department"),
       Real("popularity"),
       Bool("adult"),
       Text("biography", "The person's life."),
       Text("homepage"),
       Text("imdb_id", "The person's id on IMDb, as nm0000093.").From("imdb_id|external_ids.imdb_id"),
       Text("wikidata_id").From("external_ids.wikidata_id"),
       Text("freebase_id").From("external_ids.freebase_id"),
       Text("freebase_mid").From("external_ids.freebase_mid"),
       Int("tvrage_id").From("external_ids.tvrage_id"),
       Text("facebook_id").From("external_ids.facebook_id"),
       Text("instagram_id").From("external_ids.instagram_id"),
       Text("tiktok_id", "The person's name on TikTok.").From("external_ids.tiktok_id"),
       Text("twitter_id").From("external_ids.twitter_id"),
       Text("youtube_id", "The person's channel on YouTube.").From("external_ids.youtube_id"),
       Text("profile_path")}));
  add("person_also_known_as", "also_known_as[]", "Other names of each person.",
      {Text("name", "The other name.").From(".")});
  const Cols credit = {Text("credit_id"),
                       Text("media_type"),
                       Int("media_id").From("id"),
                       Text("title").From("title|name"),
                       Day("release_date").From("release_date|first_air_date"),
                       Int("episode_count", "In how many episodes of a show.").Unit("episodes"),
                       Day("first_credit_air_date", "Day of the first episode with the person.")};
  add("person_cast", "combined_credits.cast[]", "What each person plays in.",
      credit + Cols{Text("character_name").From("character"), Int("cast_order").From("order")});
  add("person_crew", "combined_credits.crew[]", "What each person worked on.",
      credit + Cols{Text("department"), Text("job")});
  add("person_translations", "translations.translations[]", "The texts of each person in other languages.",
      {Text("language").From("iso_639_1"), Text("country").From("iso_3166_1"),
       Text("language_name").From("name"), Text("language_english_name").From("english_name"),
       Text("name", "The person's name in that language.").From("data.name"),
       Text("biography", "The person's life.").From("data.biography"),
       Bool("is_primary", "Whether it is the main text.").From("data.primary")});
  add("person_images", "images{}[]", "Portraits of each person.", Image());
}

void AddSmallTypes(std::vector<Table>& tables) {
  constexpr auto kCollection = MediaType::kCollection;
  tables.push_back(
      Root("collections", kCollection, "Collections of films, one row each.",
           {Int("collection_id").From("$id").Required(), Text("name"), Text("original_name"),
            Text("original_language"), Text("overview"), Text("poster_path"), Text("backdrop_path")}));
  tables.push_back(Child("collection_parts", kCollection, "collection_id", "parts[]",
                         "The films of each collection.",
                         {Text("media_type"), Int("media_id").From("id"), Text("title").From("title|name"),
                          Day("release_date").From("release_date|first_air_date")}));
  tables.push_back(Child("collection_images", kCollection, "collection_id", "images{}[]",
                         "Backdrops and posters.", Image()));
  tables.push_back(
      Child("collection_translations", kCollection, "collection_id", "translations.translations[]",
            "The texts of each collection in other languages.",
            {Text("language").From("iso_639_1"), Text("country").From("iso_3166_1"),
             Text("language_name").From("name"), Text("language_english_name").From("english_name"),
             Text("title", "The title in that language; NULL when it is the original's.").From("data.title"),
             Text("overview").From("data.overview"), Text("tagline").From("data.tagline"),
             Text("homepage").From("data.homepage")}));
  tables.push_back(
      Root("companies", MediaType::kCompany, "Production companies, one row each.",
           {Int("company_id").From("$id").Required(), Text("name"), Text("description", "What it is."),
            Text("headquarters"), Text("homepage"), Text("origin_country"), Text("logo_path"),
            Int("parent_company_id", "TMDB's id of the company that owns it.").From("parent_company.id"),
            Text("parent_company_name", "Name of the company that owns it.").From("parent_company.name"),
            Text("parent_company_origin_country", "The country that its owner comes from.")
                .From("parent_company.origin_country")
                .Unit("ISO 3166-1 alpha-2"),
            Text("parent_company_logo_path", "Path of its owner's logo.").From("parent_company.logo_path")}));
  tables.push_back(Root("networks", MediaType::kNetwork, "TV networks and streaming services, one row each.",
                        {Int("network_id").From("$id").Required(), Text("name"), Text("headquarters"),
                         Text("homepage"), Text("origin_country"), Text("logo_path")}));
  for (const bool company : {true, false}) {
    const MediaType type = company ? MediaType::kCompany : MediaType::kNetwork;
    tables.push_back(
        Child(company ? "company_alternative_names" : "network_alternative_names", type,
              company ? "company_id" : "network_id", "alternative_names.results[]", "Other names.",
              {Text("name", "The other name."), Text("type", "What kind of name it is, as text.")}));
    tables.push_back(Child(company ? "company_logos" : "network_logos", type,
                           company ? "company_id" : "network_id", "images.logos[]", "Logos.", Logo()));
  }
  tables.push_back(Root("keywords", MediaType::kKeyword, "Keywords, one row each.",
                        {Int("keyword_id").From("$id").Required(), Text("name", "The keyword.")}));
}

}  // namespace tmdbc::tables
