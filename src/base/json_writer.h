// SPDX-License-Identifier: MIT
// JsonWriter: JSON text piece by piece, on one line, valid whatever the bytes of names and texts are
// (safe_text.h). The caller sees to it that the pieces nest.
#pragma once

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>

namespace tmdbc {

class JsonWriter {
 public:
  JsonWriter& BeginObject() { return Open('{'); }
  JsonWriter& EndObject() { return Close('}'); }
  JsonWriter& BeginArray() { return Open('['); }
  JsonWriter& EndArray() { return Close(']'); }
  JsonWriter& Key(std::string_view name);

  JsonWriter& Text(std::string_view text);
  // Already JSON.
  JsonWriter& Raw(std::string_view json);
  JsonWriter& Number(std::int64_t number);
  // Rounded to `digits` decimals; null when it is not finite.
  JsonWriter& Real(double number, int digits);
  JsonWriter& Bool(bool value) { return Raw(value ? "true" : "false"); }
  JsonWriter& Null() { return Raw("null"); }

  // Key and value at once.
  JsonWriter& Field(std::string_view name, std::string_view text) { return Key(name).Text(text); }
  JsonWriter& Field(std::string_view name, const char* text) { return Key(name).Text(text); }
  JsonWriter& Field(std::string_view name, bool value) { return Key(name).Bool(value); }
  template <std::integral T>
    requires(!std::same_as<T, bool>)
  JsonWriter& Field(std::string_view name, T number) {
    return Key(name).Number(static_cast<std::int64_t>(number));
  }

  const std::string& text() const { return out_; }

 private:
  JsonWriter& Open(char bracket);
  JsonWriter& Close(char bracket);
  void Separate();

  std::string out_;
  bool needs_comma_ = false;
};

}  // namespace tmdbc
