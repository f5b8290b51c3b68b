// SPDX-License-Identifier: MIT
// ApiHandler: HTTP around the read API: methods, keys, validators, compression, other origins, JSONP, and answers kept
// ready while nothing that they rest on has changed. One thread.
//
//   GET, HEAD  the answer; 304 when If-None-Match names it; gzip when that is asked for; callback=NAME wraps it
//   OPTIONS    204: any origin may ask, with Authorization if it likes
//   else       405, code 42
//   /4         401, code 3: users' data
//
// With an Upstream, what the mirror lacks is asked of TMDB while the client waits, kPatience at most. What comes is as
// good as what is stored. What does not come leaves an answer that is no whole one as it is, and where there is none a
// 503 or 504 with Retry-After: an application takes a 404 for the truth and forgets the title.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
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
#include "serve/upstream.h"

namespace tmdbc::serve {

// The name=value pairs of a query; more are refused with 422, code 5.
inline constexpr std::size_t kMaxQueryPairs = 100;

// What became of a request, for the log and the metrics.
struct ApiNote {
  std::string_view answer = {};  // Mirror-Answer; empty: none
  bool kept = false;             // the answer was there already
  bool waits = false;            // for TMDB: the answer is given later (ApiHandler::Later)
  std::vector<Error> problems = {};  // why the store, or records of it, could not be read
};

class ApiHandler {
 public:
  // All references outlive it.
  ApiHandler(read_api::ReadApi& api, read_api::Records& records, StoreMark& mark, const Clock& clock,
             std::size_t cache_bytes, ApiKeys keys = ApiKeys())
      : api_(api), records_(records), mark_(mark), clock_(clock), keys_(std::move(keys)), cache_(cache_bytes) {}

  // The longest that a client waits for TMDB.
  static constexpr std::chrono::seconds kPatience{10};
  // Requests that wait for TMDB at once; a further one is answered as when TMDB cannot be asked.
  static constexpr std::size_t kMostWaiting = 256;
  // One request has so many records fetched; what it lacks then is asked for as a whole.
  static constexpr std::size_t kMostFetches = 3;

  // Gives the answer of a request that waited (http::Server::Complete).
  using Later = std::function<void(std::uint64_t ticket, http::Answer answer, ApiNote note)>;
  // From now on what is lacking is fetched. `upstream` outlives the handler.
  void FetchFrom(Upstream& upstream, Later later);

  http::Answer Handle(const http::ServerRequest& request, ApiNote& note);
  // Now and then: requests that have waited for kPatience have their answer. `all`: the others, too.
  void EndWaiting(bool all = false);
  // Whether the store is there and a record can be looked up in it; if not, why.
  Result<void> Check();

  const AnswerCache& cache() const { return cache_; }

 private:
  // A request for which TMDB is being asked.
  struct Waiting {
    http::ServerRequest request;
    std::string key;
    read_api::ApiRequest asked;
    read_api::Answer answer;         // of the mirror alone
    std::set<MediaId> fetched = {};  // for it
    bool answered = false;           // TMDB itself was asked for the answer
    MonoTime until{};
  };

  http::Answer Get(const http::ServerRequest& request, ApiNote& note);
  // `kept`: it is the one that the cache gave last.
  http::Answer Form(const http::ServerRequest& request, const read_api::ApiRequest& asked, FinishedAnswer& answer,
                    bool kept, ApiNote& note);
  // What is to be asked next for it. Nothing: its answer is as good as it gets, by what is known of TMDB.
  std::optional<Demand> NextDemand(Waiting& waiting) const;
  // Makes it wait; false when too many do.
  bool Ask(Waiting waiting, const Demand& demand);
  void Replied(std::uint64_t ticket, const DemandReply& reply);
  // A record came, or TMDB's word that there is more to it.
  void AnswerAgain(Waiting waiting);
  // The answer when TMDB says 404: what is stored, or shaped as an application wants it, stays.
  static read_api::Answer WhereTmdbHasNone(read_api::Answer mirrors);
  // The answer when TMDB cannot be asked, or not in time.
  static read_api::Answer WithoutTmdb(read_api::Answer mirrors, bool slow);
  FinishedAnswer FinishTmdbs(const DemandReply& reply, Time now) const;
  void Complete(const Waiting& waiting, FinishedAnswer answer, ApiNote note, bool keep);
  // `kept`: it is the one that the cache gave last.
  void GiveLater(const Waiting& waiting, FinishedAnswer& answer, bool kept, ApiNote note);
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

  Upstream* upstream_ = nullptr;  // null: nothing is fetched
  Later later_;
  std::map<std::uint64_t, Waiting> waiting_;  // by ticket
};

}  // namespace tmdbc::serve
