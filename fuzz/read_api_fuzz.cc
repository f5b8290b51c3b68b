// SPDX-License-Identifier: MIT
// Fuzzes the answers of the read API. The first byte chooses a request, the rest is the body of the record that it is
// about; other records that it leads to have the same body. Whatever the body holds, nothing crashes; and where it is
// valid JSON, so is the answer.
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>

#include "base/json.h"
#include "read_api/read_api.h"
#include "read_api/rows.h"
#include "tmdb/media_traits.h"

namespace {

using namespace tmdbc;
using namespace tmdbc::read_api;

void Require(bool holds) {
  if (!holds) std::abort();
}

// Every record there is has the same body.
class OneBody final : public Records {
 public:
  explicit OneBody(std::string_view body) : body_(body) {}
  Result<std::shared_ptr<const Record>> Get(MediaId id) override {
    return std::make_shared<const Record>(Source{id, 1, {}}, 0, 0, std::string(body_));
  }
  Result<std::shared_ptr<const Record>> GetSeason(std::int64_t tv_id, std::int64_t season_number) override {
    return std::make_shared<const Record>(Source{{MediaType::kSeason, 7}, 1, {}}, tv_id, season_number,
                                          std::string(body_));
  }
  Result<Source> SourceOf(MediaId id) override { return Source{id, 1, {}}; }
  Result<bool> IsAwaited(MediaId) override { return false; }

 private:
  std::string_view body_;
};

class StoppedClock final : public Clock {
 public:
  Time Now() const override { return {}; }
  MonoTime Mono() const override { return {}; }
};

constexpr std::string_view kTargets[] = {
    "/3/movie/1?append_to_response=credits,images,videos,trailers,releases,casts,reviews,similar,alternative_titles",
    "/3/movie/1?language=de-DE&include_image_language=de,null&append_to_response=images,videos,recommendations",
    "/3/movie/1/images?language=de",
    "/3/movie/1/reviews?page=2",
    "/3/movie/1/alternative_titles?country=US",
    "/3/movie/1/releases",
    "/3/tv/1?append_to_response=season/1,season/1/credits,credits,images,content_ratings,watch/providers",
    "/3/tv/1?language=pt-BR&append_to_response=season/1,season/1/images,similar",
    "/3/tv/1/credits",
    "/3/tv/1/season/1?append_to_response=credits,aggregate_credits,images,videos,translations,external_ids",
    "/3/tv/1/season/1?language=de",
    "/3/tv/1/season/1/aggregate_credits",
    "/3/tv/1/season/1/episode/1?language=de&append_to_response=credits,images",
    "/3/tv/1/season/1/episode/1/credits",
    "/3/person/1?language=da&append_to_response=combined_credits,movie_credits,tv_credits,images,tagged_images",
    "/3/person/1/movie_credits?language=de",
    "/3/collection/1?language=it&append_to_response=images,translations",
    "/3/company/1?append_to_response=images,alternative_names",
    "/3/keyword/1",
    "/3/configuration?append_to_response=countries,jobs",
    "/3/genre/movie/list?language=de",
    "/3/watch/providers/movie?watch_region=DE",
    "/3/timezones/list",
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string body(reinterpret_cast<const char*>(data) + 1, size - 1);
  OneBody records(body);
  StoppedClock clock;
  ReadApi api(records, clock);
  const bool valid = ParsedJson::ParseString(body).has_value();
  const auto request = ApiRequest::Parse(kTargets[data[0] % std::size(kTargets)]);
  const Answer answer = api.Get(*request);
  Require(!answer.body.empty() || body.empty());  // lists are handed on as they are stored
  if (valid) Require(ParsedJson::ParseString(answer.body).has_value());

  Mirror mirror{.records = records};
  Call call(*request, mirror, {});
  for (const MediaType type : kRecordTypes) {
    for (const RowForm form : {RowForm::kList, RowForm::kMixed}) {
      const Record record{{{type, 1}, 1, {}}, 0, 0, body};
      const std::string row =
          RowOf(call, record, {.form = form, .language = Language::Parse("de"), .region = "DE"});
      if (valid && !row.empty()) Require(ParsedJson::ParseString(row).has_value());
    }
  }
  return 0;
}
