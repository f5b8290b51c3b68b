// SPDX-License-Identifier: MIT
#include "serving.h"

#include <gtest/gtest.h>

#include <regex>
#include <thread>

namespace tmdbc::testing {

Serving::Serving(std::vector<std::string> arguments, const Environment& settings, const std::filesystem::path& folder) {
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

std::string Serving::Metrics() const {
  const std::string log = program_->err();
  std::smatch match;
  if (!std::regex_search(log, match, std::regex("http://127\\.0\\.0\\.1:([0-9]+)/metrics"))) return log;
  return http::TestConnection(std::uint16_t(std::stoi(match[1]))).Get("/metrics").body;
}

std::set<std::string> ServeNamesIn(const std::string& text, const std::string& before) {
  const std::regex name(before + "(tmdbc_serve_[a-z_]+)");
  std::set<std::string> names;
  for (std::sregex_iterator at(text.begin(), text.end(), name), end; at != end; ++at) names.insert(at->str(1));
  return names;
}

}  // namespace tmdbc::testing
