// SPDX-License-Identifier: MIT
// HeadState: state/head.json of a bucket: who owns the mirror until when, which catalog is in force, and how much of it
// is out with collectors. The only mutable truth of the bucket: it changes by compare-and-swap alone.
//
//   {"schema":1,"epoch":123,"holder":"8f3c-..","until":"2026-11-22T10:15:00.000Z",
//    "catalog":"state/catalog/000000122.db","bytes":651234304,"crc32":"f5d6a61f",
//    "previous":"state/catalog/000000121.db","sequences":{"movie":12,"tv":7},"waiting":5012345,
//    "out":{"batches":24,"ids":47040},"sent":122,"stopped":null}
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "tmdb/media_id.h"

namespace tmdbc {

inline constexpr std::string_view kHeadKey = "state/head.json";
inline constexpr std::string_view kCatalogPrefix = "state/catalog/";

// What its owner saw last, for a person (docs/storage-format.md).
inline constexpr std::string_view kStatusKey = "status.json";

// A catalog that was published.
struct CatalogObject {
  std::string key;  // "state/catalog/000000122.db"; empty: none yet
  std::uint64_t bytes = 0;
  std::uint32_t crc32 = 0;
  bool operator==(const CatalogObject&) const = default;
};

struct HeadState {
  std::int64_t epoch = 0;              // grows with every owner
  std::optional<std::string> holder = {};  // empty: free
  Time until{};                        // of a holder: nobody else takes it before then
  CatalogObject catalog = {};
  std::string previous = {};           // key of the catalog before that one; empty: none
  std::map<MediaType, std::int64_t> sequences = {};  // the last segment of each type that the catalog knows
  std::int64_t waiting = 0;            // messages in the queue of the catalog
  std::int64_t out_batches = 0, out_ids = 0;  // handed out, no bundle taken in
  std::int64_t sent = 0;               // batches of epochs up to here are surely in the channel
  std::optional<std::string> stopped = {};  // why nothing is handed out: "TMDB refuses the key"
  bool operator==(const HeadState&) const = default;
};

// No lease is longer. One that says so was given by a clock that went ahead, and would keep the mirror from everybody
// until then: it holds nobody off. (Should its holder live, it finds that it has lost the mirror, and ends.)
inline constexpr Duration kLongestLease = std::chrono::hours(24);
// Whether somebody owns the mirror at `now`.
bool IsHeld(const HeadState& head, Time now);

std::string CatalogKey(std::int64_t epoch);  // "state/catalog/000000123.db"
// The other way round; empty for any other key.
std::optional<std::int64_t> EpochOfCatalog(std::string_view key);

std::string FormatHeadState(const HeadState& head);
// kCorrupt, with what is wrong; kInvalid for a schema of a later program.
Result<HeadState> ParseHeadState(std::string_view json);

}  // namespace tmdbc
