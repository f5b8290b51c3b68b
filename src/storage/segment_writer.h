// SPDX-License-Identifier: MIT
// SegmentWriter: the open segment of one type. It turns lines into zstd frames as they come and puts whole
// batches of frames behind the committed bytes; what is behind them without having been committed is cut off
// again. One thread.
//
//   writer.Add(line)...  writer.Flush()  <the index is written in one transaction, with committed()>
//   writer.Committed()
//
// A flush that failed is followed by Cut(), and so is one whose transaction is known not to have happened. When
// nobody knows (the commit of a transaction reported an error, and yet its bytes may be on the disk), it is
// followed by Keep(): what the index might point to stays in the file. The frames stay in memory in either case
// and the next Flush() writes them, or what is missing of them.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/compression.h"
#include "base/files.h"
#include "storage/record_index.h"

namespace tmdbc {

class SegmentWriter {
 public:
  // `open` is the open segment by the index; when there is none the next one will be `next_number`. The
  // references outlive the writer.
  SegmentWriter(FileSystem& files, ZstdEncoder& encoder, MediaType type, std::uint64_t frame_bytes,
                std::optional<SegmentRow> open, std::uint32_t next_number);

  // Takes a line with its line break into the batch. The place is one within the batch (segment 0) until
  // Resolve().
  Place Add(std::string_view line);
  bool empty() const { return buffer_.empty() && frames_.empty(); }

  // Appends the batch to the file and syncs it, and the folder when the file is new. Not while renaming().
  Result<void> Flush(Time now);
  // After a Flush(): the segment as it will be when the batch is committed, and where its lines are.
  SegmentRow Flushed() const;
  Place Resolve(const Place& place) const;
  // The transaction with Flushed() has been committed: the batch is over.
  void Committed();
  // It has not: the file goes back to its committed size (and what had to be kept before), now or (when even that
  // fails) before the next flush.
  void Cut();
  // Nobody knows: what was flushed stays.
  void Keep();
  bool keeps() const { return kept_ > 0; }
  // It is known by now that the transaction did not happen.
  void Forget() { kept_ = 0; }

  // The committed open segment; empty when none is open.
  const std::optional<SegmentRow>& open() const { return open_; }
  // Renames the open segment to its sealed name and makes that durable; then the index is written, then
  // Sealed() called. After an error renaming() may be true: until it has been called again with success
  // nothing can be flushed. A batch that has not been flushed goes to the next segment. Requires an open
  // segment and not keeps().
  Result<void> Rename();
  bool renaming() const { return renaming_; }
  void Sealed();

 private:
  struct Frame {
    std::uint64_t at;  // within bytes_
    std::uint32_t length;
  };
  // Bytes of the file that stay: the committed ones, and those of a transaction that may have taken place or not.
  std::uint64_t staying_bytes() const { return committed_bytes() + kept_; }
  std::uint64_t committed_bytes() const { return open_ ? open_->bytes : 0; }
  std::uint32_t number() const { return open_ ? open_->number : next_number_; }
  void CloseFrame();
  Result<void> OpenFile();

  // Constant after construction.
  FileSystem& files_;
  ZstdEncoder& encoder_;
  const MediaType type_;
  const std::uint64_t frame_bytes_;

  // The file.
  std::optional<SegmentRow> open_;  // as committed
  std::uint32_t next_number_;
  std::unique_ptr<AppendFile> file_;
  bool file_is_new_ = false;  // its name is not durable yet
  bool dirty_ = true;         // it may hold more than the committed bytes
  bool renaming_ = false;     // Rename() has begun: no more appends under the old name

  // The batch.
  std::string buffer_;  // lines of the frame that is not closed yet
  std::string bytes_;   // closed frames
  std::vector<Frame> frames_;
  std::int64_t records_ = 0;
  std::int64_t content_ = 0;  // bytes of the lines
  std::uint64_t kept_ = 0;    // so much of bytes_ is in the file already, and stays
  Time flushed_at_{};
};

}  // namespace tmdbc
