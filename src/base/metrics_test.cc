// SPDX-License-Identifier: MIT
#include "base/metrics.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <thread>

namespace tmdbc {
namespace {

TEST(Metrics, AreWrittenAsPrometheusReadsThem) {
  Metrics metrics;
  MetricFamily& requests =
      metrics.Counter("t_requests_total", "Requests sent.", {"endpoint", "status_class"});
  MetricFamily& age = metrics.Gauge("t_age_seconds", "Age of the oldest.");
  requests.Add({"movie", "2xx"});
  requests.Add({"movie", "2xx"}, 2);
  requests.Add({"movie", "4xx"});
  age.Set({}, 1763805662.25);
  EXPECT_EQ(metrics.Text(),
            "# HELP t_requests_total Requests sent.\n"
            "# TYPE t_requests_total counter\n"
            "t_requests_total{endpoint=\"movie\",status_class=\"2xx\"} 3\n"
            "t_requests_total{endpoint=\"movie\",status_class=\"4xx\"} 1\n"
            "# HELP t_age_seconds Age of the oldest.\n"
            "# TYPE t_age_seconds gauge\n"
            "t_age_seconds 1763805662.25\n");
}

TEST(Metrics, OfAHistogramTheBucketsAddUp) {
  Metrics metrics;
  constexpr double kBounds[] = {0.1, 1};
  MetricFamily& seconds = metrics.Histogram("t_seconds", "How long.", {"endpoint"}, kBounds);
  for (const double value : {0.05, 0.1, 0.5, 30.0}) seconds.Observe({"tv"}, value);
  EXPECT_EQ(metrics.Text(),
            "# HELP t_seconds How long.\n"
            "# TYPE t_seconds histogram\n"
            "t_seconds_bucket{endpoint=\"tv\",le=\"0.1\"} 2\n"
            "t_seconds_bucket{endpoint=\"tv\",le=\"1\"} 3\n"
            "t_seconds_bucket{endpoint=\"tv\",le=\"+Inf\"} 4\n"
            "t_seconds_sum{endpoint=\"tv\"} 30.65\n"
            "t_seconds_count{endpoint=\"tv\"} 4\n");
}

TEST(Metrics, EscapeWhatWouldEndALine) {
  Metrics metrics;
  metrics.Gauge("t_odd", "One \\ line\nonly.", {"name"}).Set({"a\"b\\c\nd"}, 1);
  EXPECT_EQ(metrics.Text(),
            "# HELP t_odd One \\\\ line\\nonly.\n"
            "# TYPE t_odd gauge\n"
            "t_odd{name=\"a\\\"b\\\\c\\nd\"} 1\n");
}

TEST(Metrics, NumbersAreThoseThatPrometheusKnows) {
  const struct {
    double number;
    const char* text;
  } cases[] = {
      {0, "0"},
      {-2.5, "-2.5"},
      {1763805662, "1763805662"},
      {1e12, "1000000000000"},
      {1e300, "1e+300"},
      {std::nan(""), "NaN"},
      {0.1, "0.1"},
      {std::numeric_limits<double>::infinity(), "+Inf"},
      {-std::numeric_limits<double>::infinity(), "-Inf"},
  };
  for (const auto& c : cases) {
    Metrics metrics;
    metrics.Gauge("t", "").Set({}, c.number);
    EXPECT_EQ(metrics.Text(), "# HELP t \n# TYPE t gauge\nt " + std::string(c.text) + "\n");
  }
}

TEST(Metrics, WithoutLabelsBeginAtZeroAndWithLabelsUnset) {
  Metrics metrics;
  metrics.Counter("t_total", "All.");
  metrics.Gauge("t_by_type", "Each.", {"type"});
  EXPECT_EQ(metrics.Text(),
            "# HELP t_total All.\n# TYPE t_total counter\nt_total 0\n"
            "# HELP t_by_type Each.\n# TYPE t_by_type gauge\n");
}

TEST(Metrics, ForgetSeriesThatAreGone) {
  Metrics metrics;
  MetricFamily& queue = metrics.Gauge("t_queue", "", {"type"});
  queue.Set({"movie"}, 7);
  queue.Clear();
  queue.Set({"tv"}, 1);
  EXPECT_EQ(metrics.Text().find("movie"), std::string::npos);
  EXPECT_NE(metrics.Text().find("t_queue{type=\"tv\"} 1\n"), std::string::npos);
}

TEST(Metrics, AreCountedByOneThreadAndReadByAnother) {
  Metrics metrics;
  MetricFamily& total = metrics.Counter("t_total", "", {"type"});
  std::thread counting([&] {
    for (int i = 0; i < 2000; ++i) total.Add({i % 2 == 0 ? "movie" : "tv"});
  });
  for (int i = 0; i < 200; ++i) EXPECT_NE(metrics.Text().find("# TYPE t_total counter"), std::string::npos);
  counting.join();
  EXPECT_NE(metrics.Text().find("t_total{type=\"tv\"} 1000\n"), std::string::npos);
}

}  // namespace
}  // namespace tmdbc
