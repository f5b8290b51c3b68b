// SPDX-License-Identifier: MIT
#include "show_layout.h"

#include <algorithm>

namespace tmdbc::sim {
namespace {

std::optional<std::int64_t> Take(std::int64_t& next, std::int64_t last) {
  if (next > last) return std::nullopt;
  return next++;
}

// Some season that has an episode; null when none has.
SeasonSlot* SomeSeason(ShowLayout& layout, Random& random) {
  std::vector<SeasonSlot*> filled;
  for (SeasonSlot& season : layout.seasons) {
    if (!season.episodes.empty()) filled.push_back(&season);
  }
  return filled.empty() ? nullptr : filled[random.Below(filled.size())];
}

bool AddEpisode(ShowLayout& layout, SeasonSlot& season) {
  const auto id = Take(layout.next_episode_id, layout.last_episode_id);
  if (!id) return false;
  const int number = season.episodes.empty() ? 1 : season.episodes.back().number + 1;
  season.episodes.push_back({.id = *id, .number = number});
  return true;
}

bool AddSeason(ShowLayout& layout, Random& random) {
  const auto id = Take(layout.next_season_id, layout.last_season_id);
  if (!id) return false;
  const bool specials = layout.Find(0) == nullptr && random.Chance(0.2);
  const int number = specials ? 0 : layout.seasons.empty() ? 1 : layout.seasons.back().number + 1;
  const auto place = specials ? layout.seasons.begin() : layout.seasons.end();
  const auto season = layout.seasons.insert(place, SeasonSlot{.id = *id, .number = number, .episodes = {}});
  // Announced ones have no episode yet.
  for (auto left = random.Below(9); left > 0; --left) AddEpisode(layout, *season);
  return true;
}

}  // namespace

const SeasonSlot* ShowLayout::Find(int number) const {
  const auto found =
      std::find_if(seasons.begin(), seasons.end(), [&](const SeasonSlot& s) { return s.number == number; });
  return found == seasons.end() ? nullptr : &*found;
}

bool Rearrange(ShowLayout& layout, Event event, Random random) {
  if (event == Event::kSeasonAdd) return AddSeason(layout, random);
  if (layout.seasons.empty()) return false;
  if (event == Event::kEpisodeAdd) return AddEpisode(layout, layout.seasons.back());
  if (event == Event::kSeasonRemove) {
    layout.seasons.pop_back();
    return true;
  }
  if (event == Event::kSeasonReplace) {
    const auto id = Take(layout.next_season_id, layout.last_season_id);
    if (!id) return false;
    layout.seasons[random.Below(layout.seasons.size())].id = *id;
    return true;
  }
  SeasonSlot* season = SomeSeason(layout, random);
  if (season == nullptr) return false;
  std::vector<EpisodeSlot>& episodes = season->episodes;
  switch (event) {
    case Event::kEpisodeRemove:
      episodes.pop_back();
      return true;
    case Event::kEpisodeEdit:
      ++episodes[random.Below(episodes.size())].edits;
      return true;
    case Event::kEpisodesRenumber:
      if (episodes.size() < 2) return false;
      std::rotate(episodes.begin(), episodes.begin() + 1, episodes.end());
      for (std::size_t i = 0; i < episodes.size(); ++i) episodes[i].number = static_cast<int>(i) + 1;
      return true;
    case Event::kEpisodeReadd: {
      const auto id = Take(layout.next_episode_id, layout.last_episode_id);
      if (!id) return false;
      episodes[random.Below(episodes.size())].id = *id;
      return true;
    }
    default:
      return false;
  }
}

}  // namespace tmdbc::sim
