// SPDX-License-Identifier: MIT
// Does what the index says agree with what the segments hold? Verify() looks and never changes anything, also
// beside a process that writes. One thread.
#pragma once

#include <cstdint>
#include <functional>
#include <set>
#include <string>
#include <vector>

#include "base/files.h"
#include "base/sqlite.h"
#include "tmdb/media_id.h"

namespace tmdbc {

struct Damage {
  std::string file;              // from DATA_DIR
  std::uint64_t offset = 0;      // of the frame
  std::string what;              // "frame does not inflate", "sha256 differs"...
  std::vector<MediaId> records;  // that the index places there
};

// What a file is said to be that the index does not know.
inline constexpr const char* kNotInIndex = "not in the index";

struct VerifyReport {
  std::int64_t segments = 0, frames = 0, records = 0, bytes = 0;
  std::vector<Damage> damage;      // empty: all is well
  std::vector<std::string> notes;  // what is not damage, but a person should know
  std::vector<std::string> asides = {};  // files of kept_aside.h
};

// Of the segments 1 to `last` those that are not `known` are missing: one damage for each run of them.
void NoteGaps(MediaType type, const std::set<std::uint32_t>& known, std::uint32_t last, VerifyReport& report);

// Index against files: sizes, gaps in numbers, state.json, and the checksum of every segment file. `deep`
// also inflates every frame, checks every line and sha256, and that every index row finds its record. Beside
// a writing process what looks like damage is looked at again, after a `pause` (may be empty) in which that
// one can finish what it is about, until nothing has changed meanwhile. Memory: 0.2 KB a segment, and 60 bytes for each
// of `lines_at_once` lines of damaged segments, however many are damaged.
inline constexpr std::int64_t kLinesAtOnce = 500'000;
Result<VerifyReport> Verify(FileSystem& files, Database& catalog, bool deep, const std::function<void()>& pause = {},
                            std::int64_t lines_at_once = kLinesAtOnce);

}  // namespace tmdbc
