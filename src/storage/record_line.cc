// SPDX-License-Identifier: MIT
#include "storage/record_line.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <iterator>

namespace tmdbc {
namespace {

constexpr std::array<std::string_view, 7> kChangeNames = {"insert",  "update", "stats",    "delete",
                                                          "restore", "purge",  "unchanged"};
constexpr std::size_t kShaDigits = 64;

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
  fmt::format_to(end, R"({{"type":"{}","id":{})", Name(record.id.type), record.id.id);
  if (record.id.type == MediaType::kSeason) {
    fmt::format_to(end, R"(,"tv_id":{},"season_number":{})", record.tv_id, record.season_number);
  }
  fmt::format_to(end, R"(,"version":{},"change":"{}","fetched_at":"{}","status":{},"etag":)", record.version,
                 Name(record.change), FormatTime(record.fetched_at), record.status);
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
  record.id = {*type, at.Integer()};
  if (*type == MediaType::kSeason) {
    at.Expect(R"(,"tv_id":)");
    record.tv_id = at.Integer();
    at.Expect(R"(,"season_number":)");
    record.season_number = at.Integer();
  }
  at.Expect(R"(,"version":)");
  record.version = at.Integer();
  at.Expect(R"(,"change":")");
  const auto change = ParseChange(at.Word());
  if (!at.ok() || !change) return corrupt("no known change");
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
  record.data = at.rest();
  if (record.data.size() < 2 || !record.data.ends_with('}')) return corrupt("it has no end");
  record.data.remove_suffix(1);
  const bool tombstone = record.change == Change::kDelete || record.change == Change::kPurge;
  if (tombstone != (record.data == "null") || tombstone != record.sha256.empty()) {
    return corrupt("data and change do not fit together");
  }
  if (tombstone) record.data = {};
  return record;
}

}  // namespace tmdbc
