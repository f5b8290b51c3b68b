// SPDX-License-Identifier: MIT
// Upstream: TMDB as who serves sees it, when what the mirror lacks is to be fetched. However many ask for one thing, it
// is demanded once; that TMDB has no such thing, and what was fetched lately, is remembered. What fetches is elsewhere
// (collector/on_demand.h). One thread.
#pragma once

#include <cstddef>
#include <functional>
#include <list>
#include <map>
#include <optional>
#include <vector>

#include "base/clock.h"
#include "serve/serve_metrics.h"
#include "tmdb/demand.h"

namespace tmdbc::serve {

class Upstream {
 public:
  // For so long a 404 of TMDB's is believed.
  static constexpr Duration kAbsentFor = std::chrono::hours(1);
  // For so long a record is not fetched again because a part of it was missed, such as a season that it has not.
  static constexpr Duration kFetchedFor = std::chrono::minutes(10);
  static constexpr std::size_t kMostRemembered = 10'000;
  // Things under way at once.
  static constexpr std::size_t kMostDemanded = 256;

  using Send = std::function<void(const Demand&)>;
  using Done = std::function<void(const DemandReply&)>;

  // `clock` and `metrics` outlive it. `send` has the demand fetched; Arrived() follows, later and not from within it.
  Upstream(const Clock& clock, ServeMetrics& metrics, Send send)
      : metrics_(metrics), clock_(clock), send_(std::move(send)) {}

  // kAbsent, kStored or kUnstored, when that is remembered: there is nothing to wait for.
  std::optional<DemandReply> Known(const Demand& demand) const;
  // `done` is called once, from Arrived(). False: too much is under way, it was not demanded.
  bool Ask(const Demand& demand, Done done);
  void Arrived(const Demand& demand, const DemandReply& reply);

  // What becomes of requests is counted there, too.
  ServeMetrics& metrics() { return metrics_; }
  std::size_t demanded() const { return demanded_.size(); }
  std::size_t remembered() const { return known_.size(); }

 private:
  struct Remembered {
    DemandReply::What what{};
    MonoTime until{};
    std::list<Demand>::iterator place;
  };

  void Remember(const Demand& demand, DemandReply::What what);

  ServeMetrics& metrics_;
  const Clock& clock_;
  const Send send_;
  std::map<Demand, std::vector<Done>> demanded_;
  std::map<Demand, Remembered> known_;
  std::list<Demand> order_;  // of known_, the oldest first
};

}  // namespace tmdbc::serve
