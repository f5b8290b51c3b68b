// SPDX-License-Identifier: MIT
// What the collector sends. The loop, the commits and the ends: collector.cc; what comes back:
// collector_outcomes.cc.
#include <algorithm>
#include <utility>

#include "collector/collector.h"

namespace tmdbc {

namespace {

using std::chrono::seconds;

// Messages are received for about a quarter of a second of work: what a kill makes wait for its second
// receive.
constexpr double kReceiveAheadSeconds = 0.25;
constexpr int kMostReceived = 100;
constexpr Duration kReceiveAgain = seconds(1);
// Movies far beyond any that exist: TMDB says 404 to them. A new one each time, for what was asked before may
// be answered by a cache although TMDB is down.
constexpr std::int64_t kNoSuchMovie = 1'000'000'000;

}  // namespace

bool Collector::WantsMessages() const {
  const MonoTime now = clock_.Mono();
  if (!fresh_.empty() || now < receive_at_ || works_.size() >= most_works_) return false;
  if (no_room_) return BatchEmpty() && now >= try_write_at_;
  // In trouble one request at a time goes: more messages than that takes are of no use. What has not failed
  // yet tells the most.
  return !health_.one_at_a_time() || ready_.empty();
}

void Collector::Receive() {
  const int most =
      health_.one_at_a_time()
          ? 1
          : std::clamp(static_cast<int>(requester_.pace() * kReceiveAheadSeconds), 1, kMostReceived);
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
  const bool all_under_way = flights_.size() - heard_.size() >= static_cast<std::size_t>(options_.concurrency);
  if (no_room_ || all_under_way) return MonoTime::max();
  // What there is to ask for first, then the limits.
  MonoTime at = MonoTime::max();
  if (!ready_.empty() || !fresh_.empty() || (health_.one_at_a_time() && !works_.empty())) {
    at = MonoTime::min();
  } else {
    at = std::min(health_.proof_at(), health_.second_opinion_at());
    if (!waiting_.empty()) at = std::min(at, RetryAt());
  }
  if (at == MonoTime::max()) return at;
  return std::max({at, health_.next_start(), requester_.NextSlot()});
}

std::optional<Collector::Request> Collector::NextRequest() {
  const MonoTime now = clock_.Mono();
  const bool alone = health_.one_at_a_time();
  const bool nothing_new = ready_.empty() && fresh_.empty();
  if (health_.second_opinion_at() <= now || (nothing_new && (alone || health_.proof_at() <= now))) {
    return ProofRequest();
  }
  // What waited longest first, unless there is suspicion of an outage: then ids that have not failed tell
  // more.
  if (!alone && !waiting_.empty() && RetryAt() <= now && (!health_.wary() || nothing_new)) {
    std::ranges::pop_heap(waiting_, std::greater<>{}, &Request::due);
    Request request = std::move(waiting_.back());
    waiting_.pop_back();
    if (!request.excused) {
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
  return next.excused ? next.due : std::max(next.due, budget_.NextRetry());
}

Collector::Request Collector::ProofRequest() {
  const std::int64_t id =
      kNoSuchMovie + std::uniform_int_distribution<std::int64_t>(0, kNoSuchMovie - 1)(random_);
  return {.work = nullptr,
          .call = {.index = 0, .call = {.path = fmt::format("movie/{}", id), .appends = {}}}};
}

std::optional<Collector::Request> Collector::Begin(Message message) {
  std::vector<std::int64_t> seasons;
  if (TraitsOf(message.id.type).has_seasons) {
    auto known = intake_.SeasonNumbers(message.id.id);
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
                            std::make_unique<Work>(
                                Work{.message = message,
                                     .fetch = DetailFetch(message.id, seasons, namespaces_, season_extras_),
                                     .later = {},
                                     .lacking = {}}))
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
  const UpstreamHealth::Sent sent = health_.Started(clock_.Mono(), request.work == nullptr);
  http::Request message = MakeRequest(access_, request.call.call);
  message.fresh_connection = request.broke;
  const http::RequestId id = requester_.Start(std::move(message));
  flights_.emplace(id, Flight{.request = std::move(request), .sent = sent});
}

}  // namespace tmdbc
