// SPDX-License-Identifier: MIT
#include "synthetic_builder.h"

#include <fmt/core.h>

#include <algorithm>

namespace tmdbc::sim {
namespace {

constexpr std::array<std::pair<int, std::string_view>, 10> kGenres = {{{18, "Drama"},
                                                                       {35, "Comedy"},
                                                                       {99, "Documentary"},
                                                                       {28, "Action"},
                                                                       {53, "Thriller"},
                                                                       {10749, "Romance"},
                                                                       {16, "Animation"},
                                                                       {80, "Crime"},
                                                                       {10765, "Sci-Fi & Fantasy"},
                                                                       {10751, "Family"}}};

}  // namespace

const std::array<Job, 14> kJobs = {{{"Directing", "Director"},
                                    {"Writing", "Screenplay"},
                                    {"Writing", "Novel"},
                                    {"Production", "Producer"},
                                    {"Production", "Executive Producer"},
                                    {"Camera", "Director of Photography"},
                                    {"Editing", "Editor"},
                                    {"Sound", "Original Music Composer"},
                                    {"Sound", "Sound Re-Recording Mixer"},
                                    {"Art", "Production Design"},
                                    {"Costume & Make-Up", "Costume Design"},
                                    {"Visual Effects", "Visual Effects Supervisor"},
                                    {"Crew", "Thanks"},
                                    {"Lighting", "Gaffer"}}};

int Count(Random& random, double mean, double weight) {
  const double spread = 0.4 + 1.2 * random.Unit();
  return static_cast<int>(mean * weight * spread + random.Unit() * 0.8);
}

void SyntheticWorld::Builder::Path(std::string_view name, double chance_of_null, std::string_view extension) {
  if (random.Chance(chance_of_null)) {
    json.Null(name);
  } else {
    json.Text(name, FilePath(random, extension));
  }
}

void SyntheticWorld::Builder::Votes(double rating, std::int64_t votes, bool bare_zero) {
  if (votes == 0 && bare_zero) {
    json.Int("vote_average", 0);
  } else {
    json.Real("vote_average", votes == 0 ? 0 : rating, 3);
  }
  json.Int("vote_count", votes);
}

void SyntheticWorld::Builder::Genres() {
  json.Key("genres").Array();
  const auto first = random.Below(kGenres.size());
  for (std::uint64_t i = 0, n = random.Below(4); i < n; ++i) {
    const auto& [id, name] = kGenres[(first + i * 3) % kGenres.size()];
    json.Object().Int("id", id).Text("name", name).EndObject();
  }
  json.EndArray();
}

void SyntheticWorld::Builder::GenreIds() {
  json.Key("genre_ids").Array();
  const auto first = random.Below(kGenres.size());
  for (std::uint64_t i = 0, n = random.Below(4); i < n; ++i)
    json.Int(kGenres[(first + i * 3) % kGenres.size()].first);
  json.EndArray();
}

void SyntheticWorld::Builder::Organisation(const Subject& subject) {
  Random own = world_.For(subject.kind, subject.id, "logo");
  json.Object().Int("id", subject.id).TextOrNull("logo_path", own.Chance(0.4) ? "" : FilePath(own, ".png"));
  json.Text("name", subject.name)
      .Text("origin_country", own.Chance(0.2) ? "" : Languages()[subject.language].country)
      .EndObject();
}

void SyntheticWorld::Builder::Organisations(std::string_view name, Kind kind, int count) {
  json.Key(name).Array();
  for (; count > 0; --count) {
    if (const auto subject = world_.Any(kind, random)) Organisation(*subject);
  }
  json.EndArray();
}

void SyntheticWorld::Builder::Countries(const Language& language) {
  json.Key("production_countries").Array();
  if (!random.Chance(0.1)) {
    json.Object().Text("iso_3166_1", language.country).Text("name", language.country_name).EndObject();
  }
  json.EndArray();
}

void SyntheticWorld::Builder::SpokenLanguages(const Language& language) {
  json.Key("spoken_languages").Array();
  if (!random.Chance(0.1)) {
    json.Object().Text("english_name", language.english_name).Text("iso_639_1", language.code);
    json.Text("name", language.name).EndObject();
  }
  json.EndArray();
}

void SyntheticWorld::Builder::PersonHead(const Subject& person) {
  Random own = world_.For(person.kind, person.id, "mention");
  json.Bool("adult", person.adult)
      .Int("gender", static_cast<std::int64_t>(own.Below(4) % 3))
      .Int("id", person.id);
  json.Text("known_for_department", Department(own))
      .Text("name", person.name)
      .Text("original_name", person.original_name);
  json.Real("popularity", person.popularity);
  if (own.Chance(0.45)) {
    json.Null("profile_path");
  } else {
    json.Text("profile_path", FilePath(own));
  }
}

std::string_view SyntheticWorld::Builder::Department(Random& own) {
  return own.Chance(0.6) ? "Acting" : Pick(own, kJobs).department;
}

void SyntheticWorld::Builder::Character() {
  if (random.Chance(0.05)) {
    json.Text("character", "");
  } else {
    json.Text("character",
              random.Chance(0.1) ? PersonName(random) + " / Self (archive footage)" : PersonName(random));
  }
}

void SyntheticWorld::Builder::Credits(int cast, int crew, bool cast_ids) {
  json.Key("cast").Array();
  for (int order = 0; order < cast; ++order) {
    const auto person = world_.Any(Kind::kPerson, random);
    if (!person) break;
    json.Object();
    PersonHead(*person);
    if (cast_ids) json.Int("cast_id", order + 3);
    Character();
    json.Text("credit_id", HexId(random)).Int("order", order).EndObject();
  }
  json.EndArray();
  json.Key("crew").Array();
  for (int i = 0; i < crew; ++i) {
    const auto person = world_.Any(Kind::kPerson, random);
    if (!person) break;
    const Job& job = Pick(random, kJobs);
    json.Object();
    PersonHead(*person);
    json.Text("credit_id", HexId(random)).Text("department", job.department).Text("job", job.job).EndObject();
  }
  json.EndArray();
}

void SyntheticWorld::Builder::AggregateCredits(int cast, int crew, int episodes) {
  json.Object().Key("cast").Array();
  for (int order = 0; order < cast; ++order) {
    const auto person = world_.Any(Kind::kPerson, random);
    if (!person) break;
    const std::int64_t count = random.Between(1, std::max(1, episodes));
    json.Object();
    PersonHead(*person);
    json.Key("roles").Array().Object().Text("credit_id", HexId(random));
    Character();
    json.Int("episode_count", count)
        .EndObject()
        .EndArray()
        .Int("total_episode_count", count)
        .Int("order", order)
        .EndObject();
  }
  json.EndArray().Key("crew").Array();
  for (int i = 0; i < crew; ++i) {
    const auto person = world_.Any(Kind::kPerson, random);
    if (!person) break;
    const Job& job = Pick(random, kJobs);
    const std::int64_t count = random.Between(1, std::max(1, episodes));
    json.Object();
    PersonHead(*person);
    json.Key("jobs")
        .Array()
        .Object()
        .Text("credit_id", HexId(random))
        .Text("job", job.job)
        .Int("episode_count", count)
        .EndObject();
    json.EndArray().Text("department", job.department).Int("total_episode_count", count).EndObject();
  }
  json.EndArray().EndObject();
}

void SyntheticWorld::Builder::Images(std::string_view name, int count, int width, int height,
                                     std::string_view extension) {
  json.Key(name).Array();
  for (int i = 0; i < count; ++i) {
    const Language& language = Languages()[random.Below(Languages().size())];
    const bool wordless = random.Chance(0.3);
    const std::int64_t votes = random.Chance(0.5) ? 0 : random.Between(1, 30);
    json.Object().Real("aspect_ratio", static_cast<double>(width) / height, 3).Int("height", height);
    json.TextOrNull("iso_3166_1", wordless ? "" : language.country)
        .TextOrNull("iso_639_1", wordless ? "" : language.code);
    json.Text("file_path", FilePath(random, random.Chance(0.1) && extension == ".png" ? ".svg" : extension));
    Votes(5 + random.Unit(), votes, true);
    json.Int("width", width).EndObject();
  }
  json.EndArray();
}

void SyntheticWorld::Builder::Logos(int count) {
  json.Key("logos").Array();
  for (int i = 0; i < count; ++i) {
    const std::int64_t votes = random.Between(0, 3);
    json.Object()
        .Real("aspect_ratio", 2.5 + random.Unit(), 16)
        .Text("file_path", FilePath(random, ".svg"))
        .Int("height", 268);
    json.Text("id", HexId(random)).Text("file_type", ".svg");
    Votes(5, votes);
    json.Int("width", 1000).EndObject();
  }
  json.EndArray();
}

void SyntheticWorld::Builder::Videos(int count) {
  json.Object().Key("results").Array();
  for (int i = 0; i < count; ++i) {
    const bool foreign = world_.options_.foreign_videos > 0 && random.Chance(world_.options_.foreign_videos);
    const bool wordless = foreign && random.Chance(0.1);
    const Language& language = Languages()[foreign ? random.Below(Languages().size()) : 0];
    json.Object()
        .TextOrNull("iso_639_1", wordless ? "" : language.code)
        .TextOrNull("iso_3166_1", wordless ? "" : language.country)
        .Text("name", Title(random, Script::kEnglish) + " | Official Trailer");
    json.Text("key", FilePath(random, "").substr(1, 11))
        .Text("site", random.Chance(0.9) ? "YouTube" : "Vimeo");
    json.Int("size", random.Chance(0.8) ? 1080 : 480).Text("type", random.Chance(0.6) ? "Trailer" : "Teaser");
    json.Bool("official", random.Chance(0.8))
        .Text("id", HexId(random))
        .Text("published_at", Instant(random))
        .EndObject();
  }
  json.EndArray().EndObject();
}

void SyntheticWorld::Builder::Translations(int count, Texts texts, std::size_t overview_bytes) {
  json.Object().Key("translations").Array();
  for (int i = 0; i < std::min<int>(count, static_cast<int>(Languages().size())); ++i) {
    const Language& language = Languages()[static_cast<std::size_t>(i)];
    json.Object().Text("iso_3166_1", language.country).Text("iso_639_1", language.code);
    json.Text("name", language.name).Text("english_name", language.english_name).Key("data").Object();
    const std::string text = random.Chance(0.1) ? ""
                                                : Prose(random, language.script,
                                                        overview_bytes / 2 + random.Below(overview_bytes));
    const std::string name = i == 0 || random.Chance(0.15) ? "" : Title(random, language.script);
    if (texts == Texts::kPerson) {
      json.Text("biography", text).Text("name", name).Bool("primary", i == 0);
    } else if (texts == Texts::kMovie) {
      json.Text("homepage", "").Text("overview", text).Int("runtime", random.Chance(0.5) ? 0 : 98);
      json.Text("tagline", random.Chance(0.6) ? "" : Sentence(random, language.script)).Text("title", name);
    } else if (texts == Texts::kCollection) {
      json.Text("title", name).Text("overview", text).Text("homepage", "");
    } else if (texts == Texts::kPartOfShow) {
      json.Text("name", name).Text("overview", text);
    } else {
      json.Text("name", name).Text("overview", text).Text("homepage", "");
      json.Text("tagline", random.Chance(0.7) ? "" : Sentence(random, language.script));
    }
    json.EndObject().EndObject();
  }
  json.EndArray().EndObject();
}

void SyntheticWorld::Builder::Keywords(std::string_view name, int count, bool name_first) {
  json.Object().Key(name).Array();
  for (int i = 0; i < count; ++i) {
    const auto keyword = world_.Any(Kind::kKeyword, random);
    if (!keyword) break;
    json.Object();
    if (name_first) {
      json.Text("name", keyword->name).Int("id", keyword->id);
    } else {
      json.Int("id", keyword->id).Text("name", keyword->name);
    }
    json.EndObject();
  }
  json.EndArray().EndObject();
}

void SyntheticWorld::Builder::WatchProviders(std::string_view type, std::int64_t id, int count) {
  json.Object().Key("results").Object();
  std::string_view last;
  for (int i = 0; i < std::min<int>(count, 34); ++i) {
    const Language& language = Languages()[static_cast<std::size_t>(i)];
    if (language.country == "ES" && last == "seen") continue;
    if (language.country == "ES") last = "seen";
    json.Key(language.country).Object();
    json.Text("link",
              fmt::format("https://www.themoviedb.org/{}/{}/watch?locale={}", type, id, language.country));
    for (const std::string_view way : {"flatrate", "buy", "rent", "free", "ads"}) {
      if (!random.Chance(way == "free" || way == "ads" ? 0.05 : 0.5)) continue;
      json.Key(way).Array();
      for (auto n = 1 + random.Below(2); n > 0; --n) {
        const auto provider = 1 + random.Below(60);
        Random own(world_.options_.seed, HashText("provider"), provider);
        json.Object()
            .Text("logo_path", FilePath(own))
            .Int("provider_id", static_cast<std::int64_t>(provider));
        json.Text("provider_name", Title(own, Script::kEnglish))
            .Int("display_priority", random.Between(0, 130))
            .EndObject();
      }
      json.EndArray();
    }
    json.EndObject();
  }
  json.EndObject().EndObject();
}

void SyntheticWorld::Builder::Reviews(int count) {
  json.Object().Int("page", 1).Key("results").Array();
  for (int i = 0; i < count; ++i) {
    const std::string author = PersonName(random);
    const std::string review = HexId(random);
    json.Object()
        .Text("author", author)
        .Key("author_details")
        .Object()
        .Text("name", random.Chance(0.6) ? "" : author);
    json.Text("username", Word(random, Script::kEnglish)).Null("avatar_path");
    if (random.Chance(0.2)) {
      json.Null("rating");
    } else {
      json.Real("rating", static_cast<double>(random.Between(1, 10)), 1);
    }
    json.EndObject().Text("content", Prose(random, Script::kEnglish, 200 + random.Below(1500)));
    json.Text("created_at", Instant(random)).Text("id", review).Text("updated_at", Instant(random));
    json.Text("url", "https://www.themoviedb.org/review/" + review).EndObject();
  }
  json.EndArray().Int("total_pages", count > 0 ? 1 : 0).Int("total_results", count).EndObject();
}

void SyntheticWorld::Builder::Row(const Subject& subject, bool media_type) {
  const bool movie = subject.kind == Kind::kMovie;
  const Language& language = Languages()[subject.language];
  Random own = world_.For(subject.kind, subject.id, "row");
  json.Bool("adult", subject.adult).TextOrNull("backdrop_path", own.Chance(0.3) ? "" : FilePath(own));
  GenreIds();
  json.Int("id", subject.id);
  if (movie) {
    json.Text("title", subject.name);
  } else {
    json.Key("origin_country").Array().Text(language.country).EndArray();
  }
  json.Text("original_language", language.code)
      .Text(movie ? "original_title" : "original_name", subject.original_name);
  json.Text("overview", own.Chance(0.1) ? "" : Prose(own, Script::kEnglish, 150))
      .Real("popularity", subject.popularity);
  json.TextOrNull("poster_path", own.Chance(0.15) ? "" : FilePath(own));
  json.Text(movie ? "release_date" : "first_air_date", own.Chance(0.05) ? "" : Date(own, 1950))
      .Bool("softcore", false);
  if (movie) {
    json.Bool("video", false);
  } else {
    json.Text("name", subject.name);
  }
  Votes(subject.rating, subject.votes);
  if (media_type) json.Text("media_type", movie ? "movie" : "tv");
}

void SyntheticWorld::Builder::Page(Kind kind, int count) {
  json.Object().Int("page", 1).Key("results").Array();
  for (int i = 0; i < count; ++i) {
    const auto other = world_.Any(kind, random);
    if (!other) break;
    json.Object();
    Row(*other, true);
    json.EndObject();
  }
  json.EndArray().Int("total_pages", count == 20 ? 2 : 1).Int("total_results", count).EndObject();
}

void SyntheticWorld::Builder::Lists(int count) {
  json.Object().Int("page", 1).Key("results").Array();
  for (int i = 0; i < count; ++i) {
    json.Object().Text("description", "").Int("favorite_count", 0).Int("id", random.Between(1, 8'000'000));
    json.Int("item_count", random.Between(5, 900)).Text("iso_639_1", "en").Text("iso_3166_1", "US");
    json.Text("name", Title(random, Script::kEnglish)).Null("poster_path").EndObject();
  }
  json.EndArray().Int("total_pages", 1).Int("total_results", count).EndObject();
}

void SyntheticWorld::Builder::PersonCredits(bool movies, bool shows, double weight) {
  json.Object();
  for (const bool cast : {true, false}) {
    json.Key(cast ? "cast" : "crew").Array();
    for (int i = 0, n = Count(random, cast ? 7 : 3, weight); i < n; ++i) {
      const bool movie = movies && (!shows || random.Chance(0.75));
      const auto title = world_.Any(movie ? Kind::kMovie : Kind::kTv, random);
      if (!title) continue;
      json.Object();
      Row(*title, false);
      if (cast) Character();
      json.Text("credit_id", HexId(random));
      if (cast && movie) json.Int("order", static_cast<std::int64_t>(random.Below(60)));
      if (!cast) {
        const Job& job = Pick(random, kJobs);
        json.Text("department", job.department);
        if (!movie) json.Int("episode_count", random.Between(0, 20));
        json.Text("job", job.job);
      } else if (!movie) {
        json.Int("episode_count", random.Between(1, 60))
            .TextOrNull("first_credit_air_date", random.Chance(0.1) ? "" : Date(random, 1980));
      }
      if (movies && shows) json.Text("media_type", movie ? "movie" : "tv");
      json.EndObject();
    }
    json.EndArray();
  }
  json.EndObject();
}

void SyntheticWorld::Builder::TextOrNothing(std::string_view name, std::string_view value) {
  const auto form = random.Below(4);
  if (form == 0) {
    json.Text(name, "");
  } else if (form == 1) {
    json.Text(name, value);
  } else {
    json.Null(name);
  }
}

}  // namespace tmdbc::sim
