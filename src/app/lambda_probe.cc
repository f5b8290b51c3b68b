// SPDX-License-Identifier: MIT
#include "app/lambda_probe.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "app/hints.h"
#include "base/json_writer.h"
#include "cloud/bundle.h"

namespace tmdbc {
namespace {

using std::chrono::seconds;

// No owner has this epoch, and nobody works on this lane.
constexpr std::int64_t kProbeEpoch = 999'999'999;
constexpr int kProbeLane = 9'999;
constexpr Duration kCheckEvery = seconds(1);
// What the answer itself takes.
constexpr Duration kBeforeDeadline = seconds(10);

Result<http::Response> Ask(const ProbePorts& p, http::Request request) {
  const http::RequestId id = p.transport.Start(std::move(request), {});
  while (true) {
    for (http::Outcome& outcome : p.transport.Wait(p.clock.Mono() + kCheckEvery)) {
      if (outcome.id != id) continue;
      if (outcome.response) return *std::move(outcome.response);
      return Fail(ErrorCode::kUnavailable, outcome.failure_hint, "{}", outcome.failure_text);
    }
  }
}

Result<std::string> Bucket(const ProbePorts& p) {
  TRY(p.conditions());
  TRY_ASSIGN(const auto listed, p.objects.ListObjects("state/", ""));
  return fmt::format("conditions hold; {} objects below state/", listed.size());
}

Result<std::string> Queue(const ProbePorts& p) {
  TRY_ASSIGN(const ChannelCounts counts, p.channel.Count());
  return fmt::format("{} messages wait, {} are with collectors, {} are dead", counts.waiting, counts.in_flight,
                     counts.dead);
}

Result<std::string> Key(const ProbePorts& p) {
  TRY_ASSIGN(const auto answer, Ask(p, MakeRequest(p.api, Call{.path = "configuration", .appends = {}})));
  if (answer.status == 200) return "TMDB accepts the key";
  if (answer.status == 401) return Fail(ErrorCode::kDenied, Hint::kCheckKey, "TMDB refuses the key (HTTP 401)");
  return Fail(ErrorCode::kUnavailable, "{} answers HTTP {}", p.api.base_url, answer.status);
}

// One export, as old as no host is late with it.
Result<std::string> ExportHost(const ProbePorts& p) {
  const std::chrono::year_month_day day(std::chrono::floor<std::chrono::days>(p.clock.Now()) - std::chrono::days(2));
  http::Request request;
  request.method = http::Method::kHead;
  request.url = fmt::format("{}/movie_ids_{:02}_{:02}_{}.json.gz", p.export_base_url, unsigned(day.month()),
                            unsigned(day.day()), int(day.year()));
  const std::string url = request.url;
  TRY_ASSIGN(const auto answer, Ask(p, std::move(request)));
  if (answer.status == 200) return fmt::format("{} is there", url);
  return Fail(ErrorCode::kUnavailable, "{} answers HTTP {}", url, answer.status);
}

Result<std::string> ClockOf(const ProbePorts& p) {
  const auto skew = p.upstream.Skew();
  if (!skew) return Fail(ErrorCode::kUnavailable, "TMDB has not said what time it is");
  if (p.upstream.ClockIsOff()) return Fail(ErrorCode::kUnavailable, Hint::kClock, "the clock is not TMDB's");
  return fmt::format("{} s from TMDB's", std::chrono::round<seconds>(*skew).count());
}

// A message without ids goes out; its bundle shows that mapping, role and collector work.
Result<std::string> CollectorsAnswer(const ProbePorts& p, MonoTime until) {
  const IdBatch batch{.name = BatchName(kProbeEpoch, 1 + std::int64_t(p.random() % 9'999)),
                      .lane = kProbeLane,
                      .rate = 1,
                      .items = {}};
  const std::array keys = {BundleKey(batch.name)};
  TRY(p.objects.Delete(keys));
  TRY(p.channel.Send({&batch, 1}));
  const MonoTime sent = p.clock.Mono();
  while (p.clock.Mono() < until) {
    TRY_ASSIGN(const auto there, p.objects.Head(keys[0]));
    if (!there) {
      (void)p.transport.Wait(std::min(until, p.clock.Mono() + kCheckEvery));
      continue;
    }
    TRY_ASSIGN(const Object bundle, p.objects.Get(keys[0]));
    const auto pass_over = [](BundleEntry) -> Result<void> { return {}; };
    TRY_ASSIGN(const auto summary, ReadBundle(bundle.bytes, batch.name, pass_over));
    TRY(p.objects.Delete(keys));
    return fmt::format("version {} answered a message after {} s", summary.program,
                       std::chrono::round<seconds>(p.clock.Mono() - sent).count());
  }
  return Fail(ErrorCode::kUnavailable, "no collector has answered a message within {} s",
              std::chrono::round<seconds>(p.clock.Mono() - sent).count());
}

}  // namespace

std::string ProbeFromInside(const ProbePorts& ports, Time deadline) {
  JsonWriter out;
  out.BeginObject().Key("checks").BeginArray();
  const auto tell = [&](const char* name, const Result<std::string>& found) {
    out.BeginObject().Field("name", name).Field("ok", found.has_value());
    out.Field("detail", found ? *found : Explain(found.error())).EndObject();
  };
  tell("bucket", Bucket(ports));
  tell("queue", Queue(ports));
  tell("key", Key(ports));
  tell("exports", ExportHost(ports));
  tell("clock", ClockOf(ports));
  const Duration time = std::min<Duration>(kProbeWait, deadline - ports.clock.Now() - kBeforeDeadline);
  tell("collector", CollectorsAnswer(ports, ports.clock.Mono() + time));
  return out.EndArray().EndObject().text();
}

}  // namespace tmdbc
