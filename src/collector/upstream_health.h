// SPDX-License-Identifier: MIT
// UpstreamHealth: what the answers so far say of TMDB as a whole, and so what may be asked next. A pure
// machine: events and the time go in; when the next request may start, whether alone, and whether to give up
// come out. Whose fault a single failure is, is the collector's to say (docs/decisions/retries.md).
//
// Four kinds of trouble; in each, requests go one at a time until one is answered:
//   storm    429: everyone waits (PacedRequester has the pause), then one asks whether it is over
//   outage   failures that are no id's fault, in a row or nearly (CircuitBreaker): probes, 1 s to 30 s apart
//   doubt    the key is refused although it was accepted before: asked again after 10 s, 1 minute, 15 minutes
//   silence  nothing has ever answered, or nothing that speaks as TMDB does: the end, after seconds
// A proof is a request for an id that does not exist: TMDB's 404 to it shows that TMDB answers.
//
// One thread.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "collector/circuit_breaker.h"
#include "collector/drain_result.h"

namespace tmdbc {

class UpstreamHealth {
 public:
  struct Options {
    std::string server = {};  // "https://api.themoviedb.org/3": what the sentences name
    // Nothing ever answered since the first request, or nothing that speaks as TMDB does: the end.
    Duration give_up_unanswered = std::chrono::seconds(12);
    Duration give_up_outage = std::chrono::minutes(10);  // nothing useful for so long: the end
    bool key_proven = false;                             // TMDB accepted the key earlier in this process
  };
  // A key that was accepted and is refused is tried again after these.
  static constexpr std::array<Duration, 3> kAskKeyAgain = {std::chrono::seconds(10), std::chrono::minutes(1),
                                                           std::chrono::minutes(15)};
  // How long something useful may still come by itself before a proof is asked for.
  static constexpr Duration kProofAfter = std::chrono::seconds(1);

  explicit UpstreamHealth(Options options);

  // A drain begins, with nothing under way: troubles are forgotten; what was learned of server and key stays.
  void Begin();

  // --- what may start ---
  // Requests go one at a time, to learn whether the trouble is over.
  bool one_at_a_time() const { return breaker_.open() || storm_ || doubt_; }
  // Nothing starts before; MonoTime::max() while that one request is under way.
  MonoTime next_start() const;
  // When a proof is to be asked for if there is nothing else to ask; MonoTime::max() while nobody wants one.
  MonoTime proof_at() const { return proof_at_; }
  // When a proof goes before anything else: nothing has spoken yet, one request may hang, and one id may be
  // answered strangely. MonoTime::max() for never.
  MonoTime second_opinion_at() const { return spoken_ ? MonoTime::max() : second_opinion_at_; }
  // The only request so far hangs: when it has the last place, it makes way for a second opinion.
  bool HangsAlone(MonoTime now) const { return !answered_ && started_ == 1 && second_opinion_at_ <= now; }
  // The last word was a failure, or a 429 of one id: what has not failed yet tells more.
  bool wary() const { return breaker_.failing() || throttled_alone_; }
  // It has spoken as TMDB does, and nothing is doubted: no answer is in a hurry to be heard.
  bool well() const { return spoken_ && !one_at_a_time() && !wary(); }

  // --- what happens ---
  struct Sent {
    std::int64_t number = 0;  // of all requests, from 1
    bool proof = false;
    bool probe = false;  // it goes alone
  };
  Sent Started(MonoTime now, bool proof);

  enum class What : std::uint8_t {
    kUseful,       // as only TMDB answers: the body that was asked for, or its own 404
    kThrottled,    // 429
    kOwnThrottle,  // 429 that is about that one id
    kFailed,       // a failure that may be TMDB's
    kOwnFailure,   // a failure that is the id's: others were answered meanwhile
    kUntrusted,    // the server's certificate is not trusted
    kKeyRefused,   // 401 or 403 about the key
    kGivenUp,      // we cancelled it
  };
  struct Word {
    What what = What::kUseful;
    bool answered = false;  // there was an answer at all
    bool foreign = false;   // it was nothing that TMDB's API would say
    std::string text = {};  // of all but useful ones, for a person: "HTTP 503"
    Hint hint = Hint::kNone;
  };
  enum class Turn : std::uint8_t { kNone, kOutageBegan, kOutageEnded, kKeyDoubted, kKeyAccepted };
  // What came of a request; says what it turned. While an outage lasts only probes count.
  Turn Heard(const Sent& sent, const Word& word, MonoTime now);

  // --- what is known ---
  bool outage() const { return breaker_.open(); }
  bool key_proven() const { return key_proven_; }
  bool answered() const { return answered_; }
  // How long a request that was refused for its key has to wait.
  MonoTime ask_key_at() const { return doubt_ ? doubt_->ask_at : MonoTime::min(); }
  std::int64_t last_number() const { return started_; }
  // Something that was asked after the request of that number has been answered usefully.
  bool UsefulSince(std::int64_t number) const { return useful_ > number; }
  // Why nothing more should be asked; empty while there is hope.
  std::optional<DrainResult> GiveUp(MonoTime now) const;

 private:
  struct Doubt {
    std::size_t step = 0;    // of kAskKeyAgain
    std::int64_t until = 0;  // requests up to this number were under way when it was refused
    MonoTime ask_at{};
  };

  void InTrouble(MonoTime since, const Word& word);
  void WantProof(MonoTime now);
  Turn Useful(const Sent& sent);
  Turn Failed(const Sent& sent, const Word& word, MonoTime now);
  Turn KeyRefused(const Sent& sent, const Word& word, MonoTime now);

  const Options options_;

  // Requests, by number.
  std::int64_t started_ = 0;
  std::int64_t useful_ = 0;  // which of them was the last to be answered usefully

  // The server and the key, since it was made.
  bool answered_ = false;       // by anything
  bool spoken_ = false;         // by what may be TMDB
  bool proof_foreign_ = false;  // the last proof was answered as TMDB would not
  bool untrusted_ = false;
  bool key_proven_ = false;
  bool key_denied_ = false;  // for good
  std::optional<MonoTime> first_start_;
  MonoTime second_opinion_at_ = MonoTime::max();

  // The troubles.
  CircuitBreaker breaker_;
  bool storm_ = false;            // the last word was 429
  bool throttled_alone_ = false;  // ids are, one by one, and nothing useful came since
  bool probing_ = false;          // the one request is under way
  std::optional<Doubt> doubt_;
  MonoTime proof_at_ = MonoTime::max();
  std::optional<MonoTime> trouble_since_;  // the first failure or 429 since the last useful answer
  std::string last_trouble_;               // "HTTP 503"
  Hint last_hint_ = Hint::kNone;
};

}  // namespace tmdbc
