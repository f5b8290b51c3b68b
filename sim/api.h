// SPDX-License-Identifier: MIT
// Api: what TMDB answers to a path when nothing interferes: routing, append_to_response, error bodies. No
// limits, no headers, no faults. Sources: docs/tmdb-facts.md.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "oddities.h"
#include "target.h"
#include "world.h"

namespace tmdbc::sim {

struct Reply {
  int status = 200;
  std::string_view path_class = "other";  // for the counters: "movie", "season", "part", "configuration"...
  std::string body = {};
  int appended = 0;  // namespaces and seasons in the body
};

// TMDB's error of that code, by its table.
Reply TmdbError(int status, int code, std::string_view path_class);

// What a mirror appends unless it is told otherwise: all that TMDB offers, but for its computed lists.
std::string_view DefaultAppends(Kind kind);

class Api {
 public:
  // Both outlive it.
  Api(World& world, const Oddities& oddities) : world_(world), oddities_(oddities) {}

  Reply Get(const Target& target) const;

  // The bytes that a mirror should hold: a film, show (without season members), person... with `appends`
  // (comma-separated) in that order, and with the videos of every language; a keyword's is its export line. Nothing for
  // what does not exist.
  std::optional<std::string> Truth(Kind kind, std::int64_t id, std::string_view appends) const;
  // The same of a season: as it is appended to its show, without its id.
  std::optional<std::string> SeasonTruth(std::int64_t show, int number) const;
  // Calls `sink` with one JSON line for every live id: {"type","id","adult","sha256","bytes"}, of a season
  // with tv_id and season_number too.
  void ForEachTruth(const std::function<void(const std::string& line)>& sink) const;

 private:
  Reply GetSubject(Kind kind, const std::vector<std::string_view>& parts, const Target& target) const;
  Reply GetSeason(std::int64_t show, const std::vector<std::string_view>& parts, const Target& target) const;
  // `append` gives a part by its name.
  Reply Compose(std::string body, std::string_view path_class, std::string_view appends,
                const std::function<std::optional<std::string>(std::string_view name)>& append) const;
  std::optional<std::string> DetailsOf(Kind kind, std::int64_t id) const;
  // "season/1" or "season/1/credits" of a show, as it is appended.
  std::optional<std::string> SeasonAppend(std::int64_t show, std::string_view name,
                                          std::string_view language) const;
  // What a show with an oddity answers instead when so many seasons came along.
  std::optional<Reply> TooHeavy(std::int64_t show, const Reply& whole, int seasons) const;

  World& world_;
  const Oddities& oddities_;
};

}  // namespace tmdbc::sim
