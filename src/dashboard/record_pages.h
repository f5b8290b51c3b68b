// SPDX-License-Identifier: MIT
// RecordPages: what the dashboard shows of one record, as JSON: its card, its body, its versions, what two of them
// differ in. kInvalid: asked in a way that nobody understands; kNotFound: it is not there, with a sentence that says
// why. One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "storage/record_reader.h"

namespace tmdbc::dashboard {

class RecordPages {
 public:
  static constexpr std::size_t kMaxVersions = 500;      // the newest are shown
  static constexpr std::size_t kMaxDiffText = 200'000;  // bytes

  // Outlives it.
  explicit RecordPages(RecordReader& reader) : reader_(reader) {}

  // {"type","id","version","change","fetched_at","status","sha256","bytes","live","card":{...}}; `type` and `id` as a
  // person writes them (history/record_address.h).
  Result<std::string> Record(std::string_view type, std::string_view id);
  // TMDB's bytes; of a tombstone "null".
  Result<std::string> Body(std::string_view type, std::string_view id);
  // {"versions":[{"version","change","fetched_at","status","sha256","bytes","what","damaged"}],"more":false}, the newest
  // first; `what` is empty where it changed nothing but numbers, or cannot be told.
  Result<std::string> History(std::string_view type, std::string_view id);
  // {"from","to","lines":["~ title: ..."],"cut":false}
  Result<std::string> Diff(std::string_view type, std::string_view id, std::string_view versions);

  // What these are called: [{"type","id","title","year"}]; those that are not live, or cannot be read, are left out.
  Result<std::string> Titles(const std::vector<MediaId>& ids);

 private:
  RecordReader& reader_;
};

}  // namespace tmdbc::dashboard
