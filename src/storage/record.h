// SPDX-License-Identifier: MIT
// What the store says of records, as values: a record, its standing, counts. Nothing here reads or writes:
// record_reader.h, record_writer.h and ledger.h do. docs/storage-format.md has the bytes.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "tmdb/media_id.h"

namespace tmdbc {

// Ids that fit beside the type in one integer key; TMDB's are below 2^32, and JSON numbers are exact up to
// here.
inline constexpr std::int64_t kMaxRecordId = (std::int64_t{1} << 52) - 1;

// All times are written in milliseconds; so they are compared.
inline Time ToMillis(Time time) {
  return std::chrono::floor<std::chrono::milliseconds>(time);
}

// What a fetch did to the store. All but the last are written in lines by these names; a verified line speaks of many
// ids (record_line.h).
enum class Change : std::uint8_t { kInsert, kUpdate, kStats, kDelete, kRestore, kPurge, kVerified, kUnchanged };
std::string_view Name(Change change);

// A record as a reader gets it.
struct StoredRecord {
  MediaId id{};
  std::int64_t tv_id = 0;          // of a season
  std::int64_t season_number = 0;  // of a season
  std::int64_t version = 0;
  Change change = Change::kInsert;
  Time fetched_at{};
  int status = 200;
  std::optional<std::string> etag;
  std::string sha256;    // of `data`, lower-case hex; empty for a tombstone
  std::string data;      // TMDB's bytes; empty for a tombstone
  std::string envelope;  // the whole stored line, without the line break
  // Only of a history: not empty when the version cannot be read. Then it says why, and the index gives what
  // it knows of the rest: id, version, change, fetched_at and status.
  std::string damage;

  // It has data: neither a tombstone nor purged.
  bool live() const { return change != Change::kDelete && change != Change::kPurge; }
};

// What is kept of an id's past.
struct Kept {
  std::optional<Time> purged_at;   // nothing is: it was purged then
  std::int64_t first_version = 0;  // else the oldest version, 1 unless those before it were dropped
  Time first_at{};                 // when that was fetched
};

// What the store knows of an id without reading its data.
enum class Standing : std::uint8_t {
  kUnknown,    // never stored, never asked for
  kLive,       // the current view has data
  kTombstone,  // stored once; TMDB says 404 now
  kMissing,    // TMDB said 404 and it was never stored
};
struct IdState {
  std::int64_t id = 0;
  Standing standing = Standing::kUnknown;
  Time verified_at{};             // when TMDB last answered for it, 404 included
  std::int64_t gone_answers = 0;  // 404s in a row, of a tombstone or a missing id; 0 of a live one
};

// A live record as the freshness policy sees it.
struct LiveRecord {
  std::int64_t id = 0;
  Time first_at{};           // when its first version was fetched
  Time verified_at{};        // when TMDB was last seen to agree with it
  std::int64_t changes = 0;  // new contents seen since first_at (updates and restores)
};

struct TypeCounts {
  std::int64_t live = 0;        // current view has data
  std::int64_t tombstones = 0;  // current view is a delete
  std::int64_t missing = 0;     // answered 404 and never stored
  std::int64_t held = 0;        // live, but their deletion waits for a person
  std::int64_t versions = 0;    // all steps of all histories
  std::int64_t segments = 0;    // sealed ones
  std::int64_t bytes = 0;       // of all segments
  std::optional<Time> oldest_verified;
};

}  // namespace tmdbc
