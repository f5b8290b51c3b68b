// SPDX-License-Identifier: MIT
#include "read_api/call.h"

#include "tmdb/configuration_lists.h"
#include "tmdb/detail_plan.h"

namespace tmdbc::read_api {

std::shared_ptr<const Record> Call::Note(Result<std::shared_ptr<const Record>> found) {
  if (!found) {
    missed_ = true;
    if (found.error().code != ErrorCode::kNotFound) NoteProblem(found.error());
    return nullptr;
  }
  sources_.push_back((*found)->source);
  return *std::move(found);
}

void Call::NoteProblem(const Error& error) {
  problems_.push_back(error);
  failed_ = failed_ || !IsDamage(error);
  Worsen(Fidelity::kApproximate);
}

const titles::Titles* Call::Titles() {
  if (!titles_ && mirror_.titles != nullptr) titles_ = mirror_.titles->Current();
  return titles_.get();
}

std::string Call::path(std::size_t from) const {
  std::string path;
  for (std::size_t i = from; i < request_.path.size(); ++i) {
    if (i > from) path += '/';
    path += request_.path[i];
  }
  return path;
}

std::shared_ptr<const Record> Call::FindList(std::string_view path) {
  const auto number = ConfigurationId(path);
  if (!number) return nullptr;
  const MediaId id{MediaType::kConfiguration, *number};
  const auto source = mirror_.records.SourceOf(id);
  if (!source && !lacking_) lacking_ = id;
  if (!source) return Note(std::unexpected(source.error()));
  const auto known = mirror_.lists.find(id);
  if (known != mirror_.lists.end() && known->second->source == *source) return Note(known->second);
  auto found = Find(id);
  if (found != nullptr) mirror_.lists[id] = found;
  return found;
}

const std::string* Call::FindRow(std::string_view key) {
  KeptRows::Row* const row = failed_ ? nullptr : mirror_.rows.Find(key);
  if (row == nullptr || !mirror_.records.IsCurrent(row->source)) return nullptr;
  sources_.push_back(row->source);
  return &row->text;
}

std::optional<std::vector<std::string_view>> Call::Appends() const {
  const std::vector<std::string_view> sent = query().List("append_to_response");
  if (sent.size() > kMaxAppends) return std::nullopt;
  std::vector<std::string_view> names;
  for (const std::string_view name : sent) {
    if (std::ranges::find(names, name) == names.end()) names.push_back(name);
  }
  return names;
}

Answer Call::NotFound(MediaId id) {
  LackRecord(id);
  Answer answer = ErrorAnswer(34);
  const auto awaited = mirror_.records.IsAwaited(id);
  if (!awaited) NoteProblem(awaited.error());
  if (awaited && *awaited) answer.fidelity = Fidelity::kMissing;
  return answer;
}

Answer Call::Finished(Answer made) && {
  // Where nothing could be read, or what was asked for could not, there is no answer at all.
  const bool unread = !problems_.empty() && (sources_.empty() || made.status == 404);
  if (failed_ || unread) {
    made = ErrorAnswer(9);
  } else {
    if (!problems_.empty()) made.max_age = {};
    made.fidelity = std::max(made.fidelity, fidelity_);
    made.sources = std::move(sources_);
    made.index_state = titles_ ? titles_->state() : 0;
    made.missed = missed_;
    made.lacks = lacks_;
    made.lacking = lacking_;
  }
  made.problems = std::move(problems_);
  return made;
}

}  // namespace tmdbc::read_api
