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
// An id that fails for so long is buried although nothing else was answered meanwhile.
constexpr Duration kBenefitOfDoubt = seconds(30);
constexpr Duration kReceiveAgain = seconds(1);
// After a 429 nothing goes for less, whatever Retry-After says (0 is common), nor for more.
constexpr Duration kShortestPause = milliseconds(500);
constexpr Duration kLongestPause = minutes(5);
constexpr Backoff kRetryBackoff{};
constexpr Backoff kThrottleBackoff{.floor = kShortestPause};

// The order of a heap whose top is the earliest.
constexpr auto kLater = [](const auto& a, const auto& b) { return a.due > b.due; };

}  // namespace

// --- what goes out
// -----------------------------------------------------------------------------------------------------------

bool Collector::WantsMessages() const {
  const MonoTime now = clock_.Mono();
  if (!fresh_.empty() || now < receive_at_ || works_.size() >= most_works_) return false;
  if (no_room_) return BatchEmpty() && now >= try_write_at_;
  // In trouble one request at a time goes: there is no use in more messages than that takes.
  return !Probing() || works_.empty();
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
  MonoTime at;
  if (!ready_.empty() || !fresh_.empty()) {
    at = limiter_.NextSlot();
  } else if (waiting_.empty()) {
    return MonoTime::max();
  } else if (Probing()) {
    at = limiter_.NextSlot();
  } else {
    at = std::max({limiter_.NextSlot(), waiting_.front().due, budget_.NextRetry()});
  }
  return breaker_.open() ? std::max(at, breaker_.next_probe()) : at;
}

std::optional<Collector::Request> Collector::NextRequest() {
  const MonoTime now = clock_.Mono();
  // What waited longest first, unless there is suspicion of an outage: then ids that have not failed tell
  // more. As a probe anything will do, due or not.
  const bool retry_is_due = !waiting_.empty() && waiting_.front().due <= now && budget_.NextRetry() <= now &&
                            (!breaker_.failing() || fresh_.empty());
  if (retry_is_due || (ready_.empty() && fresh_.empty())) {
    std::ranges::pop_heap(waiting_, kLater);
    Request request = std::move(waiting_.back());
    waiting_.pop_back();
    budget_.Retry();
    ++stats_.retries;
    return request;
  }
  if (!ready_.empty()) {
    Request request = std::move(ready_.front());
    ready_.pop_front();
    return request;
  }
  Message message = fresh_.front();
  fresh_.pop_front();
  return Begin(message);
}

std::optional<Collector::Request> Collector::Begin(Message message) {
  std::vector<std::int64_t> seasons;
  if (message.id.type == MediaType::kTv) {
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
  flights_.emplace(id, Flight{.request = std::move(request), .ticket = ticket, .probe = probe});
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
  const Observed observed = Observe(flight.request, outcome);
  const Verdict verdict = Dispose(observed, {.tries = flight.request.tries + 1,
                                             .max_tries = options_.max_tries,
                                             .outage = breaker_.open(),
                                             .suspect = IsSuspect(flight.request),
                                             .key_proven = key_proven_});
  if (outcome.response) {
    answered_ = true;
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

bool Collector::IsSuspect(const Request& request) const {
  return request.failures > 0 &&
         (request.failed_first_streak != streak_ || clock_.Mono() - request.failed_first >= kBenefitOfDoubt);
}

Observed Collector::Observe(Request& request, http::Outcome& outcome) {
  if (outcome.failure) return ObserveFailure(*outcome.failure, std::move(outcome.failure_text));
  const http::Response& response = *outcome.response;
  auto body = http::DecodeBody(response);
  if (response.status != 200) return ObserveStatus(response.status, body ? *body : std::string());
  if (!body) return ObserveBadBody(response.body, body.error());
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
  Work& work = *flight.request.work;
  key_proven_ = true;
  trouble_since_.reset();
  storms_ = 0;
  ++streak_;
  if (breaker_.open() && flight.probe) log_.Info("TMDB answers again");
  breaker_.Succeeded(flight.probe);
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
  const MonoTime now = clock_.Mono();
  ++stats_.throttled;
  if (flight.probe && breaker_.open()) breaker_.ProbeAbandoned();
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
  if (flight.request.work->settled) {
    CallClosed(*flight.request.work);
  } else {
    ready_.push_front(std::move(flight.request));
  }
}

void Collector::SettleFailed(Flight flight, Verdict verdict, const Observed& observed) {
  Work& work = *flight.request.work;
  const bool outage = IsOutage(flight, observed);
  Request& request = flight.request;
  if (work.settled) {
    CallClosed(work);
    return;
  }
  if (++request.failures == 1) {
    request.failed_first = clock_.Mono();
    request.failed_first_streak = streak_;
  }
  if (!outage && !observed.blameless) {
    if (request.streak != streak_) {
      request.streak = streak_;
      request.streak_tries = 0;
    }
    ++request.streak_tries;
    ++request.tries;
    if (verdict == Verdict::kBury) {
      Bury(work, BuryReason(ToString(work.message.id), observed, request.tries));
      CallClosed(work);
      return;
    }
  }
  request.due = clock_.Mono() + kRetryBackoff.Delay(request.failures, random_);
  if (log_.enabled(LogLevel::kDebug)) {
    log_.Debug("will be tried again", {{"id", ToString(work.message.id)},
                                       {"error", Describe(observed)},
                                       {"tries", request.tries},
                                       {"milliseconds", (request.due - clock_.Mono()) / milliseconds(1)}});
  }
  waiting_.push_back(std::move(request));
  std::ranges::push_heap(waiting_, kLater);
}

bool Collector::IsOutage(const Flight& flight, const Observed& observed) {
  // An id that failed before is suspect itself: its further failures say nothing about TMDB. Else the last
  // bad ids of a run would look like an outage, and the run would wait for the end of it.
  const bool telling = observed.blameless || flight.request.tries == 0;
  if ((telling || flight.probe) && breaker_.Failed(flight.probe)) {
    log_.Warn("TMDB seems to be out of order: asking now and then until it answers",
              {{"error", Describe(observed)}});
    ForgiveStreak();
  }
  return breaker_.open();
}

// The failures that led to the discovery of the outage were the outage's too.
void Collector::ForgiveStreak() {
  const auto forgive = [this](Request& request) {
    if (request.streak != streak_) return;
    request.tries -= request.streak_tries;
    request.streak_tries = 0;
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
    if (*change != Change::kUnchanged) ++batch_.records[type];
  }
  return id.type != MediaType::kTv || Written(store_.PutSeasonList(id.id, seasons, clock_.Now()));
}

void Collector::StoreGone(Work& work) {
  const auto change = store_.PutGone(work.message.id, clock_.Now());
  if (!change && change.error().code == ErrorCode::kInvalid) {
    Bury(work, fmt::format("store {}: {}", ToString(work.message.id), change.error().message));
    return;
  }
  if (!change) {
    Written(std::unexpected(change.error()));
    work.again = !ending_;
    if (work.again) Settled(work);
    return;
  }
  if (*change != Change::kUnchanged) {
    ++batch_.changes[static_cast<std::size_t>(*change)];
    ++batch_.records[work.message.id.type];
  }
  ++batch_.gone;
  Acknowledge(work);
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
