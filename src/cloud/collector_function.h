// SPDX-License-Identifier: MIT
// CollectorFunction: what a collector without a store does with one message of ids: it looks whether the bundle is
// there, fetches what the message asks for at the message's rate, and puts the bundle, once. A message may come twice,
// at once or later, and a collector may die anywhere: the bundle is put under a condition, and nothing else is left
// behind.
//
// One of these per process; it remembers from message to message what it sent last and what TMDB showed of itself. One
// thread.
#pragma once

#include <cstdint>
#include <optional>
#include <random>

#include "base/clock.h"
#include "base/log.h"
#include "base/rate_limiter.h"
#include "base/result.h"
#include "base/stop.h"
#include "cloud/bundle.h"
#include "cloud/id_batch.h"
#include "collector/collector.h"
#include "http/http.h"
#include "storage/object_store.h"
#include "tmdb/detail_plan.h"
#include "tmdb/upstream_date.h"

namespace tmdbc {

struct CollectorFunctionOptions {
  ApiAccess access;
  Namespaces namespaces;
  SeasonExtras season_extras = {};
  int concurrency = 20;  // as many as TMDB takes of one address: the rate bounds before it does
};

class CollectorFunction {
 public:
  // TMDB has given nothing useful for so long: the rest is left, for waiting is paid for.
  static constexpr Duration kGiveUp = std::chrono::seconds(60);

  struct Ports {
    const Clock& clock;  // dates what TMDB answers (tmdb/upstream_clock.h)
    ObjectStore& objects;
    http::HttpTransport& transport;  // to TMDB, by nobody else; its answers feed `upstream`
    const UpstreamDate& upstream;
    Log& log;
    std::mt19937_64& random;
  };
  // What the ports refer to outlives the function.
  CollectorFunction(Ports ports, CollectorFunctionOptions options);

  struct Done {
    // The bundle was there before: nothing was asked of TMDB.
    bool repeated = false;
    BundleSummary summary;
    std::int64_t fetched = 0, gone = 0, failed = 0, left = 0;  // ids
    std::uint64_t bytes = 0;                                   // of the bundle
  };
  // At `stop_at`, or when `stop` is set, what is not finished is left; some seconds later the bundle is put. An error
  // is the bucket's: no bundle is there, as far as we know, and the message should come again. If there is one after
  // all, that costs one HEAD.
  Result<Done> Run(const IdBatch& batch, MonoTime stop_at, const StopFlag& stop);

 private:
  Result<bool> IsDone(const std::string& key);
  Result<void> PutOnce(const std::string& key, std::string_view bundle);
  void Pace(double rate);

  const Ports ports_;
  const CollectorFunctionOptions options_;
  std::optional<RateLimiter> limiter_;  // since the first message
  bool nested_names_;                   // SeasonExtras::nested, as TMDB's answers showed
  bool key_proven_ = false;             // by the message before this one
};

}  // namespace tmdbc
