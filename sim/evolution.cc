// SPDX-License-Identifier: MIT
#include "evolution.h"

#include <algorithm>
#include <cmath>

namespace tmdbc::sim {
namespace {

constexpr std::array<std::string_view, kEvents> kEventNames = {"overview",      "title",
                                                               "runtime",       "cast",
                                                               "stats",         "add",
                                                               "delete",        "restore",
                                                               "quiet-restore", "merge",
                                                               "episode-add",   "episode-remove",
                                                               "episode-edit",  "episodes-renumber",
                                                               "episode-readd", "season-add",
                                                               "season-remove", "season-replace"};
constexpr std::array<std::string_view, kFamilies> kFamilyNames = {
    "edit", "stats", "add", "delete", "restore", "quiet-restore", "merge", "season"};

template <class Enum, std::size_t N>
std::optional<Enum> Find(const std::array<std::string_view, N>& names, std::string_view name) {
  const auto at = std::find(names.begin(), names.end(), name);
  if (at == names.end()) return std::nullopt;
  return static_cast<Enum>(at - names.begin());
}

std::int64_t Poisson(Random& random, double mean) {
  if (mean <= 0) return 0;
  // Far from zero a normal distribution is as good, and the product below would underflow.
  if (mean > 100) return std::max<std::int64_t>(0, std::llround(mean + random.Normal() * std::sqrt(mean)));
  const double least = std::exp(-mean);
  std::int64_t count = 0;
  double product = random.Unit();
  while (product > least) {
    product *= random.Unit();
    ++count;
  }
  return count;
}

Event Draw(Family family, Kind kind, Random& random) {
  switch (family) {
    case Family::kEdit: {
      constexpr std::array kEdits = {Event::kOverview, Event::kTitle, Event::kRuntime, Event::kCast};
      // A show is edited through its episodes as often as not.
      if (kind == Kind::kTv && random.Chance(0.4)) return Event::kEpisodeEdit;
      return kEdits[random.Below(kEdits.size())];
    }
    case Family::kStats:
      return Event::kStats;
    case Family::kAdd:
      return Event::kAdd;
    case Family::kDelete:
      return Event::kDelete;
    case Family::kRestore:
      return Event::kRestore;
    case Family::kQuietRestore:
      return Event::kQuietRestore;
    case Family::kMerge:
      return Event::kMerge;
    case Family::kSeason: {
      constexpr std::array kSeasons = {Event::kEpisodeAdd,       Event::kEpisodeAdd,   Event::kEpisodeAdd,
                                       Event::kEpisodeRemove,    Event::kSeasonAdd,    Event::kSeasonAdd,
                                       Event::kEpisodesRenumber, Event::kEpisodeReadd, Event::kSeasonRemove,
                                       Event::kSeasonReplace};
      return kSeasons[random.Below(kSeasons.size())];
    }
  }
  return Event::kStats;
}

}  // namespace

std::string_view NameOf(Event event) {
  return kEventNames[static_cast<std::size_t>(event)];
}

std::optional<Event> EventOf(std::string_view name) {
  return Find<Event>(kEventNames, name);
}

bool IsForShows(Event event) {
  return event >= Event::kEpisodeAdd;
}

std::string_view NameOf(Family family) {
  return kFamilyNames[static_cast<std::size_t>(family)];
}

std::optional<Family> FamilyOf(std::string_view name) {
  return Find<Family>(kFamilyNames, name);
}

bool DailyRates::any() const {
  return std::any_of(of.begin(), of.end(), [](const auto& kind) {
    return std::any_of(kind.begin(), kind.end(), [](double rate) { return rate > 0; });
  });
}

DailyRates TypicalRates(const std::array<std::int64_t, kKinds>& counts, double factor) {
  struct Shares {
    Kind kind;
    double edits, additions, deletions;  // of the catalogue, a day
  };
  constexpr std::array<Shares, 3> kShares = {{{Kind::kMovie, 9000 / 1.24e6, 400 / 1.24e6, 120 / 1.24e6},
                                              {Kind::kTv, 3000 / 2.3e5, 70 / 2.3e5, 20 / 2.3e5},
                                              {Kind::kPerson, 6500 / 4.7e6, 1700 / 4.7e6, 500 / 4.7e6}}};
  DailyRates rates;
  for (const Shares& shares : kShares) {
    const double size = factor * static_cast<double>(counts[static_cast<std::size_t>(shares.kind)]);
    // Of a show's edits a quarter are to its seasons and episodes as such.
    const double seasons = shares.kind == Kind::kTv ? 0.25 : 0;
    rates.at(shares.kind, Family::kEdit) = size * shares.edits * (1 - seasons);
    rates.at(shares.kind, Family::kSeason) = size * shares.edits * seasons;
    rates.at(shares.kind, Family::kStats) = size * shares.edits * 4;
    rates.at(shares.kind, Family::kAdd) = size * shares.additions;
    rates.at(shares.kind, Family::kDelete) = size * shares.deletions;
    rates.at(shares.kind, Family::kMerge) = size * shares.deletions / 10;
    rates.at(shares.kind, Family::kRestore) = size * shares.deletions / 20;
  }
  return rates;
}

std::vector<Planned> EventsOf(std::uint64_t seed, const DailyRates& rates,
                              std::chrono::sys_time<std::chrono::hours> hour) {
  std::vector<Planned> events;
  const auto number = hour.time_since_epoch().count();
  for (int k = 0; k < kKinds; ++k) {
    for (int f = 0; f < kFamilies; ++f) {
      const auto kind = static_cast<Kind>(k);
      const auto family = static_cast<Family>(f);
      const double rate = rates.at(kind, family);
      if (rate <= 0) continue;
      Random random(seed, HashText("evolution"), number, k, f);
      for (auto left = Poisson(random, rate / 24); left > 0; --left) {
        const auto offset = static_cast<std::int64_t>(random.Below(3'600'000'000));
        const Event event = Draw(family, kind, random);
        events.push_back({Time(hour) + Duration(offset), kind, event, random.Next()});
      }
    }
  }
  std::stable_sort(events.begin(), events.end(),
                   [](const Planned& a, const Planned& b) { return a.at < b.at; });
  return events;
}

}  // namespace tmdbc::sim
