// SPDX-License-Identifier: MIT
#include "read_api/lists.h"

#include <fmt/format.h>

#include <algorithm>

#include "read_api/details.h"
#include "read_api/discover.h"
#include "read_api/paging.h"
#include "titles/find.h"
#include "titles/similar.h"

namespace tmdbc::read_api {
namespace {

using titles::AttributeKind;
using titles::AttributeOf;

constexpr std::int64_t kVotesToBeRated = 200;
constexpr std::uint32_t kInCinemas = 1 << 2 | 1 << 3;  // limited, and not
constexpr std::uint64_t kDocumentary = 99, kOldShort = 10755;
constexpr std::int32_t kWeek = 7;

MediaType TypeOf(const Call& call) {
  return call.part(0) == "tv" ? MediaType::kTv : call.part(0) == "person" ? MediaType::kPerson : MediaType::kMovie;
}

// Only what was released in the region that is asked for.
void ReleasedIn(const Call& call, ListRequest& list) {
  const std::uint16_t region = titles::TwoLetters(call.query().Get("region").value_or(""));
  if (region == 0 || list.type != MediaType::kMovie) return;
  if (!list.filter.release) list.filter.release.emplace();
  list.filter.release->country = region;
}

std::string DateText(std::int32_t day) {
  return FormatDate(std::chrono::sys_days(std::chrono::days(day)));
}

Answer InCinemas(Call& call, const titles::Span<std::int32_t>& days) {
  const std::string first =
      fmt::format(R"("dates":{{"maximum":"{}","minimum":"{}"}})", DateText(*days.to), DateText(*days.from));
  ListRequest list{.type = MediaType::kMovie, .first = first};
  list.filter.release = titles::ReleaseFilter{.days = days, .types = {kInCinemas}};
  ReleasedIn(call, list);
  return ListPage(call, list);
}

ListRequest FilmsWith(const Call& call, AttributeKind kind, std::int64_t id) {
  ListRequest list{.type = MediaType::kMovie};
  list.filter.include_adult = call.query().IsTrue("include_adult");
  list.filter.all_of = {{AttributeOf(kind, std::uint64_t(id))}};
  return list;
}

Answer OnAir(Call& call, std::int32_t first, std::int32_t last) {
  ListRequest list{.type = MediaType::kTv, .fidelity = Fidelity::kApproximate};  // their day begins elsewhere
  list.filter.include_video = true;
  list.filter.on_air = titles::Span<std::int32_t>{first, last};
  return ListPage(call, list);
}

}  // namespace

CinemaWindows WindowsOn(std::int32_t today) {
  // 1970-01-01 was a Thursday: day 6 was a Wednesday.
  const std::int32_t wednesday = today - ((today - 6) % kWeek + kWeek) % kWeek;
  return {{wednesday - 5 * kWeek, wednesday + kWeek}, {wednesday + kWeek, wednesday + 4 * kWeek}};
}

Answer Popular(Call& call) {
  ListRequest list{.type = TypeOf(call)};
  list.filter.include_video = list.type != MediaType::kMovie;
  ReleasedIn(call, list);
  return ListPage(call, list);
}

Answer TopRated(Call& call) {
  ListRequest list{.type = TypeOf(call), .sort = titles::SortBy::kVoteAverage, .fidelity = Fidelity::kApproximate};
  list.filter.vote_count.from = kVotesToBeRated;
  if (list.type == MediaType::kMovie) {
    list.filter.none_of = {AttributeOf(AttributeKind::kGenre, kDocumentary),
                           AttributeOf(AttributeKind::kGenre, kOldShort)};
  }
  ReleasedIn(call, list);
  return ListPage(call, list);
}

Answer NowPlaying(Call& call) {
  return InCinemas(call, WindowsOn(TodayOf(call)).playing);
}

Answer Upcoming(Call& call) {
  return InCinemas(call, WindowsOn(TodayOf(call)).upcoming);
}

Answer AiringToday(Call& call) {
  return OnAir(call, TodayOf(call), TodayOf(call));
}

Answer OnTheAir(Call& call) {
  return OnAir(call, TodayOf(call), TodayOf(call) + kWeek);
}

Answer MoviesOf(Call& call) {
  const bool company = call.part(0) == "company";
  const auto id = PositiveInteger(call.part(1));
  if (!id) return ErrorAnswer(6);
  const std::string first = fmt::format(R"("id":{})", *id);
  ListRequest list = FilmsWith(call, company ? AttributeKind::kCompany : AttributeKind::kKeyword, *id);
  list.first = first;
  return ListPage(call, list);
}

std::string FilmsOfCompany(Call& call, const Subject& company) {
  const std::int64_t page = PageOf(call.query()).value_or(1);
  const titles::Titles* const index = call.Titles();
  call.Worsen(index == nullptr ? Fidelity::kEmpty : Fidelity::kDerived);
  if (index == nullptr) return Envelope(page, "", 0);
  return PageOfList(call, *index, page, FilmsWith(call, AttributeKind::kCompany, company.id));
}

Answer LatestOf(Call& call) {
  const titles::Titles* const index = call.Titles();
  if (index == nullptr) return IndexAwaited();
  const auto latest = titles::Latest(*index, TypeOf(call));
  if (!latest) return ErrorAnswer(34);
  Answer answer = DetailsOf(call, latest->id);
  answer.max_age = {};
  return answer;
}

std::string NearTo(Call& call, const Subject& subject, bool recommendations) {
  const titles::Titles* const index = call.Titles();
  const std::int64_t page = PageOf(call.query()).value_or(1);
  if (index == nullptr) {
    call.Worsen(Fidelity::kEmpty);
    return Envelope(page, "", 0);
  }
  call.Worsen(Fidelity::kApproximate);
  const auto found = titles::Similar(*index, {subject.type, subject.id}, SkipOf(page), kRowsToFind);
  const RowStyle style = StyleOf(call, recommendations ? RowForm::kMixed : RowForm::kList, false);
  return PageOfRows(call, page, found, style);
}

}  // namespace tmdbc::read_api
