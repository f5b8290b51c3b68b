// SPDX-License-Identifier: MIT
// Films, people, collections, companies and networks of SyntheticWorld: members, order and types as recorded
// from TMDB (docs/tmdb-facts.md), everything in them made up.
#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "synthetic_builder.h"

namespace tmdbc::sim {

std::string SyntheticWorld::Movie(const Subject& subject, bool older) const {
  Builder b(*this, For(subject.kind, subject.id, "details"));
  JsonWriter& json = b.json;
  const Language& language = Languages()[subject.language];
  json.Object().Bool("adult", subject.adult);
  b.Path("backdrop_path", 0.3);
  const auto collection = b.random.Chance(0.08) ? Any(Kind::kCollection, b.random) : std::nullopt;
  if (collection) {
    json.Key("belongs_to_collection").Object().Int("id", collection->id).Text("name", collection->name);
    b.Path("poster_path", 0.2);
    b.Path("backdrop_path", 0.3);
    json.EndObject();
  } else {
    json.Null("belongs_to_collection");
  }
  // Revenues above 2^31 exist.
  const auto money =
      b.random.Chance(0.7)
          ? 0
          : static_cast<std::int64_t>(1e6 * subject.weight * subject.weight * (1 + 9 * b.random.Unit()));
  json.Int("budget", money);
  b.Genres();
  json.Text("homepage",
            b.random.Chance(0.7) ? "" : fmt::format("https://example.org/film/{}?a=1&b=2", subject.id))
      .Int("id", subject.id);
  if (b.random.Chance(0.2)) {
    b.random.Chance(0.5) ? json.Null("imdb_id") : json.Text("imdb_id", "");
  } else {
    json.Text("imdb_id", fmt::format("tt{:07}", subject.id * 13 + 1000));
  }
  json.Key("origin_country").Array().Text(language.country).EndArray();
  json.Text("original_language", language.code).Text("original_title", subject.original_name);
  const std::string overview = b.random.Chance(0.08)
                                   ? ""
                                   : Prose(b.random, Script::kEnglish,
                                           120 + b.random.Below(450) + (b.random.Below(400) == 0 ? 9000 : 0));
  json.Text("overview", older ? Sentence(b.random, Script::kEnglish) : overview);
  json.Real("popularity", older ? subject.popularity / 2 : subject.popularity);
  b.Path("poster_path", 0.15);
  b.Organisations("production_companies", Kind::kCompany, Count(b.random, 1.2, std::sqrt(subject.weight)));
  b.Countries(language);
  json.Text("release_date", b.random.Chance(0.04) ? "" : Date(b.random))
      .Int("revenue", b.random.Chance(0.5) ? 0 : money * 31);
  json.Int("runtime", b.random.Chance(0.1) ? 0 : b.random.Between(3, 190))
      .Bool("softcore", subject.adult && b.random.Chance(0.3));
  b.SpokenLanguages(language);
  json.Text("status", b.random.Chance(0.95)  ? "Released"
                      : b.random.Chance(0.5) ? "In Production"
                                             : "Rumored");
  json.Text("tagline", b.random.Chance(0.6) ? "" : Sentence(b.random, Script::kEnglish))
      .Text("title", subject.name);
  json.Bool("video", For(Kind::kMovie, subject.id, "video").Chance(0.04));
  b.Votes(subject.rating, older ? subject.votes / 2 : subject.votes);
  return json.EndObject().Take();
}

std::string SyntheticWorld::Person(const Subject& subject, bool older) const {
  Builder b(*this, For(subject.kind, subject.id, "details"));
  JsonWriter& json = b.json;
  Random mention = For(subject.kind, subject.id, "mention");
  const auto gender = static_cast<std::int64_t>(mention.Below(4) % 3);
  json.Object().Bool("adult", subject.adult).Key("also_known_as").Array();
  for (auto n = b.random.Below(4); n > 0; --n)
    json.Text(Title(b.random, Languages()[b.random.Below(Languages().size())].script));
  json.EndArray();
  const bool known = b.random.Chance(0.4);
  json.Text("biography",
            older   ? ""
            : known ? Prose(b.random, Script::kEnglish, static_cast<std::size_t>(300 + 900 * subject.weight))
                    : "");
  if (b.random.Chance(0.55)) {
    json.Null("birthday");
  } else {
    json.Text("birthday", b.random.Chance(0.03) ? "1945" : Date(b.random, 1890, 2010));
  }
  b.random.Chance(0.1) ? json.Text("deathday", Date(b.random, 1950)) : json.Null("deathday");
  json.Int("gender", gender);
  json.TextOrNull("homepage",
                  b.random.Chance(0.95) ? "" : "https://example.org/people/" + std::to_string(subject.id));
  json.Int("id", subject.id);
  if (b.random.Chance(0.3)) {
    json.Null("imdb_id");
  } else {
    json.Text("imdb_id", fmt::format("nm{:07}", subject.id * 7 + 12));
  }
  json.Text("known_for_department", Builder::Department(mention)).Text("name", subject.name);
  json.TextOrNull("place_of_birth", b.random.Chance(0.6)
                                        ? ""
                                        : Title(b.random, Script::kLatin) + ", " +
                                              std::string(Languages()[subject.language].country_name));
  json.Real("popularity", older ? subject.popularity / 2 : subject.popularity);
  b.Path("profile_path", 0.5);
  return json.EndObject().Take();
}

std::string SyntheticWorld::Collection(const Subject& subject) const {
  Builder b(*this, For(subject.kind, subject.id, "details"));
  b.json.Object()
      .Int("id", subject.id)
      .Text("name", subject.name)
      .Text("original_language", Languages()[subject.language].code);
  b.json.Text("original_name", subject.original_name)
      .Text("overview", b.random.Chance(0.3) ? "" : Prose(b.random, Script::kEnglish, 300));
  b.Path("poster_path", 0.2);
  b.Path("backdrop_path", 0.2);
  b.json.Key("parts").Array();
  for (auto n = 1 + b.random.Below(7); n > 0; --n) {
    if (const auto movie = Any(Kind::kMovie, b.random)) {
      b.json.Object();
      b.Row(*movie, true);
      b.json.EndObject();
    }
  }
  return b.json.EndArray().EndObject().Take();
}

std::string SyntheticWorld::Company(const Subject& subject) const {
  Builder b(*this, For(subject.kind, subject.id, "details"));
  Random own = For(subject.kind, subject.id, "logo");
  const std::string logo = own.Chance(0.4) ? "" : FilePath(own, ".png");
  b.json.Object()
      .Text("description", "")
      .Text("headquarters", b.random.Chance(0.5) ? "" : Title(b.random, Script::kLatin));
  b.json.Text("homepage", b.random.Chance(0.6) ? "" : "https://example.org/")
      .Int("id", subject.id)
      .TextOrNull("logo_path", logo);
  b.json.Text("name", subject.name)
      .Text("origin_country", own.Chance(0.2) ? "" : Languages()[subject.language].country);
  const auto parent = b.random.Chance(0.1) ? Any(Kind::kCompany, b.random) : std::nullopt;
  b.json.Key("parent_company");
  if (parent) {
    b.json.Object().Int("id", parent->id).Text("name", parent->name);
    b.Path("logo_path", 0.4, ".png");
    b.json.EndObject();
  } else {
    b.json.Null();
  }
  return b.json.EndObject().Take();
}

std::string SyntheticWorld::Network(const Subject& subject) const {
  Builder b(*this, For(subject.kind, subject.id, "details"));
  Random own = For(subject.kind, subject.id, "logo");
  const std::string logo = own.Chance(0.4) ? "" : FilePath(own, ".png");
  b.json.Object().Text("headquarters", b.random.Chance(0.5) ? "" : Title(b.random, Script::kLatin));
  b.json.Text("homepage", b.random.Chance(0.6) ? "" : "https://example.org/")
      .Int("id", subject.id)
      .TextOrNull("logo_path", logo);
  b.json.Text("name", subject.name)
      .Text("origin_country", own.Chance(0.2) ? "" : Languages()[subject.language].country);
  return b.json.EndObject().Take();
}

std::optional<std::string> SyntheticWorld::Part(Kind kind, std::int64_t id, std::string_view name) {
  const auto subject = Find(kind, id);
  if (!subject) return std::nullopt;
  if (kind == Kind::kMovie) return MoviePart(*subject, name);
  if (kind == Kind::kTv) return ShowPart(*subject, name);
  if (kind == Kind::kPerson) return PersonPart(*subject, name);
  Builder b(*this, For(kind, id, name));
  if (kind == Kind::kCollection && name == "images") {
    b.json.Object();
    b.Images("backdrops", Count(b.random, 4, subject->weight), 1920, 1080);
    b.Images("posters", Count(b.random, 8, subject->weight), 1000, 1500);
    return b.json.EndObject().Take();
  }
  if (kind == Kind::kCollection && name == "translations") {
    b.Translations(Count(b.random, 5, subject->weight), Texts::kCollection, 150);
    return b.json.Take();
  }
  if ((kind == Kind::kCompany || kind == Kind::kNetwork) && name == "images") {
    b.json.Object();
    b.Logos(1 + static_cast<int>(b.random.Below(2)));
    return b.json.EndObject().Take();
  }
  if ((kind == Kind::kCompany || kind == Kind::kNetwork) && name == "alternative_names") {
    b.json.Object().Key("results").Array();
    for (auto n = b.random.Below(3); n > 0; --n) {
      b.json.Object().Text("name", Title(b.random, Script::kEnglish)).Text("type", "").EndObject();
    }
    return b.json.EndArray().EndObject().Take();
  }
  return std::nullopt;
}

std::optional<std::string> SyntheticWorld::MoviePart(const Subject& subject, std::string_view name) const {
  Builder b(*this, For(subject.kind, subject.id, name));
  JsonWriter& json = b.json;
  const double weight = subject.weight;
  if (name == "alternative_titles") {
    json.Object().Key("titles").Array();
    for (int i = Count(b.random, 2, weight); i > 0; --i) {
      const Language& language = Languages()[b.random.Below(Languages().size())];
      json.Object().Text("iso_3166_1", language.country).Text("title", Title(b.random, language.script));
      json.Text("type", b.random.Chance(0.7) ? "" : "working title").EndObject();
    }
    json.EndArray().EndObject();
  } else if (name == "credits") {
    json.Object();
    const int cast = Count(b.random, 9, weight);
    b.Credits(cast, Count(b.random, 8, weight), true);
    json.EndObject();
  } else if (name == "external_ids") {
    json.Object().Text("imdb_id", fmt::format("tt{:07}", subject.id * 13 + 1000));
    b.random.Chance(0.5) ? json.Null("wikidata_id")
                         : json.Text("wikidata_id", fmt::format("Q{}", subject.id * 31));
    for (const std::string_view network : {"facebook_id", "instagram_id", "twitter_id"})
      b.TextOrNothing(network, "Film");
    json.EndObject();
  } else if (name == "images") {
    json.Object();
    b.Images("backdrops", Count(b.random, 4, weight), 1920, 1080);
    b.Images("logos", Count(b.random, 1, weight), 1200, 480, ".png");
    b.Images("posters", Count(b.random, 6, weight), 2000, 3000);
    json.EndObject();
  } else if (name == "keywords") {
    b.Keywords("keywords", Count(b.random, 5, weight), false);
  } else if (name == "lists") {
    b.Lists(Count(b.random, 2, 1));
  } else if (name == "recommendations" || name == "similar") {
    b.Page(Kind::kMovie, 20);
  } else if (name == "release_dates") {
    json.Object().Key("results").Array();
    for (int i = 0, n = std::min(36, Count(b.random, 4, weight)); i < n; ++i) {
      json.Object()
          .Text("iso_3166_1", Languages()[static_cast<std::size_t>(i)].country)
          .Key("release_dates")
          .Array();
      for (auto m = 1 + b.random.Below(2); m > 0; --m) {
        json.Object()
            .Text("certification", b.random.Chance(0.4) ? "" : "PG-13")
            .Key("descriptors")
            .Array()
            .EndArray();
        json.Text("iso_639_1", b.random.Chance(0.9) ? "" : "en")
            .Text("note", b.random.Chance(0.7) ? "" : "Blu-ray");
        json.Text("release_date", Date(b.random) + "T00:00:00.000Z")
            .Int("type", b.random.Between(1, 6))
            .EndObject();
      }
      json.EndArray().EndObject();
    }
    json.EndArray().EndObject();
  } else if (name == "reviews") {
    b.Reviews(Count(b.random, 0.2, weight));
  } else if (name == "translations") {
    b.Translations(1 + Count(b.random, 5, weight), Texts::kMovie, 220);
  } else if (name == "videos") {
    b.Videos(Count(b.random, 0.8, weight));
  } else if (name == "watch/providers") {
    b.WatchProviders("movie", subject.id, Count(b.random, 5, weight));
  } else {
    return std::nullopt;
  }
  return json.Take();
}

std::optional<std::string> SyntheticWorld::PersonPart(const Subject& subject, std::string_view name) const {
  Builder b(*this, For(subject.kind, subject.id, name));
  JsonWriter& json = b.json;
  if (name == "combined_credits") {
    b.PersonCredits(true, true, subject.weight);
  } else if (name == "movie_credits") {
    b.PersonCredits(true, false, subject.weight);
  } else if (name == "tv_credits") {
    b.PersonCredits(false, true, subject.weight);
  } else if (name == "external_ids") {
    json.Object().Null("freebase_mid").Null("freebase_id");
    b.random.Chance(0.3) ? json.Null("imdb_id")
                         : json.Text("imdb_id", fmt::format("nm{:07}", subject.id * 7 + 12));
    b.random.Chance(0.8) ? json.Null("tvrage_id") : json.Int("tvrage_id", b.random.Between(1, 200'000));
    for (const std::string_view network :
         {"wikidata_id", "facebook_id", "instagram_id", "tiktok_id", "twitter_id", "youtube_id"}) {
      b.TextOrNothing(network, "someone");
    }
    json.EndObject();
  } else if (name == "images") {
    json.Object();
    b.Images("profiles", Count(b.random, 2, subject.weight), 1000, 1500);
    json.EndObject();
  } else if (name == "tagged_images") {
    json.Object()
        .Int("page", 0)
        .Key("results")
        .Array()
        .EndArray()
        .Int("total_pages", 0)
        .Int("total_results", 0)
        .EndObject();
  } else if (name == "translations") {
    b.Translations(Count(b.random, 2, subject.weight), Texts::kPerson, 400);
  } else {
    return std::nullopt;
  }
  return json.Take();
}

}  // namespace tmdbc::sim
