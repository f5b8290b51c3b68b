// SPDX-License-Identifier: MIT
// Where the files of the store are, relative to DATA_DIR or to the bucket. docs/storage-format.md is the
// reference.
//
//   records/movie/000/000/001.jsonl.zst        sealed segment 1 of movies
//   records/movie/000/000/002.jsonl.zst.open   segment 2, still appended to
//   records/movie/state.json                   the last sealed number
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "tmdb/media_id.h"

namespace tmdbc {

// Nine digits in three groups of three, so that no folder holds more than a thousand names.
inline constexpr std::uint32_t kMaxSegmentNumber = 999'999'999;

// "records"
inline constexpr std::string_view kRecordsFolder = "records";

std::string SealedPath(MediaType type, std::uint32_t number);
std::string OpenPath(MediaType type, std::uint32_t number);
std::string StatePath(MediaType type);
// "records/movie/000/000" of "records/movie/000/000/001.jsonl.zst"
std::string FolderOfPath(std::string_view path);

struct SegmentName {
  MediaType type;
  std::uint32_t number;  // from 1
  bool open;
  bool operator==(const SegmentName&) const = default;
};
// What a path names; empty when it is not that of a segment.
std::optional<SegmentName> ParseSegmentPath(std::string_view path);

}  // namespace tmdbc
