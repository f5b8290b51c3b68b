// SPDX-License-Identifier: MIT
// A disk that fails when a test says so: loaded into a program with LD_PRELOAD, it looks into the file that
// BAD_DISK_PLAN names, while it is there, at every write, read, sync and truncation of a file, and lets those fail that
// a line of it names:
//
//   write /tmp/x/data ENOSPC             every write to a file whose path holds "/tmp/x/data"
//   read 001.jsonl.zst EIO 4096 8192     reads that touch the 8,192 bytes from 4,096 on
//   sync catalog.db EIO                  fsync and fdatasync of a file
//   sync-folder records EINVAL           fsync of a folder
//
// What it takes the place of in the C library is what SQLite and our own files call.
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace {

int NumberOf(const char* name) {
  constexpr struct {
    const char* name;
    int number;
  } kErrors[] = {{"ENOSPC", ENOSPC}, {"EDQUOT", EDQUOT}, {"EIO", EIO}, {"EINVAL", EINVAL}, {"EFBIG", EFBIG}, {"EACCES", EACCES}};
  for (const auto& error : kErrors) {
    if (std::strcmp(name, error.name) == 0) return error.number;
  }
  return EIO;
}

// The plan as it is now; false when there is none.
bool ReadPlan(char* text, std::size_t size) {
  const char* const path = std::getenv("BAD_DISK_PLAN");
  if (path == nullptr) return false;
  const long fd = ::syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
  if (fd < 0) return false;
  const long n = ::syscall(SYS_read, fd, text, size - 1);
  ::syscall(SYS_close, fd);
  text[n > 0 ? n : 0] = '\0';
  return n > 0;
}

// Whether the plan lets `act` on the file fail; then errno is set.
bool Fails(const char* act, int fd, unsigned long long at, unsigned long long size) {
  const int before = errno;
  char plan[4096];
  if (!ReadPlan(plan, sizeof plan)) {
    errno = before;
    return false;
  }
  char link[64], path[4096];
  std::snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  const ssize_t length = ::readlink(link, path, sizeof path - 1);
  path[length > 0 ? length : 0] = '\0';
  errno = before;
  char* rest = nullptr;
  for (char* line = ::strtok_r(plan, "\n", &rest); line != nullptr; line = ::strtok_r(nullptr, "\n", &rest)) {
    char what[32], where[2048], error[32];
    unsigned long long from = 0, bytes = ~0ULL;
    if (std::sscanf(line, "%31s %2047s %31s %llu %llu", what, where, error, &from, &bytes) < 3) continue;
    const bool touches = at < from + (bytes == ~0ULL ? bytes - from : bytes) && at + size > from;
    if (std::strcmp(what, act) != 0 || std::strstr(path, where) == nullptr || !touches) continue;
    errno = NumberOf(error);
    return true;
  }
  return false;
}

constexpr unsigned long long kWhole = ~0ULL >> 1;

bool SyncFails(int fd) {
  struct stat info{};
  const bool folder = ::fstat(fd, &info) == 0 && S_ISDIR(info.st_mode);
  return Fails(folder ? "sync-folder" : "sync", fd, 0, kWhole);
}

}  // namespace

extern "C" {

ssize_t write(int fd, const void* data, std::size_t size) {
  return Fails("write", fd, 0, kWhole) ? -1 : ::syscall(SYS_write, fd, data, size);
}
ssize_t pwrite(int fd, const void* data, std::size_t size, off_t at) {
  return Fails("write", fd, static_cast<unsigned long long>(at), size)
             ? -1
             : ::syscall(SYS_pwrite64, fd, data, size, at);
}
ssize_t pwrite64(int fd, const void* data, std::size_t size, off64_t at) {
  return Fails("write", fd, static_cast<unsigned long long>(at), size)
             ? -1
             : ::syscall(SYS_pwrite64, fd, data, size, at);
}
int ftruncate(int fd, off_t size) {
  return Fails("write", fd, 0, kWhole) ? -1 : static_cast<int>(::syscall(SYS_ftruncate, fd, size));
}
int ftruncate64(int fd, off64_t size) {
  return Fails("write", fd, 0, kWhole) ? -1 : static_cast<int>(::syscall(SYS_ftruncate, fd, size));
}
ssize_t pread(int fd, void* data, std::size_t size, off_t at) {
  return Fails("read", fd, static_cast<unsigned long long>(at), size)
             ? -1
             : ::syscall(SYS_pread64, fd, data, size, at);
}
ssize_t pread64(int fd, void* data, std::size_t size, off64_t at) {
  return Fails("read", fd, static_cast<unsigned long long>(at), size)
             ? -1
             : ::syscall(SYS_pread64, fd, data, size, at);
}
int fsync(int fd) {
  return SyncFails(fd) ? -1 : static_cast<int>(::syscall(SYS_fsync, fd));
}
int fdatasync(int fd) {
  return SyncFails(fd) ? -1 : static_cast<int>(::syscall(SYS_fdatasync, fd));
}

}  // extern "C"
