// SPDX-License-Identifier: MIT
// RecordDiff: what differs between two JSON documents, by place: a text for a person, a summary for one line
// of a history, a JSON Patch (RFC 6902) for programs.
//
// The order of object members, white space and the spelling of a number (1, 1.0) are no difference. Elements
// of arrays are matched by what TMDB tells them apart by (credit_id, id, file_path, language and
// country...), where every element of both arrays has that and no two share it; else by their content. So a
// cast member who moved up the list is one move, not a different person at every index. Values are shown and
// patched in the bytes in which they came.
//
// Pure; any thread.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace tmdbc {

class RecordDiff {
 public:
  // Both are one JSON value each; a tombstone's is "null". kCorrupt when one of them is not valid JSON. What
  // the views point to outlives the object.
  static Result<RecordDiff> Between(std::string_view before, std::string_view after);
  RecordDiff(RecordDiff&&) noexcept;
  RecordDiff& operator=(RecordDiff&&) = delete;
  ~RecordDiff();

  bool empty() const;

  // One line a difference: "~ credits.cast[credit_id=52fe...].character: "A" -> "B"", "+ path: value",
  // "- path: value", "> path: N in another place". Long strings are cut to the place where they differ,
  // control characters escaped. The statistics (popularity, vote_average, vote_count) of the record itself
  // are shown as others are; those of what it holds (every credit has some) are counted in a last
  // line. Empty when nothing differs.
  std::string Text() const;

  // The members that differ, without statistics: "title, credits.cast (+1 -2 ~3), images.posters (moved)";
  // the first few of them. Empty when nothing else differs.
  std::string Summary() const;

  // A JSON Patch on one line: applied to the one document it gives the other.
  std::string Patch() const;

 private:
  struct Impl;
  explicit RecordDiff(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace tmdbc
