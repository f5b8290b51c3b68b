// SPDX-License-Identifier: MIT
#include "testing/fake_export_host.h"

#include <fmt/chrono.h>

#include <algorithm>

namespace tmdbc::testing {

using http::TransportFailure;

namespace {

constexpr std::size_t kPiece = 16 << 10;
constexpr Duration kLatency = std::chrono::milliseconds(50);
constexpr Duration kTransportTimeout = std::chrono::seconds(10);

constexpr std::string_view kAccessDenied =
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
    "<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>";
constexpr std::string_view kHtmlPage =
    "<html><head><title>502 Bad Gateway</title></head><body></body></html>\n";

const char* TextOf(TransportFailure failure) {
  switch (failure) {
    case TransportFailure::kConnect:
      return "connect to exports.test:80: Connection refused";
    case TransportFailure::kUntrusted:
      return "connect to exports.test:443: SSL certificate problem: certificate has expired";
    case TransportFailure::kTimeout:
      return "timed out after 10 s";
    case TransportFailure::kReset:
      return "the connection was reset";
    case TransportFailure::kTooLarge:
      return "the body is too large";
    case TransportFailure::kAborted:
      return "cancelled";
  }
  return "";
}

}  // namespace

int FakeExportHost::requests() const {
  int sum = 0;
  for (const auto& [file, count] : asked_) sum += count;
  return sum;
}

http::RequestId FakeExportHost::Start(http::Request request, std::function<void()> on_send) {
  const bool api = request.url.starts_with(kApiUrl);
  const std::string file =
      api ? request.url.substr(kApiUrl.size() + 1) : request.url.substr(request.url.rfind('/') + 1);
  ++asked_[file];
  change_requests_ += api;
  if (on_request) on_request(file);
  seen_.push_back(request);
  seen_.back().sink = {};
  std::optional<Fault> fault = always_;
  if (auto& planned = faults_[file]; !planned.empty()) {
    fault = planned.front();
    planned.pop_front();
  }
  Transfer& transfer = transfers_.emplace_back();
  transfer.id = ++last_id_;
  transfer.request = std::move(request);
  transfer.started = clock_.Mono();
  transfer.next = clock_.Mono() + kLatency;
  Arrange(transfer, file, fault);
  if (on_send) on_send();
  most_at_once_ = std::max(most_at_once_, InFlight());
  return transfer.id;
}

std::string FakeExportHost::PageName(MediaType type, std::chrono::sys_days day, int page) {
  const std::string date = FormatDate(day);
  return fmt::format("{}/changes?start_date={}&end_date={}&page={}", Name(type), date, date, page);
}

// `query` as PageName() makes it. As TMDB does: 100 rows a page, the totals on each, code 22 behind the last.
std::string FakeExportHost::ChangesPage(const std::string& query) const {
  const auto value = [&](std::string_view name) {
    const std::size_t at = query.find(name) + name.size();
    return query.substr(at, query.find('&', at) - at);
  };
  const auto type = ParseMediaType(query.substr(0, query.find('/')));
  const auto day = ParseDate(value("start_date="));
  const int page = std::stoi(value("&page="));
  if (!type || !day || value("end_date=") != FormatDate(*day) || page < 1 || page > last_page)
    return R"({"success":false,"status_code":22,"status_message":"Invalid page: Pages start at 1 and max at 500."})";
  const auto found = changes_.find({*type, *day});
  const std::vector<std::string> none;
  const std::vector<std::string>& rows = found == changes_.end() ? none : found->second;
  std::string results;
  for (std::size_t i = std::size_t(page - 1) * rows_per_page;
       i < std::min(rows.size(), std::size_t(page) * rows_per_page); ++i) {
    results += (results.empty() ? "" : ",") + rows[i];
  }
  const auto pages = std::int64_t((rows.size() + rows_per_page - 1) / rows_per_page);
  return fmt::format(R"({{"results":[{}],"page":{},"total_pages":{},"total_results":{}}})", results, page,
                     total_pages.value_or(pages), total_results.value_or(std::int64_t(rows.size())));
}

void FakeExportHost::Arrange(Transfer& transfer, const std::string& file, std::optional<Fault> fault) const {
  const auto answer = [&](int status, std::string_view type, std::string_view body) {
    transfer.response.status = status;
    transfer.response.headers = {{"Content-Type", std::string(type)},
                                 {"Content-Length", fmt::format("{}", body.size())}};
    transfer.body = body;
  };
  const auto published = files_.find(file);
  if (transfer.request.url.starts_with(kApiUrl)) {
    const std::string page = ChangesPage(file);
    const bool given = page.find("results") != std::string::npos;
    answer(given ? 200 : 400, "application/json;charset=utf-8", page);
  } else if (published != files_.end()) {
    answer(200, "application/gzip", published->second);
  } else {
    answer(absent_status, "application/xml", kAccessDenied);
  }
  if (!fault) return;
  switch (*fault) {
    case Fault::kConnect:
      transfer.failure = TransportFailure::kConnect;
      transfer.body.clear();
      break;
    case Fault::kUntrusted:
      transfer.failure = TransportFailure::kUntrusted;
      transfer.body.clear();
      break;
    case Fault::kTimeout:
      transfer.failure = TransportFailure::kTimeout;
      transfer.body.clear();
      transfer.next = clock_.Mono() + kTransportTimeout;
      break;
    case Fault::kSilent:
      transfer.failure = TransportFailure::kTimeout;
      transfer.body.clear();
      transfer.next = clock_.Mono() + transfer.request.timeout;
      break;
    case Fault::kReset:
      transfer.failure = TransportFailure::kReset;
      transfer.body.resize(transfer.body.size() / 2);
      break;
    case Fault::kShort:
      transfer.body.resize(transfer.body.size() / 2);
      break;
    case Fault::kShortUnnoticed:
      transfer.body.resize(transfer.body.size() / 2);
      transfer.response.headers.pop_back();
      break;
    case Fault::kEmpty:
      answer(200, "application/gzip", "");
      break;
    case Fault::kFlippedBit:
      transfer.body[transfer.body.size() / 2] ^= 0x10;
      break;
    case Fault::kHtml:
      answer(200, "text/html", kHtmlPage);
      break;
    case Fault::kServerError:
      answer(503, "text/html", kHtmlPage);
      break;
    case Fault::kTooManyRequests:
      answer(429, "text/html", kHtmlPage);
      break;
    case Fault::kGone:
      answer(410, "text/html", kHtmlPage);
      break;
    case Fault::kForbidden:
      answer(403, "text/plain", "");
      break;
    case Fault::kDenied:
      answer(401, "application/json;charset=utf-8",
             R"({"status_code":7,"status_message":"Invalid API key: You must be granted a valid key."})");
      break;
    case Fault::kBadRequest:
      answer(422, "application/json;charset=utf-8",
             R"({"status_code":20,"status_message":"Invalid date range."})");
      break;
  }
}

std::vector<http::Outcome> FakeExportHost::Wait(MonoTime deadline) {
  std::vector<http::Outcome> outcomes;
  while (outcomes.empty()) {
    const auto next = std::min_element(transfers_.begin(), transfers_.end(),
                                       [](const Transfer& a, const Transfer& b) { return a.next < b.next; });
    if (next == transfers_.end() || next->next > deadline) {
      clock_.AdvanceTo(deadline);
      break;
    }
    clock_.AdvanceTo(next->next);
    if (auto outcome = Step(*next)) {
      outcomes.push_back(*std::move(outcome));
      transfers_.erase(next);
    }
  }
  return outcomes;
}

std::optional<http::Outcome> FakeExportHost::Step(Transfer& transfer) {
  if (transfer.cancelled || transfer.delivered == transfer.body.size()) return Finish(transfer);
  const auto piece = std::string_view(transfer.body).substr(transfer.delivered, kPiece);
  transfer.delivered += piece.size();
  transfer.next = clock_.Mono() + piece_time;
  if (on_piece) on_piece();
  if (transfer.response.status == 200 && transfer.request.sink) {
    transfer.cancelled = !transfer.request.sink(piece);
  } else {
    transfer.response.body += piece;
  }
  return std::nullopt;
}

http::Outcome FakeExportHost::Finish(const Transfer& transfer) const {
  http::Outcome outcome;
  outcome.id = transfer.id;
  outcome.bytes_received = transfer.delivered;
  outcome.started = transfer.started;
  outcome.finished = clock_.Mono();
  outcome.failure = transfer.failure;
  if (outcome.failure == TransportFailure::kUntrusted) outcome.failure_hint = Hint::kCertificate;
  if (transfer.cancelled) outcome.failure = TransportFailure::kAborted;
  if (outcome.failure) {
    outcome.failure_text = TextOf(*outcome.failure);
  } else {
    outcome.response = transfer.response;
    const auto now = std::chrono::floor<std::chrono::seconds>(clock_.Now() + clock_offset);
    // As a time_t: fmt counts a time point in nanoseconds, and the year 9999 has too many.
    const std::tm parts = fmt::gmtime(std::time_t(now.time_since_epoch().count()));
    outcome.response->headers.emplace_back("Date", fmt::format("{:%a, %d %b %Y %H:%M:%S} GMT", parts));
    if (on_answer) on_answer(*outcome.response);
  }
  return outcome;
}

void FakeExportHost::Cancel(http::RequestId id) {
  for (Transfer& transfer : transfers_) {
    if (transfer.id != id) continue;
    transfer.cancelled = true;
    transfer.next = clock_.Mono();
  }
}

}  // namespace tmdbc::testing
