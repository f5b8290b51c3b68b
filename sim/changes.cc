// SPDX-License-Identifier: MIT
#include "changes.h"

#include <fmt/chrono.h>
#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <unordered_map>
#include <variant>

#include "json.h"
#include "random.h"
#include "text.h"

namespace tmdbc::sim {
namespace {

using std::chrono::days;
using std::chrono::sys_days;

constexpr days kLongestSpan{14};
constexpr std::int64_t kFloodIds = 2'000'000'000;
// One day in so many holds a row whose id is null.
constexpr std::uint64_t kDaysPerNull = 4;

struct Bounds {
  Time from{}, until{};
};

// The window that start_date and end_date name, or the error that TMDB answers. Both days are part of it.
std::variant<Bounds, Reply> BoundsOf(const Target& target, Time now, std::string_view path_class) {
  const std::string_view start = target.parameter("start_date"), end = target.parameter("end_date");
  if (start.empty() && end.empty()) return Bounds{now - days(1), now + Duration(1)};
  std::optional<sys_days> first, last;
  for (const auto& [text, day] : {std::pair(start, &first), std::pair(end, &last)}) {
    if (text.empty()) continue;
    const auto parsed = ParseDate(text);
    if (!parsed) return TmdbError(400, 23, path_class);
    *day = *parsed;
  }
  if (!first) first = *last - days(1);
  if (!last) last = std::min(*first + kLongestSpan, std::chrono::floor<days>(now));
  if (*last < *first || *last - *first > kLongestSpan) return TmdbError(422, 20, path_class);
  return Bounds{Time(*first), Time(*last + days(1))};
}

// 1 when it is not given.
std::optional<int> PageOf(const Target& target) {
  const std::string_view text = target.parameter("page");
  if (text.empty()) return 1;
  int page = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), page);
  if (error != std::errc() || end != text.data() + text.size() || page < 1 || page > kMostFeedPages)
    return std::nullopt;
  return page;
}

std::string_view KeyOf(Event event, Kind kind) {
  switch (event) {
    case Event::kOverview:
      return kind == Kind::kPerson ? "biography" : "overview";
    case Event::kTitle:
      return kind == Kind::kMovie ? "title" : "name";
    case Event::kRuntime:
      return kind == Kind::kPerson ? "place_of_birth" : "runtime";
    case Event::kCast:
      return "cast";
    case Event::kAdd:
    case Event::kRestore:
      return "general";
    default:
      return "season";
  }
}

std::string_view ActionOf(Event event) {
  switch (event) {
    case Event::kAdd:
    case Event::kRestore:
      return "created";
    case Event::kCast:
    case Event::kEpisodeAdd:
    case Event::kSeasonAdd:
      return "added";
    case Event::kEpisodeRemove:
    case Event::kSeasonRemove:
      return "deleted";
    default:
      return "updated";
  }
}

}  // namespace

std::optional<Reply> Changes::Get(const Target& target, const FeedOptions& options, Time now) {
  const auto parts = Split(target.path, '/');
  const auto kind = parts.size() >= 3 && parts[0] == "3" ? KindOf(parts[1]) : std::nullopt;
  if (kind != Kind::kMovie && kind != Kind::kTv && kind != Kind::kPerson) return std::nullopt;
  if (parts.size() == 3 && parts[2] == "changes") return GetList(*kind, target, options, now);
  if (parts.size() != 4 || parts[3] != "changes") return std::nullopt;
  const auto id = ParseId(parts[2]);
  if (!id) return std::nullopt;
  return GetOne(*kind, *id, target, options, now);
}

std::vector<Changes::Row> Changes::RowsOf(Kind kind, Time from, Time until, const FeedOptions& options,
                                          Time now) const {
  // An id has one row, which stands where its last event puts it: while a day goes on, rows wander between
  // the pages; when it is over and everything is listed, they stay.
  std::unordered_map<std::int64_t, std::uint64_t> last;
  std::map<sys_days, int> seen;
  const Time listed = std::min(until, now - options.lag + Duration(1));
  world_->ForEachEntry(kind, from, listed, [&](const EvolvingWorld::Entry& entry) {
    last[entry.id] = entry.number;
    ++seen[std::chrono::floor<days>(entry.at)];
  });
  std::vector<Row> rows;
  rows.reserve(last.size());
  for (const auto& [id, number] : last) rows.push_back({id, Random(seed_, HashText("row"), number).Next()});
  for (const auto& [day, count] : seen) {
    Random random(seed_, HashText("null row"), day.time_since_epoch().count(), static_cast<int>(kind));
    if (random.Below(kDaysPerNull) == 0) rows.push_back({0, random.Next()});
  }
  for (const auto& [day, count] : options.floods) {
    if (Time(day) < from || Time(day) >= until || Time(day) > now) continue;
    for (int i = 0; i < count; ++i)
      rows.push_back({kFloodIds + i, Random(seed_, HashText("flood"), i).Next(), true});
  }
  for (const sys_days day : options.odd_rows) {
    if (Time(day) >= from && Time(day) < until && Time(day) <= now)
      rows.push_back({1, Random(seed_, HashText("odd"), day.time_since_epoch().count()).Next(), false, true});
  }
  std::sort(rows.begin(), rows.end(),
            [](const Row& a, const Row& b) { return a.order != b.order ? a.order < b.order : a.id < b.id; });
  return rows;
}

Reply Changes::GetList(Kind kind, const Target& target, const FeedOptions& options, Time now) {
  constexpr std::string_view kClass = "changes";
  const auto page = PageOf(target);
  if (!page) return TmdbError(400, 22, kClass);
  const auto bounds = BoundsOf(target, now, kClass);
  if (const Reply* error = std::get_if<Reply>(&bounds)) return *error;
  const Bounds& window = std::get<Bounds>(bounds);
  if (world_ != nullptr) {
    std::uint64_t listed = 0;
    world_->ForEachEntry(kind, window.from, std::min(window.until, now - options.lag + Duration(1)),
                         [&](const auto&) { ++listed; });
    const bool known = last_ && last_->kind == kind && last_->from == window.from &&
                       last_->until == window.until && last_->listed == listed;
    if (!known) {
      last_ = Last{kind, window.from, window.until, listed,
                   RowsOf(kind, window.from, window.until, options, now)};
    }
  }
  const std::vector<Row> none;
  const std::vector<Row>& rows = last_ && world_ != nullptr ? last_->rows : none;
  const auto per_page = static_cast<std::size_t>(options.rows_per_page);
  const std::size_t pages = std::max<std::size_t>(1, (rows.size() + per_page - 1) / per_page);
  const std::size_t first = std::min(rows.size(), static_cast<std::size_t>(*page - 1) * per_page);
  const std::size_t end = std::min(rows.size(), first + per_page);
  JsonWriter json;
  json.Object().Key("results").Array();
  for (std::size_t i = first; i < end; ++i) {
    const Row& row = rows[i];
    json.Object();
    if (row.id == 0) {
      json.Null("id").Null("adult").Null("softcore").EndObject();
      continue;
    }
    if (row.odd) {
      json.Key("id").Raw("12345678901234567890").Bool("adult", false).Bool("softcore", false).EndObject();
      continue;
    }
    json.Int("id", row.id);
    // They are looked up when the feed is read: of what is gone by then nothing is known.
    if (row.flood) {
      json.Bool("adult", true).Bool("softcore", false);
    } else if (world_->IsLive(kind, row.id)) {
      json.Bool("adult", world_->IsAdult(kind, row.id)).Bool("softcore", false);
    } else {
      json.Null("adult").Null("softcore");
    }
    json.EndObject();
  }
  json.EndArray().Int("page", *page).Int("total_pages", static_cast<std::int64_t>(pages));
  Reply reply;
  reply.path_class = kClass;
  const std::int64_t total = static_cast<std::int64_t>(rows.size()) + options.total_off;
  reply.body = json.Int("total_results", total).EndObject().Take();
  return reply;
}

Reply Changes::GetOne(Kind kind, std::int64_t id, const Target& target, const FeedOptions& options,
                      Time now) const {
  constexpr std::string_view kClass = "changes";
  if (!PageOf(target)) return TmdbError(400, 22, kClass);
  const auto bounds = BoundsOf(target, now, kClass);
  if (const Reply* error = std::get_if<Reply>(&bounds)) return *error;
  const Bounds& window = std::get<Bounds>(bounds);
  std::map<std::string_view, std::vector<EvolvingWorld::Entry>> by_key;
  if (world_ != nullptr) {
    world_->ForEachEntry(kind, window.from, std::min(window.until, now - options.lag + Duration(1)),
                         [&](const EvolvingWorld::Entry& entry) {
                           if (entry.id == id) by_key[KeyOf(entry.event, kind)].push_back(entry);
                         });
  }
  JsonWriter json;
  json.Object().Key("changes").Array();
  for (const auto& [key, entries] : by_key) {
    json.Object().Text("key", key).Key("items").Array();
    for (const EvolvingWorld::Entry& entry : entries) {
      Random random(seed_, HashText("change item"), entry.number);
      json.Object().Text("id", HexId(random)).Text("action", ActionOf(entry.event));
      const auto at = std::chrono::floor<std::chrono::seconds>(entry.at);
      json.Text("time", fmt::format("{:%Y-%m-%d %H:%M:%S} UTC",
                                    fmt::gmtime(std::chrono::system_clock::to_time_t(at))));
      json.EndObject();
    }
    json.EndArray().EndObject();
  }
  Reply reply;
  reply.path_class = kClass;
  reply.body = json.EndArray().EndObject().Take();
  return reply;
}

}  // namespace tmdbc::sim
