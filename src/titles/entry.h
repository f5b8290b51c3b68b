// SPDX-License-Identifier: MIT
// Entry: what the title index knows of one record: its names, the numbers and dates by which titles are sorted and
// filtered, and the values by which they are found. Made of TMDB's bytes here and nowhere else. Pure; any thread.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "tmdb/media_id.h"

namespace tmdbc::titles {

// The types that are indexed.
inline constexpr std::array kIndexedTypes = {MediaType::kMovie,      MediaType::kTv,      MediaType::kSeason,
                                             MediaType::kPerson,     MediaType::kCollection, MediaType::kCompany,
                                             MediaType::kKeyword};

inline constexpr std::int32_t kNoDay = INT32_MIN;  // before every day

enum class NameKind : std::uint8_t { kTitle, kOriginal, kAlternative, kTranslation };

// Two letters of ISO 639-1 or 3166-1 as a number; 0: none.
constexpr std::uint16_t TwoLetters(std::string_view code) {
  if (code.size() != 2) return 0;
  const auto upper = [](char c) { return std::uint16_t(c >= 'a' && c <= 'z' ? c - 32 : c) & 0xFF; };
  return std::uint16_t(upper(code[0]) << 8 | upper(code[1]));
}

struct TitleName {
  NameKind kind{};
  std::uint16_t language = 0;  // of a translation
  std::string text;            // folded
  bool operator==(const TitleName&) const = default;
};

// A film's release in a country; of a show: the rating it has there, with type 0 and no day.
struct Release {
  std::uint16_t country = 0;
  std::uint8_t type = 0;
  std::int32_t day = kNoDay;  // since 1970
  std::string certification;
  bool operator==(const Release&) const = default;
};

// Numbers that may change without a new version.
struct MovingNumbers {
  float popularity = 0, vote_average = 0;
  std::uint32_t vote_count = 0;
  bool operator==(const MovingNumbers&) const = default;
};

// The sources of find, and what else is found by an id that is not a number.
enum class ExternalSource : std::uint8_t {
  kImdb,
  kTvdb,
  kWikidata,
  kFacebook,
  kInstagram,
  kTwitter,
  kTiktok,
  kYoutube,
  kFreebaseMid,
  kFreebase,
  kTvrage,
  kReview,  // TMDB's own: a review on the first page of a film's or a show's
};
// Those of find alone.
struct ExternalName {
  ExternalSource source;
  std::string_view name;  // "imdb_id": in TMDB's bodies and in the parameter external_source
};
inline constexpr std::array kExternalSources = {
    ExternalName{ExternalSource::kImdb, "imdb_id"},          ExternalName{ExternalSource::kTvdb, "tvdb_id"},
    ExternalName{ExternalSource::kWikidata, "wikidata_id"},  ExternalName{ExternalSource::kFacebook, "facebook_id"},
    ExternalName{ExternalSource::kInstagram, "instagram_id"}, ExternalName{ExternalSource::kTwitter, "twitter_id"},
    ExternalName{ExternalSource::kTiktok, "tiktok_id"},      ExternalName{ExternalSource::kYoutube, "youtube_id"},
    ExternalName{ExternalSource::kFreebaseMid, "freebase_mid"}, ExternalName{ExternalSource::kFreebase, "freebase_id"},
    ExternalName{ExternalSource::kTvrage, "tvrage_id"}};

struct External {
  ExternalSource source{};
  std::string value;  // numbers in decimal without zeros in front
  bool operator==(const External&) const = default;
};
// "00121361" is 121361 where the source counts; else as it is.
std::string CanonicalExternal(ExternalSource source, std::string_view value);

// What a set of titles is kept for: the kind in the highest byte, the value below. The numbers are written in files.
enum class AttributeKind : std::uint8_t {
  kGenre = 1,
  kKeyword = 2,
  kCompany = 3,
  kNetwork = 4,
  kCast = 5,
  kCrew = 6,
  kLanguage = 7,       // TwoLetters()
  kCountry = 8,        // of origin
  kProvider = 9,       // ProviderValue()
  kReleaseMonth = 10,  // some release is in it: MonthOf()
  kAirDay = 11,        // of a season: some episode is of that day; days since 1970 + kAirDayBias
  kExternal = 12,      // a hash of source and value
  kScreened = 13,      // some episode was shown in cinemas
  kFlag = 14,          // kAdult, kVideo
};
using Attribute = std::uint64_t;
constexpr Attribute AttributeOf(AttributeKind kind, std::uint64_t value) {
  return std::uint64_t(kind) << 56 | (value & ((std::uint64_t{1} << 56) - 1));
}
Attribute ExternalAttribute(ExternalSource source, std::string_view canonical);
inline constexpr std::int32_t kAirDayBias = 1 << 20;

// The ways to watch, as bits of a set.
enum Monetization : std::uint8_t { kFlatrate = 1, kFree = 2, kAds = 4, kRent = 8, kBuy = 16 };
inline constexpr std::array<std::pair<std::string_view, Monetization>, 5> kMonetizations = {
    {{"flatrate", kFlatrate}, {"free", kFree}, {"ads", kAds}, {"rent", kRent}, {"buy", kBuy}}};
// `provider` 0: any.
constexpr std::uint64_t ProviderValue(std::uint16_t region, Monetization kind, std::uint32_t provider) {
  return std::uint64_t(region) << 40 | std::uint64_t(kind) << 32 | provider;
}
// Months since the year -5000, so that it is never negative.
std::uint32_t MonthOf(std::int32_t day);

enum EntryFlag : std::uint8_t { kAdult = 1, kVideo = 2, kGone = 4, kSoftcore = 8 };

// The part of an entry that is a row of a column file: as it lies there.
struct FixedPart {
  std::int64_t revenue = 0;  // of a season: the id of its show
  std::uint32_t id = 0;
  std::uint32_t vote_count = 0;
  float vote_average = 0;
  float popularity = 0;           // in its body; the last export's counts before it
  std::int32_t day = kNoDay;      // release_date or first_air_date, since 1970
  std::uint32_t changed = 0;      // seconds since 1970: when its last version was fetched
  std::uint32_t first_name = 0;   // in a file: which of its names is the first of this one
  std::uint16_t runtime = 0;      // of a season: its number
  std::uint16_t language = 0;     // original_language
  std::uint8_t flags = 0;
  std::uint8_t status = 255;  // of a show, as with_status counts; 255: none
  std::uint8_t type = 255;    // as with_type counts
  std::uint8_t unused = 0;
};
static_assert(sizeof(FixedPart) == 48);

struct Entry {
  FixedPart fixed;
  MovingNumbers base;                 // as in the body that began the version: what a stats patch is against
  std::vector<TitleName> names;       // the title first, be it empty
  std::vector<Release> releases;
  std::vector<Attribute> attributes;  // ascending, each once
  std::vector<External> externals;

  bool gone() const { return (fixed.flags & kGone) != 0; }
};

// `data` is a record's body; `show` is of a season. kCorrupt when it is not a JSON object.
Result<Entry> EntryOf(MediaId id, std::int64_t show, std::string_view data);
// What stands for a record that is gone.
Entry GoneEntry(std::int64_t id);
// Takes over the numbers that an RFC 6902 patch against the base replaces. kCorrupt when it is no such patch.
Result<void> ApplyNumbers(Entry& entry, std::string_view patch);

// An entry as bytes, and back; kCorrupt when they are not such.
void Pack(const Entry& entry, std::string& out);
Result<Entry> Unpack(std::string_view bytes);
// Only what is neither in FixedPart nor a name: the part of a file that is read for few.
void PackTail(const Entry& entry, std::string& out);
Result<void> UnpackTail(std::string_view bytes, Entry& entry);
// Of a tail that PackTail() made: calls `visit(country, type, day, certification)` until it says true; whether it did.
template <class Visit>
bool AnyRelease(std::string_view tail, const Visit& visit);

}  // namespace tmdbc::titles

#include "titles/entry_releases.h"
