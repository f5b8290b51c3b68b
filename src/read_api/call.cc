// SPDX-License-Identifier: MIT
#include "read_api/call.h"

#include "titles/find.h"

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
  if (!titles_ && mirror_.titles != nullptr) titles_ = mirror_.titles->Current();
  return titles_.get();
}

std::shared_ptr<const Record> Call::FindList(MediaId id) {
  const auto source = mirror_.records.SourceOf(id);
  if (!source) return Note(std::unexpected(source.error()));
  const auto known = mirror_.lists.find(id);
  if (known != mirror_.lists.end() && known->second->source == *source) return Note(known->second);
  auto found = Find(id);
  if (found != nullptr) mirror_.lists[id] = found;
  return found;
}

std::optional<std::int64_t> Call::MovieOfImdbId(std::string_view imdb_id) {
  missed_ = true;
  const titles::Titles* const index = Titles();
  if (index == nullptr) {
    if (mirror_.titles != nullptr) failure_ = Error{ErrorCode::kUnavailable, "the title index is being built"};
    return std::nullopt;
  }
  const auto found = titles::FindExternal(*index, MediaType::kMovie, titles::ExternalSource::kImdb, imdb_id);
  if (found.empty()) return std::nullopt;
  missed_ = false;
  return found.front().id.id;
}

Answer Call::NotFound(MediaId id) {
  Answer answer = ErrorAnswer(34);
  const auto awaited = mirror_.records.IsAwaited(id);
  if (!awaited && !failure_) failure_ = awaited.error();
  if (awaited && *awaited) answer.fidelity = Fidelity::kMissing;
  return answer;
}

}  // namespace tmdbc::read_api
