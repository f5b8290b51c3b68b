// SPDX-License-Identifier: MIT
#include "tables/extraction.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/json.h"
#include "base/json_writer.h"
#include "base/safe_text.h"

namespace tmdbc::tables {
namespace {

using simdjson::dom::array;
using simdjson::dom::element;
using simdjson::dom::object;

constexpr std::size_t kMaxPath = 500;
constexpr std::string_view kOtherwise = "another member says otherwise, and counts";

bool IsHolder(element value) {
  return value.is_object() || value.is_array();
}

bool IsEmptyHolder(element value) {
  object members;
  array elements;
  if (value.get(members) == simdjson::SUCCESS) return members.begin() == members.end();
  return value.get(elements) == simdjson::SUCCESS && elements.begin() == elements.end();
}

// The longest beginning of `text` of at most `bytes` that ends with a whole character.
std::string_view Cut(std::string_view text, std::size_t bytes) {
  if (text.size() <= bytes) return text;
  while (bytes > 0 && (static_cast<unsigned char>(text[bytes]) & 0xC0) == 0x80) --bytes;
  return text.substr(0, bytes);
}

std::vector<std::string_view> Split(std::string_view text, char at) {
  std::vector<std::string_view> parts;
  for (std::size_t end = 0; (end = text.find(at)) != std::string_view::npos; text.remove_prefix(end + 1))
    parts.push_back(text.substr(0, end));
  parts.push_back(text);
  return parts;
}

// Without the white space between tokens; numbers stay as they are written.
std::string CompactJson(std::string_view json) {
  std::string compact(json.size() + simdjson::SIMDJSON_PADDING, '\0');
  std::size_t length = 0;
  if (simdjson::minify(json.data(), json.size(), compact.data(), length) != simdjson::SUCCESS)
    return std::string(json);
  compact.resize(length);
  return compact;
}

}  // namespace

Extractor::Extractor(const ExtractionPlan& plan, RowSink& sink) : plan_(plan), sink_(sink) {
  for (const auto& planned : plan.tables()) {
    const std::size_t columns = Tables()[planned.table].columns.size();
    drafts_.push_back({std::vector<Cell>(columns), std::vector<std::uint8_t>(columns, kUnset), 0, 0, {}});
  }
}

Result<void> Extractor::Extract(const RecordFacts& facts, std::string_view data) {
  data_ = data;
  const auto parsed = ParsedJson::Parse(data);
  if (!parsed) return Fail(ErrorCode::kCorrupt, "read record {}: {}", facts.id, parsed.error().message);
  Begin(facts);
  const Node& root = plan_.at(ExtractionPlan::kRoot);
  TRY(Holder(root, parsed->root(), {}, 0));
  for (std::uint32_t table = 0; table < drafts_.size(); ++table) {
    if (Tables()[plan_.tables()[table].table].kind == TableKind::kRoot) TRY(Emit(table, parsed->root(), 0));
  }
  return Finish();
}

void Extractor::Begin(const RecordFacts& facts) {
  facts_ = facts;
  way_.clear();
  deferred_.clear();
  texts_.clear();
  rejects_ = 0;
  unknown_.clear();
  unlisted_ = 0;
  for (std::size_t i = 0; i < drafts_.size(); ++i) {
    Draft& draft = drafts_[i];
    const auto& planned = plan_.tables()[i];
    std::ranges::fill(draft.cells, Cell{});
    std::ranges::fill(draft.ranks, kUnset);
    draft.rows = 0;
    draft.keys.clear();
    for (const auto& [column, said] : planned.said) {
      Cell& cell = draft.cells[column];
      cell.null = false;
      if (said == tables::Said::kMediaType) {
        cell.text = facts_.media_type;
      } else if (said == tables::Said::kLocale) {
        cell.text = facts_.locale;
      } else {
        cell.number = Said(said);
      }
    }
    for (const std::uint32_t column : planned.counted) draft.cells[column] = {.null = false, .number = 0};
  }
}

std::int64_t Extractor::Said(tables::Said what) const {
  switch (what) {
    case tables::Said::kId:
      return facts_.id;
    case tables::Said::kVersion:
      return facts_.version;
    case tables::Said::kFetchedAt:
      return facts_.fetched_at.time_since_epoch().count();
    case tables::Said::kTvId:
      return facts_.tv_id;
    case tables::Said::kSeasonNumber:
      return facts_.season_number;
    case tables::Said::kNothing:
    case tables::Said::kMediaType:
    case tables::Said::kLocale:
      break;
  }
  return 0;
}

// --- values ---

// A value to which no other belongs, or that is taken whole.
Result<void> Extractor::Plain(const Node& node, element value) {
  if (node.unused && IsHolder(value) && !IsEmptyHolder(value))
    return Reject(value, value.is_object() ? "an object" : "a list");
  if (node.same_as != tables::Said::kNothing) {
    const Conversion said = Convert(ColumnType::kInteger, value);
    if (!said.cell.null && said.cell.number != Said(node.same_as))
      return Reject(value, fmt::format("differs from the {} of the line around it", Said(node.same_as)));
    if (!said.reason.empty()) return Reject(value, said.reason);
  }
  std::string_view reason;
  for (const Target& target : node.leaves) {
    const Column& column = Tables()[plan_.tables()[target.table].table].columns[target.column];
    Conversion conversion;
    if (column.json) {
      if (IsHolder(value) && !IsEmptyHolder(value)) {
        texts_.push_back(CompactJson(RawValue(value)));
        conversion.cell = {.null = false, .text = texts_.back()};
      } else if (!IsHolder(value)) {
        conversion = Convert(ColumnType::kText, value);
      }
    } else {
      conversion = Convert(column.type, value);
    }
    if (!conversion.reason.empty()) {
      if (!column.kept_elsewhere) reason = conversion.reason;
    } else if (!conversion.cell.null) {
      TRY_ASSIGN(const std::string_view lost, Set(target, conversion.cell));
      if (!lost.empty()) reason = lost;
    }
  }
  return reason.empty() ? Result<void>() : Reject(value, reason);
}

// Of a cell with several sources the first of them counts. Returns why the value does not: empty when it does, or says
// the same. One that counted until now is a reject, when it says something else.
Result<std::string_view> Extractor::Set(const Target& target, const Cell& cell) {
  Draft& draft = drafts_[target.table];
  std::uint8_t& rank = draft.ranks[target.column];
  Cell& held = draft.cells[target.column];
  if (target.rank == rank) return "named twice: the first one counts";
  if (target.rank > rank) return held == cell ? "" : kOtherwise;
  const std::uint8_t before = std::exchange(rank, target.rank);
  const Cell lost = std::exchange(held, cell);
  if (before != kUnset && lost != cell) TRY(RejectHeld(target, before, lost));
  return "";
}

// A value that other values belong to. `name` and `index`: under which it stands in its holder.
Result<void> Extractor::Holder(const Node& node, element value, std::string_view name, std::size_t index) {
  object members;
  array elements;
  const bool wants_list = node.element != ExtractionPlan::kNone;
  if (value.get(members) == simdjson::SUCCESS && !wants_list) {
    Open(node, name);
    TRY(Object(node, members));
    return Close(node, value, index);
  }
  if (value.get(elements) == simdjson::SUCCESS && wants_list) {
    Open(node, name);
    TRY(Array(node, elements));
    return Close(node, value, index);
  }
  // PHP writes {} as [] when it is empty.
  if (value.is_null() || IsEmptyHolder(value)) return {};
  std::string_view text;
  if (value.get(text) == simdjson::SUCCESS && text.empty()) return {};
  return Reject(value, wants_list ? "no list" : "no object");
}

Result<void> Extractor::Object(const Node& node, const object& members) {
  // Plain ones first: rows of a list within have cells from members that may come behind it.
  const std::size_t first = deferred_.size();
  std::size_t ordinal = 0;
  for (const auto [name, value] : members) {
    const std::size_t place = ordinal++;
    NodeId child_id = node.Find(name);
    const bool any = child_id == ExtractionPlan::kNone;
    if (any) child_id = node.any;
    if (child_id == ExtractionPlan::kNone) {
      Unknown(name);
      continue;
    }
    const Node& child = plan_.at(child_id);
    if (child.descends() || !child.emits.empty()) {
      deferred_.push_back({child_id, place, name, value, any});
      continue;
    }
    if (value.is_null()) continue;
    way_.push_back({any ? Step::Kind::kAny : Step::Kind::kMember, name, place});
    TRY(Plain(child, value));
    way_.pop_back();
  }
  for (std::size_t i = first; i < deferred_.size(); ++i) {
    const Deferred deferred = deferred_[i];
    TRY(Enter(deferred));
  }
  deferred_.resize(first);
  return {};
}

Result<void> Extractor::Enter(const Deferred& deferred) {
  const Node& node = plan_.at(deferred.node);
  way_.push_back({deferred.any ? Step::Kind::kAny : Step::Kind::kMember, deferred.name, deferred.ordinal});
  if (node.descends()) {
    if (!node.leaves.empty()) TRY(Plain(node, deferred.value));
    TRY(Holder(node, deferred.value, deferred.name, deferred.ordinal));
  } else {
    // A member that is a row by itself.
    Open(node, deferred.name);
    if (!deferred.value.is_null()) TRY(Plain(node, deferred.value));
    TRY(Close(node, deferred.value, deferred.ordinal));
  }
  way_.pop_back();
  return {};
}

Result<void> Extractor::Array(const Node& node, const array& elements) {
  const Node& child = plan_.at(node.element);
  std::size_t index = 0;
  for (const element value : elements) {
    way_.push_back({Step::Kind::kElement, {}, index});
    if (child.descends()) {
      if (value.is_null()) {
        TRY(Reject(value, child.element != ExtractionPlan::kNone ? "no list" : "no object"));
      } else {
        TRY(Holder(child, value, {}, index));
      }
    } else {
      Open(child, {});
      if (!value.is_null()) TRY(Plain(child, value));
      TRY(Close(child, value, index));
    }
    way_.pop_back();
    ++index;
  }
  for (const Target& target : node.counts)
    drafts_[target.table].cells[target.column] = {.null = false, .number = std::int64_t(index)};
  return {};
}

// --- rows ---

void Extractor::Open(const Node& node, std::string_view name) {
  for (const auto& [table, level] : node.opens) {
    Draft& draft = drafts_[table];
    const auto& levels = plan_.tables()[table].level_columns;
    for (std::size_t i = level; i < levels.size(); ++i) {
      for (const std::uint32_t column : levels[i]) {
        draft.cells[column] = {};
        draft.ranks[column] = kUnset;
      }
    }
  }
  for (const Target& target : node.keys)
    drafts_[target.table].cells[target.column] = {.null = false, .text = name};
  for (const std::uint32_t table : node.emits_if_none) drafts_[table].within = 0;
}

Result<void> Extractor::Close(const Node& node, element value, std::size_t index) {
  for (const std::uint32_t table : node.emits) TRY(Emit(table, value, index));
  for (const std::uint32_t table : node.emits_if_none) {
    if (drafts_[table].within == 0) TRY(Emit(table, value, index));
  }
  return {};
}

Result<void> Extractor::Emit(std::uint32_t table, element value, std::size_t index) {
  Draft& draft = drafts_[table];
  const auto& planned = plan_.tables()[table];
  for (const std::uint32_t column : planned.positions)
    draft.cells[column] = {.null = false, .number = draft.rows};
  for (const std::uint32_t column : planned.indexes)
    draft.cells[column] = {.null = false, .number = std::int64_t(index)};
  const std::vector<Column>& columns = Tables()[planned.table].columns;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    if (columns[i].required && draft.cells[i].null)
      return Reject(value,
                    fmt::format("no row of {}: it has no {}", Tables()[planned.table].name, columns[i].name));
  }
  if (!planned.key.empty()) {
    std::string key;
    for (const std::uint32_t column : planned.key)
      key += fmt::format("{} {} {} ", draft.cells[column].number, draft.cells[column].text.size(),
                         draft.cells[column].text);
    if (!draft.keys.insert(std::move(key)).second)
      return Reject(value,
                    fmt::format("no row of {}: another one has the same key", Tables()[planned.table].name));
  }
  ++draft.rows;
  ++draft.within;
  return sink_.Row(planned.table, draft.cells);
}

// --- what does not fit ---

Result<void> Extractor::Reject(element value, std::string_view reason) {
  if (++rejects_ > kMaxRejects) return {};
  const std::string path = Path(true), raw = RawValue(value);
  return sink_.Reject(Cut(path, kMaxPath), Cut(raw, kMaxRejectValue), reason);
}

// The value of a cell that another source has taken over.
Result<void> Extractor::RejectHeld(const Target& target, std::uint8_t rank, const Cell& lost) {
  if (++rejects_ > kMaxRejects) return {};
  const Column& column = Tables()[plan_.tables()[target.table].table].columns[target.column];
  const auto sources = Split(column.source, '|');
  const std::vector<Step> here = way_;
  way_.resize(way_.size() - Split(sources[target.rank], '.').size());
  for (const std::string_view name : Split(sources[rank], '.')) way_.push_back({Step::Kind::kMember, name, 0});
  const std::string path = Path(true);
  way_ = here;
  JsonWriter json;
  if (column.type == ColumnType::kText) {
    json.Text(lost.text);
  } else if (column.type == ColumnType::kDate) {
    json.Text(FormatDate(std::chrono::sys_days(std::chrono::days(lost.number))));
  } else {
    json.Number(lost.number);
  }
  return sink_.Reject(Cut(path, kMaxPath), Cut(json.text(), kMaxRejectValue), kOtherwise);
}

void Extractor::Unknown(std::string_view name) {
  way_.push_back({Step::Kind::kMember, name, 0});
  const std::string whole = Path(false), path(Cut(whole, kMaxPath));
  way_.pop_back();
  if (unknown_.size() < kMaxUnknown) {
    unknown_.insert(path);
  } else if (!unknown_.contains(path)) {
    ++unlisted_;
  }
}

Result<void> Extractor::Finish() {
  if (rejects_ > kMaxRejects)
    TRY(sink_.Reject("", std::to_string(rejects_), "so many values do not fit: the first ones are listed"));
  for (const std::string& path : unknown_) TRY(sink_.Unknown(path));
  if (unlisted_ > 0)
    TRY(sink_.Reject("", std::to_string(unlisted_),
                     "so many more members are unknown: the first ones are listed"));
  return {};
}

// "credits.cast[3].order", or of its kind: "credits.cast[].order".
std::string Extractor::Path(bool with_places) const {
  std::string path;
  for (const Step& step : way_) {
    if (step.kind == Step::Kind::kElement) {
      path += with_places ? fmt::format("[{}]", step.ordinal) : "[]";
    } else if (step.kind == Step::Kind::kAny && !with_places) {
      path += "{}";
    } else {
      if (!path.empty()) path += '.';
      path += step.name;
    }
  }
  return path;
}

// The bytes that the value has in the record; simdjson has lost how a number was written.
std::string Extractor::RawValue(element value) const {
  if (value.is_string()) return simdjson::minify(value);
  std::string_view raw = data_;
  if (raw.starts_with(kByteOrderMark)) raw.remove_prefix(kByteOrderMark.size());
  for (const Step& step : way_) {
    const auto members = RawMembers(raw);
    if (step.ordinal >= members.size()) return simdjson::minify(value);
    raw = raw.substr(members[step.ordinal].value, members[step.ordinal].end - members[step.ordinal].value);
  }
  return std::string(raw);
}

}  // namespace tmdbc::tables
