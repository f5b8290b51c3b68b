// SPDX-License-Identifier: MIT
// FewFiles: as long as it lives this process can open only so many more files and sockets, as under a small
// `ulimit -n`. One thread.
#pragma once

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <vector>

namespace tmdbc::testing {

class FewFiles {
 public:
  explicit FewFiles(int left) {
    ::getrlimit(RLIMIT_NOFILE, &before_);
    rlimit few = before_;
    few.rlim_cur = std::min<rlim_t>(before_.rlim_cur, 512);
    ::setrlimit(RLIMIT_NOFILE, &few);
    for (int fd = 0; (fd = ::open("/dev/null", O_RDONLY | O_CLOEXEC)) >= 0;) held_.push_back(fd);
    for (; left > 0 && !held_.empty(); --left) {
      ::close(held_.back());
      held_.pop_back();
    }
  }
  ~FewFiles() {
    for (const int fd : held_) ::close(fd);
    ::setrlimit(RLIMIT_NOFILE, &before_);
  }
  FewFiles(const FewFiles&) = delete;
  FewFiles& operator=(const FewFiles&) = delete;

 private:
  rlimit before_{};
  std::vector<int> held_;
};

}  // namespace tmdbc::testing
