// SPDX-License-Identifier: MIT
// World: what there is to serve, without any HTTP: bodies by kind, id and part, and the lines of the exports.
// Two of them: SyntheticWorld (a seed) and CorpusWorld (recorded bodies). The same question always gets the
// same bytes. One thread.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tmdbc::sim {

enum class Kind : std::uint8_t { kMovie, kTv, kPerson, kCollection, kCompany, kNetwork, kKeyword };
inline constexpr int kKinds = 7;
// "movie", "tv", "person"... as in paths.
std::string_view NameOf(Kind kind);
std::optional<Kind> KindOf(std::string_view name);

struct SeasonRef {
  std::int64_t id = 0;
  int number = 0;
};

class World {
 public:
  virtual ~World() = default;

  // The body of /3/{kind}/{id} without anything appended; nothing when TMDB would say 404.
  virtual std::optional<std::string> Details(Kind kind, std::int64_t id) = 0;
  // A sub-resource as it looks when it is appended ("credits", "watch/providers"): without the id that it has
  // on its own.
  virtual std::optional<std::string> Part(Kind kind, std::int64_t id, std::string_view name) = 0;
  // An earlier state of the same body, where there is one.
  virtual std::optional<std::string> OlderDetails(Kind kind, std::int64_t id) = 0;

  // With its id and _id.
  virtual std::optional<std::string> Season(std::int64_t show, int number) = 0;
  virtual std::optional<std::string> SeasonPart(std::int64_t show, int number, std::string_view name) = 0;
  virtual std::optional<std::string> Episode(std::int64_t show, int season, int number) = 0;
  virtual std::optional<std::string> EpisodePart(std::int64_t show, int season, int number,
                                                 std::string_view name) = 0;
  // The seasons that Season() knows, ascending; empty for a show that does not exist.
  virtual std::vector<SeasonRef> Seasons(std::int64_t show) = 0;

  // The lists of docs/tmdb-facts.md, by path below /3/: "genre/movie/list".
  virtual std::optional<std::string> List(std::string_view path) = 0;

  // Every live id, ascending.
  virtual void ForEachId(Kind kind, const std::function<void(std::int64_t id, bool adult)>& sink) = 0;
  // The lines of an export in the order of the file, each with its line feed. `adult`: the file of the adult
  // ones.
  virtual void ForEachLine(Kind kind, bool adult, const std::function<void(std::string_view line)>& sink) = 0;
  // The line of one id, without line feed; only ids whose export line is their record need one (keywords).
  virtual std::optional<std::string> ExportLine(Kind kind, std::int64_t id) = 0;
};

}  // namespace tmdbc::sim
