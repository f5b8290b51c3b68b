// SPDX-License-Identifier: MIT
#include "app/history.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <charconv>
#include <optional>

#include "app/json_writer.h"
#include "app/record_diff.h"
#include "app/words.h"
#include "base/hash.h"
#include "tmdb/document.h"
#include "tmdb/json_text.h"

namespace tmdbc {
namespace {

constexpr std::string_view kNull = "null";

// The id of the season that the show's body lists under that number; empty when it lists none.
Result<std::optional<std::int64_t>> ListedSeason(const std::string& show, std::int64_t number) {
  TRY_ASSIGN(const ParsedJson parsed, ParsedJson::ParseString(show));
  simdjson::dom::array seasons;
  if (parsed.root()["seasons"].get(seasons) != simdjson::SUCCESS) return std::nullopt;
  for (const simdjson::dom::element season : seasons) {
    std::int64_t listed = 0, id = 0;
    if (season["season_number"].get(listed) == simdjson::SUCCESS && listed == number &&
        season["id"].get(id) == simdjson::SUCCESS) {
      return id;
    }
  }
  return std::nullopt;
}

// The season that had the place then: a season may have been taken away and made anew under another id. A
// show whose body does not tell is believed to have been as it is now.
Result<MediaId> SeasonOfPlace(RecordStore& store, const RecordAddress& address, Time at) {
  const auto show = store.FindAsOf({MediaType::kTv, address.tv_id}, at);
  if (show && show->status == 200) {
    TRY_ASSIGN(const auto id, ListedSeason(show->data, address.season_number));
    if (id) return MediaId{MediaType::kSeason, *id};
  }
  TRY_ASSIGN(const StoredRecord now, store.FindSeason(address.tv_id, address.season_number));
  return now.id;
}

// "Fight Club": what the body calls itself.
std::string TitleOf(const std::string& data) {
  const auto parsed = ParsedJson::ParseString(data);
  if (!parsed) return "";
  for (const std::string_view member : {"title", "name"}) {
    std::string_view text;
    if (parsed->root()[member].get(text) == simdjson::SUCCESS) return ShowValue(text);
  }
  return "";
}

std::string SummaryOf(const StoredRecord& record, const StoredRecord* last_with_data) {
  if (record.data.empty()) return "no longer at TMDB";
  if (last_with_data == nullptr) return TitleOf(record.data);
  const auto diff = RecordDiff::Between(last_with_data->data, record.data);
  if (!diff) return diff.error().message;
  std::string summary = diff->Summary();
  return summary.empty() ? "as before" : summary;
}

Result<std::vector<StoredRecord>> RecordsOf(RecordStore& store, const RecordAddress& address) {
  TRY_ASSIGN(const StoredRecord current, FindRecord(store, address));
  return store.History(current.id);
}

struct TwoVersions {
  StoredRecord from, to;
  std::string data_from, data_to;
};

Result<StoredRecord> Pick(const std::vector<StoredRecord>& history, std::int64_t version,
                          const std::string& name) {
  const auto found = std::ranges::find(history, version, &StoredRecord::version);
  if (found != history.end()) return *found;
  const std::int64_t first = history.front().version, last = history.back().version;
  return Fail(ErrorCode::kNotFound, "{} has no version {}: it has {}", name, version,
              first == last ? fmt::format("{} alone", first) : fmt::format("{} to {}", first, last));
}

// `null` where there was nothing: of a tombstone, of an episode that its season did not have.
Result<std::string> DataOrNull(const StoredRecord& record, const RecordAddress& address) {
  if (record.data.empty()) return std::string(kNull);
  auto data = DataOf(record, address);
  if (!data && data.error().code == ErrorCode::kNotFound) return std::string(kNull);
  return data;
}

Result<TwoVersions> ReadTwo(RecordStore& store, const RecordAddress& address, const std::string& name,
                            VersionPair versions) {
  TRY_ASSIGN(const auto history, RecordsOf(store, address));
  TwoVersions two;
  TRY_ASSIGN(two.from, Pick(history, versions.from, name));
  TRY_ASSIGN(two.to, Pick(history, versions.to, name));
  TRY_ASSIGN(two.data_from, DataOrNull(two.from, address));
  TRY_ASSIGN(two.data_to, DataOrNull(two.to, address));
  return two;
}

// "+01:00" or "-05:30" at the end of `text`, taken off it; empty when there is none.
std::optional<std::chrono::minutes> TakeOffset(std::string_view& text) {
  constexpr std::size_t kLength = 6;
  if (text.size() <= kLength) return std::nullopt;
  const std::string_view offset = text.substr(text.size() - kLength);
  int hours = 0, minutes = 0;
  const auto number = [](std::string_view digits, int& value) {
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    return error == std::errc() && end == digits.data() + digits.size() && value >= 0;
  };
  if ((offset[0] != '+' && offset[0] != '-') || offset[3] != ':' || !number(offset.substr(1, 2), hours) ||
      !number(offset.substr(4, 2), minutes) || hours > 23 || minutes > 59) {
    return std::nullopt;
  }
  text.remove_suffix(kLength);
  const std::chrono::minutes ahead = std::chrono::hours(hours) + std::chrono::minutes(minutes);
  return offset[0] == '+' ? ahead : -ahead;
}

}  // namespace

Result<StoredRecord> FindRecord(RecordStore& store, const RecordAddress& address) {
  if (address.by_place) return store.FindSeason(address.tv_id, address.season_number);
  if (address.type == MediaType::kEpisode) return store.FindSeasonOfEpisode(address.id);
  return store.Find({address.type, address.id});
}

Result<std::string> DataOf(const StoredRecord& record, const RecordAddress& address) {
  if (address.type != MediaType::kEpisode || record.data.empty()) return record.data;
  return address.by_place ? EpisodeByNumber(record.data, address.episode_number)
                          : EpisodeById(record.data, address.id);
}

Result<Time> ParseAsOf(std::string_view text) {
  if (const auto day = ParseDate(text)) return Time(*day + std::chrono::days(1)) - Duration(1);
  if (const auto time = ParseTime(text)) return *time;
  std::string_view local = text;
  if (const auto offset = TakeOffset(local)) {
    if (const auto time = ParseTime(std::string(local) + "Z")) return *time - *offset;
  }
  return Fail(ErrorCode::kInvalid,
              "--as-of is '{}': use a time like 2026-11-22T10:01:02Z or 2026-11-22T10:01:02+01:00, or a date "
              "(its end, UTC)",
              ShowValue(text));
}

Result<StoredRecord> FindRecordAsOf(RecordStore& store, const RecordAddress& address, Time at) {
  if (address.by_place) {
    TRY_ASSIGN(const MediaId season, SeasonOfPlace(store, address, at));
    return store.FindAsOf(season, at);
  }
  if (address.type != MediaType::kEpisode) return store.FindAsOf({address.type, address.id}, at);
  TRY_ASSIGN(const StoredRecord season, store.FindSeasonOfEpisode(address.id));
  return store.FindAsOf(season.id, at);
}

Result<std::vector<StoredRecord>> EpisodeVersions(std::vector<StoredRecord> seasons,
                                                  const RecordAddress& address) {
  std::vector<StoredRecord> versions;
  std::optional<ContentHash> current;  // of the episode; empty: it is not there
  for (StoredRecord& season : seasons) {
    TRY_ASSIGN(std::string data, DataOrNull(season, address));
    const bool there = data != kNull;
    if (!there && !current) continue;
    std::optional<ContentHash> hash;
    if (there) {
      TRY_ASSIGN(hash, HashContent(data));
      if (current && hash->content == current->content) continue;
    }
    season.change = !there             ? Change::kDelete
                    : current          ? Change::kUpdate
                    : versions.empty() ? Change::kInsert
                                       : Change::kRestore;
    season.status = there ? 200 : 404;
    season.sha256 = there ? Sha256Hex(data) : "";
    season.data = there ? std::move(data) : "";
    current = hash;
    versions.push_back(std::move(season));
  }
  return versions;
}

Result<std::vector<StoredRecord>> HistoryOf(RecordStore& store, const RecordAddress& address) {
  TRY_ASSIGN(auto records, RecordsOf(store, address));
  if (address.type != MediaType::kEpisode) return records;
  TRY_ASSIGN(auto versions, EpisodeVersions(std::move(records), address));
  if (versions.empty()) return Fail(ErrorCode::kNotFound, "no version of the season has this episode");
  return versions;
}

std::string HistoryText(const std::vector<StoredRecord>& versions) {
  std::string text = fmt::format("{:>7}  {:<8} {:<24} {:>9}  {}\n", "version", "change", "fetched at",
                                 "bytes", "what changed");
  const StoredRecord* last_with_data = nullptr;
  for (const StoredRecord& record : versions) {
    text += fmt::format(
        "{:>7}  {:<8} {:<24} {:>9}  {}\n", record.version, Name(record.change), FormatTime(record.fetched_at),
        record.data.empty() ? "-" : fmt::format("{}", record.data.size()), SummaryOf(record, last_with_data));
    if (!record.data.empty()) last_with_data = &record;
  }
  return text;
}

std::string HistoryJson(const std::vector<StoredRecord>& versions) {
  std::string text;
  for (const StoredRecord& record : versions) {
    JsonWriter json;
    json.BeginObject()
        .Field("version", record.version)
        .Field("change", Name(record.change))
        .Field("fetched_at", FormatTime(record.fetched_at))
        .Field("status", record.status)
        .Key("sha256");
    record.sha256.empty() ? json.Null() : json.Text(record.sha256);
    text += json.EndObject().text() + "\n";
  }
  return text;
}

Result<VersionPair> ParseVersions(std::string_view text) {
  VersionPair versions;
  const auto number = [](std::string_view digits, std::int64_t& value) {
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    return error == std::errc() && end == digits.data() + digits.size() && value >= 1;
  };
  const auto comma = text.find(',');
  if (comma == std::string_view::npos || !number(text.substr(0, comma), versions.from) ||
      !number(text.substr(comma + 1), versions.to)) {
    return Fail(ErrorCode::kInvalid,
                "--diff is '{}': name two versions, for instance --diff=1,2 (--history lists them)",
                ShowValue(text));
  }
  return versions;
}

Result<std::string> DiffText(RecordStore& store, const RecordAddress& address, const std::string& name,
                             VersionPair versions) {
  TRY_ASSIGN(const TwoVersions two, ReadTwo(store, address, name, versions));
  TRY_ASSIGN(const RecordDiff diff, RecordDiff::Between(two.data_from, two.data_to));
  return fmt::format("{} version {} of {} -> version {} of {}\n{}", name, two.from.version,
                     FormatTime(two.from.fetched_at), two.to.version, FormatTime(two.to.fetched_at),
                     diff.empty() ? "  no difference\n" : diff.Text());
}

Result<std::string> DiffPatch(RecordStore& store, const RecordAddress& address, const std::string& name,
                              VersionPair versions) {
  TRY_ASSIGN(const TwoVersions two, ReadTwo(store, address, name, versions));
  TRY_ASSIGN(const RecordDiff diff, RecordDiff::Between(two.data_from, two.data_to));
  return diff.Patch() + "\n";
}

}  // namespace tmdbc
