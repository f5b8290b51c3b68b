// SPDX-License-Identifier: MIT
#include "cloud/bundle_intake.h"

#include <utility>

namespace tmdbc {
namespace {

class Taker {
 public:
  Taker(Intake& intake, TakenBundle& taken) : intake_(intake), taken_(taken) {}

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
    if (!intake_.CommitDue()) return {};
    return intake_.Commit([&](const IntakeReport& report) -> Result<void> {
      taken_.late += report.stale;
      return {};
    });
  }

 private:
  Result<void> Fetched(BundleEntry entry) {
    const MediaId id = entry.id;
    const auto done = intake_.Fetched(id, std::move(entry.documents), entry.seasons, entry.at);
    if (!done && done.error().code == ErrorCode::kInvalid) return Settle(id, done.error().message);
    TRY(done);
    return Settle(id, std::move(entry.reason));
  }

  Result<void> Gone(const BundleEntry& entry) {
    const auto done = intake_.Gone(entry.id, entry.at);
    if (!done && done.error().code == ErrorCode::kUnavailable) {
      taken_.of_another_tmdb = true;
      return {};
    }
    TRY(done);
    return Settle(entry.id, "");
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
  TakenBundle& taken_;
};

}  // namespace

Result<TakenBundle> TakeBundleIn(std::string_view bundle, std::string_view batch, Intake& intake) {
  TakenBundle taken;
  Taker taker(intake, taken);
  TRY_ASSIGN(taken.summary,
             ReadBundle(bundle, batch, [&](BundleEntry entry) { return taker.Take(std::move(entry)); }));
  return taken;
}

}  // namespace tmdbc
