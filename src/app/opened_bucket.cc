// SPDX-License-Identifier: MIT
#include "app/opened_bucket.h"

#include <fmt/format.h>

#include <cstdlib>
#include <utility>

#include "app/ticking_transport.h"

namespace tmdbc {

Result<std::unique_ptr<OpenedBucket>> OpenedBucket::Open(const Settings& settings, std::function<void()> tick) {
  if (settings.s3_bucket_name.empty())
    return Fail(ErrorCode::kInvalid, "S3_BUCKET_NAME is not set: name the bucket");
  std::unique_ptr<OpenedBucket> opened(new OpenedBucket("s3://" + settings.s3_bucket_name, std::move(tick)));
  const auto environment = [variables = settings.aws_variables](const char* name) -> const char* {
    const char* const own = std::getenv(name);
    if (own != nullptr && *own != '\0') return own;
    const auto found = variables.find(name);
    return found == variables.end() ? nullptr : found->second.c_str();
  };
  const auto ticking = [&tick = opened->tick_](std::unique_ptr<http::HttpTransport> network) {
    return std::make_unique<TickingTransport>(std::move(network), tick);
  };
  TRY_ASSIGN(opened->session_, aws::AwsSession::Open(environment, opened->clock_, settings.s3_endpoint, ticking));
  TRY_ASSIGN(opened->objects_, opened->session_->Bucket(settings.s3_bucket_name));
  return opened;
}

Result<void> OpenedBucket::Probe() {
  const auto probed = objects_->Probe();
  if (!probed) return std::unexpected(OfBucket(name_, probed.error()));
  return {};
}

Error OfBucket(const std::string& name, const Error& error) {
  // As of a DATA_DIR that holds no store yet.
  if (error.code == ErrorCode::kNotFound) {
    return {ErrorCode::kInvalid,
            fmt::format(
                "{}: {}. `push` carries a DATA_DIR there, `npm run deploy` fills it from TMDB (docs/aws.md)",
                name, error.message),
            error.hint};
  }
  const bool none_of_tmdbs = error.code == ErrorCode::kDenied;
  return {none_of_tmdbs ? ErrorCode::kUnavailable : error.code, fmt::format("{}: {}", name, error.message),
          error.hint};
}

}  // namespace tmdbc
