// SPDX-License-Identifier: MIT
// Call: one request under way: what was asked, what the mirror is seen through, and what has been read for it so far.
// Endpoints are functions of a Call. One thread.
#pragma once

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "read_api/answer.h"
#include "read_api/api_request.h"
#include "read_api/kept_rows.h"
#include "read_api/language.h"
#include "read_api/records.h"
#include "titles/titles.h"

namespace tmdbc::read_api {

// What the endpoints answer from.
struct Mirror {
  Records& records;
  const titles::TitleSource* titles = nullptr;  // null: there is no title index
  // The newest view of each configuration list that was read: they are small, and every answer in another language
  // needs one.
  std::map<MediaId, std::shared_ptr<const Record>> lists = {};
  KeptRows rows = KeptRows(0);
  std::string image_base_url = {};  // that /3/configuration gives, with a slash at its end; empty: TMDB's
};

class Call {
 public:
  // Both outlive it.
  Call(const ApiRequest& request, Mirror& mirror, Time now) : request_(request), mirror_(mirror), now_(now) {}

  const Query& query() const { return request_.query; }
  // "550" of movie/550/credits is part(1); empty when the path is shorter.
  std::string_view part(std::size_t i) const {
    return i < request_.path.size() ? request_.path[i] : std::string_view();
  }
  // "watch/providers" of movie/550/watch/providers is path(2).
  std::string path(std::size_t from = 0) const;
  // The one of the parameter `language`.
  Language language() const { return Language::Parse(query().Get("language").value_or("")); }
  Time now() const { return now_; }
  // Where pictures are, when not at TMDB's; empty: there.
  std::string_view image_base_url() const { return mirror_.image_base_url; }

  // The record, noted as a source of the answer; null when there is none. Null for a damaged one, too: the answer does
  // without it. Any other error of the store fails the call, which reads no more.
  std::shared_ptr<const Record> Find(MediaId id) { return failed_ ? nullptr : Note(mirror_.records.Get(id)); }
  std::shared_ptr<const Record> FindSeason(std::int64_t tv_id, std::int64_t season_number) {
    return failed_ ? nullptr : Note(mirror_.records.GetSeason(tv_id, season_number));
  }
  // The same of a configuration list by its path ("genre/tv/list"), read again only when there is a newer one.
  std::shared_ptr<const Record> FindList(std::string_view path);
  // A row that was made of that record before, when the record is still the same, which is noted as a source; else
  // null. `key` names the record and the row. The text lives until the next one is looked for or kept.
  const std::string* FindRow(std::string_view key);
  // `text` was made of that record alone.
  void KeepRow(const Record& record, std::string key, std::string text) {
    mirror_.rows.Put(std::move(key), {record.source, std::move(text)});
  }
  // How many records that are there could not be read.
  std::size_t problems() const { return problems_.size(); }
  // The title index as it was when it was first asked for, noted as what the answer rests on. Null: there is none, or
  // it is being built.
  const titles::Titles* Titles();
  // The names in append_to_response, each once; nothing when more are sent than TMDB takes: ErrorAnswer(27).
  std::optional<std::vector<std::string_view>> Appends() const;
  // The answer of a record that is not there: that one is lacking.
  Answer NotFound(MediaId id);

  // The answer is no better than that from here on: it is as good as its worst part.
  void Worsen(Fidelity fidelity) {
    fidelity_ = std::max(fidelity_, fidelity);
    lacks_ = lacks_ || fidelity > Fidelity::kDerived;
  }
  // The same for what is all here, as it was when it was fetched: TMDB makes other ones all the time.
  void WorsenWithAge() { fidelity_ = std::max(fidelity_, Fidelity::kApproximate); }
  // A part of what was asked for is not stored (Answer::lacks).
  void Lack() { lacks_ = true; }
  // The same, and that record has to be fetched for it.
  void LackRecord(MediaId id) {
    lacks_ = true;
    lacking_ = id;
  }

  // `made`, which the endpoint returned, with what was noted on the way.
  Answer Finished(Answer made) &&;

 private:
  std::shared_ptr<const Record> Note(Result<std::shared_ptr<const Record>> found);
  void NoteProblem(const Error& error);

  const ApiRequest& request_;
  Mirror& mirror_;
  const Time now_;
  std::shared_ptr<const titles::Titles> titles_;
  std::vector<Source> sources_;
  std::vector<Error> problems_;  // Answer::problems
  bool failed_ = false;
  Fidelity fidelity_ = Fidelity::kExact;
  bool missed_ = false;  // Answer::missed
  bool lacks_ = false;   // Answer::lacks
  std::optional<MediaId> lacking_;
};

using Endpoint = Answer (*)(Call& call);

}  // namespace tmdbc::read_api
