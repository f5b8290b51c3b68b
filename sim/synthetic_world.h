// SPDX-License-Identifier: MIT
// SyntheticWorld: a catalogue that follows from a seed. Which ids exist, and every body, is computed when
// asked, so a catalogue of 1.2 million films costs no memory. The shapes are TMDB's (docs/tmdb-facts.md,
// members and types as recorded 2026), the sizes are spread like TMDB's: most titles are obscure and small,
// few are popular and a hundred times as large. The texts are made up.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "random.h"
#include "world.h"

namespace tmdbc::sim {

struct SyntheticOptions {
  std::uint64_t seed = 1;
  // By Kind: how many ids the exports list.
  std::array<std::int64_t, kKinds> counts = {400, 80, 300, 50, 50, 20, 200};
  double gap_share = 0.3;         // of the ids between the first and the last, so many do not exist
  double gone_share = 0;          // of the ids in the exports, so many answer 404
  double adult_share = 0.05;      // so many more films, shows and people, in the adult exports only
  double foreign_videos = 0.3;    // of the videos, so many are in another language than English, or in none
  int huge_show_episodes = 1100;  // of the first show; 0: it is like any other
  // So many ids of each kind after the last one that nobody has used yet: a world around this one may bring
  // them to life (EvolvingWorld). They have bodies and lines, but no list of ids names them.
  std::int64_t reserve = 0;
};

// Every example in TMDB's documentation asks for movie 550: in a world that reaches so far this id exists.
inline constexpr std::int64_t kFamous = 550;

// Ids with holes: the i-th is somewhere in the i-th cell of the number line, so that both directions are a
// division.
class IdSpace {
 public:
  IdSpace(std::uint64_t seed, Kind kind, std::int64_t size, double gap_share);
  std::int64_t size() const { return size_; }
  std::int64_t At(std::int64_t index) const;
  std::optional<std::int64_t> IndexOf(std::int64_t id) const;

 private:
  std::int64_t CellStart(std::int64_t index) const { return 1 + index * spacing_permille_ / 1000; }

  std::uint64_t seed_;
  std::int64_t size_;
  std::int64_t spacing_permille_;
};

class SyntheticWorld final : public World {
 public:
  explicit SyntheticWorld(const SyntheticOptions& options);

  std::optional<std::string> Details(Kind kind, std::int64_t id) override;
  std::optional<std::string> Part(Kind kind, std::int64_t id, std::string_view name) override;
  std::optional<std::string> OlderDetails(Kind kind, std::int64_t id) override;
  std::optional<std::string> Season(std::int64_t show, int number) override;
  std::optional<std::string> SeasonPart(std::int64_t show, int number, std::string_view name) override;
  std::optional<std::string> Episode(std::int64_t show, int season, int number) override;
  std::optional<std::string> EpisodePart(std::int64_t show, int season, int number,
                                         std::string_view name) override;
  std::vector<SeasonRef> Seasons(std::int64_t show) override;
  std::optional<std::string> List(std::string_view path) override;
  void ForEachId(Kind kind, const std::function<void(std::int64_t id, bool adult)>& sink) override;
  void ForEachLine(Kind kind, bool adult, const std::function<void(std::string_view line)>& sink) override;
  std::optional<std::string> ExportLine(Kind kind, std::int64_t id) override;

  // The ids by their order, the adult ones after the others, the reserve after those.
  std::int64_t size(Kind kind) const { return ids(kind).size() - options_.reserve; }
  std::int64_t IdAt(Kind kind, std::int64_t index) const { return ids(kind).At(index); }
  std::optional<std::int64_t> IndexOf(Kind kind, std::int64_t id) const { return ids(kind).IndexOf(id); }
  // The ids of the seasons and episodes of a show, which is known by its index, are within these numbers.
  static constexpr std::int64_t kSeasonsPerShow = 128, kEpisodesPerShow = 8192;
  static std::int64_t FirstSeasonId(std::int64_t index) { return 3000 + index * kSeasonsPerShow; }
  static std::int64_t FirstEpisodeId(std::int64_t index) { return 1000 + index * kEpisodesPerShow; }
  // Is live, and no reserve.
  bool Exists(Kind kind, std::int64_t id) const;
  bool IsAdult(Kind kind, std::int64_t index) const { return index >= listed(kind) && index < size(kind); }

 private:
  // What all bodies about one id agree on.
  struct Subject {
    Kind kind;
    std::int64_t id;
    std::int64_t index;
    bool adult;
    double weight = 1;  // 1 for the median, 10 for a blockbuster
    double popularity = 0;
    std::int64_t votes = 0;
    double rating = 0;
    std::string name = {};  // English
    std::string original_name = {};
    std::size_t language = 0;  // in Languages(), of the original
  };
  struct SeasonPlan {
    SeasonRef ref;
    int episodes;
    int first_episode;  // ordinal within the show
  };

  std::int64_t listed(Kind kind) const { return options_.counts[static_cast<std::size_t>(kind)]; }
  const IdSpace& ids(Kind kind) const { return spaces_[static_cast<std::size_t>(kind)]; }
  Random For(Kind kind, std::int64_t id, std::string_view what) const {
    return Random(options_.seed, static_cast<int>(kind), id, HashText(what));
  }
  bool Gone(Kind kind, std::int64_t id) const;
  // Nothing when the id does not exist or is gone.
  std::optional<Subject> Find(Kind kind, std::int64_t id) const;
  Subject Describe(Kind kind, std::int64_t index) const;
  // Some live-looking subject of that kind, for cross references; nothing when there are none.
  std::optional<Subject> Any(Kind kind, Random& random) const;

  std::string Movie(const Subject& subject, bool older) const;
  std::string Show(const Subject& subject, bool older) const;
  std::string Person(const Subject& subject, bool older) const;
  std::string Collection(const Subject& subject) const;
  std::string Company(const Subject& subject) const;
  std::string Network(const Subject& subject) const;

  std::optional<std::string> MoviePart(const Subject& subject, std::string_view name) const;
  std::optional<std::string> ShowPart(const Subject& subject, std::string_view name) const;
  std::optional<std::string> PersonPart(const Subject& subject, std::string_view name) const;

  std::vector<SeasonPlan> PlanSeasons(const Subject& show) const;
  std::string SeasonBody(const Subject& show, const SeasonPlan& season) const;
  std::string EpisodeBody(const Subject& show, const SeasonPlan& season, int number,
                          bool within_season) const;

  // Pieces of bodies; see synthetic_builder.h.
  class Builder;

  const SyntheticOptions options_;
  std::vector<IdSpace> spaces_;
};

}  // namespace tmdbc::sim
