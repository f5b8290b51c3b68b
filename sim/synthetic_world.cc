// SPDX-License-Identifier: MIT
#include "synthetic_world.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "json.h"
#include "text.h"

namespace tmdbc::sim {
namespace {

constexpr std::array<std::string_view, kKinds> kKindNames = {"movie",   "tv",      "person", "collection",
                                                         "company", "network", "keyword"};

bool HasAdult(Kind kind) {
  return kind == Kind::kMovie || kind == Kind::kTv || kind == Kind::kPerson;
}

// Blanks around and inside, tabs, quotes, markup: all of them occur in real names.
std::string Odd(std::string name, Random& random) {
  switch (random.Below(60)) {
    case 0:
      return " " + name;
    case 1:
      return name + " ";
    case 2:
      return name + "  (TV)";
    case 3:
      return "\"" + name + "\"";
    case 4:
      return "<" + name + "> & more";
    case 5:
      return name + "\t!";
    case 6:
      return name + " \\o/";
    default:
      return name;
  }
}

}  // namespace

std::string_view NameOf(Kind kind) {
  return kKindNames[static_cast<std::size_t>(kind)];
}

std::optional<Kind> KindOf(std::string_view name) {
  for (int i = 0; i < kKinds; ++i) {
    if (kKindNames[static_cast<std::size_t>(i)] == name) return static_cast<Kind>(i);
  }
  return std::nullopt;
}

IdSpace::IdSpace(std::uint64_t seed, Kind kind, std::int64_t size, double gap_share)
    : seed_(Mix(seed ^ (0x1d5 + static_cast<std::uint64_t>(kind)))),
      size_(size),
      spacing_permille_(static_cast<std::int64_t>(1000 / (1 - std::clamp(gap_share, 0.0, 0.99)))) {}

std::int64_t IdSpace::At(std::int64_t index) const {
  const std::int64_t start = CellStart(index);
  const auto room = static_cast<std::uint64_t>(CellStart(index + 1) - start);
  if (kFamous >= start && kFamous < CellStart(index + 1)) return kFamous;
  return start + static_cast<std::int64_t>(Random(seed_, index).Below(room));
}

std::optional<std::int64_t> IdSpace::IndexOf(std::int64_t id) const {
  if (id < 1) return std::nullopt;
  for (std::int64_t index = (id - 1) * 1000 / spacing_permille_;; ++index) {
    if (index >= size_ || CellStart(index) > id) return std::nullopt;
    if (At(index) == id) return index;
  }
}

SyntheticWorld::SyntheticWorld(const SyntheticOptions& options) : options_(options) {
  for (int i = 0; i < kKinds; ++i) {
    const auto kind = static_cast<Kind>(i);
    const std::int64_t adult =
        HasAdult(kind) ? static_cast<std::int64_t>(static_cast<double>(listed(kind)) * options.adult_share)
                       : 0;
    spaces_.emplace_back(options.seed, kind, listed(kind) + adult + options.reserve, options.gap_share);
  }
}

bool SyntheticWorld::Gone(Kind kind, std::int64_t id) const {
  return options_.gone_share > 0 && id != kFamous && For(kind, id, "gone").Chance(options_.gone_share);
}

bool SyntheticWorld::Exists(Kind kind, std::int64_t id) const {
  const auto index = ids(kind).IndexOf(id);
  return index && *index < size(kind) && !Gone(kind, id);
}

std::optional<SyntheticWorld::Subject> SyntheticWorld::Find(Kind kind, std::int64_t id) const {
  const auto index = ids(kind).IndexOf(id);
  if (!index || Gone(kind, id)) return std::nullopt;
  return Describe(kind, *index);
}

SyntheticWorld::Subject SyntheticWorld::Describe(Kind kind, std::int64_t index) const {
  Subject subject{.kind = kind, .id = ids(kind).At(index), .index = index, .adult = IsAdult(kind, index)};
  Random random = For(kind, subject.id, "subject");
  const double fame = random.Normal();
  subject.weight = std::exp(0.75 * fame);
  subject.popularity = std::max(0.0, 1.2 * std::exp(1.6 * fame) - 0.02);
  subject.votes = static_cast<std::int64_t>(20 * std::exp(2.2 * fame)) - 1;
  subject.votes = std::max<std::int64_t>(subject.votes, 0);
  subject.rating = subject.votes == 0 ? 0 : std::clamp(6.2 + random.Normal(), 1.0, 10.0);
  subject.language = random.Chance(0.55) ? 0 : random.Below(Languages().size());
  const Script script = Languages()[subject.language].script;
  if (kind == Kind::kPerson) {
    subject.name = PersonName(random);
    subject.original_name = random.Chance(0.1) ? Title(random, script) : subject.name;
  } else if (kind == Kind::kKeyword) {
    subject.name = Odd(Word(random, Script::kEnglish) + " " + Word(random, Script::kEnglish), random);
    subject.original_name = subject.name;
  } else {
    subject.name = Odd(Title(random, Script::kEnglish), random);
    if (kind == Kind::kCollection) subject.name += " Collection";
    if (kind == Kind::kCompany) subject.name += random.Chance(0.5) ? " Pictures" : " S.A.";
    subject.original_name = script == Script::kEnglish ? subject.name : Title(random, script);
  }
  return subject;
}

std::optional<SyntheticWorld::Subject> SyntheticWorld::Any(Kind kind, Random& random) const {
  if (listed(kind) == 0) return std::nullopt;
  return Describe(kind, static_cast<std::int64_t>(random.Below(static_cast<std::uint64_t>(listed(kind)))));
}

std::optional<std::string> SyntheticWorld::Details(Kind kind, std::int64_t id) {
  const auto subject = Find(kind, id);
  if (!subject) return std::nullopt;
  switch (kind) {
    case Kind::kMovie:
      return Movie(*subject, false);
    case Kind::kTv:
      return Show(*subject, false);
    case Kind::kPerson:
      return Person(*subject, false);
    case Kind::kCollection:
      return Collection(*subject);
    case Kind::kCompany:
      return Company(*subject);
    case Kind::kNetwork:
      return Network(*subject);
    case Kind::kKeyword:
      return JsonWriter().Object().Int("id", id).Text("name", subject->name).EndObject().Take();
  }
  return std::nullopt;
}

std::optional<std::string> SyntheticWorld::OlderDetails(Kind kind, std::int64_t id) {
  const auto subject = Find(kind, id);
  if (!subject) return std::nullopt;
  if (kind == Kind::kMovie) return Movie(*subject, true);
  if (kind == Kind::kTv) return Show(*subject, true);
  if (kind == Kind::kPerson) return Person(*subject, true);
  return std::nullopt;
}

void SyntheticWorld::ForEachId(Kind kind, const std::function<void(std::int64_t, bool)>& sink) {
  for (std::int64_t index = 0; index < size(kind); ++index) {
    const std::int64_t id = ids(kind).At(index);
    if (!Gone(kind, id)) sink(id, index >= listed(kind));
  }
}

std::optional<std::string> SyntheticWorld::ExportLine(Kind kind, std::int64_t id) {
  const auto index = ids(kind).IndexOf(id);
  if (!index) return std::nullopt;
  const Subject subject = Describe(kind, *index);
  std::string line = "{";
  const bool has_adult = kind == Kind::kMovie || kind == Kind::kPerson;
  if (has_adult) line += subject.adult ? "\"adult\":true," : "\"adult\":false,";
  line += fmt::format("\"id\":{},", subject.id);
  line += kind == Kind::kMovie ? "\"original_title\":"
          : kind == Kind::kTv  ? "\"original_name\":"
                               : "\"name\":";
  AppendQuoted(line, HasAdult(kind) && kind != Kind::kPerson ? subject.original_name : subject.name, true);
  if (HasAdult(kind)) {
    line += ",\"popularity\":";
    AppendReal(line, subject.popularity, 4);
  }
  if (kind == Kind::kMovie)
    line += For(kind, id, "video").Chance(0.04) ? ",\"video\":true" : ",\"video\":false";
  return line += "}";
}

void SyntheticWorld::ForEachLine(Kind kind, bool adult, const std::function<void(std::string_view)>& sink) {
  const std::int64_t first = adult ? listed(kind) : 0;
  const std::int64_t count = (adult ? size(kind) : listed(kind)) - first;
  if (count == 0) return;
  // A walk that visits every index once in no order: steps of a length that shares no factor with the count.
  std::int64_t step = static_cast<std::int64_t>(static_cast<double>(count) * 0.618) + 1;
  while (std::gcd(step, count) != 1) ++step;
  for (std::int64_t i = 0, at = count / 3; i < count; ++i, at = (at + step) % count) {
    sink(*ExportLine(kind, ids(kind).At(first + at)) + "\n");
  }
}

std::optional<std::string> SyntheticWorld::List(std::string_view path) {
  JsonWriter json;
  const auto named = [&](std::initializer_list<std::pair<int, std::string_view>> genres) {
    json.Object().Key("genres").Array();
    for (const auto& [id, name] : genres) json.Object().Int("id", id).Text("name", name).EndObject();
    return json.EndArray().EndObject().Take();
  };
  const auto countries = [&](bool wrapped) {
    if (wrapped) json.Object().Key("results");
    json.Array();
    for (const Language& l : Languages()) {
      json.Object()
          .Text("iso_3166_1", l.country)
          .Text("english_name", l.country_name)
          .Text("native_name", l.country_name)
          .EndObject();
    }
    json.EndArray();
    if (wrapped) json.EndObject();
    return json.Take();
  };
  const auto providers = [&] {
    json.Object().Key("results").Array();
    for (int id = 1; id <= 60; ++id) {
      Random random(options_.seed, HashText("provider"), id);
      json.Object().Key("display_priorities").Object();
      for (const Language& l : Languages().first(30)) {
        if (l.code != "es" || l.country == "ES") json.Int(l.country, random.Between(0, 130));
      }
      json.EndObject().Int("display_priority", id).Text("logo_path", FilePath(random));
      json.Text("provider_name", Title(random, Script::kEnglish)).Int("provider_id", id).EndObject();
    }
    return json.EndArray().EndObject().Take();
  };
  const auto certifications = [&] {
    json.Object().Key("certifications").Object();
    for (const std::string_view country : {"US", "DE", "FR", "AU", "GB", "IN", "BR"}) {
      json.Key(country).Array();
      for (int order = 1; order <= 5; ++order) {
        Random random(options_.seed, HashText(country), order);
        json.Object().Text("certification", order == 1 ? "" : std::to_string(order * 3 + 3));
        json.Text("meaning", Sentence(random, Script::kEnglish)).Int("order", order).EndObject();
      }
      json.EndArray();
    }
    return json.EndObject().EndObject().Take();
  };
  if (path == "configuration") {
    return R"({"change_keys":["adult","air_date","also_known_as","alternative_titles","biography","birthday","budget","cast"],)"
           R"("images":{"base_url":"http://image.tmdb.org/t/p/","secure_base_url":"https://image.tmdb.org/t/p/",)"
           R"("backdrop_sizes":["w300","w780","w1280","original"],"logo_sizes":["w45","w500","original"],)"
           R"("poster_sizes":["w92","w500","original"],"profile_sizes":["w45","h632","original"],"still_sizes":["w92","original"]}})";
  }
  if (path == "configuration/countries") return countries(false);
  if (path == "watch/providers/regions") return countries(true);
  if (path == "configuration/jobs") {
    return R"([{"department":"Directing","jobs":["Director","Script Supervisor","Other"]},{"department":"Writing","jobs":)"
           R"(["Writer","Screenplay","Novel"]},{"department":"Sound","jobs":["Original Music Composer","Sound Editor"]}])";
  }
  if (path == "configuration/languages") {
    json.Array();
    for (const Language& l : Languages()) {
      json.Object()
          .Text("iso_639_1", l.code)
          .Text("english_name", l.english_name)
          .Text("name", l.name)
          .EndObject();
    }
    return json.EndArray().Take();
  }
  if (path == "configuration/primary_translations") {
    json.Array();
    for (const Language& l : Languages()) json.Text(fmt::format("{}-{}", l.code, l.country));
    return json.EndArray().Take();
  }
  if (path == "configuration/timezones") {
    return R"([{"iso_3166_1":"DE","zones":["Europe/Berlin","Europe/Busingen"]},{"iso_3166_1":"JP","zones":["Asia/Tokyo"]}])";
  }
  if (path == "genre/movie/list")
    return named(
        {{28, "Action"}, {12, "Adventure"}, {35, "Comedy"}, {18, "Drama"}, {878, "Science Fiction"}});
  if (path == "genre/tv/list")
    return named({{10759, "Action & Adventure"}, {35, "Comedy"}, {18, "Drama"}, {10765, "Sci-Fi & Fantasy"}});
  if (path == "certification/movie/list" || path == "certification/tv/list") return certifications();
  if (path == "watch/providers/movie" || path == "watch/providers/tv") return providers();
  return std::nullopt;
}

}  // namespace tmdbc::sim
