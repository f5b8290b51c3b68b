// SPDX-License-Identifier: MIT
// Answer: what the read API says, before anything of HTTP is added to it. A value.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "tmdb/media_id.h"

namespace tmdbc::read_api {

// How near the answer is to what TMDB would say, the nearest first.
enum class Fidelity : std::uint8_t {
  kExact,        // TMDB's bytes, but for a newer popularity
  kDerived,      // follows from what is stored, and is what TMDB would say
  kApproximate,  // TMDB's shape; which rows, or their order, is ours
  kEmpty,        // TMDB's shape without rows: it is stored nowhere
  kMissing,      // TMDB may have it, the mirror does not yet
  kNone,         // an error, which says nothing of TMDB's records
};
// "exact": the header Mirror-Answer; empty for kNone.
std::string_view Name(Fidelity fidelity);

// A record that an answer rests on. While none of an answer's stamps has changed, neither has the answer.
struct Source {
  MediaId id{};
  std::uint64_t stamp = 0;  // of its current view; another one for every other content
  Time fetched_at{};
  std::uint64_t seen = 0;  // when it was looked at (titles::RecentChanges::Moment)
  // Whether it is the same view, whenever that was looked at.
  bool operator==(const Source& other) const {
    return id == other.id && stamp == other.stamp && fetched_at == other.fetched_at;
  }
};

struct Answer {
  int status = 200;
  std::string body;  // JSON
  Fidelity fidelity = Fidelity::kExact;
  std::chrono::seconds max_age{0};   // for how long a client may keep it
  std::vector<Source> sources = {};  // of every record that was read
  // The state of the title index that it rests on too; 0: on none.
  std::uint64_t index_state = 0;
  // A record was looked for that is not stored: any commit may bring it, and change the answer.
  bool missed = false;
  // TMDB would say more than what is stored: its own answer is worth asking for.
  bool lacks = false;
  // The record that is not stored and has to be for a whole answer.
  std::optional<MediaId> lacking = {};
  // Why records could not be read. What needed them is left out, or all of it is (503). No client is told; the
  // mirror's owner is.
  std::vector<Error> problems = {};
};

// TMDB's error of that number: its HTTP status and {"success":false,"status_code":34,"status_message":...}. Sources:
// docs/tmdb-facts.md.
Answer ErrorAnswer(int status_code);
// The one without a number: {"errors":["query must be provided"]}.
Answer ParameterMissing(std::string_view name);

}  // namespace tmdbc::read_api
