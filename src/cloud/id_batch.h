// SPDX-License-Identifier: MIT
// IdBatch: the ids that one collector fetches in one go, as they travel in a message of SQS. The owner of the mirror
// makes it (dispatcher.h), a collector anywhere answers it with one bundle (bundle.h). One JSON object a message:
//
//   {"schema":1,"batch":"000000123-0007","rate":40,"ids":[["movie",550],["tv",1399,[0,1,2]],["person",31]]}
//
// `ids` are in the order of the queue; of a show the season numbers that are stored follow. The rate travels with the
// work: a collector knows none of its own.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "tmdb/media_id.h"

namespace tmdbc {

struct IdBatch {
  struct Item {
    MediaId id;
    std::vector<std::int64_t> seasons{};  // of a show: the numbers of those stored, ascending
    bool operator==(const Item&) const = default;
  };

  std::string name;  // "000000123-0007": the owner's epoch and a number within it; unique for ever
  int lane = 0;      // batches of one lane are worked on one after the other; not part of the body
  double rate = 0;   // requests a second that this lane may send: 0.1 to 1000 (RateLimiter)
  std::vector<Item> items;  // each id once; may be empty: a question whether anybody is there
  bool operator==(const IdBatch&) const = default;
};

// SQS bills each 64 KiB of a message as a request of its own.
inline constexpr std::size_t kMostBatchBytes = 60'000;
inline constexpr std::size_t kMostBatchIds = 2'000;

// "000000123-0007". Numbers of an epoch begin with 1 and end with 9999.
std::string BatchName(std::int64_t epoch, std::int64_t number);
// Whether `name` is one that BatchName() makes: names become keys of the bucket.
bool IsBatchName(std::string_view name);

// What a body takes before its first item, at most, and what each item adds.
inline constexpr std::size_t kBatchHeadBytes = 100;
std::size_t ItemBytes(const IdBatch::Item& item);

std::string FormatIdBatch(const IdBatch& batch);
// kInvalid, with what is wrong, for whatever FormatIdBatch() does not write: it writes what it has read again and
// compares. So for more than kMostBatchBytes or kMostBatchIds, ids that nobody can ask for, and an id twice. `lane`
// stays 0.
Result<IdBatch> ParseIdBatch(std::string_view json);

}  // namespace tmdbc
