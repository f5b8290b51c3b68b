// SPDX-License-Identifier: MIT
// What only a function on AWS can see of itself: whether its role, the loader, the certificates, the addresses and the
// way through the queue are as they should be. `npm run verify` asks for it with the event {"detail-type":"Probe"}.
//
//   {"checks":[{"name":"bucket","ok":true,"detail":"conditions hold"}, ...]}
//
// Nothing of the mirror changes: what is written is below probe/, and the bundle of an empty batch.
#pragma once

#include <functional>
#include <random>
#include <string>

#include "base/clock.h"
#include "cloud/batch_channel.h"
#include "http/http.h"
#include "storage/object_store.h"
#include "tmdb/detail_plan.h"
#include "tmdb/upstream_date.h"

namespace tmdbc {

struct ProbePorts {
  const Clock& clock;
  ObjectStore& objects;
  std::function<Result<void>()> conditions;  // whether the bucket honours them
  BatchChannel& channel;
  http::HttpTransport& transport;  // to TMDB; nothing else is under way in it
  const UpstreamDate& upstream;    // fed by its answers
  std::mt19937_64& random;
  ApiAccess api;
  std::string export_base_url;
};

// So long a collector may take to answer an empty batch: it has to be started first.
inline constexpr Duration kProbeWait = std::chrono::seconds(90);

// Every check is made, whatever the others find. Ends before `deadline`.
std::string ProbeFromInside(const ProbePorts& ports, Time deadline);

}  // namespace tmdbc
