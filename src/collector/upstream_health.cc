// SPDX-License-Identifier: MIT
#include "collector/upstream_health.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace tmdbc {

using std::chrono::minutes;

UpstreamHealth::UpstreamHealth(Options options)
    : options_(std::move(options)), key_proven_(options_.key_proven) {}

void UpstreamHealth::Begin() {
  breaker_.ProbeAbandoned();
  storm_ = throttled_alone_ = probing_ = false;
  doubt_.reset();
  proof_at_ = MonoTime::max();
  trouble_since_.reset();
}

MonoTime UpstreamHealth::next_start() const {
  if (probing_) return MonoTime::max();
  return std::max(breaker_.open() ? breaker_.next_probe() : MonoTime::min(), ask_key_at());
}

UpstreamHealth::Sent UpstreamHealth::Started(MonoTime now, bool proof) {
  if (!first_start_) {
    first_start_ = now;
    second_opinion_at_ = now + options_.give_up_unanswered / 2;
  }
  if (proof) {
    proof_at_ = MonoTime::max();
    if (second_opinion_at_ <= now) second_opinion_at_ = now + options_.give_up_unanswered / 4;
  }
  const Sent sent{.number = ++started_, .proof = proof, .probe = one_at_a_time()};
  probing_ |= sent.probe;
  if (sent.probe && breaker_.open()) breaker_.ProbeStarted();
  return sent;
}

UpstreamHealth::Turn UpstreamHealth::Heard(const Sent& sent, const Word& word, MonoTime now) {
  using enum What;
  const bool throttled = word.what == kThrottled || word.what == kOwnThrottle;
  if (word.answered) {
    answered_ = true;
    spoken_ |= !word.foreign;
    if (sent.proof) proof_foreign_ = word.foreign;
  }
  if (sent.probe) {
    probing_ = false;
    if (!throttled && word.what != kGivenUp) storm_ = false;
    // It says nothing about an outage: another may go.
    if (throttled || word.what == kGivenUp || word.what == kKeyRefused) breaker_.ProbeAbandoned();
  }
  switch (word.what) {
    case kUseful:
      return Useful(sent);
    case kThrottled:
      storm_ = true;
      InTrouble(now, word);
      return Turn::kNone;
    case kOwnThrottle:
      throttled_alone_ = true;
      InTrouble(now, word);
      WantProof(now);
      return Turn::kNone;
    case kUntrusted:
      untrusted_ = true;
      return Failed(sent, word, now);
    case kFailed:
    case kOwnFailure:
      return Failed(sent, word, now);
    case kKeyRefused:
      return KeyRefused(sent, word, now);
    case kGivenUp:
      return Turn::kNone;
  }
  return Turn::kNone;
}

UpstreamHealth::Turn UpstreamHealth::Useful(const Sent& sent) {
  useful_ = std::max(useful_, sent.number);
  key_proven_ = true;
  proof_at_ = MonoTime::max();
  trouble_since_.reset();
  throttled_alone_ = false;
  Turn turn = breaker_.open() && sent.probe ? Turn::kOutageEnded : Turn::kNone;
  breaker_.Succeeded(sent.probe);
  // What was under way when the key was refused may have been let through before.
  if (doubt_ && sent.number > doubt_->until) {
    doubt_.reset();
    turn = Turn::kKeyAccepted;
  }
  return turn;
}

UpstreamHealth::Turn UpstreamHealth::Failed(const Sent& sent, const Word& word, MonoTime now) {
  InTrouble(now, word);
  // The failures of an id that is at fault itself say nothing about TMDB. Else the last bad ids of a run would
  // look like an outage, and the run would wait for the end of it.
  const bool counts = word.what != What::kOwnFailure || sent.probe;
  const bool began = counts && breaker_.Failed(sent.probe, now);
  if (!breaker_.open()) WantProof(now);  // else it is among the probes
  return began ? Turn::kOutageBegan : Turn::kNone;
}

UpstreamHealth::Turn UpstreamHealth::KeyRefused(const Sent& sent, const Word& word, MonoTime now) {
  InTrouble(now, word);
  if (!key_proven_) {
    key_denied_ = true;
    return Turn::kNone;
  }
  // Those that were under way together are one refusal.
  if (doubt_ && sent.number <= doubt_->until) return Turn::kNone;
  const std::size_t step = doubt_ ? doubt_->step + 1 : 0;
  if (step == kAskKeyAgain.size()) {
    key_denied_ = true;
    return Turn::kNone;
  }
  doubt_ = Doubt{.step = step, .until = started_, .ask_at = now + kAskKeyAgain[step]};
  // Until then nothing useful can come.
  trouble_since_ = doubt_->ask_at;
  return Turn::kKeyDoubted;
}

void UpstreamHealth::InTrouble(MonoTime since, const Word& word) {
  if (!trouble_since_) trouble_since_ = since;
  last_trouble_ = word.text;
  last_hint_ = word.hint;
}

void UpstreamHealth::WantProof(MonoTime now) {
  if (proof_at_ == MonoTime::max()) proof_at_ = now + kProofAfter;
}

std::optional<DrainResult> UpstreamHealth::GiveUp(MonoTime now) const {
  const auto ends = [this](DrainEnd end, Hint hint, std::string reason) {
    return DrainResult{.end = end,
                       .reason = std::move(reason),
                       .hint = hint,
                       .answered = answered_,
                       .key_proven = key_proven_};
  };
  if (key_denied_ && !key_proven_) {
    return ends(DrainEnd::kDenied, Hint::kCheckKey,
                fmt::format("TMDB refuses the API key ({})", last_trouble_));
  }
  if (key_denied_) {
    return ends(
        DrainEnd::kKeyLost, Hint::kCheckKey,
        fmt::format("TMDB had accepted the API key and has refused it for {} minutes now ({})",
                    (kAskKeyAgain[0] + kAskKeyAgain[1] + kAskKeyAgain[2]) / minutes(1), last_trouble_));
  }
  if (untrusted_ && !answered_) {
    return ends(DrainEnd::kUnreachable, Hint::kCertificate,
                fmt::format("{}: {}", options_.server, last_trouble_));
  }
  if (!spoken_ && first_start_ && now - *first_start_ >= options_.give_up_unanswered) {
    if (answered_ && proof_foreign_) {
      return ends(DrainEnd::kUnreachable, Hint::kCheckApiUrl,
                  fmt::format("{} does not answer as TMDB does ({})", options_.server, last_trouble_));
    }
    if (!answered_ && started_ >= 2) {
      return ends(DrainEnd::kUnreachable, last_hint_,
                  fmt::format("{} never answered: {}", options_.server,
                              last_trouble_.empty() ? "no answer" : last_trouble_));
    }
  }
  if (trouble_since_ && one_at_a_time() && now - *trouble_since_ >= options_.give_up_outage) {
    return ends(
        DrainEnd::kUnreachable, last_hint_,
        fmt::format("{} has answered nothing useful for {} minutes, the last was: {}", options_.server,
                    std::chrono::floor<minutes>(now - *trouble_since_).count(), last_trouble_));
  }
  return std::nullopt;
}

}  // namespace tmdbc
