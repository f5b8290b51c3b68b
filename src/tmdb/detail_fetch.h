// SPDX-License-Identifier: MIT
// DetailFetch: the requests that one id takes, and what their answers mean. Knows TMDB's URLs, append rules and manners; does
// no I/O. The plan is a pure function; DetailFetch carries it through: the collector starts what TakeCalls() gives, hands each
// answer to Accept(), and when done() takes the documents. One thread.
//
// Sources: TMDB.md section 5.1 (20 slots, absent seasons dropped silently, appended seasons without id), DESIGN section 4.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "http/http.h"
#include "tmdb/document.h"
#include "tmdb/media_id.h"

namespace tmdbc {

// How we address TMDB: built once by the app from the settings.
struct ApiAccess {
  std::string base_url;      // "https://api.themoviedb.org/3", without a trailing slash
  std::string secret_query;  // "api_key=<32 hex>" for a v3 key, else empty
  std::string bearer;        // the v4 token, else empty
  std::string user_agent;
};

// What is appended to each type's details: DefaultNamespaces() unless a setting changes it.
using Namespaces = std::map<MediaType, std::vector<std::string>>;
const Namespaces& DefaultNamespaces();

inline constexpr int kMaxAppends = 20;  // per request, namespaces and seasons together (HTTP 400 code 27 above)

// One request of a plan.
struct Call {
  std::string path;                  // "tv/1399"
  std::vector<std::string> appends;  // "credits", ..., "season/0", ...
};

// The calls for an id of which `known_seasons` is known from an earlier fetch (empty: nothing is known; only for tv).
// A show of which nothing is known guesses seasons 0..7 in the first call.
std::vector<Call> PlanCalls(MediaId id, std::span<const std::int64_t> known_seasons, const Namespaces& namespaces);
// Calls that only append `seasons`, 20 at a time.
std::vector<Call> PlanSeasonCalls(std::int64_t tv_id, std::span<const std::int64_t> seasons);

http::Request MakeRequest(const ApiAccess& access, const Call& call);

// The lists of the configuration type: their path is their name, their id the place in this list, from 1.
// "genre/movie/list", "certification/tv/list", "configuration/languages", "watch/providers/movie"...
std::span<const std::string_view> ConfigurationPaths();

class DetailFetch {
 public:
  DetailFetch(MediaId id, std::span<const std::int64_t> known_seasons, const Namespaces& namespaces);

  MediaId id() const { return id_; }

  // Calls not handed out yet: first the plan's, later what the first answer showed to be missing. Each has an index of its own,
  // by which its answer comes back; a call that has to be tried again is simply started again by the caller.
  struct NumberedCall {
    int index;
    Call call;
  };
  std::vector<NumberedCall> TakeCalls();

  // The decoded 200 body of a call. kCorrupt when it cannot be believed: not whole JSON, not an object, another id than asked
  // for; the call is then still open and may be tried again.
  Result<void> Accept(int index, std::string body, std::optional<std::string> etag, Time fetched_at);

  // True when every call was answered and nothing more is missing.
  bool done() const;
  // The show first, then its seasons in ascending order; for other types the one document. Once, after done().
  std::vector<Document> TakeDocuments();
  // Of a show, once its first call was answered: the seasons that its body lists. Their absence afterwards means deletion.
  // (nothing for other types)
  const std::vector<std::int64_t>& listed_seasons() const { return listed_seasons_; }

 private:
  // See detail_fetch.cc.
  MediaId id_;
  std::vector<std::int64_t> listed_seasons_;
};

}  // namespace tmdbc
