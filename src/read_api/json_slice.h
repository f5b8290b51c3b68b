// SPDX-License-Identifier: MIT
// Stored JSON as slices of its own bytes: a value is the text it has in the body, so what is copied into an answer
// stays as TMDB wrote it (8.0, 0.0, numbers of 64 bits). Nothing is checked or printed: a slice must be valid JSON, as
// every stored body is; of other text the answer is wrong, and nothing is read outside of it. A name that an object has
// twice counts once, the first time. Pure; any thread; a slice lives as long as the text it was cut from.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tmdbc::read_api {

// One value, as it is written. Empty: there is none (not null, which is `null`).
using JsonSlice = std::string_view;

inline bool IsText(JsonSlice value) {
  return value.starts_with('"');
}
inline bool IsObject(JsonSlice value) {
  return value.starts_with('{');
}
inline bool IsArray(JsonSlice value) {
  return value.starts_with('[');
}
// Absent, null, or "".
inline bool IsBlank(JsonSlice value) {
  return value.empty() || value == "null" || value == "\"\"";
}
// A text with its escapes undone; "" for what is not text.
std::string TextOf(JsonSlice value);
// Without a copy where the text has no escapes, as names, codes and dates have none: then TextOf(), else the raw bytes
// between the quotes. "" for what is not text.
std::string_view PlainText(JsonSlice value);
// "2013-02-06" of "2013-02-06T00:00:00.000Z", without quotes; empty for what begins with no date.
std::string_view DayOf(JsonSlice value);
// A whole number of 64 bits however it is spelled: 90, 90.0, 9e1. Nothing for anything else.
std::optional<std::int64_t> IntegerOf(JsonSlice value);
// 0 for what is not a number.
double NumberOf(JsonSlice value);

struct JsonMember {
  std::string_view name;  // between its quotes, as written
  JsonSlice value;
  std::string_view whole;  // name, colon and value
};

class JsonObject {
 public:
  JsonObject() = default;
  // No members when `text` is not an object.
  explicit JsonObject(JsonSlice text);

  const std::vector<JsonMember>& members() const& { return members_; }
  std::vector<JsonMember> members() && = delete;  // they would go with the object
  // The value of that name; empty when there is none.
  JsonSlice operator[](std::string_view name) const;

 private:
  std::vector<JsonMember> members_;
};

// One member of an object, or empty: cheaper than to take all of it apart.
JsonSlice MemberOf(JsonSlice object, std::string_view name);

// The member of that name is `member`: its escapes do not matter ("watch\/providers").
bool HasName(const JsonMember& member, std::string_view name);

// The elements of an array; none when it is not an array.
std::vector<JsonSlice> ElementsOf(JsonSlice array);

// An object or array that is put together out of slices.
class JsonSplice {
 public:
  static JsonSplice Object(std::size_t expected_bytes = 0) { return {'{', expected_bytes}; }
  static JsonSplice Array(std::size_t expected_bytes = 0) { return {'[', expected_bytes}; }

  // A member as it stands in another object, or an element.
  JsonSplice& Add(std::string_view whole);
  // `name` needs no escapes. Left out when `value` is empty.
  JsonSplice& Add(std::string_view name, JsonSlice value);
  std::string Take() &&;
  bool empty() const { return out_.size() == 1; }

 private:
  JsonSplice(char open, std::size_t expected_bytes) {
    out_.reserve(expected_bytes + 2);
    out_ += open;
  }

  std::string out_;
};

struct NewValue {
  std::string_view name;
  JsonSlice value;  // empty: the one that is there stays
};
// `object` with other values; a name that it has not is passed over.
std::string WithValues(const JsonObject& object, std::span<const NewValue> values);

}  // namespace tmdbc::read_api
