// SPDX-License-Identifier: MIT
// What `query` tells of a record's past: its versions, the one in force at a time, what two of them differ
// in, and of what is not there why. An episode has no record of its own: its past is that of the seasons that
// had it, projected on it. A version that cannot be read takes no other along.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "history/record_address.h"
#include "storage/record_reader.h"

namespace tmdbc {

// The current view; of an episode that of its season. kNotFound when it was never stored.
Result<StoredRecord> FindRecord(RecordReader& reader, const RecordAddress& address);
// What the address names in that record: its data, or the episode within it. kNotFound when the episode is
// not there; empty for a tombstone.
Result<std::string> DataOf(const StoredRecord& record, const RecordAddress& address);

// "2026-11-22T10:01:02Z", with a fraction or an offset ("+01:00") if need be (RFC 3339); a bare date is the
// end of that day (UTC): what was known when it was over. kInvalid with what is allowed.
Result<Time> ParseAsOf(std::string_view text);
// The version in force then; of an episode that of the season that had it. A place in a show (1399/season/1)
// is looked up as it was then, by the show's own list of seasons. kNotFound when nothing was stored there.
Result<StoredRecord> FindRecordAsOf(RecordReader& reader, const RecordAddress& address, Time at);

// Why there was kNotFound: a sentence that calls the record `name`, and the time, where one was asked for,
// `at_text`. It was never stored, not yet, not any more, or was purged.
struct AskedTime {
  Time at{};
  std::string text;
};
Result<std::string> WhyNotThere(RecordReader& reader, const RecordAddress& address, const std::string& name,
                                const std::optional<AskedTime>& time);

// The versions, oldest first; one that cannot be read has its `damage`. Of an episode those of its season in
// which it came, changed or went: each has the season's version number, the episode's data and its sha256.
// Of an episode by its id, those of every season record that had it: the numbers go on ascending where a
// season that was made again begins at 1.
Result<std::vector<StoredRecord>> HistoryOf(RecordReader& reader, const RecordAddress& address);

// One line a version for a person; what an update changed in short.
std::string HistoryText(const std::vector<StoredRecord>& versions);
// One object a line: {"version","change","fetched_at","status","sha256"}; "damaged" behind
// these in one that cannot be read.
std::string HistoryJson(const std::vector<StoredRecord>& versions);

struct VersionPair {
  std::int64_t from = 0, to = 0;
};
// "1,3". kInvalid with what is allowed.
Result<VersionPair> ParseVersions(std::string_view text);
// What the two versions differ in, for a person under a headline, or as a JSON Patch (RFC 6902); a
// tombstone's data is null. `name` is what the record is called in it. kNotFound names the versions that
// there are. Of an episode any two versions of its season may be named.
Result<std::string> DiffText(RecordReader& reader, const RecordAddress& address, const std::string& name,
                             VersionPair versions);
Result<std::string> DiffPatch(RecordReader& reader, const RecordAddress& address, const std::string& name,
                              VersionPair versions);

}  // namespace tmdbc
