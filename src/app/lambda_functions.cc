// SPDX-License-Identifier: MIT
#include "app/lambda_functions.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "app/owner_request.h"
#include "aws/emf.h"
#include "aws/sqs_event.h"
#include "base/json_writer.h"

namespace tmdbc {
namespace {

// Of its time `kept` goes to the end. One that has no more than that would do nothing, call after call, and say so to
// nobody.
Result<Time> DeadlineOf(const aws::Invocation& invocation, const Clock& machine, Duration kept) {
  if (!invocation.deadline) return machine.Now() + kShortestLife;
  const Duration life = *invocation.deadline - machine.Now();
  if (life > kept) return *invocation.deadline;
  const auto whole = [](Duration time) { return std::chrono::ceil<std::chrono::seconds>(time).count(); };
  return Fail(ErrorCode::kInvalid,
              "the function may run for {} s, and keeps {} s for its end: give it a longer timeout",
              std::max(whole(life), whole(Duration::zero())), whole(kept));
}

std::string_view Words(OwnerEnd end) {
  switch (end) {
    case OwnerEnd::kNothingToDo:
      return "nothing to do";
    case OwnerEnd::kHeld:
      return "another owner is at work";
    case OwnerEnd::kLost:
      return "another owner was here: nothing of this call has happened";
    case OwnerEnd::kPublished:
      return "published";
  }
  return "unknown";
}

}  // namespace

Result<std::string> CollectorLambda::Handle(const aws::Invocation& invocation) {
  TRY_ASSIGN(const aws::SqsMessage message, aws::ParseSqsEvent(invocation.event));
  TRY_ASSIGN(const IdBatch batch, ParseIdBatch(message.body));
  TRY_ASSIGN(const Time deadline, DeadlineOf(invocation, s_.machine, kKeptForTheBundle));
  const Duration time = deadline - s_.machine.Now() - kKeptForTheBundle;
  TRY_ASSIGN(const auto done, function_.Run(batch, s_.machine.Mono() + time, stop_));
  denied_ = done.summary.denied;
  JsonWriter answer;
  answer.BeginObject().Field("batch", batch.name).Field("repeated", done.repeated);
  if (done.repeated) {
    s_.log.Info("this message has been answered before", {{"batch", batch.name}, {"receives", message.receive_count}});
    return answer.EndObject().text();
  }
  s_.write(aws::EmfLine(s_.machine.Now(), s_.stage,
                        {.requests = done.summary.requests,
                         .throttled = done.summary.throttled,
                         .denied = done.summary.denied,
                         .oldest_verified_days = {}}));
  s_.log.Info("collected", {{"batch", batch.name},
                            {"ids", batch.items.size()},
                            {"fetched", done.fetched},
                            {"gone", done.gone},
                            {"failed", done.failed},
                            {"left", done.left},
                            {"requests", done.summary.requests},
                            {"throttled", done.summary.throttled},
                            {"retries", done.summary.retries},
                            {"seconds", done.summary.seconds},
                            {"denied", done.summary.denied},
                            {"bytes", done.bytes},
                            {"receives", message.receive_count}});
  answer.Field("fetched", done.fetched).Field("gone", done.gone).Field("failed", done.failed).Field("left", done.left);
  return answer.EndObject().text();
}

Result<std::string> HarvesterLambda::Handle(const aws::Invocation& invocation) {
  TRY_ASSIGN(const OwnerEventKind event, KindOfEvent(invocation.event));
  TRY_ASSIGN(const Time deadline, DeadlineOf(invocation, s_.machine, kKeptForTheEnd));
  if (event.kind == OwnerEventKind::Kind::kProbe) return probe_(deadline);
  OwnerCall call;
  // A call that Lambda makes again has the same id.
  call.holder = fmt::format("{}-{:016x}", invocation.request_id, random_());
  call.deadline = deadline;
  if (event.kind == OwnerEventKind::Kind::kRequest) {
    call.event = OwnerEvent{event.id.empty() ? invocation.request_id : event.id, invocation.event};
    // The caller hears at once of what can never be done.
    TRY(ReadOwnerRequest(invocation.event, "the event"));
  }
  TRY_ASSIGN(const OwnerReport report, owner_.Call(call));
  denied_ = std::ranges::any_of(report.harvests, [](const HarvestReport& harvest) { return harvest.denied(); });
  s_.log.Info("owner", {{"end", Words(report.end)},
                        {"epoch", report.epoch},
                        {"bundles", report.bundles},
                        {"corrupt_bundles", report.corrupt_bundles},
                        {"requests", report.requests},
                        {"throttled", report.throttled},
                        {"adopted_segments", report.adopted_segments},
                        {"harvests", report.harvests.size()},
                        {"sent_batches", report.sent_batches},
                        {"waiting", report.waiting},
                        {"out_batches", report.out.batches},
                        {"out_ids", report.out.ids},
                        {"dead", report.dead},
                        {"dead_messages", report.channel.dead},
                        {"stopped", report.stopped.value_or("")}});
  aws::FunctionMetrics metrics;
  if (report.oldest_verified) {
    const std::chrono::duration<double, std::ratio<86'400>> age = s_.machine.Now() - *report.oldest_verified;
    metrics.oldest_verified_days = age.count();
  }
  // As long as it lasts: the alarm would be over once no collector says so any more.
  if (report.stopped || denied_) metrics.denied = true;
  if (const std::string line = aws::EmfLine(s_.machine.Now(), s_.stage, metrics); !line.empty()) s_.write(line);
  JsonWriter answer;
  answer.BeginObject()
      .Field("end", Words(report.end))
      .Field("epoch", report.epoch)
      .Field("bundles", report.bundles)
      .Field("harvests", report.harvests.size())
      .Field("sent_batches", report.sent_batches)
      .Field("waiting", report.waiting)
      .Key("stopped");
  report.stopped ? answer.Text(*report.stopped) : answer.Null();
  return answer.EndObject().text();
}

}  // namespace tmdbc
