// SPDX-License-Identifier: MIT
// What an answer means for the id that was asked for: the whole of it, as pure functions. The collector does
// what Dispose() says. TMDB's errors: docs/tmdb-facts.md.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "http/http.h"

namespace tmdbc {

// What came of one request.
struct Observed {
  enum class Kind : std::uint8_t {
    kBelieved,  // 200, and the body is what was asked for
    kBadBody,   // 200, but not a body that can be believed
    kStatus,    // any other status
    kFailure,   // no answer
  };
  Kind kind = Kind::kBelieved;
  int status = 0;          // of kStatus
  int tmdb_code = 0;       // of kStatus: status_code of TMDB's error body; 0 when it is none (HTML, empty...)
  bool blameless = false;  // no connection: it says nothing about the id
  // The server's certificate is not trusted: whatever is asked, and however often.
  bool untrusted = false;
  // TMDB said that it is offline: about the id only when others are answered meanwhile.
  bool offline = false;
  // Nothing that TMDB's API would answer: there may be something else at that address.
  bool foreign = false;
  // So a server fails to which the request is too much, or that cannot make one part of it: asked in parts, most of it
  // may be answered. A body that cannot be believed is of this kind too: one namespace of it may be rotten.
  bool heavy = false;
  // More bytes than we take: asked the same way again, they will come again.
  bool too_large = false;
  // Of kBadBody and kFailure, for people: "truncated JSON", "connect to 10.0.0.1:443: refused".
  std::string detail;
  // What it is counted as: "http 503", "timeout", "html"; empty for kBelieved.
  std::string error_class;
  Hint hint = Hint::kNone;
};

// What to do with the request, and so with the id.
enum class Disposition : std::uint8_t {
  kDone,      // the body was taken
  kGone,      // TMDB says that there is no such thing
  kThrottle,  // 429: everybody waits, then it goes again; never a try
  kRetry,     // it goes again after a backoff
  kSplit,     // it is asked in parts
  kBury,      // the id becomes a dead letter
  kDeny,      // the key is refused
};

struct Circumstances {
  int tries = 1;  // of this request, this one included; 429s, blameless ones, offline ones until it is
                  // suspect and tries during an outage are not counted
  int max_tries = 5;
  // The breaker is open: an outage says nothing about the id, so it neither becomes a dead letter nor does
  // the try count.
  bool outage = false;
  // There is reason to think that it is the id's fault: TMDB answered something useful since the id failed
  // first. Without it more tries are due, lest an outage make dead letters of what little is in the queue.
  bool suspect = true;
  // The key was accepted in this process. Until then a 401 that would be odd for one id alone is about the
  // key.
  bool key_proven = false;
  bool can_split = false;  // something is appended that can be asked for apart
  bool part = false;       // it is a part of a request that failed as a whole
};

Disposition Dispose(const Observed& observed, const Circumstances& circumstances);

// "HTTP 503", "HTTP 422 code 5", "truncated JSON", "timed out"
std::string Describe(const Observed& observed);
// "get tv:1399: HTTP 503 after 5 tries"; without the last part for a first try.
std::string BuryReason(std::string_view id, const Observed& observed, int tries);

// The status_code of TMDB's error body {"status_code":34,"status_message":"..."}; 0 when `body` (decoded) is
// none.
int TmdbErrorCode(std::string_view body);

Observed ObserveFailure(http::TransportFailure failure, std::string text, Hint hint = Hint::kNone);
// Any status but 200, with its decoded body.
Observed ObserveStatus(int status, std::string_view body);
// A 200 whose body was refused: `why` by DecodeBody() or DetailFetch::Accept(). `body` is as far as it could
// be decoded.
Observed ObserveBadBody(std::string_view body, const Error& why);

}  // namespace tmdbc
