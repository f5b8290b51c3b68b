// SPDX-License-Identifier: MIT
// QueueOrder: the place in the queue of what a harvest queues, by the freshness policy (freshness.h), from
// what the store knows of each record: its popularity, how often it changed since when, when it was verified.
// One thread.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <vector>

#include "base/stop.h"
#include "harvester/freshness.h"
#include "harvester/harvest_ports.h"
#include "storage/record.h"

namespace tmdbc {

// What a person asks for comes before all that the policy orders.
inline constexpr float kAskedPriority = 1e11F;

class QueueOrder {
 public:
  explicit QueueOrder(const HarvestPorts& ports) : ports_(ports) {}

  // Learns how often records of the type change, from all of them or, of many, an even sample. Before that
  // they are taken to be as usual.
  Result<void> Learn(MediaType type, const StopFlag& stop);
  // Remembers how often each single record changed, eight bytes each, until the next Remember() or Forget().
  Result<void> Remember(MediaType type, const StopFlag& stop);
  void Forget() { std::vector<Past>().swap(pasts_); }

  // An id that is not known yet, with the popularity that its export gives.
  float OfNew(MediaType type, float popularity) const;
  // An id that should be fetched; `suspect` as in RecordFacts.
  Result<float> Of(MediaId id, const IdState& state, bool suspect) const;

  // What the policy wants to know of the live records, ascending by id: of each `every`-th. One pass over records,
  // popularities and counts of changes, side by side. A stop request leaves out the rest at once: what was visited is
  // then for nothing.
  Result<void> VisitFacts(MediaType type, std::int64_t every, const StopFlag& stop,
                          const std::function<void(std::int64_t id, const RecordFacts& facts)>& visit) const;
  TypeRates RatesOf(MediaType type) const;
  // Live records, when it was learned.
  std::int64_t RecordsOf(MediaType type) const;

 private:
  struct Past {
    std::uint32_t id;
    std::uint16_t first_day;  // since 1970
    std::uint16_t changes;
  };

  const HarvestPorts& ports_;
  struct Learned {
    TypeRates rates;
    std::int64_t records = 0;
  };
  std::map<MediaType, Learned> learned_;
  MediaType past_type_{};
  std::vector<Past> pasts_;  // by id
};

}  // namespace tmdbc
