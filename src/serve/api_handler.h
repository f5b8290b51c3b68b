// SPDX-License-Identifier: MIT
// ApiHandler: HTTP around the read API: methods, keys, validators, compression, other origins, JSONP, and answers kept
// ready while nothing that they rest on has changed. One thread.
//
//   GET, HEAD  the answer; 304 when If-None-Match names it; gzip when that is asked for; callback=NAME wraps it
//   OPTIONS    204: any origin may ask, with Authorization if it likes
//   else       405, code 42
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "http/server.h"
#include "read_api/read_api.h"
#include "read_api/records.h"
#include "serve/answer_cache.h"
#include "serve/api_keys.h"
#include "serve/store_mark.h"

namespace tmdbc::serve {

// The name=value pairs of a query; more are refused with 422, code 5.
inline constexpr std::size_t kMaxQueryPairs = 100;

// What became of a request, for the log and the metrics.
struct ApiNote {
  std::string_view answer = {};  // Mirror-Answer; empty: none
  bool kept = false;             // the answer was there already
  std::vector<Error> problems = {};  // why the store, or records of it, could not be read
};

class ApiHandler {
 public:
  // All references outlive it.
  ApiHandler(read_api::ReadApi& api, read_api::Records& records, StoreMark& mark, const Clock& clock,
             std::size_t cache_bytes, ApiKeys keys = ApiKeys())
      : api_(api), records_(records), mark_(mark), clock_(clock), keys_(std::move(keys)), cache_(cache_bytes) {}

  http::Answer Handle(const http::ServerRequest& request, ApiNote& note);
  // Whether the store is there and a record can be looked up in it; if not, why.
  Result<void> Check();

  const AnswerCache& cache() const { return cache_; }

 private:
  http::Answer Get(const http::ServerRequest& request, ApiNote& note);
  http::Answer Send(const http::ServerRequest& request, FinishedAnswer& answer, ApiNote& note);
  // `answer` is the one that the cache gave last.
  http::Answer SendKept(const http::ServerRequest& request, FinishedAnswer& answer, ApiNote& note);
  http::Answer SendWrapped(const http::ServerRequest& request, const FinishedAnswer& answer, std::string_view callback);
  // A kept answer is still what would be made now.
  bool Holds(FinishedAnswer& answer, std::uint64_t mark, Time now);
  FinishedAnswer Finish(read_api::Answer answer, std::uint64_t mark, Time now) const;
  bool IsLetIn(const http::ServerRequest& request) const;

  read_api::ReadApi& api_;
  read_api::Records& records_;
  StoreMark& mark_;
  const Clock& clock_;
  const ApiKeys keys_;
  AnswerCache cache_;
};

}  // namespace tmdbc::serve
