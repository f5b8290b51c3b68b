// SPDX-License-Identifier: MIT
// Reading segments: one record by its place, or every frame from the first to the last. What it reads is
// believed only when the frame inflates with the right checksum. One thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/compression.h"
#include "base/files.h"
#include "storage/record_index.h"
#include "storage/segment_origin.h"

namespace tmdbc {

// The compressed frame at `place` of a type's segment, under whichever name the file has now: a segment that
// another process is sealing changes its name between one call and the next.
Result<std::string> ReadFrame(BlobReader& files, MediaType type, const Place& place);

// The line that begins at `line_at` of a frame's content, without its line break. kCorrupt when no whole line
// begins there.
Result<std::string_view> LineAt(std::string_view content, std::uint64_t line_at);

// What the file of a compacted segment says it stands for; empty when it is a plain one. kCorrupt when it
// says that in a way nobody can read.
Result<std::optional<SegmentOrigin>> ReadOrigin(BlobReader& files, const std::string& path);

// CRC-32 of the file's first `end` bytes. kUnreadable when the disk does not give them all back.
Result<std::uint32_t> CrcOf(BlobReader& files, const std::string& path, std::uint64_t end);

// Walks the frames of one file.
class SegmentReader {
 public:
  // Reads the file's bytes from `begin` to `end`. `files` outlives the reader.
  SegmentReader(BlobReader& files, std::string path, std::uint64_t end, std::uint64_t begin = 0);

  struct Frame {
    std::uint64_t at = 0;
    std::uint64_t length = 0;
    std::string content;
    std::string damage;                   // not empty: these bytes are no whole frame; `content` is empty
    std::optional<SegmentOrigin> origin;  // the first frame of a compacted segment, without content
  };
  // The next frame, or the bytes up to the next one that is whole; empty at the end. What the disk does not give back
  // is damage, too: the frames around it are read. An error is another one of the disk's.
  Result<std::optional<Frame>> Next();

  // Of every byte, once Next() has come to the end.
  std::uint32_t crc() const { return crc_; }

 private:
  // Makes the bytes from `at_` on available, `length` of them or all that are left.
  Result<std::string_view> Window(std::uint64_t length);
  // Bytes of the file, with zeros for those that the disk does not give back: no checksum can fit them.
  Result<std::string> ReadAround(std::uint64_t from, std::uint64_t length);
  bool Unreadable(std::uint64_t from, std::uint64_t to) const;
  // Tries to read the frame that begins `skip` bytes after `at_`, reading on as far as it takes.
  Result<Frame> TryFrame(std::uint64_t skip);
  // The frame at the start of a compacted segment.
  Result<Frame> TakeOrigin(Frame frame);

  BlobReader& files_;
  const std::string path_;
  const std::uint64_t end_;
  ZstdDecoder decoder_;
  std::string buffer_;  // the file's bytes from buffer_at_ on; those before at_ are done with
  std::uint64_t buffer_at_ = 0;
  std::uint64_t at_ = 0;   // the next frame begins here
  std::uint32_t crc_ = 0;  // of the bytes before buffer_at_ + buffer_.size()
  std::vector<std::pair<std::uint64_t, std::uint64_t>> unreadable_;  // ranges of the file
};

}  // namespace tmdbc
