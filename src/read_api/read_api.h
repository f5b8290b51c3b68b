// SPDX-License-Identifier: MIT
// ReadApi: TMDB's v3 read calls, answered from the mirror. Bodies are spliced from stored bytes, never printed again.
// Knows nothing of HTTP but the status. One thread.
//
// Every endpoint is a row of the table in routes.cc: a pattern of the path and the function that answers it.
#pragma once

#include <string>
#include <utility>

#include "base/clock.h"
#include "read_api/answer.h"
#include "read_api/api_request.h"
#include "read_api/call.h"
#include "read_api/records.h"
#include "titles/titles.h"

namespace tmdbc::read_api {

class ReadApi {
 public:
  // All outlive it. `titles` null: what rests on the title index is answered as while it is being built. `row_bytes`:
  // so much is kept of rows of lists.
  ReadApi(Records& records, const Clock& clock, const titles::TitleSource* titles = nullptr,
          std::string image_base_url = {}, std::size_t row_bytes = 8 << 20)
      : mirror_{.records = records,
                .titles = titles,
                .rows = KeptRows(row_bytes),
                .image_base_url = std::move(image_base_url)},
        clock_(clock) {}

  // Never fails: what cannot be answered is an answer with TMDB's error.
  Answer Get(const ApiRequest& request);

 private:
  Mirror mirror_;
  const Clock& clock_;
};

}  // namespace tmdbc::read_api
