// SPDX-License-Identifier: MIT
// Book: what the judge writes down of what arrived and what was answered.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "faults.h"
#include "http/server.h"

namespace tmdbc::sim {

class Book {
 public:
  enum class Refusal : std::uint8_t { kRate, kConnections, kFault, kKey };

  void Arrived() { ++requests_; }
  // A request to the API, which is what rates are made of; exports come from another host.
  void ApiArrived(Time now, MonoTime received);
  void Refused(Refusal why) { ++refusals_[static_cast<std::size_t>(why)]; }
  // A connection that was closed while it rested: its request was never seen.
  void Dropped() { ++dropped_; }
  void Spoiled(Fault fault) { ++faults_[static_cast<std::size_t>(fault)]; }
  void Answered(const http::Answer& answer, bool head_only, std::string_view path_class, int appended);

  std::string Json(int most_in_a_second, const http::ServerStats& server) const;

 private:
  std::uint64_t requests_ = 0, api_requests_ = 0, dropped_ = 0;
  std::map<std::string, std::map<int, std::uint64_t>, std::less<>> by_class_;  // class -> status -> requests
  std::map<int, std::uint64_t> by_status_;                                     // 0: no status was sent
  std::uint64_t appended_ = 0;
  std::array<std::uint64_t, 4> refusals_{};  // by Refusal
  std::array<std::uint64_t, kFaults> faults_{};
  std::uint64_t body_bytes_ = 0;
  std::optional<Time> first_, last_;
  MonoTime first_mono_{}, last_mono_{};
};

}  // namespace tmdbc::sim
