// SPDX-License-Identifier: MIT
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <exception>

#include "app/output.h"
#include "app/program.h"

namespace {

// Where stdin, stdout or stderr is closed, the next file to be opened would get its number, and what is
// printed would go into that file.
void OccupyStandardStreams() {
  int fd = -1;
  do {
    fd = ::open("/dev/null", O_RDWR);
  } while (fd >= 0 && fd <= STDERR_FILENO);
  if (fd >= 0) ::close(fd);
}

// Shells give 1,024 open files, some 256, and let a program take more: a server has a socket for each client.
void AllowOpenFiles() {
  constexpr rlim_t kEnough = 65'536;
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= kEnough) return;
  limit.rlim_cur = std::min(limit.rlim_max, kEnough);
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace

int main(int argc, char** argv) {
  OccupyStandardStreams();
  AllowOpenFiles();
  // A file that reaches the size limit of the process (ulimit -f) is an error of that write, EFBIG.
  ::signal(SIGXFSZ, SIG_IGN);
  // We throw nothing; a library might, and memory might run out.
  try {
    return tmdbc::RunProgram(argc, argv);
  } catch (const std::exception& error) {
    tmdbc::PrintError(error.what(), tmdbc::LogFormat::kText);
    return 3;
  }
}
