// SPDX-License-Identifier: MIT
// Replay: tells the index what the lines of segments say, one segment of a type after the other, in the order in which
// things happened. What catalog.db lost (rebuild.h) and what it never heard of (adopt.h) is learned here, by one set of
// rules. Within a transaction of the caller's. One thread.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "base/files.h"
#include "storage/dead_bytes.h"
#include "storage/record_index.h"
#include "storage/record_line.h"
#include "storage/record_loader.h"
#include "storage/sequence_state.h"
#include "storage/verify.h"

namespace tmdbc {

// A segment as a file.
struct FoundSegment {
  std::uint32_t number = 0;
  std::string path;
  bool open = false;
  std::optional<SegmentOrigin> origin{};
  bool late = false;  // a compacted one that cannot say its place: it is read at that of its number

  // Its place in the order in which things happened.
  std::uint32_t place() const { return origin ? origin->last() : number; }
};

// Reads the origin of a sealed segment, or learns that it cannot be read.
Result<void> FindOrigin(BlobReader& files, FoundSegment& segment);

class Replay {
 public:
  // Whether the index had the lines of the segment of that number before.
  using Knows = std::function<bool(std::uint32_t number)>;

  // All outlive the replay. An empty `knows`: the index begins empty. `report` gets counts and damage.
  Replay(BlobReader& files, RecordIndex& index, MediaType type, VerifyReport& report, Knows knows = {})
      : files_(files),
        index_(index),
        type_(type),
        report_(report),
        knows_(std::move(knows)),
        loader_(files, kKeptBytes) {}

  // In the order of their places. Lines that the index has from the segments that this one was made of are only moved.
  Result<void> Take(const FoundSegment& segment);
  // After the last one.
  Result<void> Finish();

  // An open segment that does not end with a whole frame; the caller cuts it once the index has been written.
  struct Tail {
    std::string path;
    std::uint64_t size;  // to which it is to be cut
  };
  const std::vector<Tail>& tails() const { return tails_; }
  // How many lines the index had before.
  std::int64_t known() const { return known_; }

 private:
  // A refresh asks in about the order in which was stored: so do the patches ask for the bodies that they stand on.
  static constexpr std::size_t kKeptBytes = 16 << 20;

  class Source;
  struct Deferred {
    std::string path, text;
    Place place;
  };

  void Note(std::string file, std::uint64_t offset, std::string what, std::vector<MediaId> records = {}) {
    report_.damage.push_back({std::move(file), offset, std::move(what), std::move(records)});
  }
  Result<void> TakeLine(const std::string& path, std::string_view text, const Place& place,
                        SegmentRow& segment, Source& source);
  Result<void> TakeRecord(const std::string& path, std::string_view text, const RecordLine& line,
                          const Place& place);
  Result<void> TakeVerified(const RecordLine& line);
  // False when the index has no such line.
  Result<bool> Move(const RecordLine& line, const Place& to);
  template <class Damaged>
  Result<void> HashPatched(const IndexRow& before, const RecordLine& line, IndexRow& row,
                           const Damaged& damaged);
  Result<void> TakeDeferred();
  Result<void> Unmark(MediaId id);
  Result<void> Enter(IndexRow row);
  Result<void> EnterStep(const IndexRow& row);
  Result<Time> SealedAt(std::uint32_t number);

  // Constant after construction.
  BlobReader& files_;
  RecordIndex& index_;
  const MediaType type_;
  VerifyReport& report_;
  const Knows knows_;

  RecordLoader loader_;
  std::optional<SequenceState> state_;  // empty: not read yet
  std::vector<Tail> tails_;
  std::vector<Deferred> deferred_;
  std::unordered_set<std::int64_t> marked_;  // ids that are missing or held, where the index began empty
  std::int64_t known_ = 0;

  // Of the segment at work.
  Time last_fetched_{};
  bool late_ = false;
  DeadBytes dead_;
};

}  // namespace tmdbc
