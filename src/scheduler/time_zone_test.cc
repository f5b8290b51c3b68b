// SPDX-License-Identifier: MIT
#include "scheduler/time_zone.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <time.h>

#include <fstream>
#include <sstream>

namespace tmdbc {
namespace {

using std::chrono::hours;
using std::chrono::local_days;
using std::chrono::minutes;
using std::chrono::seconds;
using std::chrono::sys_days;
using std::chrono::sys_seconds;

std::string BytesOf(const std::string& zone) {
  std::ifstream file("/usr/share/zoneinfo/" + zone, std::ios::binary);
  std::stringstream bytes;
  bytes << file.rdbuf();
  return bytes.str();
}

// A zone that consists of its rule alone, as slim files and far futures do: `type` is what its table says.
std::string OnlyRule(const std::string& rule) {
  std::string block = "TZif2" + std::string(15, '\0');
  for (const char count : {0, 0, 0, 0, 1, 4}) block += std::string(3, '\0') + count;
  block += std::string(6, '\0') + std::string("LMT\0", 4);
  return block + block + "\n" + rule + "\n";
}

// The C library reads the same files by its own code.
class LibraryZone {
 public:
  explicit LibraryZone(const char* name) {
    if (const char* old = ::getenv("TZ")) old_ = old;
    ::setenv("TZ", name, 1);
    ::tzset();
  }
  ~LibraryZone() {
    old_ ? ::setenv("TZ", old_->c_str(), 1) : ::unsetenv("TZ");
    ::tzset();
  }
  static seconds OffsetAt(sys_seconds time) {
    const time_t instant = time.time_since_epoch().count();
    struct tm local{};
    ::localtime_r(&instant, &local);
    return seconds(local.tm_gmtoff);
  }

 private:
  std::optional<std::string> old_;
};

class EveryZone : public ::testing::TestWithParam<const char*> {};
TEST_P(EveryZone, IsWhereTheCLibrarySeesIt) {
  const auto zone = TimeZone::Load(GetParam());
  ASSERT_TRUE(zone) << zone.error().message;
  const LibraryZone library(GetParam());
  // Steps that meet every hour of a day in turn; beyond 2037 the table ends and the rule begins.
  for (sys_seconds time = sys_days(std::chrono::year(1902) / 1 / 1);
       time < sys_days(std::chrono::year(2120) / 1 / 1); time += hours(29) + minutes(17)) {
    ASSERT_EQ(zone->OffsetAt(time), LibraryZone::OffsetAt(time)) << time.time_since_epoch().count();
  }
}
INSTANTIATE_TEST_SUITE_P(Table, EveryZone,
                         ::testing::Values("Europe/Berlin", "America/New_York", "Europe/Dublin",
                                         "Australia/Lord_Howe", "Pacific/Apia", "Africa/Casablanca",
                                         "Asia/Gaza", "Asia/Kathmandu", "America/Sao_Paulo",
                                         "America/Santiago", "Pacific/Chatham", "Etc/GMT+5", "Asia/Tokyo"));

TEST(TimeZone, WithoutATableFollowsItsRule) {
  for (const auto& [rule, name] :
       {std::pair{"CET-1CEST,M3.5.0,M10.5.0/3", "CET-1CEST,M3.5.0,M10.5.0/3"},
        std::pair{"<-03>3<-02>,M3.5.0/-2,M10.5.0/-1", "<-03>3<-02>,M3.5.0/-2,M10.5.0/-1"},
        std::pair{"NZST-12NZDT,M9.5.0,M4.1.0/3", "NZST-12NZDT,M9.5.0,M4.1.0/3"},
        std::pair{"EST5EDT,J60/2,J300/2", "EST5EDT,J60/2,J300/2"},
        std::pair{"EST5EDT,59,299/2:30", "EST5EDT,59,299/2:30"}, std::pair{"<+0545>-5:45", "<+0545>-5:45"}}) {
    const auto zone = TimeZone::Parse("X", OnlyRule(rule));
    ASSERT_TRUE(zone) << rule << ": " << zone.error().message;
    const LibraryZone library(name);
    for (sys_seconds time = sys_days(std::chrono::year(2024) / 1 / 1);
         time < sys_days(std::chrono::year(2029) / 1 / 1); time += minutes(61)) {
      ASSERT_EQ(zone->OffsetAt(time), LibraryZone::OffsetAt(time))
          << rule << " " << time.time_since_epoch().count();
    }
  }
}

struct Moment {
  const char* zone;
  std::chrono::local_seconds local;
  std::optional<sys_seconds> utc;
};

std::chrono::local_seconds Local(int y, unsigned m, unsigned d, int hour, int minute) {
  return local_days(std::chrono::year(y) / m / d) + hours(hour) + minutes(minute);
}
sys_seconds Utc(int y, unsigned m, unsigned d, int hour, int minute) {
  return sys_days(std::chrono::year(y) / m / d) + hours(hour) + minutes(minute);
}

class FirstMoment : public ::testing::TestWithParam<Moment> {};
TEST_P(FirstMoment, OfALocalTime) {
  const auto zone = TimeZone::Load(GetParam().zone);
  ASSERT_TRUE(zone) << zone.error().message;
  EXPECT_EQ(zone->FirstMomentOf(GetParam().local), GetParam().utc);
}
INSTANTIATE_TEST_SUITE_P(
    Table, FirstMoment,
    ::testing::Values(Moment{"UTC", Local(2026, 3, 29, 2, 30), Utc(2026, 3, 29, 2, 30)},
                    Moment{"Europe/Berlin", Local(2026, 3, 29, 1, 59), Utc(2026, 3, 29, 0, 59)},
                    Moment{"Europe/Berlin", Local(2026, 3, 29, 2, 0), std::nullopt},
                    Moment{"Europe/Berlin", Local(2026, 3, 29, 2, 59), std::nullopt},
                    Moment{"Europe/Berlin", Local(2026, 3, 29, 3, 0), Utc(2026, 3, 29, 1, 0)},
                    Moment{"Europe/Berlin", Local(2026, 10, 25, 1, 59), Utc(2026, 10, 24, 23, 59)},
                    Moment{"Europe/Berlin", Local(2026, 10, 25, 2, 30), Utc(2026, 10, 25, 0, 30)},
                    Moment{"Europe/Berlin", Local(2026, 10, 25, 3, 0), Utc(2026, 10, 25, 2, 0)},
                    Moment{"America/New_York", Local(2026, 3, 8, 2, 30), std::nullopt},
                    Moment{"America/New_York", Local(2026, 3, 8, 3, 0), Utc(2026, 3, 8, 7, 0)},
                    Moment{"America/New_York", Local(2026, 11, 1, 1, 30), Utc(2026, 11, 1, 5, 30)},
                    Moment{"America/New_York", Local(2026, 11, 1, 2, 0), Utc(2026, 11, 1, 7, 0)},
                    // Beyond the table.
                    Moment{"America/New_York", Local(2090, 3, 12, 2, 30), std::nullopt},
                    Moment{"Australia/Lord_Howe", Local(2026, 10, 4, 2, 15), std::nullopt},
                    Moment{"Australia/Lord_Howe", Local(2026, 10, 4, 2, 30), Utc(2026, 10, 3, 15, 30)},
                    // The day that Samoa left out.
                    Moment{"Pacific/Apia", Local(2011, 12, 30, 12, 0), std::nullopt},
                    Moment{"Pacific/Apia", Local(2011, 12, 31, 0, 0), Utc(2011, 12, 30, 10, 0)}));

TEST(TimeZone, UtcNeedsNoFile) {
  const auto zone = TimeZone::Load("UTC", "/nonexistent");
  ASSERT_TRUE(zone);
  EXPECT_EQ(zone->OffsetAt(Utc(2026, 7, 1, 0, 0)), seconds(0));
}

TEST(TimeZone, AnUnknownNameIsToldAndNoPathIsOpened) {
  for (const char* name :
       {"Europe/Atlantis", "", "Europe", "../../../etc/passwd", "/etc/passwd", "Europe/Ber lin"}) {
    const auto zone = TimeZone::Load(name);
    ASSERT_FALSE(zone) << name;
    EXPECT_EQ(zone.error().code, ErrorCode::kInvalid);
    EXPECT_EQ(zone.error().message,
              "there is no time zone '" + std::string(name) +
                  "' in /usr/share/zoneinfo: use an IANA name as Europe/Berlin, or UTC");
  }
}

TEST(TimeZone, AFileThatIsCutOffOrChangedIsRefusedOrReadButNeverMisread) {
  const std::string whole = BytesOf("Europe/Berlin");
  ASSERT_TRUE(TimeZone::Parse("X", whole));
  // The last line and the block for old readers end the file: what is cut elsewhere is missed.
  const auto footer = whole.rfind("\nCET");
  for (std::size_t length = 0; length < footer; ++length) {
    EXPECT_FALSE(TimeZone::Parse("X", whole.substr(0, length))) << length;
  }
  for (std::size_t i = 0; i < whole.size(); ++i) {
    std::string changed = whole;
    changed[i] = char(changed[i] ^ 0xff);
    const auto zone = TimeZone::Parse("X", changed);
    if (zone) (void)zone->OffsetAt(Utc(2026, 7, 1, 0, 0));
  }
}

TEST(TimeZone, ARuleThatIsNoneIsRefused) {
  for (const char* rule : {"CE-1", "CET", "CET-1CEST", "CET-1CEST,M3.5.0", "CET-1CEST,M13.5.0,M10.5.0/3",
                           "CET-1CEST,M3.6.0,M10.5.0/3", "CET-1CEST,M3.5.0,M10.5.0/3x", "<+01-1", "CET-25"}) {
    EXPECT_FALSE(TimeZone::Parse("X", OnlyRule(rule))) << rule;
  }
}

}  // namespace
}  // namespace tmdbc
