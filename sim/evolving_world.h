// SPDX-License-Identifier: MIT
// EvolvingWorld: a SyntheticWorld to which things happen: edits, new numbers, new ids, deletions, returns,
// merges, seasons and episodes that come, go and change places. What happens follows from the seed and the
// time; more may be ordered (Happen). Every state that an id was ever in is kept, so the world can be looked
// at as it was at any time since its epoch: that is how stale caches and the exports of past days are served.
// An id to which nothing happened costs no memory. One thread.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "evolution.h"
#include "show_layout.h"
#include "synthetic_world.h"
#include "world.h"

namespace tmdbc::sim {

// A line of the event log.
struct Happened {
  Time at{};
  Kind kind{};
  std::int64_t id = 0;
  Event event{};
  bool listed = false;     // in TMDB's change feed
  std::int64_t other = 0;  // of a merge: the id that is left
};
// {"time","kind","id","event","listed"}, of a merge "into" too.
std::string ToJson(const Happened& happened);

class EvolvingWorld final : public World {
 public:
  // Nothing happens before `epoch`: until then the world is the one of `catalogue`. What happens in its first
  // hour begins at the hour.
  EvolvingWorld(SyntheticOptions catalogue, const DailyRates& rates, Time epoch);

  // Called for each event, in order of time, when it happens. Empty: for nobody.
  std::function<void(const Happened&)> on_event;

  // From now on every question is answered as of `at`. All that happens by then happens first.
  void EvolveTo(Time at);
  // Makes `event` happen to `id` now, which is the latest time that was ever evolved to. `other`: of a merge,
  // the id that is left. Returns the id: of an added one it is new. kNotFound when the id is not live (for
  // a return: not gone), kInvalid when the event cannot happen to it.
  Result<std::int64_t> Happen(Kind kind, std::int64_t id, Event event, std::int64_t other = 0);
  // A round of votes: kStats to every live id of the kind, now. Returns how many.
  std::int64_t VoteOnAll(Kind kind);
  // Votes are given to images too, and their lists are in the order of the votes, as TMDB's are. On unless set.
  void SetImageVotes(bool on) { image_votes_ = on; }
  // No event happens by itself any more.
  void Calm() { calm_ = true; }

  // How often something had happened to the id, and to all of the kind: while it does not change, bodies and
  // exports do not change either.
  std::uint64_t Revision(Kind kind, std::int64_t id) const;
  std::uint64_t Revision(Kind kind) const;
  bool IsLive(Kind kind, std::int64_t id) const;
  // Whenever it is looked at.
  bool WasLive(Kind kind, std::int64_t id, Time at) const;
  bool IsAdult(Kind kind, std::int64_t id) const;

  // An entry of the change feed: the id changed then, by the `number`-th event of this world.
  struct Entry {
    Time at{};
    std::int64_t id = 0;
    std::uint64_t number = 0;
    Event event{};
  };
  // The entries of [from, until), in order of time, whatever time is looked at.
  void ForEachEntry(Kind kind, Time from, Time until, const std::function<void(const Entry&)>& sink) const;

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

 private:
  // What has happened to an id, so far as its bodies show it.
  struct State {
    bool live = false;
    std::uint32_t overview = 0, title = 0, runtime = 0, cast = 0, stats = 0;  // how often
    std::shared_ptr<const ShowLayout> layout;                                 // null: the catalogue's
  };
  struct Moment {
    Time from{};
    State state;
  };
  struct KindHistory {
    std::unordered_map<std::int64_t, std::vector<Moment>> moments;  // by id, each in order of time
    std::vector<Time> times;                                        // of all events, ascending
    std::vector<Entry> feed;                                        // of those that are listed, ascending
    std::vector<std::int64_t> added;                                // ids, in order of birth
    std::vector<std::int64_t> gone;                                 // ids that may come back
    std::int64_t next_index = 0;                                    // of the reserve
  };

  KindHistory& history(Kind kind) { return histories_[static_cast<std::size_t>(kind)]; }
  const KindHistory& history(Kind kind) const { return histories_[static_cast<std::size_t>(kind)]; }
  State StateAt(Kind kind, std::int64_t id, Time at) const;
  State StateNow(Kind kind, std::int64_t id) const { return StateAt(kind, id, view_); }
  void HappenUntil(Time until);
  void Carry(const Planned& planned);
  void Note(const Happened& happened, State state);
  std::int64_t Add(Kind kind, Time at);
  bool ChangeSeasons(std::int64_t show, State& state, Event event, std::uint64_t draw) const;
  ShowLayout LayoutOfCatalogue(std::int64_t show) const;
  // Some live id: the popular tenth of what is asked for goes to one id in fifty.
  std::optional<std::int64_t> Some(Kind kind, Random& random) const;

  // How the bodies look after all that: evolving_bodies.cc.
  std::string Edited(Kind kind, std::int64_t id, const State& state, std::string body) const;
  std::string WithLayout(std::int64_t show, const ShowLayout& layout, std::string body) const;
  std::string WithCredit(Kind kind, std::int64_t id, const State& state, std::string part) const;
  std::string WithVotes(Kind kind, std::int64_t id, const State& state, std::string images) const;
  std::string EditedLine(Kind kind, std::int64_t id, const State& state, std::string line) const;
  std::string SeasonOf(std::int64_t show, const State& state, const SeasonSlot& season) const;
  std::string EpisodeOf(std::int64_t show, const SeasonSlot& season, const EpisodeSlot& episode,
                        std::string_view origin) const;
  Random For(Kind kind, std::int64_t id, std::string_view what, std::uint32_t revision) const {
    return Random(seed_, HashText(what), static_cast<int>(kind), id, revision);
  }

  const std::uint64_t seed_;
  const DailyRates rates_;
  const Time epoch_;
  // Asking it changes nothing; its questions are not const because World's are not.
  mutable SyntheticWorld catalogue_;

  std::array<KindHistory, kKinds> histories_;
  Time view_;
  Time latest_;                // everything up to here has happened
  Time next_hour_;             // the first whose timetable was not made
  std::vector<Planned> plan_;  // of the hour before it
  std::size_t planned_ = 0;    // of these have happened
  std::uint64_t events_ = 0;
  bool calm_ = false;
  bool image_votes_ = true;
};

}  // namespace tmdbc::sim
