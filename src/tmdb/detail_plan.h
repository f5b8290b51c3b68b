// SPDX-License-Identifier: MIT
// The requests that an id takes, as a pure function of what is known of it: TMDB's paths, its append rules, our
// headers. Sources: docs/tmdb-facts.md (20 slots, absent seasons dropped in silence), docs/decisions/seasons.md.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "http/http.h"
#include "tmdb/configuration_lists.h"
#include "tmdb/media_id.h"

namespace tmdbc {

// How we address TMDB: built once by the app from the settings.
struct ApiAccess {
  std::string base_url;      // "https://api.themoviedb.org/3", without a trailing slash
  std::string secret_query;  // "api_key=<32 hex>" for a v3 key, else empty
  std::string bearer;        // the v4 token, else empty
  std::string user_agent;
};

// Per request, namespaces and seasons together (HTTP 400 code 27 above).
inline constexpr std::size_t kMaxAppends = 20;

// What is appended to each type's details: DefaultNamespaces() unless a setting changes it.
using Namespaces = std::map<MediaType, std::vector<std::string>>;
const Namespaces& DefaultNamespaces();
// The namespaces of one type from a setting: "credits, images,watch/providers"; empty text means none. kInvalid, in
// words for the person who wrote it: a type to which nothing can be appended, a name that TMDB does not know for it (it
// would be ignored in silence), one that is there twice, a season.
Result<std::vector<std::string>> ParseNamespaces(MediaType type, std::string_view text);

// One request of a plan.
struct Call {
  std::string path;                  // "tv/1399"
  std::vector<std::string> appends;  // "credits", ..., "season/0", ...
  std::string language = {};         // "de", "pt-BR"; empty for TMDB's default, English
  bool operator==(const Call&) const = default;
};

// The calls for an id whose `known_seasons` are known from an earlier fetch (empty: nothing is known; only
// for tv). An unknown show guesses its first seasons in the slots of the first call that the namespaces
// leave free: 0..7 by default. A known one takes ceil((namespaces + seasons) / 20) calls; slots
// left in the last guess seasons added since. Empty for what is never fetched: seasons and episodes come with
// their show; and for a configuration id outside its list.
std::vector<Call> PlanCalls(MediaId id, std::span<const std::int64_t> known_seasons,
                            const Namespaces& namespaces);
// Calls that only append `seasons` (ascending, none twice, none negative), `most` at a time.
std::vector<Call> PlanSeasonCalls(std::int64_t tv_id, std::span<const std::int64_t> seasons,
                                  std::size_t most = kMaxAppends);

// A call whose answer is too heavy for TMDB (500, 504, more bytes than we take) in two parts that ask for the same
// together: first the seasons are halved, down to one in a call of its own; then the namespaces, down to the plain
// body. `base`: the call's own body is needed, not only what it appends; the first part brings it. Empty when there
// is nothing left to part.
std::optional<std::pair<Call, Call>> SplitCall(const Call& call, bool base);

// What a show may be asked for beyond its plan, all of it off by default, since it takes further requests: the
// sub-resources of each season, and the names and overviews of seasons and episodes in other languages.
struct SeasonExtras {
  std::vector<std::string> namespaces;  // of MediaType::kSeason: "credits", "images"...
  std::vector<std::string> languages;   // "de", "pt-BR"
  // Names like season/1/credits can be appended to a show: several seasons a request, not one. TMDB documents it
  // nowhere; DetailFetch::nested_names() says what it answered, and the maker of fetches remembers that.
  bool nested = true;
  bool empty() const { return namespaces.empty() && languages.empty(); }
};
// "de, pt-BR" from a setting; empty text means none. kInvalid, in words for the person who wrote it: what is no
// language tag, one that is there twice, English (every record has it).
Result<std::vector<std::string>> ParseLanguages(std::string_view text);
// The further calls for `seasons` of a show: their namespaces, with nested names floor(20 / (1 + namespaces)) seasons a
// call, else one; and 20 seasons a call for each language.
std::vector<Call> PlanSeasonNamespaces(std::int64_t tv_id, std::span<const std::int64_t> seasons,
                                       const SeasonExtras& extras);
std::vector<Call> PlanSeasonLanguages(std::int64_t tv_id, std::span<const std::int64_t> seasons,
                                      const SeasonExtras& extras);
// The price: how many calls these are for a show of so many seasons.
std::int64_t ExtraRequests(std::int64_t seasons, const SeasonExtras& extras);
// The same for an unknown show: the mean over all shows, by an estimate of how many seasons they have.
double ExtraRequestsPerShow(const SeasonExtras& extras);

// A call that appends videos asks for them in every language: it costs no request.
http::Request MakeRequest(const ApiAccess& access, const Call& call);

}  // namespace tmdbc
