// SPDX-License-Identifier: MIT
#include "read_api/json_slice.h"

#include <algorithm>
#include <charconv>

#include "base/json.h"
#include "base/json_walker.h"
#include "base/whole_number.h"

namespace tmdbc::read_api {

std::string TextOf(JsonSlice value) {
  if (!IsText(value)) return {};
  if (value.find('\\') == std::string_view::npos) return std::string(PlainText(value));
  const auto parsed = ParsedJson::Parse(value);
  std::string_view text;
  if (!parsed || parsed->root().get(text) != simdjson::SUCCESS) return {};
  return std::string(text);
}

std::string_view PlainText(JsonSlice value) {
  return IsText(value) && value.size() >= 2 ? value.substr(1, value.size() - 2) : std::string_view();
}

std::string_view DayOf(JsonSlice value) {
  constexpr std::size_t kLength = 10;
  const std::string_view day = PlainText(value).substr(0, kLength);
  return day.size() == kLength && day.find_first_not_of("0123456789-") == std::string_view::npos
             ? day
             : std::string_view();
}

std::optional<std::int64_t> IntegerOf(JsonSlice value) {
  std::int64_t number = 0;
  const char* const last = value.data() + value.size();
  const auto [end, error] = std::from_chars(value.data(), last, number);
  if (error != std::errc()) return std::nullopt;
  if (end == last) return number;
  double real = 0;
  const auto [real_end, real_error] = std::from_chars(value.data(), last, real);
  return real_error == std::errc() && real_end == last ? WholeNumberOf(real) : std::nullopt;
}

double NumberOf(JsonSlice value) {
  double number = 0;
  std::from_chars(value.data(), value.data() + value.size(), number);
  return number;
}

JsonObject::JsonObject(JsonSlice text) {
  if (!IsObject(text)) return;
  const std::vector<RawMember> raw = RawMembers(text);
  members_.reserve(raw.size());
  for (const RawMember& member : raw) {
    std::string_view name = text.substr(member.begin, member.value - member.begin);
    name = name.substr(0, name.rfind('"'));
    members_.push_back({.name = name.empty() ? name : name.substr(1),
                        .value = text.substr(member.value, member.end - member.value),
                        .whole = text.substr(member.begin, member.end - member.begin)});
  }
}

bool HasName(const JsonMember& member, std::string_view name) {
  if (member.name.find('\\') == std::string_view::npos) return member.name == name;
  return TextOf(member.whole.substr(0, member.name.size() + 2)) == name;
}

JsonSlice JsonObject::operator[](std::string_view name) const {
  const auto found =
      std::ranges::find_if(members_, [&](const JsonMember& member) { return HasName(member, name); });
  return found == members_.end() ? JsonSlice() : found->value;
}

JsonSlice MemberOf(JsonSlice object, std::string_view name) {
  if (!IsObject(object)) return {};
  JsonWalker walker(object);
  const auto place = [&] { return static_cast<std::size_t>(walker.at() - object.data()); };
  walker.Step();
  for (;;) {
    walker.SkipSpace();
    if (walker.AtEnd() || walker.Peek() != '"') return {};
    const std::size_t begin = place();
    walker.SkipString();
    const std::string_view quoted = object.substr(begin, place() - begin);
    walker.SkipSpace();
    if (!walker.AtEnd()) walker.Step();  // the colon
    walker.SkipSpace();
    const std::size_t value = place();
    walker.SkipValue();
    const bool plain = quoted.find('\\') == std::string_view::npos;
    if (plain ? PlainText(quoted) == name : TextOf(quoted) == name)
      return object.substr(value, place() - value);
    walker.SkipSpace();
    if (!walker.AtEnd() && walker.Peek() == ',') walker.Step();
  }
}

std::vector<JsonSlice> ElementsOf(JsonSlice array) {
  std::vector<JsonSlice> elements;
  if (!IsArray(array)) return elements;
  const std::vector<RawMember> raw = RawMembers(array);
  elements.reserve(raw.size());
  for (const RawMember& element : raw)
    elements.push_back(array.substr(element.value, element.end - element.value));
  return elements;
}

JsonSplice& JsonSplice::Add(std::string_view whole) {
  if (!empty()) out_ += ',';
  out_ += whole;
  return *this;
}

JsonSplice& JsonSplice::Add(std::string_view name, JsonSlice value) {
  if (value.empty()) return *this;
  if (!empty()) out_ += ',';
  out_ += '"';
  out_ += name;
  out_ += "\":";
  out_ += value;
  return *this;
}

std::string JsonSplice::Take() && {
  out_ += out_.front() == '{' ? '}' : ']';
  return std::move(out_);
}

std::string WithValues(const JsonObject& object, std::span<const NewValue> values) {
  JsonSplice out = JsonSplice::Object();
  for (const JsonMember& member : object.members()) {
    const auto found = std::ranges::find_if(
        values, [&](const NewValue& row) { return !row.value.empty() && HasName(member, row.name); });
    if (found == values.end()) {
      out.Add(member.whole);
    } else {
      out.Add(member.name, found->value);
    }
  }
  return std::move(out).Take();
}

}  // namespace tmdbc::read_api
