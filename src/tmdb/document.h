// SPDX-License-Identifier: MIT
// Document: one body of TMDB's that was checked and is ready to be stored, and what can be asked of such bodies. Its
// bytes are TMDB's: cut out of what came, never re-serialised.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "tmdb/media_id.h"

namespace tmdbc {

// Two hashes of a parsed JSON document. Volatile are members named popularity, vote_average or vote_count, at any
// depth, and the order of the lists backdrops, logos, posters, profiles and stills: they count, with the path at which
// they stand, in `stats` only, everything else in `content` only. Neither sees the order of object members, white
// space, or how a value is spelled (1, 1.0 and 1e0; "/" and "\/"); `content` sees the order of all other lists, and the
// difference between null, [], {}, "" and no member. Kept in catalog.db: the algorithm never changes. Why:
// docs/decisions/content-hash.md.
struct ContentHash {
  std::uint64_t content = 0;
  std::uint64_t stats = 0;
  bool operator==(const ContentHash&) const = default;
};

struct EpisodeRef {
  std::int64_t id = 0;
  std::int64_t number = 0;  // -1 when the body gives none
};

struct Document {
  MediaId id{};
  // Of a season only: its show and its number there.
  std::int64_t tv_id = 0;
  std::int64_t season_number = 0;
  std::vector<EpisodeRef> episodes;  // of a season only, in the order of the body

  Time fetched_at{};
  std::optional<std::string> etag;
  std::string data;  // one JSON value, without line breaks outside of what TMDB sent (see OneLine)
  ContentHash hash;
  // Names of members that could not be had: what is stored of them goes on being true.
  std::vector<std::string> lacking = {};
};

// What a show's body says of its seasons: the evidence on which a season that is not among them may be deleted.
struct SeasonList {
  bool given = false;                 // it has a seasons[] array; without one it says nothing at all
  std::vector<std::int64_t> numbers;  // ascending
  std::vector<std::int64_t> ids;      // ascending: all that it names, with no readable number too, and what came unnamed
  bool readable = true;  // false: an entry has neither an id nor a number, so it may be any season
};

// kCorrupt when `json` is not one whole, valid JSON value (base/json.h says what counts as one).
Result<ContentHash> HashContent(std::string_view json);

// A record is one line: the bytes of `json`, a valid text, as they are when they hold no line break (TMDB sends none).
// Otherwise without the white space around the value, and if that does not do, without any between tokens. A byte order
// mark in front is dropped. The strings inside never hold a raw line break (RFC 8259 section 7); kCorrupt when they do.
Result<std::string> OneLine(std::string json);

// `json`, an object with members, and behind them those of the object `from` that `names` has, byte for byte. kCorrupt
// as for HashContent.
Result<std::string> WithMembersOf(std::string json, std::string_view from, const std::vector<std::string>& names);

// The episodes[] of a season body: ids and numbers. Episodes without an integer id are left out. kCorrupt as for
// HashContent.
Result<std::vector<EpisodeRef>> EpisodesOf(std::string_view season_json);
// The bytes of the episode with that id (or number) within a season body; kNotFound when it is not there.
Result<std::string> EpisodeById(std::string_view season_json, std::int64_t episode_id);
Result<std::string> EpisodeByNumber(std::string_view season_json, std::int64_t episode_number);

}  // namespace tmdbc
