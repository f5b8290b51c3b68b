// SPDX-License-Identifier: MIT
#include "app/bucket_status.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <chrono>
#include <cstdint>
#include <optional>

#include "app/bucket_cost.h"
#include "app/progress.h"
#include "base/json.h"
#include "base/json_writer.h"
#include "base/rate_limiter.h"
#include "base/safe_text.h"
#include "cloud/bucket_view.h"

namespace tmdbc {
namespace {

std::int64_t Left(const HeadState& head) {
  return head.waiting + head.out_ids;
}

std::optional<std::chrono::seconds> TimeToGo(const HeadState& head, double rate) {
  if (head.stopped || Left(head) == 0) return std::nullopt;
  return TimeLeft(Left(head), kUsedRate * rate);
}

// The number at a place of what its owner wrote; empty where it does not say.
std::optional<double> NumberAt(const simdjson::dom::element& written, const char* at) {
  const auto value = written.at_pointer(at).get_double();
  return value.error() == simdjson::SUCCESS ? std::optional(value.value_unsafe()) : std::nullopt;
}

// Requests a second: what the mirror's owner may ask, whatever is set on the machine that looks.
double AllowedRate(const BucketStatus& status, double rate) {
  const auto parsed = ParsedJson::Parse(status.written);
  return parsed ? NumberAt(parsed->root(), "/rate/allowed").value_or(rate) : rate;
}

// What its owner saw last: letters that are dead, what lies in the queue of messages, what it has cost. Nothing where
// it says nothing of the kind: a later program may write another one.
std::string OwnerText(const std::string& written) {
  const auto parsed = ParsedJson::Parse(written);
  if (!parsed) return "";
  const auto number = [&](const char* at) { return std::int64_t(NumberAt(parsed->root(), at).value_or(0)); };
  const auto at = parsed->root().at_pointer("/at").get_string();
  if (at.error() != simdjson::SUCCESS) return "";
  std::string_view since;
  std::string text =
      fmt::format("messages  {} wait, {} in flight at {}\n", FormatCount(number("/messages/waiting")),
                  FormatCount(number("/messages/in_flight")), Printable(at.value_unsafe()));
  const std::int64_t dead = number("/dead"), dead_messages = number("/messages/dead");
  text += fmt::format(
      "dead      {}, {}{}\n", Counted(dead, "id"), Counted(dead_messages, "message"),
      dead + dead_messages > 0 ? ": an event with \"mode\":\"redrive\" queues the ids again" : "");
  if (const auto seen = NumberAt(parsed->root(), "/rate/seen"))
    text += fmt::format("rate      {:.1f} requests a second between its last two cycles\n", *seen);
  if (parsed->root().at_pointer("/spent/since").get_string().get(since) == simdjson::SUCCESS) {
    const Spent spent{.puts = number("/spent/puts"),
                      .gets = number("/spent/gets"),
                      .messages = number("/spent/messages"),
                      .invocations = number("/spent/invocations"),
                      .gb_ms = 1000 * number("/spent/gb_seconds")};
    text += fmt::format(
        "spent     ${:.2f} by list price since {}, without storage: {} puts and lists, {}, {}, {} of "
        "functions, {} GB-s\n",
        DollarsOf(spent), Printable(since.substr(0, 10)), FormatCount(spent.puts), Counted(spent.gets, "get"),
        Counted(spent.messages, "message"), Counted(spent.invocations, "call"), FormatCount(spent.gb_ms / 1000));
  }
  return text;
}

}  // namespace

Result<BucketStatus> ReadBucketStatus(ObjectStore& objects, const std::string& bucket) {
  BucketStatus status{.bucket = bucket, .head = {}, .written = {}};
  TRY_ASSIGN(status.head, BucketView::ReadHead(objects));
  auto written = objects.Get(std::string(kStatusKey));
  if (!written && written.error().code != ErrorCode::kNotFound) return std::unexpected(written.error());
  // A later program may write another one; what is not JSON at all says nothing.
  if (written && ParsedJson::Parse(written->bytes)) status.written = std::move(written->bytes);
  while (status.written.ends_with('\n')) status.written.pop_back();
  return status;
}

std::string BucketStatusText(const BucketStatus& status, Time now, double rate) {
  const HeadState& head = status.head;
  std::string text = fmt::format("mirror    {}, epoch {}, ", status.bucket, head.epoch);
  if (IsHeld(head, now)) {
    text += fmt::format("held by {} until {}\n", Printable(*head.holder), FormatTime(head.until));
  } else {
    text += head.holder
                ? fmt::format("its last owner, {}, died; the next call takes it\n", Printable(*head.holder))
                : "free: an owner takes it when something is due\n";
  }
  if (head.catalog.key.empty()) {
    text += "catalog   none yet\n";
  } else {
    text += fmt::format("catalog   {}, {:.1f} MB\n", head.catalog.key, double(head.catalog.bytes) / 1e6);
  }
  std::string segments;
  for (const auto& [type, number] : head.sequences)
    segments += fmt::format("{}{} {}", segments.empty() ? "" : ", ", Name(type), FormatCount(number));
  text += fmt::format("segments  {}\n", segments.empty() ? "none" : segments);
  text += fmt::format("queue     {} waiting, {} out in {} {}\n", Counted(head.waiting, "id"), FormatCount(head.out_ids),
                      FormatCount(head.out_batches), head.out_batches == 1 ? "batch" : "batches");
  if (head.stopped) text += fmt::format("stopped   {}\n", Printable(*head.stopped));
  const double allowed = AllowedRate(status, rate);
  if (const auto left = TimeToGo(head, allowed))
    text += fmt::format("left      about {} at {:g} requests a second\n", FormatDuration(*left), allowed);
  return text + OwnerText(status.written);
}

std::string BucketStatusJson(const BucketStatus& status, Time now, double rate) {
  std::string head = FormatHeadState(status.head);
  while (head.ends_with('\n')) head.pop_back();
  const auto left = TimeToGo(status.head, AllowedRate(status, rate));
  return fmt::format(R"({{"bucket":"{}","held":{},"seconds_left":{},"head":{},"status":{}}})", status.bucket,
                     IsHeld(status.head, now), left ? std::to_string(left->count()) : "null", head,
                     status.written.empty() ? "null" : status.written);
}

}  // namespace tmdbc
