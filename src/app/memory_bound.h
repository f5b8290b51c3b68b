// SPDX-License-Identifier: MIT
// MemoryBound: while it lives, this process may take only so many bytes of memory more than it has. What asks for more
// is refused: std::bad_alloc. For libraries that bound most of what they take, but not all. One at a time in a process.
#pragma once

#include <sys/resource.h>
#include <unistd.h>

#include <cstdint>
#include <fstream>

namespace tmdbc {

class MemoryBound {
 public:
  explicit MemoryBound(std::uint64_t bytes) {
    // RLIMIT_DATA counts what /proc/self/statm calls data, in pages: the sixth number.
    std::ifstream statm("/proc/self/statm");
    std::uint64_t pages = 0;
    for (int i = 0; i < 6; ++i) statm >> pages;
    if (!statm || ::getrlimit(RLIMIT_DATA, &before_) != 0) return;
    const rlim_t most = pages * std::uint64_t(::sysconf(_SC_PAGESIZE)) + bytes;
    if (most >= before_.rlim_cur) return;
    const rlimit bound{most, before_.rlim_max};
    bounded_ = ::setrlimit(RLIMIT_DATA, &bound) == 0;
  }
  MemoryBound(const MemoryBound&) = delete;
  ~MemoryBound() {
    if (bounded_) ::setrlimit(RLIMIT_DATA, &before_);
  }

 private:
  rlimit before_{};
  bool bounded_ = false;
};

}  // namespace tmdbc
