// SPDX-License-Identifier: MIT
#include "read_api/call.h"

namespace tmdbc::read_api {

std::shared_ptr<const Record> Call::Note(Result<std::shared_ptr<const Record>> found) {
  if (!found) {
    if (found.error().code != ErrorCode::kNotFound && !failure_) failure_ = found.error();
    missed_ = true;
    return nullptr;
  }
  sources_.push_back((*found)->source);
  return *std::move(found);
}

const titles::Titles* Call::Titles() {
  if (!titles_ && source_ != nullptr) titles_ = source_->Current();
  return titles_.get();
}

Answer Call::NotFound(MediaId id) {
  Answer answer = ErrorAnswer(34);
  const auto awaited = records_.IsAwaited(id);
  if (!awaited && !failure_) failure_ = awaited.error();
  if (awaited && *awaited) answer.fidelity = Fidelity::kMissing;
  return answer;
}

}  // namespace tmdbc::read_api
