// SPDX-License-Identifier: MIT
// A bundle goes into the store, through the Intake through which a collector beside the store hands in its answers. A
// bundle may come twice: its owner died behind the commit; or late: its ids have been answered by another one since.
// The Intake must know of that (StoreIntakeOptions::answers_come_late).
#pragma once

#include <cstdint>
#include <string_view>

#include "base/result.h"
#include "cloud/bundle.h"
#include "cloud/dispatcher.h"
#include "storage/intake.h"

namespace tmdbc {

struct TakenBundle {
  BundleSummary summary;
  BatchOutcome outcome;
  std::int64_t late = 0;         // answers that changed nothing, as far as they have been committed
  bool of_another_tmdb = false;  // nothing but 404s, of ids that are unknown here: they were left
};

// Hands in all of `bundle`, committing whenever that is due; the rest of it, and what becomes of its batch, is the
// caller's to commit. The batch of the intake is empty. kCorrupt: it is not a bundle of `batch`, and nothing was handed
// in; other errors are the store's.
Result<TakenBundle> TakeBundleIn(std::string_view bundle, std::string_view batch, Intake& intake);

}  // namespace tmdbc
