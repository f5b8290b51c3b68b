// SPDX-License-Identifier: MIT
#include "read_api/review.h"

#include <chrono>
#include <string>
#include <string_view>

#include "read_api/json_slice.h"
#include "read_api/paging.h"
#include "read_api/texts.h"
#include "titles/find.h"

namespace tmdbc::read_api {
namespace {

constexpr std::chrono::hours kReviewMaxAge{8};

// As TMDB's API describes it: the row of the page, and what it is about. The page was asked for without a language, and
// so has English ones.
std::string ReviewOf(const Record& record, JsonSlice row) {
  const MediaType type = record.source.id.type;
  const JsonObject review(row), body(record.body);
  JsonSplice out = JsonSplice::Object(row.size() + 200);
  out.Add("id", review["id"]).Add("author", review["author"]).Add("author_details", review["author_details"]);
  out.Add("content", review["content"]).Add("created_at", review["created_at"]).Add("iso_639_1", "\"en\"");
  out.Add("media_id", body["id"]).Add("media_title", body[TitleMember(type)]);
  out.Add("media_type", "\"" + std::string(Name(type)) + "\"");
  out.Add("updated_at", review["updated_at"]).Add("url", review["url"]);
  return std::move(out).Take();
}

}  // namespace

Answer Review(Call& call) {
  const titles::Titles* const index = call.Titles();
  if (index == nullptr) {
    call.Lack();
    return IndexAwaited();
  }
  const std::string_view wanted = call.part(1);
  for (const MediaType type : {MediaType::kMovie, MediaType::kTv}) {
    for (const titles::Found& one : titles::FindExternal(*index, type, titles::ExternalSource::kReview, wanted)) {
      const auto record = call.Find(one.id);
      if (!record) continue;
      for (const JsonSlice row : ElementsOf(MemberOf(MemberOf(record->body, "reviews"), "results"))) {
        if (PlainText(MemberOf(row, "id")) == wanted)
          return {.body = ReviewOf(*record, row), .fidelity = Fidelity::kDerived, .max_age = kReviewMaxAge};
      }
    }
  }
  call.Lack();
  return ErrorAnswer(34);
}

}  // namespace tmdbc::read_api
