// SPDX-License-Identifier: MIT
#include "storage/adopt.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>

#include "storage/index_cache.h"
#include "storage/record_index.h"
#include "storage/replay.h"
#include "storage/segment_path.h"

namespace tmdbc {
namespace {

using Numbers = std::set<std::uint32_t>;

// The number of a segment, and those that it stands for.
void AddNumbers(std::uint32_t number, const std::optional<SegmentOrigin>& origin, Numbers& numbers) {
  numbers.insert(number);
  if (!origin) return;
  for (const auto& part : origin->parts) numbers.insert(part.number);
  numbers.insert(origin->retired.begin(), origin->retired.end());
}

class TypeAdopter {
 public:
  TypeAdopter(BlobReader& files, RecordIndex& index, MediaType type, VerifyReport& read, AdoptReport& report)
      : files_(files),
        index_(index),
        type_(type),
        report_(report),
        replay_(files, index, type, read, [this](std::uint32_t number) { return known_.contains(number); }) {}

  Result<void> Run(const std::vector<std::uint32_t>& sealed) {
    TRY_ASSIGN(const auto rows, index_.Segments(type_));
    for (const SegmentRow& row : rows) AddNumbers(row.number, row.origin, known_);
    TRY_ASSIGN(auto found, Unknown(sealed));
    if (found.empty()) return {};
    for (const FoundSegment& segment : found) {
      TRY(replay_.Take(segment));
      ++report_.segments;
      if (segment.origin) {
        ++report_.compacted;
        TRY(Replace(segment, rows));
      }
      AddNumbers(segment.number, segment.origin, known_);
    }
    TRY(replay_.Finish());
    report_.known += replay_.known();
    return CheckReplaced();
  }

 private:
  // Those that the index does not know, in the order in which things happened.
  Result<std::vector<FoundSegment>> Unknown(const std::vector<std::uint32_t>& sealed) {
    std::vector<FoundSegment> all;
    Numbers covered;
    for (const std::uint32_t number : sealed) {
      if (known_.contains(number)) continue;
      FoundSegment& segment =
          all.emplace_back(FoundSegment{.number = number, .path = SealedPath(type_, number)});
      TRY(FindOrigin(files_, segment));
      if (!segment.origin) continue;
      for (const auto& part : segment.origin->parts) covered.insert(part.number);
      covered.insert(segment.origin->retired.begin(), segment.origin->retired.end());
    }
    // What a compaction has copied: its copy counts.
    std::erase_if(all, [&](const FoundSegment& segment) { return covered.contains(segment.number); });
    std::ranges::stable_sort(all, {}, &FoundSegment::place);
    return all;
  }

  // The rows of what went into a compacted segment go.
  Result<void> Replace(const FoundSegment& by, const std::vector<SegmentRow>& rows) {
    for (const SegmentRow& row : rows) {
      if (row.number == by.number || !by.origin->Covers(row.number)) continue;
      TRY(index_.RemoveSegment(type_, row.number));
      replaced_.insert(row.number);
    }
    return {};
  }

  // What the compaction dropped is in no segment any more: steps that were superseded long ago.
  Result<void> CheckReplaced() {
    if (replaced_.empty()) return {};
    std::vector<StepRow> dropped;
    TRY(index_.VisitSteps(type_, [&](const StepRow& step) {
      if (replaced_.contains(step.place.segment)) dropped.push_back(step);
    }));
    for (const StepRow& step : dropped) TRY(index_.RemoveStep(step.id, step.version));
    std::optional<IndexRow> lost;
    TRY(index_.VisitRows(type_, [&](const IndexRow& row) {
      if (replaced_.contains(row.place.segment)) lost = row;
    }));
    if (!lost) return {};
    return Fail(ErrorCode::kCorrupt, Hint::kRebuild, "{} was in {}, and what replaces that does not have it",
                ToString(lost->id), SealedPath(type_, lost->place.segment));
  }

  BlobReader& files_;
  RecordIndex& index_;
  const MediaType type_;
  AdoptReport& report_;
  Numbers known_;     // whose lines the index has
  Numbers replaced_;  // whose rows are gone
  Replay replay_;
};

}  // namespace

Result<AdoptReport> AdoptSegments(BlobReader& files, Database& catalog) {
  AdoptReport report;
  RecordIndex index(catalog);
  TRY_ASSIGN(const std::int64_t schema, index.Schema());
  if (schema == 0) return report;
  TRY_ASSIGN(const auto paths, files.List(std::string(kRecordsFolder)));
  std::map<MediaType, std::vector<std::uint32_t>> sealed;
  for (const std::string& path : paths) {
    const auto name = ParseSegmentPath(path);
    if (name && !name->open) sealed[name->type].push_back(name->number);
  }
  VerifyReport read;
  const auto done = catalog.Transact([&]() -> Result<void> {
    TRY(GrowIndexCache(catalog));
    for (const auto& [type, numbers] : sealed)
      TRY(TypeAdopter(files, index, type, read, report).Run(numbers));
    return {};
  });
  if (!done) return Within("adopt segments", done.error());
  report.records = read.records - report.known;
  report.damage = std::move(read.damage);
  return report;
}

}  // namespace tmdbc
