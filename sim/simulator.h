// SPDX-License-Identifier: MIT
// Simulator: TMDB's manners around a World: the key, the limits, append_to_response, errors, headers, faults;
// and the judge's book of what arrived. Knows nothing of the program it judges. One thread, the server's.
//
// Sources: docs/tmdb-facts.md.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "answers.h"
#include "api.h"
#include "base/clock.h"
#include "book.h"
#include "changes.h"
#include "evolving_world.h"
#include "exports.h"
#include "faults.h"
#include "http/server.h"
#include "oddities.h"
#include "random.h"
#include "rate_window.h"
#include "target.h"
#include "virtual_clock.h"
#include "world.h"

namespace tmdbc::sim {

struct Latency {
  enum class Shape : std::uint8_t { kUniform, kLognormal };
  std::chrono::microseconds min{0}, max{0};
  // kLognormal: the median lies at the geometric mean of min and max, one answer in a hundred takes longer
  // than max.
  Shape shape = Shape::kUniform;

  Duration Draw(Random& random) const;
};

struct SimulatorOptions {
  std::uint64_t seed = 1;
  int rate = 40;  // requests in any second from one address; 0: no limit
  Latency latency = {};
  FaultOptions faults = {};
  ExportOptions exports = {};
  std::string api_key = {};  // empty: any 32 hex digits, any bearer token
  FeedOptions feed = {};
  // TMDB serves a body so long before it makes a new one, for each query string by itself. Zero: never an old
  // one. Error answers are not kept.
  Duration cache{};
  Duration feed_cache{};  // the same of the change feeds
  std::size_t cache_bytes = 256 << 20;
  // A kept connection that brought so many requests, or rested for so long, is found closed by the next one, without a
  // word before. 0: never.
  std::uint64_t drop_after_requests = 0;
  Duration drop_after_idle{};
  // 401 code 7 to this many requests of the API (negative: to all) after the first so many.
  std::int64_t deny_after = 0, deny_count = 0;
  Oddities oddities = {};
};

class Simulator {
 public:
  // All references outlive the simulator. A world that evolves is looked at as of `clock`'s time.
  Simulator(World& world, SimulatorOptions options, const Clock& clock);
  Simulator(EvolvingWorld& world, SimulatorOptions options, const Clock& clock);

  http::Answer Handle(const http::ServerRequest& request);

  // The server around it, for the counters of its connections.
  void Attach(http::Server* server) { server_ = server; }
  // The clock it was made with, where that can be set forward (/sim/advance).
  void Attach(VirtualClock* clock) { virtual_clock_ = clock; }
  // From now on; a test's way to end the troubles.
  void SetFaults(const FaultOptions& faults);
  void SetFeed(const FeedOptions& feed) { options_.feed = feed; }
  Oddities& oddities() { return options_.oddities; }
  void SetCaches(Duration bodies, Duration feed);
  void SetExportFaults(std::map<std::chrono::sys_days, ExportFault> faults) {
    exports_.SetFaults(std::move(faults));
  }

  void PrepareExports() { exports_.Prepare(); }
  // Makes the answers of a first fetch (every live id with DefaultAppends(), a show with seasons 0..7 too) as
  // far as the cache holds them, so that a benchmark does not wait for their making.
  void PrepareAnswers();

  // Of an evolving world: as of the time it was last looked at.
  const Api& api() const { return api_; }

 private:
  Simulator(World& world, EvolvingWorld* evolving, SimulatorOptions options, const Clock& clock);
  http::Answer HandleApi(const http::ServerRequest& request, const Target& target);
  // What is asked of the simulator itself: control.cc.
  http::Answer HandleOwn(const Target& target);
  std::string Edit(const Target& target, int& status);
  std::string Vote(const Target& target, int& status);
  std::string SetOddity(const Target& target, int& status);
  std::optional<std::string> Truth(const Target& target) const;
  bool KeyAccepted(const http::ServerRequest& request, const Target& target) const;
  bool IsDropped(const http::ServerRequest& request) const;
  // Counts the requests that are denied by plan.
  bool Denied();
  std::shared_ptr<const Prepared> PreparedFor(const Target& target);
  // The same when the world evolves: as of now, or of the time at which the cache made it.
  std::shared_ptr<const Prepared> PreparedOfTheDay(const Target& target);
  // When the body that is served at `now` was made, if one lives that long.
  Time MadeAt(const Target& target, Duration lifetime, Time now) const;
  // The answer, spoiled; counts the fault when it makes a difference.
  http::Answer Spoil(Fault fault, const Target& target, const Prepared& prepared, bool gzip);

  // The film, show, person... that the target is the details of.
  struct Subject {
    Kind kind;
    std::int64_t id;
  };
  static std::optional<Subject> SubjectOf(const Target& target);
  // The body of the next id, and an earlier state of the body itself.
  std::optional<std::string> NeighbourOf(const Target& target) const;
  std::optional<std::string> OlderOf(const Target& target, const Prepared& prepared) const;

  World& world_;
  EvolvingWorld* const evolving_;  // world_, if it evolves
  SimulatorOptions options_;
  const Clock& clock_;
  VirtualClock* virtual_clock_ = nullptr;
  http::Server* server_ = nullptr;
  Api api_;
  Answers answers_;
  Exports exports_;
  Changes changes_;
  RateWindow rate_;
  FaultPlan faults_;
  Random jitter_;
  Book book_;
};

}  // namespace tmdbc::sim
