// SPDX-License-Identifier: MIT
// Where tests keep the files of lives that sync thousands of times, and in which no power fails: in memory, where the
// machine has a folder for that, else where all temporary files go.
#pragma once

#include <unistd.h>

#include <filesystem>

namespace tmdbc::testing {

inline std::filesystem::path MemoryFolder() {
  const char* const memory = "/dev/shm";
  return ::access(memory, W_OK | X_OK) == 0 ? std::filesystem::path(memory) : std::filesystem::temp_directory_path();
}

}  // namespace tmdbc::testing
