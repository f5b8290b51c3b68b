// SPDX-License-Identifier: MIT
#include "tmdb/change_page.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <array>

#include "base/clock.h"
#include "base/json.h"
#include "tmdb/export_line.h"

namespace tmdbc {

namespace dom = simdjson::dom;

namespace {

// A 401 or 403 with TMDB's JSON that is about the key or its owner: permission, invalid key, suspended key,
// authentication, account disabled, e-mail, token, suspended user. A feed is for every key there is, so none
// of them is about the page. Without such a body it is a proxy's or the CDN's.
constexpr std::array kKeyCodes = {3, 7, 10, 14, 31, 32, 35, 45};
constexpr int kPageOutOfRange = 22;

// The status_code of TMDB's error body; 0 when `body` is none.
std::int64_t StatusCodeOf(std::string_view body) {
  const std::size_t first = body.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos || body[first] != '{') return 0;
  const auto json = ParsedJson::Parse(body);
  std::int64_t code = 0;
  if (!json || json->root()["status_code"].get(code) != simdjson::SUCCESS) return 0;
  return code;
}

// An integer member, or one that was sent as 79.0; 0 for anything else.
std::int64_t CountOf(const dom::object& object, std::string_view name) {
  const auto member = object.at_key(name);
  std::int64_t number = 0;
  if (member.get(number) == simdjson::SUCCESS) return std::max<std::int64_t>(number, 0);
  double real = 0;
  if (member.get(real) == simdjson::SUCCESS && real > 0 && real < 1e15) return std::int64_t(real);
  return 0;
}

bool IsNull(const simdjson::simdjson_result<dom::element>& member) {
  return member.error() == simdjson::SUCCESS && member.is_null();
}

// Adds what the row says to the page. A row that says nothing usable costs itself, not the page.
void TakeRow(const dom::element& element, ChangePage& page) {
  ++page.rows_in_all;
  dom::object object;
  ChangeRow row;
  if (element.get(object) != simdjson::SUCCESS) {
    ++page.unreadable;
    return;
  }
  const auto id = object.at_key("id");
  if (id.get(row.id) != simdjson::SUCCESS || row.id < 1 || row.id > kMaxId) {
    page.unreadable += !IsNull(id);
    return;
  }
  const auto adult = object.at_key("adult");
  bool is_adult = false;
  if (adult.get(is_adult) == simdjson::SUCCESS) {
    row.adult = is_adult ? AdultMark::kYes : AdultMark::kNo;
  } else if (IsNull(adult)) {
    row.adult = AdultMark::kNull;
  }
  page.rows.push_back(row);
}

}  // namespace

http::Request MakeChangesRequest(const ApiAccess& access, MediaType type, std::chrono::sys_days day,
                                 int page) {
  const std::string date = FormatDate(day);
  return MakeRequest(access, {.path = fmt::format("{}/changes?start_date={}&end_date={}&page={}",
                                                  TraitsOf(type).path, date, date, page),
                              .appends = {}});
}

Result<ChangePage> ParseChangePage(const std::string& body, int page) {
  TRY_ASSIGN(const ParsedJson json, ParsedJson::ParseString(body));
  dom::object envelope;
  dom::array results;
  if (json.root().get(envelope) != simdjson::SUCCESS || envelope.at_key("results").get(results))
    return Fail(ErrorCode::kCorrupt, "no page of changes: it has no results");
  std::int64_t number = 0;
  if (envelope.at_key("page").get(number) == simdjson::SUCCESS && number != page)
    return Fail(ErrorCode::kCorrupt, "page {} of the changes came instead of page {}", number, page);
  ChangePage out;
  out.total_pages = CountOf(envelope, "total_pages");
  out.total_results = CountOf(envelope, "total_results");
  out.rows.reserve(results.size());
  for (const dom::element element : results) TakeRow(element, out);
  return out;
}

PageTrouble JudgeChangesStatus(int status, std::string_view body) {
  if (status == 429) return PageTrouble::kThrottled;
  const std::int64_t code = StatusCodeOf(body);
  if (status == 401 || status == 403)
    return std::ranges::find(kKeyCodes, code) != kKeyCodes.end() ? PageTrouble::kDenied
                                                                 : PageTrouble::kTryAgain;
  if ((status == 400 || status == 422) && code == kPageOutOfRange) return PageTrouble::kNoSuchPage;
  const bool told = status == 404 && code != 0;
  if (status == 400 || status == 405 || status == 406 || status == 422 || told) return PageTrouble::kHopeless;
  return PageTrouble::kTryAgain;
}

}  // namespace tmdbc
