// SPDX-License-Identifier: MIT
#include "read_api/plain_body.h"

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "read_api/genres.h"
#include "read_api/rows.h"
#include "read_api/season_texts.h"
#include "read_api/texts.h"

namespace tmdbc::read_api {
namespace {

// The order in which an episode's own path has its members; another order than within its season.
constexpr std::array<std::string_view, 14> kEpisodeOrder = {
    "air_date",     "crew",      "episode_number",  "episode_type", "guest_stars",   "name",
    "overview",     "id",        "production_code", "runtime",      "season_number", "still_path",
    "vote_average", "vote_count"};

// Values that take the place of stored ones, under their names.
class Replacements {
 public:
  // A slice of something that outlives this, or nothing new when it is empty.
  void Set(std::string_view name, JsonSlice value) {
    if (!value.empty()) slices_.emplace_back(name, value);
  }
  void Own(std::string_view name, std::string value) {
    owned_.push_back(std::make_unique<std::string>(std::move(value)));
    Set(name, *owned_.back());
  }
  JsonSlice For(std::string_view name) const {
    const auto found = std::ranges::find(slices_, name, &std::pair<std::string_view, JsonSlice>::first);
    return found == slices_.end() ? JsonSlice() : found->second;
  }

 private:
  std::vector<std::pair<std::string_view, JsonSlice>> slices_;
  std::vector<std::unique_ptr<std::string>> owned_;
};

std::string OpenBody(const Subject& subject, const Replacements& replacements) {
  std::string open = "{";
  open.reserve(subject.record->body.size());
  for (const JsonMember& member : subject.body.members()) {
    if (IsAppended(subject.type, member)) continue;
    if (open.size() > 1) open += ',';
    const JsonSlice value = replacements.For(member.name);
    if (value.empty()) {
      open += member.whole;
    } else {
      open += member.whole.substr(0, member.whole.size() - member.value.size());
      open += value;
    }
  }
  return open;
}

// belongs_to_collection in the words of the collection's own record.
std::string CollectionIn(Call& call, const Language& language, JsonSlice collection) {
  const JsonObject object(collection);
  const auto id = IntegerOf(object["id"]);
  if (!id) return std::string(collection);
  const auto record = call.Find({MediaType::kCollection, *id});
  if (record == nullptr) {
    call.Worsen(Fidelity::kApproximate);
    return std::string(collection);
  }
  const JsonObject body(record->body);
  const Texts texts = TextsIn(language, MediaType::kCollection, body);
  return WithValues(object,
                    std::array{NewValue{"name", texts.title}, NewValue{"poster_path", texts.poster_path}});
}

// What the seasons of a show say in a language, read when it is asked for.
class ShowSeasons {
 public:
  ShowSeasons(Call& call, const Subject& show, const Language& language)
      : call_(call), show_(show), language_(language) {}

  // Null when the season is not stored, or none of the show's seasons has texts in other languages: they are collected
  // together with their show, so the first that is stored speaks for all.
  const SeasonTexts* Of(std::int64_t number) {
    if (without_texts_) return nullptr;
    auto [place, is_new] = seasons_.try_emplace(number);
    Season& season = place->second;
    if (is_new) {
      season.record = call_.FindSeason(show_.id, number);
      if (season.record == nullptr) return nullptr;
      const JsonObject body(season.record->body);
      if (!HasSeasonTexts(body)) {
        without_texts_ = true;
        return nullptr;
      }
      season.texts = SeasonTextsIn(language_, body, PlainText(show_.body["original_language"]));
    }
    return season.record == nullptr ? nullptr : &season.texts;
  }

 private:
  struct Season {
    std::shared_ptr<const Record> record;
    SeasonTexts texts;
  };

  Call& call_;
  const Subject& show_;
  const Language& language_;
  std::map<std::int64_t, Season> seasons_;
  bool without_texts_ = false;
};

std::string SeasonListIn(Call& call, ShowSeasons& seasons, JsonSlice list) {
  JsonSplice out = JsonSplice::Array(list.size());
  for (const JsonSlice entry : ElementsOf(list)) {
    const JsonObject season(entry);
    const auto number = IntegerOf(season["season_number"]);
    const SeasonTexts* texts = number ? seasons.Of(*number) : nullptr;
    if (texts == nullptr || !texts->complete) call.Worsen(Fidelity::kApproximate);
    const SeasonTexts words = texts == nullptr ? SeasonTexts() : *texts;
    out.Add(WithValues(season, std::array{NewValue{"name", words.name}, NewValue{"overview", words.overview},
                                          NewValue{"poster_path", words.poster_path}}));
  }
  return std::move(out).Take();
}

std::string EpisodeToAirIn(Call& call, ShowSeasons& seasons, JsonSlice episode) {
  if (!IsObject(episode)) return std::string(episode);
  const auto number = IntegerOf(MemberOf(episode, "season_number"));
  const SeasonTexts* texts = number ? seasons.Of(*number) : nullptr;
  if (texts == nullptr || !texts->complete) call.Worsen(Fidelity::kApproximate);
  return EpisodeIn(texts == nullptr ? SeasonTexts() : *texts, episode);
}

Replacements Localised(Call& call, const Subject& subject, const Language& language) {
  Replacements out;
  if (language.IsStored()) return out;
  const bool translated = subject.type == MediaType::kMovie || subject.type == MediaType::kTv ||
                          subject.type == MediaType::kPerson || subject.type == MediaType::kCollection;
  if (!translated) return out;
  call.Worsen(Fidelity::kDerived);
  // Without the namespaces that hold the texts there is nothing to derive them from.
  if (subject.body["translations"].empty()) call.Worsen(Fidelity::kApproximate);
  if (subject.body["images"].empty() && subject.type != MediaType::kPerson)
    call.Worsen(Fidelity::kApproximate);
  const Texts texts = TextsIn(language, subject.type, subject.body);
  out.Set(TitleMember(subject.type), texts.title);
  out.Set("overview", texts.overview);
  out.Set("tagline", texts.tagline);
  out.Set("homepage", texts.homepage);
  out.Set("biography", texts.biography);
  out.Set("poster_path", texts.poster_path);
  if (subject.type == MediaType::kMovie) out.Set("runtime", texts.runtime);
  if (subject.type == MediaType::kMovie || subject.type == MediaType::kTv)
    out.Own("genres", GenresIn(call, subject.type, language, subject.body["genres"]));
  if (const JsonSlice collection = subject.body["belongs_to_collection"]; IsObject(collection))
    out.Own("belongs_to_collection", CollectionIn(call, language, collection));
  if (subject.type == MediaType::kCollection)
    out.Own("parts", LocalRows(call, subject.body["parts"], MediaType::kMovie, language));
  if (subject.type == MediaType::kTv) {
    ShowSeasons seasons(call, subject, language);
    out.Own("seasons", SeasonListIn(call, seasons, subject.body["seasons"]));
    for (const std::string_view name : {"last_episode_to_air", "next_episode_to_air"})
      out.Own(name, EpisodeToAirIn(call, seasons, subject.body[name]));
  }
  return out;
}

// A season's texts, and whether they are TMDB's own noted in the call.
SeasonTexts TextsOfSeason(Call& call, const Subject& season, const Language& language) {
  std::string original;
  if (!season.body["images"].empty()) {
    const auto show = call.Find({MediaType::kTv, season.record->tv_id});
    if (show != nullptr) original = PlainText(MemberOf(show->body, "original_language"));
  }
  SeasonTexts texts = SeasonTextsIn(language, season.body, original);
  call.Worsen(texts.complete ? Fidelity::kDerived : Fidelity::kApproximate);
  return texts;
}

}  // namespace

void AppendMember(std::string& open, std::string_view name, JsonSlice value) {
  if (open.size() > 1) open += ',';
  open += '"';
  open += name;
  open += "\":";
  open += value;
}

std::string OpenPlainBody(Call& call, const Subject& subject, const Language& language) {
  return OpenBody(subject, Localised(call, subject, language));
}

std::string OpenSeasonBody(Call& call, const Subject& season, const Language& language, SeasonId with) {
  SeasonTexts texts;
  std::string episodes;
  const bool local = !language.IsStored();
  if (local) {
    texts = TextsOfSeason(call, season, language);
    JsonSplice all = JsonSplice::Array(season.body["episodes"].size());
    for (const JsonSlice episode : ElementsOf(season.body["episodes"])) all.Add(EpisodeIn(texts, episode));
    episodes = std::move(all).Take();
  }
  std::string open = "{";
  open.reserve(season.record->body.size());
  const std::string id = std::to_string(season.id);
  bool has_id = with == SeasonId::kWithout;
  for (const JsonMember& member : season.body.members()) {
    if (IsAppended(MediaType::kSeason, member) || member.name == "id") continue;
    JsonSlice value = member.value;
    if (local) {
      if (member.name == "name" && !texts.name.empty()) value = texts.name;
      if (member.name == "overview") value = texts.overview;
      if (member.name == "poster_path" && !texts.poster_path.empty()) value = texts.poster_path;
      if (member.name == "episodes") value = episodes;
    }
    AppendMember(open, member.name, value);
    if (member.name == "overview" && !has_id) {
      AppendMember(open, "id", id);
      has_id = true;
    }
  }
  if (!has_id) AppendMember(open, "id", id);
  return open;
}

JsonSlice EpisodeAt(const Subject& season, std::int64_t number) {
  for (const JsonSlice episode : ElementsOf(season.body["episodes"])) {
    if (IntegerOf(MemberOf(episode, "episode_number")) == number) return episode;
  }
  return {};
}

std::string OpenEpisodeBody(Call& call, const Subject& season, JsonSlice episode, const Language& language) {
  std::string local;
  if (!language.IsStored()) {
    local = EpisodeIn(TextsOfSeason(call, season, language), episode);
    episode = local;
  }
  const JsonObject object(episode);
  std::string open = "{";
  open.reserve(episode.size());
  for (const std::string_view name : kEpisodeOrder) {
    if (const JsonSlice value = object[name]; !value.empty()) AppendMember(open, name, value);
  }
  for (const JsonMember& member : object.members()) {
    const bool known = std::ranges::find(kEpisodeOrder, member.name) != kEpisodeOrder.end();
    if (!known && member.name != "show_id") AppendMember(open, member.name, member.value);
  }
  return open;
}

}  // namespace tmdbc::read_api
