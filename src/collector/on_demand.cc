// SPDX-License-Identifier: MIT
#include "collector/on_demand.h"

#include <algorithm>
#include <utility>

#include "base/json.h"
#include "http/body.h"

namespace tmdbc {

namespace {

constexpr std::chrono::milliseconds kRequestTimeout{15'000};
constexpr Duration kCommitAgain = std::chrono::seconds(3);
constexpr int kNoCall = -1;  // it is for a target, and no call of a plan

Duration SlotsOf(double pace, double slots) {
  return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(slots / std::max(pace, 0.001)));
}

}  // namespace

OnDemand::OnDemand(const Clock& clock, http::PacedRequester& requester, Intake& intake, Log& log, ApiAccess access,
                   OnDemandOptions options, Done done)
    : clock_(clock),
      requester_(requester),
      intake_(intake),
      log_(log),
      access_(std::move(access)),
      options_(std::move(options)),
      done_(std::move(done)),
      season_extras_(options_.season_extras) {}

void OnDemand::Take(Demand demand) {
  if (Shut()) {
    done_(demand, {.what = DemandReply::What::kDown});
    return;
  }
  std::optional<DetailFetch> fetch;
  if (demand.record) {
    std::vector<std::int64_t> seasons;
    if (TraitsOf(demand.record->type).has_seasons) {
      // Without them the plan is one for a new show.
      if (auto known = intake_.SeasonNumbers(demand.record->id)) seasons = *std::move(known);
    }
    fetch.emplace(*demand.record, seasons, options_.namespaces, season_extras_);
  }
  works_.push_back({.demand = std::move(demand), .fetch = std::move(fetch), .give_up = clock_.Mono() + kGiveUp});
  const auto work = std::prev(works_.end());
  if (work->fetch) {
    AddCalls(work);
  } else {
    const Call call{.path = work->demand.target, .appends = {}};
    waiting_.push_back({.work = work, .call = {.index = kNoCall, .call = call}});
    ++work->open;
  }
  if (work->open > 0) return;
  Answer(*work, {.what = DemandReply::What::kUnstored});  // there is no request that would fetch it
  works_.erase(work);
}

bool OnDemand::Shut() const {
  const MonoTime now = clock_.Mono();
  return (key_at_ && now < *key_at_) || (breaker_.open() && breaker_.next_probe() > now);
}

MonoTime OnDemand::EarliestStart(bool others) const {
  if (waiting_.empty()) return MonoTime::max();
  MonoTime at = std::ranges::min(waiting_, {}, &Ask::due).due;
  at = std::max(at, requester_.NextSlot());
  if (others) at = std::max(at, turn_at_);
  return at;
}

MonoTime OnDemand::NextStep(bool others) const {
  MonoTime at = EarliestStart(others);
  for (const Work& work : works_) {
    if (!work.told) at = std::min(at, work.give_up);
  }
  if (commit_failed_) at = std::min(at, commit_at_);
  return at;
}

void OnDemand::Step(bool others, bool may_store) {
  for (http::Outcome& outcome : requester_.Wait(clock_.Mono())) Settle(std::move(outcome));
  const MonoTime now = clock_.Mono();
  for (auto work = works_.begin(); work != works_.end();) {
    const auto next = std::next(work);
    if (!work->told && now >= work->give_up) GiveUp(work);
    work = next;
  }
  if (Shut()) ForgetWaiting();
  while (EarliestStart(others) <= clock_.Mono()) {
    const auto due = std::ranges::find_if(waiting_, [&](const Ask& ask) { return ask.due <= clock_.Mono(); });
    Ask ask = std::move(*due);
    waiting_.erase(due);
    Start(std::move(ask));
    if (Shut()) ForgetWaiting();  // it goes alone
  }
  if (may_store) {
    Store();
    return;
  }
  commit_at_ = std::max(commit_at_, now + kCommitAgain);
  for (Kept& kept : kept_) {
    if (!std::exchange(kept.told, true)) done_(kept.demand, {.what = DemandReply::What::kUnstored});
  }
}

void OnDemand::Start(Ask ask) {
  http::Request request = MakeRequest(access_, ask.call.call);
  request.timeout = kRequestTimeout;
  request.fresh_connection = ask.broke;
  if (!ask.work->fetch) request.max_body = kLargestAnswer;
  const bool probe = breaker_.open();
  if (probe) breaker_.ProbeStarted();
  // Every other slot, of a group that goes together half.
  const double together = static_cast<double>(requester_.together());
  const MonoTime earned = clock_.Mono() - SlotsOf(requester_.pace(), std::max(together - 2, 0.0));
  turn_at_ = std::max(turn_at_, earned) + SlotsOf(requester_.pace(), 2);
  const http::RequestId id = requester_.Start(std::move(request));
  flights_.emplace(id, Flight{.ask = std::move(ask), .probe = probe});
}

void OnDemand::Settle(http::Outcome outcome) {
  auto node = flights_.extract(outcome.id);
  if (node.empty()) return;
  Flight flight = std::move(node.mapped());
  const Works::iterator work = flight.ask.work;
  DemandReply reply;
  const Observed observed = Observe(flight.ask, outcome, reply);
  const bool in_parts = work->fetch && !work->failed && !flight.ask.call.call.appends.empty();
  const Disposition disposition =
      Dispose(observed, {.tries = flight.ask.tries + 1,
                         .max_tries = kMaxTries,
                         .can_split = in_parts,
                         .part = flight.ask.part});
  switch (disposition) {
    case Disposition::kDone:
      breaker_.Succeeded(flight.probe);
      Answered();
      if (!work->fetch) {
        Answer(*work, std::move(reply));
      } else if (!work->failed) {
        AddCalls(work);
        if (work->fetch->done()) Fetched(*work);
      }
      return Close(work);
    case Disposition::kGone:
      breaker_.Succeeded(flight.probe);
      Answered();
      Fail(work, DemandReply::What::kAbsent);
      return Close(work);
    case Disposition::kThrottle:
      if (flight.probe) breaker_.ProbeAbandoned();
      if (const auto pause = requester_.Throttled(*outcome.response))
        log_.Warn("TMDB says 429: pausing", {{"milliseconds", *pause / std::chrono::milliseconds(1)}});
      if (work->failed || work->told) {
        work->failed = true;
        return Close(work);
      }
      flight.ask.due = requester_.paused_until();
      waiting_.push_front(std::move(flight.ask));
      return;
    case Disposition::kDeny:
      if (flight.probe) breaker_.ProbeAbandoned();
      KeyRefused(observed);
      Fail(work, DemandReply::What::kDown);
      return Close(work);
    case Disposition::kSplit:
      // That it fails as a whole says nothing of TMDB.
      if (flight.probe) breaker_.ProbeAbandoned();
      if ((work->splits++ < kMostSplits && work->fetch->Split(flight.ask.call.index)) ||
          DoWithout(*work, flight.ask)) {
        AddCalls(work, true);
        if (work->fetch->done()) Fetched(*work);
      } else {
        Fail(work, DemandReply::What::kDown);
      }
      return Close(work);
    case Disposition::kRetry:
    case Disposition::kBury:
      return SettleFailed(std::move(flight.ask), observed, flight.probe);
  }
}

Observed OnDemand::Observe(const Ask& ask, http::Outcome& outcome, DemandReply& reply) {
  if (outcome.failure) return ObserveFailure(*outcome.failure, std::move(outcome.failure_text), outcome.failure_hint);
  const http::Response& response = *outcome.response;
  Work& work = *ask.work;
  auto body = http::DecodeBody(response);
  if (response.status != 200) {
    Observed observed = ObserveStatus(response.status, body ? *body : std::string());
    const bool hopeless = response.status == 400 || response.status == 422;
    if (work.fetch || !hopeless || observed.tmdb_code == 0) return observed;
    // An error about what was asked for is the answer.
    reply = {.what = DemandReply::What::kAnswer,
             .status = response.status,
             .body = *std::move(body),
             .at = clock_.Now()};
    return {};
  }
  if (!body) return ObserveBadBody(response.body, body.error());
  if (work.failed) return {};
  const std::string start = body->substr(0, 64);
  if (!work.fetch) {
    if (const auto whole = ParsedJson::ParseString(*body); !whole) return ObserveBadBody(start, whole.error());
    reply = {.what = DemandReply::What::kAnswer, .status = 200, .body = *std::move(body), .at = clock_.Now()};
    return {};
  }
  std::optional<std::string> etag;
  if (const std::string_view header = response.header("etag"); !header.empty()) etag = header;
  const auto accepted = work.fetch->Accept(ask.call.index, *std::move(body), std::move(etag), clock_.Now());
  return accepted ? Observed{} : ObserveBadBody(start, accepted.error());
}

void OnDemand::SettleFailed(Ask ask, const Observed& observed, bool probe) {
  const Works::iterator work = ask.work;
  if (breaker_.Failed(probe, clock_.Mono())) {
    log_.Warn("TMDB seems to be out of order: what the mirror lacks is asked for now and then until it answers",
              {{"error", Describe(observed)}});
  }
  work->failed = work->failed || work->told;
  if (work->failed) return Close(work);
  // A host that cannot be reached is not there a moment later.
  if (observed.blameless || ++ask.tries >= kMaxTries || Shut()) {
    if (work->fetch && !observed.blameless && !breaker_.open() && DoWithout(*work, ask)) {
      AddCalls(work);
      if (work->fetch->done()) Fetched(*work);
      return Close(work);
    }
    if (log_.enabled(LogLevel::kDebug))
      log_.Debug("cannot be had now", {{"url", work->demand.target}, {"error", Describe(observed)}});
    Fail(work, DemandReply::What::kDown);
    return Close(work);
  }
  ask.broke = observed.kind == Observed::Kind::kFailure;
  ask.due = clock_.Mono() + kTryAgainAfter;
  waiting_.push_back(std::move(ask));
}

// A season, or a namespace, that cannot be had now is left out.
bool OnDemand::DoWithout(Work& work, const Ask& ask) {
  if (!work.fetch->Forgo(ask.call.index) && !work.fetch->ForgoNamespace(ask.call.index)) return false;
  work.lacking = true;
  return true;
}

void OnDemand::KeyRefused(const Observed& observed) {
  if (!key_at_) {
    log_.Error("TMDB refuses the API key: what the mirror lacks is not asked for, but once a minute",
               {{"error", Describe(observed)}});
  }
  key_at_ = clock_.Mono() + kAskKeyAgain;
}

void OnDemand::Answered() {
  requester_.Useful();
  if (key_at_) log_.Info("TMDB accepts the API key again");
  key_at_.reset();
}

void OnDemand::AddCalls(Works::iterator work, bool parts) {
  for (DetailFetch::NumberedCall& call : work->fetch->TakeCalls()) {
    waiting_.push_back({.work = work, .call = std::move(call), .part = parts});
    ++work->open;
  }
}

bool OnDemand::IsKept(const Document& document) const {
  if (!options_.stored.contains(document.id.type)) return false;
  if (options_.include_adult) return true;
  const auto json = ParsedJson::Parse(document.data);
  bool adult = false;
  return !json || json->root()["adult"].get(adult) != simdjson::SUCCESS || !adult;
}

void OnDemand::Fetched(Work& work) {
  season_extras_.nested = work.fetch->nested_names().value_or(season_extras_.nested);
  std::vector<Document> documents = work.fetch->TakeDocuments();
  work.failed = true;  // whatever else was asked for it is of no use
  if (documents.empty() || !IsKept(documents.front()) || kept_.size() >= kMostKept) {
    Answer(work, {.what = DemandReply::What::kUnstored});
    return;
  }
  kept_.push_back({.demand = work.demand,
                   .told = std::exchange(work.told, true),
                   .lacking = work.lacking,
                   .documents = std::move(documents)});
}

void OnDemand::Store() {
  if (kept_.empty() && (!commit_failed_ || clock_.Mono() < commit_at_)) return;
  std::deque<Kept> stored;
  while (!kept_.empty()) {
    Kept kept = std::move(kept_.front());
    kept_.pop_front();
    // The list of a show's seasons is left out: nothing is deleted here.
    const auto taken = intake_.Fetched(*kept.demand.record, std::move(kept.documents), {}, clock_.Now());
    if (taken) {
      stored.push_back(std::move(kept));
      continue;
    }
    log_.Warn("what was fetched cannot be stored",
              {{"id", ToString(*kept.demand.record)}, {"error", taken.error().message}});
    if (!kept.told) done_(kept.demand, {.what = DemandReply::What::kUnstored});
  }
  const auto committed = intake_.Commit([](const IntakeReport&) { return Result<void>(); });
  if (!committed && !commit_failed_)
    log_.Warn("what was fetched is stored later", {{"error", committed.error().message}});
  commit_failed_ = !committed;
  commit_at_ = clock_.Mono() + kCommitAgain;
  const auto what = committed ? DemandReply::What::kStored : DemandReply::What::kUnstored;
  for (const Kept& kept : stored) {
    if (committed && kept.lacking && on_lacking) on_lacking(*kept.demand.record);
    if (!kept.told) done_(kept.demand, {.what = what});
  }
}

void OnDemand::Answer(Work& work, DemandReply reply) {
  if (!std::exchange(work.told, true)) done_(work.demand, std::move(reply));
}

void OnDemand::Close(Works::iterator work) {
  if (--work->open > 0) {
    if (!work->failed) return;
    work->open -= static_cast<int>(std::erase_if(waiting_, [&](const Ask& ask) { return ask.work == work; }));
    if (work->open > 0) return;
  }
  Answer(*work, {.what = DemandReply::What::kDown});
  works_.erase(work);
}

void OnDemand::Fail(Works::iterator work, DemandReply::What what) {
  Answer(*work, {.what = what});
  work->failed = true;
}

void OnDemand::GiveUp(Works::iterator work) {
  Answer(*work, {.what = DemandReply::What::kSlow});
  const auto waiting = std::erase_if(waiting_, [&](const Ask& ask) { return ask.work == work; });
  if (waiting == 0) return;
  work->failed = true;
  work->open -= static_cast<int>(waiting);
  if (work->open == 0) works_.erase(work);
}

void OnDemand::ForgetWaiting() {
  for (Ask& ask : std::exchange(waiting_, {})) {
    Fail(ask.work, DemandReply::What::kDown);
    Close(ask.work);
  }
}

}  // namespace tmdbc
