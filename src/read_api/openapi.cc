// SPDX-License-Identifier: MIT
#include "read_api/openapi.h"

#include <algorithm>
#include <array>
#include <string>
#include <utility>
#include <vector>

#include "base/json_writer.h"
#include "base/version.h"

namespace tmdbc::read_api {
namespace {

// A schema is written as its members: "name type" with commas between. Types: int, number, text, bool, any, object;
// [T] a list, {T} an object of T by arbitrary names, a name with a capital letter another schema. T? may be null too,
// "name*" may be missing. An object may always have members that are not listed. Sources: docs/tmdb-facts.md.
struct Schema {
  std::string_view name;
  std::string_view members;
};

// What each page has beside its rows.
#define PAGE "page int, total_pages int, total_results int, results "

// Laid by hand.
// clang-format off
constexpr std::array kSchemas = {
    Schema{"Failure", "success* bool, status_code* int, status_message* text, errors* [text]"},
    Schema{"Named", "id int, name text"},
    Schema{"Genres", "genres [Genre]"},
    Schema{"Genre", "id int, name text?"},
    Schema{"Image", "aspect_ratio number, file_path text, height int, width int, vote_average number, vote_count int, "
                    "iso_639_1* text?, iso_3166_1* text?"},
    Schema{"Images", "id* int, backdrops* [Image], posters* [Image], logos* [Image], profiles* [Image], stills* [Image]"},
    Schema{"Videos", "id* int, results [Video]"},
    Schema{"Video", "id text, iso_639_1 text?, iso_3166_1 text?, key text, name text, official bool, published_at text, site text, "
                    "size int, type text"},
    Schema{"Translations", "id* int, translations [Translation]"},
    Schema{"Translation", "iso_3166_1 text, iso_639_1 text, name text, english_name text, data object"},
    Schema{"ExternalIds", "id* int, imdb_id* text?, wikidata_id* text?, tvdb_id* int?, facebook_id* text?, instagram_id* text?, "
                          "twitter_id* text?"},
    Schema{"WatchProviders", "id* int, results {Offers}"},
    Schema{"Offers", "link* text, flatrate* [Offer], buy* [Offer], rent* [Offer], free* [Offer], ads* [Offer]"},
    Schema{"Offer", "logo_path text?, provider_id int, provider_name text, display_priority int"},
    Schema{"Credits", "id* int, cast [Role], crew [Job]"},
    Schema{"EpisodeCredits", "id* int, cast [Role], crew [Job], guest_stars [Role]"},
    Schema{"Role", "id int, name text, character text, credit_id text, order int, profile_path text?, gender int?"},
    Schema{"Job", "id int, name text, department text, job text, credit_id text, profile_path text?, gender int?"},
    Schema{"AggregateCredits", "id* int, cast [object], crew [object]"},
    Schema{"Keywords", "id* int, keywords* [Named], results* [Named]"},
    Schema{"AlternativeTitles", "id* int, titles* [AlternativeTitle], results* [AlternativeTitle]"},
    Schema{"AlternativeTitle", "iso_3166_1 text, title text, type text"},
    Schema{"AlternativeNames", "id* int, results [AlternativeName]"},
    Schema{"AlternativeName", "name text, type text"},
    Schema{"ReleaseDates", "id* int, results [ReleasesOfCountry]"},
    Schema{"ReleasesOfCountry", "iso_3166_1 text, release_dates [Release]"},
    Schema{"Release", "certification text, release_date text, type int, note* text, iso_639_1* text, descriptors* [any]"},
    Schema{"Results", "id* int, results [object]"},
    Schema{"Changes", "changes [object]"},
    Schema{"Casts", "id* int, cast [Role], crew [Job]"},
    Schema{"Trailers", "id* int, quicktime [object], youtube [object]"},
    Schema{"Releases", "id* int, countries [object]"},

    Schema{"Movie", "adult bool, backdrop_path text?, belongs_to_collection* object?, budget int, genres [Genre], homepage text?, "
                    "id int, imdb_id* text?, original_language text, original_title text, overview text?, popularity number, "
                    "poster_path text?, production_companies [object], production_countries [object], release_date text, "
                    "revenue int, runtime int?, spoken_languages [object], status text, tagline text?, title text, video bool, "
                    "vote_average number, vote_count int"},
    Schema{"Show", "adult bool, backdrop_path text?, created_by [object], episode_run_time [int], first_air_date text?, "
                   "genres [Genre], homepage text?, id int, in_production bool, languages [text], last_air_date text?, "
                   "last_episode_to_air object?, name text, next_episode_to_air object?, networks [Named], "
                   "number_of_episodes int?, number_of_seasons int, origin_country [text], original_language text, "
                   "original_name text, overview text?, popularity number, poster_path text?, seasons [SeasonOfShow], "
                   "status text, tagline text?, type text, vote_average number, vote_count int"},
    Schema{"SeasonOfShow", "air_date text?, episode_count int, id int, name text, overview text?, poster_path text?, "
                           "season_number any, vote_average number"},
    Schema{"Season", "air_date text?, episodes [Episode], name text, overview text?, id int, poster_path text?, season_number int, "
                     "vote_average number"},
    Schema{"Episode", "air_date text?, crew [object], episode_number int, guest_stars [object], name text?, overview text?, id int, "
                      "production_code text?, runtime int?, season_number int, still_path text?, vote_average number, vote_count int"},
    Schema{"Person", "adult bool, also_known_as [text], biography text?, birthday text?, deathday text?, gender int, "
                     "homepage text?, id int, imdb_id text?, known_for_department text?, name text, place_of_birth text?, "
                     "popularity number, profile_path text?"},
    Schema{"PersonCredits", "id* int, cast [object], crew [object]"},
    Schema{"Collection", "id int, name text, overview text?, poster_path text?, backdrop_path text?, parts [MovieRow]"},
    Schema{"Organisation", "id int, name text, headquarters text?, homepage text?, logo_path text?, origin_country text?"},

    Schema{"MovieRow", "adult bool, backdrop_path text?, genre_ids [int], id int, original_language text, original_title text, "
                       "overview text?, popularity number, poster_path text?, release_date* text?, title text, video bool, "
                       "vote_average number, vote_count int"},
    Schema{"ShowRow", "adult bool, backdrop_path text?, genre_ids [int], id int, origin_country [text], original_language text, "
                      "original_name text, overview text?, popularity number, poster_path text?, first_air_date* text?, name text, "
                      "vote_average number, vote_count int"},
    Schema{"PersonRow", "adult bool, gender int, id int, known_for_department text?, name text, popularity number, "
                        "profile_path text?, known_for* [object]"},
    Schema{"MixedRow", "id int, media_type text, popularity number"},
    Schema{"CollectionRow", "adult bool, backdrop_path text?, id int, name text, original_language text, original_name text, "
                            "overview text?, poster_path text?"},
    Schema{"CompanyRow", "id int, logo_path text?, name text, origin_country text?"},
    Schema{"ChangeRow", "id int, adult bool?"},
    Schema{"Movies", "id* int, " PAGE "[MovieRow]"},
    Schema{"MoviesOfDates", "dates Dates, " PAGE "[MovieRow]"},
    Schema{"Dates", "maximum text, minimum text"},
    Schema{"Shows", "id* int, " PAGE "[ShowRow]"},
    Schema{"Persons", PAGE "[PersonRow]"},
    Schema{"Mixed", PAGE "[MixedRow]"},
    Schema{"Collections", PAGE "[CollectionRow]"},
    Schema{"Companies", PAGE "[CompanyRow]"},
    Schema{"KeywordsFound", PAGE "[Named]"},
    Schema{"ChangedIds", PAGE "[ChangeRow]"},
    Schema{"Pages", "id* int, " PAGE "[object]"},
    Schema{"Review", "id text, author text, author_details object, content text, created_at text, iso_639_1 text, media_id int, "
                     "media_title text, media_type text, updated_at text, url text"},
    Schema{"Found", "movie_results [MovieRow], person_results [PersonRow], tv_results [ShowRow], tv_episode_results [object], "
                    "tv_season_results [object]"},

    Schema{"Configuration", "images object, change_keys* [text]"},
    Schema{"Countries", "[Country]"},
    Schema{"Country", "iso_3166_1 text, english_name text, native_name text"},
    Schema{"Jobs", "[JobsOfDepartment]"},
    Schema{"JobsOfDepartment", "department text, jobs [text]"},
    Schema{"Languages", "[Language]"},
    Schema{"Language", "iso_639_1 text, english_name text, name text"},
    Schema{"Tags", "[text]"},
    Schema{"Timezones", "[TimezonesOfCountry]"},
    Schema{"TimezonesOfCountry", "iso_3166_1 text, zones [text]"},
    Schema{"Certifications", "certifications {Levels}"},
    Schema{"Levels", "[Level]"},
    Schema{"Level", "certification text, meaning text, order int"},
    Schema{"Regions", "results [Country]"},
    Schema{"Providers", "results [Provider]"},
    Schema{"Provider", "display_priorities {int}, display_priority int, logo_path text?, provider_id int, provider_name text"},
    Schema{"Success", "success bool"},
    Schema{"RequestToken", "success bool, expires_at text, request_token text"},
};
#undef PAGE

#define DISCOVER "language page region include_adult sort_by with_genres without_genres with_keywords without_keywords " \
                 "with_companies without_companies with_original_language with_origin_country vote_average.gte vote_average.lte " \
                 "vote_count.gte vote_count.lte with_runtime.gte with_runtime.lte watch_region with_watch_providers " \
                 "without_watch_providers with_watch_monetization_types "
#define PICTURES "append_to_response language include_image_language include_video_language"
#define SEASON "tv/{series_id}/season/{season_number}"
#define EPISODE SEASON "/episode/{episode_number}"

constexpr std::array kPaths = {
    DescribedPath{"movie/{movie_id}", "Movie", PICTURES, "A film; an id at IMDb (tt0137523) will do too"},
    DescribedPath{"movie/{movie_id}/alternative_titles", "AlternativeTitles", "country", "Its other titles"},
    DescribedPath{"movie/{movie_id}/casts", "Casts", "", "An old name of credits"},
    DescribedPath{"movie/{movie_id}/changes", "Changes", "", "Always empty"},
    DescribedPath{"movie/{movie_id}/credits", "Credits", "language", "Its cast and crew"},
    DescribedPath{"movie/{movie_id}/external_ids", "ExternalIds", "", "Its ids elsewhere"},
    DescribedPath{"movie/{movie_id}/images", "Images", "language include_image_language", "Its images"},
    DescribedPath{"movie/{movie_id}/keywords", "Keywords", "", "Its keywords"},
    DescribedPath{"movie/{movie_id}/lists", "Pages", "language page", "Users' lists with it: empty"},
    DescribedPath{"movie/{movie_id}/recommendations", "Movies", "language page", "Films that are near it"},
    DescribedPath{"movie/{movie_id}/release_dates", "ReleaseDates", "", "Its releases by country"},
    DescribedPath{"movie/{movie_id}/releases", "Releases", "", "An old form of release_dates"},
    DescribedPath{"movie/{movie_id}/reviews", "Pages", "language page", "Its reviews"},
    DescribedPath{"movie/{movie_id}/similar", "Movies", "language page", "Films with the same keywords and genres"},
    DescribedPath{"movie/{movie_id}/trailers", "Trailers", "", "An old form of videos"},
    DescribedPath{"movie/{movie_id}/translations", "Translations", "", "Its texts in every language"},
    DescribedPath{"movie/{movie_id}/videos", "Videos", "language include_video_language", "Its trailers and clips"},
    DescribedPath{"movie/{movie_id}/watch/providers", "WatchProviders", "", "Where it can be watched (by JustWatch)"},
    DescribedPath{"movie/latest", "Movie", "language", "The film with the highest id"},
    DescribedPath{"movie/now_playing", "MoviesOfDates", "language page region", "Films in cinemas"},
    DescribedPath{"movie/popular", "Movies", "language page region", "Films by popularity"},
    DescribedPath{"movie/top_rated", "Movies", "language page region", "Films by votes"},
    DescribedPath{"movie/upcoming", "MoviesOfDates", "language page region", "Films that will be in cinemas"},
    DescribedPath{"movie/changes", "ChangedIds", "page start_date end_date", "Films that changed in the mirror"},

    DescribedPath{"tv/{series_id}", "Show", PICTURES, "A show"},
    DescribedPath{"tv/{series_id}/aggregate_credits", "AggregateCredits", "language", "Cast and crew of all seasons"},
    DescribedPath{"tv/{series_id}/alternative_titles", "AlternativeTitles", "", "Its other names"},
    DescribedPath{"tv/{series_id}/changes", "Changes", "", "Always empty"},
    DescribedPath{"tv/{series_id}/content_ratings", "Results", "", "Its ratings by country"},
    DescribedPath{"tv/{series_id}/credits", "Credits", "language", "Cast and crew of the last season"},
    DescribedPath{"tv/{series_id}/episode_groups", "Results", "", "Other orders of its episodes"},
    DescribedPath{"tv/{series_id}/external_ids", "ExternalIds", "", "Its ids elsewhere"},
    DescribedPath{"tv/{series_id}/images", "Images", "language include_image_language", "Its images"},
    DescribedPath{"tv/{series_id}/keywords", "Keywords", "", "Its keywords"},
    DescribedPath{"tv/{series_id}/lists", "Pages", "language page", "Users' lists with it: empty"},
    DescribedPath{"tv/{series_id}/recommendations", "Shows", "language page", "Shows that are near it"},
    DescribedPath{"tv/{series_id}/reviews", "Pages", "language page", "Its reviews"},
    DescribedPath{"tv/{series_id}/screened_theatrically", "Results", "", "Episodes that were in cinemas"},
    DescribedPath{"tv/{series_id}/similar", "Shows", "language page", "Shows with the same keywords and genres"},
    DescribedPath{"tv/{series_id}/translations", "Translations", "", "Its texts in every language"},
    DescribedPath{"tv/{series_id}/videos", "Videos", "language include_video_language", "Its trailers and clips"},
    DescribedPath{"tv/{series_id}/watch/providers", "WatchProviders", "", "Where it can be watched (by JustWatch)"},
    DescribedPath{"tv/latest", "Show", "language", "The show with the highest id"},
    DescribedPath{"tv/airing_today", "Shows", "language page timezone", "Shows with an episode today"},
    DescribedPath{"tv/on_the_air", "Shows", "language page timezone", "Shows with an episode in the next seven days"},
    DescribedPath{"tv/popular", "Shows", "language page", "Shows by popularity"},
    DescribedPath{"tv/top_rated", "Shows", "language page", "Shows by votes"},
    DescribedPath{"tv/changes", "ChangedIds", "page start_date end_date", "Shows that changed in the mirror"},
    DescribedPath{SEASON, "Season", PICTURES, "A season with its episodes"},
    DescribedPath{SEASON "/aggregate_credits", "AggregateCredits", "language", "Cast and crew of its episodes"},
    DescribedPath{SEASON "/credits", "Credits", "language", "Its cast and crew"},
    DescribedPath{SEASON "/external_ids", "ExternalIds", "", "Its ids elsewhere"},
    DescribedPath{SEASON "/images", "Images", "language include_image_language", "Its posters"},
    DescribedPath{SEASON "/translations", "Translations", "", "Its texts in every language"},
    DescribedPath{SEASON "/videos", "Videos", "language include_video_language", "Its trailers and clips"},
    DescribedPath{SEASON "/watch/providers", "WatchProviders", "language", "Where it can be watched (by JustWatch)"},
    DescribedPath{EPISODE, "Episode", PICTURES, "An episode"},
    DescribedPath{EPISODE "/credits", "EpisodeCredits", "language", "Its cast, crew and guests"},
    DescribedPath{EPISODE "/external_ids", "ExternalIds", "", "Its ids elsewhere"},
    DescribedPath{EPISODE "/images", "Images", "language include_image_language", "Its stills"},
    DescribedPath{EPISODE "/translations", "Translations", "", "Its texts in every language"},
    DescribedPath{EPISODE "/videos", "Videos", "language include_video_language", "Its clips"},

    DescribedPath{"person/{person_id}", "Person", "append_to_response language", "A person"},
    DescribedPath{"person/{person_id}/changes", "Changes", "", "Always empty"},
    DescribedPath{"person/{person_id}/combined_credits", "PersonCredits", "language", "Films and shows with the person"},
    DescribedPath{"person/{person_id}/external_ids", "ExternalIds", "", "The person's ids elsewhere"},
    DescribedPath{"person/{person_id}/images", "Images", "", "The person's images"},
    DescribedPath{"person/{person_id}/movie_credits", "PersonCredits", "language", "Films with the person"},
    DescribedPath{"person/{person_id}/tagged_images", "Pages", "page", "Images that show the person: empty"},
    DescribedPath{"person/{person_id}/translations", "Translations", "", "The biography in every language"},
    DescribedPath{"person/{person_id}/tv_credits", "PersonCredits", "language", "Shows with the person"},
    DescribedPath{"person/latest", "Person", "language", "The person with the highest id"},
    DescribedPath{"person/popular", "Persons", "language page", "Persons by popularity"},
    DescribedPath{"person/changes", "ChangedIds", "page start_date end_date", "Persons that changed in the mirror"},

    DescribedPath{"collection/{collection_id}", "Collection", "append_to_response language include_image_language", "A collection"},
    DescribedPath{"collection/{collection_id}/images", "Images", "language include_image_language", "Its images"},
    DescribedPath{"collection/{collection_id}/translations", "Translations", "", "Its texts in every language"},
    DescribedPath{"company/{company_id}", "Organisation", "append_to_response", "A company"},
    DescribedPath{"company/{company_id}/alternative_names", "AlternativeNames", "", "Its other names"},
    DescribedPath{"company/{company_id}/images", "Images", "", "Its logos"},
    DescribedPath{"company/{company_id}/movies", "Movies", "language page", "Its films"},
    DescribedPath{"network/{network_id}", "Organisation", "append_to_response", "A network"},
    DescribedPath{"network/{network_id}/alternative_names", "AlternativeNames", "", "Its other names"},
    DescribedPath{"network/{network_id}/images", "Images", "", "Its logos"},
    DescribedPath{"keyword/{keyword_id}", "Named", "", "A keyword"},
    DescribedPath{"keyword/{keyword_id}/movies", "Movies", "language page include_adult", "Films with the keyword"},

    DescribedPath{"search/movie", "Movies", "query! language page region include_adult year primary_release_year", "Films by title"},
    DescribedPath{"search/tv", "Shows", "query! language page include_adult year first_air_date_year", "Shows by name"},
    DescribedPath{"search/person", "Persons", "query! language page include_adult", "Persons by name"},
    DescribedPath{"search/multi", "Mixed", "query! language page include_adult", "Films, shows and persons"},
    DescribedPath{"search/collection", "Collections", "query! language page include_adult region", "Collections by name"},
    DescribedPath{"search/company", "Companies", "query! page", "Companies by name"},
    DescribedPath{"search/keyword", "KeywordsFound", "query! page", "Keywords by name"},
    DescribedPath{"find/{external_id}", "Found", "external_source! language", "What has that id elsewhere"},
    DescribedPath{"review/{review_id}", "Review", "", "A review that is on the first page of its film or show"},
    DescribedPath{"discover/movie", "Movies",
                  DISCOVER "include_video year primary_release_year primary_release_date.gte primary_release_date.lte "
                  "release_date.gte release_date.lte with_release_type certification certification.gte certification.lte "
                  "certification_country with_cast with_crew with_people",
                  "Films by what they have; in lists a comma means all, a bar any"},
    DescribedPath{"discover/tv", "Shows",
                  DISCOVER "first_air_date_year first_air_date.gte first_air_date.lte air_date.gte air_date.lte timezone "
                  "include_null_first_air_dates screened_theatrically with_networks with_status with_type",
                  "Shows by what they have; in lists a comma means all, a bar any"},
    DescribedPath{"trending/all/{time_window}", "Mixed", "language page", "What rises"},
    DescribedPath{"trending/movie/{time_window}", "Movies", "language page", "Films that rise"},
    DescribedPath{"trending/tv/{time_window}", "Shows", "language page", "Shows that rise"},
    DescribedPath{"trending/person/{time_window}", "Persons", "language page", "Persons that rise"},

    DescribedPath{"configuration", "Configuration", "append_to_response", "Where images are, and their sizes"},
    DescribedPath{"configuration/countries", "Countries", "language", "Countries"},
    DescribedPath{"configuration/jobs", "Jobs", "", "Jobs by department"},
    DescribedPath{"configuration/languages", "Languages", "", "Languages"},
    DescribedPath{"configuration/primary_translations", "Tags", "", "Languages that texts are translated into"},
    DescribedPath{"configuration/timezones", "Timezones", "", "Time zones by country"},
    DescribedPath{"certification/movie/list", "Certifications", "", "Certifications of films by country"},
    DescribedPath{"certification/tv/list", "Certifications", "", "Ratings of shows by country"},
    DescribedPath{"genre/movie/list", "Genres", "language", "Genres of films"},
    DescribedPath{"genre/tv/list", "Genres", "language", "Genres of shows"},
    DescribedPath{"watch/providers/regions", "Regions", "language", "Countries that have known providers"},
    DescribedPath{"watch/providers/movie", "Providers", "language watch_region", "Providers of films (by JustWatch)"},
    DescribedPath{"watch/providers/tv", "Providers", "language watch_region", "Providers of shows (by JustWatch)"},
    DescribedPath{"authentication", "Success", "", "Whether the key is accepted"},
    DescribedPath{"authentication/token/new", "RequestToken", "", "A token, for clients that want one first"},
};
// clang-format on
#undef DISCOVER
#undef PICTURES
#undef SEASON
#undef EPISODE

// What is said of a parameter: its schema and a sentence. Others are texts without one.
struct Parameter {
  std::string_view name;
  std::string_view schema;
  std::string_view sentence;
};
constexpr std::string_view kId = R"({"type":"integer","minimum":1})";
constexpr std::string_view kTrueOrFalse = R"({"type":"boolean"})";
constexpr std::string_view kYear = R"({"type":"integer","minimum":1800,"maximum":2200})";
constexpr std::string_view kDateOnly = R"({"type":"string","format":"date"})";
constexpr std::array kParameters = {
    Parameter{"movie_id", R"({"anyOf":[{"type":"integer","minimum":1},{"type":"string","pattern":"^tt[0-9]{1,10}$"}]})", ""},
    Parameter{"series_id", kId, ""},
    Parameter{"person_id", kId, ""},
    Parameter{"collection_id", kId, ""},
    Parameter{"company_id", kId, ""},
    Parameter{"network_id", kId, ""},
    Parameter{"keyword_id", kId, ""},
    Parameter{"season_number", R"({"type":"integer","minimum":0})", "0: specials"},
    Parameter{"episode_number", R"({"type":"integer","minimum":0})", ""},
    Parameter{"external_id", R"({"type":"string","pattern":"^[A-Za-z0-9_.-]{1,40}$"})", ""},
    Parameter{"review_id", R"({"type":"string","pattern":"^[0-9a-f]{24}$"})", ""},
    Parameter{"time_window", R"({"enum":["day","week"]})", ""},
    Parameter{"language", R"({"type":"string","pattern":"^[a-z]{2}(-[A-Z]{2})?$","default":"en-US"})",
              "Texts come in it, or as the original has them"},
    Parameter{"page", R"({"type":"integer","minimum":1,"maximum":500,"default":1})", "Of 20 rows each"},
    Parameter{"append_to_response", R"({"type":"string"})", "Up to 20 names of the paths below, with commas between"},
    Parameter{"include_image_language", R"({"type":"string"})", "Languages, or null, with commas between"},
    Parameter{"include_video_language", R"({"type":"string"})", "Languages, or null, with commas between"},
    Parameter{"query", R"({"type":"string","minLength":1})", "Words; each begins a word of a name"},
    Parameter{"external_source",
              R"({"enum":["imdb_id","tvdb_id","wikidata_id","facebook_id","instagram_id","twitter_id","tiktok_id","youtube_id",)"
              R"("freebase_mid","freebase_id","tvrage_id"]})",
              ""},
    Parameter{"include_adult", kTrueOrFalse, ""},
    Parameter{"include_video", kTrueOrFalse, ""},
    Parameter{"include_null_first_air_dates", kTrueOrFalse, ""},
    Parameter{"year", kYear, ""},
    Parameter{"primary_release_year", kYear, ""},
    Parameter{"first_air_date_year", kYear, ""},
    Parameter{"start_date", kDateOnly, "At most 14 days before end_date"},
    Parameter{"end_date", kDateOnly, ""},
    Parameter{"region", R"({"type":"string","pattern":"^[A-Z]{2}$"})", "A country"},
    Parameter{"watch_region", R"({"type":"string","pattern":"^[A-Z]{2}$"})", "A country"},
};

std::vector<std::string_view> Split(std::string_view text, char between) {
  std::vector<std::string_view> parts;
  while (!text.empty()) {
    const auto end = text.find(between);
    if (end != 0) parts.push_back(text.substr(0, end));
    text = end == text.npos ? std::string_view() : text.substr(end + 1);
  }
  return parts;
}

void WriteType(JsonWriter& json, std::string_view type) {
  if (type.ends_with('?')) {
    json.BeginObject().Key("anyOf").BeginArray();
    WriteType(json, type.substr(0, type.size() - 1));
    json.Raw(R"({"type":"null"})").EndArray().EndObject();
  } else if (type.starts_with('[')) {
    json.BeginObject().Field("type", "array").Key("items");
    WriteType(json, type.substr(1, type.size() - 2));
    json.EndObject();
  } else if (type.starts_with('{')) {
    json.BeginObject().Field("type", "object").Key("additionalProperties");
    WriteType(json, type.substr(1, type.size() - 2));
    json.EndObject();
  } else if (type[0] >= 'A' && type[0] <= 'Z') {
    json.BeginObject().Field("$ref", "#/components/schemas/" + std::string(type)).EndObject();
  } else if (type == "any") {
    json.Raw("{}");
  } else {
    json.BeginObject().Field("type", type == "text" ? "string" : type == "bool" ? "boolean" : type == "int" ? "integer" : type);
    json.EndObject();
  }
}

void WriteSchema(JsonWriter& json, const Schema& schema) {
  if (schema.members.starts_with('[')) return WriteType(json, schema.members);
  std::vector<std::string_view> required;
  json.BeginObject().Field("type", "object").Key("properties").BeginObject();
  for (std::string_view member : Split(schema.members, ',')) {
    while (member.starts_with(' ')) member.remove_prefix(1);
    const auto blank = member.find(' ');
    std::string_view name = member.substr(0, blank);
    if (name.ends_with('*'))
      name.remove_suffix(1);
    else
      required.push_back(name);
    json.Key(name);
    WriteType(json, member.substr(blank + 1));
  }
  json.EndObject();
  if (!required.empty()) {
    json.Key("required").BeginArray();
    for (const std::string_view name : required) json.Text(name);
    json.EndArray();
  }
  json.EndObject();
}

void WriteParameter(JsonWriter& json, std::string_view name, bool in_path) {
  const bool required = in_path || name.ends_with('!');
  if (name.ends_with('!')) name.remove_suffix(1);
  const auto known = std::ranges::find(kParameters, name, &Parameter::name);
  json.BeginObject().Field("name", name).Field("in", in_path ? "path" : "query").Field("required", required);
  if (known != kParameters.end() && !known->sentence.empty()) json.Field("description", known->sentence);
  json.Key("schema").Raw(known == kParameters.end() ? R"({"type":"string"})" : known->schema).EndObject();
}

void WriteOperation(JsonWriter& json, const DescribedPath& path) {
  json.BeginObject().Key("get").BeginObject().Field("summary", path.summary);
  std::string id(path.path);
  std::ranges::replace_if(id, [](char c) { return c == '/' || c == '{' || c == '}'; }, '-');
  json.Field("operationId", id).Key("parameters").BeginArray();
  for (const std::string_view part : Split(path.path, '/')) {
    if (part.starts_with('{')) WriteParameter(json, part.substr(1, part.size() - 2), true);
  }
  for (const std::string_view name : Split(path.parameters, ' ')) WriteParameter(json, name, false);
  json.EndArray().Key("responses").BeginObject().Key("200").BeginObject().Field("description", "As TMDB would answer");
  json.Key("headers").Raw(R"({"ETag":{"schema":{"type":"string"}},"Mirror-Answer":{"schema":{"enum":["exact","derived",)"
                          R"("approximate","empty"]},"description":"How near it is to TMDB's own"},)"
                          R"("Mirror-Fetched-At":{"schema":{"type":"string"},"description":"Of the oldest record in it"}})");
  json.Key("content").BeginObject().Key("application/json").BeginObject().Key("schema");
  WriteType(json, path.answer);
  json.EndObject().EndObject().EndObject();
  for (const char* status : {"400", "401", "404", "422", "503"})
    json.Key(status).Raw(R"({"$ref":"#/components/responses/Failure"})");
  json.EndObject().EndObject().EndObject();
}

std::string Describe() {
  JsonWriter json;
  json.BeginObject().Field("openapi", "3.1.0").Key("info").BeginObject();
  json.Field("title", "TMDB Data Collector: a mirror's read API").Field("version", kVersion);
  json.Field("description", "What TMDB's v3 API answers, out of a mirror. This product uses the TMDB API but is not endorsed or "
                            "certified by TMDB. Watch providers are JustWatch's.");
  json.EndObject().Key("servers").Raw(R"([{"url":"/"}])");
  json.Key("security").Raw(R"([{},{"key":[]},{"bearer":[]}])").Key("paths").BeginObject();
  for (const DescribedPath& path : kPaths) {
    json.Key("/3/" + std::string(path.path));
    WriteOperation(json, path);
  }
  json.EndObject().Key("components").BeginObject().Key("securitySchemes");
  json.Raw(R"({"key":{"type":"apiKey","in":"query","name":"api_key"},"bearer":{"type":"http","scheme":"bearer"}})");
  json.Key("responses").Raw(R"({"Failure":{"description":"As TMDB says it","content":{"application/json":{"schema":)"
                            R"({"$ref":"#/components/schemas/Failure"}}}}})");
  json.Key("schemas").BeginObject();
  for (const Schema& schema : kSchemas) {
    json.Key(schema.name);
    WriteSchema(json, schema);
  }
  return json.EndObject().EndObject().EndObject().text();
}

}  // namespace

std::span<const DescribedPath> DescribedPaths() { return kPaths; }

Answer OpenApi(Call&) {
  static const std::string kText = Describe();
  constexpr std::chrono::hours kMaxAge{1};
  return {.body = kText, .max_age = kMaxAge};
}

}  // namespace tmdbc::read_api
