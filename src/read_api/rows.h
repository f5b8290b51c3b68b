// SPDX-License-Identifier: MIT
// Rows: a record as it stands in a list of TMDB's: search, discover, find, credits, the parts of a collection. Spliced
// out of the record's bytes; which members there are, and their order, is the recorded one of 2026.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "read_api/call.h"
#include "read_api/json_slice.h"
#include "read_api/language.h"

namespace tmdbc::read_api {

enum class RowForm : std::uint8_t {
  kList,   // search/movie, discover, similar: all rows are of one type
  kMixed,  // search/multi, find, recommendations, collection parts: each says its media_type
};

struct RowStyle {
  RowForm form = RowForm::kList;
  Language language = {};
  // "DE": a film's release_date is the first one of that country, in a cinema if there is one; where there is none, or
  // without a region, its primary one.
  std::string_view region = {};
  // JSON; empty: the record's own. The last export's is newer.
  std::string_view popularity = {};
};

// The row of a film, show, person, collection, company or keyword. A person's known_for are the three that its record
// speaks for; in another language than English their records are looked up through `call`. Empty when the record is no
// object, or of another type.
std::string RowOf(Call& call, const Record& record, const RowStyle& style);

// A stored row, as in recommendations or credits, in a language: its title, overview and poster come from the record of
// its id. `type` counts where the row has no media_type. Without that record, or in English, the row as it is; the
// call's fidelity says so.
std::string LocalRow(Call& call, JsonSlice row, MediaType type, const Language& language);
// All of an array.
std::string LocalRows(Call& call, JsonSlice rows, MediaType type, const Language& language);

// The films and shows that a person is known for: at most three rows, out of its combined_credits.
std::string KnownFor(Call& call, const JsonObject& person, const Language& language);

}  // namespace tmdbc::read_api
