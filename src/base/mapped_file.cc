// SPDX-License-Identifier: MIT
#include "base/mapped_file.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstdint>
#include <mutex>
#include <utility>

#include "base/system_error.h"

namespace tmdbc {
namespace {

// What the handler looks its address up in: no lock, no memory of its own. `end` is 0 while a slot is free or filled.
struct Slot {
  std::atomic<bool> taken = false, lost = false;
  std::atomic<std::uintptr_t> begin = 0, end = 0;
};
std::array<Slot, MappedFile::kMost> mapped_slots;
struct sigaction action_before;  // written once, before the handler is there

// A page that the file no longer has, or the disk does not give: from here to the end of the mapping there are zeros.
// mmap() is a system call and nothing else; POSIX does not list it as safe here, Linux makes it so.
void OnBusError(int number, siginfo_t* info, void*) {
  const int error = errno;
  const auto at = std::uintptr_t(info->si_addr);
  for (Slot& slot : mapped_slots) {
    const std::uintptr_t end = slot.end;
    if (info->si_code <= 0 || end == 0 || at < slot.begin || at >= end) continue;
    const std::uintptr_t into_page = at % std::uintptr_t(::sysconf(_SC_PAGESIZE));
    if (::mmap(static_cast<char*>(info->si_addr) - into_page, end - at + into_page, PROT_READ,
               MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED) {
      break;
    }
    slot.lost = true;
    errno = error;
    return;
  }
  ::sigaction(number, &action_before, nullptr);
  ::raise(number);  // comes when this returns
}

Result<void> TakeOverBusErrors() {
  static std::once_flag once;
  static int error = 0;
  std::call_once(once, [] {
    struct sigaction ours {};
    ours.sa_sigaction = OnBusError;
    ours.sa_flags = SA_SIGINFO | SA_RESTART;
    if (::sigaction(SIGBUS, nullptr, &action_before) != 0 || ::sigaction(SIGBUS, &ours, nullptr) != 0) error = errno;
  });
  if (error != 0) return SystemError("handle", "SIGBUS", error);
  return {};
}

}  // namespace

Result<MappedFile> MappedFile::Open(const std::string& path) {
  TRY(TakeOverBusErrors());
  // O_NONBLOCK: to open a pipe would wait for somebody who writes.
  Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (file.get() < 0) return SystemError("open", path, errno);
  struct stat status {};
  if (::fstat(file.get(), &status) != 0) return SystemError("stat", path, errno);
  if (!S_ISREG(status.st_mode)) return Fail(ErrorCode::kIo, "map {}: it is not a regular file", path);
  if (status.st_size == 0) return MappedFile(std::move(file), nullptr, 0, 0);
  const auto size = std::size_t(status.st_size);
  void* const mapped = ::mmap(nullptr, size, PROT_READ, MAP_SHARED, file.get(), 0);
  if (mapped == MAP_FAILED) return SystemError("map", path, errno);
  for (std::size_t i = 0; i < kMost; ++i) {
    Slot& slot = mapped_slots[i];
    if (slot.taken.exchange(true)) continue;
    slot.lost = false;
    slot.begin = std::uintptr_t(mapped);
    slot.end = std::uintptr_t(mapped) + size;
    return MappedFile(std::move(file), static_cast<const char*>(mapped), size, i);
  }
  ::munmap(mapped, size);
  return Fail(ErrorCode::kBusy, "map {}: {} files are mapped already", path, kMost);
}

MappedFile::MappedFile(MappedFile&& other) noexcept
    : file_(std::move(other.file_)), begin_(std::exchange(other.begin_, nullptr)), size_(std::exchange(other.size_, 0)), slot_(other.slot_) {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  if (this == &other) return *this;
  Unmap();
  file_ = std::move(other.file_);
  begin_ = std::exchange(other.begin_, nullptr);
  size_ = std::exchange(other.size_, 0);
  slot_ = other.slot_;
  return *this;
}

MappedFile::~MappedFile() {
  Unmap();
}

void MappedFile::Unmap() {
  if (begin_ == nullptr) return;
  Slot& slot = mapped_slots[slot_];
  slot.end = 0;
  ::munmap(const_cast<char*>(begin_), size_);
  slot.taken = false;
}

bool MappedFile::lost() const {
  if (begin_ == nullptr) return false;
  // What is cut within a page of memory reads as zeros and raises no signal.
  struct stat status {};
  return mapped_slots[slot_].lost || ::fstat(file_.get(), &status) != 0 || std::size_t(status.st_size) < size_;
}

}  // namespace tmdbc
