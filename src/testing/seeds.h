// SPDX-License-Identifier: MIT
// How much of itself a test that lives on chance does, as the environment says. TMDBC_SEED=17 is that one seed alone,
// with its log; TMDBC_SEEDS=N the first N seeds; without either the test's usual number. What is not a whole number
// from 1 on fails the test with a sentence that names it: a test of no seeds at all would pass.
#pragma once

#include <fmt/format.h>

#include <charconv>
#include <cstdint>
#include <cstdlib>
#include <stdexcept>
#include <string_view>
#include <vector>

namespace tmdbc::testing {

// `text`: the variable's value; null: it is not set. Throws std::invalid_argument.
inline std::uint64_t CountOf(std::string_view name, const char* text, std::uint64_t usual) {
  if (text == nullptr) return usual;
  const std::string_view value(text);
  std::uint64_t count = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), count);
  if (error != std::errc() || end != value.data() + value.size() || count == 0)
    throw std::invalid_argument(fmt::format("{}='{}': a whole number from 1 on is wanted", name, value));
  return count;
}

inline std::uint64_t CountFromEnvironment(const char* name, std::uint64_t usual) {
  return CountOf(name, std::getenv(name), usual);
}

// One seed was asked for: it tells what happens.
inline bool IsOneSeed() {
  return std::getenv("TMDBC_SEED") != nullptr;
}

// The seeds of one of `parts` parts, 0.., into which a test is cut so that ctest runs them side by side: each seed is
// in one of them.
inline std::vector<std::uint64_t> SeedsOf(int part, int parts, std::uint64_t usual) {
  const std::uint64_t count = CountFromEnvironment("TMDBC_SEEDS", usual);
  const std::uint64_t one = CountFromEnvironment("TMDBC_SEED", 1);
  if (IsOneSeed()) return part == 0 ? std::vector{one} : std::vector<std::uint64_t>{};
  std::vector<std::uint64_t> seeds;
  for (std::uint64_t seed = 1 + std::uint64_t(part); seed <= count; seed += std::uint64_t(parts)) seeds.push_back(seed);
  return seeds;
}

}  // namespace tmdbc::testing
