// SPDX-License-Identifier: MIT
#include <fcntl.h>
#include <unistd.h>

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

}  // namespace

int main(int argc, char** argv) {
  OccupyStandardStreams();
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
