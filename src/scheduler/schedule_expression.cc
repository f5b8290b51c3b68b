// SPDX-License-Identifier: MIT
#include "scheduler/schedule_expression.h"

#include <array>
#include <cctype>
#include <charconv>

namespace tmdbc {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

constexpr std::size_t kMaxLength = 256;  // EventBridge Scheduler's
constexpr std::int64_t kMaxMinutes = 100LL * 366 * 24 * 60;
constexpr std::string_view kRateHelp =
    "use rate(N UNIT) with a whole number from 1 and minutes, hours or days, in the singular when it is 1, "
    "as in "
    "rate(1 hour) or rate(12 hours)";

std::string_view Trim(std::string_view text) {
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.front()))) text.remove_prefix(1);
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.back()))) text.remove_suffix(1);
  return text;
}

struct Unit {
  std::string_view singular, plural;
  std::int64_t minutes;
};
constexpr std::array<Unit, 3> kUnits = {
    {{"minute", "minutes", 1}, {"hour", "hours", 60}, {"day", "days", 1440}}};

Result<minutes> ParseRate(std::string_view text) {
  const auto refuse = [] { return Fail(ErrorCode::kInvalid, "{}", kRateHelp); };
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const std::string_view rest = text.substr(std::size_t(end - text.data()));
  if (error != std::errc() || number < 1 || rest.empty() ||
      !std::isspace(static_cast<unsigned char>(rest[0]))) {
    return refuse();
  }
  for (const Unit& unit : kUnits) {
    if (Trim(rest) != (number == 1 ? unit.singular : unit.plural)) continue;
    if (number > kMaxMinutes / unit.minutes) {
      return Fail(ErrorCode::kInvalid, "{} {} are more than a hundred years", number, unit.plural);
    }
    return minutes(number * unit.minutes);
  }
  return refuse();
}

// "2026-12-01T06:00:00", nothing else.
Result<std::chrono::local_seconds> ParseAt(std::string_view text) {
  constexpr std::string_view kForm = "dddd-dd-ddTdd:dd:dd";
  std::array<int, 6> parts{};
  std::size_t part = 0;
  bool fits = text.size() == kForm.size();
  for (std::size_t i = 0; fits && i < kForm.size(); ++i) {
    const bool digit = std::isdigit(static_cast<unsigned char>(text[i])) != 0;
    fits = kForm[i] == 'd' ? digit : text[i] == kForm[i];
    if (kForm[i] == 'd') {
      parts[part] = parts[part] * 10 + (text[i] - '0');
    } else {
      ++part;
    }
  }
  const auto date = std::chrono::year(parts[0]) / parts[1] / parts[2];
  if (!fits || !date.ok() || parts[0] < 1970 || parts[0] > 2199 || parts[3] > 23 || parts[4] > 59 ||
      parts[5] > 59) {
    return Fail(ErrorCode::kInvalid,
                "use at(yyyy-mm-ddThh:mm:ss) with a date from 1970 to 2199, as in "
                "at(2026-12-01T06:00:00)");
  }
  return std::chrono::local_days(date) + std::chrono::hours(parts[3]) + minutes(parts[4]) + seconds(parts[5]);
}

}  // namespace

Result<ScheduleExpression> ScheduleExpression::Parse(std::string_view text, TimeZone zone) {
  text = Trim(text);
  if (text.size() > kMaxLength) {
    return Fail(ErrorCode::kInvalid, "it has {} characters: an expression has at most {}", text.size(),
                kMaxLength);
  }
  const auto open = text.find('(');
  const std::string_view word = text.substr(0, open);
  if (open == std::string_view::npos || !text.ends_with(')') ||
      (word != "rate" && word != "cron" && word != "at")) {
    return Fail(ErrorCode::kInvalid,
                "use rate(12 hours), cron(0 6 * * ? *) or at(2026-12-01T06:00:00), in EventBridge's grammar");
  }
  const std::string_view inside = Trim(text.substr(open + 1, text.size() - open - 2));
  if (word == "rate") {
    TRY_ASSIGN(const minutes interval, ParseRate(inside));
    return ScheduleExpression(std::string(text), interval, std::move(zone));
  }
  if (word == "cron") {
    TRY_ASSIGN(CronExpression cron, CronExpression::Parse(inside));
    return ScheduleExpression(std::string(text), std::move(cron), std::move(zone));
  }
  TRY_ASSIGN(const auto local, ParseAt(inside));
  if (!zone.FirstMomentOf(local)) {
    return Fail(ErrorCode::kInvalid, "it never happens: clocks in {} are put forward over it", zone.name());
  }
  return ScheduleExpression(std::string(text), local, std::move(zone));
}

ScheduleExpression ScheduleExpression::Every(minutes interval) {
  return {fmt::format("rate({} minute{})", interval.count(), interval.count() == 1 ? "" : "s"), interval,
          TimeZone()};
}

std::optional<Time> ScheduleExpression::Next(Time after) const {
  if (kind() == Kind::kRate) return after + interval();
  if (kind() == Kind::kAt) {
    const auto at = zone_.FirstMomentOf(std::get<std::chrono::local_seconds>(when_));
    return at && *at > after ? std::optional<Time>(*at) : std::nullopt;
  }
  const auto utc = std::chrono::floor<seconds>(after);
  std::chrono::local_seconds local(utc.time_since_epoch() + zone_.OffsetAt(utc));
  while (true) {
    const auto next = std::get<CronExpression>(when_).Next(std::chrono::floor<minutes>(local));
    if (!next) return std::nullopt;
    // Skipped by the clocks, or shown a second time: not that one.
    const auto at = zone_.FirstMomentOf(*next);
    if (at && *at > after) return *at;
    local = *next;
  }
}

std::string ScheduleExpression::ToString() const {
  if (kind() == Kind::kRate || zone_.name() == "UTC") return text_;
  return text_ + " " + zone_.name();
}

}  // namespace tmdbc
