// SPDX-License-Identifier: MIT
// Serving: the built program while it serves, for tests that ask it over HTTP.
#pragma once

#include <signal.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "http/server_test_client.h"
#include "program.h"

namespace tmdbc::testing {

// A program whose output says where it serves.
class Serving {
 public:
  Serving(std::vector<std::string> arguments, const Environment& settings, const std::filesystem::path& folder);
  std::uint16_t port() const { return port_; }
  http::SeenAnswer Get(const std::string& target, const std::string& headers = "") const {
    return http::TestConnection(port_).Get(target, headers);
  }
  // What METRICS_LISTEN=127.0.0.1:0 gives.
  std::string Metrics() const;
  Program& program() { return *program_; }
  int Stop() {
    program_->Signal(SIGTERM);
    return program_->Wait(std::chrono::seconds(30)).value_or(-1);
  }

 private:
  std::optional<Program> program_;
  std::uint16_t port_ = 0;
};

// The names of the numbers about what is served: of a text of Prometheus's, or of a page that speaks of them.
std::set<std::string> ServeNamesIn(const std::string& text, const std::string& before = "");

}  // namespace tmdbc::testing
