// SPDX-License-Identifier: MIT
// MappedFile: a file's bytes where they lie, mapped into memory for reading. A program that cuts such a file off while
// it is in use, or a disk that no longer gives its bytes back, would end ours by SIGBUS. Here what cannot be read
// becomes zeros, and lost() says so: the program goes on, and the user of the file does away with it. Each keeps a
// descriptor. Any thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

#include "base/descriptor.h"
#include "base/result.h"

namespace tmdbc {

class MappedFile {
 public:
  // So many at a time.
  static constexpr std::size_t kMost = 4096;

  // As long as it is now; an empty file has no bytes. kNotFound: no such file. The first call takes over SIGBUS for the
  // whole process; one that no mapped file explains ends the program as before.
  static Result<MappedFile> Open(const std::string& path);
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;
  ~MappedFile();

  std::string_view bytes() const { return {begin_, size_}; }
  // From some byte on they are zeros, and no longer the file's. A system call: to be asked when all is read.
  bool lost() const;

 private:
  MappedFile(Descriptor file, const char* begin, std::size_t size, std::size_t slot)
      : file_(std::move(file)), begin_(begin), size_(size), slot_(slot) {}
  void Unmap();

  Descriptor file_;
  const char* begin_;  // null: nothing is mapped
  std::size_t size_;
  std::size_t slot_;   // in the table that the signal's handler reads
};

}  // namespace tmdbc
