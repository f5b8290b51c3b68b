// SPDX-License-Identifier: MIT
#include "app/title_keeper.h"

#include <fmt/format.h>

#include <condition_variable>
#include <mutex>
#include <utility>

#include "app/opened_store.h"
#include "app/temporary_folder.h"
#include "base/stop.h"
#include "titles/follower.h"

namespace tmdbc {
namespace {

// A commit that nobody tells of is seen after this long and what it takes to read it.
constexpr auto kLookInterval = std::chrono::milliseconds(200);
// However often something is committed, this thread takes no more than a part of a core.
constexpr auto kPause = std::chrono::milliseconds(20);
constexpr auto kTryAgainAfter = std::chrono::seconds(2);
// A catalog that lies in a bucket, or that nobody can write to, is seen as it was when it was opened.
constexpr auto kOpenAgainAfter = std::chrono::minutes(10);

// Another process keeps the index in that folder, or nobody may write there.
bool CannotKeepIt(ErrorCode code) {
  return code == ErrorCode::kBusy || code == ErrorCode::kIo;
}

void WaitFor(std::chrono::milliseconds time, const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any wakes;
  std::unique_lock lock(mutex);
  wakes.wait_for(lock, stop, time, [] { return false; });
}

}  // namespace

TitleKeeper::TitleKeeper(const Settings& settings, Say say)
    : settings_(settings), say_(std::move(say)), thread_([this](const std::stop_token& stop) { Run(stop); }) {}

TitleKeeper::~TitleKeeper() {
  thread_.request_stop();
  thread_.join();
}

void TitleKeeper::Run(const std::stop_token& stop) {
  std::string folder = settings_.data_dir + "/serve";
  TemporaryFolder temporary;
  while (!stop.stop_requested()) {
    const auto followed = Follow(folder, stop);
    if (followed) continue;
    std::string failed = followed.error().message;
    bool moved = false;
    if (temporary.path().empty() && CannotKeepIt(followed.error().code)) {
      auto made = TemporaryFolder::Make();
      moved = made.has_value();
      if (moved) temporary = *std::move(made);
      if (moved) folder = temporary.path();
      failed += moved ? fmt::format("; until this process ends it is kept in {}", folder) : "; " + made.error().message;
    }
    // That another process keeps the index is as it should be; without any there is no search.
    const bool kept_elsewhere = followed.error().code == ErrorCode::kBusy && moved;
    const LogLevel level = kept_elsewhere ? LogLevel::kInfo : moved ? LogLevel::kWarn : LogLevel::kError;
    if (failed != said_) say_(level, "title index: " + failed);
    said_ = std::move(failed);
    if (!moved) WaitFor(kTryAgainAfter, stop);
  }
}

Result<void> TitleKeeper::Follow(const std::string& folder, const std::stop_token& stop) {
  TRY_ASSIGN(const auto store, OpenedStore::ForReadingAll(settings_));
  TRY(store->MakeFolderBeside(folder));
  StopFlag flag;
  const std::stop_callback on_stop(stop, [&] { flag.Request(); });
  titles::Follower follower(store->files, store->catalog, store->clock, folder, published_, say_, {}, &changes_);
  const MonoTime opened = store->clock.Mono();
  const bool stands_still = store->view() != nullptr || store->catalog.frozen();
  while (!flag.requested() && !(stands_still && store->clock.Mono() - opened > kOpenAgainAfter)) {
    TRY(follower.Poll(flag));
    said_.clear();
    WaitFor(kPause, stop);
    changes_.Await(kLookInterval - kPause, stop);
  }
  return {};
}

}  // namespace tmdbc
