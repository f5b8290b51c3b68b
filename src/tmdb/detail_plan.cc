// SPDX-License-Identifier: MIT
#include "tmdb/detail_plan.h"

#include <algorithm>
#include <cassert>
#include <iterator>
#include <limits>

namespace tmdbc {
namespace {

// Without it TMDB gives the videos of `language` only, English ones by default (docs/tmdb-facts.md). The codes of its
// configuration/languages in 2026; what it does not know it ignores.
constexpr std::string_view kVideoLanguages =
    "aa,ab,ae,af,ak,am,an,ar,as,av,ay,az,ba,be,bg,bi,bm,bn,bo,br,bs,ca,ce,ch,cn,co,cr,cs,cu,cv,cy,da,de,dv,dz,ee,el,en,eo,es,"
    "et,eu,fa,ff,fi,fj,fo,fr,fy,ga,gd,gl,gn,gu,gv,ha,he,hi,ho,hr,ht,hu,hy,hz,ia,id,ie,ig,ii,ik,io,is,it,iu,ja,jv,ka,kg,ki,kj,"
    "kk,kl,km,kn,ko,kr,ks,ku,kv,kw,ky,la,lb,lg,li,ln,lo,lt,lu,lv,mg,mh,mi,mk,ml,mn,mo,mr,ms,mt,my,na,nb,nd,ne,ng,nl,nn,no,nr,"
    "nv,ny,oc,oj,om,or,os,pa,pi,pl,ps,pt,qu,rm,rn,ro,ru,rw,sa,sc,sd,se,sg,sh,si,sk,sl,sm,sn,so,sq,sr,ss,st,su,sv,sw,ta,te,tg,"
    "th,ti,tk,tl,tn,to,tr,ts,tt,tw,ty,ug,uk,ur,uz,ve,vi,vo,wa,wo,xh,xx,yi,yo,za,zh,zu,null";

bool IsVideos(std::string_view name) {
  return name == "videos" || name.ends_with("/videos");
}

std::string SeasonAppend(std::int64_t number) {
  return fmt::format("season/{}", number);
}

bool IsSeasonAppend(std::string_view name) {
  return name.starts_with("season/");
}

std::string TvPath(std::int64_t tv_id) {
  return fmt::format("tv/{}", tv_id);
}

// Up to `count` seasons that may exist beside the known ones (ascending): the next number, which every
// running show gets some day, then the specials, then the numbers after.
std::vector<std::int64_t> GuessSeasons(const std::vector<std::int64_t>& known, std::size_t count) {
  std::vector<std::int64_t> guesses;
  const std::int64_t highest = known.empty() ? -1 : known.back();
  if (highest > std::numeric_limits<std::int64_t>::max() - std::int64_t{kMaxAppends}) return guesses;
  const bool specials_unknown = !known.empty() && known.front() != 0;
  for (std::int64_t number = highest + 1; guesses.size() < count; ++number) {
    guesses.push_back(number);
    if (number == highest + 1 && specials_unknown && guesses.size() < count) guesses.push_back(0);
  }
  return guesses;
}

std::vector<Call> PlanShow(std::int64_t id, std::span<const std::int64_t> known_seasons,
                           const std::vector<std::string>& namespaces) {
  std::vector<std::int64_t> seasons(known_seasons.begin(), known_seasons.end());
  std::sort(seasons.begin(), seasons.end());
  seasons.erase(std::unique(seasons.begin(), seasons.end()), seasons.end());
  std::erase_if(seasons, [](std::int64_t number) { return number < 0; });

  const std::size_t used = namespaces.size() + seasons.size();
  const std::size_t calls = std::max<std::size_t>(1, (used + kMaxAppends - 1) / kMaxAppends);
  const std::vector<std::int64_t> guesses = GuessSeasons(seasons, calls * kMaxAppends - used);
  seasons.insert(seasons.end(), guesses.begin(), guesses.end());

  Call first{.path = TvPath(id), .appends = namespaces};
  const std::size_t in_first = std::min(kMaxAppends - namespaces.size(), seasons.size());
  for (std::size_t i = 0; i < in_first; ++i) first.appends.push_back(SeasonAppend(seasons[i]));
  std::vector<Call> plan = PlanSeasonCalls(id, std::span(seasons).subspan(in_first));
  plan.insert(plan.begin(), std::move(first));
  return plan;
}

std::string_view Trim(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

// "credits, images,videos" apart.
std::vector<std::string> ListOf(std::string_view text) {
  std::vector<std::string> names;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t comma = std::min(text.find(',', begin), text.size());
    names.emplace_back(Trim(text.substr(begin, comma - begin)));
    begin = comma + 1;
  }
  return names;
}

}  // namespace

const Namespaces& DefaultNamespaces() {
  static const Namespaces kDefaults = [] {
    Namespaces defaults;
    for (const MediaTraits& row : kMediaTraits) {
      if (!row.namespaces.empty()) defaults[row.type] = ListOf(row.namespaces);
    }
    return defaults;
  }();
  return kDefaults;
}

Result<std::vector<std::string>> ParseNamespaces(MediaType type, std::string_view text) {
  if (Trim(text).empty()) return {};
  const std::string_view allowed_text = TraitsOf(type).all_namespaces;
  if (allowed_text.empty()) return Fail(ErrorCode::kInvalid, "nothing can be appended to a {}", Name(type));
  const std::vector<std::string> allowed = ListOf(allowed_text);
  std::vector<std::string> namespaces;
  for (std::string& name : ListOf(text)) {
    if (name.starts_with("season")) {
      return Fail(ErrorCode::kInvalid, "'{}' is not a namespace: seasons are fetched with every show anyway",
                  name);
    }
    if (std::ranges::find(allowed, name) == allowed.end()) {
      return Fail(ErrorCode::kInvalid, "'{}' is not a namespace of {}", name, Name(type));
    }
    if (std::ranges::find(namespaces, name) != namespaces.end())
      return Fail(ErrorCode::kInvalid, "'{}' is named twice", name);
    namespaces.push_back(std::move(name));
  }
  return namespaces;
}

std::vector<Call> PlanCalls(MediaId id, std::span<const std::int64_t> known_seasons,
                            const Namespaces& namespaces) {
  const auto found = namespaces.find(id.type);
  const std::vector<std::string> appends =
      found == namespaces.end() ? std::vector<std::string>() : found->second;
  assert(appends.size() <= kMaxAppends);
  const MediaTraits& traits = TraitsOf(id.type);
  if (traits.source == RecordSource::kList) {
    auto path = ConfigurationPath(id.id);
    return path ? std::vector{Call{.path = *std::move(path), .appends = {}}} : std::vector<Call>{};
  }
  if (traits.path.empty()) return {};
  if (traits.has_seasons) return PlanShow(id.id, known_seasons, appends);
  return {Call{.path = fmt::format("{}/{}", traits.path, id.id), .appends = appends}};
}

std::vector<Call> PlanSeasonCalls(std::int64_t tv_id, std::span<const std::int64_t> seasons,
                                  std::size_t most) {
  assert(most >= 1 && most <= kMaxAppends);
  std::vector<Call> calls;
  for (std::size_t i = 0; i < seasons.size(); ++i) {
    if (i % most == 0) calls.push_back({.path = TvPath(tv_id), .appends = {}});
    calls.back().appends.push_back(SeasonAppend(seasons[i]));
  }
  return calls;
}

std::optional<std::pair<Call, Call>> SplitCall(const Call& call, bool base) {
  const auto season = std::find_if(call.appends.begin(), call.appends.end(), IsSeasonAppend);
  const std::size_t namespaces = static_cast<std::size_t>(season - call.appends.begin());
  const std::size_t seasons = call.appends.size() - namespaces;
  // How many appends stay in the first part. The one that has the namespaces gets the smaller half of the seasons.
  std::size_t first = namespaces / 2;
  if (seasons > 1) {
    first = namespaces + seasons / 2;
  } else if (seasons == 1) {
    first = namespaces;
  }
  if (first == 0 && (!base || call.appends.empty())) return std::nullopt;
  const auto cut = call.appends.begin() + static_cast<std::ptrdiff_t>(first);
  return std::pair(Call{.path = call.path, .appends = {call.appends.begin(), cut}},
                   Call{.path = call.path, .appends = {cut, call.appends.end()}});
}

Result<std::vector<std::string>> ParseLanguages(std::string_view text) {
  if (Trim(text).empty()) return {};
  std::vector<std::string> languages;
  for (std::string& tag : ListOf(text)) {
    const auto within = [&tag](std::size_t at, char first) {
      return tag[at] >= first && tag[at] <= first + 25;
    };
    const bool language = tag.size() >= 2 && within(0, 'a') && within(1, 'a');
    const bool region = tag.size() == 5 && tag[2] == '-' && within(3, 'A') && within(4, 'A');
    if (!language || !(tag.size() == 2 || region)) {
      return Fail(ErrorCode::kInvalid, "'{}' is not a language", tag);
    }
    if (tag == "en" || tag == "en-US")
      return Fail(ErrorCode::kInvalid, "'{}' is not needed: every record is in English already", tag);
    if (std::ranges::find(languages, tag) != languages.end())
      return Fail(ErrorCode::kInvalid, "'{}' is named twice", tag);
    languages.push_back(std::move(tag));
  }
  return languages;
}

std::vector<Call> PlanSeasonNamespaces(std::int64_t tv_id, std::span<const std::int64_t> seasons,
                                       const SeasonExtras& extras) {
  std::vector<Call> calls;
  if (extras.namespaces.empty()) return calls;
  const std::size_t a_call = extras.nested ? kMaxAppends / (1 + extras.namespaces.size()) : 1;
  for (std::size_t i = 0; i < seasons.size(); ++i) {
    const std::string season = SeasonAppend(seasons[i]);
    if (!extras.nested) {
      calls.push_back({.path = fmt::format("{}/{}", TvPath(tv_id), season), .appends = extras.namespaces});
      continue;
    }
    if (i % a_call == 0) calls.push_back({.path = TvPath(tv_id), .appends = {}});
    std::vector<std::string>& appends = calls.back().appends;
    appends.push_back(season);
    for (const std::string& name : extras.namespaces) appends.push_back(fmt::format("{}/{}", season, name));
  }
  return calls;
}

std::vector<Call> PlanSeasonLanguages(std::int64_t tv_id, std::span<const std::int64_t> seasons,
                                      const SeasonExtras& extras) {
  std::vector<Call> calls;
  for (const std::string& language : extras.languages) {
    for (Call& call : PlanSeasonCalls(tv_id, seasons)) {
      call.language = language;
      calls.push_back(std::move(call));
    }
  }
  return calls;
}

std::int64_t ExtraRequests(std::int64_t seasons, const SeasonExtras& extras) {
  const auto calls = [seasons](std::int64_t a_call) { return (seasons + a_call - 1) / a_call; };
  const auto names = std::ssize(extras.namespaces), slots = std::int64_t{kMaxAppends};
  const std::int64_t namespaces = names == 0 ? 0 : calls(extras.nested ? slots / (1 + names) : 1);
  return namespaces + std::ssize(extras.languages) * calls(slots);
}

double ExtraRequestsPerShow(const SeasonExtras& extras) {
  // How many of a hundred shows have so many seasons, specials included: from 96 % having at most eight.
  constexpr std::pair<std::int64_t, int> kShows[] = {{1, 72}, {2, 12}, {3, 6}, {5, 6}, {10, 3}, {20, 1}};
  double sum = 0;
  for (const auto& [seasons, shows] : kShows) sum += shows * double(ExtraRequests(seasons, extras));
  return sum / 100;
}

http::Request MakeRequest(const ApiAccess& access, const Call& call) {
  http::Request request;
  request.url = access.base_url + "/" + call.path;
  // "/" and "," are legal in a query as they are (RFC 3986 section 3.4), and a person can read them in a log.
  for (std::size_t i = 0; i < call.appends.size(); ++i) {
    request.url += i == 0 ? "?append_to_response=" : ",";
    request.url += call.appends[i];
  }
  if (std::ranges::any_of(call.appends, IsVideos))
    fmt::format_to(std::back_inserter(request.url), "&include_video_language={}", kVideoLanguages);
  if (!call.language.empty())
    fmt::format_to(std::back_inserter(request.url), "{}language={}", call.appends.empty() ? "?" : "&",
                   call.language);
  request.secret_query = access.secret_query;
  request.headers = {
      {"Accept", "application/json"}, {"Accept-Encoding", "gzip"}, {"User-Agent", access.user_agent}};
  if (!access.bearer.empty()) request.headers.emplace_back("Authorization", "Bearer " + access.bearer);
  return request;
}

}  // namespace tmdbc
