// SPDX-License-Identifier: MIT
#include "read_api/parts.h"

#include <algorithm>
#include <array>
#include <utility>

#include "read_api/credits.h"
#include "read_api/lists.h"
#include "read_api/media_filter.h"
#include "read_api/paging.h"
#include "read_api/rows.h"

namespace tmdbc::read_api {
namespace {

std::string Empty(Call& call, std::string text) {
  call.Worsen(Fidelity::kEmpty);
  return text;
}

std::string Stored(Call&, const Subject& subject, std::string_view name) {
  return std::string(subject.body[name]);
}

std::string Images(Call& call, const Subject& subject, std::string_view name) {
  const JsonSlice images = subject.body[name];
  return images.empty() ? std::string() : FilteredBy(LanguageFilter::OfImages(call.query()), images);
}

std::string Videos(Call& call, const Subject& subject, std::string_view name) {
  const JsonSlice videos = subject.body[name];
  return videos.empty() ? std::string() : FilteredBy(LanguageFilter::OfVideos(call.query()), videos);
}

std::string AlternativeTitles(Call& call, const Subject& subject, std::string_view name) {
  const JsonSlice titles = subject.body[name];
  const auto country = call.query().Get("country");
  return titles.empty() || !country ? std::string(titles) : TitlesOfCountry(*country, titles);
}

std::string NoChanges(Call& call, const Subject&, std::string_view) {
  return Empty(call, R"({"changes":[]})");
}

// --- lists in pages; at most the first one is stored ---

std::string StoredPage(Call& call, const Subject& subject, std::string_view name) {
  const JsonSlice first = subject.body[name];
  return first.empty() ? Empty(call, Envelope(1, "", 0)) : std::string(first);
}

// Rows of films or shows, in the language.
std::string StoredRows(Call& call, JsonSlice stored, MediaType type) {
  call.WorsenWithAge();
  const Language language = call.language();
  if (language.IsStored()) return std::string(stored);
  const JsonObject page(stored);
  const std::string rows = LocalRows(call, page["results"], type, language);
  return WithValues(page, std::array{NewValue{"results", rows}});
}

std::string NearTitles(Call& call, const Subject& subject, std::string_view name) {
  if (name == "similar_movies") name = "similar";
  const JsonSlice stored = subject.body[name];
  return IsObject(stored) ? StoredRows(call, stored, subject.type) : NearTo(call, subject, name == "recommendations");
}

std::string CompanysFilms(Call& call, const Subject& subject, std::string_view name) {
  const JsonSlice stored = subject.body[name];
  return IsObject(stored) ? StoredRows(call, stored, MediaType::kMovie) : FilmsOfCompany(call, subject);
}

// --- old names ---

std::string Casts(Call&, const Subject& subject, std::string_view) {
  const JsonObject credits(subject.body["credits"]);
  if (credits.members().empty()) return {};
  JsonSplice out = JsonSplice::Object();
  out.Add("cast", credits["cast"]).Add("crew", credits["crew"]);
  return std::move(out).Take();
}

std::string Trailers(Call& call, const Subject& subject, std::string_view) {
  const JsonObject videos(subject.body["videos"]);
  if (videos.members().empty()) return {};
  const LanguageFilter filter = LanguageFilter::OfVideos(call.query());
  JsonSplice youtube = JsonSplice::Array();
  for (const JsonSlice entry : ElementsOf(videos["results"])) {
    const JsonObject video(entry);
    if (PlainText(video["site"]) != "YouTube" || PlainText(video["type"]) != "Trailer") continue;
    if (!filter.LetsThrough(entry)) continue;
    JsonSplice trailer = JsonSplice::Object();
    trailer.Add("name", video["name"])
        .Add("size", "\"HD\"")
        .Add("source", video["key"])
        .Add("type", video["type"]);
    youtube.Add(std::move(trailer).Take());
  }
  call.Worsen(Fidelity::kDerived);
  JsonSplice out = JsonSplice::Object();
  out.Add("quicktime", "[]").Add("youtube", std::move(youtube).Take());
  return std::move(out).Take();
}

std::string Releases(Call& call, const Subject& subject, std::string_view) {
  const JsonObject dates(subject.body["release_dates"]);
  if (dates.members().empty()) return {};
  JsonSplice countries = JsonSplice::Array();
  for (const JsonSlice entry : ElementsOf(dates["results"])) {
    const JsonObject country(entry);
    for (const JsonSlice date : ElementsOf(country["release_dates"])) {
      const JsonObject release(date);
      const std::string_view day = DayOf(release["release_date"]);
      JsonSplice out = JsonSplice::Object();
      out.Add("certification", release["certification"]).Add("descriptors", release["descriptors"]);
      out.Add("iso_3166_1", country["iso_3166_1"]).Add("primary", "false");
      out.Add("release_date", day.empty() ? "null" : "\"" + std::string(day) + "\"");
      countries.Add(std::move(out).Take());
    }
  }
  call.Worsen(Fidelity::kDerived);
  JsonSplice out = JsonSplice::Object();
  out.Add("countries", std::move(countries).Take());
  return std::move(out).Take();
}

// --- persons ---

std::string LocalCredits(Call& call, std::string credits, MediaType type) {
  const Language language = call.language();
  if (credits.empty() || language.IsStored()) return credits;
  const JsonObject object(credits);
  const std::string cast = LocalRows(call, object["cast"], type, language);
  const std::string crew = LocalRows(call, object["crew"], type, language);
  return WithValues(object, std::array{NewValue{"cast", cast}, NewValue{"crew", crew}});
}

std::string CombinedCredits(Call& call, const Subject& subject, std::string_view name) {
  return LocalCredits(call, std::string(subject.body[name]), MediaType::kMovie);
}

std::string CreditsOfOneType(Call& call, const Subject& subject, std::string_view name) {
  if (name == "credits") name = "movie_credits";
  const MediaType type = name == "movie_credits" ? MediaType::kMovie : MediaType::kTv;
  std::string credits(subject.body[name]);
  if (credits.empty()) {
    credits = CreditsOfType(subject.body["combined_credits"], type);
    call.Worsen(Fidelity::kDerived);
  }
  return LocalCredits(call, std::move(credits), type);
}

// --- shows, seasons, episodes ---

std::string CreditsOfShow(Call& call, const Subject& subject, std::string_view) {
  return ShowCredits(call, subject);
}
std::string CreditsOfSeason(Call& call, const Subject& subject, std::string_view) {
  return SeasonCredits(call, subject);
}
std::string AggregateCreditsOfSeason(Call& call, const Subject& subject, std::string_view) {
  return SeasonAggregateCredits(call, subject);
}
std::string CreditsOfEpisode(Call& call, const Subject& subject, std::string_view) {
  return EpisodeCredits(call, subject, subject.episode);
}

std::string ProvidersOfShow(Call& call, const Subject& season, std::string_view name) {
  if (const JsonSlice stored = season.body[name]; !stored.empty()) return std::string(stored);
  const auto show = call.Find({MediaType::kTv, season.record->tv_id});
  call.Worsen(Fidelity::kApproximate);
  return show == nullptr ? std::string() : std::string(MemberOf(show->body, name));
}

std::string SeasonImages(Call& call, const Subject& season, std::string_view name) {
  return season.body[name].empty() ? Empty(call, R"({"posters":[]})") : Images(call, season, name);
}
std::string SeasonVideos(Call& call, const Subject& season, std::string_view name) {
  return season.body[name].empty() ? Empty(call, R"({"results":[]})") : Videos(call, season, name);
}
std::string SeasonTranslations(Call& call, const Subject& season, std::string_view name) {
  return season.body[name].empty() ? Empty(call, R"({"translations":[]})") : Stored(call, season, name);
}
std::string SeasonExternalIds(Call& call, const Subject& season, std::string_view name) {
  constexpr auto kNone =
      R"({"freebase_mid":null,"freebase_id":null,"tvdb_id":null,"tvrage_id":null,"wikidata_id":null})";
  return season.body[name].empty() ? Empty(call, kNone) : Stored(call, season, name);
}

std::string NoStills(Call& call, const Subject&, std::string_view) {
  return Empty(call, R"({"stills":[]})");
}
std::string NoVideos(Call& call, const Subject&, std::string_view) {
  return Empty(call, R"({"results":[]})");
}
std::string NoTranslations(Call& call, const Subject&, std::string_view) {
  return Empty(call, R"({"translations":[]})");
}
std::string NoExternalIds(Call& call, const Subject&, std::string_view) {
  return Empty(
      call,
      R"({"imdb_id":null,"freebase_mid":null,"freebase_id":null,"tvdb_id":null,"tvrage_id":null,"wikidata_id":null})");
}

// Sources of the places: recorded answers of 2025 and 2026.
// clang-format off
constexpr PartKind kParts[] = {
    {MediaType::kMovie, "alternative_titles", IdPlace::kFirst, AlternativeTitles},
    {MediaType::kMovie, "changes", IdPlace::kNone, NoChanges},
    {MediaType::kMovie, "credits", IdPlace::kFirst, Stored},
    {MediaType::kMovie, "external_ids", IdPlace::kFirst, Stored},
    {MediaType::kMovie, "images", IdPlace::kBehindBackdrops, Images},
    {MediaType::kMovie, "keywords", IdPlace::kFirst, Stored},
    {MediaType::kMovie, "lists", IdPlace::kFirst, StoredPage, true},
    {MediaType::kMovie, "recommendations", IdPlace::kNone, NearTitles, true},
    {MediaType::kMovie, "release_dates", IdPlace::kFirst, Stored},
    {MediaType::kMovie, "reviews", IdPlace::kFirst, StoredPage, true},
    {MediaType::kMovie, "similar", IdPlace::kNone, NearTitles, true},
    {MediaType::kMovie, "translations", IdPlace::kFirst, Stored},
    {MediaType::kMovie, "videos", IdPlace::kFirst, Videos},
    {MediaType::kMovie, "watch/providers", IdPlace::kFirst, Stored},
    {MediaType::kMovie, "casts", IdPlace::kFirst, Casts},
    {MediaType::kMovie, "trailers", IdPlace::kFirst, Trailers},
    {MediaType::kMovie, "releases", IdPlace::kFirst, Releases},
    {MediaType::kMovie, "similar_movies", IdPlace::kNone, NearTitles, true},

    {MediaType::kTv, "aggregate_credits", IdPlace::kLast, Stored},
    {MediaType::kTv, "alternative_titles", IdPlace::kFirst, Stored},
    {MediaType::kTv, "changes", IdPlace::kNone, NoChanges},
    {MediaType::kTv, "content_ratings", IdPlace::kLast, Stored},
    {MediaType::kTv, "credits", IdPlace::kLast, CreditsOfShow},
    {MediaType::kTv, "episode_groups", IdPlace::kLast, Stored},
    {MediaType::kTv, "external_ids", IdPlace::kFirst, Stored},
    {MediaType::kTv, "images", IdPlace::kBehindBackdrops, Images},
    {MediaType::kTv, "keywords", IdPlace::kFirst, Stored},
    {MediaType::kTv, "lists", IdPlace::kFirst, StoredPage, true},
    {MediaType::kTv, "recommendations", IdPlace::kNone, NearTitles, true},
    {MediaType::kTv, "reviews", IdPlace::kFirst, StoredPage, true},
    {MediaType::kTv, "screened_theatrically", IdPlace::kFirst, Stored},
    {MediaType::kTv, "similar", IdPlace::kNone, NearTitles, true},
    {MediaType::kTv, "translations", IdPlace::kFirst, Stored},
    {MediaType::kTv, "videos", IdPlace::kFirst, Videos},
    {MediaType::kTv, "watch/providers", IdPlace::kFirst, Stored},

    {MediaType::kSeason, "aggregate_credits", IdPlace::kLast, AggregateCreditsOfSeason},
    {MediaType::kSeason, "credits", IdPlace::kLast, CreditsOfSeason},
    {MediaType::kSeason, "external_ids", IdPlace::kFirst, SeasonExternalIds},
    {MediaType::kSeason, "images", IdPlace::kFirst, SeasonImages},
    {MediaType::kSeason, "translations", IdPlace::kFirst, SeasonTranslations},
    {MediaType::kSeason, "videos", IdPlace::kFirst, SeasonVideos},
    {MediaType::kSeason, "watch/providers", IdPlace::kFirst, ProvidersOfShow},

    {MediaType::kEpisode, "credits", IdPlace::kLast, CreditsOfEpisode},
    {MediaType::kEpisode, "external_ids", IdPlace::kFirst, NoExternalIds},
    {MediaType::kEpisode, "images", IdPlace::kFirst, NoStills},
    {MediaType::kEpisode, "translations", IdPlace::kFirst, NoTranslations},
    {MediaType::kEpisode, "videos", IdPlace::kFirst, NoVideos},

    {MediaType::kPerson, "changes", IdPlace::kNone, NoChanges},
    {MediaType::kPerson, "combined_credits", IdPlace::kLast, CombinedCredits},
    {MediaType::kPerson, "external_ids", IdPlace::kFirst, Stored},
    {MediaType::kPerson, "images", IdPlace::kFirst, Stored},
    {MediaType::kPerson, "movie_credits", IdPlace::kLast, CreditsOfOneType},
    {MediaType::kPerson, "tagged_images", IdPlace::kFirst, StoredPage, true},
    {MediaType::kPerson, "translations", IdPlace::kFirst, Stored},
    {MediaType::kPerson, "tv_credits", IdPlace::kLast, CreditsOfOneType},
    // An old name. Appended it is dropped, as a name that belongs to films.
    {MediaType::kPerson, "credits", IdPlace::kLast, CreditsOfOneType, false, false},

    {MediaType::kCollection, "images", IdPlace::kFirst, Images},
    {MediaType::kCollection, "translations", IdPlace::kFirst, Stored},
    {MediaType::kCompany, "alternative_names", IdPlace::kFirst, Stored},
    {MediaType::kCompany, "images", IdPlace::kFirst, Stored},
    {MediaType::kCompany, "movies", IdPlace::kFirst, CompanysFilms, true},
    {MediaType::kNetwork, "alternative_names", IdPlace::kFirst, Stored},
    {MediaType::kNetwork, "images", IdPlace::kFirst, Stored},
};
// clang-format on

}  // namespace

const PartKind* FindPart(MediaType type, std::string_view name) {
  const auto found =
      std::ranges::find_if(kParts, [&](const PartKind& row) { return row.type == type && row.name == name; });
  return found == std::end(kParts) ? nullptr : found;
}

std::string MakePart(Call& call, const PartKind& kind, const Subject& subject) {
  return kind.make(call, subject, kind.name);
}

std::string WithId(const PartKind& kind, std::string part, std::int64_t id) {
  if (kind.id_place == IdPlace::kNone) return part;
  const JsonObject object(part);
  const std::string number = std::to_string(id);
  JsonSplice out = JsonSplice::Object(part.size() + 32);
  bool placed = false;
  const auto place = [&] {
    if (!std::exchange(placed, true)) out.Add("id", number);
  };
  const bool behind = kind.id_place == IdPlace::kBehindBackdrops && !object["backdrops"].empty();
  if (kind.id_place != IdPlace::kLast && !behind) place();
  for (const JsonMember& member : object.members()) {
    if (member.name == "id") continue;
    out.Add(member.whole);
    if (behind && member.name == "backdrops") place();
  }
  place();
  return std::move(out).Take();
}

}  // namespace tmdbc::read_api
