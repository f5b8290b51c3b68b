// SPDX-License-Identifier: MIT
#include "read_api/routes.h"

#include <algorithm>
#include <string_view>

#include "read_api/account.h"
#include "read_api/changes.h"
#include "read_api/configuration.h"
#include "read_api/details.h"
#include "read_api/discover.h"
#include "read_api/find.h"
#include "read_api/lists.h"
#include "read_api/openapi.h"
#include "read_api/review.h"
#include "read_api/search.h"
#include "read_api/trending.h"

namespace tmdbc::read_api {
namespace {

bool Fits(const Route& route, std::span<const std::string> path) {
  return std::ranges::equal(route.pattern, path, [](std::string_view wanted, std::string_view part) {
    return wanted == "*" || wanted == part;
  });
}

std::span<const Route> Routes() {
  // Laid by hand.
  // clang-format off
  static const std::vector<Route> kRoutes = {
      {{"search", "*"}, Search},
      {{"find", "*"}, Find, Beyond::kTmdb},
      {{"discover", "movie"}, Discover},
      {{"discover", "tv"}, Discover},
      {{"trending", "*", "*"}, Trending},
      {{"movie", "changes"}, Changes},
      {{"tv", "changes"}, Changes},
      {{"person", "changes"}, Changes},
      {{"movie", "latest"}, LatestOf},
      {{"tv", "latest"}, LatestOf},
      {{"person", "latest"}, LatestOf},
      {{"movie", "popular"}, Popular},
      {{"tv", "popular"}, Popular},
      {{"person", "popular"}, Popular},
      {{"movie", "top_rated"}, TopRated},
      {{"tv", "top_rated"}, TopRated},
      {{"movie", "now_playing"}, NowPlaying},
      {{"movie", "upcoming"}, Upcoming},
      {{"tv", "airing_today"}, AiringToday},
      {{"tv", "on_the_air"}, OnTheAir},
      {{"company", "*", "movies"}, MoviesOf},
      {{"keyword", "*", "movies"}, MoviesOf},
      {{"openapi.json"}, OpenApi},

      {{"movie", "*"}, Details, Beyond::kTmdb},
      {{"movie", "*", "*"}, DetailsPart, Beyond::kTmdb},
      {{"movie", "*", "watch", "providers"}, DetailsPart, Beyond::kTmdb},
      {{"tv", "*"}, Details, Beyond::kTmdb},
      {{"tv", "episode_group", "*"}, NotMirrored, Beyond::kTmdb},
      {{"tv", "*", "*"}, DetailsPart, Beyond::kTmdb},
      {{"tv", "*", "watch", "providers"}, DetailsPart, Beyond::kTmdb},
      {{"tv", "*", "season", "*"}, SeasonDetails, Beyond::kTmdb},
      {{"tv", "*", "season", "*", "*"}, SeasonPart, Beyond::kTmdb},
      {{"tv", "*", "season", "*", "watch", "providers"}, SeasonPart, Beyond::kTmdb},
      {{"tv", "*", "season", "*", "episode", "*"}, EpisodeDetails, Beyond::kTmdb},
      {{"tv", "*", "season", "*", "episode", "*", "*"}, EpisodePart, Beyond::kTmdb},
      {{"person", "*"}, Details, Beyond::kTmdb},
      {{"person", "*", "*"}, DetailsPart, Beyond::kTmdb},
      {{"collection", "*"}, Details, Beyond::kTmdb},
      {{"collection", "*", "*"}, DetailsPart, Beyond::kTmdb},
      {{"company", "*"}, Details, Beyond::kTmdb},
      {{"company", "*", "*"}, DetailsPart, Beyond::kTmdb},
      {{"network", "*"}, Details, Beyond::kTmdb},
      {{"network", "*", "*"}, DetailsPart, Beyond::kTmdb},
      {{"keyword", "*"}, Details, Beyond::kTmdb},

      {{"configuration"}, Configuration, Beyond::kRecords},
      {{"configuration", "*"}, ConfigurationList, Beyond::kTmdb},
      {{"certification", "*", "list"}, ConfigurationList, Beyond::kTmdb},
      {{"genre", "movie", "list"}, Genres, Beyond::kTmdb},
      {{"genre", "tv", "list"}, Genres, Beyond::kTmdb},
      {{"watch", "providers", "regions"}, ConfigurationList, Beyond::kTmdb},
      {{"watch", "providers", "movie"}, Providers, Beyond::kTmdb},
      {{"watch", "providers", "tv"}, Providers, Beyond::kTmdb},
      {{"timezones", "list"}, Timezones, Beyond::kTmdb},

      {{"authentication"}, Authentication},
      {{"authentication", "token", "new"}, NewRequestToken},
      {{"authentication", "*"}, NoPermission},
      {{"authentication", "*", "*"}, NoPermission},
      {{"account"}, NoPermission},
      {{"account", "*"}, NoPermission},
      {{"account", "*", "*"}, NoPermission},
      {{"account", "*", "*", "*"}, NoPermission},
      {{"account", "*", "*", "*", "*"}, NoPermission},
      {{"guest_session", "*"}, NoPermission},
      {{"guest_session", "*", "*"}, NoPermission},
      {{"guest_session", "*", "*", "*"}, NoPermission},
      {{"list", "*"}, NotMirrored, Beyond::kTmdb},
      {{"list", "*", "*"}, NoPermission},
      {{"review", "*"}, Review, Beyond::kTmdb},
      {{"credit", "*"}, NotMirrored, Beyond::kTmdb},
  };
  // clang-format on
  return kRoutes;
}

}  // namespace

const Route* FindRoute(std::span<const std::string> path) {
  const auto route = std::ranges::find_if(Routes(), [&](const Route& row) { return Fits(row, path); });
  return route == Routes().end() ? nullptr : &*route;
}

}  // namespace tmdbc::read_api
