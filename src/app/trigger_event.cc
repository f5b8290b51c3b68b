// SPDX-License-Identifier: MIT
#include "app/trigger_event.h"

#include <simdjson.h>

#include <algorithm>
#include <array>
#include <span>

#include "base/clock.h"
#include "base/words.h"
#include "settings/settings.h"
#include "tmdb/change_page.h"

namespace tmdbc {
namespace {

namespace dom = simdjson::dom;
namespace ondemand = simdjson::ondemand;

constexpr std::size_t kMaxEvents = 1000;
constexpr std::size_t kMaxEventIds = 100'000;
constexpr std::int64_t kMaxEventLimit = 1'000'000'000;

constexpr std::string_view kEntryMembers[] = {"Source",    "DetailType",   "Detail",     "Time",
                                              "Resources", "EventBusName", "TraceHeader"};
constexpr std::string_view kEventMembers[] = {"version", "id",     "detail-type", "source", "account",
                                              "time",    "region", "resources",   "detail", "replay-name"};
constexpr std::string_view kDetailMembers[] = {"mode", "types", "ids", "since", "until", "limit", "stage"};

// Some editors put a byte order mark in front.
std::string_view WithoutMark(std::string_view text) {
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
  return text;
}

std::unexpected<Error> Invalid(const std::string& place, std::string_view sentence) {
  return Fail(ErrorCode::kInvalid, "{}: {}", place, sentence);
}

Result<void> OnlyMembers(dom::object object, std::span<const std::string_view> known,
                         const std::string& place) {
  for (const auto [key, value] : object) {
    if (std::ranges::find(known, key) != known.end()) continue;
    const std::vector<std::string> names(known.begin(), known.end());
    return Invalid(place, fmt::format("'{}' is not a member that it may have{}", ShowValue(key),
                                      DidYouMean(ShowValue(key), names)));
  }
  return {};
}

// A value as a person would write it, for a message.
std::string Show(dom::element value) {
  return ShowValue(simdjson::minify(value));
}

// Whether `value` is a list and `take` takes each of its elements. Only a list has elements to look at.
template <class Take>
bool EachOf(dom::element value, const Take& take) {
  dom::array list;
  if (value.get(list)) return false;
  return std::ranges::all_of(list.begin(), list.end(), take);
}

Result<std::string> TextOf(dom::element value, std::string_view name, const std::string& place) {
  std::string_view text;
  if (value.get(text)) return Invalid(place, fmt::format("{} is {}: it must be a text", name, Show(value)));
  return std::string(text);
}

Result<HarvestMode> ModeOf(dom::element value, bool& for_ids, const std::string& place) {
  TRY_ASSIGN(const std::string mode, TextOf(value, "mode", place));
  for_ids = mode == "ids";
  if (mode == "auto" || for_ids) return HarvestMode::kAuto;
  if (mode == "export") return HarvestMode::kExport;
  if (mode == "changes") return HarvestMode::kChanges;
  return Invalid(place, fmt::format("mode is '{}': use auto, export, changes or ids", ShowValue(mode)));
}

Result<std::vector<MediaType>> TypesOf(dom::element value, const std::string& place) {
  const Setting& media_types = *FindSetting("MEDIA_TYPES");
  std::string joined;
  const bool texts = EachOf(value, [&](dom::element item) {
    std::string_view type;
    if (item.get(type)) return false;
    if (!joined.empty()) joined += ',';
    joined += type;
    return true;
  });
  Settings settings;
  if (!texts || !media_types.apply(joined, settings)) {
    return Invalid(
        place, fmt::format("types is {}: use {}, as [\"movie\",\"tv\"]", Show(value), media_types.allowed));
  }
  return std::move(settings.media_types);
}

Result<std::vector<std::int64_t>> IdsOf(dom::element value, const std::string& place) {
  std::vector<std::int64_t> ids;
  const bool whole = EachOf(value, [&](dom::element item) {
    std::int64_t id = 0;
    if (item.get(id) || id < 1 || id >= std::int64_t{1} << 32 || ids.size() == kMaxEventIds) return false;
    ids.push_back(id);
    return true;
  });
  if (!whole || ids.empty())
    return Invalid(place, fmt::format("ids is {}: use 1 to {} ids, as [550,551]", Show(value), kMaxEventIds));
  return ids;
}

Result<std::chrono::sys_days> DayOf(dom::element value, std::string_view name, const std::string& place) {
  TRY_ASSIGN(const std::string text, TextOf(value, name, place));
  const auto day = ParseDate(text);
  if (!day) return Invalid(place, fmt::format("{} is '{}': use a day as 2026-11-22", name, ShowValue(text)));
  return *day;
}

Result<TriggerEvent> ParseDetail(dom::object detail, const std::string& place) {
  TRY(OnlyMembers(detail, kDetailMembers, place));
  TriggerEvent event;
  bool for_ids = false;
  for (const auto [key, value] : detail) {
    if (key == "mode") {
      TRY_ASSIGN(event.mode, ModeOf(value, for_ids, place));
    } else if (key == "types") {
      TRY_ASSIGN(event.types, TypesOf(value, place));
    } else if (key == "ids") {
      TRY_ASSIGN(event.ids, IdsOf(value, place));
    } else if (key == "since") {
      TRY_ASSIGN(event.since, DayOf(value, key, place));
    } else if (key == "until") {
      TRY_ASSIGN(event.until, DayOf(value, key, place));
    } else if (key == "stage") {  // EventBridge's rules have looked at it
      TRY(TextOf(value, key, place));
    } else {
      std::int64_t limit = 0;
      if (value.get(limit) || limit < 0 || limit > kMaxEventLimit) {
        return Invalid(place,
                       fmt::format("limit is {}: use a whole number from 0 to {}", Show(value), kMaxEventLimit));
      }
      event.limit = limit;
    }
  }
  if (for_ids && event.ids.empty()) return Invalid(place, "mode ids needs ids");
  // Types that it does not name are those of the settings, which have a feed or are checked by themselves.
  HarvestRequest request = event;
  if (request.types.empty() && request.ids.empty()) request.types = {MediaType::kMovie};
  const std::string why = WhyImpossible(request, kMemberWords);
  if (!why.empty()) return Invalid(place, why);
  return event;
}

// An entry (`Source`...) or a delivered event (`source`...).
Result<TriggerEvent> ParseEvent(dom::element element, const std::string& place) {
  dom::object event;
  if (element.get(event))
    return Invalid(place, fmt::format("{} is not an event, which is an object", Show(element)));
  const bool delivered =
      event["Source"].error() != simdjson::SUCCESS && event["source"].error() == simdjson::SUCCESS;
  TRY(OnlyMembers(event, delivered ? std::span<const std::string_view>(kEventMembers) : kEntryMembers,
                  place));
  const std::string_view source_name = delivered ? "source" : "Source";
  const std::string_view type_name = delivered ? "detail-type" : "DetailType";
  const std::string_view detail_name = delivered ? "detail" : "Detail";
  for (const std::string_view needed : {source_name, type_name, detail_name}) {
    if (event[needed].error()) return Invalid(place, fmt::format("it has no {}", needed));
  }
  TRY_ASSIGN(const std::string source, TextOf(event[source_name].value_unsafe(), source_name, place));
  TRY_ASSIGN(const std::string type, TextOf(event[type_name].value_unsafe(), type_name, place));
  const bool ours = source == "tmdb-data-collector" && type == "Collection Requested";
  const bool scheduled = (source == "aws.events" || source == "aws.scheduler") && type == "Scheduled Event";
  if (!ours && !scheduled) {
    return Invalid(
        place, fmt::format("an event '{}' of '{}' starts nothing: use '{}' \"tmdb-data-collector\" and '{}' "
                           "\"Collection Requested\"",
                           ShowValue(type), ShowValue(source), source_name, type_name));
  }
  // EventBridge takes it as a text and hands it on as an object; its Scheduler hands on a text.
  const dom::element value = event[detail_name].value_unsafe();
  dom::object detail;
  std::string_view text;
  dom::parser inner;
  if (!value.get(text)) {
    if (const auto error = inner.parse(simdjson::padded_string(WithoutMark(text))).get(detail)) {
      return Invalid(place, fmt::format("the text of its {} is not a JSON object ({})", detail_name,
                                        simdjson::error_message(error)));
    }
  } else if (!delivered || value.get(detail)) {
    return Invalid(place, fmt::format("its {} is {}: it must be {}", detail_name, Show(value),
                                      delivered ? "an object" : "the text of a JSON object"));
  }
  return ParseDetail(detail, fmt::format("{}: {}", place, detail_name));
}

simdjson::error_code Walk(ondemand::value value) {
  ondemand::json_type type;
  if (const auto error = value.type().get(type)) return error;
  if (type == ondemand::json_type::object) {
    ondemand::object object;
    if (const auto error = value.get(object)) return error;
    for (auto field : object) {
      ondemand::value inner;
      if (const auto error = field.value().get(inner)) return error;
      if (const auto error = Walk(inner)) return error;
    }
  } else if (type == ondemand::json_type::array) {
    ondemand::array array;
    if (const auto error = value.get(array)) return error;
    for (auto item : array) {
      ondemand::value inner;
      if (const auto error = item.get(inner)) return error;
      if (const auto error = Walk(inner)) return error;
    }
  } else if (type == ondemand::json_type::string) {
    return value.get_string().error();
  } else if (type == ondemand::json_type::number) {
    return value.get_double().error();
  } else {
    // Its first letter says that it is one of these, no more.
    bool null = false;
    if (const auto error = value.is_null().get(null)) return error;
    return null ? simdjson::SUCCESS : value.get_bool().error();
  }
  return simdjson::SUCCESS;
}

// ":12" for the line at which reading stops making sense; empty when that cannot be told (the DOM does not
// say).
std::string LineOfMistake(const simdjson::padded_string& text) {
  ondemand::parser parser;
  ondemand::document document;
  ondemand::value root;
  if (parser.iterate(text).get(document)) return "";
  if (!document.get_value().get(root) && !Walk(root)) return "";
  const char* at = nullptr;
  if (document.current_location().get(at) || at < text.data() || at > text.data() + text.size()) return "";
  return fmt::format(":{}", 1 + std::count(text.data(), at, '\n'));
}

}  // namespace

Result<std::vector<Result<TriggerEvent>>> ParseTriggerEvents(std::string_view text, const std::string& path) {
  const simdjson::padded_string padded(WithoutMark(text));
  dom::parser parser;
  dom::element root;
  if (const auto error = parser.parse(padded).get(root)) {
    return Invalid(path + LineOfMistake(padded),
                   fmt::format("not valid JSON: {}", simdjson::error_message(error)));
  }
  dom::array entries;
  dom::object object;
  const bool wrapped = !root.get(object) && !object["Entries"].error();
  if (wrapped) TRY(OnlyMembers(object, std::array<std::string_view, 1>{"Entries"}, path));
  std::vector<Result<TriggerEvent>> events;
  if ((wrapped ? object["Entries"].get(entries) : root.get(entries)) != simdjson::SUCCESS) {
    if (wrapped) return Invalid(path, "Entries must be a list of events");
    events.push_back(ParseEvent(root, path));
    return events;
  }
  for (const dom::element entry : entries) {
    events.push_back(ParseEvent(entry, fmt::format("{}: entry {}", path, events.size() + 1)));
    if (events.size() > kMaxEvents) break;
  }
  if (events.empty() || events.size() > kMaxEvents) {
    return Invalid(path,
                   fmt::format("it has {} events: give 1 to {}",
                               events.empty() ? "no" : fmt::format("more than {}", kMaxEvents), kMaxEvents));
  }
  return events;
}

}  // namespace tmdbc
