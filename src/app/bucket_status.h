// SPDX-License-Identifier: MIT
// What `status` says of a mirror in a bucket: two small objects, state/head.json and the status.json that its owner
// wrote.
#pragma once

#include <string>

#include "base/result.h"
#include "cloud/head_state.h"
#include "settings/settings.h"
#include "storage/object_store.h"

namespace tmdbc {

struct BucketStatus {
  std::string bucket;  // "s3://BUCKET"
  HeadState head;
  std::string written;  // status.json, as it is; empty: none yet
};

// kNotFound when there is no mirror in the bucket yet.
Result<BucketStatus> ReadBucketStatus(ObjectStore& objects, const std::string& bucket);

// `now` tells whether the mirror's holder still has it. `rate`: requests a second where its owner does not say what it
// may ask, for how long it will take.
std::string BucketStatusText(const BucketStatus& status, Time now, double rate);
std::string BucketStatusJson(const BucketStatus& status, Time now, double rate);

}  // namespace tmdbc
