// SPDX-License-Identifier: MIT
// SegmentOrigin: what a compacted segment stands for. It has a number of its own, but its place in the order
// of things is that of the segments it was made of: it says which these were and how many of its lines came
// from each, so that the change feed keeps its sequence numbers and a follower in the middle goes on where it
// was.
//
// It is written at the start of the file in a skippable frame (RFC 8878 section 3.1.2), which every zstd
// reader passes over:
//
//   50 2a 4d 18, the length of what follows as a little-endian uint32,
//   {"segments":[[1,120],[2,35]],"retired":[12],"crc32":"0a1b2c3d"}
//
// with the CRC-32 of the text before ,"crc32". Pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace tmdbc {

inline constexpr std::string_view kOriginMagic = "\x50\x2a\x4d\x18";
// The magic number and the length.
inline constexpr std::size_t kOriginHead = 8;
// Of one compacted segment; then its header stays below kMaxOriginBytes.
inline constexpr std::size_t kMaxOriginParts = 20'000;
inline constexpr std::size_t kMaxOriginBytes = 1 << 20;

struct SegmentOrigin {
  struct Part {
    std::uint32_t number = 0;  // of a segment as it was first sealed: its sequence number in the feed
    std::int64_t lines = 0;    // so many of the file's lines are from it
    bool operator==(const Part&) const = default;
  };
  std::vector<Part> parts;             // ascending, in the order of the lines; at least one
  std::vector<std::uint32_t> retired;  // ascending: the numbers of compacted segments that went into it

  // The place in the order: the last sequence number it holds.
  std::uint32_t last() const { return parts.back().number; }
  std::int64_t lines() const;
  // Whether a file of that number went into it: then that number is not a gap.
  bool Covers(std::uint32_t number) const;
  bool operator==(const SegmentOrigin&) const = default;
};

// The text, as it also stands in the index.
std::string FormatOrigin(const SegmentOrigin& origin);
// Takes exactly what FormatOrigin() writes; kCorrupt else.
Result<SegmentOrigin> ParseOrigin(std::string_view text);

// The frame at the start of the file.
std::string OriginFrame(const SegmentOrigin& origin);
// The length of the frame that `bytes` begin with; 0 when they begin with another one, or it is longer than
// it may be.
std::size_t OriginFrameLength(std::string_view bytes);

}  // namespace tmdbc
