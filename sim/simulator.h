// SPDX-License-Identifier: MIT
// Simulator: TMDB's manners around a World: the key, the limits, append_to_response, errors, headers, faults; and the judge's book
// of what arrived. Knows nothing of the program it judges. One thread, the server's.
//
// Sources: TMDB.md sections 1 (transport), 2 (limits), 5.1 (appending), 6 (errors), 7 (headers).
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "exports.h"
#include "faults.h"
#include "http/server.h"
#include "random.h"
#include "rate_window.h"
#include "world.h"

namespace tmdbc::sim {

struct Latency {
  enum class Shape : std::uint8_t { kUniform, kLognormal };
  std::chrono::microseconds min{0}, max{0};
  // kLognormal: the median lies at the geometric mean of min and max, one answer in a hundred takes longer than max.
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

// The namespaces that /sim/truth and --truth append when they are not told: what TMDB offers a mirror (DESIGN section 4).
std::string_view DefaultAppends(Kind kind);

class Simulator {
 public:
  Simulator(World& world, SimulatorOptions options, const Clock& clock);

  http::Answer Handle(const http::ServerRequest& request);

  // The server around it, for the counters of its connections.
  void Attach(http::Server* server) { server_ = server; }
  void PrepareExports() { exports_.Prepare(); }

  // The bytes that a mirror should hold: a film, show (without season members), person... with `appends` (comma-separated) in that order;
  // a keyword's is its export line. Nothing for what does not exist.
  std::optional<std::string> Truth(Kind kind, std::int64_t id, std::string_view appends) const;
  // The same of a season: as it is appended to its show.
  std::optional<std::string> SeasonTruth(std::int64_t show, int number) const;
  // Calls `sink` with one JSON line for every live id.
  void ForEachTruth(const std::function<void(const std::string& line)>& sink) const;

 private:
  // What a target is answered with when nothing interferes.
  struct Reply {
    int status = 200;
    std::string_view path_class = "other";
    std::string_view content_type = "application/json";
    std::vector<http::Header> headers;
    std::string body;
    int appended = 0;
  };
  // A reply that is ready to be sent again and again.
  struct Prepared {
    int status;
    std::string_view path_class;
    std::vector<http::Header> headers;
    std::shared_ptr<const std::string> plain, gzip;  // an export has no second form
    int appended;
  };
  struct Target {
    std::string path;  // decoded, without query
    std::map<std::string, std::string> query;
  };
  struct Counters {
    std::uint64_t requests = 0;
    std::map<std::string, std::map<int, std::uint64_t>, std::less<>> by_class;  // class -> status -> requests
    std::map<int, std::uint64_t> by_status;
    std::uint64_t appended = 0;
    std::uint64_t refused_rate = 0, refused_connections = 0, refused_fault = 0;
    std::array<std::uint64_t, kFaults> faults{};
    std::uint64_t body_bytes = 0;
    std::optional<Time> first, last;
    MonoTime first_mono{}, last_mono{};
  };

  static Target ParseTarget(std::string_view target);
  static Reply TmdbError(int status, int code, std::string_view path_class);

  http::Answer HandleApi(const http::ServerRequest& request, const Target& target);
  http::Answer HandleOwn(const http::ServerRequest& request, const Target& target);
  bool KeyAccepted(const http::ServerRequest& request, const Target& target) const;
  void CountArrival(const http::ServerRequest& request);
  void CountAnswer(const http::ServerRequest& request, const http::Answer& answer, std::string_view path_class, int appended);

  Reply Route(const Target& target) const;
  Reply RouteSubject(Kind kind, const std::vector<std::string_view>& parts, const Target& target) const;
  Reply RouteSeason(std::int64_t show, const std::vector<std::string_view>& parts, const Target& target) const;
  // `appends` is the parameter's text, `append` gives a part by its name.
  Reply Compose(std::string body, std::string_view path_class, std::string_view appends,
                const std::function<std::optional<std::string>(std::string_view name)>& append) const;

  std::shared_ptr<const Prepared> PreparedFor(const Target& target);
  std::shared_ptr<const Prepared> Prepare(Reply reply, std::string_view target) const;
  http::Answer AnswerWith(const Prepared& prepared, bool gzip) const;
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

  std::string CountersJson() const;

  World& world_;
  const SimulatorOptions options_;
  const Clock& clock_;
  http::Server* server_ = nullptr;
  Exports exports_;
  RateWindow rate_;
  FaultPlan faults_;
  Random jitter_;
  Counters counters_;
  // Two generations: when the young one is full it becomes the old one, and what the old one held is forgotten.
  std::unordered_map<std::string, std::shared_ptr<const Prepared>> young_, old_;
  std::size_t young_bytes_ = 0;
};

}  // namespace tmdbc::sim
