// SPDX-License-Identifier: MIT
#include "read_api/rows.h"

#include <algorithm>
#include <array>
#include <optional>
#include <span>
#include <tuple>
#include <utility>
#include <vector>

#include "read_api/texts.h"

namespace tmdbc::read_api {
namespace {

constexpr std::size_t kKnownFor = 3;
constexpr std::size_t kUsualRow = 1024;

// The members of a row, in their order. Those that the record has not are left out.
constexpr std::array<std::string_view, 15> kMovieList = {
    "adult",          "backdrop_path", "genre_ids",  "id",          "title",        "original_language",
    "original_title", "overview",      "popularity", "poster_path", "release_date", "softcore",
    "video",          "vote_average",  "vote_count"};
constexpr std::array<std::string_view, 16> kMovieMixed = {
    "adult",       "backdrop_path",  "id",
    "title",       "original_title", "overview",
    "poster_path", "media_type",     "original_language",
    "genre_ids",   "popularity",     "release_date",
    "softcore",    "video",          "vote_average",
    "vote_count"};
constexpr std::array<std::string_view, 15> kTvList = {
    "adult",         "backdrop_path", "genre_ids",  "id",          "origin_country", "original_language",
    "original_name", "overview",      "popularity", "poster_path", "first_air_date", "softcore",
    "name",          "vote_average",  "vote_count"};
constexpr std::array<std::string_view, 16> kTvMixed = {"adult",         "backdrop_path", "id",
                                                       "name",          "original_name", "overview",
                                                       "poster_path",   "media_type",    "original_language",
                                                       "genre_ids",     "popularity",    "first_air_date",
                                                       "softcore",      "vote_average",  "vote_count",
                                                       "origin_country"};
constexpr std::array<std::string_view, 9> kPersonList = {
    "adult",      "gender",       "id",       "known_for_department", "name", "original_name",
    "popularity", "profile_path", "known_for"};
constexpr std::array<std::string_view, 10> kPersonMixed = {
    "adult",        "id",         "name",   "original_name",
    "media_type",   "popularity", "gender", "known_for_department",
    "profile_path", "known_for"};
constexpr std::array<std::string_view, 8> kCollectionList = {
    "adult", "backdrop_path", "id", "name", "original_language", "original_name", "overview", "poster_path"};
constexpr std::array<std::string_view, 9> kCollectionMixed = {
    "adult",      "backdrop_path",    "id", "name", "original_name", "overview", "poster_path",
    "media_type", "original_language"};
constexpr std::array<std::string_view, 4> kCompany = {"id", "logo_path", "name", "origin_country"};
constexpr std::array<std::string_view, 2> kKeyword = {"id", "name"};

std::span<const std::string_view> MembersOf(MediaType type, RowForm form) {
  const bool list = form == RowForm::kList;
  switch (type) {
    case MediaType::kMovie:
      return list ? std::span<const std::string_view>(kMovieList) : kMovieMixed;
    case MediaType::kTv:
      return list ? std::span<const std::string_view>(kTvList) : kTvMixed;
    case MediaType::kPerson:
      return list ? std::span<const std::string_view>(kPersonList) : kPersonMixed;
    case MediaType::kCollection:
      return list ? std::span<const std::string_view>(kCollectionList) : kCollectionMixed;
    case MediaType::kCompany:
    case MediaType::kNetwork:
      return kCompany;
    case MediaType::kKeyword:
      return kKeyword;
    default:
      return {};
  }
}

std::string GenreIds(JsonSlice genres) {
  JsonSplice ids = JsonSplice::Array();
  for (const JsonSlice genre : ElementsOf(genres)) {
    if (const JsonSlice id = MemberOf(genre, "id"); !id.empty()) ids.Add(id);
  }
  return std::move(ids).Take();
}

// "2013-02-14" quoted; empty when that country has none. Types 2 and 3 are a cinema's.
std::string DateInRegion(const JsonObject& body, std::string_view region) {
  std::string_view cinema, any;
  for (const JsonSlice country : ElementsOf(MemberOf(body["release_dates"], "results"))) {
    const JsonObject object(country);
    if (PlainText(object["iso_3166_1"]) != region) continue;
    for (const JsonSlice entry : ElementsOf(object["release_dates"])) {
      const JsonObject release(entry);
      const std::string_view date = DayOf(release["release_date"]);
      if (date.empty()) continue;
      if (any.empty() || date < any) any = date;
      const auto kind = IntegerOf(release["type"]);
      if ((kind == 2 || kind == 3) && (cinema.empty() || date < cinema)) cinema = date;
    }
  }
  const std::string_view date = cinema.empty() ? any : cinema;
  return date.empty() ? std::string() : "\"" + std::string(date) + "\"";
}

std::string MediaTypeOf(MediaType type) {
  return "\"" + std::string(Name(type)) + "\"";
}

std::optional<MediaType> TypeOfRow(const JsonObject& row, MediaType otherwise) {
  const JsonSlice named = row["media_type"];
  if (named.empty()) return otherwise;
  const std::string_view name = PlainText(named);
  if (name == "movie") return MediaType::kMovie;
  if (name == "tv") return MediaType::kTv;
  if (name == "collection") return MediaType::kCollection;
  return std::nullopt;
}

// A row of credits is a row of a list with further members: the same in another form.
std::string RowFromCredit(const JsonObject& credit, MediaType type, const JsonObject* record,
                          const Language& language) {
  const Texts texts = record == nullptr ? Texts() : TextsIn(language, type, *record);
  JsonSplice row = JsonSplice::Object(kUsualRow);
  for (const std::string_view name : MembersOf(type, RowForm::kMixed)) {
    JsonSlice value = credit[name];
    if (record != nullptr && name == TitleMember(type)) value = texts.title;
    if (record != nullptr && name == "overview") value = texts.overview;
    if (record != nullptr && name == "poster_path") value = texts.poster_path;
    row.Add(name, value);
  }
  return std::move(row).Take();
}

struct Known {
  JsonObject credit;
  MediaType type;
  std::int64_t id;
  double weight;
};

}  // namespace

std::string KnownFor(Call& call, const JsonObject& person, const Language& language) {
  const JsonObject credits(person["combined_credits"]);
  const std::string_view department = PlainText(person["known_for_department"]);
  const bool acting = department == "Acting" || department.empty();
  std::vector<Known> all;
  for (const JsonSlice entry : ElementsOf(credits[acting ? "cast" : "crew"])) {
    JsonObject credit(entry);
    if (!acting && PlainText(credit["department"]) != department) continue;
    const auto id = IntegerOf(credit["id"]);
    const auto type = TypeOfRow(credit, MediaType::kMovie);
    if (!id || !type) continue;
    const double order = acting ? NumberOf(credit["order"]) : 0;
    const double weight = NumberOf(credit["vote_count"]) / (1 + std::max(order, 0.0));
    const auto same =
        std::ranges::find_if(all, [&](const Known& k) { return k.id == *id && k.type == *type; });
    if (same == all.end()) {
      all.push_back({std::move(credit), *type, *id, weight});
    } else {
      same->weight = std::max(same->weight, weight);
    }
  }
  std::ranges::stable_sort(all, std::ranges::greater(), &Known::weight);
  JsonSplice rows = JsonSplice::Array(kKnownFor * kUsualRow);
  for (std::size_t i = 0; i < std::min(kKnownFor, all.size()); ++i) {
    const Known& known = all[i];
    const auto record = language.IsStored() ? nullptr : call.Find({known.type, known.id});
    if (record == nullptr) {
      if (!language.IsStored()) call.Worsen(Fidelity::kApproximate);
      rows.Add(RowFromCredit(known.credit, known.type, nullptr, language));
    } else {
      const JsonObject body(record->body);
      rows.Add(RowFromCredit(known.credit, known.type, &body, language));
    }
  }
  return std::move(rows).Take();
}

std::string RowOf(Call& call, const Record& record, const RowStyle& style) {
  const MediaType type = record.source.id.type;
  const JsonObject body(record.body);
  const std::span<const std::string_view> names = MembersOf(type, style.form);
  if (body.members().empty() || names.empty()) return {};
  const bool translated =
      type != MediaType::kCompany && type != MediaType::kNetwork && type != MediaType::kKeyword;
  const Texts texts = TextsIn(translated ? style.language : Language(), type, body);
  JsonSplice row = JsonSplice::Object(kUsualRow);
  for (const std::string_view name : names) {
    if (name == TitleMember(type)) {
      row.Add(name, texts.title);
    } else if (name == "overview") {
      row.Add(name, texts.overview);
    } else if (name == "poster_path") {
      row.Add(name, texts.poster_path);
    } else if (name == "genre_ids") {
      row.Add(name, GenreIds(body["genres"]));
    } else if (name == "media_type") {
      row.Add(name, MediaTypeOf(type));
    } else if (name == "popularity" && !style.popularity.empty()) {
      row.Add(name, style.popularity);
    } else if (name == "release_date" && !style.region.empty()) {
      const std::string date = DateInRegion(body, style.region);
      row.Add(name, date.empty() ? body[name] : JsonSlice(date));
    } else if (name == "known_for") {
      row.Add(name, KnownFor(call, body, style.language));
    } else if (name == "original_name" && type == MediaType::kPerson && body[name].empty()) {
      row.Add(name, body["name"]);  // a person's record has no other
    } else if (name == "adult" && body[name].empty()) {
      row.Add(name, "false");  // a collection's record does not say
    } else {
      row.Add(name, body[name]);
    }
  }
  return std::move(row).Take();
}

std::string LocalRow(Call& call, JsonSlice row, MediaType type, const Language& language) {
  if (language.IsStored()) return std::string(row);
  const JsonObject object(row);
  const auto id = IntegerOf(object["id"]);
  const auto of = TypeOfRow(object, type);
  if (!id || !of) return std::string(row);
  const auto record = call.Find({*of, *id});
  if (record == nullptr) {
    call.Worsen(Fidelity::kApproximate);
    return std::string(row);
  }
  call.Worsen(Fidelity::kDerived);
  const JsonObject body(record->body);
  const Texts texts = TextsIn(language, *of, body);
  return WithValues(object,
                    std::array{NewValue{TitleMember(*of), texts.title}, NewValue{"overview", texts.overview},
                               NewValue{"poster_path", texts.poster_path}});
}

std::string LocalRows(Call& call, JsonSlice rows, MediaType type, const Language& language) {
  if (language.IsStored()) return std::string(rows);
  JsonSplice local = JsonSplice::Array(rows.size());
  for (const JsonSlice row : ElementsOf(rows)) local.Add(LocalRow(call, row, type, language));
  return std::move(local).Take();
}

}  // namespace tmdbc::read_api
