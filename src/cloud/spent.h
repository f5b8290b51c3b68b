// SPDX-License-Identifier: MIT
// Spent: what a mirror in a bucket has cost so far, as amounts that AWS bills. Its owners count them, the catalog keeps
// the sum, status.json tells it. Not counted: storage, the long polls of the mapping that waits for messages, what a
// process did behind its last publication, and what readers do. One thread.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "base/sqlite.h"

namespace tmdbc {

struct Spent {
  std::int64_t puts = 0;         // S3's dear requests: put, list, parts of an upload
  std::int64_t gets = 0;         // its cheap ones: get, head
  std::int64_t messages = 0;     // requests to SQS
  std::int64_t invocations = 0;  // of functions
  std::int64_t gb_ms = 0;        // of functions: their memory in GB times milliseconds

  Spent& operator+=(const Spent& more);
  Spent operator+(Spent more) const { return more += *this; }
  Spent operator-(const Spent& less) const;
  bool operator==(const Spent&) const = default;
};

// Of requests by "s3:PutObject". Deleting is free.
Spent SpentOn(const std::map<std::string, std::int64_t>& requests);

struct SpentSoFar {
  Time since{};  // counting began
  Spent sum;
};

// Adds to what the catalog knows, and returns the sum. In a transaction of its own.
Result<SpentSoFar> AddSpent(Database& catalog, const Spent& more, Time now);

}  // namespace tmdbc
