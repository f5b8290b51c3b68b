// SPDX-License-Identifier: MIT
// What the collector makes of the answers. The loop, the commits and the ends: collector.cc; what goes out:
// collector_requests.cc.
#include <algorithm>
#include <utility>

#include "base/backoff.h"
#include "collector/collector.h"
#include "http/body.h"

namespace tmdbc {

namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using What = UpstreamHealth::What;
using Turn = UpstreamHealth::Turn;

// After so many 429s with useful answers to others in between they are the id's own: others no longer wait
// for it, and after so many more it becomes a dead letter. (In a storm that half of the requests meet, one in
// a million.)
constexpr int kOwnThrottles = 5;
constexpr int kMostOwnThrottles = 20;
constexpr Backoff kRetryBackoff{};
constexpr Backoff kOwnThrottleBackoff{.cap = seconds(4), .floor = http::PacedRequester::kShortestPause};

bool IsOk(const http::Outcome& outcome) {
  return outcome.response && outcome.response->status == 200;
}

}  // namespace

// One answer at a time, at TMDB's pace, finds the caches cold at each station (inflate, parse, hash, compress, index):
// several in a row cost less (bench/README.md, `paced`).
void Collector::Take(std::vector<http::Outcome> outcomes) {
  for (http::Outcome& outcome : outcomes) {
    heard_bytes_ += outcome.bytes_received;
    heard_.push_back(std::move(outcome));
  }
  if (SettleDue()) SettleHeard();
}

bool Collector::SettleDue() const {
  if (heard_.empty()) return false;
  // Nothing waits that could tell of trouble, or bring what is to be asked next.
  if (winding_down_ || !health_.well() || (ready_.empty() && fresh_.empty())) return true;
  if (!std::ranges::all_of(heard_, IsOk)) return true;
  return heard_.size() >= kSettleTogether || heard_bytes_ >= kMostHeardBytes ||
         clock_.Mono() - heard_.front().finished >= kSettleTogetherWithin;
}

void Collector::SettleHeard() {
  if (heard_.empty()) return;
  const MonoTime since = heard_.front().finished;
  heard_bytes_ = 0;
  for (http::Outcome& outcome : std::exchange(heard_, {})) Settle(std::move(outcome));
  if (batch_.since) batch_.since = std::min(*batch_.since, since);
}

void Collector::Settle(http::Outcome outcome) {
  auto node = flights_.extract(outcome.id);
  if (node.empty()) return;
  Flight flight = std::move(node.mapped());
  stats_.bytes_received += static_cast<std::int64_t>(outcome.bytes_received);
  if (outcome.failure == http::TransportFailure::kAborted && winding_down_) {
    Hear(flight, {.what = What::kGivenUp});
    return;  // its message is released with the others
  }
  if (flight.cut) {
    outcome.failure = http::TransportFailure::kTimeout;
    outcome.failure_text = "no answer";
  }
  Request& request = flight.request;
  const Observed observed = Observe(request, outcome);
  Circumstances circumstances{.tries = request.tries + 1,
                              .max_tries = options_.max_tries,
                              .outage = health_.outage(),
                              .suspect = IsSuspect(request),
                              .key_proven = health_.key_proven(),
                              .can_split = request.work != nullptr && !request.call.call.appends.empty(),
                              .part = request.part};
  Disposition disposition = Dispose(observed, circumstances);
  if (disposition == Disposition::kSplit && !request.work->settled && AskInParts(request)) {
    // The answer to the whole is the id's own business.
    ++stats_.errors[observed.error_class];
    Hear(flight,
         {.what = What::kOwnFailure, .answered = outcome.response.has_value(), .text = Describe(observed)});
    CallClosed(*request.work);
    return;
  }
  if (disposition == Disposition::kSplit) {
    circumstances.can_split = false;
    disposition = Dispose(observed, circumstances);
  }
  if (!observed.error_class.empty() && disposition != Disposition::kGone)
    ++stats_.errors[observed.error_class];
  UpstreamHealth::Word word{.answered = outcome.response.has_value(), .foreign = observed.foreign};
  if (disposition != Disposition::kDone && disposition != Disposition::kGone) {
    word.text = Describe(observed);
    word.hint = observed.hint;
  }
  switch (disposition) {
    case Disposition::kDone:
    case Disposition::kGone:
      Hear(flight, word);
      requester_.Useful();
      SettleUseful(flight, disposition);
      break;
    case Disposition::kThrottle:
      SettleThrottled(std::move(flight), word, *outcome.response);
      break;
    case Disposition::kDeny:
      SettleRefused(std::move(flight), word);
      break;
    case Disposition::kRetry:
    case Disposition::kSplit:
    case Disposition::kBury:
      SettleFailed(std::move(flight), disposition, observed, std::move(word));
      break;
  }
}

// What was asked after the id failed last has been answered usefully: so it is the id. (What was asked before
// may have been answered before an outage began.)
bool Collector::IsSuspect(const Request& request) const {
  return request.failures > 0 && health_.UsefulSince(request.failed_at);
}

Observed Collector::Observe(Request& request, http::Outcome& outcome) {
  if (outcome.failure)
    return ObserveFailure(*outcome.failure, std::move(outcome.failure_text), outcome.failure_hint);
  const http::Response& response = *outcome.response;
  auto body = http::DecodeBody(response);
  if (response.status != 200) return ObserveStatus(response.status, body ? *body : std::string());
  if (!body) return ObserveBadBody(response.body, body.error());
  if (request.work == nullptr) {
    return ObserveBadBody(*body, {ErrorCode::kCorrupt, "an answer for what does not exist"});
  }
  Work& work = *request.work;
  if (work.settled) return {};
  std::optional<std::string> etag;
  if (const std::string_view header = response.header("etag"); !header.empty()) etag = header;
  const Time heard = clock_.Now() - (clock_.Mono() - outcome.finished);
  // Accept() takes the body with it; enough of it stays to say what it was instead.
  const std::string start = body->substr(0, 64);
  const auto accepted =
      work.fetch.Accept(request.call.index, *std::move(body), std::move(etag), heard);
  return accepted ? Observed{} : ObserveBadBody(start, accepted.error());
}

Turn Collector::Hear(const Flight& flight, const UpstreamHealth::Word& word) {
  const Turn turn = health_.Heard(flight.sent, word, clock_.Mono());
  switch (turn) {
    case Turn::kNone:
      break;
    case Turn::kOutageBegan:
      log_.Warn("TMDB seems to be out of order: asking now and then until it answers",
                {{"error", word.text}});
      ForgiveStreak();
      break;
    case Turn::kOutageEnded:
      log_.Info("TMDB answers again");
      break;
    case Turn::kKeyDoubted:
      log_.Warn("TMDB refuses the API key that it accepted before: asking again",
                {{"error", word.text}, {"seconds", (health_.ask_key_at() - clock_.Mono()) / seconds(1)}});
      break;
    case Turn::kKeyAccepted:
      log_.Info("TMDB accepts the API key again");
      break;
  }
  return turn;
}

void Collector::SettleUseful(const Flight& flight, Disposition disposition) {
  if (flight.request.work == nullptr) return;
  Work& work = *flight.request.work;
  if (!work.settled && disposition == Disposition::kGone) {
    StoreGone(work);
  } else if (!work.settled) {
    Answered(work);
  }
  CallClosed(work);
}

void Collector::Answered(Work& work) {
  for (Request& request : work.later) ready_.push_back(std::move(request));
  work.later.clear();
  AddCalls(work);
  if (work.fetch.done()) StoreFetched(work);
}

void Collector::SettleThrottled(Flight flight, const UpstreamHealth::Word& heard,
                                const http::Response& response) {
  ++stats_.throttled;
  Request& request = flight.request;
  if (++request.throttles > 1 && health_.UsefulSince(request.throttled_at)) ++request.own_throttles;
  request.throttled_at = health_.last_number();
  const bool own = request.own_throttles >= kOwnThrottles;
  UpstreamHealth::Word word = heard;
  word.what = own ? What::kOwnThrottle : What::kThrottled;
  Hear(flight, word);
  if (!own) {
    if (const auto pause = requester_.Throttled(response))
      log_.Warn("TMDB says 429: pausing", {{"milliseconds", *pause / milliseconds(1)}});
  }
  if (request.work == nullptr) return;
  Work& work = *request.work;
  if (work.settled) {
    CallClosed(work);
  } else if (request.own_throttles >= kMostOwnThrottles) {
    Bury(work, BuryReason(ToString(work.message.id), ObserveStatus(429, response.body), request.throttles));
    CallClosed(work);
  } else {
    // To the back: the next one learns whether the storm is over.
    request.excused = true;
    const Duration wait = own ? kOwnThrottleBackoff.Delay(request.own_throttles, random_)
                              : std::max(requester_.paused_until() - clock_.Mono(), Duration(0));
    WaitForRetry(std::move(request), wait);
  }
}

void Collector::SettleRefused(Flight flight, const UpstreamHealth::Word& heard) {
  UpstreamHealth::Word word = heard;
  word.what = What::kKeyRefused;
  Hear(flight, word);
  Request& request = flight.request;
  if (request.work == nullptr) return;
  if (request.work->settled) {
    CallClosed(*request.work);
    return;
  }
  request.excused = true;
  const MonoTime now = clock_.Mono();  // nothing is to be asked when it ended: then the time lies in the past
  WaitForRetry(std::move(request), std::max(health_.ask_key_at(), now) - now);
}

void Collector::SettleFailed(Flight flight, Disposition disposition, const Observed& observed,
                             UpstreamHealth::Word word) {
  Request& request = flight.request;
  const bool suspect = IsSuspect(request);
  const bool own = !observed.blameless && (suspect || observed.too_large);
  word.what = observed.untrusted ? What::kUntrusted : own ? What::kOwnFailure : What::kFailed;
  Hear(flight, word);
  if (request.work == nullptr) return;
  Work& work = *request.work;
  if (work.settled) {
    CallClosed(work);
    return;
  }
  const bool first = request.failures++ == 0;
  const bool counts = own || (first && !observed.offline && !observed.blameless);
  request.failed_at = health_.last_number();
  request.excused = false;
  request.broke = observed.kind == Observed::Kind::kFailure;
  if (!health_.outage() && counts) {
    ++request.tries;
    if (disposition == Disposition::kBury) {
      GiveUpOn(request, observed);
      return;
    }
  }
  const Duration wait = kRetryBackoff.Delay(request.failures, random_);
  if (log_.enabled(LogLevel::kDebug)) {
    log_.Debug("will be tried again", {{"id", ToString(work.message.id)},
                                       {"error", Describe(observed)},
                                       {"tries", request.tries},
                                       {"milliseconds", wait / milliseconds(1)}});
  }
  WaitForRetry(std::move(request), wait);
}

void Collector::GiveUpOn(Request& request, const Observed& observed) {
  Work& work = *request.work;
  const std::string id = ToString(work.message.id);
  if (work.fetch.Forgo(request.call.index) || work.fetch.ForgoNamespace(request.call.index)) {
    const std::string& part = request.call.call.appends.front();
    work.lacking = BuryReason(fmt::format("{} {}", id, part), observed, request.tries);
    log_.Warn("a part cannot be had: the rest is stored, what is stored of that part stays",
              {{"id", id}, {"part", part}, {"reason", work.lacking}});
    Answered(work);
  } else {
    Bury(work, BuryReason(id, observed, request.tries));
  }
  CallClosed(work);
}

bool Collector::AskInParts(const Request& request) {
  Work& work = *request.work;
  if (!work.fetch.Split(request.call.index)) return false;
  if (!request.part)
    log_.Info("it fails as a whole: asking in parts",
              {{"id", ToString(work.message.id)}, {"appended", request.call.call.appends.size()}});
  // Only the first part goes at once: where it fails too, an id that fails whatever is asked of it is found
  // out with few requests.
  bool first = true;
  for (DetailFetch::NumberedCall& call : work.fetch.TakeCalls()) {
    Request part{.work = &work, .call = std::move(call), .tries = request.tries + 1, .part = true};
    ++work.open_calls;
    if (std::exchange(first, false)) {
      ready_.push_front(std::move(part));
    } else {
      work.later.push_back(std::move(part));
    }
  }
  return true;
}

// The failures that led to the discovery of the outage were the outage's too.
void Collector::ForgiveStreak() {
  // Of each request at most one: the next one counts only after a useful answer.
  const auto forgive = [this](Request& request) {
    if (request.failures > 0 && !IsSuspect(request) && request.tries > 0) --request.tries;
  };
  for (Request& request : waiting_) forgive(request);
  for (Request& request : ready_) forgive(request);
  for (auto& [id, flight] : flights_) forgive(flight.request);
}

// --- what becomes of a message ---

void Collector::WaitForRetry(Request request, Duration wait) {
  request.due = clock_.Mono() + wait;
  waiting_.push_back(std::move(request));
  std::ranges::push_heap(waiting_, std::greater<>{}, &Request::due);
}

void Collector::CallClosed(Work& work) {
  if (--work.open_calls > 0 || !work.settled) return;
  if (work.again) fresh_.push_front(work.message);
  works_.erase(MediaId(work.message.id));
}

void Collector::Settled(Work& work) {
  work.settled = true;
  if (work.open_calls <= 1) return;
  const auto of_work = [&work](const Request& request) { return request.work == &work; };
  work.open_calls -= static_cast<int>(work.later.size());
  work.later.clear();
  work.open_calls -= static_cast<int>(std::erase_if(ready_, of_work));
  if (const auto waited = std::erase_if(waiting_, of_work)) {
    work.open_calls -= static_cast<int>(waited);
    std::ranges::make_heap(waiting_, std::greater<>{}, &Request::due);
  }
}

void Collector::StoreFetched(Work& work) {
  season_extras_.nested = work.fetch.nested_names().value_or(season_extras_.nested);
  const MediaId id = work.message.id;
  const auto taken = intake_.Fetched(id, work.fetch.TakeDocuments(), work.fetch.season_list(), clock_.Now());
  if (taken && work.lacking.empty()) {
    Acknowledge(work);
  } else if (taken) {
    Bury(work,
         std::move(work.lacking));  // what came is stored; the rest is asked for again as dead letters are
  } else if (taken.error().code == ErrorCode::kInvalid) {
    Bury(work, fmt::format("store {}: {}", ToString(id), taken.error().message));
  } else {
    NotStored(work, taken.error());
  }
}

void Collector::StoreGone(Work& work) {
  const MediaId id = work.message.id;
  const auto taken = intake_.Gone(id, clock_.Now());
  if (taken) {
    Acknowledge(work);
  } else if (taken.error().code == ErrorCode::kUnavailable) {
    End({.end = DrainEnd::kUnreachable,
         .reason = fmt::format("{} says 404 to every id and has answered nothing else", access_.base_url),
         .hint = Hint::kCheckApiUrl});
  } else if (taken.error().code == ErrorCode::kInvalid) {
    Bury(work, fmt::format("store {}: {}", ToString(id), taken.error().message));
  } else {
    NotStored(work, taken.error());
  }
}

void Collector::NotStored(Work& work, const Error& error) {
  Written(std::unexpected(error));
  work.again = !ending_;
  if (work.again) Settled(work);
}

void Collector::Acknowledge(Work& work) {
  if (work.settled) return;
  Settled(work);
  batch_.receipts.push_back(work.message.receipt);
  if (!batch_.since) batch_.since = clock_.Mono();
}

void Collector::Bury(Work& work, std::string reason) {
  log_.Warn("dead letter", {{"id", ToString(work.message.id)}, {"reason", reason}});
  Settled(work);
  batch_.buried.emplace_back(work.message.receipt, std::move(reason));
  if (!batch_.since) batch_.since = clock_.Mono();
}

}  // namespace tmdbc
