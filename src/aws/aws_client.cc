// SPDX-License-Identifier: MIT
#include "aws/aws_client.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "aws/xml.h"
#include "base/hash.h"
#include "base/version.h"
#include "http/http_date.h"
#include "http/retry_after.h"

namespace tmdbc::aws {
namespace {

namespace chrono = std::chrono;

// S3 refuses what is dated 15 minutes off, other services 5. A Date this far from ours explains a refusal.
constexpr Duration kWrongClock = chrono::minutes(4);
constexpr Duration kLongestRetryAfter = chrono::seconds(20);
constexpr chrono::milliseconds kPatience{60'000};
constexpr std::uint64_t kSlowest = 100'000;  // bytes a second that a body may go at

// "127.0.0.1:7480" and "/prefix" of "http://127.0.0.1:7480/prefix".
struct UrlParts {
  std::string host, path;
};

UrlParts PartsOf(std::string_view url) {
  const bool tls = url.starts_with("https://");
  url.remove_prefix(url.find("://") + 3);
  const auto slash = std::min(url.find('/'), url.size());
  UrlParts parts{std::string(url.substr(0, slash)), std::string(url.substr(slash))};
  // As libcurl writes the Host header: without the port that everybody expects.
  const std::string_view usual = tls ? ":443" : ":80";
  if (parts.host.ends_with(usual)) parts.host.resize(parts.host.size() - usual.size());
  return parts;
}

bool HoldsError(const http::Response& response) {
  const auto xml = ParseXml(response.body);
  return !xml || xml->name == "Error";
}

// What a code says to a person. AWS says so itself, Ceph says the code alone.
std::string_view MeaningOf(std::string_view code) {
  if (code == "NoSuchBucket") return "there is no bucket of that name: make it first";
  if (code == "InvalidAccessKeyId") return "the server does not know this key";
  if (code == "SignatureDoesNotMatch") return "the key's secret is another one";
  if (code == "AccessDenied") return "this key may not do that";
  return "";
}

}  // namespace

struct AwsClient::Flight {
  const AwsCall* call = nullptr;
  std::optional<http::RequestId> id;  // under way
  MonoTime due{};                     // not before then
  int failures = 0;
  bool fresh_connection = false;
  bool new_key = false, new_clock = false;  // each is tried once
  std::optional<Result<http::Response>> result;
};

AwsClient::AwsClient(const Clock& clock, http::HttpTransport& transport, CredentialChain& credentials,
                     std::string region, std::mt19937_64& random, RetryPolicy retry)
    : clock_(clock),
      transport_(transport),
      credentials_(credentials),
      region_(std::move(region)),
      random_(random),
      retry_(retry) {}

Result<http::Response> AwsClient::Call(const AwsCall& call) {
  return std::move(CallAll(std::span(&call, 1), 1).front());
}

std::vector<Result<http::Response>> AwsClient::CallAll(std::span<const AwsCall> calls, int at_once) {
  std::vector<Flight> flights(calls.size());
  for (std::size_t i = 0; i < calls.size(); ++i) flights[i].call = &calls[i];
  bool failed = false;
  while (true) {
    int under_way = 0;
    for (const Flight& flight : flights) under_way += flight.id.has_value();
    MonoTime next = MonoTime::max();
    for (Flight& flight : flights) {
      if (flight.result || flight.id) continue;
      if (failed && flight.failures == 0) {
        flight.result = Fail(ErrorCode::kIo, "{}: given up, since another call failed", flight.call->act);
        continue;
      }
      // The chain may have to ask for a key, and then nothing else may be under way.
      if (under_way >= at_once || transport_.Room() <= 0 || (credentials_.due() && under_way > 0)) continue;
      if (flight.due > clock_.Mono()) {
        next = std::min(next, flight.due);
        continue;
      }
      const auto credentials = credentials_.Current();
      if (!credentials) {
        flight.result = Within(flight.call->act.c_str(), credentials.error());
        failed = true;
        continue;
      }
      if (const auto begun = Begin(flight, *credentials); !begun) {
        flight.result = std::unexpected(begun.error());
        failed = true;
      } else {
        ++under_way;
      }
    }
    if (std::ranges::all_of(flights, [](const Flight& flight) { return flight.result.has_value(); })) break;
    const MonoTime latest = clock_.Mono() + chrono::minutes(1);
    for (http::Outcome& outcome : transport_.Wait(std::min(next, latest))) {
      const auto flight = std::ranges::find_if(flights, [&](const Flight& f) { return f.id == outcome.id; });
      if (flight == flights.end()) continue;
      Settle(*flight, std::move(outcome));
      failed |= flight->result && !*flight->result;
    }
  }
  std::vector<Result<http::Response>> results;
  for (Flight& flight : flights) results.push_back(*std::move(flight.result));
  return results;
}

Result<void> AwsClient::Begin(Flight& flight, const Credentials& credentials) {
  const AwsCall& call = *flight.call;
  const UrlParts parts = PartsOf(call.url);
  SignedRequest to_sign{.method = call.method,
                        .host = parts.host,
                        .path = EncodePath(parts.path + call.path),
                        .query = EncodeQuery(call.query),
                        .headers = call.headers,
                        .payload_hash = call.payload_hash.empty() ? Sha256Hex(call.body) : call.payload_hash};
  if (to_sign.path.empty()) to_sign.path = "/";
  http::Request request;
  request.method = call.method;
  request.url = call.url.substr(0, call.url.find('/', call.url.find("://") + 3)) + to_sign.path;
  if (!to_sign.query.empty()) request.url += "?" + to_sign.query;
  request.headers = call.headers;
  for (http::Header& header : Sign(to_sign, credentials, {region_, call.service}, Now()))
    request.headers.push_back(std::move(header));
  request.headers.emplace_back("User-Agent", kUserAgent);
  request.headers.emplace_back("Accept-Encoding", "identity");
  if (call.open_body) {
    request.upload = {.bytes = {}, .pull = call.open_body(), .length = call.body_bytes};
  } else {
    request.upload = {.bytes = call.body, .pull = {}, .length = 0};
  }
  request.fresh_connection = flight.fresh_connection;
  request.max_body = call.max_answer;
  // What comes may be as large as what goes.
  const std::uint64_t most = std::max(request.upload.size(), call.max_answer);
  request.timeout = kPatience + chrono::milliseconds(most * 1000 / kSlowest);
  flight.id = transport_.Start(std::move(request), {});
  ++sent_[call.service + ":" + call.operation];
  return {};
}

void AwsClient::Settle(Flight& flight, http::Outcome outcome) {
  flight.id.reset();
  if (outcome.response) return Judge(flight, *std::move(outcome.response));
  if (outcome.stale_connection && !flight.fresh_connection) {
    flight.fresh_connection = true;
    return;
  }
  switch (*outcome.failure) {
    case http::TransportFailure::kConnect:
    case http::TransportFailure::kTimeout:
    case http::TransportFailure::kReset:
      return Again(flight, std::move(outcome.failure_text), nullptr, outcome.failure_hint);
    case http::TransportFailure::kUntrusted:
    case http::TransportFailure::kTooLarge:
    case http::TransportFailure::kAborted:
      flight.result =
          Fail(ErrorCode::kIo, outcome.failure_hint, "{}: {}", flight.call->act, outcome.failure_text);
  }
}

void AwsClient::Judge(Flight& flight, http::Response response) {
  if (response.status / 100 == 2 || response.status == 304) {
    if (!flight.call->error_in_200 || !HoldsError(response)) {
      flight.result = std::move(response);
      return;
    }
  }
  const ServiceError error = ParseServiceError(response);
  const bool refused = response.status == 400 || response.status == 403;
  if (refused && !flight.new_clock && TakesClockOf(response)) {
    flight.new_clock = true;
    return;
  }
  Verdict verdict = JudgeAnswer(response.status, error);
  if (response.status / 100 == 2 && verdict == Verdict::kFinal && error.code.empty())
    verdict = Verdict::kAgain;
  if (verdict == Verdict::kNewKey && !flight.new_key) {
    flight.new_key = true;
    credentials_.Refused();
    return;
  }
  if (verdict != Verdict::kAgain) {
    flight.result = std::move(response);
    return;
  }
  std::string why = fmt::format("HTTP {}", response.status);
  if (!error.code.empty()) why += " " + error.code;
  if (!error.message.empty()) why += ": " + error.message;
  Again(flight, std::move(why), &response);
}

void AwsClient::Again(Flight& flight, std::string why, const http::Response* response, Hint hint) {
  if (++flight.failures >= retry_.tries) {
    flight.result = Fail(ErrorCode::kIo, hint, "{}: {} after {} tries", flight.call->act, why, flight.failures);
    return;
  }
  Duration pause = retry_.backoff.Delay(flight.failures, random_);
  if (response != nullptr) {
    if (const auto asked = http::ParseRetryAfter(response->header("Retry-After"), Now()))
      pause = std::max(pause, std::min(*asked, kLongestRetryAfter));
  }
  flight.due = clock_.Mono() + pause;
}

bool AwsClient::TakesClockOf(const http::Response& response) {
  const auto date = http::ParseHttpDate(response.header("Date"), clock_.Now());
  if (!date || chrono::abs(*date - Now()) < kWrongClock) return false;
  ahead_ = *date - clock_.Now();
  return true;
}

std::unexpected<Error> AwsClient::Refused(const AwsCall& call, const http::Response& response) const {
  const ServiceError error = ParseServiceError(response);
  if (!error.region.empty() && error.region != region_ && response.status / 100 != 2) {
    return Fail(ErrorCode::kDenied,
                "{}: the bucket is in region {}, and was asked for in {}: set AWS_REGION to where it is",
                call.act, error.region, region_);
  }
  std::string what = fmt::format("HTTP {}", response.status);
  if (!error.code.empty()) what += " " + error.code;
  const std::string_view why = error.message.empty() ? MeaningOf(error.code) : error.message;
  if (!why.empty()) what += fmt::format(": {}", why);
  const bool denied = response.status == 401 || response.status == 403 || response.status / 100 == 3 ||
                      error.code == "NoSuchBucket" || error.code == "AuthorizationHeaderMalformed" ||
                      error.code == "AccessDeniedException" || error.code == "UnrecognizedClientException" ||
                      JudgeAnswer(response.status, error) == Verdict::kNewKey;
  return Fail(denied ? ErrorCode::kDenied : ErrorCode::kIo, "{}: {}", call.act, what);
}

void AwsClient::Pause(int failures) {
  const MonoTime until = clock_.Mono() + retry_.backoff.Delay(failures, random_);
  while (clock_.Mono() < until) (void)transport_.Wait(until);
}

}  // namespace tmdbc::aws
