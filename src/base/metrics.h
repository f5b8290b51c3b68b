// SPDX-License-Identifier: MIT
// Metrics: numbers about the program while it runs (counters, gauges, histograms, each with labels), and
// their text as Prometheus reads it (https://prometheus.io/docs/instrumenting/exposition_formats/, version
// 0.0.4). Names and labels are fixed by the program; only label values may come from data, and they are
// escaped.
//
// Any thread: the loop counts, a server's thread asks for the text. One mutex guards all; a change takes well
// under a microsecond and allocates only for labels not met before.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tmdbc {

class MetricFamily;

class Metrics {
 public:
  Metrics() = default;
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;
  ~Metrics();

  // The families live as long as the registry; their order is that of the text. By Prometheus' convention
  // names are tmdbc_things_unit, and those of counters end in _total. Each name once; a family without labels
  // begins at 0. Before other threads ask.
  MetricFamily& Counter(std::string_view name, std::string_view help,
                        std::initializer_list<std::string_view> labels = {});
  MetricFamily& Gauge(std::string_view name, std::string_view help,
                      std::initializer_list<std::string_view> labels = {});
  // `bounds` ascend; the bucket for everything above them is added.
  MetricFamily& Histogram(std::string_view name, std::string_view help,
                          std::initializer_list<std::string_view> labels, std::span<const double> bounds);

  // Every family with # HELP and # TYPE, also one that has no values yet; series in the order of their label
  // values.
  std::string Text() const;

 private:
  friend class MetricFamily;
  MetricFamily& Create(std::string_view name, std::string_view help, std::string_view type,
                       std::initializer_list<std::string_view> labels, std::span<const double> bounds);

  mutable std::mutex mutex_;
  std::vector<std::unique_ptr<MetricFamily>> families_;
};

class MetricFamily {
 public:
  // One for each label of the family, in its order.
  using LabelValues = std::initializer_list<std::string_view>;

  // A counter or gauge. A counter is never set to less than it was but after a restart.
  void Add(LabelValues labels, double amount = 1);
  void Set(LabelValues labels, double value);
  // A histogram.
  void Observe(LabelValues labels, double value);
  // Forgets all series: before Set() of those that are still there.
  void Clear();

 private:
  friend class Metrics;
  struct Series {
    double value = 0;  // of a histogram the sum
    std::uint64_t count = 0;
    std::vector<std::uint64_t> buckets;  // each by itself; the text adds them up
  };
  MetricFamily(std::mutex& mutex, std::string_view name, std::string_view help, std::string_view type,
               std::initializer_list<std::string_view> labels, std::span<const double> bounds);

  Series& At(LabelValues labels);
  void AppendText(std::string& out) const;
  // {type="movie",le="0.1"}; `le` empty: without.
  std::string LabelText(const std::vector<std::string>& values, std::string_view le) const;

  // Constant after construction.
  std::mutex& mutex_;
  const std::string name_, help_, type_;
  const std::vector<std::string> labels_;
  const std::vector<double> bounds_;
  // Guarded by mutex_.
  std::map<std::vector<std::string>, Series> series_;
};

}  // namespace tmdbc
