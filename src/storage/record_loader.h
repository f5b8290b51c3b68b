// SPDX-License-Identifier: MIT
// RecordLoader: stored lines, read by their places and believed only when their frame inflates with the right checksum
// and the line is that of the wanted id and version; and the current view, which is the body that began the version
// with the newest patch applied. One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>

#include "base/compression.h"
#include "base/files.h"
#include "base/zstd_start.h"
#include "storage/record.h"
#include "storage/record_index.h"
#include "storage/record_line.h"

namespace tmdbc {

class RecordLoader {
 public:
  // `files` outlives the loader. It keeps the frames that were used last inflated, up to `kept_bytes` of them, until
  // Forget(): reading in about the order of writing inflates each once. Half a MiB or one a frame, as a rule.
  explicit RecordLoader(BlobReader& files, std::size_t kept_bytes = 0) : files_(files), kept_bytes_(kept_bytes) {}

  // kCorrupt when what is there is not that record. The message names record, file and offset.
  Result<StoredRecord> Load(MediaId id, std::int64_t version, const Place& place);
  // The current view that `row` is. Where that is a patch, it is two reads.
  Result<StoredRecord> LoadView(RecordIndex& index, const IndexRow& row);
  // Its body alone.
  Result<std::string> LoadBody(MediaId id, std::int64_t version, const Place& place);
  // The body of the current view that `row` is, for a reader of a record here and there: of its frame no more is
  // inflated than what ends with its line, and the body is believed by the line's sha256. Nothing else of the line is
  // proven so. A frame that is wanted again, further on, is inflated whole.
  Result<std::string> LoadViewBody(RecordIndex& index, const IndexRow& row);

  // The place of the line that began the version of `row`; kCorrupt when the index does not have it.
  static Result<Place> BaseOf(RecordIndex& index, const IndexRow& row);

  // Whether it is kept: nothing has to be read for what is in it.
  bool AtHand(MediaType type, const Place& place) const;

  void Forget() {
    frames_.clear();
    bytes_ = 0;
  }

 private:
  struct Loaded {
    std::shared_ptr<const std::string> content;  // of the frame; the others point into it
    std::string_view text;
    RecordLine line;
  };
  struct Frame {
    MediaType type{};
    std::uint32_t segment = 0;
    std::uint64_t at = 0;
    std::shared_ptr<const std::string> content;
    bool whole = true;  // else its start
  };
  // What proves a line: the checksum of its whole frame, or the sha256 of its body.
  enum class Proof : std::uint8_t { kFrame, kBody };
  Result<Loaded> LoadLine(MediaId id, std::int64_t version, const Place& place, Proof proof = Proof::kFrame);
  Result<Loaded> ReadLine(MediaId id, std::int64_t version, const Place& place, Proof proof);
  // The frame's content, at least up to the line's end when the body is to prove it.
  Result<Frame> Content(MediaType type, const Place& place, Proof proof);
  void Keep(Frame frame);

  std::deque<Frame>::const_iterator Kept(MediaType type, const Place& place) const;

  BlobReader& files_;
  const std::size_t kept_bytes_;
  std::deque<Frame> frames_;  // the one that was used last is the last
  std::size_t bytes_ = 0;     // of their contents
  ZstdDecoder decoder_;
  ZstdStart start_;
};

}  // namespace tmdbc
