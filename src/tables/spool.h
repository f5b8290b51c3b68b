// SPDX-License-Identifier: MIT
// Spool: lines on their way from the order of the feed into the order of ids. One file, thrown away at the end; lines
// go into buckets, and come out bucket by bucket, in the order in which they came. In memory are 64 MB of lines that
// are not written yet and a few bytes a frame, however many lines there are. One thread.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/compression.h"
#include "base/result.h"

namespace tmdbc::tables {

// What lies on the disk for some seconds: two thirds larger than by level 1, for a third of the CPU
// (docs/decisions/tables.md).
inline constexpr int kSpoolLevel = -10;

class Spool {
 public:
  // Makes the file, or empties it; it is gone when the spool is.
  static Result<Spool> Create(std::string path);
  Spool(Spool&& other) noexcept;
  Spool& operator=(Spool&&) = delete;
  ~Spool();

  // `ordinal`: the line's number, given back with it.
  Result<void> Add(std::int64_t bucket, std::int64_t ordinal, std::string_view line);
  // The buckets that have lines, ascending.
  std::vector<std::int64_t> Buckets() const;
  // The view lasts as long as the call.
  using Visit = std::function<Result<void>(std::int64_t ordinal, std::string_view line)>;
  Result<void> Read(std::int64_t bucket, const Visit& visit);

 private:
  struct Frame {
    std::uint64_t at;
    std::uint32_t length;
    std::uint32_t content;
  };
  struct Bucket {
    std::string buffer;
    std::vector<Frame> frames;
  };

  Spool(std::string path, int file) : path_(std::move(path)), file_(file) {}
  Result<void> Flush(Bucket& bucket);

  std::string path_;
  int file_;
  std::uint64_t size_ = 0;
  std::uint64_t buffered_ = 0;
  std::map<std::int64_t, Bucket> buckets_;
  std::string spare_;  // empty: memory for the buffer that is next to be filled
  ZstdEncoder encoder_{kSpoolLevel};
  ZstdDecoder decoder_;
};

}  // namespace tmdbc::tables
