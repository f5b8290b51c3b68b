// SPDX-License-Identifier: MIT
// Parts: what can be appended to a record's details, and has a path of its own below it: movie/550/credits. One table
// says how each is made.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "read_api/call.h"
#include "read_api/subject.h"

namespace tmdbc::read_api {

// Where an object under its own path has the id of what it belongs to; appended it has none.
enum class IdPlace : std::uint8_t { kNone, kFirst, kBehindBackdrops, kLast };

struct PartKind {
  MediaType type;
  std::string_view name;  // "watch/providers"
  IdPlace id_place;
  // An object without id; empty when the mirror has nothing to make it from.
  std::string (*make)(Call& call, const Subject& subject, std::string_view name);
  // It is a list in pages: its own path takes `page`, and without anything stored it is an empty one.
  bool paged = false;
  bool appendable = true;
};

// Null when a record of that type has no such part.
const PartKind* FindPart(MediaType type, std::string_view name);

// The part as it is appended; empty when there is none.
std::string MakePart(Call& call, const PartKind& kind, const Subject& subject);
// `part` with its id, as it is under its own path.
std::string WithId(const PartKind& kind, std::string part, std::int64_t id);

}  // namespace tmdbc::read_api
