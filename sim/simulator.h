// SPDX-License-Identifier: MIT
// Simulator: TMDB's manners around a World: the key, the limits, append_to_response, errors, headers, faults;
// and the judge's book of what arrived. Knows nothing of the program it judges. One thread, the server's.
//
// Sources: TMDB.md sections 1 (transport), 2 (limits), 5.1 (appending), 6 (errors), 7 (headers).
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
#include "exports.h"
#include "faults.h"
#include "http/server.h"
#include "random.h"
#include "rate_window.h"
#include "target.h"
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
  std::size_t cache_bytes = 256 << 20;
};

class Simulator {
 public:
  Simulator(World& world, SimulatorOptions options, const Clock& clock);

  http::Answer Handle(const http::ServerRequest& request);

  // The server around it, for the counters of its connections.
  void Attach(http::Server* server) { server_ = server; }
  void PrepareExports() { exports_.Prepare(); }
  // Makes the answers of a first fetch (every live id with DefaultAppends(), a show with seasons 0..7 too) as
  // far as the cache holds them, so that a benchmark does not wait for their making.
  void PrepareAnswers();

  const Api& api() const { return api_; }

 private:
  http::Answer HandleApi(const http::ServerRequest& request, const Target& target);
  http::Answer HandleOwn(const Target& target);
  bool KeyAccepted(const http::ServerRequest& request, const Target& target) const;
  std::shared_ptr<const Prepared> PreparedFor(const Target& target);
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
  const SimulatorOptions options_;
  const Clock& clock_;
  http::Server* server_ = nullptr;
  Api api_;
  Answers answers_;
  Exports exports_;
  RateWindow rate_;
  FaultPlan faults_;
  Random jitter_;
  Book book_;
};

}  // namespace tmdbc::sim
