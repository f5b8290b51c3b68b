// SPDX-License-Identifier: MIT
#include "storage/sequence_state.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "storage/segment_path.h"

namespace tmdbc {

std::string FormatState(const SequenceState& state) {
  return fmt::format("{{\"sequence\":{},\"schema\":{},\"timestamp\":\"{}\"}}\n", state.sequence,
                     kRecordSchema, FormatTime(state.timestamp));
}

Result<SequenceState> ParseState(std::string_view json) {
  constexpr std::string_view kStart = R"({"sequence":)";
  constexpr std::string_view kTimestamp = R"("timestamp":")";
  constexpr std::size_t kTimeLength = std::string_view("2026-11-22T10:01:02.345Z").size();
  const auto time_at = json.find(kTimestamp);
  if (json.starts_with(kStart) && time_at != std::string_view::npos) {
    SequenceState state;
    std::from_chars(json.data() + kStart.size(), json.data() + json.size(), state.sequence);
    const auto time = ParseTime(json.substr(time_at + kTimestamp.size(), kTimeLength));
    if (time) state.timestamp = *time;
    if (time && state.sequence <= kMaxSegmentNumber && FormatState(state) == json) return state;
  }
  return Fail(ErrorCode::kCorrupt, "state.json is not in the form of the format: {:.80}", json);
}

bool StatesLast(std::string_view json, const SegmentRow& last, std::uint32_t lost) {
  if (lost <= last.place()) return json == FormatState({last.place(), *last.sealed_at});
  const auto state = ParseState(json);
  return state && state->sequence == lost;
}

int SchemaOf(std::string_view json) {
  constexpr std::string_view kSchema = R"("schema":)";
  const auto at = json.find(kSchema);
  int schema = 0;
  if (at != std::string_view::npos) std::from_chars(json.data() + at + kSchema.size(), json.data() + json.size(), schema);
  return schema;
}

Result<void> BringStateUpToDate(FileSystem& files, RecordIndex& index, MediaType type) {
  TRY_ASSIGN(const auto last, index.LastSealed(type));
  if (!last) return {};
  TRY_ASSIGN(const std::uint32_t lost, index.LostUpTo(type));
  const std::string path = StatePath(type);
  constexpr std::uint64_t kLongest = 4096;
  const auto present = files.Read(path, 0, kLongest);
  if (!present && present.error().code != ErrorCode::kNotFound) return std::unexpected(present.error());
  if (present && StatesLast(*present, *last, lost)) return {};
  return WriteWhole(files, path, FormatState({std::max(last->place(), lost), *last->sealed_at}));
}

}  // namespace tmdbc
