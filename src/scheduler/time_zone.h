// SPDX-License-Identifier: MIT
// TimeZone: the local time of a place by its IANA name, from the compiled files that every Linux has (package
// tzdata): the table of past and planned changes, and beyond its end the rule in the file's last line
// (RFC 8536). Immutable; any thread.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace tmdbc {

class TimeZone {
 public:
  // UTC.
  TimeZone();
  // "Europe/Berlin". UTC needs no file. kInvalid when there is no such zone under `folder`, or its file is
  // damaged.
  static Result<TimeZone> Load(std::string_view name, const std::string& folder = "/usr/share/zoneinfo");
  // The same from the bytes of a file. kCorrupt.
  static Result<TimeZone> Parse(std::string name, std::string_view tzif);

  const std::string& name() const { return name_; }

  // What local clocks are ahead of UTC.
  std::chrono::seconds OffsetAt(std::chrono::sys_seconds time) const;
  // The first moment at which local clocks show `local`: where they are put back an hour it happens twice.
  // Empty when they never do, for they were put forward over it.
  std::optional<std::chrono::sys_seconds> FirstMomentOf(std::chrono::local_seconds local) const;

 private:
  // When, each year, a rule's summer time begins or ends: POSIX's Mm.w.d, Jn or n, at a local time.
  struct YearlyDate {
    enum class Kind : std::uint8_t { kJulianWithoutLeapDay, kJulian, kWeekday } kind{};
    int month = 0, week = 0, day = 0;
    std::chrono::seconds time{};
    std::chrono::local_seconds In(std::chrono::year year) const;
  };
  // POSIX's TZ text: "CET-1CEST,M3.5.0,M10.5.0/3".
  struct Rule {
    std::chrono::seconds standard{}, summer{};
    std::optional<std::pair<YearlyDate, YearlyDate>> from_to;  // empty: no summer time
    std::chrono::seconds OffsetAt(std::chrono::sys_seconds time) const;
  };
  class RuleReader;
  struct Change {
    std::chrono::sys_seconds at;
    std::chrono::seconds offset;
  };

  std::string name_;
  std::chrono::seconds first_offset_{};  // before the first change
  std::vector<Change> changes_;          // in order
  std::optional<Rule> rule_;             // after the last change
};

}  // namespace tmdbc
