// SPDX-License-Identifier: MIT
// state.json of a type: the number of its last sealed segment, written last of all so that its reader
// finds every segment up to that number. {"sequence":1,"schema":2,"timestamp":"2026-11-22T10:01:02.345Z"} and
// a line break.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/files.h"
#include "base/result.h"
#include "storage/record_index.h"

namespace tmdbc {

inline constexpr int kRecordSchema = 2;

struct SequenceState {
  std::uint32_t sequence = 0;
  Time timestamp{};  // when that segment was sealed
  bool operator==(const SequenceState&) const = default;
};

std::string FormatState(const SequenceState& state);
// Takes exactly what FormatState() writes; kCorrupt else.
Result<SequenceState> ParseState(std::string_view json);
// Whether that is what state.json is to say: the place of the last sealed segment, or, where later ones are lost
// (RecordIndex::LostUpTo), their number: it does not go back, for somebody may have read that far.
bool StatesLast(std::string_view json, const SegmentRow& last, std::uint32_t lost);
// The number behind "schema", of a state.json of any schema; 0 when there is none.
int SchemaOf(std::string_view json);

// Writes the type's state.json, durably, when it does not say what the index says.
Result<void> BringStateUpToDate(FileSystem& files, RecordIndex& index, MediaType type);

}  // namespace tmdbc
