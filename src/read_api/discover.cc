// SPDX-License-Identifier: MIT
#include "read_api/discover.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cmath>
#include <concepts>
#include <map>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "read_api/paging.h"

namespace tmdbc::read_api {
namespace {

using titles::Attribute;
using titles::AttributeKind;
using titles::AttributeOf;
using titles::SortBy;
using titles::TwoLetters;

constexpr std::chrono::hours kListMaxAge{8};

// --- values; one that cannot be read is as good as absent ---

template <class T>
std::optional<T> NumberFrom(std::string_view text) {
  T number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc()) return std::nullopt;
  if constexpr (std::is_floating_point_v<T>) {
    if (!std::isfinite(number)) return std::nullopt;
  } else if (text.substr(std::size_t(end - text.data())).find_first_not_of('0', 1) == std::string_view::npos &&
             end != text.data() + text.size() && *end == '.') {
    return number;  // "90.0", as clients in languages without integers write it
  }
  if (end != text.data() + text.size()) return std::nullopt;
  return number;
}

template <class T>
titles::Span<T> SpanOf(const Query& query, const std::string& name) {
  return {NumberFrom<T>(query.Get(name + ".gte").value_or("")), NumberFrom<T>(query.Get(name + ".lte").value_or(""))};
}

titles::Span<std::int32_t> DaySpanOf(const Query& query, const std::string& name) {
  return {DayNumber(query.Get(name + ".gte").value_or("")), DayNumber(query.Get(name + ".lte").value_or(""))};
}

// The days that are in both.
titles::Span<std::int32_t> Both(titles::Span<std::int32_t> a, const titles::Span<std::int32_t>& b) {
  if (b.from) a.from = std::max(a.from.value_or(*b.from), *b.from);
  if (b.to) a.to = std::min(a.to.value_or(*b.to), *b.to);
  return a;
}

std::vector<std::string_view> PartsOf(std::string_view text, std::string_view separators) {
  std::vector<std::string_view> parts;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find_first_of(separators, begin), text.size());
    std::string_view part = text.substr(begin, end - begin);
    while (part.starts_with(' ')) part.remove_prefix(1);
    while (part.ends_with(' ')) part.remove_suffix(1);
    if (!part.empty()) parts.push_back(part);
    begin = end + 1;
  }
  return parts;
}

// "28,12|16": 28, and one of 12 and 16.
std::vector<std::vector<std::string_view>> GroupsOf(std::string_view text) {
  std::vector<std::vector<std::string_view>> groups;
  for (const std::string_view group : PartsOf(text, ",")) groups.push_back(PartsOf(group, "|"));
  return groups;
}

// A bit for each number, of each group; nothing when there is none.
std::vector<std::uint32_t> BitGroupsOf(std::string_view text) {
  std::vector<std::uint32_t> groups;
  for (const auto& group : GroupsOf(text)) {
    std::uint32_t bits = 0;
    for (const std::string_view one : group) {
      if (const auto number = NumberFrom<std::uint32_t>(one); number && *number < 32) bits |= 1u << *number;
    }
    if (bits != 0) groups.push_back(bits);
  }
  return groups;
}
// The same of what a title has only one of.
std::optional<std::uint32_t> BitsOf(std::string_view text) {
  const auto groups = BitGroupsOf(text);
  if (groups.empty()) return std::nullopt;
  std::uint32_t all = ~0u;
  for (const std::uint32_t bits : groups) all &= bits;
  return all;
}

class FilterMaker {
 public:
  FilterMaker(Call& call, MediaType type) : call_(call), query_(call.query()), type_(type) {}

  titles::DiscoverFilter Make() {
    filter_.include_adult = query_.IsTrue("include_adult");
    filter_.include_video = query_.IsTrue("include_video");
    filter_.vote_average = SpanOf<float>(query_, "vote_average");
    filter_.vote_count = SpanOf<std::int64_t>(query_, "vote_count");
    filter_.runtime = SpanOf<std::int64_t>(query_, "with_runtime");
    Ids("with_genres", AttributeKind::kGenre);
    Ids("with_keywords", AttributeKind::kKeyword);
    Ids("with_companies", AttributeKind::kCompany);
    for (const auto& [name, kind] : {std::pair("without_genres", AttributeKind::kGenre),
                                     std::pair("without_keywords", AttributeKind::kKeyword),
                                     std::pair("without_companies", AttributeKind::kCompany)}) {
      for (const std::string_view one : PartsOf(Text(name), ",|")) Without(kind, one);
    }
    Codes("with_original_language", AttributeKind::kLanguage);
    Codes("with_origin_country", AttributeKind::kCountry);
    Providers();
    Certifications();
    if (type_ == MediaType::kMovie) {
      Film();
    } else {
      Show();
    }
    return std::move(filter_);
  }

 private:
  std::string_view Text(std::string_view name) const { return query_.Get(name).value_or(""); }

  // Of each group those that can be read; a group of nothing that can be asks for nothing.
  template <class Value>
  void Groups(std::string_view name, const Value& value) {
    for (const auto& group : GroupsOf(Text(name))) {
      std::vector<Attribute> any;
      for (const std::string_view one : group) value(one, any);
      if (!any.empty()) filter_.all_of.push_back(std::move(any));
    }
  }
  void Ids(std::string_view name, std::initializer_list<AttributeKind> kinds) {
    Groups(name, [&](std::string_view one, std::vector<Attribute>& any) {
      const auto id = NumberFrom<std::uint32_t>(one);
      for (const AttributeKind kind : kinds) {
        if (id) any.push_back(AttributeOf(kind, *id));
      }
    });
  }
  void Ids(std::string_view name, AttributeKind kind) { Ids(name, {kind}); }
  void Codes(std::string_view name, AttributeKind kind) {
    Groups(name, [&](std::string_view one, std::vector<Attribute>& any) {
      if (TwoLetters(one) != 0) any.push_back(AttributeOf(kind, TwoLetters(one)));
    });
  }
  void Without(AttributeKind kind, std::string_view text) {
    if (const auto id = NumberFrom<std::uint32_t>(text)) filter_.none_of.push_back(AttributeOf(kind, *id));
  }

  // In a region alone: the ways to watch are each region's own.
  void Providers() {
    const std::uint16_t region = TwoLetters(Text("watch_region"));
    if (region == 0) return;
    const auto each_way = [&](std::string_view names, std::uint32_t provider, std::vector<Attribute>& into) {
      for (const auto& [name, kind] : titles::kMonetizations) {
        const auto wanted = PartsOf(names, ",|");
        if (wanted.empty() || std::ranges::find(wanted, name) != wanted.end())
          into.push_back(AttributeOf(AttributeKind::kProvider, titles::ProviderValue(region, kind, provider)));
      }
    };
    const std::string_view ways = Text("with_watch_monetization_types");
    const bool some_provider = !PartsOf(Text("with_watch_providers"), ",|").empty();
    Groups("with_watch_providers", [&](std::string_view one, std::vector<Attribute>& any) {
      if (const auto id = NumberFrom<std::uint32_t>(one)) each_way(ways, *id, any);
    });
    if (!some_provider) {
      Groups("with_watch_monetization_types",
             [&](std::string_view one, std::vector<Attribute>& any) { each_way(one, 0, any); });
    }
    for (const std::string_view one : PartsOf(Text("without_watch_providers"), ",|")) {
      if (const auto id = NumberFrom<std::uint32_t>(one)) each_way("", *id, filter_.none_of);
    }
  }

  // The order of a country's certifications, by TMDB's own list.
  std::map<std::string, std::int64_t> OrderOf(std::string_view country) {
    std::map<std::string, std::int64_t> order;
    const auto list = call_.FindList("certification/" + std::string(Name(type_)) + "/list");
    if (list == nullptr) {
      call_.Worsen(Fidelity::kApproximate);
      return order;
    }
    const JsonObject countries(JsonObject(list->body)["certifications"]);
    for (const JsonSlice one : ElementsOf(countries[country])) {
      const JsonObject row(one);
      order[TextOf(row["certification"])] = IntegerOf(row["order"]).value_or(0);
    }
    return order;
  }
  void Certifications() {
    const std::string_view country = Text("certification_country");
    const std::string exact(Text("certification")), at_least(Text("certification.gte")), at_most(Text("certification.lte"));
    if (TwoLetters(country) == 0 || (exact.empty() && at_least.empty() && at_most.empty())) return;
    titles::CertificationFilter wanted{.country = TwoLetters(country)};
    for (const std::string_view one : PartsOf(exact, ",|")) wanted.any_of.emplace_back(one);
    if (exact.empty()) {
      const auto order = OrderOf(country);
      const auto from = order.find(at_least), to = order.find(at_most);
      // A bound that the country does not have bounds nothing. Lists may have one that is "": it is not a bound.
      if ((!at_least.empty() && from == order.end()) || (!at_most.empty() && to == order.end())) return;
      for (const auto& [name, place] : order) {
        if ((at_least.empty() || place >= from->second) && (at_most.empty() || place <= to->second))
          wanted.any_of.push_back(name);
      }
    }
    filter_.certification = std::move(wanted);
  }

  void Film() {
    Ids("with_cast", AttributeKind::kCast);
    Ids("with_crew", AttributeKind::kCrew);
    Ids("with_people", {AttributeKind::kCast, AttributeKind::kCrew});
    filter_.days = DaySpanOf(query_, "primary_release_date");
    if (const auto year = DaysOfYear(Text("primary_release_year"))) filter_.days = Both(filter_.days, *year);
    titles::ReleaseFilter release{.days = DaySpanOf(query_, "release_date"), .country = TwoLetters(Text("region"))};
    if (const auto year = DaysOfYear(Text("year"))) release.days = Both(release.days, *year);
    release.types = BitGroupsOf(Text("with_release_type"));
    // A region, or types, alone ask for nothing.
    if (!release.days.open() || (release.country != 0 && !release.types.empty())) filter_.release = std::move(release);
  }

  void Show() {
    filter_.include_video = true;  // shows are none
    Ids("with_networks", AttributeKind::kNetwork);
    filter_.days = DaySpanOf(query_, "first_air_date");
    if (const auto year = DaysOfYear(Text("first_air_date_year"))) filter_.days = Both(filter_.days, *year);
    filter_.include_without_day = query_.IsTrue("include_null_first_air_dates");
    filter_.statuses = BitsOf(Text("with_status"));
    filter_.types = BitsOf(Text("with_type"));
    if (query_.IsTrue("screened_theatrically"))
      filter_.all_of.push_back({AttributeOf(AttributeKind::kScreened, 1)});
    if (const auto air = DaySpanOf(query_, "air_date"); !air.open()) filter_.on_air = air;
  }

  Call& call_;
  const Query& query_;
  const MediaType type_;
  titles::DiscoverFilter filter_;
};

struct SortName {
  std::string_view name;
  SortBy sort;
};
constexpr std::array kSortNames = {SortName{"popularity", SortBy::kPopularity},
                                   SortName{"vote_average", SortBy::kVoteAverage},
                                   SortName{"vote_count", SortBy::kVoteCount},
                                   SortName{"revenue", SortBy::kRevenue},
                                   SortName{"primary_release_date", SortBy::kDay},
                                   SortName{"release_date", SortBy::kDay},
                                   SortName{"first_air_date", SortBy::kDay},
                                   SortName{"title", SortBy::kTitle},
                                   SortName{"name", SortBy::kTitle},
                                   SortName{"original_title", SortBy::kOriginalTitle},
                                   SortName{"original_name", SortBy::kOriginalTitle}};

// What is no order is the usual one.
void Sort(std::string_view text, ListRequest& list) {
  const std::size_t dot = std::min(text.rfind('.'), text.size());
  const std::string_view direction = text.substr(dot);
  const auto found = std::ranges::find(kSortNames, text.substr(0, dot), &SortName::name);
  if (found == kSortNames.end() || (direction != ".asc" && direction != ".desc")) return;
  list.sort = found->sort;
  list.descending = direction == ".desc";
}

// Some lists are of today, and all of them change with the day.
std::chrono::seconds MaxAgeAt(Time now) {
  const auto tomorrow = std::chrono::floor<std::chrono::days>(now) + std::chrono::days(1);
  return std::min<std::chrono::seconds>(kListMaxAge, std::chrono::ceil<std::chrono::seconds>(tomorrow - now));
}

}  // namespace

std::optional<std::int32_t> DayNumber(std::string_view text) {
  if (text.size() != 10) return std::nullopt;
  const auto day = ParseDate(text);
  if (!day) return std::nullopt;
  return std::int32_t(day->time_since_epoch().count());
}

std::optional<int> YearFrom(std::string_view text) {
  const auto year = NumberFrom<int>(text);
  return year && *year >= 1 && *year <= 9999 ? year : std::nullopt;
}

std::optional<titles::Span<std::int32_t>> DaysOfYear(std::string_view text) {
  const auto number = YearFrom(text);
  if (!number) return std::nullopt;
  using namespace std::chrono;
  const auto day = [](year_month_day date) { return std::int32_t(sys_days(date).time_since_epoch().count()); };
  return titles::Span<std::int32_t>{day(year(*number) / 1 / 1), day(year(*number) / 12 / 31)};
}

std::int32_t TodayOf(const Call& call) {
  return std::int32_t(std::chrono::floor<std::chrono::days>(call.now()).time_since_epoch().count());
}

std::string PageOfList(Call& call, const titles::Titles& index, std::int64_t page, const ListRequest& request) {
  const auto found = titles::Discover(index, request.type, request.filter, request.sort, request.descending,
                                      SkipOf(page), kRowsToFind);
  const RowStyle style = StyleOf(call, RowForm::kList, request.type == MediaType::kMovie);
  return PageOfRows(call, page, found, style, request.first);
}

Answer ListPage(Call& call, const ListRequest& request) {
  const auto page = PageOf(call.query());
  if (!page) return ErrorAnswer(22);
  const titles::Titles* const index = call.Titles();
  if (index == nullptr) return IndexAwaited();
  return {.body = PageOfList(call, *index, *page, request),
          .fidelity = request.fidelity,
          .max_age = MaxAgeAt(call.now())};
}

Answer Discover(Call& call) {
  ListRequest list{.type = call.part(1) == "tv" ? MediaType::kTv : MediaType::kMovie};
  list.filter = FilterMaker(call, list.type).Make();
  Sort(call.query().Get("sort_by").value_or(""), list);
  return ListPage(call, list);
}

}  // namespace tmdbc::read_api
