// SPDX-License-Identifier: MIT
#include "storage/record_line.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <iterator>
#include <utility>

#include "storage/line_cursor.h"

namespace tmdbc {
namespace {

constexpr std::array<std::string_view, 8> kChangeNames = {"insert",  "update", "stats",    "delete",
                                                          "restore", "purge",  "verified", "unchanged"};
constexpr std::size_t kShaDigits = 64;
// Behind "data":null.
constexpr std::string_view kPatch = R"(,"patch":)";
constexpr std::string_view kIds = R"(,"ids":[)";

// Everything before the value of "data".
void AppendHead(const RecordLine& record, std::string& out) {
  auto end = std::back_inserter(out);
  if (record.is_record()) {
    fmt::format_to(end, R"({{"type":"{}","id":{})", Name(record.id.type), record.id.id);
    if (record.id.type == MediaType::kSeason) {
      fmt::format_to(end, R"(,"tv_id":{},"season_number":{})", record.tv_id, record.season_number);
    }
    fmt::format_to(end, R"(,"version":{})", record.version);
  } else {
    fmt::format_to(end, R"({{"type":"{}","id":null,"version":null)", Name(record.id.type));
  }
  fmt::format_to(end, R"(,"change":"{}","fetched_at":"{}","status":{},"etag":)", Name(record.change),
                 FormatTime(record.fetched_at), record.status);
  AppendEtag(record.etag, out);
  if (record.sha256.empty()) {
    out += R"(,"sha256":null,"data":)";
  } else {
    fmt::format_to(end, R"(,"sha256":"{}","data":)", record.sha256);
  }
}

// The ids behind `[`, up to and with the closing bracket; empty when they are not ascending numbers of TMDB's kind.
std::vector<std::int64_t> ParseIds(std::string_view text) {
  std::vector<std::int64_t> ids;
  for (const char *at = text.data(), *const end = at + text.size(); at != end;) {
    std::int64_t id = 0;
    const auto [stop, error] = std::from_chars(at, end, id);
    const bool fits = error == std::errc() && *at != '0' && id > (ids.empty() ? 0 : ids.back()) &&
                      stop != end && *stop == (stop + 1 == end ? ']' : ',');
    if (!fits) return {};
    ids.push_back(id);
    at = stop + 1;
  }
  return ids;
}

// What stands between "data": and the end of the line.
Result<RecordLine> TakeBody(RecordLine record, std::string_view body) {
  const auto corrupt = [](const char* what) { return Fail(ErrorCode::kCorrupt, "record line: {}", what); };
  const bool has_data = !body.starts_with("null");
  if (has_data) {
    record.data = body;
  } else {
    body.remove_prefix(4);
  }
  bool fits = false;
  switch (record.change) {
    case Change::kDelete:
    case Change::kPurge:
      fits = body.empty();
      break;
    case Change::kVerified:
      if (!has_data && body.starts_with(kIds)) record.ids = ParseIds(body.substr(kIds.size()));
      fits = !record.ids.empty() && !record.etag && (record.status == 200 || record.status == 404);
      break;
    case Change::kStats:
      if (!has_data && body.starts_with(kPatch)) record.patch = body.substr(kPatch.size());
      fits = has_data || (record.patch.starts_with('[') && record.patch.ends_with(']'));
      break;
    default:
      fits = has_data;
  }
  if (!fits || has_data == record.sha256.empty()) return corrupt("data and change do not fit together");
  return record;
}

std::optional<Change> ParseChange(std::string_view name) {
  for (std::size_t i = 0; i < std::size_t(Change::kUnchanged); ++i) {
    if (name == kChangeNames[i]) return static_cast<Change>(i);
  }
  return std::nullopt;
}

}  // namespace

std::string_view Name(Change change) {
  return kChangeNames[std::size_t(change)];
}

void AppendRecordLine(const RecordLine& record, std::string& out) {
  AppendHead(record, out);
  out += record.data.empty() ? std::string_view("null") : record.data;
  if (!record.patch.empty()) {
    out += kPatch;
    out += record.patch;
  }
  if (!record.is_record()) fmt::format_to(std::back_inserter(out), "{}{}]", kIds, fmt::join(record.ids, ","));
  out += "}\n";
}

Result<RecordLine> ParseRecordLine(std::string_view line) {
  const auto corrupt = [](const char* what) { return Fail(ErrorCode::kCorrupt, "record line: {}", what); };
  RecordLine record;
  LineCursor at(line);
  at.Expect(R"({"type":")");
  const auto type = ParseMediaType(at.Word());
  if (!at.ok() || !type) return corrupt("no known type");
  at.Expect(R"(,"id":)");
  const bool is_record = !at.Skip("null");
  record.id = {*type, is_record ? at.Integer() : 0};
  if (is_record && *type == MediaType::kSeason) {
    at.Expect(R"(,"tv_id":)");
    record.tv_id = at.Integer();
    at.Expect(R"(,"season_number":)");
    record.season_number = at.Integer();
  }
  at.Expect(R"(,"version":)");
  if (is_record) {
    record.version = at.Integer();
  } else {
    at.Expect("null");
  }
  at.Expect(R"(,"change":")");
  const auto change = ParseChange(at.Word());
  if (!at.ok() || !change || (*change == Change::kVerified) == is_record) return corrupt("no known change");
  record.change = *change;
  at.Expect(R"(,"fetched_at":")");
  const auto fetched_at = ParseTime(at.Word());
  if (!at.ok() || !fetched_at) return corrupt("no time");
  record.fetched_at = *fetched_at;
  at.Expect(R"(,"status":)");
  record.status = static_cast<int>(at.Integer());
  at.Expect(R"(,"etag":)");
  record.etag = at.Etag();
  at.Expect(R"(,"sha256":)");
  if (!at.Skip("null")) {
    at.Expect("\"");
    record.sha256 = at.Word();
    if (record.sha256.size() != kShaDigits ||
        record.sha256.find_first_not_of("0123456789abcdef") != std::string::npos) {
      return corrupt("no sha256");
    }
  }
  at.Expect(R"(,"data":)");
  if (!at.ok()) return corrupt("its members are not those of the format");
  // Rebuilding the head is how we know that it was in the one form that we write.
  std::string head;
  head.reserve(line.size() - at.rest().size());
  AppendHead(record, head);
  if (!line.starts_with(head) || head.size() + at.rest().size() != line.size()) {
    return corrupt("its members are not in the form of the format");
  }
  std::string_view body = at.rest();
  if (body.size() < 2 || !body.ends_with('}')) return corrupt("it has no end");
  body.remove_suffix(1);
  return TakeBody(std::move(record), body);
}

}  // namespace tmdbc
