// SPDX-License-Identifier: MIT
// The two functions of a mirror on AWS, from the event that Lambda brings to the answer: what they do stands in
// src/cloud, the loop around them in aws/lambda_runtime.h. They say their metrics in a line of EMF. One thread.
#pragma once

#include <functional>
#include <random>
#include <string>
#include <string_view>

#include "aws/lambda_runtime.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/result.h"
#include "base/stop.h"
#include "cloud/collector_function.h"
#include "cloud/owner.h"

namespace tmdbc {

// What both stand on; all outlive them.
struct LambdaSurroundings {
  const Clock& machine;  // deadlines are of the host's clock, whatever TMDB says
  std::string stage;     // of the metrics
  Log& log;
  std::function<void(std::string_view line)> write;  // to stdout
};

// An event without a deadline: no function of ours lives for less.
inline constexpr Duration kShortestLife = std::chrono::seconds(170);
// Of its time a collector keeps this for the end: its bundle is to be put.
inline constexpr Duration kKeptForTheBundle = std::chrono::seconds(25);

class CollectorLambda {
 public:
  CollectorLambda(LambdaSurroundings surroundings, CollectorFunction& function, const StopFlag& stop)
      : s_(std::move(surroundings)), function_(function), stop_(stop) {}

  // kInvalid unless the event is one message of SQS with a batch of ids, and where the function's timeout leaves no
  // time to work; else what the bucket says. Either way the message comes again, four times at most.
  Result<std::string> Handle(const aws::Invocation& invocation);
  // The last message met a key that TMDB refuses.
  bool denied() const { return denied_; }

 private:
  const LambdaSurroundings s_;
  CollectorFunction& function_;
  const StopFlag& stop_;
  bool denied_ = false;
};

class HarvesterLambda {
 public:
  // `probe` answers how things look from inside, as JSON.
  HarvesterLambda(LambdaSurroundings surroundings, Owner& owner, std::mt19937_64& random,
                  std::function<Result<std::string>(Time deadline)> probe)
      : s_(std::move(surroundings)), owner_(owner), random_(random), probe_(std::move(probe)) {}

  // kInvalid for what can never be done, and where the function's timeout leaves no time to work.
  Result<std::string> Handle(const aws::Invocation& invocation);
  // A harvest of the last call met a key that TMDB refuses.
  bool denied() const { return denied_; }

 private:
  const LambdaSurroundings s_;
  Owner& owner_;
  std::mt19937_64& random_;
  const std::function<Result<std::string>(Time deadline)> probe_;
  bool denied_ = false;
};

}  // namespace tmdbc
