// SPDX-License-Identifier: MIT
// Whatever comes in a message: a batch that is written as the same bytes, within its bounds, or one sentence.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "cloud/id_batch.h"

namespace {

void Require(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto batch = tmdbc::ParseIdBatch(text);
  if (!batch) {
    Require(batch.error().code == tmdbc::ErrorCode::kInvalid);
    Require(batch.error().message.find('\n') == std::string::npos);
    return 0;
  }
  Require(tmdbc::FormatIdBatch(*batch) == text);
  Require(tmdbc::IsBatchName(batch->name) && batch->rate >= 0.1 && batch->rate <= 1000);
  Require(batch->items.size() <= tmdbc::kMostBatchIds && text.size() <= tmdbc::kMostBatchBytes);
  std::size_t bytes = tmdbc::kBatchHeadBytes;
  for (const auto& item : batch->items) {
    Require(tmdbc::CanBeAsked(item.id.type) && item.id.id >= 1);
    bytes += tmdbc::ItemBytes(item);
  }
  Require(text.size() <= bytes);
  return 0;
}
