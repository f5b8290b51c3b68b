// SPDX-License-Identifier: MIT
#include "titles/entry.h"

#include <simdjson.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cmath>
#include <utility>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/whole_number.h"
#include "titles/fold.h"

namespace tmdbc::titles {
namespace {

using simdjson::dom::element;
using simdjson::dom::object;

constexpr std::array<std::string_view, 6> kShowStatuses = {"Returning Series", "Planned",  "In Production",
                                                           "Ended",            "Canceled", "Pilot"};
constexpr std::array<std::string_view, 7> kShowTypes = {"Documentary", "News",      "Miniseries", "Reality",
                                                        "Scripted",    "Talk Show", "Video"};

// --- members that may be absent, null or of another type: then they say nothing ---

std::string_view TextAt(const object& from, std::string_view name) {
  std::string_view text;
  return from.at_key(name).get(text) == simdjson::SUCCESS ? text : std::string_view();
}
double NumberAt(const object& from, std::string_view name) {
  double number = 0;
  return from.at_key(name).get(number) == simdjson::SUCCESS && std::isfinite(number) ? number : 0;
}
// A whole number however it is spelled: 90, 90.0, 9e1.
std::int64_t IntAt(const object& from, std::string_view name) {
  std::int64_t number = 0;
  if (from.at_key(name).get(number) == simdjson::SUCCESS) return number;
  return WholeNumberOf(NumberAt(from, name)).value_or(0);
}
bool TrueAt(const object& from, std::string_view name) {
  bool is = false;
  return from.at_key(name).get(is) == simdjson::SUCCESS && is;
}
object ObjectAt(const object& from, std::string_view name, bool& there) {
  object found;
  there = from.at_key(name).get(found) == simdjson::SUCCESS;
  return found;
}
// Calls `visit` with every object of the array.
template <class Visit>
void EachIn(const object& from, std::string_view name, const Visit& visit) {
  simdjson::dom::array items;
  if (from.at_key(name).get(items) != simdjson::SUCCESS) return;
  for (const element item : items) {
    object one;
    if (item.get(one) == simdjson::SUCCESS) visit(one);
  }
}
// The same of the array `name` within the object `outer`.
template <class Visit>
void EachWithin(const object& from, std::string_view outer, std::string_view name, const Visit& visit) {
  bool there = false;
  const object found = ObjectAt(from, outer, there);
  if (there) EachIn(found, name, visit);
}

std::uint32_t CountOf(std::int64_t number) {
  return std::uint32_t(std::clamp<std::int64_t>(number, 0, UINT32_MAX));
}
// "2013-02-14" or "2013-02-14T00:00:00.000Z".
std::int32_t DayOf(std::string_view text) {
  if (text.size() < 10) return kNoDay;
  const auto day = ParseDate(text.substr(0, 10));
  return day ? std::int32_t(day->time_since_epoch().count()) : kNoDay;
}

MovingNumbers NumbersOf(const object& body) {
  return {float(NumberAt(body, "popularity")), float(NumberAt(body, "vote_average")), CountOf(IntAt(body, "vote_count"))};
}

class EntryMaker {
 public:
  EntryMaker(MediaId id, const object& body) : type_(id.type), body_(body) { entry_.fixed.id = std::uint32_t(id.id); }

  Entry Make(std::int64_t show) {
    TakeFixed();
    TakeNames();
    if (type_ == MediaType::kMovie) TakeFilm();
    if (type_ == MediaType::kTv) TakeShow();
    if (type_ == MediaType::kMovie || type_ == MediaType::kTv) TakeTitle();
    if (type_ == MediaType::kSeason) TakeSeason(show);
    TakeExternals();
    for (const EntryFlag flag : {kAdult, kVideo}) {
      if ((entry_.fixed.flags & flag) != 0) Add(AttributeKind::kFlag, flag);
    }
    std::ranges::sort(entry_.attributes);
    const auto twice = std::ranges::unique(entry_.attributes);
    entry_.attributes.erase(twice.begin(), twice.end());
    return std::move(entry_);
  }

 private:
  void Add(AttributeKind kind, std::uint64_t value) { entry_.attributes.push_back(AttributeOf(kind, value)); }
  void AddIds(AttributeKind kind, std::string_view list) {
    EachIn(body_, list, [&](const object& one) {
      if (const auto id = IntAt(one, "id"); id > 0) Add(kind, std::uint64_t(id));
    });
  }
  void AddCredits(std::string_view credits, std::string_view list, AttributeKind kind) {
    EachWithin(body_, credits, list, [&](const object& one) {
      if (const auto id = IntAt(one, "id"); id > 0) Add(kind, std::uint64_t(id));
    });
  }

  void TakeFixed() {
    entry_.base = NumbersOf(body_);
    entry_.fixed.popularity = entry_.base.popularity;
    entry_.fixed.vote_average = entry_.base.vote_average;
    entry_.fixed.vote_count = entry_.base.vote_count;
    if (TrueAt(body_, "adult")) entry_.fixed.flags |= kAdult;
    if (TrueAt(body_, "softcore")) entry_.fixed.flags |= kSoftcore;
  }

  // A name that the entry has already says nothing new; a translation may count in several languages.
  void Name(NameKind kind, std::string_view text, std::uint16_t language = 0) {
    std::string folded = Fold(text);
    const auto known = [&](const TitleName& name) {
      return name.text == folded && (name.kind != NameKind::kTranslation || name.language == language);
    };
    if (!entry_.names.empty() && (folded.empty() || std::ranges::any_of(entry_.names, known))) return;
    entry_.names.push_back({kind, language, std::move(folded)});
  }
  void TakeNames() {
    const bool film = type_ == MediaType::kMovie;
    Name(NameKind::kTitle, TextAt(body_, film ? "title" : "name"));
    if (type_ == MediaType::kSeason) return;
    Name(NameKind::kOriginal, TextAt(body_, film ? "original_title" : "original_name"));
    const auto alternative = [&](const object& one) {
      Name(NameKind::kAlternative, TextAt(one, "title"));
      Name(NameKind::kAlternative, TextAt(one, "name"));
    };
    for (const std::string_view list : {"titles", "results"}) {
      EachWithin(body_, "alternative_titles", list, alternative);
      EachWithin(body_, "alternative_names", list, alternative);
    }
    simdjson::dom::array also;
    if (body_.at_key("also_known_as").get(also) == simdjson::SUCCESS) {
      for (const element one : also) {
        std::string_view text;
        if (one.get(text) == simdjson::SUCCESS) Name(NameKind::kAlternative, text);
      }
    }
    EachWithin(body_, "translations", "translations", [&](const object& one) {
      bool there = false;
      const object data = ObjectAt(one, "data", there);
      if (!there || type_ == MediaType::kPerson) return;
      const std::string_view title = TextAt(data, "title");
      Name(NameKind::kTranslation, title.empty() ? TextAt(data, "name") : title, TwoLetters(TextAt(one, "iso_639_1")));
    });
  }

  // Of films and shows.
  void TakeTitle() {
    entry_.fixed.language = TwoLetters(TextAt(body_, "original_language"));
    if (entry_.fixed.language != 0) Add(AttributeKind::kLanguage, entry_.fixed.language);
    AddIds(AttributeKind::kGenre, "genres");
    AddIds(AttributeKind::kCompany, "production_companies");
    for (const std::string_view list : {"keywords", "results"}) {
      EachWithin(body_, "keywords", list, [&](const object& one) {
        if (const auto id = IntAt(one, "id"); id > 0) Add(AttributeKind::kKeyword, std::uint64_t(id));
      });
    }
    simdjson::dom::array countries;
    if (body_.at_key("origin_country").get(countries) == simdjson::SUCCESS) {
      for (const element one : countries) {
        std::string_view code;
        if (one.get(code) == simdjson::SUCCESS && code.size() == 2) Add(AttributeKind::kCountry, TwoLetters(code));
      }
    }
    TakeProviders();
  }
  void TakeProviders() {
    bool there = false;
    const object providers = ObjectAt(body_, "watch/providers", there);
    const object regions = there ? ObjectAt(providers, "results", there) : providers;
    if (!there) return;
    for (const auto region : regions) {
      object ways;
      const std::uint16_t code = TwoLetters(region.key);
      if (code == 0 || region.value.get(ways) != simdjson::SUCCESS) continue;
      for (const auto& [name, kind] : kMonetizations) {
        EachIn(ways, name, [&](const object& one) {
          const auto id = IntAt(one, "provider_id");
          if (id <= 0 || id > UINT32_MAX) return;
          Add(AttributeKind::kProvider, ProviderValue(code, kind, 0));
          Add(AttributeKind::kProvider, ProviderValue(code, kind, std::uint32_t(id)));
        });
      }
    }
  }

  void TakeFilm() {
    FixedPart& fixed = entry_.fixed;
    if (TrueAt(body_, "video")) fixed.flags |= kVideo;
    fixed.revenue = IntAt(body_, "revenue");
    fixed.runtime = std::uint16_t(std::clamp<std::int64_t>(IntAt(body_, "runtime"), 0, UINT16_MAX));
    fixed.day = DayOf(TextAt(body_, "release_date"));
    if (fixed.day != kNoDay) Add(AttributeKind::kReleaseMonth, MonthOf(fixed.day));
    AddCredits("credits", "cast", AttributeKind::kCast);
    AddCredits("credits", "crew", AttributeKind::kCrew);
    EachWithin(body_, "release_dates", "results", [&](const object& country) {
      const std::uint16_t code = TwoLetters(TextAt(country, "iso_3166_1"));
      EachIn(country, "release_dates", [&](const object& one) {
        const auto type = std::uint8_t(std::clamp<std::int64_t>(IntAt(one, "type"), 0, 255));
        const std::int32_t day = DayOf(TextAt(one, "release_date"));
        if (day != kNoDay) Add(AttributeKind::kReleaseMonth, MonthOf(day));
        entry_.releases.push_back({code, type, day, std::string(TextAt(one, "certification"))});
      });
    });
  }

  void TakeShow() {
    FixedPart& fixed = entry_.fixed;
    fixed.day = DayOf(TextAt(body_, "first_air_date"));
    const auto place = [](const auto& list, std::string_view text) {
      const auto found = std::ranges::find(list, text);
      return found == list.end() ? std::uint8_t(255) : std::uint8_t(found - list.begin());
    };
    fixed.status = place(kShowStatuses, TextAt(body_, "status"));
    fixed.type = place(kShowTypes, TextAt(body_, "type"));
    simdjson::dom::array times;
    std::int64_t minutes = 0;
    if (body_.at_key("episode_run_time").get(times) == simdjson::SUCCESS && times.size() > 0) {
      if (times.at(0).get(minutes) != simdjson::SUCCESS) minutes = 0;
    }
    bool there = false;
    const object last = ObjectAt(body_, "last_episode_to_air", there);
    if (minutes == 0 && there) minutes = IntAt(last, "runtime");
    fixed.runtime = std::uint16_t(std::clamp<std::int64_t>(minutes, 0, UINT16_MAX));
    AddIds(AttributeKind::kNetwork, "networks");
    EachWithin(body_, "content_ratings", "results", [&](const object& one) {
      entry_.releases.push_back(
          {TwoLetters(TextAt(one, "iso_3166_1")), 0, kNoDay, std::string(TextAt(one, "rating"))});
    });
    EachWithin(body_, "screened_theatrically", "results",
               [&](const object&) { Add(AttributeKind::kScreened, 1); });
  }

  void TakeSeason(std::int64_t show) {
    entry_.fixed.revenue = show;
    entry_.fixed.runtime = std::uint16_t(std::clamp<std::int64_t>(IntAt(body_, "season_number"), 0, UINT16_MAX));
    EachIn(body_, "episodes", [&](const object& one) {
      if (const std::int32_t day = DayOf(TextAt(one, "air_date")); day != kNoDay)
        Add(AttributeKind::kAirDay, std::uint64_t(std::int64_t(day) + kAirDayBias));
    });
  }

  void External(ExternalSource source, std::string_view value) {
    value = value.substr(0, 200);
    if (value.empty()) return;
    tmdbc::titles::External one{source, CanonicalExternal(source, value)};
    if (std::ranges::find(entry_.externals, one) != entry_.externals.end()) return;
    entry_.attributes.push_back(ExternalAttribute(source, one.value));
    entry_.externals.push_back(std::move(one));
  }
  void TakeExternals() {
    External(ExternalSource::kImdb, TextAt(body_, "imdb_id"));
    EachWithin(body_, "reviews", "results",
               [&](const object& review) { External(ExternalSource::kReview, TextAt(review, "id")); });
    bool there = false;
    const object ids = ObjectAt(body_, "external_ids", there);
    if (!there) return;
    for (const auto& [source, name] : kExternalSources) {
      External(source, TextAt(ids, name));
      if (const auto number = IntAt(ids, name); number > 0) External(source, std::to_string(number));
    }
  }

  const MediaType type_;
  const object body_;
  Entry entry_;
};

void PutVarint(std::string& out, std::uint64_t value) {
  for (; value >= 128; value >>= 7) out += char((value & 127) | 128);
  out += char(value);
}
std::uint64_t ZigZag(std::int64_t value) {
  return std::uint64_t(value) << 1 ^ std::uint64_t(value >> 63);
}
template <class T>
void PutRaw(std::string& out, const T& value) {
  out.append(reinterpret_cast<const char*>(&value), sizeof value);
}
template <class T>
Result<T> TakeRaw(std::string_view& bytes) {
  if (bytes.size() < sizeof(T)) return Fail(ErrorCode::kCorrupt, "an entry of the title index is cut off");
  T value;
  bytes.copy(reinterpret_cast<char*>(&value), sizeof value);
  bytes.remove_prefix(sizeof value);
  return value;
}

}  // namespace

std::uint32_t MonthOf(std::int32_t day) {
  const std::chrono::year_month_day date{std::chrono::sys_days(std::chrono::days(day))};
  return std::uint32_t((int(date.year()) + 5000) * 12 + int(unsigned(date.month())) - 1);
}

std::string CanonicalExternal(ExternalSource source, std::string_view value) {
  if (source == ExternalSource::kTvdb || source == ExternalSource::kTvrage) {
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
    if (error == std::errc() && end == value.data() + value.size()) return std::to_string(number);
  }
  return std::string(value);
}

Attribute ExternalAttribute(ExternalSource source, std::string_view canonical) {
  return AttributeOf(AttributeKind::kExternal, XXH3_64bits_withSeed(canonical.data(), canonical.size(), std::uint64_t(source)));
}

Result<Entry> EntryOf(MediaId id, std::int64_t show, std::string_view data) {
  if (id.id < 0 || id.id > UINT32_MAX) return Fail(ErrorCode::kInvalid, "{}: the title index takes no such id", ToString(id));
  TRY_ASSIGN(const ParsedJson json, ParsedJson::Parse(data));
  object body;
  if (json.root().get(body) != simdjson::SUCCESS)
    return Fail(ErrorCode::kCorrupt, "{} is not a JSON object", ToString(id));
  return EntryMaker(id, body).Make(show);
}

Entry GoneEntry(std::int64_t id) {
  Entry entry;
  entry.fixed.id = std::uint32_t(id);
  entry.fixed.flags = kGone;
  return entry;
}

Result<void> ApplyNumbers(Entry& entry, std::string_view patch) {
  TRY_ASSIGN(const ParsedJson json, ParsedJson::Parse(patch));
  simdjson::dom::array steps;
  if (json.root().get(steps) != simdjson::SUCCESS)
    return Fail(ErrorCode::kCorrupt, "a stats patch is not a JSON array");
  MovingNumbers now = entry.base;
  for (const element step : steps) {
    object one;
    if (step.get(one) != simdjson::SUCCESS)
      return Fail(ErrorCode::kCorrupt, "a step of a stats patch is not a JSON object");
    const std::string_view path = TextAt(one, "path");
    if (path == "/popularity") now.popularity = float(NumberAt(one, "value"));
    if (path == "/vote_average") now.vote_average = float(NumberAt(one, "value"));
    if (path == "/vote_count") now.vote_count = CountOf(IntAt(one, "value"));
  }
  entry.fixed.popularity = now.popularity;
  entry.fixed.vote_average = now.vote_average;
  entry.fixed.vote_count = now.vote_count;
  return {};
}

void PackTail(const Entry& entry, std::string& out) {
  PutVarint(out, entry.releases.size());
  for (const Release& one : entry.releases) {
    PutVarint(out, one.country);
    PutVarint(out, one.type);
    PutVarint(out, one.day == kNoDay ? 0 : ZigZag(one.day) + 1);
    PutVarint(out, one.certification.size());
    out += one.certification;
  }
  PutVarint(out, entry.attributes.size());
  Attribute before = 0;
  for (const Attribute one : entry.attributes) {
    PutVarint(out, one - before);
    before = one;
  }
  PutVarint(out, entry.externals.size());
  for (const External& one : entry.externals) {
    PutVarint(out, std::uint64_t(one.source));
    PutVarint(out, one.value.size());
    out += one.value;
  }
  PutRaw(out, entry.base);
}

Result<void> UnpackTail(std::string_view bytes, Entry& entry) {
  for (auto left = TakeVarint(bytes); left > 0 && !bytes.empty(); --left) {
    Release& one = entry.releases.emplace_back();
    one.country = std::uint16_t(TakeVarint(bytes));
    one.type = std::uint8_t(TakeVarint(bytes));
    const std::uint64_t day = TakeVarint(bytes);
    one.day = day == 0 ? kNoDay : std::int32_t(ZigZagBack(day - 1));
    one.certification = TakeBytes(bytes, TakeVarint(bytes));
  }
  Attribute last = 0;
  for (auto left = TakeVarint(bytes); left > 0 && !bytes.empty(); --left) {
    last += TakeVarint(bytes);
    entry.attributes.push_back(last);
  }
  for (auto left = TakeVarint(bytes); left > 0 && !bytes.empty(); --left) {
    External& one = entry.externals.emplace_back();
    one.source = ExternalSource(TakeVarint(bytes));
    one.value = TakeBytes(bytes, TakeVarint(bytes));
  }
  TRY_ASSIGN(entry.base, TakeRaw<MovingNumbers>(bytes));
  return {};
}

void Pack(const Entry& entry, std::string& out) {
  PutRaw(out, entry.fixed);
  PutVarint(out, entry.names.size());
  for (const TitleName& name : entry.names) {
    PutVarint(out, std::uint64_t(name.kind));
    PutVarint(out, name.language);
    PutVarint(out, name.text.size());
    out += name.text;
  }
  PackTail(entry, out);
}

Result<Entry> Unpack(std::string_view bytes) {
  Entry entry;
  TRY_ASSIGN(entry.fixed, TakeRaw<FixedPart>(bytes));
  for (auto left = TakeVarint(bytes); left > 0 && !bytes.empty(); --left) {
    TitleName& name = entry.names.emplace_back();
    name.kind = NameKind(TakeVarint(bytes));
    name.language = std::uint16_t(TakeVarint(bytes));
    name.text = TakeBytes(bytes, TakeVarint(bytes));
  }
  TRY(UnpackTail(bytes, entry));
  return entry;
}

}  // namespace tmdbc::titles
