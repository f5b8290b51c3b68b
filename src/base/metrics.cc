// SPDX-License-Identifier: MIT
#include "base/metrics.h"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <cmath>
#include <iterator>

namespace tmdbc {
namespace {

// In help a line break and a backslash are escaped, in label values the quotation mark too.
void AppendLabelText(std::string& out, std::string_view text, bool quoted) {
  for (const char c : text) {
    if (c == '\n') {
      out += "\\n";
    } else if (c == '\\' || (quoted && c == '"')) {
      out += '\\';
      out += c;
    } else {
      out += c;
    }
  }
}

std::string NumberText(double number) {
  if (std::isnan(number)) return "NaN";
  if (std::isinf(number)) return number > 0 ? "+Inf" : "-Inf";
  // Whole numbers as people write them: times and bytes are large.
  if (number == std::floor(number) && std::abs(number) < 1e15) return fmt::format("{:.0f}", number);
  return fmt::format("{}", number);
}

}  // namespace

// --- the registry ---

Metrics::~Metrics() = default;

MetricFamily& Metrics::Counter(std::string_view name, std::string_view help,
                               std::initializer_list<std::string_view> labels) {
  assert(name.ends_with("_total"));
  return Create(name, help, "counter", labels, {});
}

MetricFamily& Metrics::Gauge(std::string_view name, std::string_view help,
                             std::initializer_list<std::string_view> labels) {
  return Create(name, help, "gauge", labels, {});
}

MetricFamily& Metrics::Histogram(std::string_view name, std::string_view help,
                                 std::initializer_list<std::string_view> labels,
                                 std::span<const double> bounds) {
  assert(std::is_sorted(bounds.begin(), bounds.end()));
  return Create(name, help, "histogram", labels, bounds);
}

MetricFamily& Metrics::Create(std::string_view name, std::string_view help, std::string_view type,
                              std::initializer_list<std::string_view> labels,
                              std::span<const double> bounds) {
  const std::lock_guard lock(mutex_);
  families_.push_back(
      std::unique_ptr<MetricFamily>(new MetricFamily(mutex_, name, help, type, labels, bounds)));
  return *families_.back();
}

std::string Metrics::Text() const {
  const std::lock_guard lock(mutex_);
  std::string out;
  for (const auto& family : families_) family->AppendText(out);
  return out;
}

// --- a family ---

MetricFamily::MetricFamily(std::mutex& mutex, std::string_view name, std::string_view help,
                           std::string_view type, std::initializer_list<std::string_view> labels,
                           std::span<const double> bounds)
    : mutex_(mutex),
      name_(name),
      help_(help),
      type_(type),
      labels_(labels.begin(), labels.end()),
      bounds_(bounds.begin(), bounds.end()) {
  if (labels_.empty()) At({});
}

MetricFamily::Series& MetricFamily::At(LabelValues labels) {
  assert(labels.size() == labels_.size());
  Series& series = series_[std::vector<std::string>(labels.begin(), labels.end())];
  if (type_ == "histogram" && series.buckets.empty()) series.buckets.resize(bounds_.size() + 1);
  return series;
}

void MetricFamily::Add(LabelValues labels, double amount) {
  const std::lock_guard lock(mutex_);
  At(labels).value += amount;
}

void MetricFamily::Set(LabelValues labels, double value) {
  const std::lock_guard lock(mutex_);
  At(labels).value = value;
}

void MetricFamily::Observe(LabelValues labels, double value) {
  const std::lock_guard lock(mutex_);
  Series& series = At(labels);
  const auto bound = std::lower_bound(bounds_.begin(), bounds_.end(), value);
  ++series.buckets[std::size_t(bound - bounds_.begin())];
  ++series.count;
  series.value += value;
}

void MetricFamily::Clear() {
  const std::lock_guard lock(mutex_);
  series_.clear();
}

std::string MetricFamily::LabelText(const std::vector<std::string>& values, std::string_view le) const {
  if (values.empty() && le.empty()) return {};
  std::string out = "{";
  const auto append = [&](std::string_view name, std::string_view value) {
    if (out.size() > 1) out += ',';
    out += name;
    out += "=\"";
    AppendLabelText(out, value, true);
    out += '"';
  };
  for (std::size_t i = 0; i < values.size(); ++i) append(labels_[i], values[i]);
  if (!le.empty()) append("le", le);
  return out + '}';
}

void MetricFamily::AppendText(std::string& out) const {
  const auto line = [&](std::string_view suffix, const std::string& labels, const std::string& number) {
    fmt::format_to(std::back_inserter(out), "{}{}{} {}\n", name_, suffix, labels, number);
  };
  fmt::format_to(std::back_inserter(out), "# HELP {} ", name_);
  AppendLabelText(out, help_, false);
  fmt::format_to(std::back_inserter(out), "\n# TYPE {} {}\n", name_, type_);
  for (const auto& [values, series] : series_) {
    std::uint64_t below = 0;
    for (std::size_t i = 0; i < series.buckets.size(); ++i) {
      below += series.buckets[i];
      const std::string le = i < bounds_.size() ? NumberText(bounds_[i]) : "+Inf";
      line("_bucket", LabelText(values, le), std::to_string(below));
    }
    const std::string labels = LabelText(values, {});
    if (type_ == "histogram") {
      line("_sum", labels, NumberText(series.value));
      line("_count", labels, std::to_string(series.count));
    } else {
      line("", labels, NumberText(series.value));
    }
  }
}

}  // namespace tmdbc
