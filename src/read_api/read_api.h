// SPDX-License-Identifier: MIT
// ReadApi: TMDB's v3 read calls, answered from the mirror. Bodies are spliced from stored bytes, never printed anew.
// Knows nothing of HTTP but the status. One thread.
//
// Every endpoint is a row of the table in routes.cc: a pattern of the path and the function that answers it.
#pragma once

#include "base/clock.h"
#include "read_api/answer.h"
#include "read_api/api_request.h"
#include "read_api/records.h"

namespace tmdbc::read_api {

class ReadApi {
 public:
  // Both outlive it.
  ReadApi(Records& records, const Clock& clock) : records_(records), clock_(clock) {}

  // Never fails: what cannot be answered is an answer with TMDB's error.
  Answer Get(const ApiRequest& request);

 private:
  Records& records_;
  const Clock& clock_;
};

}  // namespace tmdbc::read_api
