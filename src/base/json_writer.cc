// SPDX-License-Identifier: MIT
#include "base/json_writer.h"

#include <fmt/format.h>

#include <cmath>

#include "base/safe_text.h"

namespace tmdbc {
void JsonWriter::Separate() {
  if (needs_comma_) out_ += ',';
  needs_comma_ = true;
}

JsonWriter& JsonWriter::Open(char bracket) {
  Separate();
  out_ += bracket;
  needs_comma_ = false;
  return *this;
}

JsonWriter& JsonWriter::Close(char bracket) {
  out_ += bracket;
  needs_comma_ = true;
  return *this;
}

JsonWriter& JsonWriter::Key(std::string_view name) {
  Separate();
  AppendJsonString(out_, name);
  out_ += ':';
  needs_comma_ = false;
  return *this;
}

JsonWriter& JsonWriter::Text(std::string_view text) {
  Separate();
  AppendJsonString(out_, text);
  return *this;
}

JsonWriter& JsonWriter::Raw(std::string_view json) {
  Separate();
  out_ += json;
  return *this;
}

JsonWriter& JsonWriter::Number(std::int64_t number) {
  return Raw(fmt::format("{}", number));
}

JsonWriter& JsonWriter::Real(double number, int digits) {
  return std::isfinite(number) ? Raw(fmt::format("{:.{}f}", number, digits)) : Null();
}

}  // namespace tmdbc
