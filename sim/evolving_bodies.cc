// SPDX-License-Identifier: MIT
// The bodies of EvolvingWorld: those of the catalogue, with the members replaced that something happened to.
#include <fmt/core.h>

#include <charconv>
#include <cmath>
#include <deque>

#include "evolving_world.h"
#include "json.h"
#include "text.h"

namespace tmdbc::sim {
namespace {

// An object whose members can be replaced where they stand.
class Editable {
 public:
  explicit Editable(std::string body) : body_(std::move(body)), parts_(PartsOf(body_)) {}
  // False when there is no such member.
  bool Set(std::string_view name, std::string json) {
    for (RawPart& part : parts_) {
      if (part.name != name) continue;
      part.value = values_.emplace_back(std::move(json));
      return true;
    }
    return false;
  }
  std::string_view Get(std::string_view name) const {
    for (const RawPart& part : parts_) {
      if (part.name == name) return part.value;
    }
    return {};
  }
  double Number(std::string_view name) const {
    double value = 0;
    const std::string_view text = Get(name);
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
  }
  std::string Take() const { return ObjectOf(parts_); }

 private:
  const std::string body_;
  std::vector<RawPart> parts_;
  std::deque<std::string> values_;  // never moves what parts_ points to
};

std::string Quoted(std::string_view text, bool html = false) {
  std::string out;
  AppendQuoted(out, text, html);
  return out;
}

std::string Real(double value, int decimals) {
  std::string out;
  AppendReal(out, value, decimals);
  return out;
}

std::string_view TitleMember(Kind kind) {
  return kind == Kind::kMovie ? "title" : "name";
}

std::string_view ProseMember(Kind kind) {
  switch (kind) {
    case Kind::kPerson:
      return "biography";
    case Kind::kCompany:
      return "description";
    case Kind::kNetwork:
      return "headquarters";
    default:
      return "overview";
  }
}

std::string ArrayOf(const std::vector<std::string>& elements) {
  JsonWriter json;
  json.Array();
  for (const std::string& element : elements) json.Raw(element);
  return json.EndArray().Take();
}

// Numbered by the edit: never a name that it had before.
std::string NewName(Kind kind, std::uint32_t edit, Random random) {
  const std::string name = kind == Kind::kPerson ? PersonName(random) : Title(random, Script::kEnglish);
  return fmt::format("{} {}", name, edit + 1);
}

double Drifted(double popularity, Random random) {
  // Never the same again, not even from 0.
  return popularity * std::exp(0.3 * random.Normal()) + 0.0001 * static_cast<double>(1 + random.Below(500));
}

}  // namespace

std::string EvolvingWorld::Edited(Kind kind, std::int64_t id, const State& state, std::string body) const {
  Editable edited(std::move(body));
  if (state.overview > 0) {
    Random random = For(kind, id, "overview", state.overview);
    edited.Set(ProseMember(kind), Quoted(Prose(random, Script::kEnglish, 100 + random.Below(400))));
  }
  if (state.title > 0) {
    edited.Set(TitleMember(kind), Quoted(NewName(kind, state.title, For(kind, id, "title", state.title))));
  }
  if (state.runtime > 0) {
    // Never what it was before: the revision is part of it.
    if (kind == Kind::kMovie) edited.Set("runtime", std::to_string(200 + state.runtime));
    if (kind == Kind::kTv) edited.Set("episode_run_time", fmt::format("[{}]", 100 + state.runtime));
    if (kind == Kind::kPerson) {
      const Random random = For(kind, id, "place", state.runtime);
      edited.Set("place_of_birth", Quoted(NewName(Kind::kMovie, state.runtime, random)));
    }
  }
  if (state.stats > 0) {
    Random random = For(kind, id, "stats", state.stats);
    edited.Set("popularity",
               Real(Drifted(edited.Number("popularity"), For(kind, id, "popularity", state.stats)), 4));
    edited.Set("vote_average", Real(1 + 9 * random.Unit(), 3));
    edited.Set("vote_count",
               std::to_string(static_cast<std::int64_t>(edited.Number("vote_count")) + 3 * state.stats));
  }
  std::string out = edited.Take();
  return state.layout ? WithLayout(id, *state.layout, std::move(out)) : out;
}

std::string EvolvingWorld::WithLayout(std::int64_t show, const ShowLayout& layout, std::string body) const {
  Editable edited(std::move(body));
  const std::vector<std::string_view> origins = ElementsOf(edited.Get("seasons"));
  std::vector<std::string> seasons;
  int numbered = 0;
  std::size_t episodes = 0;
  for (const SeasonSlot& season : layout.seasons) {
    if (season.number > 0) {
      ++numbered;
      episodes += season.episodes.size();
    }
    std::optional<std::string> element;
    for (const std::string_view origin : origins) {
      if (season.origin != kNoOrigin && PartOf(origin, "season_number") == std::to_string(season.origin))
        element = std::string(origin);
    }
    if (element) {
      Editable old(std::move(*element));
      old.Set("id", std::to_string(season.id));
      old.Set("episode_count", std::to_string(season.episodes.size()));
      seasons.push_back(old.Take());
      continue;
    }
    Random random = For(Kind::kTv, show, "new season", static_cast<std::uint32_t>(season.id));
    JsonWriter json;
    json.Object().Text("air_date", Date(random, 2026));
    json.Int("episode_count", static_cast<std::int64_t>(season.episodes.size())).Int("id", season.id);
    json.Text("name", season.number == 0 ? "Specials" : fmt::format("Season {}", season.number));
    json.Text("overview", "").Null("poster_path").Int("season_number", season.number);
    seasons.push_back(json.Real("vote_average", 0, 1).EndObject().Take());
  }
  edited.Set("seasons", ArrayOf(seasons));
  edited.Set("number_of_seasons", std::to_string(numbered));
  edited.Set("number_of_episodes", std::to_string(episodes));
  return edited.Take();
}

// One credit more, at the head of the list; later edits of it change that one.
std::string EvolvingWorld::WithCredit(Kind kind, std::int64_t id, const State& state,
                                      std::string part) const {
  Editable edited(std::move(part));
  Random random = For(kind, id, "credit", state.cast);
  JsonWriter credit;
  credit.Object().Bool("adult", false);
  if (kind == Kind::kPerson) {
    credit.Null("backdrop_path").Key("genre_ids").Array().EndArray().Int("id", random.Between(1, 500));
    credit.Text("original_language", "en").Text("original_title", Title(random, Script::kEnglish));
    credit.Text("overview", Sentence(random, Script::kEnglish)).Real("popularity", 1.5).Null("poster_path");
    credit.Text("release_date", Date(random)).Text("title", Title(random, Script::kEnglish));
    credit.Bool("video", false).Real("vote_average", 0).Int("vote_count", 0);
    credit.Text("character", PersonName(random)).Text("credit_id", HexId(random)).Int("order", 0);
    credit.Text("media_type", "movie");
  } else {
    const std::string name = PersonName(random);
    credit.Int("gender", random.Between(0, 2)).Int("id", random.Between(1, 500));
    credit.Text("known_for_department", "Acting").Text("name", name).Text("original_name", name);
    credit.Real("popularity", 0.5).Null("profile_path");
    if (kind == Kind::kMovie) {
      credit.Int("cast_id", 1000).Text("character", PersonName(random)).Text("credit_id", HexId(random));
      credit.Int("order", 0);
    } else {
      credit.Key("roles").Array().Object().Text("credit_id", HexId(random));
      credit.Text("character", PersonName(random)).Int("episode_count", 1).EndObject().EndArray();
      credit.Int("total_episode_count", 1).Int("order", 0);
    }
  }
  std::vector<std::string> cast = {credit.EndObject().Take()};
  for (const std::string_view element : ElementsOf(edited.Get("cast"))) cast.emplace_back(element);
  edited.Set("cast", ArrayOf(cast));
  return edited.Take();
}

// Every image has other votes, and each list is in the order of them.
std::string EvolvingWorld::WithVotes(Kind kind, std::int64_t id, const State& state,
                                     std::string images) const {
  Editable edited(std::move(images));
  Random random = For(kind, id, "image votes", state.stats);
  for (const char* list : {"backdrops", "logos", "posters", "profiles"}) {
    std::vector<std::pair<std::uint64_t, std::string>> voted;
    for (const std::string_view element : ElementsOf(edited.Get(list))) {
      Editable image{std::string(element)};
      const std::uint64_t votes = random.Below(400);
      image.Set("vote_average", Real(votes == 0 ? 0 : 4 + 6 * random.Unit(), 3));
      image.Set("vote_count", std::to_string(votes));
      voted.emplace_back(votes, image.Take());
    }
    std::stable_sort(voted.begin(), voted.end(),
                     [](const auto& a, const auto& b) { return a.first > b.first; });
    std::vector<std::string> elements;
    elements.reserve(voted.size());
    for (auto& [votes, element] : voted) elements.push_back(std::move(element));
    edited.Set(list, ArrayOf(elements));
  }
  return edited.Take();
}

std::string EvolvingWorld::EditedLine(Kind kind, std::int64_t id, const State& state,
                                      std::string line) const {
  Editable edited(std::move(line));
  if (state.stats > 0) {
    edited.Set("popularity",
               Real(Drifted(edited.Number("popularity"), For(kind, id, "popularity", state.stats)), 4));
  }
  // Lines of films and shows have the original title, which nobody edits here.
  if (state.title > 0 && kind != Kind::kMovie && kind != Kind::kTv)
    edited.Set("name", Quoted(NewName(kind, state.title, For(kind, id, "title", state.title)), true));
  return edited.Take();
}

std::string EvolvingWorld::EpisodeOf(std::int64_t show, const SeasonSlot& season, const EpisodeSlot& episode,
                                     std::string_view origin) const {
  Random random = For(Kind::kTv, show, "episode", static_cast<std::uint32_t>(episode.id));
  std::string body;
  if (episode.origin_season == kNoOrigin) {
    JsonWriter json;
    json.Object().Text("air_date", Date(random, 2026)).Int("episode_number", 0);
    json.Text("episode_type", "standard").Int("id", 0).Text("name", Title(random, Script::kEnglish));
    json.Text("overview", Prose(random, Script::kEnglish, 150)).Text("production_code", "");
    json.Int("runtime", 45).Int("season_number", 0).Int("show_id", show).Null("still_path");
    json.Real("vote_average", 0, 1).Int("vote_count", 0);
    body = json.Key("crew").Array().EndArray().Key("guest_stars").Array().EndArray().EndObject().Take();
  } else {
    body = std::string(origin);
  }
  Editable edited(std::move(body));
  edited.Set("id", std::to_string(episode.id));
  edited.Set("episode_number", std::to_string(episode.number));
  edited.Set("season_number", std::to_string(season.number));
  if (episode.edits > 0) {
    Random words = For(Kind::kTv, episode.id, "episode name", episode.edits);
    edited.Set("name", Quoted(Title(words, Script::kEnglish)));
    edited.Set("overview", Quoted(Prose(words, Script::kEnglish, 100)));
  }
  return edited.Take();
}

// As Season(), for a show whose seasons or numbers something has happened to.
std::string EvolvingWorld::SeasonOf(std::int64_t show, const State& state, const SeasonSlot& season) const {
  std::optional<std::string> body;
  if (season.origin != kNoOrigin) body = catalogue_.Season(show, season.origin);
  if (!body) {
    Random random = For(Kind::kTv, show, "new season", static_cast<std::uint32_t>(season.id));
    const std::string air_date = Date(random, 2026);
    JsonWriter json;
    json.Object().Text("_id", HexId(random)).Text("air_date", air_date).Key("episodes").Array().EndArray();
    json.Text("name", season.number == 0 ? "Specials" : fmt::format("Season {}", season.number));
    json.Key("networks").Array().EndArray().Text("overview", "").Int("id", 0).Null("poster_path");
    body = json.Int("season_number", season.number).Real("vote_average", 0, 1).EndObject().Take();
  }
  Editable edited(std::move(*body));
  const std::vector<std::string_view> origins = ElementsOf(edited.Get("episodes"));
  std::vector<std::string> episodes;
  for (const EpisodeSlot& episode : season.episodes) {
    // Episodes stay in the season in which they came to be, and the catalogue numbers them from 1.
    const std::string_view origin = episode.origin_season == kNoOrigin
                                        ? std::string_view()
                                        : origins.at(static_cast<std::size_t>(episode.origin_number - 1));
    std::string element = EpisodeOf(show, season, episode, origin);
    if (state.stats > 0) {
      Editable drifted(std::move(element));
      const auto votes = static_cast<std::int64_t>(drifted.Number("vote_count"));
      drifted.Set("vote_count", std::to_string(votes + state.stats));
      element = drifted.Take();
    }
    episodes.push_back(std::move(element));
  }
  edited.Set("episodes", ArrayOf(episodes));
  edited.Set("id", std::to_string(season.id));
  return edited.Take();
}

// --- the questions

std::optional<std::string> EvolvingWorld::Details(Kind kind, std::int64_t id) {
  const State state = StateNow(kind, id);
  if (!state.live) return std::nullopt;
  auto body = catalogue_.Details(kind, id);
  if (!body || Revision(kind, id) == 0) return body;
  return Edited(kind, id, state, std::move(*body));
}

std::optional<std::string> EvolvingWorld::OlderDetails(Kind kind, std::int64_t id) {
  if (!IsLive(kind, id)) return std::nullopt;
  return catalogue_.OlderDetails(kind, id);
}

std::optional<std::string> EvolvingWorld::Part(Kind kind, std::int64_t id, std::string_view name) {
  const State state = StateNow(kind, id);
  if (!state.live) return std::nullopt;
  auto part = catalogue_.Part(kind, id, name);
  const bool credits = name == "credits" || name == "aggregate_credits" || name == "combined_credits";
  if (part && name == "images" && state.stats > 0 && image_votes_)
    return WithVotes(kind, id, state, std::move(*part));
  if (!part || state.cast == 0 || !credits) return part;
  return WithCredit(kind, id, state, std::move(*part));
}

std::vector<SeasonRef> EvolvingWorld::Seasons(std::int64_t show) {
  const State state = StateNow(Kind::kTv, show);
  if (!state.live) return {};
  if (!state.layout) return catalogue_.Seasons(show);
  std::vector<SeasonRef> seasons;
  for (const SeasonSlot& season : state.layout->seasons) seasons.push_back({season.id, season.number});
  return seasons;
}

std::optional<std::string> EvolvingWorld::Season(std::int64_t show, int number) {
  const State state = StateNow(Kind::kTv, show);
  if (!state.live) return std::nullopt;
  if (!state.layout && state.stats == 0) return catalogue_.Season(show, number);
  const ShowLayout layout = state.layout ? *state.layout : LayoutOfCatalogue(show);
  const SeasonSlot* season = layout.Find(number);
  if (season == nullptr) return std::nullopt;
  return SeasonOf(show, state, *season);
}

std::optional<std::string> EvolvingWorld::SeasonPart(std::int64_t show, int number, std::string_view name) {
  const State state = StateNow(Kind::kTv, show);
  if (!state.live) return std::nullopt;
  if (!state.layout) return catalogue_.SeasonPart(show, number, name);
  const SeasonSlot* season = state.layout->Find(number);
  if (season == nullptr || season->origin == kNoOrigin) return std::nullopt;
  return catalogue_.SeasonPart(show, season->origin, name);
}

std::optional<std::string> EvolvingWorld::Episode(std::int64_t show, int season_number, int number) {
  const State state = StateNow(Kind::kTv, show);
  if (!state.live) return std::nullopt;
  if (!state.layout && state.stats == 0) return catalogue_.Episode(show, season_number, number);
  const std::string season = Season(show, season_number).value_or("");
  for (const std::string_view episode : ElementsOf(PartOf(season, "episodes").value_or(""))) {
    if (PartOf(episode, "episode_number") == std::to_string(number)) return WithoutPart(episode, "show_id");
  }
  return std::nullopt;
}

std::optional<std::string> EvolvingWorld::EpisodePart(std::int64_t show, int season, int number,
                                                      std::string_view name) {
  if (!Episode(show, season, number)) return std::nullopt;
  return catalogue_.EpisodePart(show, season, number, name);
}

std::optional<std::string> EvolvingWorld::List(std::string_view path) {
  return catalogue_.List(path);
}

std::optional<std::string> EvolvingWorld::ExportLine(Kind kind, std::int64_t id) {
  auto line = catalogue_.ExportLine(kind, id);
  if (!line || Revision(kind, id) == 0) return line;
  return EditedLine(kind, id, StateNow(kind, id), std::move(*line));
}

}  // namespace tmdbc::sim
