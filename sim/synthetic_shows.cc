// SPDX-License-Identifier: MIT
// Shows, seasons and episodes of SyntheticWorld: members, order and types as recorded from TMDB
// (docs/tmdb-facts.md), everything in them made up.
#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "synthetic_builder.h"

namespace tmdbc::sim {

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
    const int count = u < 0.62   ? 1
                      : u < 0.78 ? 2
                      : u < 0.95 ? static_cast<int>(random.Between(3, 6))
                                 : static_cast<int>(random.Between(7, 24));
    if (random.Chance(0.25)) add(0, 1, static_cast<int>(random.Between(1, 8)));
    add(1, count, static_cast<int>(random.Between(4, 14)));
  }
  std::vector<SeasonPlan> plans;
  int ordinal = 0;
  for (const auto& [number, episodes] : seasons) {
    const auto place = static_cast<std::int64_t>(plans.size());
    plans.push_back({{FirstSeasonId(show.index) + place, number}, episodes, ordinal});
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
  json.Text("homepage", b.random.Chance(0.5) ? "" : "https://example.org/show")
      .Int("id", subject.id)
      .Bool("in_production", !ended);
  json.Key("languages").Array().Text(language.code).EndArray();
  if (seasons.empty()) {
    json.Null("last_air_date").Null("last_episode_to_air");
  } else {
    const SeasonPlan& last = seasons.back();
    Random episode(options_.seed, HashText("episode"), last.ref.id, last.episodes);
    json.Text("last_air_date", Date(b.random, 2021));
    json.Key("last_episode_to_air")
        .Object()
        .Int("id", FirstEpisodeId(subject.index) + last.first_episode + last.episodes);
    json.Text("name", Title(episode, Script::kEnglish))
        .Text("overview", Prose(b.random, Script::kEnglish, 200));
    b.Votes(7, b.random.Between(0, 40));
    // Numbers that fit no 32 bits have been seen here (docs/tmdb-facts.md).
    json.Text("air_date", Date(b.random, 2021))
        .Int("episode_number", b.random.Below(500) == 0 ? 5'185'860'891 : last.episodes);
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
  const std::string overview =
      b.random.Chance(0.1) ? "" : Prose(b.random, Script::kEnglish, 120 + b.random.Below(500));
  json.Text("overview", older ? Sentence(b.random, Script::kEnglish) : overview);
  json.Real("popularity", older ? subject.popularity / 2 : subject.popularity);
  b.Path("poster_path", 0.15);
  b.Organisations("production_companies", Kind::kCompany, Count(b.random, 1, std::sqrt(subject.weight)));
  b.Countries(language);
  json.Key("seasons").Array();
  for (const SeasonPlan& season : seasons) {
    Random own(options_.seed, HashText("season"), season.ref.id);
    json.Object()
        .TextOrNull("air_date", own.Chance(0.03) ? "" : Date(own, 1960))
        .Int("episode_count", season.episodes);
    json.Int("id", season.ref.id)
        .Text("name", season.ref.number == 0 ? "Specials" : fmt::format("Season {}", season.ref.number));
    json.Text("overview", own.Chance(0.5) ? "" : Prose(own, Script::kEnglish, 200));
    json.TextOrNull("poster_path", own.Chance(0.1) ? "" : FilePath(own))
        .Int("season_number", season.ref.number);
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
      json.Object()
          .Text("iso_3166_1", language.country)
          .Text("title", Title(b.random, language.script))
          .Text("type", "")
          .EndObject();
    }
    json.EndArray().EndObject();
  } else if (name == "content_ratings") {
    json.Object().Key("results").Array();
    for (int i = 0, n = std::min(36, Count(b.random, 2, weight)); i < n; ++i) {
      json.Object()
          .Key("descriptors")
          .Array()
          .EndArray()
          .Text("iso_3166_1", Languages()[static_cast<std::size_t>(i)].country);
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
      json.Object()
          .Text("description", "")
          .Int("episode_count", 20)
          .Int("group_count", 3)
          .Text("id", HexId(b.random));
      json.Text("name", Title(b.random, Script::kEnglish))
          .Null("network")
          .Int("type", b.random.Between(1, 7))
          .EndObject();
    }
    json.EndArray().EndObject();
  } else if (name == "external_ids") {
    json.Object().Text("imdb_id", b.random.Chance(0.2) ? "" : fmt::format("tt{:07}", subject.id * 17 + 5));
    json.Null("freebase_mid").Null("freebase_id");
    b.random.Chance(0.3) ? json.Null("tvdb_id") : json.Int("tvdb_id", subject.id * 3 + 70'000);
    b.random.Chance(0.7) ? json.Null("tvrage_id") : json.Int("tvrage_id", subject.id * 2);
    for (const std::string_view network : {"wikidata_id", "facebook_id", "instagram_id", "twitter_id"})
      b.TextOrNothing(network, "Show");
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
    b.Reviews(Count(b.random, 0.2, weight));
  } else if (name == "screened_theatrically") {
    json.Object().Key("results").Array().EndArray().EndObject();
  } else if (name == "translations") {
    b.Translations(1 + Count(b.random, 4, weight), Texts::kShow, 220);
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

std::string SyntheticWorld::EpisodeBody(const Subject& show, const SeasonPlan& season, int number,
                                        bool within_season) const {
  Builder b(*this, Random(options_.seed, HashText("episode"), season.ref.id, number));
  JsonWriter& json = b.json;
  const std::string name = Title(b.random, Script::kEnglish);
  const std::string air_date = b.random.Chance(0.03) ? "" : Date(b.random, 1970);
  const std::string overview =
      b.random.Chance(0.3) ? "" : Prose(b.random, Script::kEnglish, 60 + b.random.Below(300));
  const std::int64_t id = FirstEpisodeId(show.index) + season.first_episode + number;
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
      json.Object()
          .Text("department", job.department)
          .Text("job", job.job)
          .Text("credit_id", HexId(b.random));
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
    json.Int("episode_number", number)
        .Text("episode_type", number == season.episodes ? "finale" : "standard")
        .Int("id", id);
    json.Text("name", name).Text("overview", overview).Text("production_code", "");
    runtime();
    json.Int("season_number", season.ref.number).Int("show_id", show.id).TextOrNull("still_path", still);
    b.Votes(7.2, votes);
    crew_and_guests();
    guests();
  } else {
    crew_and_guests();
    json.Int("episode_number", number)
        .Text("episode_type", number == season.episodes ? "finale" : "standard");
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
  json.Object()
      .Text("_id", HexId(b.random))
      .TextOrNull("air_date", own.Chance(0.03) ? "" : Date(own, 1960))
      .Key("episodes")
      .Array();
  for (int number = 1; number <= season.episodes; ++number) json.Raw(EpisodeBody(show, season, number, true));
  json.EndArray().Text("name",
                       season.ref.number == 0 ? "Specials" : fmt::format("Season {}", season.ref.number));
  b.Organisations("networks", Kind::kNetwork, 1);
  json.Text("overview", own.Chance(0.5) ? "" : Prose(own, Script::kEnglish, 200)).Int("id", season.ref.id);
  json.TextOrNull("poster_path", own.Chance(0.1) ? "" : FilePath(own))
      .Int("season_number", season.ref.number);
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
  const auto season = std::find_if(seasons.begin(), seasons.end(),
                                   [&](const SeasonPlan& s) { return s.ref.number == number; });
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
    b.json.Object()
        .Null("freebase_mid")
        .Null("freebase_id")
        .Int("tvdb_id", season->ref.id * 2)
        .Null("tvrage_id")
        .Null("wikidata_id")
        .EndObject();
  } else if (name == "images") {
    b.json.Object();
    b.Images("posters", Count(b.random, 2, subject->weight), 1000, 1500);
    b.json.EndObject();
  } else if (name == "translations") {
    b.Translations(1 + Count(b.random, 2, subject->weight), Texts::kPartOfShow, 120);
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
    if (plan.ref.number == season && number >= 1 && number <= plan.episodes)
      return EpisodeBody(*subject, plan, number, false);
  }
  return std::nullopt;
}

std::optional<std::string> SyntheticWorld::EpisodePart(std::int64_t show, int season, int number,
                                                       std::string_view name) {
  const auto subject = Find(Kind::kTv, show);
  if (!subject || !Episode(show, season, number)) return std::nullopt;
  Builder b(*this, Random(options_.seed, HashText(name), show, season, number));
  if (name == "credits") {
    b.json.Object();
    const int cast = Count(b.random, 3, subject->weight);
    b.Credits(cast, Count(b.random, 2, subject->weight), false);
    b.json.Key("guest_stars").Array().EndArray().EndObject();
  } else if (name == "external_ids") {
    b.json.Object()
        .Null("imdb_id")
        .Null("freebase_mid")
        .Null("freebase_id")
        .Null("tvdb_id")
        .Null("tvrage_id")
        .Null("wikidata_id")
        .EndObject();
  } else if (name == "images") {
    b.json.Object();
    b.Images("stills", Count(b.random, 2, subject->weight), 1920, 1080);
    b.json.EndObject();
  } else if (name == "translations") {
    b.Translations(1 + Count(b.random, 1, subject->weight), Texts::kPartOfShow, 100);
  } else if (name == "videos") {
    b.Videos(0);
  } else {
    return std::nullopt;
  }
  return b.json.Take();
}

}  // namespace tmdbc::sim
