// SPDX-License-Identifier: MIT
#include "storage/record_line.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <iterator>
#include <utility>

namespace tmdbc {
namespace {

constexpr std::array<std::string_view, 8> kChangeNames = {"insert",  "update", "stats",    "delete",
                                                          "restore", "purge",  "verified", "unchanged"};
constexpr std::size_t kShaDigits = 64;
// Behind "data":null.
constexpr std::string_view kPatch = R"(,"patch":)";
constexpr std::string_view kIds = R"(,"ids":[)";

// Header bytes are Latin-1: every byte that is not plain ASCII becomes the \u00XX of its code point, so that
// the line is valid UTF-8 whatever a server sends, and nothing is lost.
void AppendEtag(const std::optional<std::string>& etag, std::string& out) {
  if (!etag) {
    out += "null";
    return;
  }
  out += '"';
  for (const char c : *etag) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte >= 0x7f) {
      fmt::format_to(std::back_inserter(out), "\\u{:04x}", byte);
    } else {
      if (c == '"' || c == '\\') out += '\\';
      out += c;
    }
  }
  out += '"';
}

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

// Takes a line apart from left to right. After the first thing that does not fit, ok() is false and stays so.
class Cursor {
 public:
  explicit Cursor(std::string_view text) : rest_(text) {}

  bool ok() const { return ok_; }
  std::string_view rest() const { return rest_; }

  bool Skip(std::string_view literal) {
    if (!rest_.starts_with(literal)) return false;
    rest_.remove_prefix(literal.size());
    return true;
  }
  void Expect(std::string_view literal) { ok_ = Skip(literal) && ok_; }

  std::int64_t Integer() {
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), value);
    ok_ = ok_ && error == std::errc();
    rest_.remove_prefix(std::size_t(end - rest_.data()));
    return value;
  }

  // Up to the next quote, which is taken too.
  std::string_view Word() {
    const auto quote = rest_.find('"');
    if (quote == std::string_view::npos) {
      ok_ = false;
      return {};
    }
    const auto word = rest_.substr(0, quote);
    rest_.remove_prefix(quote + 1);
    return word;
  }

  std::optional<std::string> Etag() {
    if (Skip("null")) return std::nullopt;
    Expect("\"");
    std::string etag;
    while (ok_) {
      if (rest_.empty()) {
        ok_ = false;
      } else if (Skip("\"")) {
        break;
      } else if (Skip("\\u00")) {
        unsigned byte = 0;
        const auto digits = rest_.substr(0, 2);
        const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), byte, 16);
        ok_ = error == std::errc() && digits.size() == 2 && end == digits.data() + 2;
        etag += static_cast<char>(byte);
        rest_.remove_prefix(digits.size());
      } else {
        Skip("\\");
        if (rest_.empty()) break;
        etag += rest_.front();
        rest_.remove_prefix(1);
      }
    }
    return etag;
  }

 private:
  std::string_view rest_;
  bool ok_ = true;
};

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
  Cursor at(line);
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
