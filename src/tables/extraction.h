// SPDX-License-Identifier: MIT
// Extractor: one record's body -> the rows of its tables. Nothing vanishes in silence: a value that does not fit its
// column is NULL there and a reject, a member that the spec does not know is told once a record. Each object's members
// are walked once, so that finding unknown ones costs nothing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "tables/cell.h"
#include "tables/extraction_plan.h"

namespace tmdbc::tables {

// What the line around a record says of it.
struct RecordFacts {
  std::int64_t id = 0;
  std::int64_t version = 0;
  Time fetched_at{};
  std::int64_t tv_id = 0;          // of a season
  std::int64_t season_number = 0;  // of a season
  std::string_view media_type{};   // of a configuration list: movie or tv
  std::string_view locale{};       // of a configuration list in one language: de-DE
};

// Of one record at most this many rejects are told; one more says how many there were.
inline constexpr std::size_t kMaxRejects = 200;
// A reject shows the first bytes of its value.
inline constexpr std::size_t kMaxRejectValue = 200;
// Of one record at most this many unknown members are told, the first of them; one more reject says how many followed.
inline constexpr std::size_t kMaxUnknown = 200;

class RowSink {
 public:
  virtual ~RowSink() = default;
  // A row of Tables()[table], a cell a column. The views last as long as the call.
  virtual Result<void> Row(std::size_t table, std::span<const Cell> cells) = 0;
  // Where it stands ("credits.cast[3].order"), the value as JSON (cut), and why it did not fit.
  virtual Result<void> Reject(std::string_view path, std::string_view value, std::string_view reason) = 0;
  // Where it stands, "credits.cast[].new": each path once a record.
  virtual Result<void> Unknown(std::string_view path) = 0;
};

// One thread.
class Extractor {
 public:
  // Both outlive it.
  Extractor(const ExtractionPlan& plan, RowSink& sink);

  // All rows of the record whose body is `data`, in the order of its bytes, then its root row. kCorrupt when `data` is
  // no JSON; else the sink's errors.
  Result<void> Extract(const RecordFacts& facts, std::string_view data);

 private:
  using Node = ExtractionPlan::Node;
  using NodeId = ExtractionPlan::NodeId;
  using Target = ExtractionPlan::Target;
  using Element = simdjson::dom::element;

  static constexpr std::uint8_t kUnset = 255;

  // The row that is being filled.
  struct Draft {
    std::vector<Cell> cells;
    std::vector<std::uint8_t> ranks;  // of the source that each cell has its value from
    std::int64_t rows = 0;            // of this record
    std::int64_t within = 0;          // of the holder at hand, of a table that keeps empty ones
    std::set<std::string> keys;       // of its rows, where the record may give one twice
  };
  // A value that holds others, whose turn comes after all plain ones beside it.
  struct Deferred {
    NodeId node;
    std::size_t ordinal;
    std::string_view name;
    Element value;
    bool any;
  };
  // A step on the way from the record to the value at hand.
  struct Step {
    enum class Kind : std::uint8_t { kMember, kAny, kElement } kind;
    std::string_view name;
    std::size_t ordinal;
  };

  void Begin(const RecordFacts& facts);
  Result<void> Plain(const Node& node, Element value);
  Result<void> Holder(const Node& node, Element value, std::string_view name, std::size_t index);
  Result<void> Object(const Node& node, const simdjson::dom::object& object);
  Result<void> Array(const Node& node, const simdjson::dom::array& array);
  Result<void> Enter(const Deferred& deferred);
  void Open(const Node& node, std::string_view name);
  Result<void> Close(const Node& node, Element value, std::size_t index);
  Result<void> Emit(std::uint32_t table, Element value, std::size_t index);

  Result<std::string_view> Set(const Target& target, const Cell& cell);
  Result<void> Reject(Element value, std::string_view reason);
  Result<void> RejectHeld(const Target& target, std::uint8_t rank, const Cell& lost);
  Result<void> Finish();
  void Unknown(std::string_view name);
  std::string Path(bool with_places) const;
  std::string RawValue(Element value) const;
  std::int64_t Said(tables::Said what) const;

  const ExtractionPlan& plan_;
  RowSink& sink_;
  std::vector<Draft> drafts_;  // one a table of the plan
  // Of the record at hand:
  RecordFacts facts_;
  std::string_view data_;
  std::vector<Step> way_;
  std::vector<Deferred> deferred_;
  std::deque<std::string> texts_;  // that cells look at and the record does not have
  std::size_t rejects_ = 0;
  std::set<std::string> unknown_;
  std::size_t unlisted_ = 0;  // unknown members beyond those
};

}  // namespace tmdbc::tables
