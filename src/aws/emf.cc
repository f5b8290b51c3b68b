// SPDX-License-Identifier: MIT
#include "aws/emf.h"

#include <fmt/format.h>

#include <vector>

#include "base/json_writer.h"

namespace tmdbc::aws {
namespace {

struct Metric {
  std::string_view name;
  std::string_view unit;
  std::string value;
};

}  // namespace

std::string EmfLine(Time now, std::string_view stage, const FunctionMetrics& metrics) {
  std::vector<Metric> told;
  if (metrics.requests) told.push_back({"Requests", "Count", fmt::format("{}", *metrics.requests)});
  if (metrics.throttled) told.push_back({"Throttled", "Count", fmt::format("{}", *metrics.throttled)});
  if (metrics.denied) told.push_back({"Denied", "Count", *metrics.denied ? "1" : "0"});
  if (metrics.oldest_verified_days) {
    told.push_back({"OldestVerifiedDays", "None", fmt::format("{:.2f}", *metrics.oldest_verified_days)});
  }
  if (told.empty()) return {};
  JsonWriter out;
  out.BeginObject().Key("_aws").BeginObject();
  out.Field("Timestamp", std::chrono::floor<std::chrono::milliseconds>(now.time_since_epoch()).count());
  out.Key("CloudWatchMetrics").BeginArray().BeginObject().Field("Namespace", kMetricsNamespace);
  out.Key("Dimensions").BeginArray().BeginArray().Text("Stage").EndArray().EndArray();
  out.Key("Metrics").BeginArray();
  for (const Metric& metric : told) {
    out.BeginObject().Field("Name", metric.name).Field("Unit", metric.unit).EndObject();
  }
  out.EndArray().EndObject().EndArray().EndObject().Field("Stage", stage);
  for (const Metric& metric : told) out.Key(metric.name).Raw(metric.value);
  out.EndObject();
  return out.text() + "\n";
}

}  // namespace tmdbc::aws
