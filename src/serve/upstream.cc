// SPDX-License-Identifier: MIT
#include "serve/upstream.h"

#include <utility>

namespace tmdbc::serve {

std::optional<DemandReply> Upstream::Known(const Demand& demand) const {
  const auto found = known_.find(demand);
  if (found == known_.end() || clock_.Mono() >= found->second.until) return std::nullopt;
  return DemandReply{.what = found->second.what};
}

bool Upstream::Ask(const Demand& demand, Done done) {
  const auto found = demanded_.find(demand);
  if (found == demanded_.end() && demanded_.size() >= kMostDemanded) return false;
  auto& asking = found == demanded_.end() ? demanded_[demand] : found->second;
  asking.push_back(std::move(done));
  if (found != demanded_.end()) return true;
  metrics_.Demanded();
  send_(demand);
  return true;
}

void Upstream::Arrived(const Demand& demand, const DemandReply& reply) {
  using What = DemandReply::What;
  if (reply.what == What::kAbsent || reply.what == What::kStored || reply.what == What::kUnstored)
    Remember(demand, reply.what);
  // A client that is told may ask for the next thing.
  const auto node = demanded_.extract(demand);
  if (node.empty()) return;
  metrics_.Arrived(reply.what);
  for (const Done& done : node.mapped()) done(reply);
}

void Upstream::Remember(const Demand& demand, DemandReply::What what) {
  if (const auto found = known_.find(demand); found != known_.end()) {
    order_.erase(found->second.place);
    known_.erase(found);
  } else if (known_.size() >= kMostRemembered) {
    known_.erase(order_.front());
    order_.pop_front();
  }
  order_.push_back(demand);
  const Duration lasts = what == DemandReply::What::kAbsent ? kAbsentFor : kFetchedFor;
  known_[demand] = {.what = what, .until = clock_.Mono() + lasts, .place = std::prev(order_.end())};
}

}  // namespace tmdbc::serve
