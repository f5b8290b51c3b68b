// SPDX-License-Identifier: MIT
// JSON as TMDB writes it: compact, raw UTF-8, short escapes, floats with at least one decimal. JsonWriter
// builds a text in one pass; the functions below cut whole members out of texts that are known to be valid.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tmdbc::sim {

// Appends `text` as a JSON string. With `html` also & < > as \u0026 \u003c \u003e, the way of Go's
// encoding/json in the exports.
void AppendQuoted(std::string& out, std::string_view text, bool html = false);
// "8.438", "5.0": at most `decimals`, at least one.
void AppendReal(std::string& out, double value, int decimals);

class JsonWriter {
 public:
  JsonWriter& Object() { return Open('{'); }
  JsonWriter& Array() { return Open('['); }
  JsonWriter& EndObject() { return Close('}'); }
  JsonWriter& EndArray() { return Close(']'); }
  JsonWriter& Key(std::string_view name) {
    Comma();
    out_.append(1, '"').append(name).append("\":");
    comma_ = false;
    return *this;
  }
  JsonWriter& Text(std::string_view value) {
    Comma();
    AppendQuoted(out_, value);
    return *this;
  }
  JsonWriter& Int(std::int64_t value) { return Raw(std::to_string(value)); }
  JsonWriter& Real(double value, int decimals = 4) {
    Comma();
    AppendReal(out_, value, decimals);
    return *this;
  }
  JsonWriter& Bool(bool value) { return Raw(value ? "true" : "false"); }
  JsonWriter& Null() { return Raw("null"); }
  JsonWriter& Raw(std::string_view json) {
    Comma();
    out_ += json;
    return *this;
  }

  JsonWriter& Text(std::string_view name, std::string_view value) { return Key(name).Text(value); }
  JsonWriter& Int(std::string_view name, std::int64_t value) { return Key(name).Int(value); }
  JsonWriter& Real(std::string_view name, double value, int decimals = 4) {
    return Key(name).Real(value, decimals);
  }
  JsonWriter& Bool(std::string_view name, bool value) { return Key(name).Bool(value); }
  JsonWriter& Null(std::string_view name) { return Key(name).Null(); }
  // Null when the text is empty.
  JsonWriter& TextOrNull(std::string_view name, std::string_view value) {
    return value.empty() ? Null(name) : Text(name, value);
  }

  std::string Take() { return std::move(out_); }

 private:
  JsonWriter& Open(char bracket) {
    Comma();
    out_ += bracket;
    comma_ = false;
    return *this;
  }
  JsonWriter& Close(char bracket) {
    out_ += bracket;
    comma_ = true;
    return *this;
  }
  void Comma() {
    if (comma_) out_ += ',';
    comma_ = true;
  }

  std::string out_;
  bool comma_ = false;
};

// A member of an object, both parts as they are written; the name without its quotes.
struct RawPart {
  std::string_view name;
  std::string_view value;
};

// The members of the object `json`, which must be valid; empty when it is not an object.
std::vector<RawPart> PartsOf(std::string_view json);
// The value of the member, as it is written.
std::optional<std::string_view> PartOf(std::string_view json, std::string_view name);
// The elements of the array `json`.
std::vector<std::string_view> ElementsOf(std::string_view json);
// The object of those members, compact between them, every value's bytes kept.
std::string ObjectOf(const std::vector<RawPart>& parts);
// `object` without its members of that name.
std::string WithoutPart(std::string_view object, std::string_view name);
// The text without the white space between tokens.
std::string Compact(std::string_view json);

}  // namespace tmdbc::sim
