// SPDX-License-Identifier: MIT
#include "serve/serve_metrics.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

namespace tmdbc::serve {
namespace {

std::uint64_t Now(const std::atomic<std::uint64_t>& number) {
  return number.load(std::memory_order_relaxed);
}

void Head(std::string& out, std::string_view name, std::string_view type, std::string_view help) {
  fmt::format_to(std::back_inserter(out), "# HELP {} {}\n# TYPE {} {}\n", name, help, name, type);
}

}  // namespace

std::size_t ServeMetrics::EndpointOf(std::string_view target) {
  constexpr std::size_t kPage = kEndpoints.size() - 2, kOther = kEndpoints.size() - 1;
  if (!target.starts_with("/3/")) return target.starts_with("/3") || target.starts_with("/4") ? kOther : kPage;
  target.remove_prefix(3);
  const std::string_view word = target.substr(0, target.find_first_of("/?"));
  const auto found = std::ranges::find(kEndpoints, word);
  const auto at = std::size_t(found - kEndpoints.begin());
  return at < kPage ? at : kOther;
}

void ServeMetrics::Count(std::string_view target, int status, std::uint64_t bytes, Duration took, bool kept) {
  const auto at = std::size_t(std::ranges::find(kStatuses, status) - kStatuses.begin());
  Raise(requests_[EndpointOf(target)][at], 1);
  const double seconds = double(took.count()) / 1e6;
  Raise(buckets_[std::size_t(std::ranges::lower_bound(kBounds, seconds) - kBounds.begin())], 1);
  Raise(microseconds_, std::uint64_t(std::max<std::int64_t>(took.count(), 0)));
  Raise(bytes_, bytes);
  if (kept) Raise(kept_, 1);
}

void ServeMetrics::CountRefused(int) {
  Raise(refused_, 1);
}

void ServeMetrics::Arrived(DemandReply::What what) {
  pending_.fetch_sub(1, std::memory_order_relaxed);
  Raise(outcomes_[std::size_t(what)], 1);
}

std::string ServeMetrics::Text() const {
  std::string out;
  const auto line = [&](std::string_view format, const auto&... values) {
    fmt::format_to(std::back_inserter(out), fmt::runtime(format), values...);
  };
  Head(out, "tmdbc_serve_requests_total", "counter",
       "Requests answered, by the first word of the path and status.");
  for (std::size_t endpoint = 0; endpoint < kEndpoints.size(); ++endpoint) {
    for (std::size_t at = 0; at <= kStatuses.size(); ++at) {
      const std::uint64_t count = Now(requests_[endpoint][at]);
      if (count == 0) continue;
      const std::string status = at < kStatuses.size() ? fmt::format("{}", kStatuses[at]) : "other";
      line("tmdbc_serve_requests_total{{endpoint=\"{}\",status=\"{}\"}} {}\n", kEndpoints[endpoint], status,
           count);
    }
  }
  const auto plain = [&](std::string_view name, std::string_view type, std::string_view help,
                         std::int64_t value) {
    Head(out, name, type, help);
    line("{} {}\n", name, value);
  };
  plain("tmdbc_serve_refused_total", "counter", "What came and was not a request.", std::int64_t(Now(refused_)));
  plain("tmdbc_serve_kept_total", "counter", "Answers that were there already.", std::int64_t(Now(kept_)));
  plain("tmdbc_serve_bytes_total", "counter", "Bytes of the bodies sent.", std::int64_t(Now(bytes_)));
  plain("tmdbc_serve_connections", "gauge", "Connections open now.",
        connections_.load(std::memory_order_relaxed));
  Head(out, "tmdbc_serve_seconds", "histogram", "From the first byte of a request to its answer.");
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < buckets_.size(); ++i) {
    sum += Now(buckets_[i]);
    const std::string bound = i < kBounds.size() ? fmt::format("{}", kBounds[i]) : "+Inf";
    line("tmdbc_serve_seconds_bucket{{le=\"{}\"}} {}\n", bound, sum);
  }
  line("tmdbc_serve_seconds_sum {}\ntmdbc_serve_seconds_count {}\n", double(Now(microseconds_)) / 1e6, sum);
  if (!upstream_) return out;
  Head(out, "tmdbc_serve_upstream_demands_total", "counter", "Things that TMDB was asked for while a client waited.");
  for (std::size_t i = 0; i < kOutcomes.size(); ++i)
    line("tmdbc_serve_upstream_demands_total{{outcome=\"{}\"}} {}\n", kOutcomes[i], Now(outcomes_[i]));
  const auto upstream = [&](std::string_view name, std::string_view type, std::string_view help, const Number& number) {
    plain(name, type, help, std::int64_t(Now(number)));
  };
  upstream("tmdbc_serve_upstream_pending", "gauge", "Things that TMDB is being asked for.", pending_);
  upstream("tmdbc_serve_upstream_waited_total", "counter", "Requests that waited for TMDB.", waited_);
  upstream("tmdbc_serve_upstream_waiting", "gauge", "Requests that wait for TMDB.", waiting_);
  upstream("tmdbc_serve_upstream_refused_total", "counter", "Requests that could not wait, for too many did.",
           not_waited_);
  upstream("tmdbc_serve_upstream_expired_total", "counter", "Requests that waited in vain.", expired_);
  return out;
}

}  // namespace tmdbc::serve
