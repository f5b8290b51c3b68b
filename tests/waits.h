// SPDX-License-Identifier: MIT
// A test of what is not built yet: skipped, so that ctest names it in its last lines; run all the same with
// TMDBC_RUN_WAITING=1.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>

#define TMDBC_WAITS_FOR(what) \
  if (std::getenv("TMDBC_RUN_WAITING") == nullptr) GTEST_SKIP() << "waits for " what
