// SPDX-License-Identifier: MIT
#include "api.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <set>

#include "base/hash.h"
#include "json.h"
#include "translate.h"

namespace tmdbc::sim {
namespace {

constexpr int kMaxAppends = 20;
constexpr std::string_view kSeason = "season/";
// What an oddity adds to an answer that is too large.
constexpr std::size_t kLarge = 90'000'000;

struct Message {
  int code;
  std::string_view text;
};
constexpr std::array<Message, 13> kMessages = {
    {{6, "Invalid id: The pre-requisite id is invalid or not found."},
     {7, "Invalid API key: You must be granted a valid key."},
     {9, "Service offline: This service is temporarily offline, try again later."},
     {11, "Internal error: Something went wrong, contact TMDB."},
     {20, "Invalid date range: Should be a range no longer than 14 days."},
     {22, "Invalid page: Pages start at 1 and max at 500. They are expected to be an integer."},
     {23, "Invalid date: Format needs to be YYYY-MM-DD."},
     {24, "Your request to the backend server timed out. Try again."},
     {25, "Your request count (41) is over the allowed limit of 40."},
     {27, "Too many append to response objects: The maximum number of remote calls is 20."},
     {34, "The resource you requested could not be found."},
     {42, "This request method is not supported for this resource."},
     {43, "Couldn't connect to the backend server."}}};

// `part` as the sub-resource's own path answers it: with the id in front.
std::string Alone(std::int64_t id, const std::string& part) {
  return part == "{}" ? fmt::format("{{\"id\":{}}}", id)
                      : fmt::format("{{\"id\":{},{}", id, std::string_view(part).substr(1));
}

}  // namespace

Reply TmdbError(int status, int code, std::string_view path_class) {
  const auto message =
      std::find_if(kMessages.begin(), kMessages.end(), [&](const Message& m) { return m.code == code; });
  Reply reply;
  reply.status = status;
  reply.path_class = path_class;
  reply.body =
      fmt::format("{{\"success\":false,\"status_code\":{},\"status_message\":\"{}\"}}", code, message->text);
  return reply;
}

std::string_view DefaultAppends(Kind kind) {
  switch (kind) {
    case Kind::kMovie:
      return "alternative_titles,credits,external_ids,images,keywords,release_dates,reviews,translations,"
             "videos,watch/providers";
    case Kind::kTv:
      return "aggregate_credits,alternative_titles,content_ratings,episode_groups,external_ids,images,"
             "keywords,reviews,"
             "screened_theatrically,translations,videos,watch/providers";
    case Kind::kPerson:
      return "combined_credits,external_ids,images,translations";
    case Kind::kCollection:
      return "images,translations";
    case Kind::kCompany:
    case Kind::kNetwork:
      return "alternative_names,images";
    case Kind::kKeyword:
      return "";
  }
  return "";
}

Reply Api::Get(const Target& target) const {
  constexpr std::string_view kApi = "/3/";
  if (!target.path.starts_with(kApi)) return TmdbError(404, 34, "other");
  const std::string_view path = std::string_view(target.path).substr(kApi.size());
  if (auto list = world_.List(path)) {
    Reply reply;
    reply.path_class = "configuration";
    reply.body = path.starts_with("genre/") ? Translated(std::move(*list), target.parameter("language"))
                                            : std::move(*list);
    return reply;
  }
  const std::vector<std::string_view> parts = Split(path, '/');
  const auto kind = parts.size() < 2 ? std::nullopt : KindOf(parts[0]);
  if (!kind) return TmdbError(404, 34, "other");
  return GetSubject(*kind, parts, target);
}

Reply Api::GetSubject(Kind kind, const std::vector<std::string_view>& parts, const Target& target) const {
  const std::string_view path_class = NameOf(kind);
  const auto id = ParseId(parts[1]);
  if (!id || *id <= 0) return TmdbError(404, 6, path_class);
  if (kind == Kind::kTv && parts.size() >= 4 && parts[2] == "season") return GetSeason(*id, parts, target);
  const std::string_view language = target.parameter("language");
  const auto part_of = [&](std::string_view name) {
    auto part = world_.Part(kind, *id, name);
    if (part && name == "videos")
      part = VideosIn(*part, target.parameter("include_video_language"), language);
    return part;
  };
  if (parts.size() > 2) {
    const auto part = part_of(JoinFrom(parts, 2));
    if (!part) return TmdbError(404, 34, "part");
    Reply reply;
    reply.path_class = "part";
    reply.body = Alone(*id, *part);
    return reply;
  }
  auto details = DetailsOf(kind, *id);
  if (!details) return TmdbError(404, 34, path_class);
  int seasons = 0;
  Reply reply = Compose(Translated(std::move(*details), language), path_class,
                        target.parameter("append_to_response"), [&](std::string_view name) {
                          if (kind != Kind::kTv || !name.starts_with(kSeason)) return part_of(name);
                          auto season = SeasonAppend(*id, name, language);
                          if (season && name.find('/', kSeason.size()) == name.npos) ++seasons;
                          return season;
                        });
  if (auto instead = kind == Kind::kTv ? TooHeavy(*id, reply, seasons) : std::nullopt)
    return *std::move(instead);
  if (reply.status == 200 && oddities_.Has(Oddity::kByteOrderMark, kind, *id))
    reply.body.insert(0, "\xEF\xBB\xBF");
  return reply;
}

std::optional<std::string> Api::DetailsOf(Kind kind, std::int64_t id) const {
  auto details = world_.Details(kind, id);
  if (details) details = oddities_.Applied(kind, id, *std::move(details));
  return details;
}

std::optional<std::string> Api::SeasonAppend(std::int64_t show, std::string_view name,
                                             std::string_view language) const {
  name.remove_prefix(kSeason.size());
  const auto slash = name.find('/');
  const auto number = ParseNumber(name.substr(0, slash));
  if (!number || oddities_.Has(Oddity::kEmptySeasons, Kind::kTv, show)) return std::nullopt;
  if (slash != name.npos) return world_.SeasonPart(show, *number, name.substr(slash + 1));
  auto season = SeasonTruth(show, *number);
  if (season) season = Translated(*std::move(season), language);
  return season;
}

std::optional<Reply> Api::TooHeavy(std::int64_t show, const Reply& whole, int seasons) const {
  if (seasons <= oddities_.heavy_above()) return std::nullopt;
  if (oddities_.Has(Oddity::kHeavy504, Kind::kTv, show)) return TmdbError(504, 24, whole.path_class);
  if (oddities_.Has(Oddity::kHeavy500, Kind::kTv, show)) return TmdbError(500, 11, whole.path_class);
  if (!oddities_.Has(Oddity::kHeavyLarge, Kind::kTv, show)) return std::nullopt;
  Reply reply = whole;
  reply.body.append(kLarge, ' ');
  return reply;
}

Reply Api::GetSeason(std::int64_t show, const std::vector<std::string_view>& parts,
                     const Target& target) const {
  const auto season = ParseNumber(parts[3]);
  if (!season) return TmdbError(404, 6, "season");
  const std::string_view appends = target.parameter("append_to_response");
  const auto part_of = [&](std::int64_t id, const std::optional<std::string>& part) {
    if (!part) return TmdbError(404, 34, "part");
    Reply reply;
    reply.path_class = "part";
    reply.body = Alone(id, *part);
    return reply;
  };
  const auto id_of = [](const std::string& body) {
    return ParseId(PartOf(body, "id").value_or("0")).value_or(0);
  };
  if (parts.size() >= 6 && parts[4] == "episode") {
    const auto number = ParseNumber(parts[5]);
    auto episode = number ? world_.Episode(show, *season, *number) : std::nullopt;
    if (!episode) return TmdbError(404, 34, "episode");
    if (parts.size() > 6)
      return part_of(id_of(*episode), world_.EpisodePart(show, *season, *number, JoinFrom(parts, 6)));
    return Compose(std::move(*episode), "episode", appends,
                   [&](std::string_view name) { return world_.EpisodePart(show, *season, *number, name); });
  }
  auto body = world_.Season(show, *season);
  if (!body) return TmdbError(404, 34, "season");
  const auto season_part = [&](std::string_view name) {
    auto part = world_.SeasonPart(show, *season, name);
    if (part && name == "videos")
      part = VideosIn(*part, target.parameter("include_video_language"), target.parameter("language"));
    return part;
  };
  if (parts.size() > 4) return part_of(id_of(*body), season_part(JoinFrom(parts, 4)));
  return Compose(Translated(std::move(*body), target.parameter("language")), "season", appends, season_part);
}

Reply Api::Compose(std::string body, std::string_view path_class, std::string_view appends,
                   const std::function<std::optional<std::string>(std::string_view)>& append) const {
  const std::vector<std::string_view> names = Split(appends, ',');
  if (names.size() > kMaxAppends) return TmdbError(400, 27, path_class);
  Reply reply;
  reply.path_class = path_class;
  std::set<std::string_view> done;
  for (const std::string_view name : names) {
    if (!done.insert(name).second) continue;
    // What does not exist, be it a season or a namespace, is left out without a word.
    const auto part = append(name);
    if (!part) continue;
    body.back() = ',';
    AppendQuoted(body, name);
    body.append(":").append(*part).append("}");
    ++reply.appended;
  }
  reply.body = std::move(body);
  return reply;
}

std::optional<std::string> Api::Truth(Kind kind, std::int64_t id, std::string_view appends) const {
  if (kind == Kind::kKeyword) return world_.Details(kind, id) ? world_.ExportLine(kind, id) : std::nullopt;
  auto details = DetailsOf(kind, id);
  if (!details) return std::nullopt;
  Reply reply = Compose(std::move(*details), NameOf(kind), appends,
                        [&](std::string_view name) { return world_.Part(kind, id, name); });
  if (reply.status != 200) return std::nullopt;
  return std::move(reply.body);
}

std::optional<std::string> Api::SeasonTruth(std::int64_t show, int number) const {
  const auto season = world_.Season(show, number);
  if (!season) return std::nullopt;
  return WithoutPart(*season, "id");
}

void Api::ForEachTruth(const std::function<void(const std::string&)>& sink) const {
  for (int i = 0; i < kKinds; ++i) {
    const auto kind = static_cast<Kind>(i);
    world_.ForEachId(kind, [&](std::int64_t id, bool adult) {
      const auto truth = Truth(kind, id, DefaultAppends(kind));
      if (!truth) return;
      sink(fmt::format(R"({{"type":"{}","id":{},"adult":{},"sha256":"{}","bytes":{}}})", NameOf(kind), id,
                       adult, Sha256Hex(*truth), truth->size()));
      if (kind != Kind::kTv) return;
      for (const SeasonRef& season : world_.Seasons(id)) {
        const auto body = SeasonTruth(id, season.number);
        if (!body) continue;
        sink(fmt::format(
            R"({{"type":"season","id":{},"tv_id":{},"season_number":{},"adult":{},"sha256":"{}","bytes":{}}})",
            season.id, id, season.number, adult, Sha256Hex(*body), body->size()));
      }
    });
  }
}

}  // namespace tmdbc::sim
