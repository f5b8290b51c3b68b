// SPDX-License-Identifier: MIT
// The lists that are made of discover: popular, top rated, in cinemas, on air, of a company or keyword; and the newest
// record of a type.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "read_api/call.h"
#include "read_api/subject.h"
#include "titles/discover.h"

namespace tmdbc::read_api {

Answer Popular(Call& call);     // {movie,tv,person}/popular
Answer TopRated(Call& call);    // {movie,tv}/top_rated
Answer NowPlaying(Call& call);  // movie/now_playing
Answer Upcoming(Call& call);    // movie/upcoming
Answer AiringToday(Call& call);
Answer OnTheAir(Call& call);
Answer MoviesOf(Call& call);  // {company,keyword}/ID/movies
Answer LatestOf(Call& call);  // {movie,tv,person}/latest

// What TMDB calls playing now and upcoming is of weeks that begin on a Wednesday: the last one up to today, 35 days
// before it to 7 after it; and from there three weeks more.
struct CinemaWindows {
  titles::Span<std::int32_t> playing, upcoming;
};
CinemaWindows WindowsOn(std::int32_t today);

// company/ID/movies appended: one page as it is asked for.
std::string FilmsOfCompany(Call& call, const Subject& company);
// Titles with the same keywords, the rarer the better, and genres, in place of what TMDB recommends: one page as it is
// asked for. Rows of recommendations have a media_type.
std::string NearTo(Call& call, const Subject& subject, bool recommendations);

}  // namespace tmdbc::read_api
