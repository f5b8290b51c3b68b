// SPDX-License-Identifier: MIT
// The dashboard's look at the store (dashboard/mirror_view.h), and what it says of this program.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "dashboard/mirror_view.h"
#include "settings/settings.h"
#include "titles/titles.h"

namespace tmdbc {

// A look of its own at the store of `settings`, which outlive it. Any thread.
Result<std::unique_ptr<dashboard::MirrorView>> OpenDashboardView(const Settings& settings);

// {"version","rate_limit","flags","bucket"}: `flags` is what a command needs to find this store again.
std::string DashboardFacts(const Settings& settings);

// Films, shows and persons whose title is nearly a text; kUnavailable while the index is built for the first time.
// `titles` outlives it.
std::function<Result<std::vector<MediaId>>(std::string_view)> SuggestFrom(const titles::TitleSource& titles);

}  // namespace tmdbc
