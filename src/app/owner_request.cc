// SPDX-License-Identifier: MIT
#include "app/owner_request.h"

#include <string>
#include <utility>
#include <vector>

#include "app/trigger_event.h"
#include "base/json.h"
#include "harvester/freshness.h"

namespace tmdbc {
namespace {

namespace dom = simdjson::dom;

bool Says(dom::element event, const char* member, std::string_view wanted) {
  std::string_view text;
  return event[member].get(text) == simdjson::SUCCESS && text == wanted;
}

// Takes "accept_deletions" out of the detail of a delivered event, and says whether it was true.
Result<bool> TakeConsent(std::string& event, const std::string& key) {
  const auto parsed = ParsedJson::Parse(event);
  dom::object root, detail;
  if (!parsed || parsed->root().get(root) != simdjson::SUCCESS || root["detail"].get(detail) != simdjson::SUCCESS) {
    return false;  // the reader of the rest says so
  }
  std::vector<bool> cut;
  bool given = false, agrees = false;
  for (const auto [name, value] : detail) {
    cut.push_back(name == "accept_deletions");
    if (!cut.back()) continue;
    if (value.get(agrees) != simdjson::SUCCESS) {
      return Fail(ErrorCode::kInvalid, "{}: detail: accept_deletions must be true or false", key);
    }
    given = true;
  }
  if (!given) return false;
  std::size_t place = 0;
  for (const auto [name, value] : root) {
    if (name == "detail") break;
    ++place;
  }
  const RawMember at = RawMembers(event)[place];
  const std::string text = event.substr(at.value, at.end - at.value);
  event.replace(at.value, at.end - at.value, WithoutMembers(text, RawMembers(text), cut));
  return agrees;
}

// {"source":"tmdb-data-collector","detail-type":"Collection Requested","detail":{"mode":"redrive"}}: nothing else goes
// with it but the stage.
Result<bool> AsksForRedrive(dom::element event, const std::string& key) {
  dom::object detail;
  std::string_view mode;
  if (!Says(event, "source", "tmdb-data-collector") || event["detail"].get(detail) != simdjson::SUCCESS ||
      detail["mode"].get(mode) != simdjson::SUCCESS || mode != "redrive") {
    return false;
  }
  for (const auto [name, value] : detail) {
    if (name == "mode" || name == "stage") continue;
    return Fail(ErrorCode::kInvalid, "{}: detail: with mode redrive goes no {}", key, name);
  }
  return true;
}

}  // namespace

Result<OwnerEventKind> KindOfEvent(std::string_view event) {
  const auto parsed = ParsedJson::Parse(event);
  if (!parsed) return Fail(ErrorCode::kInvalid, "the event is not JSON: {}", parsed.error().message);
  if (!parsed->root().is_object()) return Fail(ErrorCode::kInvalid, "the event is not an object");
  OwnerEventKind kind;
  if (Says(parsed->root(), "detail-type", "Heartbeat")) kind.kind = OwnerEventKind::Kind::kHeartbeat;
  if (Says(parsed->root(), "detail-type", "Probe")) kind.kind = OwnerEventKind::Kind::kProbe;
  std::string_view id;
  if (parsed->root()["id"].get(id) == simdjson::SUCCESS) kind.id = id;
  return kind;
}

Result<OwnerRequest> ReadOwnerRequest(std::string_view event, const std::string& key) {
  OwnerRequest request;
  std::string text(event);
  TRY_ASSIGN(request.accept_deletions, TakeConsent(text, key));
  if (const auto parsed = ParsedJson::Parse(text)) {
    TRY_ASSIGN(request.redrive, AsksForRedrive(parsed->root(), key));
    if (request.redrive) return request;
  }
  TRY_ASSIGN(auto events, ParseTriggerEvents(text, key));
  for (auto& one : events) {
    TRY(one);
    request.harvests.push_back(*std::move(one));
  }
  return request;
}

HarvestOptions HarvestOptionsFor(const Settings& settings, const HarvestRequest& request) {
  HarvestOptions options;
  options.types = request.types.empty() ? settings.media_types : request.types;
  options.include_adult = settings.include_adult;
  options.limit = request.limit;
  options.mode = request.mode;
  options.since = request.since;
  options.until = request.until;
  options.refresh_budget =
      double(RefreshBudget(settings.rate_limit_requests, settings.collection_interval, 0));
  return options;
}

}  // namespace tmdbc
