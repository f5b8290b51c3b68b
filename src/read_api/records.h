// SPDX-License-Identifier: MIT
// Records: the port through which the read API sees the mirror. StoredRecords is the store's; a test has a world of its
// own. One thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/result.h"
#include "read_api/answer.h"
#include "tmdb/media_id.h"

namespace tmdbc::read_api {

struct Record {
  Source source;
  std::int64_t tv_id = 0;          // of a season
  std::int64_t season_number = 0;  // of a season
  std::string body;                // TMDB's bytes, but for a newer popularity
};

class Records {
 public:
  virtual ~Records() = default;

  // The current view. kNotFound: never stored, or TMDB says that it is gone. Any other error: the store cannot be read.
  virtual Result<std::shared_ptr<const Record>> Get(MediaId id) = 0;
  // The live season in that place; kNotFound as above.
  virtual Result<std::shared_ptr<const Record>> GetSeason(std::int64_t tv_id, std::int64_t season_number) = 0;
  // What Get() would give as its source, without reading the body.
  virtual Result<Source> SourceOf(MediaId id) = 0;
  // Whether SourceOf() would give the same still; `source` may come to know that it was looked at again.
  virtual bool IsCurrent(Source& source) {
    const auto now = SourceOf(source.id);
    if (!now || *now != source) return false;
    source = *now;
    return true;
  }
  // Whether TMDB is known to have it although it is not stored yet.
  virtual Result<bool> IsAwaited(MediaId id) = 0;
};

}  // namespace tmdbc::read_api
