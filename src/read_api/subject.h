// SPDX-License-Identifier: MIT
// Subject: the record that a call is about, taken apart once.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "read_api/json_slice.h"
#include "read_api/records.h"
#include "tmdb/media_id.h"

namespace tmdbc::read_api {

struct Subject {
  explicit Subject(std::shared_ptr<const Record> of)
      : record(std::move(of)), body(record->body), type(record->source.id.type), id(record->source.id.id) {}

  std::shared_ptr<const Record> record;
  JsonObject body;
  MediaType type;
  std::int64_t id;
  // Of an episode, which has no record of its own: its place in the season's body.
  JsonObject episode = {};
};

// Whether that member of a record's body is something appended to it, and no member of the plain body.
bool IsAppended(MediaType type, const JsonMember& member);

// 550 of "550", 0 of "0"; nothing for any text that is not digits alone, or is more than 64 bits hold.
std::optional<std::int64_t> WholeNumber(std::string_view text);
// The same but for 0.
std::optional<std::int64_t> PositiveInteger(std::string_view text);

}  // namespace tmdbc::read_api
