// SPDX-License-Identifier: MIT
// The bodies of SyntheticWorld: members, order and types as recorded from TMDB (TMDB.md section 5.5), everything in them made up.
#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "json.h"
#include "synthetic_world.h"
#include "text.h"

namespace tmdbc::sim {
namespace {

struct Job {
  std::string_view department, job;
};
constexpr std::array<Job, 14> kJobs = {{{"Directing", "Director"},
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

// About `mean` things, more for the famous, now and then none.
int Count(Random& random, double mean, double weight) {
  const double spread = 0.4 + 1.2 * random.Unit();
  return static_cast<int>(mean * weight * spread + random.Unit() * 0.8);
}

template <class T, std::size_t N>
const T& Pick(Random& random, const std::array<T, N>& from) {
  return from[random.Below(N)];
}

}  // namespace

// Writes the pieces that several bodies share.
class SyntheticWorld::Builder {
 public:
  Builder(const SyntheticWorld& world, Random r) : world_(world), random(r) {}

  void Path(std::string_view name, double chance_of_null, std::string_view extension = ".jpg") {
    if (random.Chance(chance_of_null)) {
      json.Null(name);
    } else {
      json.Text(name, FilePath(random, extension));
    }
  }

  // Films say 0.0, some parts say 0.
  void Votes(double rating, std::int64_t votes, bool bare_zero = false) {
    if (votes == 0 && bare_zero) {
      json.Int("vote_average", 0);
    } else {
      json.Real("vote_average", votes == 0 ? 0 : rating, 3);
    }
    json.Int("vote_count", votes);
  }

  void Genres() {
    json.Key("genres").Array();
    const auto first = random.Below(kGenres.size());
    for (std::uint64_t i = 0, n = random.Below(4); i < n; ++i) {
      const auto& [id, name] = kGenres[(first + i * 3) % kGenres.size()];
      json.Object().Int("id", id).Text("name", name).EndObject();
    }
    json.EndArray();
  }

  void GenreIds() {
    json.Key("genre_ids").Array();
    const auto first = random.Below(kGenres.size());
    for (std::uint64_t i = 0, n = random.Below(4); i < n; ++i) json.Int(kGenres[(first + i * 3) % kGenres.size()].first);
    json.EndArray();
  }

  void Organisation(const Subject& subject) {
    Random own = world_.For(subject.kind, subject.id, "logo");
    json.Object().Int("id", subject.id).TextOrNull("logo_path", own.Chance(0.4) ? "" : FilePath(own, ".png"));
    json.Text("name", subject.name).Text("origin_country", own.Chance(0.2) ? "" : Languages()[subject.language].country).EndObject();
  }

  void Organisations(std::string_view name, Kind kind, int count) {
    json.Key(name).Array();
    for (; count > 0; --count) {
      if (const auto subject = world_.Any(kind, random)) Organisation(*subject);
    }
    json.EndArray();
  }

  void Countries(const Language& language) {
    json.Key("production_countries").Array();
    if (!random.Chance(0.1)) {
      json.Object().Text("iso_3166_1", language.country).Text("name", language.country_name).EndObject();
    }
    json.EndArray();
  }

  void SpokenLanguages(const Language& language) {
    json.Key("spoken_languages").Array();
    if (!random.Chance(0.1)) {
      json.Object().Text("english_name", language.english_name).Text("iso_639_1", language.code);
      json.Text("name", language.name).EndObject();
    }
    json.EndArray();
  }

  // adult, gender, id ... profile_path: what every mention of a person begins with.
  void PersonHead(const Subject& person) {
    Random own = world_.For(person.kind, person.id, "mention");
    json.Bool("adult", person.adult).Int("gender", static_cast<std::int64_t>(own.Below(4) % 3)).Int("id", person.id);
    json.Text("known_for_department", Department(own)).Text("name", person.name).Text("original_name", person.original_name);
    json.Real("popularity", person.popularity);
    if (own.Chance(0.45)) {
      json.Null("profile_path");
    } else {
      json.Text("profile_path", FilePath(own));
    }
  }

  static std::string_view Department(Random& own) { return own.Chance(0.6) ? "Acting" : Pick(own, kJobs).department; }

  void Character() {
    if (random.Chance(0.05)) {
      json.Text("character", "");
    } else {
      json.Text("character", random.Chance(0.1) ? PersonName(random) + " / Self (archive footage)" : PersonName(random));
    }
  }

  // cast[] and crew[] of a film, a show (`cast_ids` false) or an episode.
  void Credits(int cast, int crew, bool cast_ids) {
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

  void AggregateCredits(int cast, int crew, int episodes) {
    json.Object().Key("cast").Array();
    for (int order = 0; order < cast; ++order) {
      const auto person = world_.Any(Kind::kPerson, random);
      if (!person) break;
      const std::int64_t count = random.Between(1, std::max(1, episodes));
      json.Object();
      PersonHead(*person);
      json.Key("roles").Array().Object().Text("credit_id", HexId(random));
      Character();
      json.Int("episode_count", count).EndObject().EndArray().Int("total_episode_count", count).Int("order", order).EndObject();
    }
    json.EndArray().Key("crew").Array();
    for (int i = 0; i < crew; ++i) {
      const auto person = world_.Any(Kind::kPerson, random);
      if (!person) break;
      const Job& job = Pick(random, kJobs);
      const std::int64_t count = random.Between(1, std::max(1, episodes));
      json.Object();
      PersonHead(*person);
      json.Key("jobs").Array().Object().Text("credit_id", HexId(random)).Text("job", job.job).Int("episode_count", count).EndObject();
      json.EndArray().Text("department", job.department).Int("total_episode_count", count).EndObject();
    }
    json.EndArray().EndObject();
  }

  void Images(std::string_view name, int count, int width, int height, std::string_view extension = ".jpg") {
    json.Key(name).Array();
    for (int i = 0; i < count; ++i) {
      const Language& language = Languages()[random.Below(Languages().size())];
      const bool wordless = random.Chance(0.3);
      const std::int64_t votes = random.Chance(0.5) ? 0 : random.Between(1, 30);
      json.Object().Real("aspect_ratio", static_cast<double>(width) / height, 3).Int("height", height);
      json.TextOrNull("iso_3166_1", wordless ? "" : language.country).TextOrNull("iso_639_1", wordless ? "" : language.code);
      json.Text("file_path", FilePath(random, random.Chance(0.1) && extension == ".png" ? ".svg" : extension));
      Votes(5 + random.Unit(), votes, true);
      json.Int("width", width).EndObject();
    }
    json.EndArray();
  }

  void Logos(int count) {
    json.Key("logos").Array();
    for (int i = 0; i < count; ++i) {
      const std::int64_t votes = random.Between(0, 3);
      json.Object().Real("aspect_ratio", 2.5 + random.Unit(), 16).Text("file_path", FilePath(random, ".svg")).Int("height", 268);
      json.Text("id", HexId(random)).Text("file_type", ".svg");
      Votes(5, votes);
      json.Int("width", 1000).EndObject();
    }
    json.EndArray();
  }

  void Videos(int count) {
    json.Object().Key("results").Array();
    for (int i = 0; i < count; ++i) {
      json.Object().Text("iso_639_1", "en").Text("iso_3166_1", "US").Text("name", Title(random, Script::kEnglish) + " | Official Trailer");
      json.Text("key", FilePath(random, "").substr(1, 11)).Text("site", random.Chance(0.9) ? "YouTube" : "Vimeo");
      json.Int("size", random.Chance(0.8) ? 1080 : 480).Text("type", random.Chance(0.6) ? "Trailer" : "Teaser");
      json.Bool("official", random.Chance(0.8)).Text("id", HexId(random)).Text("published_at", Instant(random)).EndObject();
    }
    json.EndArray().EndObject();
  }

  // `title` is how the type calls its name there: "title", "name" or, for people, nothing but a biography.
  void Translations(int count, std::string_view title, bool runtime, std::size_t overview_bytes) {
    json.Object().Key("translations").Array();
    for (int i = 0; i < std::min<int>(count, static_cast<int>(Languages().size())); ++i) {
      const Language& language = Languages()[static_cast<std::size_t>(i)];
      json.Object().Text("iso_3166_1", language.country).Text("iso_639_1", language.code);
      json.Text("name", language.name).Text("english_name", language.english_name).Key("data").Object();
      const std::string text = random.Chance(0.1) ? "" : Prose(random, language.script, overview_bytes / 2 + random.Below(overview_bytes));
      const std::string name = i == 0 || random.Chance(0.15) ? "" : Title(random, language.script);
      if (title.empty()) {
        json.Text("biography", text).Text("name", name).Bool("primary", i == 0);
      } else if (runtime) {
        json.Text("homepage", "").Text("overview", text).Int("runtime", random.Chance(0.5) ? 0 : 98);
        json.Text("tagline", random.Chance(0.6) ? "" : Sentence(random, language.script)).Text(title, name);
      } else {
        json.Text(title, name).Text("overview", text).Text("homepage", "");
        json.Text("tagline", random.Chance(0.7) ? "" : Sentence(random, language.script));
      }
      json.EndObject().EndObject();
    }
    json.EndArray().EndObject();
  }

  void Keywords(std::string_view name, int count, bool name_first) {
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

  void WatchProviders(std::string_view type, std::int64_t id, int count) {
    json.Object().Key("results").Object();
    std::string_view last;
    for (int i = 0; i < std::min<int>(count, 34); ++i) {
      const Language& language = Languages()[static_cast<std::size_t>(i)];
      if (language.country == "ES" && last == "seen") continue;
      if (language.country == "ES") last = "seen";
      json.Key(language.country).Object();
      json.Text("link", fmt::format("https://www.themoviedb.org/{}/{}/watch?locale={}", type, id, language.country));
      for (const std::string_view way : {"flatrate", "buy", "rent", "free", "ads"}) {
        if (!random.Chance(way == "free" || way == "ads" ? 0.05 : 0.5)) continue;
        json.Key(way).Array();
        for (auto n = 1 + random.Below(2); n > 0; --n) {
          const auto provider = 1 + random.Below(60);
          Random own(world_.options_.seed, HashText("provider"), provider);
          json.Object().Text("logo_path", FilePath(own)).Int("provider_id", static_cast<std::int64_t>(provider));
          json.Text("provider_name", Title(own, Script::kEnglish)).Int("display_priority", random.Between(0, 130)).EndObject();
        }
        json.EndArray();
      }
      json.EndObject();
    }
    json.EndObject().EndObject();
  }

  void Reviews(std::string_view type, std::int64_t id, int count) {
    (void)type, (void)id;
    json.Object().Int("page", 1).Key("results").Array();
    for (int i = 0; i < count; ++i) {
      const std::string author = PersonName(random);
      const std::string review = HexId(random);
      json.Object().Text("author", author).Key("author_details").Object().Text("name", random.Chance(0.6) ? "" : author);
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

  // A row of a list: what search, recommendations, collections and credits show of a film or a show.
  void Row(const Subject& subject, bool media_type) {
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
    json.Text("original_language", language.code).Text(movie ? "original_title" : "original_name", subject.original_name);
    json.Text("overview", own.Chance(0.1) ? "" : Prose(own, Script::kEnglish, 150)).Real("popularity", subject.popularity);
    json.TextOrNull("poster_path", own.Chance(0.15) ? "" : FilePath(own));
    json.Text(movie ? "release_date" : "first_air_date", own.Chance(0.05) ? "" : Date(own, 1950)).Bool("softcore", false);
    if (movie) {
      json.Bool("video", false);
    } else {
      json.Text("name", subject.name);
    }
    Votes(subject.rating, subject.votes);
    if (media_type) json.Text("media_type", movie ? "movie" : "tv");
  }

  void Page(Kind kind, int count) {
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

  void Lists(int count) {
    json.Object().Int("page", 1).Key("results").Array();
    for (int i = 0; i < count; ++i) {
      json.Object().Text("description", "").Int("favorite_count", 0).Int("id", random.Between(1, 8'000'000));
      json.Int("item_count", random.Between(5, 900)).Text("iso_639_1", "en").Text("list_type", "movie");
      json.Text("name", Title(random, Script::kEnglish)).Null("poster_path").EndObject();
    }
    json.EndArray().Int("total_pages", 1).Int("total_results", count).EndObject();
  }

  void PersonCredits(bool movies, bool shows, double weight) {
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
          json.Int("episode_count", random.Between(1, 60)).TextOrNull("first_credit_air_date", random.Chance(0.1) ? "" : Date(random, 1980));
        }
        if (movies && shows) json.Text("media_type", movie ? "movie" : "tv");
        json.EndObject();
      }
      json.EndArray();
    }
    json.EndObject();
  }

  void TextOrNothing(std::string_view name, std::string_view value) {
    const auto form = random.Below(4);
    if (form == 0) {
      json.Text(name, "");
    } else if (form == 1) {
      json.Text(name, value);
    } else {
      json.Null(name);
    }
  }

 private:
  const SyntheticWorld& world_;

 public:
  Random random;
  JsonWriter json;
};

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
  const auto money = b.random.Chance(0.7) ? 0 : static_cast<std::int64_t>(1e6 * subject.weight * subject.weight * (1 + 9 * b.random.Unit()));
  json.Int("budget", money);
  b.Genres();
  json.Text("homepage", b.random.Chance(0.7) ? "" : fmt::format("https://example.org/film/{}?a=1&b=2", subject.id)).Int("id", subject.id);
  if (b.random.Chance(0.2)) {
    b.random.Chance(0.5) ? json.Null("imdb_id") : json.Text("imdb_id", "");
  } else {
    json.Text("imdb_id", fmt::format("tt{:07}", subject.id * 13 + 1000));
  }
  json.Key("origin_country").Array().Text(language.country).EndArray();
  json.Text("original_language", language.code).Text("original_title", subject.original_name);
  const std::string overview =
      b.random.Chance(0.08) ? "" : Prose(b.random, Script::kEnglish, 120 + b.random.Below(450) + (b.random.Below(400) == 0 ? 9000 : 0));
  json.Text("overview", older ? Sentence(b.random, Script::kEnglish) : overview);
  json.Real("popularity", older ? subject.popularity / 2 : subject.popularity);
  b.Path("poster_path", 0.15);
  b.Organisations("production_companies", Kind::kCompany, Count(b.random, 1.2, std::sqrt(subject.weight)));
  b.Countries(language);
  json.Text("release_date", b.random.Chance(0.04) ? "" : Date(b.random)).Int("revenue", b.random.Chance(0.5) ? 0 : money * 31);
  json.Int("runtime", b.random.Chance(0.1) ? 0 : b.random.Between(3, 190)).Bool("softcore", subject.adult && b.random.Chance(0.3));
  b.SpokenLanguages(language);
  json.Text("status", b.random.Chance(0.95) ? "Released" : b.random.Chance(0.5) ? "In Production" : "Rumored");
  json.Text("tagline", b.random.Chance(0.6) ? "" : Sentence(b.random, Script::kEnglish)).Text("title", subject.name);
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
  for (auto n = b.random.Below(4); n > 0; --n) json.Text(Title(b.random, Languages()[b.random.Below(Languages().size())].script));
  json.EndArray();
  const bool known = b.random.Chance(0.4);
  json.Text("biography", older ? "" : known ? Prose(b.random, Script::kEnglish, static_cast<std::size_t>(300 + 900 * subject.weight)) : "");
  if (b.random.Chance(0.55)) {
    json.Null("birthday");
  } else {
    json.Text("birthday", b.random.Chance(0.03) ? "1945" : Date(b.random, 1890, 2010));
  }
  b.random.Chance(0.1) ? json.Text("deathday", Date(b.random, 1950)) : json.Null("deathday");
  json.Int("gender", gender);
  json.TextOrNull("homepage", b.random.Chance(0.95) ? "" : "https://example.org/people/" + std::to_string(subject.id));
  json.Int("id", subject.id);
  if (b.random.Chance(0.3)) {
    json.Null("imdb_id");
  } else {
    json.Text("imdb_id", fmt::format("nm{:07}", subject.id * 7 + 12));
  }
  json.Text("known_for_department", Builder::Department(mention)).Text("name", subject.name);
  json.TextOrNull("place_of_birth", b.random.Chance(0.6) ? "" : Title(b.random, Script::kLatin) + ", " + std::string(Languages()[subject.language].country_name));
  json.Real("popularity", older ? subject.popularity / 2 : subject.popularity);
  b.Path("profile_path", 0.5);
  return json.EndObject().Take();
}

std::string SyntheticWorld::Collection(const Subject& subject) const {
  Builder b(*this, For(subject.kind, subject.id, "details"));
  b.json.Object().Int("id", subject.id).Text("name", subject.name).Text("original_language", Languages()[subject.language].code);
  b.json.Text("original_name", subject.original_name).Text("overview", b.random.Chance(0.3) ? "" : Prose(b.random, Script::kEnglish, 300));
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
  b.json.Object().Text("description", "").Text("headquarters", b.random.Chance(0.5) ? "" : Title(b.random, Script::kLatin));
  b.json.Text("homepage", b.random.Chance(0.6) ? "" : "https://example.org/").Int("id", subject.id).TextOrNull("logo_path", logo);
  b.json.Text("name", subject.name).Text("origin_country", own.Chance(0.2) ? "" : Languages()[subject.language].country);
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
  b.json.Text("homepage", b.random.Chance(0.6) ? "" : "https://example.org/").Int("id", subject.id).TextOrNull("logo_path", logo);
  b.json.Text("name", subject.name).Text("origin_country", own.Chance(0.2) ? "" : Languages()[subject.language].country);
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
    b.Translations(Count(b.random, 5, subject->weight), "title", false, 150);
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
    b.random.Chance(0.5) ? json.Null("wikidata_id") : json.Text("wikidata_id", fmt::format("Q{}", subject.id * 31));
    for (const std::string_view network : {"facebook_id", "instagram_id", "twitter_id"}) b.TextOrNothing(network, "Film");
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
      json.Object().Text("iso_3166_1", Languages()[static_cast<std::size_t>(i)].country).Key("release_dates").Array();
      for (auto m = 1 + b.random.Below(2); m > 0; --m) {
        json.Object().Text("certification", b.random.Chance(0.4) ? "" : "PG-13").Key("descriptors").Array().EndArray();
        json.Text("iso_639_1", b.random.Chance(0.9) ? "" : "en").Text("note", b.random.Chance(0.7) ? "" : "Blu-ray");
        json.Text("release_date", Date(b.random) + "T00:00:00.000Z").Int("type", b.random.Between(1, 6)).EndObject();
      }
      json.EndArray().EndObject();
    }
    json.EndArray().EndObject();
  } else if (name == "reviews") {
    b.Reviews("movie", subject.id, Count(b.random, 0.2, weight));
  } else if (name == "translations") {
    b.Translations(1 + Count(b.random, 5, weight), "title", true, 220);
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
    b.random.Chance(0.3) ? json.Null("imdb_id") : json.Text("imdb_id", fmt::format("nm{:07}", subject.id * 7 + 12));
    b.random.Chance(0.8) ? json.Null("tvrage_id") : json.Int("tvrage_id", b.random.Between(1, 200'000));
    for (const std::string_view network : {"wikidata_id", "facebook_id", "instagram_id", "tiktok_id", "twitter_id", "youtube_id"}) {
      b.TextOrNothing(network, "someone");
    }
    json.EndObject();
  } else if (name == "images") {
    json.Object();
    b.Images("profiles", Count(b.random, 2, subject.weight), 1000, 1500);
    json.EndObject();
  } else if (name == "tagged_images") {
    json.Object().Int("page", 0).Key("results").Array().EndArray().Int("total_pages", 0).Int("total_results", 0).EndObject();
  } else if (name == "translations") {
    b.Translations(Count(b.random, 2, subject.weight), "", false, 400);
  } else {
    return std::nullopt;
  }
  return json.Take();
}

// Shows ------------------------------------------------------------------------------------------------------------------------

std::vector<SyntheticWorld::SeasonPlan> SyntheticWorld::PlanSeasons(const Subject& show) const {
  Random random = For(Kind::kTv, show.id, "seasons");
  std::vector<std::pair<int, int>> seasons;  // number, episodes
  const auto add = [&](int first, int count, int episodes) {
    for (int i = 0; i < count; ++i) seasons.emplace_back(first + i, episodes);
  };
  const int huge = options_.huge_show_episodes;
  if (show.index == 0 && huge > 0) {
    // One season with half of all, as daily programmes have, the rest in 20 more.
    add(0, 1, 3);
    add(1, 1, huge - 20 * (huge / 40) - 3);
    add(2, 20, huge / 40);
  } else if (show.index == 1) {
    add(1, 60, 4);
  } else if (show.index == 2) {
    // A show without any season: announced, nothing known yet.
  } else if (show.index == 3) {
    add(1, 10, 20);
  } else if (show.index == 4) {
    add(2015, 5, 6);  // seasons that are numbered by their year
  } else if (show.index == 5) {
    add(1, 2, 8), add(4, 2, 8);  // one in the middle is missing
  } else if (show.index == 6) {
    add(0, 13, 5);
  } else {
    const double u = random.Unit();
    const int count = u < 0.62 ? 1 : u < 0.78 ? 2 : u < 0.95 ? static_cast<int>(random.Between(3, 6)) : static_cast<int>(random.Between(7, 24));
    if (random.Chance(0.25)) add(0, 1, static_cast<int>(random.Between(1, 8)));
    add(1, count, static_cast<int>(random.Between(4, 14)));
  }
  std::vector<SeasonPlan> plans;
  int ordinal = 0;
  for (const auto& [number, episodes] : seasons) {
    const auto place = static_cast<std::int64_t>(plans.size());
    plans.push_back({{3000 + show.index * 128 + place, number}, episodes, ordinal});
    ordinal += episodes;
  }
  return plans;
}

std::string SyntheticWorld::Show(const Subject& subject, bool older) const {
  Builder b(*this, For(subject.kind, subject.id, "details"));
  JsonWriter& json = b.json;
  const Language& language = Languages()[subject.language];
  const std::vector<SeasonPlan> seasons = PlanSeasons(subject);
  int numbered = 0, episodes = 0;
  for (const SeasonPlan& season : seasons) {
    if (season.ref.number == 0) continue;
    ++numbered;
    episodes += season.episodes;
  }
  const bool ended = b.random.Chance(0.6);
  json.Object().Bool("adult", subject.adult);
  b.Path("backdrop_path", 0.3);
  json.Key("created_by").Array();
  for (auto n = b.random.Below(3); n > 0; --n) {
    const auto person = Any(Kind::kPerson, b.random);
    if (!person) break;
    json.Object().Int("id", person->id).Text("credit_id", HexId(b.random)).Text("name", person->name);
    json.Text("original_name", person->original_name).Int("gender", b.random.Between(0, 2));
    b.Path("profile_path", 0.4);
    json.EndObject();
  }
  json.EndArray().Key("episode_run_time").Array();
  if (b.random.Chance(0.2)) json.Int(45);
  json.EndArray();
  const std::string first = Date(b.random, 1960, 2020);
  if (seasons.empty()) {
    json.Null("first_air_date");
  } else {
    json.Text("first_air_date", first);
  }
  b.Genres();
  json.Text("homepage", b.random.Chance(0.5) ? "" : "https://example.org/show").Int("id", subject.id).Bool("in_production", !ended);
  json.Key("languages").Array().Text(language.code).EndArray();
  if (seasons.empty()) {
    json.Null("last_air_date").Null("last_episode_to_air");
  } else {
    const SeasonPlan& last = seasons.back();
    Random episode(options_.seed, HashText("episode"), last.ref.id, last.episodes);
    json.Text("last_air_date", Date(b.random, 2021));
    json.Key("last_episode_to_air").Object().Int("id", 1000 + subject.index * 8192 + last.first_episode + last.episodes);
    json.Text("name", Title(episode, Script::kEnglish)).Text("overview", Prose(b.random, Script::kEnglish, 200));
    b.Votes(7, b.random.Between(0, 40));
    // Numbers that fit no 32 bits have been seen here (TMDB.md section 9).
    json.Text("air_date", Date(b.random, 2021)).Int("episode_number", b.random.Below(500) == 0 ? 5'185'860'891 : last.episodes);
    json.Text("episode_type", ended ? "finale" : "standard").Text("production_code", "");
    b.random.Chance(0.2) ? json.Null("runtime") : json.Int("runtime", 48);
    json.Int("season_number", last.ref.number).Int("show_id", subject.id);
    b.Path("still_path", 0.3);
    json.EndObject();
  }
  json.Text("name", subject.name).Null("next_episode_to_air");
  b.Organisations("networks", Kind::kNetwork, static_cast<int>(b.random.Below(3)));
  json.Int("number_of_episodes", episodes).Int("number_of_seasons", numbered);
  json.Key("origin_country").Array().Text(language.country).EndArray();
  json.Text("original_language", language.code).Text("original_name", subject.original_name);
  const std::string overview = b.random.Chance(0.1) ? "" : Prose(b.random, Script::kEnglish, 120 + b.random.Below(500));
  json.Text("overview", older ? Sentence(b.random, Script::kEnglish) : overview);
  json.Real("popularity", older ? subject.popularity / 2 : subject.popularity);
  b.Path("poster_path", 0.15);
  b.Organisations("production_companies", Kind::kCompany, Count(b.random, 1, std::sqrt(subject.weight)));
  b.Countries(language);
  json.Key("seasons").Array();
  for (const SeasonPlan& season : seasons) {
    Random own(options_.seed, HashText("season"), season.ref.id);
    json.Object().TextOrNull("air_date", own.Chance(0.03) ? "" : Date(own, 1960)).Int("episode_count", season.episodes);
    json.Int("id", season.ref.id).Text("name", season.ref.number == 0 ? "Specials" : fmt::format("Season {}", season.ref.number));
    json.Text("overview", own.Chance(0.5) ? "" : Prose(own, Script::kEnglish, 200));
    json.TextOrNull("poster_path", own.Chance(0.1) ? "" : FilePath(own)).Int("season_number", season.ref.number);
    const double rating = own.Chance(0.3) ? 0 : 5 + 4 * own.Unit();
    rating == 0 && own.Chance(0.2) ? json.Int("vote_average", 0) : json.Real("vote_average", rating, 1);
    json.EndObject();
  }
  json.EndArray().Bool("softcore", false);
  b.SpokenLanguages(language);
  json.Text("status", ended ? "Ended" : b.random.Chance(0.8) ? "Returning Series" : "Canceled");
  json.Text("tagline", b.random.Chance(0.7) ? "" : Sentence(b.random, Script::kEnglish));
  json.Text("type", b.random.Chance(0.8) ? "Scripted" : "Miniseries");
  b.Votes(subject.rating, older ? subject.votes / 2 : subject.votes);
  return json.EndObject().Take();
}

std::optional<std::string> SyntheticWorld::ShowPart(const Subject& subject, std::string_view name) const {
  Builder b(*this, For(subject.kind, subject.id, name));
  JsonWriter& json = b.json;
  const double weight = subject.weight;
  if (name == "aggregate_credits") {
    const int cast = Count(b.random, 8, weight);
    b.AggregateCredits(cast, Count(b.random, 6, weight), 40);
  } else if (name == "alternative_titles") {
    json.Object().Key("results").Array();
    for (int i = Count(b.random, 2, weight); i > 0; --i) {
      const Language& language = Languages()[b.random.Below(Languages().size())];
      json.Object().Text("iso_3166_1", language.country).Text("title", Title(b.random, language.script)).Text("type", "").EndObject();
    }
    json.EndArray().EndObject();
  } else if (name == "content_ratings") {
    json.Object().Key("results").Array();
    for (int i = 0, n = std::min(36, Count(b.random, 2, weight)); i < n; ++i) {
      json.Object().Key("descriptors").Array().EndArray().Text("iso_3166_1", Languages()[static_cast<std::size_t>(i)].country);
      json.Text("rating", b.random.Chance(0.5) ? "TV-14" : "16").EndObject();
    }
    json.EndArray().EndObject();
  } else if (name == "credits") {
    json.Object();
    const int cast = Count(b.random, 6, weight);
    b.Credits(cast, Count(b.random, 4, weight), false);
    json.EndObject();
  } else if (name == "episode_groups") {
    json.Object().Key("results").Array();
    for (auto n = b.random.Below(10) == 0 ? 2 : 0; n > 0; --n) {
      json.Object().Text("description", "").Int("episode_count", 20).Int("group_count", 3).Text("id", HexId(b.random));
      json.Text("name", Title(b.random, Script::kEnglish)).Null("network").Int("type", b.random.Between(1, 7)).EndObject();
    }
    json.EndArray().EndObject();
  } else if (name == "external_ids") {
    json.Object().Text("imdb_id", b.random.Chance(0.2) ? "" : fmt::format("tt{:07}", subject.id * 17 + 5));
    json.Null("freebase_mid").Null("freebase_id");
    b.random.Chance(0.3) ? json.Null("tvdb_id") : json.Int("tvdb_id", subject.id * 3 + 70'000);
    b.random.Chance(0.7) ? json.Null("tvrage_id") : json.Int("tvrage_id", subject.id * 2);
    for (const std::string_view network : {"wikidata_id", "facebook_id", "instagram_id", "twitter_id"}) b.TextOrNothing(network, "Show");
    json.EndObject();
  } else if (name == "images") {
    json.Object();
    b.Images("backdrops", Count(b.random, 4, weight), 1920, 1080);
    b.Images("logos", Count(b.random, 1, weight), 1200, 480, ".png");
    b.Images("posters", Count(b.random, 6, weight), 2000, 3000);
    json.EndObject();
  } else if (name == "keywords") {
    b.Keywords("results", Count(b.random, 4, weight), true);
  } else if (name == "lists") {
    b.Lists(Count(b.random, 2, 1));
  } else if (name == "recommendations" || name == "similar") {
    b.Page(Kind::kTv, 20);
  } else if (name == "reviews") {
    b.Reviews("tv", subject.id, Count(b.random, 0.2, weight));
  } else if (name == "screened_theatrically") {
    json.Object().Key("results").Array().EndArray().EndObject();
  } else if (name == "translations") {
    b.Translations(1 + Count(b.random, 4, weight), "name", false, 220);
  } else if (name == "videos") {
    b.Videos(Count(b.random, 0.6, weight));
  } else if (name == "watch/providers") {
    b.WatchProviders("tv", subject.id, Count(b.random, 4, weight));
  } else {
    return std::nullopt;
  }
  return json.Take();
}

std::vector<SeasonRef> SyntheticWorld::Seasons(std::int64_t show) {
  std::vector<SeasonRef> refs;
  if (const auto subject = Find(Kind::kTv, show)) {
    for (const SeasonPlan& season : PlanSeasons(*subject)) refs.push_back(season.ref);
  }
  return refs;
}

std::string SyntheticWorld::EpisodeBody(const Subject& show, const SeasonPlan& season, int number, bool within_season) const {
  Builder b(*this, Random(options_.seed, HashText("episode"), season.ref.id, number));
  JsonWriter& json = b.json;
  const std::string name = Title(b.random, Script::kEnglish);
  const std::string air_date = b.random.Chance(0.03) ? "" : Date(b.random, 1970);
  const std::string overview = b.random.Chance(0.3) ? "" : Prose(b.random, Script::kEnglish, 60 + b.random.Below(300));
  const std::int64_t id = 1000 + show.index * 8192 + season.first_episode + number;
  const auto votes = b.random.Between(0, 40);
  const std::string still = b.random.Chance(0.3) ? "" : FilePath(b.random);
  const bool has_runtime = b.random.Chance(0.9);
  const int cast = Count(b.random, 1.2, show.weight);
  const int crew = Count(b.random, 0.9, show.weight);

  const auto crew_and_guests = [&] {
    json.Key("crew").Array();
    for (int i = 0; i < crew; ++i) {
      const auto person = Any(Kind::kPerson, b.random);
      if (!person) break;
      const Job& job = Pick(b.random, kJobs);
      json.Object().Text("department", job.department).Text("job", job.job).Text("credit_id", HexId(b.random));
      b.PersonHead(*person);
      json.EndObject();
    }
    json.EndArray();
  };
  const auto guests = [&] {
    json.Key("guest_stars").Array();
    for (int i = 0; i < cast; ++i) {
      const auto person = Any(Kind::kPerson, b.random);
      if (!person) break;
      json.Object();
      b.Character();
      json.Text("credit_id", HexId(b.random)).Int("order", 500 + i);
      b.PersonHead(*person);
      json.EndObject();
    }
    json.EndArray();
  };
  const auto runtime = [&] { has_runtime ? json.Int("runtime", 20 + number % 40) : json.Null("runtime"); };

  json.Object().TextOrNull("air_date", air_date);
  if (within_season) {
    json.Int("episode_number", number).Text("episode_type", number == season.episodes ? "finale" : "standard").Int("id", id);
    json.Text("name", name).Text("overview", overview).Text("production_code", "");
    runtime();
    json.Int("season_number", season.ref.number).Int("show_id", show.id).TextOrNull("still_path", still);
    b.Votes(7.2, votes);
    crew_and_guests();
    guests();
  } else {
    crew_and_guests();
    json.Int("episode_number", number).Text("episode_type", number == season.episodes ? "finale" : "standard");
    guests();
    json.Text("name", name).Text("overview", overview).Int("id", id).Text("production_code", "");
    runtime();
    json.Int("season_number", season.ref.number).TextOrNull("still_path", still);
    b.Votes(7.2, votes);
  }
  return json.EndObject().Take();
}

std::string SyntheticWorld::SeasonBody(const Subject& show, const SeasonPlan& season) const {
  Builder b(*this, Random(options_.seed, HashText("season body"), season.ref.id));
  Random own(options_.seed, HashText("season"), season.ref.id);
  JsonWriter& json = b.json;
  json.Object().Text("_id", HexId(b.random)).TextOrNull("air_date", own.Chance(0.03) ? "" : Date(own, 1960)).Key("episodes").Array();
  for (int number = 1; number <= season.episodes; ++number) json.Raw(EpisodeBody(show, season, number, true));
  json.EndArray().Text("name", season.ref.number == 0 ? "Specials" : fmt::format("Season {}", season.ref.number));
  b.Organisations("networks", Kind::kNetwork, 1);
  json.Text("overview", own.Chance(0.5) ? "" : Prose(own, Script::kEnglish, 200)).Int("id", season.ref.id);
  json.TextOrNull("poster_path", own.Chance(0.1) ? "" : FilePath(own)).Int("season_number", season.ref.number);
  const double rating = own.Chance(0.3) ? 0 : 5 + 4 * own.Unit();
  rating == 0 && own.Chance(0.2) ? json.Int("vote_average", 0) : json.Real("vote_average", rating, 1);
  return json.EndObject().Take();
}

std::optional<std::string> SyntheticWorld::Season(std::int64_t show, int number) {
  const auto subject = Find(Kind::kTv, show);
  if (!subject) return std::nullopt;
  for (const SeasonPlan& season : PlanSeasons(*subject)) {
    if (season.ref.number == number) return SeasonBody(*subject, season);
  }
  return std::nullopt;
}

std::optional<std::string> SyntheticWorld::SeasonPart(std::int64_t show, int number, std::string_view name) {
  const auto subject = Find(Kind::kTv, show);
  if (!subject) return std::nullopt;
  const auto seasons = PlanSeasons(*subject);
  const auto season = std::find_if(seasons.begin(), seasons.end(), [&](const SeasonPlan& s) { return s.ref.number == number; });
  if (season == seasons.end()) return std::nullopt;
  Builder b(*this, Random(options_.seed, HashText(name), season->ref.id));
  if (name == "aggregate_credits") {
    const int cast = Count(b.random, 5, subject->weight);
    b.AggregateCredits(cast, Count(b.random, 4, subject->weight), season->episodes);
  } else if (name == "credits") {
    b.json.Object();
    const int cast = Count(b.random, 4, subject->weight);
    b.Credits(cast, Count(b.random, 2, subject->weight), false);
    b.json.EndObject();
  } else if (name == "external_ids") {
    b.json.Object().Null("freebase_mid").Null("freebase_id").Int("tvdb_id", season->ref.id * 2).Null("tvrage_id").Null("wikidata_id").EndObject();
  } else if (name == "images") {
    b.json.Object();
    b.Images("posters", Count(b.random, 2, subject->weight), 1000, 1500);
    b.json.EndObject();
  } else if (name == "translations") {
    b.Translations(1 + Count(b.random, 2, subject->weight), "name", false, 120);
  } else if (name == "videos") {
    b.Videos(Count(b.random, 0.4, subject->weight));
  } else if (name == "watch/providers") {
    b.WatchProviders("tv", subject->id, Count(b.random, 3, subject->weight));
  } else {
    return std::nullopt;
  }
  return b.json.Take();
}

std::optional<std::string> SyntheticWorld::Episode(std::int64_t show, int season, int number) {
  const auto subject = Find(Kind::kTv, show);
  if (!subject) return std::nullopt;
  for (const SeasonPlan& plan : PlanSeasons(*subject)) {
    if (plan.ref.number == season && number >= 1 && number <= plan.episodes) return EpisodeBody(*subject, plan, number, false);
  }
  return std::nullopt;
}

std::optional<std::string> SyntheticWorld::EpisodePart(std::int64_t show, int season, int number, std::string_view name) {
  const auto subject = Find(Kind::kTv, show);
  if (!subject || !Episode(show, season, number)) return std::nullopt;
  Builder b(*this, Random(options_.seed, HashText(name), show, season, number));
  if (name == "credits") {
    b.json.Object();
    const int cast = Count(b.random, 3, subject->weight);
    b.Credits(cast, Count(b.random, 2, subject->weight), false);
    b.json.Key("guest_stars").Array().EndArray().EndObject();
  } else if (name == "external_ids") {
    b.json.Object().Null("imdb_id").Null("freebase_mid").Null("freebase_id").Null("tvdb_id").Null("tvrage_id").Null("wikidata_id").EndObject();
  } else if (name == "images") {
    b.json.Object();
    b.Images("stills", Count(b.random, 2, subject->weight), 1920, 1080);
    b.json.EndObject();
  } else if (name == "translations") {
    b.Translations(1 + Count(b.random, 1, subject->weight), "name", false, 100);
  } else if (name == "videos") {
    b.Videos(0);
  } else {
    return std::nullopt;
  }
  return b.json.Take();
}

}  // namespace tmdbc::sim
