// SPDX-License-Identifier: MIT
#include "storage/ledger.h"

namespace tmdbc {

Result<IdState> RecordLedger::StateOf(MediaId id) {
  return index_.StateOf(id);
}

Result<void> RecordLedger::VisitStates(MediaType type, const std::function<void(const IdState&)>& visit,
                                       const StopFlag& stop) {
  return index_.VisitStates(type, visit, stop);
}

Result<void> RecordLedger::VisitKnownIds(MediaType type, const std::function<void(std::int64_t)>& visit,
                                         const StopFlag& stop) {
  return index_.VisitStates(type, [&](const IdState& state) { visit(state.id); }, stop);
}

Result<void> RecordLedger::VisitLive(MediaType type, const std::function<void(const LiveRecord&)>& visit,
                                     const StopFlag& stop) {
  return index_.VisitLive(type, visit, stop);
}

Result<std::int64_t> RecordLedger::CountLive(MediaType type) {
  return index_.CountLive(type);
}

Result<std::vector<std::int64_t>> RecordLedger::SeasonNumbers(std::int64_t tv_id) {
  TRY_ASSIGN(const auto seasons, index_.SeasonsOf(tv_id));
  std::vector<std::int64_t> numbers;
  for (const IndexRow& row : seasons) {
    if (row.live() && (numbers.empty() || numbers.back() != row.season_number))
      numbers.push_back(row.season_number);
  }
  return numbers;
}

Result<std::vector<std::pair<MediaType, TypeCounts>>> RecordLedger::Counts() {
  return index_.Counts();
}

Result<std::vector<std::int64_t>> RecordLedger::HeldDeletions(MediaType type) {
  return index_.HeldDeletions(type);
}

Result<std::vector<std::int64_t>> RecordLedger::ShowsOfHeldSeasons() {
  return index_.ShowsOfHeldSeasons();
}

Result<std::map<MediaType, std::int64_t>> RecordLedger::DeletionsSince(Time since) {
  return index_.DeletionsSince(since);
}

Result<void> RecordLedger::AcceptDeletions(Time at) {
  return index_.AcceptDeletions(at);
}

Result<std::optional<Time>> RecordLedger::DeletionsAcceptedAt() {
  return index_.DeletionsAcceptedAt();
}

}  // namespace tmdbc
