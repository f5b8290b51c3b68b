// SPDX-License-Identifier: MIT
// Bytes of an open segment that catalog.db does not know. A kill leaves them (a batch whose transaction never
// happened: its ids are still queued and are fetched again), and so does a catalog.db that was restored from
// an older copy (records that were acknowledged). Nobody can tell the two apart, so whatever holds a record
// that the index does not have with the same content is kept in a file of its own:
//
//   records/movie/000/000/002.jsonl.zst.open.aside-52341      the bytes of that file from 52341 on
//
// Rebuild() puts them back while nothing has been written in their place. Once the index has all that is in it, such a
// file goes; and when what is in it may not be kept any longer (care.h).
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "base/files.h"
#include "storage/record_index.h"
#include "storage/segment_path.h"

namespace tmdbc {

struct AsideName {
  SegmentName segment;
  std::uint64_t from = 0;  // the offset at which the bytes were
};
std::optional<AsideName> ParseAsidePath(std::string_view path);

// Whether bytes [from, to) of a segment hold a record that the index does not have with the same content.
Result<bool> HoldsNews(FileSystem& files, RecordIndex& index, const std::string& path, std::uint64_t from,
                       std::uint64_t to);

// Copies bytes [from, to) of an open segment into a file of their own, durably, unless that has been done.
// Returns its path.
Result<std::string> KeepAside(FileSystem& files, MediaType type, std::uint32_t number, std::uint64_t from,
                              std::uint64_t to);

// Puts the bytes back where they were. False when something else has been written there since.
Result<bool> PutBack(FileSystem& files, const std::string& path, const AsideName& name);

// What a person should know of such a file; goes with Hint::kRebuild.
std::string AsideNotice(const std::string& path);

// When the oldest line of the file was written. Of a file in which no line can be read: when the last segment that
// began before it did, for its bytes are younger; Time{} when there is none.
Result<Time> OldestIn(FileSystem& files, RecordIndex& index, const std::string& path, const AsideName& name);

// Removes those of the files that hold nothing that the index does not know; the others stay in `asides`. One that is
// gone by now leaves it.
Result<void> DropKnown(FileSystem& files, RecordIndex& index, std::set<std::string>& asides);

}  // namespace tmdbc
