// SPDX-License-Identifier: MIT
// Serving: the built program while it serves, for tests that ask it over HTTP.
#pragma once

#include <gtest/gtest.h>
#include <signal.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <regex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "http/server_test_client.h"
#include "program.h"

namespace tmdbc::testing {

// A program whose output says where it serves.
class Serving {
 public:
  Serving(std::vector<std::string> arguments, const Environment& settings, const std::filesystem::path& folder) {
    arguments.insert(arguments.begin(), CollectorPath());
    program_.emplace(std::move(arguments), settings, folder);
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::minutes(1);
    while (port_ == 0 && !program_->Finished() && std::chrono::steady_clock::now() < deadline) {
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
      const std::string text = program_->out() + program_->err();
      std::smatch match;
      if (std::regex_search(text, match, std::regex("(?:at |url=)http://127\\.0\\.0\\.1:([0-9]+)/3[,\\s]")))
        port_ = std::uint16_t(std::stoi(match[1]));
    }
    EXPECT_NE(port_, 0) << program_->err();
  }
  std::uint16_t port() const { return port_; }
  http::SeenAnswer Get(const std::string& target, const std::string& headers = "") const {
    return http::TestConnection(port_).Get(target, headers);
  }
  // What METRICS_LISTEN=127.0.0.1:0 gives.
  std::string Metrics() const {
    const std::string log = program_->err();
    std::smatch match;
    if (!std::regex_search(log, match, std::regex("http://127\\.0\\.0\\.1:([0-9]+)/metrics"))) return log;
    return http::TestConnection(std::uint16_t(std::stoi(match[1]))).Get("/metrics").body;
  }
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
inline std::set<std::string> ServeNamesIn(const std::string& text, const std::string& before = "") {
  const std::regex name(before + "(tmdbc_serve_[a-z_]+)");
  std::set<std::string> names;
  for (std::sregex_iterator at(text.begin(), text.end(), name), end; at != end; ++at) names.insert(at->str(1));
  return names;
}

}  // namespace tmdbc::testing
