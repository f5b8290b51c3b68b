// SPDX-License-Identifier: MIT
#include "dashboard/record_pages.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "base/json_writer.h"
#include "dashboard/record_card.h"
#include "history/history.h"
#include "history/record_address.h"
#include "history/record_diff.h"

namespace tmdbc::dashboard {
namespace {

std::string NameOf(std::string_view type, std::string_view id) {
  return fmt::format("{}:{}", type, id);
}

// kNotFound with the reason in its place.
std::unexpected<Error> WithReason(RecordReader& reader, const Error& error, const RecordAddress& address,
                                  const std::string& name) {
  if (error.code != ErrorCode::kNotFound) return std::unexpected(error);
  auto why = WhyNotThere(reader, address, name, std::nullopt);
  return Fail(ErrorCode::kNotFound, "{}", why ? *why : error.message);
}

void AddVersion(JsonWriter& json, const StoredRecord& record) {
  json.Field("version", record.version)
      .Field("change", Name(record.change))
      .Field("fetched_at", FormatTime(record.fetched_at))
      .Field("status", record.status)
      .Field("sha256", record.sha256)
      .Field("bytes", record.data.size());
}

}  // namespace

Result<std::string> RecordPages::Record(std::string_view type, std::string_view id) {
  TRY_ASSIGN(const RecordAddress address, ParseRecordAddress(type, id));
  const auto record = FindRecord(reader_, address);
  if (!record) return WithReason(reader_, record.error(), address, NameOf(type, id));
  const auto data = DataOf(*record, address);
  if (!data) return WithReason(reader_, data.error(), address, NameOf(type, id));
  JsonWriter json;
  json.BeginObject().Field("type", type).Field("id", id);
  AddVersion(json, *record);
  json.Field("data_bytes", data->size()).Field("live", record->live());
  return json.Key("card").Raw(CardJson(CardOf(*data))).EndObject().text();
}

Result<std::string> RecordPages::Body(std::string_view type, std::string_view id) {
  TRY_ASSIGN(const RecordAddress address, ParseRecordAddress(type, id));
  const auto record = FindRecord(reader_, address);
  if (!record) return WithReason(reader_, record.error(), address, NameOf(type, id));
  auto data = DataOf(*record, address);
  if (!data) return WithReason(reader_, data.error(), address, NameOf(type, id));
  return data->empty() ? "null" : *std::move(data);
}

Result<std::string> RecordPages::History(std::string_view type, std::string_view id) {
  TRY_ASSIGN(const RecordAddress address, ParseRecordAddress(type, id));
  const auto versions = HistoryOf(reader_, address);
  if (!versions) return WithReason(reader_, versions.error(), address, NameOf(type, id));
  JsonWriter json;
  json.BeginObject().Key("versions").BeginArray();
  const std::size_t shown = std::min(versions->size(), kMaxVersions);
  for (std::size_t i = 0; i < shown; ++i) {
    const std::size_t at = versions->size() - 1 - i;
    const StoredRecord& record = (*versions)[at];
    std::string what;
    if (at > 0 && record.live() && (*versions)[at - 1].live() && record.damage.empty() &&
        (*versions)[at - 1].damage.empty())
      if (const auto diff = RecordDiff::Between((*versions)[at - 1].data, record.data))
        what = diff->Summary();
    json.BeginObject();
    AddVersion(json, record);
    json.Field("what", what).Field("damaged", record.damage).EndObject();
  }
  return json.EndArray().Field("more", shown < versions->size()).EndObject().text();
}

Result<std::string> RecordPages::Diff(std::string_view type, std::string_view id, std::string_view versions) {
  TRY_ASSIGN(const RecordAddress address, ParseRecordAddress(type, id));
  TRY_ASSIGN(const VersionPair pair, ParseVersions(versions));
  const auto text = DiffText(reader_, address, NameOf(type, id), pair);
  if (!text) return std::unexpected(text.error());
  JsonWriter json;
  json.BeginObject().Field("from", pair.from).Field("to", pair.to).Key("lines").BeginArray();
  std::string_view rest = *text;
  rest.remove_prefix(std::min(rest.size(), rest.find('\n') + 1));  // its headline
  const bool cut = rest.size() > kMaxDiffText;
  if (cut) rest = rest.substr(0, rest.rfind('\n', kMaxDiffText));
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.size(), rest.find('\n'));
    std::string_view line = rest.substr(0, end);
    line.remove_prefix(std::min(line.size(), line.find_first_not_of(' ')));
    if (!line.empty()) json.Text(line);
    rest.remove_prefix(std::min(rest.size(), end + 1));
  }
  return json.EndArray().Field("cut", cut).EndObject().text();
}

Result<std::string> RecordPages::Titles(const std::vector<MediaId>& ids) {
  JsonWriter json;
  json.BeginArray();
  for (const MediaId id : ids) {
    const auto record = reader_.Find(id);
    if (!record || !record->live()) continue;
    const RecordCard card = CardOf(record->data);
    json.BeginObject().Field("type", Name(id.type)).Field("id", id.id).Field("title", card.title);
    json.Field("year", std::string_view(card.date).substr(0, 4)).EndObject();
  }
  return json.EndArray().text();
}

}  // namespace tmdbc::dashboard
