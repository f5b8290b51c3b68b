// SPDX-License-Identifier: MIT
#include "exports.h"

#include <fmt/chrono.h>
#include <fmt/core.h>

#include <charconv>

#include "base/compression.h"
#include "md5.h"
#include "target.h"

namespace tmdbc::sim {
namespace {

struct Name {
  std::string_view name;
  Kind kind;
  bool adult;
};
constexpr std::array<Name, 10> kNames = {{{"movie_ids", Kind::kMovie, false},
                                          {"tv_series_ids", Kind::kTv, false},
                                          {"person_ids", Kind::kPerson, false},
                                          {"collection_ids", Kind::kCollection, false},
                                          {"tv_network_ids", Kind::kNetwork, false},
                                          {"keyword_ids", Kind::kKeyword, false},
                                          {"production_company_ids", Kind::kCompany, false},
                                          {"adult_movie_ids", Kind::kMovie, true},
                                          {"adult_tv_series_ids", Kind::kTv, true},
                                          {"adult_person_ids", Kind::kPerson, true}}};

constexpr std::string_view kDenied =
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>AccessDenied</Code><Message>Access "
    "Denied</Message>"
    "<RequestId>0000000000000000</RequestId><HostId>tmdb-sim</HostId></Error>";

constexpr std::string_view kProxyPage =
    "<!DOCTYPE html>\n<html><head><title>Sign in</title></head>"
    "<body><h1>Please sign in to this network</h1></body></html>\n";

// Large files are several gzip members one after the other (RFC 1952 section 2.2), which bounds the memory it
// takes to make them.
constexpr std::size_t kMember = 64 << 20;

// TMDB makes the files at this time of the day.
constexpr auto kMadeAt = std::chrono::hours(7) + std::chrono::seconds(19 * 60 + 28);
constexpr std::chrono::hours kLateBy{10};
// Three days of ten files: today's, and what a reader falls back to.
constexpr std::size_t kMostFiles = 30;

struct Range {
  std::size_t first, last;
};

// RFC 9110 section 14.1.2, one range only. Nothing: not satisfiable.
std::optional<Range> ParseRange(std::string_view text, std::size_t size) {
  const auto dash = text.find('-');
  if (!text.starts_with("bytes=") || dash == std::string_view::npos || size == 0) return std::nullopt;
  const auto first = ParseInteger(text.substr(6, dash - 6));
  const auto last = ParseInteger(text.substr(dash + 1));
  if (!first && !last) return std::nullopt;
  if (!first) {
    const auto length = static_cast<std::size_t>(*last);
    if (length == 0) return std::nullopt;
    return Range{size - std::min(size, length), size - 1};
  }
  const auto from = static_cast<std::size_t>(*first);
  const auto to = last ? std::min(static_cast<std::size_t>(*last), size - 1) : size - 1;
  if (from > to) return std::nullopt;
  return Range{from, to};
}

}  // namespace

std::optional<ExportName> ParseExportName(std::string_view file) {
  constexpr std::string_view kSuffix = ".json.gz";
  constexpr std::size_t kDate = std::string_view("_11_22_2026").size();
  if (!file.ends_with(kSuffix)) return std::nullopt;
  file.remove_suffix(kSuffix.size());
  if (file.size() <= kDate) return std::nullopt;
  const std::string_view date = file.substr(file.size() - kDate);
  const std::string_view name = file.substr(0, file.size() - kDate);
  const auto month = ParseInteger(date.substr(1, 2)), day = ParseInteger(date.substr(4, 2)),
             year = ParseInteger(date.substr(7, 4));
  if (date[0] != '_' || date[3] != '_' || date[6] != '_' || !month || !day || !year) return std::nullopt;
  const std::chrono::year_month_day ymd{std::chrono::year(static_cast<int>(*year)),
                                        std::chrono::month(static_cast<unsigned>(*month)),
                                        std::chrono::day(static_cast<unsigned>(*day))};
  if (!ymd.ok()) return std::nullopt;
  for (const Name& known : kNames) {
    if (known.name == name) return ExportName{known.kind, known.adult, std::chrono::sys_days(ymd)};
  }
  return std::nullopt;
}

std::optional<ExportFault> ExportFaultOf(std::string_view name) {
  constexpr std::array<std::string_view, 9> kFaultNames = {
      "missing", "late", "truncated", "halved", "empty", "inflated", "padded", "marked", "html"};
  for (std::size_t i = 0; i < kFaultNames.size(); ++i) {
    if (kFaultNames[i] == name) return static_cast<ExportFault>(i);
  }
  return std::nullopt;
}

std::optional<ExportFault> Exports::FaultOn(std::chrono::sys_days date) const {
  const auto fault = options_.faults.find(date);
  return fault == options_.faults.end() ? std::nullopt : std::optional(fault->second);
}

bool Exports::Published(std::chrono::sys_days date) const {
  const Time now = clock_.Now();
  const auto today = std::chrono::floor<std::chrono::days>(now);
  // Kept for three months.
  if (today - date > std::chrono::days(92)) return false;
  if (today - date < std::chrono::days(options_.withheld_days)) return false;
  const auto fault = FaultOn(date);
  if (fault == ExportFault::kMissing) return false;
  const auto late = fault == ExportFault::kLate ? kLateBy : std::chrono::hours(0);
  return now >= date + std::chrono::hours(8) + options_.publish_delay + late;
}

const Exports::File& Exports::FileOf(const ExportName& name) {
  std::uint64_t revision = 0;
  if (evolving_ != nullptr) {
    evolving_->EvolveTo(name.date + kMadeAt);
    revision = evolving_->Revision(name.kind);
  }
  FileKey key{name.kind, name.adult, revision, FaultOn(name.date)};
  // On time or not, it is the same file.
  if (key.fault == ExportFault::kLate) key.fault.reset();
  if (const auto known = files_.find(key); known != files_.end()) return known->second;
  if (order_.size() == kMostFiles) {
    files_.erase(order_.front());
    order_.erase(order_.begin());
  }
  order_.push_back(key);
  return files_[key] = Make(key);
}

Exports::File Exports::Make(const FileKey& key) {
  std::string lines, bytes;
  const auto compress = [&] {
    bytes += key.fault == ExportFault::kInflated ? lines : Gzip(lines, 4);
    lines.clear();
  };
  if (key.fault == ExportFault::kMarked) lines = "\xEF\xBB\xBF";
  std::uint64_t number = 0;
  world_.ForEachLine(key.kind, key.adult, [&](std::string_view line) {
    if (key.fault == ExportFault::kEmpty || (key.fault == ExportFault::kHalved && ++number % 2 == 0)) return;
    lines += line;
    if (lines.size() >= kMember) compress();
  });
  if (!lines.empty() || bytes.empty()) compress();
  if (key.fault == ExportFault::kTruncated) bytes.resize(bytes.size() * 3 / 5);
  if (key.fault == ExportFault::kPadded) bytes.append(1000, '\0');
  if (key.fault == ExportFault::kHtml) bytes = kProxyPage;
  std::string etag = fmt::format("\"{}\"", Md5Hex(bytes));
  return {std::make_shared<const std::string>(std::move(bytes)), std::move(etag)};
}

void Exports::Prepare() {
  // The file of a day to come must not be made: all that happens until then would have happened.
  auto date = std::chrono::floor<std::chrono::days>(clock_.Now());
  if (clock_.Now() < date + kMadeAt) date -= std::chrono::days(1);
  for (const Name& name : kNames) FileOf({name.kind, name.adult, date});
}

http::Answer Exports::Handle(const http::ServerRequest& request, std::string_view file_name) {
  http::Answer answer;
  const auto name = ParseExportName(file_name);
  if (!name || !Published(name->date)) {
    answer.status = 403;
    answer.headers = {
        {"Content-Type", "application/xml"}, {"Server", "AmazonS3"}, {"X-Cache", "Error from cloudfront"}};
    answer.framing = http::Answer::Framing::kChunked;
    answer.body = std::make_shared<const std::string>(kDenied);
    return answer;
  }
  const File& file = FileOf(*name);
  const std::string& bytes = *file.bytes;
  const Time modified = name->date + kMadeAt;
  answer.headers = {
      {"Content-Type", "application/gzip"},
      {"Last-Modified", fmt::format("{:%a, %d %b %Y %H:%M:%S} GMT",
                                    fmt::gmtime(std::chrono::system_clock::to_time_t(modified)))},
      {"ETag", file.etag},
      {"Accept-Ranges", "bytes"},
      {"Server", "AmazonS3"},
      {"X-Cache", "Hit from cloudfront"}};
  const std::string_view range = request.header("Range");
  if (range.empty()) {
    answer.body = file.bytes;
    return answer;
  }
  if (const auto wanted = ParseRange(range, bytes.size())) {
    answer.status = 206;
    answer.headers.emplace_back("Content-Range",
                                fmt::format("bytes {}-{}/{}", wanted->first, wanted->last, bytes.size()));
    answer.body =
        std::make_shared<const std::string>(bytes.substr(wanted->first, wanted->last - wanted->first + 1));
  } else {
    answer.status = 416;
    answer.headers.emplace_back("Content-Range", fmt::format("bytes */{}", bytes.size()));
  }
  return answer;
}

}  // namespace tmdbc::sim
