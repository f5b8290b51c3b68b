// SPDX-License-Identifier: MIT
#include "history/history.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <charconv>
#include <iterator>
#include <optional>

#include "base/hash.h"
#include "base/json.h"
#include "base/json_writer.h"
#include "base/words.h"
#include "history/record_diff.h"
#include "tmdb/document.h"

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

// The season that had the place then: a season may have been taken away and made again under another id. A
// show whose body does not tell is believed to have been as it is now.
Result<MediaId> SeasonOfPlace(RecordReader& reader, const RecordAddress& address, Time at) {
  const auto show = reader.FindAsOf({MediaType::kTv, address.tv_id}, at);
  if (show && show->live()) {
    TRY_ASSIGN(const auto id, ListedSeason(show->data, address.season_number));
    if (id) return MediaId{MediaType::kSeason, *id};
  }
  return reader.SeasonAt(address.tv_id, address.season_number);
}

// The records that the address names: of an episode by its id, every season that may have
// had it, first the one that has it.
Result<std::vector<MediaId>> RecordsOf(RecordReader& reader, const RecordAddress& address) {
  if (address.by_place) {
    TRY_ASSIGN(const MediaId season, reader.SeasonAt(address.tv_id, address.season_number));
    return std::vector{season};
  }
  if (address.type == MediaType::kEpisode) return reader.SeasonsOfEpisode(address.id);
  return std::vector{MediaId{address.type, address.id}};
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
  if (!record.damage.empty()) return "damaged: it cannot be read";
  if (record.data.empty()) return "no longer at TMDB";
  if (last_with_data == nullptr) return TitleOf(record.data);
  const auto diff = RecordDiff::Between(last_with_data->data, record.data);
  if (!diff) return diff.error().message;
  std::string summary = diff->Summary();
  return summary.empty() ? "as before" : summary;
}

struct TwoVersions {
  StoredRecord from, to;
  std::string data_from, data_to;
};

Result<StoredRecord> Pick(const std::vector<StoredRecord>& history, std::int64_t version,
                          const std::string& name) {
  const auto found = std::ranges::find(history, version, &StoredRecord::version);
  if (found != history.end() && !found->damage.empty()) return Fail(ErrorCode::kCorrupt, "{}", found->damage);
  if (found != history.end()) return *found;
  const std::int64_t first = history.front().version, last = history.back().version;
  return Fail(ErrorCode::kNotFound, "{} has no version {}: it has {}", name, version,
              first == last ? fmt::format("{} alone", first) : fmt::format("{} to {}", first, last));
}

// Empty where there is nothing: of a tombstone, of an episode that its season does not have.
Result<std::string> DataOrNothing(const StoredRecord& record, const RecordAddress& address) {
  if (record.data.empty()) return std::string();
  auto data = DataOf(record, address);
  if (!data && data.error().code == ErrorCode::kNotFound) return std::string();
  return data;
}

// Whether any of these versions of a season has the episode.
Result<bool> HadIt(const std::vector<StoredRecord>& season, const RecordAddress& episode) {
  for (const StoredRecord& version : season) {
    TRY_ASSIGN(const std::string data, DataOrNothing(version, episode));
    if (!data.empty()) return true;
  }
  return false;
}

// Every version of what the address names, in the order of time; of an episode the seasons' versions.
Result<std::vector<StoredRecord>> VersionsOf(RecordReader& reader, const RecordAddress& address) {
  TRY_ASSIGN(const auto ids, RecordsOf(reader, address));
  if (ids.size() == 1) return reader.History(ids.front());
  std::vector<StoredRecord> versions;
  for (const MediaId id : ids) {
    auto history = reader.History(id);
    if (!history && history.error().code == ErrorCode::kNotFound) continue;  // it was purged
    if (!history) return history;
    if (id != ids.front()) {
      TRY_ASSIGN(const bool had_it, HadIt(*history, address));
      if (!had_it) continue;
    }
    std::ranges::move(*history, std::back_inserter(versions));
  }
  if (versions.empty()) return Fail(ErrorCode::kNotFound, "episode:{} is not stored", address.id);
  std::ranges::stable_sort(versions, {}, &StoredRecord::fetched_at);
  // A number is never given twice, and stays what it is when versions come after it.
  std::int64_t last = 0;
  for (StoredRecord& version : versions) version.version = last = std::max(version.version, last + 1);
  return versions;
}

// In place of the seasons' bodies the episode as it was after each of them, or nothing. What was fetched at
// one moment is one step: an episode that moves from one season into another is never away.
Result<std::vector<StoredRecord>> ProjectEpisode(std::vector<StoredRecord> seasons,
                                                 const RecordAddress& episode) {
  std::vector<std::pair<MediaId, std::string>> had;  // the seasons that have it, and what; the latest last
  for (auto from = seasons.begin(); from != seasons.end();) {
    const auto to = std::find_if(from, seasons.end(), [&](const StoredRecord& season) {
      return season.fetched_at != from->fetched_at;
    });
    for (auto season = from; season != to; ++season) {
      if (!season->damage.empty()) continue;  // nobody knows
      std::erase_if(had, [&](const auto& one) { return one.first == season->id; });
      TRY_ASSIGN(std::string data, DataOrNothing(*season, episode));
      if (!data.empty()) had.emplace_back(season->id, std::move(data));
    }
    for (; from != to; ++from) {
      if (!from->damage.empty()) continue;
      from->data = had.empty() ? "" : had.back().second;
      from->status = had.empty() ? 404 : 200;
      from->sha256 = had.empty() ? "" : Sha256Hex(from->data);
    }
  }
  return seasons;
}

// Those of an episode's versions in which it came, changed or went.
Result<std::vector<StoredRecord>> OnlySteps(std::vector<StoredRecord> versions) {
  std::vector<StoredRecord> steps;
  std::optional<ContentHash> current;  // empty: it is not there
  bool was_there = false;
  for (StoredRecord& version : versions) {
    const bool there = !version.data.empty();
    if (version.damage.empty()) {
      if (!there && !current) continue;
      std::optional<ContentHash> hash;
      if (there) {
        TRY_ASSIGN(hash, HashContent(version.data));
        if (current && hash->content == current->content) continue;
      }
      version.change = !there      ? Change::kDelete
                       : current   ? Change::kUpdate
                       : was_there ? Change::kRestore
                                   : Change::kInsert;
      current = hash;
      was_there = was_there || there;
    }
    steps.push_back(std::move(version));
  }
  return steps;
}

Result<TwoVersions> ReadTwo(RecordReader& reader, const RecordAddress& address, const std::string& name,
                            VersionPair versions) {
  TRY_ASSIGN(auto history, VersionsOf(reader, address));
  if (address.type == MediaType::kEpisode) {
    TRY_ASSIGN(history, ProjectEpisode(std::move(history), address));
  }
  TwoVersions two;
  TRY_ASSIGN(two.from, Pick(history, versions.from, name));
  TRY_ASSIGN(two.to, Pick(history, versions.to, name));
  two.data_from = two.from.data.empty() ? kNull : two.from.data;
  two.data_to = two.to.data.empty() ? kNull : two.to.data;
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

Result<StoredRecord> FindRecord(RecordReader& reader, const RecordAddress& address) {
  if (address.by_place) return reader.FindSeason(address.tv_id, address.season_number);
  if (address.type == MediaType::kEpisode) return reader.FindSeasonOfEpisode(address.id);
  return reader.Find({address.type, address.id});
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
              "'{}' is not a time: use one like 2026-11-22T10:01:02Z or 2026-11-22T10:01:02+01:00, or a date "
              "(its end, UTC)",
              ShowValue(text));
}

Result<StoredRecord> FindRecordAsOf(RecordReader& reader, const RecordAddress& address, Time at) {
  if (address.by_place) {
    TRY_ASSIGN(const MediaId id, SeasonOfPlace(reader, address, at));
    auto season = reader.FindAsOf(id, at);
    // The season that has the place now had another one then.
    if (season && season->season_number != address.season_number)
      return Fail(ErrorCode::kNotFound, "tv:{} had no season {}", address.tv_id, address.season_number);
    return season;
  }
  TRY_ASSIGN(const auto ids, RecordsOf(reader, address));
  std::optional<StoredRecord> found;
  std::optional<Error> damaged;
  for (const MediaId id : ids) {
    if (ids.size() == 1) break;
    auto season = reader.FindAsOf(id, at);
    if (!season && season.error().code == ErrorCode::kCorrupt) damaged = season.error();
    if (!season && season.error().code != ErrorCode::kCorrupt && season.error().code != ErrorCode::kNotFound)
      return season;
    if (!season) continue;
    TRY_ASSIGN(const std::string data, DataOrNothing(*season, address));
    if (!data.empty() && (!found || found->fetched_at < season->fetched_at)) found = *std::move(season);
  }
  if (found) return *std::move(found);
  if (damaged) return std::unexpected(*std::move(damaged));
  return reader.FindAsOf(ids.front(), at);
}

Result<std::string> WhyNotThere(RecordReader& reader, const RecordAddress& address, const std::string& name,
                                const std::optional<AskedTime>& time) {
  std::string plain = time ? fmt::format("{} was not in the store yet at {}", name, time->text)
                           : fmt::format("{} is not in the store", name);
  Result<MediaId> id = MediaId{address.type, address.id};
  if (address.by_place && time) {
    id = SeasonOfPlace(reader, address, time->at);
  } else if (const auto ids = RecordsOf(reader, address)) {
    id = ids->front();
  } else {
    id = std::unexpected(ids.error());
  }
  auto kept = id ? reader.KeptOf(*id) : std::unexpected(id.error());
  if (kept && kept->purged_at) {
    return fmt::format(
        "{} was purged on {}: TMDB had not confirmed it for 180 days, and its terms of use allow no copy to "
        "be kept for more than six months; a harvest fetches it again if TMDB still lists it",
        name, FormatTime(*kept->purged_at));
  }
  if (kept && address.type == MediaType::kEpisode) {
    auto steps = HistoryOf(reader, address);
    if (!steps && steps.error().code == ErrorCode::kNotFound) return plain;
    if (!steps) return std::unexpected(steps.error());
    const StoredRecord first = steps->front();
    if (time) std::erase_if(*steps, [&](const StoredRecord& step) { return step.fetched_at > time->at; });
    if (!steps->empty() && steps->back().change == Change::kDelete) {
      return fmt::format("{} {} in its season{}: TMDB no longer listed it there on {}", name,
                         time ? "was not" : "is not", time ? " any more at " + time->text : "",
                         FormatTime(steps->back().fetched_at));
    }
    kept = reader.KeptOf(first.id);
    // It came into a season that was there before.
    if (kept && kept->first_at != first.fetched_at) return plain;
  }
  if (!kept && kept.error().code != ErrorCode::kNotFound) return std::unexpected(kept.error());
  if (!kept || !time || kept->first_version == 1 || time->at >= kept->first_at) return plain;
  return fmt::format(
      "of {} nothing is kept from before its version {} of {}: earlier versions were purged, or dropped by a "
      "retention",
      name, kept->first_version, FormatTime(kept->first_at));
}

Result<std::vector<StoredRecord>> HistoryOf(RecordReader& reader, const RecordAddress& address) {
  TRY_ASSIGN(auto versions, VersionsOf(reader, address));
  if (address.type == MediaType::kEpisode) {
    TRY_ASSIGN(versions, ProjectEpisode(std::move(versions), address));
    TRY_ASSIGN(versions, OnlySteps(std::move(versions)));
  }
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
    if (!record.damage.empty()) json.Field("damaged", record.damage);
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
    return Fail(ErrorCode::kInvalid, "'{}' does not name two versions: give their numbers, as 1,2",
                ShowValue(text));
  }
  return versions;
}

Result<std::string> DiffText(RecordReader& reader, const RecordAddress& address, const std::string& name,
                             VersionPair versions) {
  TRY_ASSIGN(const TwoVersions two, ReadTwo(reader, address, name, versions));
  TRY_ASSIGN(const RecordDiff diff, RecordDiff::Between(two.data_from, two.data_to));
  return fmt::format("{} version {} of {} -> version {} of {}\n{}", name, two.from.version,
                     FormatTime(two.from.fetched_at), two.to.version, FormatTime(two.to.fetched_at),
                     diff.empty() ? "  no difference\n" : diff.Text());
}

Result<std::string> DiffPatch(RecordReader& reader, const RecordAddress& address, const std::string& name,
                              VersionPair versions) {
  TRY_ASSIGN(const TwoVersions two, ReadTwo(reader, address, name, versions));
  TRY_ASSIGN(const RecordDiff diff, RecordDiff::Between(two.data_from, two.data_to));
  return diff.Patch() + "\n";
}

}  // namespace tmdbc
