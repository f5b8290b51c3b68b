// SPDX-License-Identifier: MIT
#include "book.h"

#include <algorithm>

#include "json.h"

namespace tmdbc::sim {
namespace {

void WriteStatuses(JsonWriter& json, const std::map<int, std::uint64_t>& counts) {
  json.Object();
  for (const auto& [status, count] : counts) {
    json.Int(status == 0 ? "none" : std::to_string(status), static_cast<std::int64_t>(count));
  }
  json.EndObject();
}

}  // namespace

void Book::ApiArrived(Time now, MonoTime received) {
  if (!first_) {
    first_ = now;
    first_mono_ = last_mono_ = received;
  }
  last_ = now;
  last_mono_ = std::max(last_mono_, received);
  ++api_requests_;
}

void Book::Answered(const http::Answer& answer, bool head_only, std::string_view path_class, int appended) {
  const int status = answer.silent ? 0 : answer.status;
  auto known = by_class_.find(path_class);
  if (known == by_class_.end()) known = by_class_.try_emplace(std::string(path_class)).first;
  ++known->second[status];
  ++by_status_[status];
  if (status == 200) appended_ += static_cast<std::uint64_t>(appended);
  if (answer.body && !answer.silent && !head_only)
    body_bytes_ += answer.cut_body_after.value_or(answer.body->size());
}

std::string Book::Json(int most_in_a_second, const http::ServerStats& server) const {
  JsonWriter json;
  const auto count = [&](std::string_view name, std::uint64_t value) {
    json.Int(name, static_cast<std::int64_t>(value));
  };
  json.Object();
  count("requests", requests_);
  json.Key("by_class").Object();
  for (const auto& [name, counts] : by_class_) {
    json.Key(name);
    WriteStatuses(json, counts);
  }
  json.EndObject().Key("by_status");
  WriteStatuses(json, by_status_);
  count("appended_objects", appended_);
  count("api_requests", api_requests_);
  json.Int("most_in_a_second", most_in_a_second);
  json.TextOrNull("first_request", first_ ? FormatTime(*first_) : "");
  json.TextOrNull("last_request", last_ ? FormatTime(*last_) : "");
  json.Real("seconds", std::chrono::duration<double>(last_mono_ - first_mono_).count(), 6);
  json.Key("refused").Object();
  count("rate", refusals_[static_cast<std::size_t>(Refusal::kRate)]);
  count("connections", refusals_[static_cast<std::size_t>(Refusal::kConnections)]);
  count("fault", refusals_[static_cast<std::size_t>(Refusal::kFault)]);
  count("key", refusals_[static_cast<std::size_t>(Refusal::kKey)]);
  json.EndObject().Key("connections").Object();
  json.Int("open", server.open)
      .Int("peak", server.peak_open)
      .Int("peak_per_address", server.peak_per_address);
  count("accepted", server.connections);
  count("excess", server.excess_connections);
  count("dropped", dropped_);
  json.EndObject().Key("faults").Object();
  for (int i = 0; i < kFaults; ++i) {
    if (const auto struck = faults_[static_cast<std::size_t>(i)]; struck > 0)
      count(NameOf(static_cast<Fault>(i)), struck);
  }
  json.EndObject();
  count("body_bytes", body_bytes_);
  count("bytes_sent", server.bytes_sent);
  return json.EndObject().Take();
}

}  // namespace tmdbc::sim
