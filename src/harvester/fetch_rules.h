// SPDX-License-Identifier: MIT
// Which ids have to be asked for again, as pure functions of what is known of them. The watermark and the
// export say what TMDB lists; these say whether that is news.
#pragma once

#include <cstdint>
#include <optional>

#include "base/clock.h"
#include "storage/record.h"
#include "tmdb/change_page.h"

namespace tmdbc {

// An id that was answered 404 this often in a row is dead: it is in the export no reason to ask again, only a
// feed is.
inline constexpr std::int64_t kDeadAnswers = 8;

// How long after the `answers`-th useless answer in a row (from 1) the next one is worth a request: 1, 2, 4,
// 8, 16, 32, 32... days, each less two hours, because a daily harvest is not always on the minute.
Duration AskAgainAfter(std::int64_t answers);

// The first readings of a day fetch all that it lists. Where a day is read more often, an id that it lists
// all day is fetched once in the time that TMDB's caches live: hourly harvests would cost 30 fetches a
// change.
inline constexpr int kReadingsBeforeOften = 6;

// An id stands in the feed of a day; `settled_at` is when answers are sure to know that day (SettledAt in
// watermarks.h). `sighted_in`: of how many earlier readings of the day, when one of them listed the id too,
// so that it was queued then; 0 when none did. Everything is asked for but what was sighted and has been
// verified since that day is settled, or lately when the day is read often; a verification at a time to come,
// by a clock that was wrong then, does not count. A dead id whose row says that it is still gone (null) is
// asked for at widening distances only.
bool FeedNeedsFetch(const IdState& state, AdultMark adult, int sighted_in, Time settled_at, Time now);

// A list of type configuration (genres, languages, providers): no feed and no export tells of its changes, so it is
// asked for once a week; one that TMDB does not have at the distances of AskAgainAfter().
bool ListIsDue(const IdState& state, Time now);

// A dead id (tombstone or missing) that an export lists; `new_export`: one that is read for the first time,
// which may be the first to know that an id that was found dead once is back.
bool ReturnIsDue(const IdState& state, bool new_export, Time now);

// A live id that TMDB went on answering for although no export lists it.
struct Orphan {
  std::int64_t attempts = 0;  // times that it was queued for that reason
  Time last_checked{};        // when it was queued last
};

// A live id that is absent from an export that was accepted at `accepted` (now, when it is read for the first
// time). One that was verified since is not a candidate; neither is one that was asked for lately for the same
// reason and answered. When the export was made does not count: that would be TMDB's clock against ours.
bool CandidateIsDue(const IdState& state, Time accepted, const std::optional<Orphan>& orphan, Time now);

// What is remembered when it is queued. A queueing whose answer has not come yet is not an attempt more.
Orphan AskedAgain(const IdState& state, const std::optional<Orphan>& orphan, Time now);

}  // namespace tmdbc
