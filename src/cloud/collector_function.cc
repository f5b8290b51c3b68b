// SPDX-License-Identifier: MIT
#include "cloud/collector_function.h"

#include <climits>
#include <utility>
#include <vector>

#include "http/paced_requester.h"
#include "queue/memory_queue.h"

namespace tmdbc {
namespace {

// A failed request counts its tries itself, and nobody receives a message twice from a queue that lives for a minute.
constexpr int kNeverTooOften = INT_MAX;
// Of the last step, behind which a minute of requests stands. The store has its own retries below it.
constexpr int kPutTries = 3;

// The ids in the order of the message: its queue gives the highest popularity first.
std::vector<QueueItem> ItemsOf(const IdBatch& batch) {
  std::vector<QueueItem> items;
  auto place = static_cast<float>(batch.items.size());
  for (const IdBatch::Item& item : batch.items) items.push_back({item.id, place--});
  return items;
}

}  // namespace

CollectorFunction::CollectorFunction(Ports ports, CollectorFunctionOptions options)
    : ports_(ports), options_(std::move(options)), nested_names_(options_.season_extras.nested) {}

Result<bool> CollectorFunction::IsDone(const std::string& key) {
  const auto there = ports_.objects.Head(key);
  if (there) return there->has_value();
  // S3 answers 403 for what is not there to a key that may not list the bucket
  // (https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html); a key that we really may not have is refused
  // again when the bundle is put.
  if (there.error().code == ErrorCode::kDenied) return false;
  return std::unexpected(there.error());
}

Result<void> CollectorFunction::PutOnce(const std::string& key, std::string_view bundle) {
  for (int tries = 1;; ++tries) {
    const auto put = ports_.objects.Put(key, bundle, PutCondition::Absent());
    if (put) return {};
    if (put.error().code == ErrorCode::kExists) {
      ports_.log.Info("another collector has put the bundle of this batch: it stays", {{"key", key}});
      return {};
    }
    if (put.error().code != ErrorCode::kIo || tries == kPutTries) return std::unexpected(put.error());
    ports_.log.Warn("the bundle could not be put: trying again", {{"error", put.error().message}});
  }
}

// The lane's previous holder may have sent its last request just now: the first of ours goes an interval later.
void CollectorFunction::Pace(double rate) {
  if (limiter_) {
    limiter_->SetRate(rate);
  } else {
    limiter_.emplace(rate, ports_.clock);
  }
  limiter_->PauseUntil(ports_.clock.Mono() + std::chrono::ceil<Duration>(std::chrono::duration<double>(1 / rate)));
}

Result<CollectorFunction::Done> CollectorFunction::Run(const IdBatch& batch, MonoTime stop_at, const StopFlag& stop) {
  Done done;
  const std::string key = BundleKey(batch.name);
  TRY_ASSIGN(done.repeated, IsDone(key));
  if (done.repeated) return done;

  const MonoTime started = ports_.clock.Mono();
  Pace(batch.rate);
  http::PacedRequester requester(ports_.clock, ports_.transport, *limiter_, ports_.random);
  MemoryIdQueue queue(ports_.clock, {.max_receives = kNeverTooOften});
  TRY(queue.Send(ItemsOf(batch)));
  BundleWriter writer(batch);
  CollectorOptions options;
  options.concurrency = options_.concurrency;
  options.give_up_unanswered = options.give_up_outage = kGiveUp;
  options.season_extras = options_.season_extras;
  options.season_extras.nested = nested_names_;
  options.key_proven = key_proven_;
  Collector collector(ports_.clock, requester, queue, writer, ports_.log, ports_.random, options_.access,
                      options_.namespaces, options);
  StopFlag enough(&stop);
  const auto look = [&] {
    if (ports_.clock.Mono() >= stop_at || writer.full()) enough.Request();
  };
  look();
  collector.on_progress = [&](const CollectorStats&) { look(); };
  const DrainResult result = collector.Drain(enough);
  requester.CancelAll();
  nested_names_ = collector.nested_names();
  TRY_ASSIGN(const auto dead, queue.DeadLetters(std::nullopt, INT_MAX));
  for (const DeadLetter& letter : dead) writer.Failed(letter.id, letter.reason);

  const CollectorStats& stats = collector.stats();
  BundleSummary& summary = done.summary;
  summary.requests = stats.requests;
  summary.throttled = stats.throttled;
  summary.retries = stats.retries;
  summary.seconds = std::chrono::duration<double>(ports_.clock.Mono() - started).count();
  summary.denied = result.end == DrainEnd::kDenied || result.end == DrainEnd::kKeyLost;
  // A dead letter is one only while TMDB answers for others.
  summary.answered = stats.settled + stats.dead > 0;
  if (const auto date = ports_.upstream.latest()) summary.upstream_date = std::chrono::floor<std::chrono::days>(*date);
  // A refusal after an answer may pass; the next message then asks as if nothing were known.
  key_proven_ = stats.settled > 0;
  if (!result.reason.empty()) ports_.log.Warn("the rest of the batch is left", {{"reason", result.reason}});

  const BundleWriter::Counts counts = writer.counts();
  const std::string bundle = writer.Finish(summary);
  summary.batch = batch.name;
  done.fetched = counts.fetched;
  done.gone = counts.gone;
  done.failed = counts.failed;
  done.left = std::ssize(batch.items) - counts.ids;
  done.bytes = bundle.size();
  TRY(PutOnce(key, bundle));
  return done;
}

}  // namespace tmdbc
