// SPDX-License-Identifier: MIT
// Recorded bodies of TMDB, for tests. They are TMDB's content and no part of this project: TMDBC_CORPUS names the
// folder that has them (else ../shared/corpus beside the source). A test that lacks them is skipped, and ./dev test names
// every skipped test at its end: nothing is left out in silence.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

namespace tmdbc::testing {

inline std::filesystem::path CorpusFolder() {
  if (const char* named = std::getenv("TMDBC_CORPUS")) return named;
  const char* source = std::getenv("TMDBC_SOURCE_DIR");
  return std::filesystem::path(source != nullptr ? source : ".") / "../shared/corpus";
}

}  // namespace tmdbc::testing

// First in a test that reads `name`, a file or folder of the corpus.
#define TMDBC_NEEDS_CORPUS(name)                                                                       \
  if (const auto needed = ::tmdbc::testing::CorpusFolder() / (name); !std::filesystem::exists(needed)) \
  GTEST_SKIP() << "no recorded bodies: " << needed << " is not there; TMDBC_CORPUS names their folder"
