// SPDX-License-Identifier: MIT
// A disk that is full when a test says so: loaded into a program with LD_PRELOAD, it lets every write to a
// file below FULL_DISK_FOLDER fail with ENOSPC while the file FULL_DISK_WHEN is there. What it takes the
// place of in the C library is what SQLite and our own files write with.
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace {

bool IsFull(int fd) {
  const char* const folder = std::getenv("FULL_DISK_FOLDER");
  const char* const when = std::getenv("FULL_DISK_WHEN");
  if (folder == nullptr || when == nullptr) return false;
  const int error = errno;
  char link[64], path[4096];
  std::snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  const ssize_t size = ::readlink(link, path, sizeof path - 1);
  bool full = false;
  if (size > 0) {
    path[size] = '\0';
    full = std::strncmp(path, folder, std::strlen(folder)) == 0 && ::access(when, F_OK) == 0;
  }
  errno = full ? ENOSPC : error;
  return full;
}

}  // namespace

extern "C" {

ssize_t write(int fd, const void* data, std::size_t size) {
  return IsFull(fd) ? -1 : ::syscall(SYS_write, fd, data, size);
}

ssize_t pwrite(int fd, const void* data, std::size_t size, off_t at) {
  return IsFull(fd) ? -1 : ::syscall(SYS_pwrite64, fd, data, size, at);
}

ssize_t pwrite64(int fd, const void* data, std::size_t size, off64_t at) {
  return IsFull(fd) ? -1 : ::syscall(SYS_pwrite64, fd, data, size, at);
}

}  // extern "C"
