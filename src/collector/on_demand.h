// SPDX-License-Identifier: MIT
// OnDemand: fetches at once what somebody waits for, beside a collector and within its rate. A record is fetched by the
// plan that a collector follows and handed to the same kind of Intake; any other answer is handed back as it came. It
// deletes nothing: what TMDB does not list is left to the collector, and a 404 is an answer and no news for the store.
//
// Demands go before what the collector asks, and while that has requests under way take every second slot at most, so
// that however much is demanded the mirror stays fresh.
//
// It gives up sooner than a collector: a failure is tried once more, a 429 is waited for, and in an outage (as the
// CircuitBreaker sees it) or while the key is refused nothing is asked but now and then. A namespace that cannot be
// had ends the demand: there is no queue here in which it would wait, as it does for a collector.
//
// One thread: that of the intake.
#pragma once

#include <deque>
#include <functional>
#include <list>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/log.h"
#include "base/result.h"
#include "collector/circuit_breaker.h"
#include "collector/disposition.h"
#include "http/paced_requester.h"
#include "storage/intake.h"
#include "tmdb/demand.h"
#include "tmdb/detail_fetch.h"

namespace tmdbc {

struct OnDemandOptions {
  std::set<MediaType> stored;  // records of other types are not kept
  bool include_adult = false;  // nor are adult titles without it
  Namespaces namespaces;
  SeasonExtras season_extras = {};
};

class OnDemand {
 public:
  // From the demand on; then it is kSlow. What is under way is still stored when it comes.
  static constexpr Duration kGiveUp = std::chrono::seconds(20);
  static constexpr Duration kTryAgainAfter = std::chrono::milliseconds(500);
  static constexpr int kMaxTries = 2;
  // So often a request of one record that fails as a whole is parted: enough to find the one namespace of a film that
  // is rotten. A collector has more patience.
  static constexpr int kMostSplits = 6;
  // While the key is refused: how often it is tried.
  static constexpr Duration kAskKeyAgain = std::chrono::minutes(1);
  // The largest answer that is handed back.
  static constexpr std::uint64_t kLargestAnswer = 8 << 20;
  // Records that wait until the store may be written.
  static constexpr std::size_t kMostKept = 200;

  using Done = std::function<void(const Demand&, DemandReply)>;

  // All references outlive it. `done` is called once for each demand, from Take() or Step().
  OnDemand(const Clock& clock, http::PacedRequester& requester, Intake& intake, Log& log, ApiAccess access,
           OnDemandOptions options, Done done);
  OnDemand(const OnDemand&) = delete;
  OnDemand& operator=(const OnDemand&) = delete;

  // Called for a record that was stored without a part that TMDB could not give now: somebody with more patience is to
  // ask for it again.
  std::function<void(MediaId)> on_lacking;

  void Take(Demand demand);
  // Starts what may go, settles what has come, commits. `others`: somebody else has requests under way. `may_store`:
  // false while the store must not be written; what comes then is kept for later.
  void Step(bool others, bool may_store);
  // When Step() has something to do without an outcome; MonoTime::max() for never.
  MonoTime NextStep(bool others) const;
  bool idle() const { return works_.empty() && kept_.empty(); }

 private:
  struct Work {
    Demand demand;
    std::optional<DetailFetch> fetch;  // of a record
    MonoTime give_up{};
    int open = 0;  // requests in flight or waiting
    int splits = 0;
    bool lacking = false;  // it goes on without a part
    bool told = false;
    bool failed = false;  // nothing more is asked for it
  };
  using Works = std::list<Work>;
  struct Ask {
    Works::iterator work;
    DetailFetch::NumberedCall call;
    int tries = 0;
    bool part = false;   // of a request that failed as a whole
    bool broke = false;  // no answer came last time
    MonoTime due{};
  };
  struct Flight {
    Ask ask;
    bool probe = false;
  };
  // What came of a record.
  struct Kept {
    Demand demand;
    bool told = false;
    bool lacking = false;
    std::vector<Document> documents;
  };

  // Nothing may be asked now: TMDB is out of order, or refuses the key.
  bool Shut() const;
  MonoTime EarliestStart(bool others) const;
  void Start(Ask ask);
  void Settle(http::Outcome outcome);
  Observed Observe(const Ask& ask, http::Outcome& outcome, DemandReply& reply);
  void SettleFailed(Ask ask, const Observed& observed, bool probe);
  bool DoWithout(Work& work, const Ask& ask);
  void KeyRefused(const Observed& observed);
  void Answered();
  void AddCalls(Works::iterator work, bool parts = false);
  void Fetched(Work& work);
  bool IsKept(const Document& document) const;
  void Answer(Work& work, DemandReply reply);
  // One of its requests has ended; the work goes with its last one.
  void Close(Works::iterator work);
  void Fail(Works::iterator work, DemandReply::What what);
  // It has taken too long: what is under way is still stored when that is all of it.
  void GiveUp(Works::iterator work);
  void ForgetWaiting();
  void Store();

  // Constant after construction.
  const Clock& clock_;
  http::PacedRequester& requester_;
  Intake& intake_;
  Log& log_;
  const ApiAccess access_;
  const OnDemandOptions options_;
  const Done done_;

  Works works_;
  std::deque<Ask> waiting_;
  std::map<http::RequestId, Flight> flights_;
  MonoTime turn_at_{};  // where others ask too, nothing starts before
  SeasonExtras season_extras_;

  // Handed to the intake when that may be; then told, once committed.
  std::deque<Kept> kept_;
  bool commit_failed_ = false;  // and is to be tried again
  MonoTime commit_at_{};

  CircuitBreaker breaker_;
  std::optional<MonoTime> key_at_;  // the key was refused: it is not tried before
};

}  // namespace tmdbc
