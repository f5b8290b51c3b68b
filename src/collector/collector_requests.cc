// SPDX-License-Identifier: MIT
// What the collector sends and what it makes of the answers. The loop, the commits and the ends:
// collector.cc.
#include <algorithm>
#include <utility>

#include "collector/collector.h"
#include "http/body.h"
#include "http/retry_after.h"

namespace tmdbc {

namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr seconds kVisibility = minutes(15);
// Messages are received for about a quarter of a second of work: what a kill makes wait for its second
// receive.
constexpr double kLookAheadSeconds = 0.25;
constexpr int kMostReceived = 100;
constexpr Duration kReceiveAgain = seconds(1);
// How long something useful may still come by itself before TMDB is asked for a proof of life.
constexpr Duration kProofAfter = seconds(1);
// Movies far beyond any that exist: TMDB says 404 to them. A new one each time, for what was asked before may
// be answered by a cache although TMDB is down.
constexpr std::int64_t kNoSuchMovie = 1'000'000'000;
// After so many 429s with useful answers to others in between they are the id's own: others no longer wait
// for it, and after so many more it is buried. (In a storm that half of the requests meet, one in a million.)
constexpr int kOwnThrottles = 5;
constexpr int kMostOwnThrottles = 20;
// After a 429 nothing goes for less, whatever Retry-After says (0 is common), nor for more.
constexpr Duration kShortestPause = milliseconds(500);
constexpr Duration kLongestPause = minutes(5);
constexpr Backoff kRetryBackoff{};
// TMDB's export lists a dead id now and then. More than this many in a row, and never a live one, are answers
// of something else, such as an API whose path lacks its /3.
constexpr int kGoneOfNothing = 50;
constexpr Backoff kThrottleBackoff{.floor = kShortestPause};
constexpr Backoff kOwnThrottleBackoff{.cap = seconds(4), .floor = kShortestPause};

// The order of a heap whose top is the earliest.
constexpr auto kLater = [](const auto& a, const auto& b) { return a.due > b.due; };

}  // namespace

// --- what goes out
// -----------------------------------------------------------------------------------------------------------

bool Collector::WantsMessages() const {
  const MonoTime now = clock_.Mono();
  if (!fresh_.empty() || now < receive_at_ || works_.size() >= most_works_) return false;
  if (no_room_) return BatchEmpty() && now >= try_write_at_;
  // In trouble one request at a time goes: there is no use in more messages than that takes. What has not
  // failed yet tells the most.
  return !Probing() || ready_.empty();
}

void Collector::Receive() {
  const int most =
      Probing() ? 1 : std::clamp(static_cast<int>(limiter_.pace() * kLookAheadSeconds), 1, kMostReceived);
  auto messages = queue_.Receive(most, kVisibility);
  if (!messages) {
    Written(std::unexpected(messages.error()));
    return;
  }
  if (BatchEmpty()) RoomAgain();
  if (messages->empty()) receive_at_ = clock_.Mono() + kReceiveAgain;
  for (Message& message : *messages) {
    const auto held = works_.find(message.id);
    if (held == works_.end()) {
      fresh_.push_back(message);
      continue;
    }
    // The machine slept longer than the visibility timeout: it is the one we hold, under a new receipt. When
    // that one is settled and only its last requests are awaited, it goes once more.
    held->second->message = message;
    held->second->again = held->second->settled;
  }
}

void Collector::StartWhatMayGo() {
  while (!ending_ && NextStart() <= clock_.Mono()) {
    if (auto request = NextRequest()) Start(*std::move(request));
    if (WantsMessages()) Receive();
  }
}

MonoTime Collector::NextStart() {
  if (no_room_ || probing_ || flights_.size() >= static_cast<std::size_t>(options_.concurrency) ||
      transport_.Room() <= 0) {
    return MonoTime::max();
  }
  // Limits first, then what there is to ask for.
  MonoTime at = MonoTime::max();
  if (!ready_.empty() || !fresh_.empty() || (Probing() && !works_.empty()) || second_opinion_) {
    at = MonoTime::min();
  } else {
    if (proof_at_) at = *proof_at_;
    if (!waiting_.empty()) at = std::min(at, RetryAt());
  }
  if (at == MonoTime::max()) return at;
  at = std::max(at, limiter_.NextSlot());
  return breaker_.open() ? std::max(at, breaker_.next_probe()) : at;
}

std::optional<Collector::Request> Collector::NextRequest() {
  const MonoTime now = clock_.Mono();
  const bool nothing_new = ready_.empty() && fresh_.empty();
  if (second_opinion_ || (nothing_new && (Probing() || (proof_at_ && *proof_at_ <= now)))) {
    return ProofRequest();
  }
  // What waited longest first, unless there is suspicion of an outage: then ids that have not failed tell
  // more.
  if (!Probing() && !waiting_.empty() && RetryAt() <= now && (!breaker_.failing() || fresh_.empty())) {
    std::ranges::pop_heap(waiting_, kLater);
    Request request = std::move(waiting_.back());
    waiting_.pop_back();
    if (!request.throttled_last) {
      budget_.Retry();
      ++stats_.retries;
    }
    return request;
  }
  if (!ready_.empty()) {
    Request request = std::move(ready_.front());
    ready_.pop_front();
    return request;
  }
  if (fresh_.empty()) return {};
  Message message = fresh_.front();
  fresh_.pop_front();
  return Begin(message);
}

MonoTime Collector::RetryAt() {
  const Request& next = waiting_.front();
  return next.throttled_last ? next.due : std::max(next.due, budget_.NextRetry());
}

void Collector::WantProof() {
  if (!proof_at_) proof_at_ = clock_.Mono() + kProofAfter;
}

Collector::Request Collector::ProofRequest() {
  proof_at_.reset();
  second_opinion_ = false;
  const std::int64_t id =
      kNoSuchMovie + std::uniform_int_distribution<std::int64_t>(0, kNoSuchMovie - 1)(random_);
  return {.work = nullptr,
          .call = {.index = 0, .call = {.path = fmt::format("movie/{}", id), .appends = {}}}};
}

std::optional<Collector::Request> Collector::Begin(Message message) {
  std::vector<std::int64_t> seasons;
  if (TraitsOf(message.id.type).has_seasons) {
    auto known = store_.SeasonNumbers(message.id.id);
    if (!known) {
      fresh_.push_front(message);  // to be released
      Written(std::unexpected(known.error()));
      return {};
    }
    seasons = *std::move(known);
  }
  const auto place =
      works_
          .insert_or_assign(message.id,
                            std::make_unique<Work>(Work{
                                .message = message, .fetch = DetailFetch(message.id, seasons, namespaces_)}))
          .first;
  Work& work = *place->second;
  AddCalls(work);
  if (work.open_calls == 0) {
    Bury(work, fmt::format("get {}: there is no request that would fetch it", ToString(message.id)));
    works_.erase(place);
    return {};
  }
  Request request = std::move(ready_.back());
  ready_.pop_back();
  return request;
}

void Collector::AddCalls(Work& work) {
  std::vector<DetailFetch::NumberedCall> calls = work.fetch.TakeCalls();
  // Backwards, so that Begin() takes the first from the end.
  for (auto call = calls.rbegin(); call != calls.rend(); ++call) {
    ready_.push_back(Request{.work = &work, .call = std::move(*call)});
    ++work.open_calls;
  }
}

void Collector::Start(Request request) {
  const MonoTime now = clock_.Mono();
  if (!first_start_) first_start_ = now;
  ++starts_;
  const bool probe = Probing();
  if (probe) {
    probing_ = true;
    if (breaker_.open()) breaker_.ProbeStarted();
  }
  const RateLimiter::Ticket ticket = limiter_.Take();
  const http::RequestId id = transport_.Start(MakeRequest(access_, request.call.call), [this, ticket] {
    limiter_.Sent(ticket);
    ++stats_.requests;
  });
  flights_.emplace(id,
                   Flight{.request = std::move(request), .ticket = ticket, .start = starts_, .probe = probe});
}

// --- what comes back
// ---------------------------------------------------------------------------------------------------------

void Collector::Settle(http::Outcome outcome) {
  const auto place = flights_.find(outcome.id);
  if (place == flights_.end()) return;
  Flight flight = std::move(place->second);
  flights_.erase(place);
  limiter_.Unused(flight.ticket);
  if (flight.probe) probing_ = false;
  stats_.bytes_received += static_cast<std::int64_t>(outcome.bytes_received);
  if (outcome.failure == http::TransportFailure::kAborted && winding_down_) {
    if (flight.probe && breaker_.open()) breaker_.ProbeAbandoned();
    return;  // its message is released with the others
  }
  if (flight.cut) {
    outcome.failure = http::TransportFailure::kTimeout;
    outcome.failure_text = "no answer";
  }
  const Observed observed = Observe(flight.request, outcome);
  const Verdict verdict = Dispose(observed, {.tries = flight.request.tries + 1,
                                             .max_tries = options_.max_tries,
                                             .outage = breaker_.open(),
                                             .suspect = IsSuspect(flight.request),
                                             .key_proven = key_proven_});
  if (outcome.response) {
    answered_ = true;
    if (!observed.foreign) spoken_ = true;
    if (flight.request.work == nullptr) proof_foreign_ = observed.foreign;
    if (verdict != Verdict::kThrottle) limiter_.Answered();
  }
  if (!observed.error_class.empty() && verdict != Verdict::kGone) ++stats_.errors[observed.error_class];
  if (flight.probe && verdict != Verdict::kThrottle) storm_ = false;

  switch (verdict) {
    case Verdict::kDone:
    case Verdict::kGone:
      SettleUseful(std::move(flight), verdict);
      break;
    case Verdict::kThrottle:
      Trouble(observed);
      SettleThrottled(std::move(flight), *outcome.response);
      break;
    case Verdict::kDeny:
      if (flight.probe && breaker_.open()) breaker_.ProbeAbandoned();
      End(DrainEnd::kDenied,
          fmt::format("TMDB refuses the API key ({}): check TMDB_API_KEY", Describe(observed)));
      break;
    case Verdict::kRetry:
    case Verdict::kBury:
      Trouble(observed);
      SettleFailed(std::move(flight), verdict, observed);
      break;
  }
}

// What was asked after the id failed last has been answered usefully: so it is the id. (What was asked before
// may have been answered before an outage began.)
bool Collector::IsSuspect(const Request& request) const {
  return request.failures > 0 && useful_start_ > request.failed_at_start;
}

Observed Collector::Observe(Request& request, http::Outcome& outcome) {
  if (outcome.failure) return ObserveFailure(*outcome.failure, std::move(outcome.failure_text));
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
  // Accept() takes the body with it; enough of it stays to say what it was instead.
  const std::string start = body->substr(0, 64);
  const auto accepted =
      work.fetch.Accept(request.call.index, *std::move(body), std::move(etag), clock_.Now());
  return accepted ? Observed{} : ObserveBadBody(start, accepted.error());
}

void Collector::Trouble(const Observed& observed) {
  if (!trouble_since_) trouble_since_ = clock_.Mono();
  last_trouble_ = Describe(observed);
}

void Collector::SettleUseful(Flight flight, Verdict verdict) {
  key_proven_ = true;
  proof_at_.reset();
  trouble_since_.reset();
  storms_ = 0;
  useful_start_ = std::max(useful_start_, flight.start);
  if (breaker_.open() && flight.probe) log_.Info("TMDB answers again");
  breaker_.Succeeded(flight.probe);
  if (flight.request.work == nullptr) return;
  Work& work = *flight.request.work;
  if (!work.settled) {
    if (verdict == Verdict::kGone) {
      StoreGone(work);
    } else {
      AddCalls(work);
      if (work.fetch.done()) StoreFetched(work);
    }
  }
  CallClosed(work);
}

void Collector::SettleThrottled(Flight flight, const http::Response& response) {
  ++stats_.throttled;
  if (flight.probe && breaker_.open()) breaker_.ProbeAbandoned();
  Request& request = flight.request;
  if (++request.throttles > 1 && useful_start_ > request.throttled_at_start) ++request.own_throttles;
  request.throttled_at_start = starts_;
  const bool own = request.own_throttles >= kOwnThrottles;
  if (!own) PauseAll(response);
  if (request.work == nullptr) return;
  Work& work = *request.work;
  if (work.settled) {
    CallClosed(work);
  } else if (request.own_throttles >= kMostOwnThrottles) {
    Bury(work, BuryReason(ToString(work.message.id), ObserveStatus(429, response.body), request.throttles));
    CallClosed(work);
  } else {
    // To the back: whoever is next learns whether the storm is over.
    request.throttled_last = true;
    if (own) WantProof();
    const Duration wait = own ? kOwnThrottleBackoff.Delay(request.own_throttles, random_)
                              : std::max(storm_pause_until_ - clock_.Mono(), Duration(0));
    WaitForRetry(std::move(request), wait);
  }
}

// A 429 that is not about one id: everyone waits, then one asks whether it is over.
void Collector::PauseAll(const http::Response& response) {
  const MonoTime now = clock_.Mono();
  storm_ = true;
  // The answers to what was in flight together are one storm.
  if (now >= storm_pause_until_) ++storms_;
  const auto asked = http::ParseRetryAfter(response.header("retry-after"), clock_.Now());
  Duration pause = kThrottleBackoff.Delay(storms_, random_);
  if (asked && *asked > Duration(0)) {
    // Never less than asked, and not everyone at the same moment.
    pause = std::min(*asked, kLongestPause) +
            Duration(std::uniform_int_distribution<std::int64_t>(0, kShortestPause.count())(random_));
    pause = std::max(pause, kShortestPause);
  }
  if (now >= storm_pause_until_)
    log_.Warn("TMDB says 429: pausing", {{"milliseconds", pause / milliseconds(1)}});
  storm_pause_until_ = std::max(storm_pause_until_, now + pause);
  limiter_.Throttled(pause);
}

void Collector::WaitForRetry(Request request, Duration wait) {
  request.due = clock_.Mono() + wait;
  waiting_.push_back(std::move(request));
  std::ranges::push_heap(waiting_, kLater);
}

void Collector::SettleFailed(Flight flight, Verdict verdict, const Observed& observed) {
  Request& request = flight.request;
  const bool suspect = IsSuspect(request);
  const bool outage = IsOutage(flight, observed, suspect);
  if (!outage) WantProof();  // else it is among the probes
  if (request.work == nullptr) return;
  Work& work = *request.work;
  if (work.settled) {
    CallClosed(work);
    return;
  }
  const bool first = request.failures++ == 0;
  const bool counts = suspect || (first && !observed.offline);
  request.failed_at_start = starts_;
  request.throttled_last = false;
  if (!outage && !observed.blameless && counts) {
    ++request.tries;
    if (verdict == Verdict::kBury) {
      Bury(work, BuryReason(ToString(work.message.id), observed, request.tries));
      CallClosed(work);
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

bool Collector::IsOutage(const Flight& flight, const Observed& observed, bool suspect) {
  // The failures of an id that is suspect itself say nothing about TMDB. Else the last bad ids of a run would
  // look like an outage, and the run would wait for the end of it.
  if ((observed.blameless || !suspect || flight.probe) && breaker_.Failed(flight.probe)) {
    log_.Warn("TMDB seems to be out of order: asking now and then until it answers",
              {{"error", Describe(observed)}});
    ForgiveStreak();
  }
  return breaker_.open();
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

// --- what becomes of a message
// -----------------------------------------------------------------------------------------------

void Collector::CallClosed(Work& work) {
  if (--work.open_calls > 0 || !work.settled) return;
  if (work.again) fresh_.push_front(work.message);
  works_.erase(MediaId(work.message.id));
}

void Collector::Settled(Work& work) {
  work.settled = true;
  if (work.open_calls <= 1) return;
  const auto of_work = [&work](const Request& request) { return request.work == &work; };
  work.open_calls -= static_cast<int>(std::erase_if(ready_, of_work));
  if (const auto waited = std::erase_if(waiting_, of_work)) {
    work.open_calls -= static_cast<int>(waited);
    std::ranges::make_heap(waiting_, kLater);
  }
}

void Collector::StoreFetched(Work& work) {
  fetched_any_ = true;
  if (StoreDocuments(work)) {
    Acknowledge(work);
  } else if (!ending_) {
    // The batch could not take it for want of room: it is fetched anew when there is some.
    work.again = true;
    Settled(work);
  }
}

bool Collector::StoreDocuments(Work& work) {
  const MediaId id = work.message.id;
  const std::vector<std::int64_t> seasons = work.fetch.listed_seasons();
  for (Document& document : work.fetch.TakeDocuments()) {
    const MediaType type = document.id.type;
    const auto change = store_.Put(std::move(document));
    if (!change && change.error().code == ErrorCode::kInvalid) {
      Bury(work, fmt::format("store {}: {}", ToString(id), change.error().message));
      return true;
    }
    if (!change) return Written(std::unexpected(change.error()));
    ++batch_.changes[static_cast<std::size_t>(*change)];
    ++batch_.changes_by_type[{type, *change}];
    if (*change != Change::kUnchanged) ++batch_.records[type];
  }
  return !TraitsOf(id.type).has_seasons || Written(store_.PutSeasonList(id.id, seasons, clock_.Now()));
}

void Collector::StoreGone(Work& work) {
  const MediaId id = work.message.id;
  const auto state = store_.StateOf(id);
  const bool was_live = state && state->standing == Standing::kLive;
  if (was_live && !guard_.MayDelete(id.type)) {
    HoldDeletion(work);
    return;
  }
  if (state && !was_live && store_is_empty_ && !fetched_any_ && ++unknown_gone_ > kGoneOfNothing) {
    End(DrainEnd::kUnreachable,
        fmt::format("{} says 404 to every id and has answered nothing else: check TMDB_API_BASE_URL",
                    access_.base_url));
    return;
  }
  const auto change = state ? store_.PutGone(id, clock_.Now()) : std::unexpected(state.error());
  if (!change && change.error().code == ErrorCode::kInvalid) {
    Bury(work, fmt::format("store {}: {}", ToString(id), change.error().message));
    return;
  }
  if (!change) {
    NotStored(work, change.error());
    return;
  }
  if (was_live) guard_.Deleted(id.type);
  if (*change != Change::kUnchanged) {
    ++batch_.changes[static_cast<std::size_t>(*change)];
    ++batch_.changes_by_type[{id.type, *change}];
    ++batch_.records[id.type];
  }
  ++batch_.gone;
  Acknowledge(work);
}

void Collector::HoldDeletion(Work& work) {
  const MediaId id = work.message.id;
  if (const auto held = store_.HoldDeletion(id, clock_.Now()); !held) {
    NotStored(work, held.error());
    return;
  }
  if (told_held_.insert(id.type).second) {
    log_.Warn(
        "more records than usual are gone at TMDB: they are kept until you have looked and run again with "
        "--accept-deletions",
        {{"type", Name(id.type)}});
  }
  ++batch_.held[id.type];
  ++batch_.gone;
  Acknowledge(work);
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
