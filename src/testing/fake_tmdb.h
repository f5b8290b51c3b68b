// SPDX-License-Identifier: MIT
// FakeTmdb: a small TMDB behind the transport port, on a fake clock and from a seed. It answers details with
// append_to_response as TMDB does (docs/tmdb-facts.md), refuses with 429 what exceeds its rate in any
// second at its end of the wire, breaks in every way on request, and counts what arrives. Its bodies are a
// function of the seed, the id and how often the id was changed, so a test knows byte for byte what must be
// stored. One thread.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <queue>
#include <random>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "http/http.h"
#include "testing/fake_clock.h"
#include "tmdb/media_id.h"

namespace tmdbc::testing {

class FakeTmdb final : public http::HttpTransport {
 public:
  static constexpr std::string_view kBaseUrl = "http://tmdb.test/3";

  enum class Fault : std::uint8_t {
    kConnect,      // connection refused; a request on an open connection: reset
    kTimeout,      // nothing ever comes
    kReset,        // the connection breaks in the middle of the answer
    kServerError,  // 500, 502, 503 or 504 with an HTML page
    kMaintenance,  // 503 with TMDB's JSON (code 46)
    kTruncated,    // 200, half of the JSON
    kBrokenGzip,   // 200, gzip with a wrong byte in it
    kHtml,         // 200 with an HTML page
    kEmpty,        // 200 without a byte
    kWrongId,      // 200, whole JSON of another id
    kErrorBody,    // 200 with an error body
    kBare404,      // 404 with an HTML page
    kBare401,      // 401 with an HTML page
    kBare403,      // 403 with an HTML page
    kRedirect,     // 302
    kThrottled,    // 429 that the rate does not justify, with any form of Retry-After
    kBadRequest,   // 400 with TMDB's JSON
    kDeniedKey,    // 401 code 7
    kLast = kDeniedKey,
  };
  // What a try that comes later may find mended.
  static constexpr Fault kLastTransient = Fault::kThrottled;

  struct Options {
    std::uint64_t seed = 1;
    double rate = 40;  // requests in any second; more are answered 429
    int connections = 20;
    Duration latency_least = std::chrono::milliseconds(40);
    Duration latency_most = std::chrono::milliseconds(400);
    Duration connect_most = std::chrono::milliseconds(150);
    Duration jitter =
        Duration(9'900);  // on the way of a request; below the 10 ms that the limiter allows for
    Duration late = std::chrono::milliseconds(2);  // Wait() returns up to this much after what it waited for
    double stall = 0.01;  // of the Wait()s are 20 ms late: a slow fsync, a busy machine
    double faults = 0;    // of the requests
    double gzip = 0.2;    // of the bodies come compressed, every other time without saying so
  };

  struct Counters {
    std::int64_t arrived = 0;
    std::int64_t answered_200 = 0;
    std::int64_t answered_404 = 0;  // with TMDB's body
    std::int64_t throttled = 0;     // because of the rate
    std::int64_t faults = 0;
    int most_in_a_second = 0;  // of arrivals in any second
    int most_under_way = 0;
    int most_connections = 0;
    std::int64_t started_without_room = 0;  // must stay 0
  };

  FakeTmdb(FakeClock& clock, Options options);

  // --- the world ---
  // `id` exists from now on; of a show also these seasons. Its content is that of its revision, 0 at first.
  void Add(MediaId id, std::vector<std::int64_t> seasons = {});
  // From now on 404 with TMDB's body, as for every id that was never added.
  void Remove(MediaId id);
  // New content; with `stats_only` only the volatile members change.
  void Change(MediaId id, bool stats_only);
  void SetSeasons(std::int64_t tv_id, std::vector<std::int64_t> seasons);
  // Every request for `id` meets `fault`, for ever.
  void Break(MediaId id, Fault fault);
  // Every request for `id` that appends `name` meets `fault`: one namespace is rotten, and with it the answer.
  void Spoil(MediaId id, std::string name, Fault fault) { spoilt_[id] = {std::move(name), fault}; }
  // Between the two times every request meets `fault`.
  void Outage(MonoTime from, MonoTime until, Fault fault);
  void SetFaults(double share) { options_.faults = share; }

  bool live(MediaId id) const { return world_.contains(id); }
  // The body of the record that a fetch with these appends makes now, byte for byte.
  std::string Body(MediaId id, const std::vector<std::string>& namespaces) const;
  std::string SeasonBody(std::int64_t tv_id, std::int64_t number) const;
  const std::vector<std::int64_t>& seasons(std::int64_t tv_id) const;
  static std::int64_t SeasonId(std::int64_t tv_id, std::int64_t number) {
    return tv_id * 10'000 + number + 1;
  }

  // --- what happened ---
  const Counters& counters() const { return counters_; }
  // Requests that arrived for an id.
  std::int64_t arrived(MediaId id) const;
  // Requests for an id that the client must repeat: faults, 429s.
  std::int64_t refused(MediaId id) const;
  // The client's process died: what it had under way is gone, its connections too. What it had sent still
  // arrives.
  void Crash();

  // --- the port ---
  http::RequestId Start(http::Request request, std::function<void()> on_send) override;
  std::vector<http::Outcome> Wait(MonoTime deadline) override;
  int Room() const override;
  int InFlight() const override { return static_cast<int>(transfers_.size()); }
  void Cancel(http::RequestId id) override;

 private:
  enum class Stage : std::uint8_t { kConnected, kArrived, kEnded, kLingered };
  struct Event {
    MonoTime at;
    std::uint64_t order;  // of events at one time
    Stage stage;
    http::RequestId id;
    bool operator>(const Event& other) const { return at != other.at ? at > other.at : order > other.order; }
  };
  struct Transfer {
    http::Request request;
    std::function<void()> on_send;
    bool sent = false;
    std::optional<http::Response> response;
    std::optional<http::TransportFailure> failure;
    MonoTime started{};
  };
  struct Thing {
    std::int64_t content = 0, stats = 0;
    std::vector<std::int64_t> seasons;
  };
  struct OutageWindow {
    MonoTime from, until;
    Fault fault;
  };
  struct Asked {
    MediaId id{};
    std::vector<std::string> appends;
    bool known = false;
  };

  void At(MonoTime at, Stage stage, http::RequestId id);
  void Happen(const Event& event);
  void Send(http::RequestId id);
  void Arrive(http::RequestId id);
  void End(http::RequestId id, bool broke);
  void Answer(Transfer& transfer, const Asked& asked);
  void AnswerFault(Transfer& transfer, const Asked& asked, Fault fault);
  std::optional<Fault> FaultFor(const Asked& asked);
  bool Exceeds(MonoTime arrival);
  std::string ShowBody(const Asked& asked) const;
  std::string BaseMembers(MediaId id, const Thing& thing) const;
  http::Response Ok(std::string body);
  static Asked Parse(std::string_view url);
  Duration UpTo(Duration most);
  bool Chance(double share);
  void CountConnections();

  FakeClock& clock_;
  Options options_;
  std::mt19937_64 random_;
  std::map<MediaId, Thing> world_;
  std::map<MediaId, Fault> broken_;
  std::map<MediaId, std::pair<std::string, Fault>> spoilt_;
  std::vector<OutageWindow> outages_;

  std::priority_queue<Event, std::vector<Event>, std::greater<>> events_;
  std::uint64_t last_order_ = 0;
  std::unordered_map<http::RequestId, Transfer> transfers_;
  std::unordered_map<http::RequestId, std::string> orphans_;  // sent by a client that died, not arrived: urls
  std::vector<http::Outcome> outcomes_;
  http::RequestId last_id_ = 0;
  int idle_ = 0;                   // open connections without a request
  int lingering_ = 0;              // broken ones that still keep their place
  std::deque<MonoTime> arrivals_;  // of the last second
  Counters counters_;
  std::map<MediaId, std::int64_t> arrived_, refused_;
};

}  // namespace tmdbc::testing
