// SPDX-License-Identifier: MIT
#include "scheduler/time_zone.h"

#include <algorithm>
#include <cctype>
#include <cstdint>
#include <fstream>
#include <iterator>

namespace tmdbc {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::local_days;
using std::chrono::local_seconds;
using std::chrono::seconds;
using std::chrono::sys_seconds;

constexpr std::size_t kMaxFileBytes = 1 << 20;  // the largest of tzdata has 6 KB
constexpr std::size_t kMaxChanges = 100'000;
// No place is or was further from UTC; also the widest that one change moved the clocks (a day, Samoa 2011).
constexpr seconds kFarthest = hours(26);

bool IsZoneName(std::string_view name) {
  const auto fits = [](unsigned char c) {
    return std::isalnum(c) || c == '_' || c == '-' || c == '+' || c == '/';
  };
  return !name.empty() && name.size() < 100 && name.front() != '/' && std::ranges::all_of(name, fits);
}

// The big-endian numbers of a TZif file. Reading beyond the end gives zeros and is told by ok().
class TzifReader {
 public:
  explicit TzifReader(std::string_view bytes) : rest_(bytes) {}

  std::int64_t Signed(std::size_t bytes) {
    std::uint64_t number = !rest_.empty() && (rest_[0] & 0x80) ? ~std::uint64_t{0} : 0;
    for (const char byte : Take(bytes)) number = number << 8 | std::uint8_t(byte);
    return std::int64_t(number);
  }
  std::size_t Count() { return std::size_t(std::uint32_t(Signed(4))); }
  std::string_view Take(std::size_t bytes) {
    ok_ = ok_ && bytes <= rest_.size();
    const std::string_view taken = rest_.substr(0, bytes);
    rest_.remove_prefix(taken.size());
    return ok_ ? taken : std::string_view();
  }
  bool ok() const { return ok_; }
  std::string_view rest() const { return rest_; }

 private:
  std::string_view rest_;
  bool ok_ = true;
};

struct TzifHeader {
  char version = 0;
  std::size_t utc_flags = 0, standard_flags = 0, leaps = 0, times = 0, types = 0, letters = 0;
};

std::optional<TzifHeader> ReadHeader(TzifReader& in) {
  if (in.Take(4) != "TZif") return std::nullopt;
  TzifHeader header;
  const std::string_view version = in.Take(16);
  header.version = version.empty() ? '\0' : version[0];
  for (std::size_t* count : {&header.utc_flags, &header.standard_flags, &header.leaps, &header.times,
                             &header.types, &header.letters}) {
    *count = in.Count();
    if (*count > kMaxChanges) return std::nullopt;
  }
  return in.ok() ? std::optional(header) : std::nullopt;
}

}  // namespace

// Reads a POSIX TZ text with the extensions of RFC 8536 (hours to 167, also below zero).
class TimeZone::RuleReader {
 public:
  explicit RuleReader(std::string_view text) : rest_(text) {}

  std::optional<Rule> Read() {
    Rule rule;
    if (!SkipName()) return std::nullopt;
    const auto west = Time(true);  // POSIX counts west of Greenwich
    if (!west) return std::nullopt;
    rule.standard = rule.summer = -*west;
    if (rest_.empty()) return rule;
    if (!SkipName()) return std::nullopt;
    rule.summer = rule.standard + hours(1);
    if (!rest_.empty() && rest_[0] != ',') {
      const auto summer_west = Time(true);
      if (!summer_west) return std::nullopt;
      rule.summer = -*summer_west;
    }
    auto from = Date();
    auto to = Date();
    if (!from || !to || !rest_.empty()) return std::nullopt;
    rule.from_to = {*from, *to};
    return rule;
  }

 private:
  bool Skip(char c) {
    if (!rest_.starts_with(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }

  // "CET", or "<+0330>" where it is not made of letters.
  bool SkipName() {
    const bool quoted = Skip('<');
    std::size_t length = 0;
    while (length < rest_.size() &&
           (quoted ? rest_[length] != '>' : std::isalpha(static_cast<unsigned char>(rest_[length])) != 0)) {
      ++length;
    }
    rest_.remove_prefix(length);
    return length >= 3 && (!quoted || Skip('>'));
  }

  std::optional<int> Number(int low, int high) {
    int number = 0;
    std::size_t digits = 0;
    while (digits < rest_.size() && digits < 4 && std::isdigit(static_cast<unsigned char>(rest_[digits]))) {
      number = number * 10 + (rest_[digits++] - '0');
    }
    rest_.remove_prefix(digits);
    if (digits == 0 || number < low || number > high) return std::nullopt;
    return number;
  }

  // [+-]hh[:mm[:ss]]
  std::optional<seconds> Time(bool offset) {
    const bool negative = Skip('-');
    if (!negative) Skip('+');
    seconds sum{};
    int unit = 3600, high = offset ? 24 : 167;
    do {
      const auto number = Number(0, high);
      if (!number) return std::nullopt;
      sum += seconds(*number * unit);
      unit /= 60;
      high = 59;
    } while (unit > 0 && Skip(':'));
    return negative ? -sum : sum;
  }

  // ,M3.5.0/2
  std::optional<YearlyDate> Date() {
    if (!Skip(',')) return std::nullopt;
    YearlyDate date;
    std::optional<int> month = 0, week = 0, day;
    if (Skip('M')) {
      date.kind = YearlyDate::Kind::kWeekday;
      month = Number(1, 12);
      week = Skip('.') ? Number(1, 5) : std::nullopt;
      day = Skip('.') ? Number(0, 6) : std::nullopt;
    } else if (Skip('J')) {
      date.kind = YearlyDate::Kind::kJulianWithoutLeapDay;
      day = Number(1, 365);
    } else {
      date.kind = YearlyDate::Kind::kJulian;
      day = Number(0, 365);
    }
    const auto time = Skip('/') ? Time(false) : std::optional<seconds>(hours(2));
    if (!month || !week || !day || !time) return std::nullopt;
    date.month = *month;
    date.week = *week;
    date.day = *day;
    date.time = *time;
    return date;
  }

  std::string_view rest_;
};

local_seconds TimeZone::YearlyDate::In(std::chrono::year year) const {
  const local_days first(year / 1 / 1);
  switch (kind) {
    case Kind::kJulian:
      return first + days(day) + time;
    case Kind::kJulianWithoutLeapDay:
      return first + days(day - 1 + (year.is_leap() && day >= 60 ? 1 : 0)) + time;
    case Kind::kWeekday:
      break;
  }
  const std::chrono::weekday weekday{unsigned(day)};
  const auto in_month = year / month;
  const local_days date = week == 5 ? local_days(in_month / weekday[std::chrono::last])
                                    : local_days(in_month / weekday[unsigned(week)]);
  return date + time;
}

seconds TimeZone::Rule::OffsetAt(sys_seconds time) const {
  if (!from_to) return standard;
  const std::chrono::year_month_day date(std::chrono::floor<days>(time + standard));
  const auto& [from, to] = *from_to;
  const sys_seconds begin(from.In(date.year()).time_since_epoch() - standard);
  const sys_seconds end(to.In(date.year()).time_since_epoch() - summer);
  // South of the equator summer lies over the new year.
  const bool is_summer = begin < end ? begin <= time && time < end : time < end || begin <= time;
  return is_summer ? summer : standard;
}

TimeZone::TimeZone() : name_("UTC") {}

Result<TimeZone> TimeZone::Load(std::string_view name, const std::string& folder) {
  if (name == "UTC") return TimeZone();
  const auto unknown = [&] {
    return Fail(ErrorCode::kInvalid,
                "there is no time zone '{}' in {}: use an IANA name as Europe/Berlin, or UTC", name, folder);
  };
  if (!IsZoneName(name)) return unknown();
  std::ifstream file(folder + "/" + std::string(name), std::ios::binary);
  std::string bytes(kMaxFileBytes, '\0');
  file.read(bytes.data(), std::streamsize(bytes.size()));
  bytes.resize(std::size_t(std::max<std::streamsize>(file.gcount(), 0)));
  // Absent, or a folder as Europe.
  if (bytes.empty()) return unknown();
  auto zone = Parse(std::string(name), bytes);
  if (!zone) return Fail(ErrorCode::kInvalid, "{}/{} {}", folder, name, zone.error().message);
  return zone;
}

Result<TimeZone> TimeZone::Parse(std::string name, std::string_view tzif) {
  const auto damaged = [] { return Fail(ErrorCode::kCorrupt, "is not a whole time zone file (TZif)"); };
  TzifReader in(tzif);
  auto header = ReadHeader(in);
  if (!header) return damaged();
  std::size_t time_bytes = 4;
  if (header->version >= '2') {
    // The first block, in 32 bits, is there for old readers.
    in.Take(header->times * 5 + header->types * 6 + header->letters + header->leaps * 8 +
            header->standard_flags + header->utc_flags);
    header = ReadHeader(in);
    if (!header) return damaged();
    time_bytes = 8;
  }
  TimeZone zone;
  zone.name_ = std::move(name);
  for (std::size_t i = 0; i < header->times; ++i) {
    zone.changes_.push_back({sys_seconds(seconds(in.Signed(time_bytes))), {}});
  }
  const std::string_view type_of = in.Take(header->times);
  std::vector<seconds> offsets;
  for (std::size_t i = 0; i < header->types; ++i) {
    offsets.emplace_back(in.Signed(4));
    in.Take(2);
  }
  in.Take(header->letters + header->leaps * (time_bytes + 4) + header->standard_flags + header->utc_flags);
  if (!in.ok() || offsets.empty()) return damaged();
  const auto too_far = [](seconds offset) { return offset < -kFarthest || offset > kFarthest; };
  if (std::ranges::any_of(offsets, too_far)) return damaged();
  for (std::size_t i = 0; i < zone.changes_.size(); ++i) {
    const auto type = std::size_t(std::uint8_t(type_of[i]));
    if (type >= offsets.size() || (i > 0 && zone.changes_[i].at <= zone.changes_[i - 1].at)) return damaged();
    zone.changes_[i].offset = offsets[type];
  }
  zone.first_offset_ = offsets[0];
  std::string_view footer = in.rest();
  if (footer.size() > 2 && footer.front() == '\n' && footer.back() == '\n') {
    zone.rule_ = RuleReader(footer.substr(1, footer.size() - 2)).Read();
    if (!zone.rule_) return damaged();
  }
  return zone;
}

seconds TimeZone::OffsetAt(sys_seconds time) const {
  const auto next = std::ranges::upper_bound(changes_, time, {}, &Change::at);
  if (next == changes_.end() && rule_) return rule_->OffsetAt(time);
  return next == changes_.begin() ? first_offset_ : std::prev(next)->offset;
}

std::optional<sys_seconds> TimeZone::FirstMomentOf(local_seconds local) const {
  const sys_seconds as_utc(local.time_since_epoch());
  const seconds before = OffsetAt(as_utc - kFarthest), after = OffsetAt(as_utc + kFarthest);
  // The further ahead the clocks are, the earlier they show it.
  for (const seconds offset : {std::max(before, after), std::min(before, after)}) {
    if (OffsetAt(as_utc - offset) == offset) return as_utc - offset;
  }
  return std::nullopt;
}

}  // namespace tmdbc
