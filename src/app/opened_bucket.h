// SPDX-License-Identifier: MIT
// OpenedBucket: the bucket of S3_BUCKET_NAME, as a process on this machine reaches it: credentials and region of AWS's
// own variables and files, S3_ENDPOINT for an S3 elsewhere. One thread.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "aws/session.h"
#include "base/clock.h"
#include "base/result.h"
#include "cloud/spent.h"
#include "settings/settings.h"
#include "storage/object_store.h"

namespace tmdbc {

class OpenedBucket {
 public:
  // kInvalid when there is no S3_BUCKET_NAME, or the region is not known. No call is made. `tick` (may be empty) is
  // called while the bucket is waited for; it makes no call to it.
  static Result<std::unique_ptr<OpenedBucket>> Open(const Settings& settings, std::function<void()> tick = {});

  // "s3://BUCKET"
  const std::string& name() const { return name_; }
  ObjectStore& objects() { return *objects_; }
  // What was billed for so far, through this object.
  Spent spent() const { return SpentOn(session_->client().sent()); }
  // Refuses a server that ignores conditions. For a writer, before its first Put().
  Result<void> Probe();

 private:
  OpenedBucket(std::string name, std::function<void()> tick) : name_(std::move(name)), tick_(std::move(tick)) {}

  const std::string name_;
  const std::function<void()> tick_;
  const SystemClock clock_;
  std::unique_ptr<aws::AwsSession> session_;
  std::unique_ptr<aws::S3ObjectStore> objects_;
};

// An error of the bucket as a command ends with it: it names the bucket, and a refusal of S3's is none of TMDB's.
// kNotFound is said of a bucket without a mirror: bad usage, with what to do.
Error OfBucket(const std::string& name, const Error& error);

}  // namespace tmdbc
