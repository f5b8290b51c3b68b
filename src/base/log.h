// SPDX-License-Identifier: MIT
// Log: what the program says while it runs, on one stream, as text lines or (LOG_FORMAT=json) one JSON object
// a line:
// {"time":"2026-11-22T10:01:02.345Z","level":"info","run":"20261122T100000Z-4711","message":"harvested",
// "type":"movie","lines":1238234}. What concerns one record has "id":"movie:550".
// An error is logged once, where it is settled. Secrets given to Mask() are replaced by *** wherever they
// would appear.
#pragma once

#include <cstdint>
#include <cstdio>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <variant>

#include "base/clock.h"

namespace tmdbc {

enum class LogLevel : std::uint8_t { kTrace, kDebug, kInfo, kWarn, kError };
enum class LogFormat : std::uint8_t { kText, kJson };

struct LogField {
  LogField(std::string_view name, std::string_view text) : key(name), value(text) {}
  LogField(std::string_view name, const char* text) : key(name), value(std::string_view(text)) {}
  LogField(std::string_view name, const std::string& text) : key(name), value(std::string_view(text)) {}
  LogField(std::string_view name, bool flag) : key(name), value(flag) {}
  LogField(std::string_view name, double number) : key(name), value(number) {}
  template <class T>
    requires std::is_integral_v<T>
  LogField(std::string_view name, T number) : key(name), value(static_cast<std::int64_t>(number)) {}

  std::string_view key;
  std::variant<std::string_view, std::int64_t, double, bool> value;
};

// Any thread.
class Log {
 public:
  // `out` outlives the log. Nothing below `level` is written.
  Log(std::FILE* out, LogLevel level, LogFormat format, const Clock& clock);
  ~Log();
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;

  // Every JSON line from now on carries it as "run", so that the lines of one run are found together; text
  // lines, which people read as they come, do not. Empty: none.
  void SetRun(std::string run);

  // Before other threads log. Empty secrets are ignored.
  void Mask(std::string secret);

  // From now on nothing below `level` is written.
  void SetLevel(LogLevel level);
  bool enabled(LogLevel level) const;
  void Write(LogLevel level, std::string_view message, std::initializer_list<LogField> fields = {});
  void Debug(std::string_view m, std::initializer_list<LogField> f = {}) { Write(LogLevel::kDebug, m, f); }
  void Info(std::string_view m, std::initializer_list<LogField> f = {}) { Write(LogLevel::kInfo, m, f); }
  void Warn(std::string_view m, std::initializer_list<LogField> f = {}) { Write(LogLevel::kWarn, m, f); }
  void Error(std::string_view m, std::initializer_list<LogField> f = {}) { Write(LogLevel::kError, m, f); }

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tmdbc
