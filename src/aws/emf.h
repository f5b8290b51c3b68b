// SPDX-License-Identifier: MIT
// EMF: metrics as a line of the log: CloudWatch takes them out of one JSON object on stdout
// (https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html).
// Each metric and combination of dimensions is billed: four metrics, which have alarms (alerts.yml), and one dimension.
// All else is in the JSON lines of the log, where Logs Insights finds it. Pure; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"

namespace tmdbc::aws {

inline constexpr std::string_view kMetricsNamespace = "TmdbCollector";

// What is empty is not said.
struct FunctionMetrics {
  std::optional<std::int64_t> requests;        // sent to TMDB
  std::optional<std::int64_t> throttled;       // of these, answered 429
  std::optional<bool> denied;                  // TMDB refuses the key
  std::optional<double> oldest_verified_days;  // since TMDB last confirmed the record that has waited longest
};

// One line and its line break; empty when there is nothing to say. `stage` is the value of the dimension Stage.
std::string EmfLine(Time now, std::string_view stage, const FunctionMetrics& metrics);

}  // namespace tmdbc::aws
