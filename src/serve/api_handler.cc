// SPDX-License-Identifier: MIT
#include "serve/api_handler.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include "base/compression.h"
#include "base/hash.h"
#include "base/percent.h"
#include "base/safe_text.h"
#include "read_api/upstream_target.h"
#include "serve/negotiation.h"

namespace tmdbc::serve {
namespace {

using Bytes = FinishedAnswer::Bytes;

// The title index is built within a minute; a store that cannot be read may be back at any time.
constexpr std::string_view kTryAgainSoon = "Retry-After: 5\r\n";
// What fits into one packet is not worth the client's time to inflate.
constexpr std::size_t kLeastToGzip = 1000;
constexpr std::chrono::seconds kKeepErrorsFor{60};
// What stands in for TMDB's answer while TMDB cannot be asked.
constexpr std::chrono::seconds kKeepStandInsFor{60};
// TMDB's own answer: we do not hear of it when it changes.
constexpr std::chrono::hours kKeepTmdbsFor{8};
// TMDB's ids fit 31 bits.
constexpr std::int64_t kLargestId = 0x7FFFFFFF;

constexpr std::string_view kForEveryOrigin =
    "Access-Control-Allow-Origin: *\r\n"
    "Access-Control-Expose-Headers: ETag, Mirror-Answer, Mirror-Fetched-At\r\n"
    "Vary: accept-encoding, Origin\r\n"
    "X-Content-Type-Options: nosniff\r\n";
constexpr std::string_view kJson = "Content-Type: application/json;charset=utf-8\r\n";
constexpr std::string_view kScript = "Content-Type: application/javascript;charset=utf-8\r\n";
constexpr std::string_view kGzipped = "Content-Encoding: gzip\r\n";

Bytes Shared(std::string text) {
  return std::make_shared<const std::string>(std::move(text));
}

// A client takes a 200 whose body has "success":false or "errors" for a failure, and so do we: it is none of ours.
bool LooksLikeAnError(std::string_view body) {
  return body.starts_with(R"({"success":false)") || body.starts_with(R"({"errors")");
}

std::optional<Time> OldestOf(const std::vector<read_api::Source>& sources) {
  if (sources.empty()) return std::nullopt;
  return std::ranges::min(sources, {}, &read_api::Source::fetched_at).fetched_at;
}

http::Answer Preflight() {
  static const Bytes kLines = Shared(
      "Allow: GET, HEAD, OPTIONS\r\n"
      "Access-Control-Allow-Origin: *\r\n"
      "Access-Control-Allow-Methods: GET, HEAD, OPTIONS\r\n"
      // "*" alone does not stand for Authorization
      // (https://fetch.spec.whatwg.org/#cors-non-wildcard-request-header-name).
      "Access-Control-Allow-Headers: Authorization, Content-Type, If-None-Match, *\r\n"
      "Access-Control-Max-Age: 86400\r\n"
      "Vary: accept-encoding, Origin\r\n");
  return {.status = 204, .lines = kLines};
}

bool IsPlainText(std::string_view text) {
  while (!text.empty()) {
    const std::size_t length = Utf8Length(text);
    const auto first = static_cast<unsigned char>(text[0]);
    if (length == 0 || first < ' ' || first == 0x7f) return false;
    text.remove_prefix(length);
  }
  return true;
}

// The canonical request: what two of them share, they share the answer to. Nothing for a path that no text is.
std::optional<std::string> KeyOf(const read_api::ApiRequest& request) {
  std::string key;
  for (const std::string& part : request.path) {
    if (!IsPlainText(part)) return std::nullopt;
    key.append(part).append("\n");  // no part holds one
  }
  return key + request.query.Canonical();
}

bool HasTooManyPairs(std::string_view target) {
  return std::size_t(std::ranges::count(target, '&')) >= kMaxQueryPairs;
}

}  // namespace

http::Answer ApiHandler::Handle(const http::ServerRequest& request, ApiNote& note) {
  if (request.method == "OPTIONS") return Preflight();
  FinishedAnswer refusal;
  if (request.method != "GET" && request.method != "HEAD") {
    refusal = Finish(read_api::ErrorAnswer(42), 0, Time());
    refusal.lines = Shared("Allow: GET, HEAD, OPTIONS\r\n" + *refusal.lines);
  } else if (!IsLetIn(request)) {
    refusal = Finish(read_api::ErrorAnswer(7), 0, Time());
    refusal.lines = Shared("WWW-Authenticate: Bearer\r\n" + *refusal.lines);
  } else {
    return Get(request, note);
  }
  return Send(request, refusal, note);
}

Result<void> ApiHandler::Check() {
  TRY(mark_.Now(0));
  // Any will do, be it there or not.
  const auto looked_up = records_.SourceOf({MediaType::kMovie, 1});
  if (!looked_up && looked_up.error().code != ErrorCode::kNotFound) return std::unexpected(looked_up.error());
  return {};
}

bool ApiHandler::IsLetIn(const http::ServerRequest& request) const {
  if (!keys_.asked_for()) return true;
  const std::string_view token = BearerToken(request.header("Authorization"));
  if (!token.empty()) return keys_.Accepts(token);
  return keys_.Accepts(FormDecoded(RawQueryValue(request.target, "api_key")));
}

http::Answer ApiHandler::Get(const http::ServerRequest& request, ApiNote& note) {
  const auto mark = mark_.Now(request.round);
  const Time now = clock_.Now();
  const auto answer_error = [&](int code) {
    FinishedAnswer error = Finish(read_api::ErrorAnswer(code), 0, now);
    return Send(request, error, note);
  };
  if (!mark) {
    note.problems.push_back(mark.error());
    return answer_error(9);
  }
  if (FinishedAnswer* kept = cache_.FindAlias(request.target); kept && Holds(*kept, *mark, now)) {
    note.kept = true;
    return SendKept(request, *kept, note);
  }
  if (HasTooManyPairs(request.target)) return answer_error(5);
  if (IsUnder(request.target, "/4")) return answer_error(3);  // that version is of users' data alone
  const auto asked = read_api::ApiRequest::Parse(request.target);
  auto key = asked ? KeyOf(*asked) : std::nullopt;
  if (!key) return answer_error(34);

  FinishedAnswer* answer = cache_.Find(*key);
  note.kept = answer != nullptr && Holds(*answer, *mark, now);
  FinishedAnswer made;
  if (!note.kept) {
    read_api::Answer answered = api_.Get(*asked);
    note.problems = std::move(answered.problems);
    if (upstream_ != nullptr && answered.lacks) {
      Waiting waiting{.request = request, .key = *key, .asked = *asked, .answer = std::move(answered)};
      waiting.until = clock_.Mono() + kPatience;
      if (const auto demand = NextDemand(waiting)) {
        const read_api::Answer late = WithoutTmdb(waiting.answer, true);
        note.waits = Ask(std::move(waiting), *demand);
        if (note.waits) {
          upstream_->metrics().Waits();
        } else {
          upstream_->metrics().CouldNotWait();
        }
        FinishedAnswer instead = Finish(note.waits ? late : WithoutTmdb(late, false), *mark, now);
        http::Answer out = Form(request, *asked, instead, false, note);
        if (note.waits) out.delay = kPatience;
        return out;
      }
      answered = std::move(waiting.answer);
    }
    made = Finish(std::move(answered), *mark, now);
    answer = made.until > now ? cache_.Put(*key, made) : nullptr;
    if (answer == nullptr) cache_.Remove(*key);
  }
  if (answer != nullptr && !asked->query.Get("callback")) cache_.Alias(request.target, *key);
  return Form(request, *asked, answer != nullptr ? *answer : made, answer != nullptr, note);
}

http::Answer ApiHandler::Form(const http::ServerRequest& request, const read_api::ApiRequest& asked,
                              FinishedAnswer& answer, bool kept, ApiNote& note) {
  const auto callback = asked.query.Get("callback");
  if (callback && IsCallbackName(*callback)) {
    note.answer = read_api::Name(answer.fidelity);
    return SendWrapped(request, answer, *callback);
  }
  return kept ? SendKept(request, answer, note) : Send(request, answer, note);
}

// --- what the mirror lacks ---

void ApiHandler::FetchFrom(Upstream& upstream, Later later) {
  upstream_ = &upstream;
  upstream.metrics().WithUpstream();
  later_ = std::move(later);
}

std::optional<Demand> ApiHandler::NextDemand(Waiting& waiting) const {
  const auto absent = [&waiting] {
    waiting.answer = WhereTmdbHasNone(std::move(waiting.answer));
    return std::nullopt;
  };
  const auto id = waiting.answer.lacking;
  if (id && !waiting.fetched.contains(*id) && waiting.fetched.size() < kMostFetches) {
    if (id->id > kLargestId) return absent();
    Demand demand{.record = id};
    const auto known = upstream_->Known(demand);
    if (known && known->what == DemandReply::What::kAbsent) return absent();
    if (!known) return demand;
  }
  if (waiting.answered) return std::nullopt;
  auto target = read_api::UpstreamTarget(waiting.asked);
  if (!target) return std::nullopt;
  Demand demand{.target = *std::move(target)};
  if (upstream_->Known(demand)) return absent();
  return demand;
}

bool ApiHandler::Ask(Waiting waiting, const Demand& demand) {
  if (waiting_.size() >= kMostWaiting) return false;
  const std::uint64_t ticket = waiting.request.ticket;
  if (!upstream_->Ask(demand, [this, ticket](const DemandReply& reply) { Replied(ticket, reply); })) return false;
  if (demand.record) {
    waiting.fetched.insert(*demand.record);
  } else {
    waiting.answered = true;
  }
  waiting.request.body = {};
  waiting_.insert_or_assign(ticket, std::move(waiting));
  return true;
}

void ApiHandler::Replied(std::uint64_t ticket, const DemandReply& reply) {
  auto node = waiting_.extract(ticket);
  if (node.empty()) return;  // it has waited for too long
  Waiting& waiting = node.mapped();
  const Time now = clock_.Now();
  switch (reply.what) {
    case DemandReply::What::kAnswer:
      return Complete(waiting, FinishTmdbs(reply, now), {}, true);
    case DemandReply::What::kAbsent:
      return Complete(waiting, Finish(WhereTmdbHasNone(waiting.answer), 0, now), {}, false);
    case DemandReply::What::kDown:
      return Complete(waiting, Finish(WithoutTmdb(waiting.answer, false), 0, now), {}, false);
    case DemandReply::What::kSlow:
      return Complete(waiting, Finish(WithoutTmdb(waiting.answer, true), 0, now), {}, false);
    case DemandReply::What::kStored:
    case DemandReply::What::kUnstored:
      return AnswerAgain(std::move(waiting));
  }
}

void ApiHandler::AnswerAgain(Waiting waiting) {
  const Time now = clock_.Now();
  ApiNote note;
  const auto mark = mark_.Now(0);
  if (!mark) {
    note.problems.push_back(mark.error());
    return Complete(waiting, Finish(read_api::ErrorAnswer(9), 0, now), std::move(note), false);
  }
  // Another one that waited for the same has made it.
  if (FinishedAnswer* made = cache_.Find(waiting.key); made != nullptr && Holds(*made, *mark, now)) {
    return GiveLater(waiting, *made, true, std::move(note));
  }
  waiting.answer = api_.Get(waiting.asked);
  note.problems = std::move(waiting.answer.problems);
  if (!waiting.answer.lacks)
    return Complete(waiting, Finish(waiting.answer, *mark, now), std::move(note), true);
  const auto demand = NextDemand(waiting);
  if (demand && Ask(waiting, *demand)) return;
  if (demand) waiting.answer = WithoutTmdb(std::move(waiting.answer), false);
  Complete(waiting, Finish(waiting.answer, *mark, now), std::move(note), false);
}

void ApiHandler::Complete(const Waiting& waiting, FinishedAnswer answer, ApiNote note, bool keep) {
  FinishedAnswer* kept = nullptr;
  if (keep && answer.until > clock_.Now()) kept = cache_.Put(waiting.key, answer);
  GiveLater(waiting, kept != nullptr ? *kept : answer, kept != nullptr, std::move(note));
}

void ApiHandler::GiveLater(const Waiting& waiting, FinishedAnswer& answer, bool kept, ApiNote note) {
  upstream_->metrics().WaitsNoMore();
  http::Answer out = Form(waiting.request, waiting.asked, answer, kept, note);
  later_(waiting.request.ticket, std::move(out), std::move(note));
}

void ApiHandler::EndWaiting(bool all) {
  const MonoTime now = clock_.Mono();
  for (auto at = waiting_.begin(); at != waiting_.end();) {
    const auto next = std::next(at);
    if (all || now >= at->second.until) {
      const auto ended = waiting_.extract(at);
      upstream_->metrics().WaitedInVain();
      Complete(ended.mapped(), Finish(WithoutTmdb(ended.mapped().answer, true), 0, clock_.Now()), {}, false);
    }
    at = next;
  }
}

read_api::Answer ApiHandler::WhereTmdbHasNone(read_api::Answer mirrors) {
  return mirrors.status == 200 ? std::move(mirrors) : read_api::ErrorAnswer(34);
}

read_api::Answer ApiHandler::WithoutTmdb(read_api::Answer mirrors, bool slow) {
  if (mirrors.status >= 400) return read_api::ErrorAnswer(slow ? 24 : 9);
  mirrors.max_age = std::min<std::chrono::seconds>(mirrors.max_age, kKeepStandInsFor);
  return mirrors;
}

FinishedAnswer ApiHandler::FinishTmdbs(const DemandReply& reply, Time now) const {
  read_api::Answer answer{.status = reply.status, .body = reply.body, .max_age = kKeepTmdbsFor};
  answer.sources.push_back({.fetched_at = reply.at});
  if (reply.status != 200) answer.fidelity = read_api::Fidelity::kNone;
  FinishedAnswer out = Finish(std::move(answer), 0, now);
  // It rests on nothing that is stored.
  out.sources.clear();
  out.until_commit = false;
  return out;
}

http::Answer ApiHandler::SendKept(const http::ServerRequest& request, FinishedAnswer& answer, ApiNote& note) {
  const bool had_gzip = answer.gzip != nullptr;
  http::Answer out = Send(request, answer, note);
  if (!had_gzip && answer.gzip) cache_.Grew();
  return out;
}

bool ApiHandler::Holds(FinishedAnswer& answer, std::uint64_t mark, Time now) {
  if (now >= answer.until) return false;
  if (answer.index_state != 0 && answer.index_state != mark_.IndexState()) return false;
  if (answer.checked_at == mark) return true;
  if (answer.until_commit) return false;
  for (read_api::Source& source : answer.sources) {
    if (!records_.IsCurrent(source)) return false;
  }
  answer.checked_at = mark;
  return true;
}

FinishedAnswer ApiHandler::Finish(read_api::Answer answer, std::uint64_t mark, Time now) const {
  if (answer.status == 200 && LooksLikeAnError(answer.body)) answer = read_api::ErrorAnswer(11);
  FinishedAnswer out;
  out.status = answer.status;
  out.fidelity = answer.fidelity;
  std::string lines(kForEveryOrigin);
  if (answer.status == 200) {
    // Of the bytes, not of the records behind them: what a new fetch did not change is the same to a client, too.
    out.etag = "W/\"" + Sha256Hex(answer.body).substr(0, 16) + '"';
    // What takes a key is nobody else's to hand on.
    fmt::format_to(std::back_inserter(lines), "ETag: {}\r\nCache-Control: {}, max-age={}\r\n", out.etag,
                   keys_.asked_for() ? "private" : "public", answer.max_age.count());
    out.until = now + answer.max_age;
  } else {
    lines += "Cache-Control: no-store\r\n";
    if (answer.status == 503 || answer.status == 504) lines += kTryAgainSoon;
    // An error that follows from the request alone is made faster than it is found.
    if (answer.missed && answer.status == 404) out.until = now + kKeepErrorsFor;
  }
  if (answer.fidelity != read_api::Fidelity::kNone)
    lines.append("Mirror-Answer: ").append(read_api::Name(answer.fidelity)).append("\r\n");
  if (const auto oldest = OldestOf(answer.sources))
    lines.append("Mirror-Fetched-At: ").append(FormatTime(*oldest)).append("\r\n");
  out.lines = Shared(std::string(kJson) + lines);
  if (answer.body.size() >= kLeastToGzip)
    out.gzip_lines = Shared(std::string(kJson) + lines + std::string(kGzipped));
  out.unchanged_lines = Shared(std::move(lines));
  out.body = Shared(std::move(answer.body));
  out.until_commit = answer.missed || (answer.sources.empty() && answer.index_state == 0);
  out.sources = std::move(answer.sources);
  out.index_state = answer.index_state;
  out.checked_at = mark;
  return out;
}

http::Answer ApiHandler::Send(const http::ServerRequest& request, FinishedAnswer& answer, ApiNote& note) {
  note.answer = read_api::Name(answer.fidelity);
  if (answer.status == 200) {
    const std::string_view known = request.header("If-None-Match");
    if (!known.empty() && NamesEtag(known, answer.etag))
      return {.status = 304, .lines = answer.unchanged_lines};
  }
  if (answer.gzip_lines && PrefersGzip(request.header("Accept-Encoding"))) {
    if (!answer.gzip) answer.gzip = Shared(Gzip(*answer.body));
    return {.status = answer.status, .body = answer.gzip, .lines = answer.gzip_lines};
  }
  return {.status = answer.status, .body = answer.body, .lines = answer.lines};
}

http::Answer ApiHandler::SendWrapped(const http::ServerRequest& request, const FinishedAnswer& answer,
                                     std::string_view callback) {
  // The comment keeps the start of the body out of a caller's hands
  // (https://miki.it/blog/2014/7/8/abusing-jsonp-with-rosetta-flash/).
  std::string body = fmt::format("/**/{}({});", callback, *answer.body);
  std::string lines = std::string(kScript) + std::string(*answer.unchanged_lines);
  // The ETag is the plain body's.
  if (const std::size_t etag = lines.find("ETag: "); etag != std::string::npos)
    lines.erase(etag, lines.find("\r\n", etag) + 2 - etag);
  if (body.size() >= kLeastToGzip && PrefersGzip(request.header("Accept-Encoding"))) {
    body = Gzip(body);
    lines += kGzipped;
  }
  return {.status = answer.status, .body = Shared(std::move(body)), .lines = Shared(std::move(lines))};
}

}  // namespace tmdbc::serve
