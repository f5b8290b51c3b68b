// SPDX-License-Identifier: MIT
#include "images/image_fetch.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <unordered_set>
#include <utility>

#include "images/image_check.h"

namespace tmdbc::images {
namespace {

constexpr Duration kTick = std::chrono::milliseconds(500);
constexpr auto kImageTimeout = std::chrono::minutes(2);

struct HashOfImage {
  std::size_t operator()(const ImageName& image) const noexcept {
    return std::hash<std::string>()(image.name) ^ std::hash<std::string>()(image.size) << 1;
  }
};

std::vector<ImageName> EachOnce(std::span<const ImageName> wanted) {
  std::unordered_set<ImageName, HashOfImage> seen;
  std::vector<ImageName> once;
  for (const ImageName& image : wanted) {
    if (seen.insert(image).second) once.push_back(image);
  }
  return once;
}

// The host answers so for what it does not have; it never will under that name.
bool SaysGone(int status) {
  return status == 404 || status == 410;
}

}  // namespace

ImageFetch::ImageFetch(const Clock& clock, http::PacedRequester& requester, ImageFolder& folder,
                       std::mt19937_64& random, FetchOptions options)
    : clock_(clock), requester_(requester), folder_(folder), random_(random), options_(std::move(options)) {}

Result<FetchReport> ImageFetch::Bring(std::span<const ImageName> wanted, const StopFlag& stop,
                                      const std::function<void(const FetchReport&)>& tell) {
  wanted_ = EachOnce(wanted);
  next_ = 0;
  flights_.clear();
  waiting_.clear();
  beyond_ = 0;
  failures_in_a_row_ = 0;
  report_ = FetchReport{.wanted = static_cast<std::int64_t>(wanted_.size()), .last_failure = {}};
  removable_.clear();
  std::map<ImageName, std::size_t> ranks;
  for (std::size_t rank = 0; rank < wanted_.size(); ++rank) {
    if (folder_.all().contains(wanted_[rank])) ranks[wanted_[rank]] = rank;
  }
  for (const auto& [image, bytes] : folder_.all()) {
    const auto rank = ranks.find(image);
    removable_.emplace_back(rank == ranks.end() ? std::numeric_limits<std::size_t>::max() : rank->second, image);
  }
  std::ranges::sort(removable_);
  // The bound may be lower than last time.
  while (folder_.bytes() > options_.max_bytes) TRY(RemoveLeastWanted());

  while (!IsOver(stop)) {
    Job job;
    while (requester_.InFlight() < options_.connections && requester_.NextSlot() <= clock_.Mono() && NextJob(job))
      Start(job);
    for (const http::Outcome& outcome : requester_.Wait(NextTurn())) {
      if (const auto settled = Settle(outcome); !settled) {
        requester_.CancelAll();
        return std::unexpected(settled.error());
      }
    }
    if (tell) tell(report_);
  }
  requester_.CancelAll();
  report_.left = static_cast<std::int64_t>(flights_.size() + waiting_.size() + beyond_);
  for (; next_ < wanted_.size(); ++next_) ++(folder_.all().contains(wanted_[next_]) ? report_.present : report_.left);
  return report_;
}

bool ImageFetch::IsOver(const StopFlag& stop) const {
  if (stop.requested() || report_.host_failed) return true;
  const bool nothing_new = report_.full || next_ == wanted_.size();
  return nothing_new && flights_.empty() && waiting_.empty();
}

MonoTime ImageFetch::NextTurn() const {
  const MonoTime now = clock_.Mono();
  if (requester_.InFlight() >= options_.connections) return now + kTick;
  const bool more = !report_.full && next_ < wanted_.size();
  const MonoTime next = more ? now : waiting_.empty() ? MonoTime::max() : waiting_.begin()->first;
  return std::min(now + kTick, std::max(next, requester_.NextSlot()));
}

bool ImageFetch::NextJob(Job& job) {
  if (!waiting_.empty() && waiting_.begin()->first <= clock_.Mono()) {
    job = waiting_.begin()->second;
    waiting_.erase(waiting_.begin());
    return true;
  }
  for (; !report_.full && next_ < wanted_.size(); ++next_) {
    if (folder_.all().contains(wanted_[next_])) {
      ++report_.present;
      continue;
    }
    // How large it is shows when it is here; so that none comes in vain, it counts as large as the others are.
    const std::uint64_t usual = folder_.all().empty() ? 0 : folder_.bytes() / folder_.all().size();
    const bool may_make_room = !removable_.empty() && removable_.back().first > next_;
    if (folder_.bytes() + usual > options_.max_bytes && !may_make_room) {
      report_.full = true;
      break;
    }
    job = Job{next_++};
    return true;
  }
  return false;
}

void ImageFetch::Start(const Job& job) {
  http::Request request;
  request.url = options_.base_url + wanted_[job.rank].url_path();
  // An SVG would come compressed, and its length could not be checked.
  request.headers = {{"Accept-Encoding", "identity"}, {"User-Agent", options_.user_agent}};
  request.timeout = kImageTimeout;
  request.max_body = kMaxImage;
  flights_.emplace(requester_.Start(std::move(request)), job);
}

Result<void> ImageFetch::Settle(const http::Outcome& outcome) {
  const auto flight = flights_.extract(outcome.id);
  if (flight.empty()) return {};
  const Job job = flight.mapped();
  if (outcome.failure) {
    Failed(job, outcome.failure_text);
    return {};
  }
  const http::Response& response = *outcome.response;
  if (response.status == 429) {
    requester_.Throttled(response);
    waiting_.emplace(clock_.Mono(), job);  // it is not a fault of the image's
    return {};
  }
  if (SaysGone(response.status)) {
    ++report_.gone;
    return {};
  }
  if (response.status != 200) {
    Failed(job, fmt::format("HTTP {}", response.status));
    return {};
  }
  if (const auto whole = CheckImage(response.body, wanted_[job.rank].format()); !whole) {
    Failed(job, whole.error().message);
    return {};
  }
  requester_.Useful();
  failures_in_a_row_ = 0;
  return Keep(job, response.body);
}

Result<void> ImageFetch::Keep(const Job& job, const std::string& bytes) {
  TRY_ASSIGN(const bool room, MakeRoom(bytes.size(), job.rank));
  if (!room) {
    report_.full = true;
    ++beyond_;
    return {};
  }
  TRY(folder_.Put(wanted_[job.rank], bytes));
  ++report_.fetched;
  report_.bytes_fetched += bytes.size();
  return {};
}

Result<bool> ImageFetch::MakeRoom(std::uint64_t bytes, std::size_t rank) {
  while (folder_.bytes() + bytes > options_.max_bytes) {
    if (removable_.empty() || removable_.back().first <= rank) return false;
    TRY(RemoveLeastWanted());
  }
  return true;
}

Result<void> ImageFetch::RemoveLeastWanted() {
  TRY(folder_.Remove(removable_.back().second));
  removable_.pop_back();
  ++report_.evicted;
  return {};
}

void ImageFetch::Failed(Job job, std::string why) {
  report_.last_failure = fmt::format("{}: {}", wanted_[job.rank].url_path(), why);
  if (++failures_in_a_row_ >= kFailuresInARow) report_.host_failed = true;
  if (++job.failures >= kTries) {
    ++report_.failed;
    return;
  }
  waiting_.emplace(clock_.Mono() + backoff_.Delay(job.failures, random_), job);
}

}  // namespace tmdbc::images
