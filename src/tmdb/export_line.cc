// SPDX-License-Identifier: MIT
#include "tmdb/export_line.h"

#include <simdjson.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "base/clock.h"
#include "base/json.h"

namespace tmdbc {

namespace chrono = std::chrono;
namespace ondemand = simdjson::ondemand;

static_assert(kLinePadding >= simdjson::SIMDJSON_PADDING);

namespace {

constexpr std::string_view kFolder = "exports/";
constexpr std::string_view kSuffix = ".json.gz";

float Usable(double popularity) {
  if (!(popularity > 0)) return 0;  // also NaN
  return float(std::min(popularity, double(std::numeric_limits<float>::max())));
}

std::unexpected<Error> Bad(const char* why) {
  return Fail(ErrorCode::kCorrupt, "{}", why);
}

}  // namespace

std::string ExportUrl(std::string_view base_url, std::string_view name, chrono::sys_days day) {
  const chrono::year_month_day date(day);
  return fmt::format("{}/{}_{:02}_{:02}_{:04}{}", base_url, name, unsigned(date.month()),
                     unsigned(date.day()), int(date.year()), kSuffix);
}

std::string KeptExportPath(std::string_view name, chrono::sys_days day) {
  return fmt::format("{}{}_{}{}", kFolder, name, FormatDate(day), kSuffix);
}

std::optional<KeptExport> ParseKeptExportPath(std::string_view path) {
  constexpr std::size_t kDate = std::string_view("2026-11-22").size();
  if (!path.starts_with(kFolder) || !path.ends_with(kSuffix)) return std::nullopt;
  const std::string_view stem = path.substr(kFolder.size(), path.size() - kFolder.size() - kSuffix.size());
  if (stem.size() < kDate + 2 || stem[stem.size() - kDate - 1] != '_') return std::nullopt;
  const auto day = ParseDate(stem.substr(stem.size() - kDate));
  if (!day) return std::nullopt;
  return KeptExport{std::string(stem.substr(0, stem.size() - kDate - 1)), *day};
}

struct ExportLineParser::Impl {
  ondemand::parser parser;
};

ExportLineParser::ExportLineParser() : impl_(std::make_unique<Impl>()) {}
ExportLineParser::~ExportLineParser() = default;

Result<ExportEntry> ExportLineParser::Parse(std::string_view line) {
  ondemand::document document;
  if (impl_->parser.iterate(line.data(), line.size(), line.size() + kLinePadding).get(document)) {
    return Bad("is not JSON");
  }
  ondemand::object object;
  if (document.get_object().get(object)) return Bad("is not a JSON object");
  ExportEntry entry;
  std::uint64_t id = 0;
  bool has_id = false;
  for (auto next : object) {
    ondemand::field field;
    if (std::move(next).get(field)) return Bad("is not whole JSON");
    const ondemand::raw_json_string key = field.key();
    if (key == "id") {
      has_id = field.value().get_uint64().get(id) == simdjson::SUCCESS;
      if (!has_id) return Bad("has an id that is not a number");
    } else if (key == "popularity") {
      double popularity = 0;
      if (field.value().get_double().get(popularity) == simdjson::SUCCESS)
        entry.popularity = Usable(popularity);
    } else if (key == "adult") {
      bool adult = false;
      entry.adult = field.value().get_bool().get(adult) == simdjson::SUCCESS && adult;
    }
  }
  // 3.0.1 has no document.at_end(); asking for the place beyond the last token says the same.
  if (document.current_location().error() != simdjson::OUT_OF_BOUNDS) return Bad("goes on after its object");
  if (!has_id) return Bad("has no id");
  if (id < 1 || id > std::uint64_t(kMaxId)) return Bad("has an id that is out of range");
  entry.id = std::uint32_t(id);
  return entry;
}

void LineSplitter::Feed(std::string_view bytes, const Visit& visit) {
  while (!bytes.empty()) {
    const std::size_t end = bytes.find('\n');
    if (end == std::string_view::npos) return Carry(bytes);
    const std::string_view line = bytes.substr(0, end);
    bytes.remove_prefix(end + 1);
    // Most lines are read where they are; the copy is for those that began in an earlier piece, end too near
    // the end of this one for their padding, or are too long.
    if (carried_.empty() && bytes.size() + 1 >= kLinePadding && line.size() <= kMaxLine) {
      Give(line, visit);
    } else {
      Carry(line);
      GiveCarried(visit);
    }
  }
}

void LineSplitter::Finish(const Visit& visit) {
  if (!carried_.empty()) GiveCarried(visit);
}

void LineSplitter::Give(std::string_view line, const Visit& visit) {
  if (++number_ == 1 && line.starts_with(kByteOrderMark)) line.remove_prefix(kByteOrderMark.size());
  if (line.ends_with('\r')) line.remove_suffix(1);
  if (line.find_first_not_of(" \t") != std::string_view::npos) visit(number_, line);
}

void LineSplitter::Carry(std::string_view bytes) {
  carried_.append(bytes.substr(0, kMaxLine - std::min(carried_.size(), kMaxLine)));
}

void LineSplitter::GiveCarried(const Visit& visit) {
  const std::size_t size = carried_.size();
  carried_.append(kLinePadding, '\0');
  Give(std::string_view(carried_).substr(0, size), visit);
  carried_.clear();
}

}  // namespace tmdbc
