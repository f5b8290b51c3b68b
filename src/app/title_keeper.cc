// SPDX-License-Identifier: MIT
#include "app/title_keeper.h"

#include <condition_variable>
#include <mutex>
#include <optional>
#include <utility>

#include "app/opened_store.h"
#include "app/temporary_folder.h"
#include "base/stop.h"
#include "titles/follower.h"

namespace tmdbc {
namespace {

// A commit is seen after this long and what it takes to read it.
constexpr auto kLookInterval = std::chrono::milliseconds(200);
constexpr auto kTryAgainAfter = std::chrono::seconds(2);
// A catalog that lies in a bucket, or that nobody can write to, is seen as it was when it was opened.
constexpr auto kOpenAgainAfter = std::chrono::minutes(10);

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
  std::string folder = settings_.data_dir + "/serve", said;
  std::optional<TemporaryFolder> temporary;
  while (!stop.stop_requested()) {
    const auto followed = Follow(folder, stop);
    if (followed) continue;
    if (followed.error().message != said) say_("title index: " + followed.error().message);
    said = followed.error().message;
    // Another process keeps the index there, or nobody may write there.
    const ErrorCode code = followed.error().code;
    if (!temporary && (code == ErrorCode::kBusy || code == ErrorCode::kIo)) {
      auto made = TemporaryFolder::Make();
      if (made) {
        temporary.emplace(*std::move(made));
        folder = temporary->path();
        continue;
      }
      say_("title index: " + made.error().message);
    }
    WaitFor(kTryAgainAfter, stop);
  }
}

Result<void> TitleKeeper::Follow(const std::string& folder, const std::stop_token& stop) {
  TRY_ASSIGN(const auto store, OpenedStore::ForReadingAll(settings_));
  StopFlag flag;
  const std::stop_callback on_stop(stop, [&] { flag.Request(); });
  titles::Follower follower(store->files, store->catalog, store->clock, folder, published_, say_);
  const MonoTime opened = store->clock.Mono();
  const bool stands_still = store->view() != nullptr || store->catalog.frozen();
  while (!flag.requested() && !(stands_still && store->clock.Mono() - opened > kOpenAgainAfter)) {
    TRY(follower.Poll(flag));
    WaitFor(kLookInterval, stop);
  }
  return {};
}

}  // namespace tmdbc
