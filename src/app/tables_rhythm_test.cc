// SPDX-License-Identifier: MIT
#include "app/tables_rhythm.h"

#include <gtest/gtest.h>

namespace tmdbc {
namespace {

TEST(TablesRhythm, SaysWhenTheTablesAreDue) {
  using enum TablesRhythm;
  using std::chrono::hours;
  const Time now = ParseTime("2026-11-30T15:00:00Z").value();
  struct Case {
    const char* what;
    TablesRhythm rhythm;
    bool there;
    std::optional<Time> last;
    bool due;
  };
  const Case cases[] = {
      {"nobody has asked for tables", kAuto, false, {}, false},
      {"tables were made once", kAuto, true, now - hours(24), true},
      {"they are of this morning", kAuto, true, now - hours(6), false},
      {"the collection came an hour early", kAuto, true, now - hours(23), true},
      {"the first ones", kDaily, false, {}, true},
      {"this process failed a while ago", kDaily, false, now - hours(1), false},
      {"after each collection", kAfterEveryCollection, true, now, true},
      {"the clock was set back", kDaily, true, now + hours(100), true},
      {"off, whatever is there", kOff, true, now - hours(1000), false},
  };
  for (const Case& one : cases)
    EXPECT_EQ(TablesAreDue(one.rhythm, one.there, one.last, now), one.due) << one.what;
}

}  // namespace
}  // namespace tmdbc
