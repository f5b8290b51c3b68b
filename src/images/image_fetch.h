// SPDX-License-Identifier: MIT
// ImageFetch: brings the wanted images from their host into the folder, the most wanted first, at the host's own pace,
// and keeps the folder within its bound: where there is no room, what is wanted less makes room for what is wanted
// more. What is there is not asked for again. One thread.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <random>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/backoff.h"
#include "base/clock.h"
#include "base/result.h"
#include "base/stop.h"
#include "http/paced_requester.h"
#include "images/image_folder.h"
#include "images/image_name.h"

namespace tmdbc::images {

struct FetchOptions {
  std::string base_url = "https://image.tmdb.org/t/p";  // no slash at the end
  std::string user_agent = {};
  std::uint64_t max_bytes = 20ull << 30;                // of all images in the folder
  int connections = 20;                                 // at once
};

struct FetchReport {
  std::int64_t wanted = 0;   // renditions, each once
  std::int64_t present = 0;  // were there already
  std::int64_t fetched = 0;
  std::int64_t gone = 0;     // the host has no such image
  std::int64_t failed = 0;   // after the last try; the next run tries again
  std::int64_t evicted = 0;
  std::int64_t left = 0;     // wanted, but beyond the bound, or not come to before the stop
  std::uint64_t bytes_fetched = 0;
  bool full = false;         // the bound was met
  std::string last_failure;  // for people; empty when nothing failed
  bool host_failed = false;  // so many tries failed in a row that it was given up
};

class ImageFetch {
 public:
  static constexpr int kTries = 4;               // of one image
  static constexpr int kFailuresInARow = 40;     // of any: then the host is given up

  // All references outlive it.
  ImageFetch(const Clock& clock, http::PacedRequester& requester, ImageFolder& folder, std::mt19937_64& random,
             FetchOptions options);

  // `wanted`: the most wanted first; a second time the same counts for nothing. Ends early when stopped. An error is
  // one of the disk; what was fetched by then is kept. `tell` (may be empty) is called now and then.
  Result<FetchReport> Bring(std::span<const ImageName> wanted, const StopFlag& stop,
                            const std::function<void(const FetchReport&)>& tell = {});

 private:
  struct Job {
    std::size_t rank;  // place in `wanted`
    int failures = 0;
  };

  // The next job that may start now: one whose wait is over, else the next wanted image that is not there.
  bool NextJob(Job& job);
  // When a job may start, or it is time to look at the stop flag.
  MonoTime NextTurn() const;
  void Start(const Job& job);
  Result<void> Settle(const http::Outcome& outcome);
  Result<void> Keep(const Job& job, const std::string& bytes);
  void Failed(Job job, std::string why);
  // Of those that were there; there has to be one.
  Result<void> RemoveLeastWanted();
  // Whether `bytes` more fit for the image of that rank, after removing images that are wanted less.
  Result<bool> MakeRoom(std::uint64_t bytes, std::size_t rank);
  bool IsOver(const StopFlag& stop) const;

  // Constant after construction.
  const Clock& clock_;
  http::PacedRequester& requester_;
  ImageFolder& folder_;
  std::mt19937_64& random_;
  const FetchOptions options_;
  const Backoff backoff_{};

  // Of one Bring().
  std::vector<ImageName> wanted_;
  std::size_t next_ = 0;                                     // rank that was not looked at yet
  std::map<http::RequestId, Job> flights_;
  std::multimap<MonoTime, Job> waiting_;                     // to be tried again
  std::vector<std::pair<std::size_t, ImageName>> removable_;  // by rank, the least wanted last
  std::size_t beyond_ = 0;  // came, and had no room
  int failures_in_a_row_ = 0;
  FetchReport report_;
};

}  // namespace tmdbc::images
