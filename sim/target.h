// SPDX-License-Identifier: MIT
// Target: what a request asks for, taken apart. Unknown parameters stay in it; nobody reads
// them, as at TMDB.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tmdbc::sim {

struct Target {
  std::string path;  // decoded, without the query
  std::map<std::string, std::string> query;

  // Empty when it is absent.
  std::string_view parameter(const std::string& name) const;
};

Target ParseTarget(std::string_view text);

// Without empty parts.
std::vector<std::string_view> Split(std::string_view text, char by);
// The parts from `first` on, with slashes between them.
std::string JoinFrom(const std::vector<std::string_view>& parts, std::size_t first);
// All of it a whole number.
std::optional<std::int64_t> ParseInteger(std::string_view text);
// "550" and, as TMDB has it, "550-some-title".
std::optional<std::int64_t> ParseId(std::string_view text);
// The number of a season or an episode.
std::optional<int> ParseNumber(std::string_view text);

}  // namespace tmdbc::sim
