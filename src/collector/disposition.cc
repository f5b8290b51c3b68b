// SPDX-License-Identifier: MIT
#include "collector/disposition.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/json.h"

namespace tmdbc {

namespace {

// TMDB's error codes (docs/tmdb-facts.md).
constexpr int kInvalidId = 6;
constexpr int kNotFound = 34;
// 401 and 403 that are about the key or its owner, whatever was asked for: invalid key, suspended key,
// account disabled, invalid token (what a v4 token that is none gets), suspended user.
constexpr std::array kKeyCodes = {7, 10, 31, 35, 45};
// The same at the first answers, but conceivable for one id alone later: no permission, authentication
// failed, e-mail not verified.
constexpr std::array kLikelyKeyCodes = {3, 14, 32};

// Service offline, maintenance.
constexpr std::array kOfflineCodes = {9, 46};

bool IsOneOf(const auto& codes, int code) {
  return std::ranges::find(codes, code) != codes.end();
}

bool RefusesKey(const Observed& observed, bool key_proven) {
  if (observed.status != 401 && observed.status != 403) return false;
  return IsOneOf(kKeyCodes, observed.tmdb_code) ||
         (!key_proven && IsOneOf(kLikelyKeyCodes, observed.tmdb_code));
}

bool IsGone(const Observed& observed) {
  return observed.status == 404 && (observed.tmdb_code == kNotFound || observed.tmdb_code == kInvalidId);
}

// So often a request that may be answered in parts is asked as a whole.
constexpr int kWholeTries = 2;

// Payload, address or headers too large: with less appended they are not.
bool IsTooLong(int status) {
  return status == 413 || status == 414 || status == 431;
}

// Asked the same way again, the answer will be the same.
bool IsHopeless(int status) {
  return status == 400 || status == 405 || status == 406 || status == 422;
}

}  // namespace

Disposition Dispose(const Observed& observed, const Circumstances& circumstances) {
  if (observed.kind == Observed::Kind::kBelieved) return Disposition::kDone;
  bool hopeless = observed.too_large;
  if (observed.kind == Observed::Kind::kStatus) {
    if (observed.status == 429) return Disposition::kThrottle;
    if (RefusesKey(observed, circumstances.key_proven)) return Disposition::kDeny;
    if (IsGone(observed)) return Disposition::kGone;
    hopeless = IsHopeless(observed.status);
  }
  if (circumstances.outage || observed.blameless) return Disposition::kRetry;
  const int tries = circumstances.tries;
  const bool enough = circumstances.part || (circumstances.suspect && tries >= kWholeTries);
  if (circumstances.can_split && (observed.too_large || (observed.heavy && enough)))
    return Disposition::kSplit;
  if (!circumstances.suspect) return Disposition::kRetry;
  return hopeless || tries >= circumstances.max_tries ? Disposition::kBury : Disposition::kRetry;
}

std::string Describe(const Observed& observed) {
  if (observed.kind != Observed::Kind::kStatus) return observed.detail;
  if (observed.tmdb_code == 0) return fmt::format("HTTP {}", observed.status);
  return fmt::format("HTTP {} code {}", observed.status, observed.tmdb_code);
}

std::string BuryReason(std::string_view id, const Observed& observed, int tries) {
  const std::string what = fmt::format("get {}: {}", id, Describe(observed));
  return tries <= 1 ? what : fmt::format("{} after {} tries", what, tries);
}

int TmdbErrorCode(std::string_view body) {
  const std::size_t first = body.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos || body[first] != '{') return 0;
  const auto json = ParsedJson::Parse(body);
  std::int64_t code = 0;
  if (!json || json->root()["status_code"].get(code) != simdjson::SUCCESS || code < 0 || code > 999) return 0;
  return static_cast<int>(code);
}

Observed ObserveFailure(http::TransportFailure failure, std::string text, Hint hint) {
  using enum http::TransportFailure;
  std::string_view name;
  switch (failure) {
    case kConnect:
      name = "connect";
      break;
    case kUntrusted:
      name = "certificate";
      break;
    case kTimeout:
      name = "timeout";
      break;
    case kReset:
      name = "reset";
      break;
    case kTooLarge:
      name = "too large";
      break;
    case kAborted:
      name = "aborted";
      break;
  }
  if (text.empty()) text = name;
  return {.kind = Observed::Kind::kFailure,
          .blameless = failure == kConnect || failure == kUntrusted,
          .untrusted = failure == kUntrusted,
          .heavy = failure == kTimeout || failure == kReset,
          .too_large = failure == kTooLarge,
          .detail = std::move(text),
          .error_class = std::string(name),
          .hint = hint};
}

Observed ObserveStatus(int status, std::string_view body) {
  const int code = TmdbErrorCode(body);
  return {.kind = Observed::Kind::kStatus,
          .status = status,
          .tmdb_code = code,
          .offline = status == 503 && IsOneOf(kOfflineCodes, code),
          .foreign = code == 0 && status < 500 && status != 429,
          .heavy = IsTooLong(status) || (status >= 500 && !(status == 503 && IsOneOf(kOfflineCodes, code))),
          .detail = {},
          .error_class = fmt::format("http {}", status)};
}

Observed ObserveBadBody(std::string_view body, const Error& why) {
  const std::size_t first = body.find_first_not_of(" \t\r\n");
  // "get movie/550: not whole JSON": the reason gets an act of its own.
  std::string_view detail = why.message;
  if (detail.starts_with("get ")) detail.remove_prefix(std::min(detail.find(": ") + 2, detail.size()));
  Observed observed{
      .kind = Observed::Kind::kBadBody, .heavy = true, .detail = std::string(detail), .error_class = "bad body"};
  if (first == std::string_view::npos) {
    observed.detail = "empty body";
    observed.error_class = "empty body";
  } else if (body[first] == '<') {
    observed.detail = "HTML or XML instead of JSON";
    observed.foreign = true;
    observed.error_class = "html";
  }
  return observed;
}

}  // namespace tmdbc
