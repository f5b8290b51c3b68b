// SPDX-License-Identifier: MIT
#include "serve/front.h"

#include <fmt/format.h>

#include <chrono>
#include <memory>
#include <string>
#include <utility>

#include "serve/negotiation.h"

namespace tmdbc::serve {
namespace {

// A problem is met again with every request for the same record: that often it is said again.
constexpr std::chrono::hours kSaidAgainAfter{1};
constexpr std::size_t kMostSaid = 1000;

http::Answer Text(int status, std::string text) {
  return {.status = status,
          .headers = {{"Content-Type", "text/plain; charset=utf-8"}, {"Cache-Control", "no-store"}},
          .body = std::make_shared<const std::string>(std::move(text))};
}

}  // namespace

http::Answer Front::operator()(const http::ServerRequest& request) {
  ApiNote note;
  http::Answer answer = Route(request, note);
  Report(note.problems);
  if (!note.waits) {
    Count(request, answer, note);
    return answer;
  }
  http::ServerRequest waiting{.method = request.method, .target = request.target};
  waiting.peer_address = request.peer_address;
  waiting.received = request.received;
  waiting_.insert_or_assign(request.ticket, std::move(waiting));
  return answer;
}

void Front::Later(std::uint64_t ticket, const http::Answer& answer, const ApiNote& note) {
  Report(note.problems);
  const auto waiting = waiting_.extract(ticket);
  if (!waiting.empty()) Count(waiting.mapped(), answer, note);
}

void Front::Count(const http::ServerRequest& request, const http::Answer& answer, const ApiNote& note) {
  const Duration took = clock_.Mono() - request.received;
  const std::uint64_t bytes = answer.body && request.method != "HEAD" ? answer.body->size() : 0;
  metrics_.Count(request.target, answer.status, bytes, took, note.kept);
  if (lines_ == RequestLog::kAll || (lines_ == RequestLog::kErrors && answer.status >= 400)) {
    log_.Info("answered", {{"peer", request.peer_address},
                           {"method", request.method},
                           {"target", MaskedTarget(request.target)},
                           {"status", answer.status},
                           {"bytes", bytes},
                           {"ms", double(took.count()) / 1000},
                           {"mirror_answer", note.answer},
                           {"kept", note.kept}});
  }
}

void Front::Report(const std::vector<Error>& problems) {
  if (problems.empty()) return;
  const MonoTime now = clock_.Mono();
  std::erase_if(reported_, [&](const auto& row) { return now - row.second >= kSaidAgainAfter; });
  for (const Error& problem : problems) {
    if (reported_.size() < kMostSaid && reported_.emplace(problem.message, now).second)
      log_.Warn("what a request needs cannot be read", {{"reason", problem.message}});
  }
}

void Front::Refused(int status, std::string_view why, const std::string& peer_address) {
  metrics_.CountRefused(status);
  if (lines_ != RequestLog::kOff)
    log_.Info("refused", {{"peer", peer_address}, {"status", status}, {"why", why}});
}

http::Answer Front::Route(const http::ServerRequest& request, ApiNote& note) {
  const std::string_view target = request.target;
  if (IsUnder(target, "/3") || IsUnder(target, "/4") || target == "*") return api_.Handle(request, note);
  if (target.substr(0, target.find('?')) == "/healthz" &&
      (request.method == "GET" || request.method == "HEAD"))
    return Health();
  return others_ ? others_(request) : api_.Handle(request, note);
}

http::Answer Front::Health() {
  const auto well = api_.Check();
  return well ? Text(200, "ok\n") : Text(503, fmt::format("{}\n", well.error().message));
}

}  // namespace tmdbc::serve
