// SPDX-License-Identifier: MIT
// ExtractionPlan: the spec as a tree of names, in which a walk over a record finds at each value what it means: which
// cells it fills, whether a row begins or ends there, or that nobody knows it. Compiled once; constant; any thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "tables/spec.h"

namespace tmdbc::tables {

// What of a record is said in the line around it.
enum class Said : std::uint8_t {
  kNothing,
  kId,
  kVersion,
  kFetchedAt,
  kTvId,
  kSeasonNumber,
  kMediaType,
  kLocale
};

class ExtractionPlan {
 public:
  using NodeId = std::uint32_t;
  static constexpr NodeId kRoot = 0;
  static constexpr NodeId kNone = 0;  // nothing leads to the root

  // A place in a row: the table by its place in tables(), the column by its place in the table.
  struct Target {
    std::uint32_t table;
    std::uint32_t column;
    std::uint8_t rank = 0;  // of several sources the lowest that is there counts
  };
  // From here on a row of the table has new cells in the columns of this level and those above.
  struct Opening {
    std::uint32_t table;
    std::uint32_t level;
  };

  struct Node {
    // The member of that name; kNone when nobody knows it.
    NodeId Find(std::string_view name) const;

    std::vector<std::pair<std::string, NodeId>> names;
    NodeId element = kNone;      // each element of the list that this is
    NodeId any = kNone;          // each member, whatever its name, of the object that this is
    std::vector<Target> leaves;  // the value goes there
    std::vector<Target> keys;    // the name that it stands under goes there
    std::vector<Target> counts;  // the length of the list goes there
    std::vector<Opening> opens;
    std::vector<std::uint32_t> emits;          // it is a row of these tables
    std::vector<std::uint32_t> emits_if_none;  // it becomes a row of these when nothing in it is one
    Said same_as = Said::kNothing;             // a value that differs is a reject
    bool unused = false;                       // known, and no column: a value without members is passed over
    bool optional_row = false;                 // an object that is a row; no step of a path by itself

    bool descends() const { return !names.empty() || element != kNone || any != kNone; }

   private:
    friend class ExtractionPlan;
    static constexpr std::size_t kBuckets = 64;
    static std::size_t Bucket(std::string_view name);
    std::array<std::uint16_t, kBuckets> first_{};  // place in `names` plus 1
    std::vector<std::uint16_t> next_;              // the same, of the next name in the bucket
  };

  struct PlannedTable {
    std::size_t table;  // place in Tables()
    // Columns whose values do not come with a walk, by column.
    std::vector<std::pair<std::uint32_t, Said>> said;
    std::vector<std::uint32_t> positions, indexes;
    std::vector<std::vector<std::uint32_t>> level_columns;  // by level: the columns that begin there
    std::vector<std::uint32_t> counted;                     // 0 until the list comes
    // The columns of its key, where TMDB's own values make it: a record may have them twice.
    std::vector<std::uint32_t> key;
  };

  // Of the records of a type; of a configuration list, by its path. Without tables when none is cut from it.
  static const ExtractionPlan& Of(MediaType type);
  static const ExtractionPlan& OfList(std::string_view path);

  const Node& at(NodeId node) const { return nodes_[node]; }
  const std::vector<PlannedTable>& tables() const { return tables_; }

 private:
  class Compiler;
  std::vector<Node> nodes_ = std::vector<Node>(1);
  std::vector<PlannedTable> tables_;
};

}  // namespace tmdbc::tables
