// SPDX-License-Identifier: MIT
#include "read_api/routes.h"

#include <algorithm>
#include <string_view>
#include <vector>

#include "read_api/account.h"
#include "read_api/changes.h"
#include "read_api/configuration.h"
#include "read_api/details.h"
#include "read_api/discover.h"
#include "read_api/find.h"
#include "read_api/lists.h"
#include "read_api/openapi.h"
#include "read_api/search.h"
#include "read_api/trending.h"

namespace tmdbc::read_api {
namespace {

// The parts of a path; "*" stands for any one part.
struct Route {
  std::vector<std::string_view> pattern;
  Endpoint endpoint;
};

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
      {{"find", "*"}, Find},
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

      {{"movie", "*"}, Details},
      {{"movie", "*", "*"}, DetailsPart},
      {{"movie", "*", "watch", "providers"}, DetailsPart},
      {{"tv", "*"}, Details},
      {{"tv", "episode_group", "*"}, NotMirrored},
      {{"tv", "*", "*"}, DetailsPart},
      {{"tv", "*", "watch", "providers"}, DetailsPart},
      {{"tv", "*", "season", "*"}, SeasonDetails},
      {{"tv", "*", "season", "*", "*"}, SeasonPart},
      {{"tv", "*", "season", "*", "watch", "providers"}, SeasonPart},
      {{"tv", "*", "season", "*", "episode", "*"}, EpisodeDetails},
      {{"tv", "*", "season", "*", "episode", "*", "*"}, EpisodePart},
      {{"person", "*"}, Details},
      {{"person", "*", "*"}, DetailsPart},
      {{"collection", "*"}, Details},
      {{"collection", "*", "*"}, DetailsPart},
      {{"company", "*"}, Details},
      {{"company", "*", "*"}, DetailsPart},
      {{"network", "*"}, Details},
      {{"network", "*", "*"}, DetailsPart},
      {{"keyword", "*"}, Details},

      {{"configuration"}, Configuration},
      {{"configuration", "*"}, ConfigurationList},
      {{"certification", "*", "list"}, ConfigurationList},
      {{"genre", "movie", "list"}, Genres},
      {{"genre", "tv", "list"}, Genres},
      {{"watch", "providers", "regions"}, ConfigurationList},
      {{"watch", "providers", "movie"}, Providers},
      {{"watch", "providers", "tv"}, Providers},
      {{"timezones", "list"}, Timezones},

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
      {{"list", "*"}, NotMirrored},
      {{"list", "*", "*"}, NoPermission},
  };
  // clang-format on
  return kRoutes;
}

}  // namespace

Endpoint FindEndpoint(std::span<const std::string> path) {
  const auto route = std::ranges::find_if(Routes(), [&](const Route& row) { return Fits(row, path); });
  return route == Routes().end() ? nullptr : route->endpoint;
}

}  // namespace tmdbc::read_api
