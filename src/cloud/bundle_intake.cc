// SPDX-License-Identifier: MIT
#include "cloud/bundle_intake.h"

#include <utility>

namespace tmdbc {
namespace {

// What is only verified is told together with its neighbours of a second: the store may know a time that is later by so
// much than that of the very answer.
constexpr Duration kTold = std::chrono::seconds(1);

class Taker {
 public:
  Taker(Intake& intake, RecordWriter& writer, RecordLedger& ledger, TakenBundle& taken)
      : intake_(intake), writer_(writer), ledger_(ledger), taken_(taken) {}

  Result<void> Take(BundleEntry entry) {
    const MediaId id = entry.id;
    switch (entry.kind) {
      case BundleEntry::Kind::kLeft:
        return {};
      case BundleEntry::Kind::kFailed:
        taken_.outcome.failed.emplace(id, std::move(entry.reason));
        return {};
      case BundleEntry::Kind::kGone:
        TRY(Gone(entry));
        break;
      case BundleEntry::Kind::kFetched:
        TRY(Fetched(std::move(entry)));
        break;
    }
    if (intake_.CommitDue()) TRY(intake_.Commit([](const IntakeReport&) { return Result<void>(); }));
    return {};
  }

 private:
  Result<void> Fetched(BundleEntry entry) {
    const MediaId id = entry.id;
    TRY_ASSIGN(const IdState state, ledger_.StateOf(id));
    if (entry.at + kTold < state.verified_at) {
      ++taken_.late;
      return Settle(id, std::move(entry.reason));
    }
    const auto done = intake_.Fetched(id, std::move(entry.documents), entry.seasons, entry.at);
    if (!done && done.error().code == ErrorCode::kInvalid) return Settle(id, done.error().message);
    TRY(done);
    return Settle(id, std::move(entry.reason));
  }

  Result<void> Gone(const BundleEntry& entry) {
    const MediaId id = entry.id;
    TRY_ASSIGN(const IdState state, ledger_.StateOf(id));
    const bool live = state.standing == Standing::kLive;
    if (live ? entry.at + kTold < state.verified_at : ToMillis(entry.at) <= state.verified_at) {
      // It was counted when it came first; but of a show that went, the segment of its seasons may be missing.
      if (!live && id.type == MediaType::kTv) TRY(SeasonsGone(id, entry.at));
      ++taken_.late;
      return Settle(id, "");
    }
    const auto done = intake_.Gone(id, entry.at);
    if (!done && done.error().code == ErrorCode::kUnavailable) {
      taken_.of_another_tmdb = true;
      return {};
    }
    TRY(done);
    return Settle(id, "");
  }

  Result<void> SeasonsGone(MediaId show, Time at) {
    TRY_ASSIGN(const auto seasons, writer_.LiveSeasons(show.id));
    for (const auto& season : seasons) {
      TRY_ASSIGN(const IdState state, ledger_.StateOf(season.id));
      if (state.verified_at <= at + kTold) TRY(intake_.Gone(season.id, at));
    }
    return {};
  }

  Result<void> Settle(MediaId id, std::string reason) {
    if (reason.empty()) {
      taken_.outcome.done.push_back(id);
    } else {
      taken_.outcome.failed.emplace(id, std::move(reason));
    }
    return {};
  }

  Intake& intake_;
  RecordWriter& writer_;
  RecordLedger& ledger_;
  TakenBundle& taken_;
};

}  // namespace

Result<TakenBundle> TakeBundleIn(std::string_view bundle, std::string_view batch, Intake& intake, RecordWriter& writer,
                                 RecordLedger& ledger) {
  TakenBundle taken;
  Taker taker(intake, writer, ledger, taken);
  TRY_ASSIGN(taken.summary,
             ReadBundle(bundle, batch, [&](BundleEntry entry) { return taker.Take(std::move(entry)); }));
  return taken;
}

}  // namespace tmdbc
