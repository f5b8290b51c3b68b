// SPDX-License-Identifier: MIT
#include "evolving_world.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>

#include "json.h"

namespace tmdbc::sim {
namespace {

// More ids than any run brings to life. Season and episode ids of their shows stay below 2^40.
constexpr std::int64_t kReserve = 100'000'000;

SyntheticOptions WithReserve(SyntheticOptions options) {
  options.reserve = kReserve;
  return options;
}

// A kind without prose, or without a length, is renamed instead.
Event Possible(Kind kind, Event event) {
  const bool titled = kind == Kind::kMovie || kind == Kind::kTv || kind == Kind::kPerson;
  if (event == Event::kOverview && kind == Kind::kKeyword) return Event::kTitle;
  if ((event == Event::kRuntime || event == Event::kCast) && !titled) return Event::kTitle;
  return event;
}

bool IsListed(Event event) {
  return event != Event::kStats && event != Event::kDelete && event != Event::kQuietRestore &&
         event != Event::kMerge;
}

std::optional<std::int64_t> IdOfLine(std::string_view line) {
  // A quote inside of a text is written \", so this is the member and nothing else.
  constexpr std::string_view kId = "\"id\":";
  const auto at = line.find(kId);
  if (at == std::string_view::npos) return std::nullopt;
  std::int64_t id = 0;
  const char* first = line.data() + at + kId.size();
  if (std::from_chars(first, line.data() + line.size(), id).ec != std::errc()) return std::nullopt;
  return id;
}

}  // namespace

std::string ToJson(const Happened& happened) {
  JsonWriter json;
  json.Object().Text("time", FormatTime(happened.at)).Text("kind", NameOf(happened.kind));
  json.Int("id", happened.id).Text("event", NameOf(happened.event)).Bool("listed", happened.listed);
  if (happened.other != 0) json.Int("into", happened.other);
  return json.EndObject().Take();
}

EvolvingWorld::EvolvingWorld(SyntheticOptions catalogue, const DailyRates& rates, Time epoch)
    : seed_(catalogue.seed),
      rates_(rates),
      epoch_(epoch),
      catalogue_(WithReserve(catalogue)),
      view_(epoch),
      latest_(epoch),
      next_hour_(std::chrono::floor<std::chrono::hours>(epoch)) {
  for (int i = 0; i < kKinds; ++i)
    history(static_cast<Kind>(i)).next_index = catalogue_.size(static_cast<Kind>(i));
}

// --- time

void EvolvingWorld::EvolveTo(Time at) {
  if (at > latest_) HappenUntil(at);
  view_ = at;
}

void EvolvingWorld::HappenUntil(Time until) {
  while (!calm_ && rates_.any()) {
    for (; planned_ < plan_.size() && plan_[planned_].at <= until; ++planned_) {
      if (plan_[planned_].at < epoch_) continue;  // the first hour began before it
      latest_ = std::max(latest_, plan_[planned_].at);
      Carry(plan_[planned_]);
    }
    if (planned_ < plan_.size() || next_hour_ > until) break;
    const auto hour = std::chrono::floor<std::chrono::hours>(next_hour_);
    plan_ = EventsOf(seed_, rates_, hour);
    planned_ = 0;
    next_hour_ = hour + std::chrono::hours(1);
  }
  latest_ = until;
}

// --- what happens

void EvolvingWorld::Carry(const Planned& planned) {
  Random random(planned.draw);
  const Kind kind = planned.kind;
  if (planned.event == Event::kAdd) {
    Add(kind, planned.at);
    return;
  }
  if (planned.event == Event::kRestore || planned.event == Event::kQuietRestore) {
    const auto& gone = history(kind).gone;
    if (!gone.empty()) (void)Happen(kind, gone[random.Below(gone.size())], planned.event);
    return;
  }
  const auto id = Some(kind, random);
  if (!id) return;
  std::int64_t other = 0;
  if (planned.event == Event::kMerge) other = Some(kind, random).value_or(*id);
  if (Happen(kind, *id, planned.event, other)) return;
  // A season that is not there cannot go; then one comes.
  if (IsForShows(planned.event)) (void)Happen(kind, *id, Event::kSeasonAdd);
}

Result<std::int64_t> EvolvingWorld::Happen(Kind kind, std::int64_t id, Event asked, std::int64_t other) {
  const Event event = Possible(kind, asked);
  if (event == Event::kAdd) {
    const std::int64_t born = Add(kind, latest_);
    return born;
  }
  State state = StateAt(kind, id, latest_);
  const bool returns = event == Event::kRestore || event == Event::kQuietRestore;
  if (returns) {
    auto& gone = history(kind).gone;
    if (state.live || std::erase(gone, id) == 0)
      return Fail(ErrorCode::kNotFound, "{}: {}:{} is not gone", NameOf(event), NameOf(kind), id);
    state.live = true;
    Note({latest_, kind, id, event, IsListed(event)}, std::move(state));
    return id;
  }
  if (!state.live)
    return Fail(ErrorCode::kNotFound, "{}: {}:{} is not live", NameOf(event), NameOf(kind), id);
  if (IsForShows(event) && kind != Kind::kTv)
    return Fail(ErrorCode::kInvalid, "{}: only shows have seasons", NameOf(event));
  switch (event) {
    case Event::kOverview:
      ++state.overview;
      break;
    case Event::kTitle:
      ++state.title;
      break;
    case Event::kRuntime:
      ++state.runtime;
      break;
    case Event::kCast:
      ++state.cast;
      break;
    case Event::kStats:
      if (kind != Kind::kMovie && kind != Kind::kTv && kind != Kind::kPerson)
        return Fail(ErrorCode::kInvalid, "stats: a {} has none", NameOf(kind));
      ++state.stats;
      break;
    case Event::kMerge:
      if (other == id || !StateAt(kind, other, latest_).live)
        return Fail(ErrorCode::kNotFound, "merge: {}:{} is not another that is live", NameOf(kind), other);
      [[fallthrough]];
    case Event::kDelete:
      state.live = false;
      history(kind).gone.push_back(id);
      break;
    default:
      if (!ChangeSeasons(id, state, event, Mix(seed_ ^ events_)))
        return Fail(ErrorCode::kInvalid, "{}: tv:{} has nothing to do it to", NameOf(event), id);
      break;
  }
  Note({latest_, kind, id, event, IsListed(event), event == Event::kMerge ? other : 0}, std::move(state));
  // What was credited to the one is credited to the other now.
  if (event == Event::kMerge) return Happen(kind, other, Event::kCast);
  return id;
}

std::int64_t EvolvingWorld::VoteOnAll(Kind kind) {
  EvolveTo(latest_);
  std::vector<std::int64_t> ids;
  ForEachId(kind, [&](std::int64_t id, bool) { ids.push_back(id); });
  for (const std::int64_t id : ids) (void)Happen(kind, id, Event::kStats);
  return static_cast<std::int64_t>(ids.size());
}

std::int64_t EvolvingWorld::Add(Kind kind, Time at) {
  KindHistory& of = history(kind);
  std::int64_t id = 0;
  // A share of the ids answers 404 from birth, as in the catalogue.
  do {
    id = catalogue_.IdAt(kind, of.next_index++);
  } while (!catalogue_.Details(kind, id));
  of.added.push_back(id);
  Note({at, kind, id, Event::kAdd, true}, State{.live = true, .layout = nullptr});
  return id;
}

void EvolvingWorld::Note(const Happened& happened, State state) {
  KindHistory& of = history(happened.kind);
  of.moments[happened.id].push_back({happened.at, std::move(state)});
  of.times.push_back(happened.at);
  if (happened.listed) of.feed.push_back({happened.at, happened.id, events_, happened.event});
  ++events_;
  if (on_event) on_event(happened);
}

bool EvolvingWorld::ChangeSeasons(std::int64_t show, State& state, Event event, std::uint64_t draw) const {
  ShowLayout layout = state.layout ? *state.layout : LayoutOfCatalogue(show);
  if (!Rearrange(layout, event, Random(draw))) return false;
  state.layout = std::make_shared<const ShowLayout>(std::move(layout));
  return true;
}

ShowLayout EvolvingWorld::LayoutOfCatalogue(std::int64_t show) const {
  ShowLayout layout;
  const std::int64_t index = catalogue_.IndexOf(Kind::kTv, show).value_or(0);
  layout.next_season_id = SyntheticWorld::FirstSeasonId(index);
  layout.last_season_id = layout.next_season_id + SyntheticWorld::kSeasonsPerShow - 1;
  layout.next_episode_id = SyntheticWorld::FirstEpisodeId(index) + 1;
  layout.last_episode_id = layout.next_episode_id + SyntheticWorld::kEpisodesPerShow - 2;
  for (const SeasonRef& ref : catalogue_.Seasons(show)) {
    SeasonSlot season{.id = ref.id, .number = ref.number, .origin = ref.number, .episodes = {}};
    layout.next_season_id = std::max(layout.next_season_id, ref.id + 1);
    const std::string body = catalogue_.Season(show, ref.number).value_or("");
    for (const std::string_view episode : ElementsOf(PartOf(body, "episodes").value_or(""))) {
      const std::int64_t id = *IdOfLine(episode);
      const int number = static_cast<int>(season.episodes.size()) + 1;
      season.episodes.push_back(
          {.id = id, .number = number, .origin_season = ref.number, .origin_number = number});
      layout.next_episode_id = std::max(layout.next_episode_id, id + 1);
    }
    layout.seasons.push_back(std::move(season));
  }
  return layout;
}

std::optional<std::int64_t> EvolvingWorld::Some(Kind kind, Random& random) const {
  const auto& added = history(kind).added;
  const std::int64_t old = catalogue_.size(kind);
  const std::int64_t all = old + static_cast<std::int64_t>(added.size());
  constexpr std::int64_t kPopular = 50;
  if (all == 0) return std::nullopt;
  for (int tries = 0; tries < 100; ++tries) {
    std::int64_t index = random.Between(0, all - 1);
    if (random.Chance(1.0 / 3)) index -= index % kPopular;
    const std::int64_t id =
        index < old ? catalogue_.IdAt(kind, index) : added[static_cast<std::size_t>(index - old)];
    if (StateAt(kind, id, latest_).live) return id;
  }
  return std::nullopt;
}

// --- what was when

EvolvingWorld::State EvolvingWorld::StateAt(Kind kind, std::int64_t id, Time at) const {
  const auto& moments = history(kind).moments;
  const auto known = moments.find(id);
  if (known != moments.end()) {
    const auto later = std::upper_bound(known->second.begin(), known->second.end(), at,
                                        [](Time time, const Moment& m) { return time < m.from; });
    if (later != known->second.begin()) return std::prev(later)->state;
  }
  return State{.live = catalogue_.Exists(kind, id), .layout = nullptr};
}

std::uint64_t EvolvingWorld::Revision(Kind kind, std::int64_t id) const {
  const auto& moments = history(kind).moments;
  const auto known = moments.find(id);
  if (known == moments.end()) return 0;
  const auto later = std::upper_bound(known->second.begin(), known->second.end(), view_,
                                      [](Time time, const Moment& m) { return time < m.from; });
  return static_cast<std::uint64_t>(later - known->second.begin());
}

std::uint64_t EvolvingWorld::Revision(Kind kind) const {
  const auto& times = history(kind).times;
  return static_cast<std::uint64_t>(std::upper_bound(times.begin(), times.end(), view_) - times.begin());
}

bool EvolvingWorld::IsLive(Kind kind, std::int64_t id) const {
  return StateNow(kind, id).live;
}

bool EvolvingWorld::WasLive(Kind kind, std::int64_t id, Time at) const {
  return StateAt(kind, id, at).live;
}

bool EvolvingWorld::IsAdult(Kind kind, std::int64_t id) const {
  const auto index = catalogue_.IndexOf(kind, id);
  return index && catalogue_.IsAdult(kind, *index);
}

void EvolvingWorld::ForEachEntry(Kind kind, Time from, Time until,
                                 const std::function<void(const Entry&)>& sink) const {
  const auto& feed = history(kind).feed;
  auto entry =
      std::lower_bound(feed.begin(), feed.end(), from, [](const Entry& e, Time time) { return e.at < time; });
  for (; entry != feed.end() && entry->at < until; ++entry) sink(*entry);
}

void EvolvingWorld::ForEachId(Kind kind, const std::function<void(std::int64_t, bool)>& sink) {
  for (std::int64_t index = 0; index < catalogue_.size(kind); ++index) {
    const std::int64_t id = catalogue_.IdAt(kind, index);
    if (IsLive(kind, id)) sink(id, catalogue_.IsAdult(kind, index));
  }
  for (const std::int64_t id : history(kind).added) {
    if (IsLive(kind, id)) sink(id, false);
  }
}

void EvolvingWorld::ForEachLine(Kind kind, bool adult, const std::function<void(std::string_view)>& sink) {
  const KindHistory& of = history(kind);
  catalogue_.ForEachLine(kind, adult, [&](std::string_view line) {
    const auto id = of.moments.empty() ? std::nullopt : IdOfLine(line);
    if (!id || !of.moments.contains(*id)) return sink(line);
    if (const auto edited = ExportLine(kind, *id); edited && IsLive(kind, *id)) sink(*edited + "\n");
  });
  if (adult) return;
  for (const std::int64_t id : of.added) {
    if (IsLive(kind, id)) sink(*ExportLine(kind, id) + "\n");
  }
}

}  // namespace tmdbc::sim
