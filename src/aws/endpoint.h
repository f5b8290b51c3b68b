// SPDX-License-Identifier: MIT
// Where AWS's services are: AWS_ENDPOINT_URL_SQS (_SSM, _S3) and AWS_ENDPOINT_URL, as every AWS program takes them
// (https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html), else AWS's own address in the region.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "aws/shared_config.h"
#include "base/result.h"

namespace tmdbc::aws {

// "https://sqs.eu-central-1.amazonaws.com", without a slash at the end. kInvalid for a region or an address that is
// none.
Result<std::string> ServiceUrl(const Environment& environment, std::string_view service,
                               const std::string& region);

// How a bucket is addressed.
enum class BucketStyle : std::uint8_t {
  kAuto,  // kVirtual for AWS's own address, but for a bucket whose name has a dot: no certificate covers that
  kVirtual,  // https://BUCKET.s3.eu-central-1.amazonaws.com/KEY
  kPath,     // https://s3.example.org/BUCKET/KEY
};

// `endpoint`: of an S3 elsewhere; empty: ServiceUrl().
Result<std::string> BucketUrl(const Environment& environment, const std::string& endpoint,
                              const std::string& region, const std::string& bucket,
                              BucketStyle style = BucketStyle::kAuto);

}  // namespace tmdbc::aws
