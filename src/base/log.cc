// SPDX-License-Identifier: MIT
#include "base/log.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cmath>
#include <iterator>
#include <mutex>
#include <vector>

namespace tmdbc {
namespace {

constexpr std::string_view kLevelNames[] = {"trace", "debug", "info", "warn", "error"};
constexpr std::string_view kLevelLabels[] = {"TRACE", "DEBUG", "INFO ", "WARN ", "ERROR"};

bool IsContinuation(char byte) {
  return (byte & 0xc0) == 0x80;
}

// The length of the UTF-8 sequence at the front of `text`, or 0 when there is none that is valid (RFC 3629:
// no surrogates, nothing overlong, nothing beyond U+10FFFF).
std::size_t Utf8Length(std::string_view text) {
  const auto first = std::uint8_t(text[0]);
  if (first < 0x80) return 1;
  const std::size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || text.size() < length) return 0;
  if (!std::all_of(text.begin() + 1, text.begin() + std::ptrdiff_t(length), IsContinuation)) return 0;
  const auto second = std::uint8_t(text[1]);
  if ((first == 0xe0 && second < 0xa0) || (first == 0xed && second > 0x9f) ||
      (first == 0xf0 && second < 0x90) || (first == 0xf4 && second > 0x8f)) {
    return 0;
  }
  return length;
}

// One line stays one line, and what came from outside cannot speak to the terminal: control characters (C1
// too) are escaped, bytes that are not UTF-8 become U+FFFD. With `quoted`, also what would end a JSON string.
void AppendEscaped(std::string& out, std::string_view text, bool quoted) {
  while (!text.empty()) {
    const std::size_t length = Utf8Length(text);
    const auto first = std::uint8_t(text[0]);
    if (length == 0) {
      out += "\xef\xbf\xbd";
    } else if (first == '\n') {
      out += "\\n";
    } else if (first < 0x20 || first == 0x7f) {
      fmt::format_to(std::back_inserter(out), "\\u{:04x}", first);
    } else if (length == 2 && first == 0xc2 && std::uint8_t(text[1]) < 0xa0) {
      fmt::format_to(std::back_inserter(out), "\\u{:04x}", std::uint8_t(text[1]));
    } else {
      if (quoted && (first == '"' || first == '\\')) out += '\\';
      out += text.substr(0, length);
    }
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
}

void AppendQuoted(std::string& out, std::string_view text) {
  out += '"';
  AppendEscaped(out, text, true);
  out += '"';
}

// In a text line a value stands bare unless that would leave in doubt where it ends.
void AppendBare(std::string& out, std::string_view text) {
  const bool plain = !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c > ' ' && c < 0x7f && c != '"' && c != '=') || (c & 0x80) != 0;
  });
  plain ? AppendEscaped(out, text, false) : AppendQuoted(out, text);
}

void WriteAll(int fd, std::string_view line) {
  while (!line.empty()) {
    const ssize_t written = ::write(fd, line.data(), line.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return;  // nobody is left to tell
    line.remove_prefix(std::size_t(written));
  }
}

}  // namespace

struct Log::Impl {
  std::FILE* const out;
  std::atomic<LogLevel> level;
  const LogFormat format;
  const Clock& clock;

  std::mutex mutex;                  // guards the rest, and the order of the lines
  std::vector<std::string> secrets;  // the longest first: one may be a part of another
  std::string line, masked;
  std::string run;

  // `text` without secrets; valid until the next call.
  std::string_view Masked(std::string_view text) {
    const bool clean = std::none_of(secrets.begin(), secrets.end(), [&](const std::string& secret) {
      return text.find(secret) != std::string_view::npos;
    });
    if (clean) return text;
    masked = text;
    for (const std::string& secret : secrets) {
      for (auto at = masked.find(secret); at != std::string::npos; at = masked.find(secret, at + 3)) {
        masked.replace(at, secret.size(), "***");
      }
    }
    return masked;
  }

  void AppendValue(const LogField& field) {
    const auto end = std::back_inserter(line);
    if (const auto* text = std::get_if<std::string_view>(&field.value)) {
      format == LogFormat::kJson ? AppendQuoted(line, Masked(*text)) : AppendBare(line, Masked(*text));
    } else if (const auto* number = std::get_if<std::int64_t>(&field.value)) {
      fmt::format_to(end, "{}", *number);
    } else if (const auto* real = std::get_if<double>(&field.value)) {
      // JSON has no word for infinity.
      std::isfinite(*real) ? fmt::format_to(end, "{}", *real) : fmt::format_to(end, "null");
    } else {
      fmt::format_to(end, "{}", std::get<bool>(field.value));
    }
  }

  void ComposeText(LogLevel at, std::string_view message, std::initializer_list<LogField> fields) {
    line = FormatTime(clock.Now());
    line += ' ';
    line += kLevelLabels[std::size_t(at)];
    line += ' ';
    AppendEscaped(line, Masked(message), false);
    for (const LogField& field : fields) {
      line += ' ';
      AppendEscaped(line, field.key, false);
      line += '=';
      AppendValue(field);
    }
  }

  void ComposeJson(LogLevel at, std::string_view message, std::initializer_list<LogField> fields) {
    line = R"({"time":")";
    line += FormatTime(clock.Now());
    line += R"(","level":")";
    line += kLevelNames[std::size_t(at)];
    if (!run.empty()) {
      line += R"(","run":)";
      AppendQuoted(line, run);
      line += R"(,"message":)";
    } else {
      line += R"(","message":)";
    }
    AppendQuoted(line, Masked(message));
    for (const LogField& field : fields) {
      line += ',';
      AppendQuoted(line, field.key);
      line += ':';
      AppendValue(field);
    }
    line += '}';
  }
};

Log::Log(std::FILE* out, LogLevel level, LogFormat format, const Clock& clock)
    : impl_(new Impl{out, level, format, clock, {}, {}, {}, {}, {}}) {}
Log::~Log() = default;

void Log::SetRun(std::string run) {
  const std::lock_guard lock(impl_->mutex);
  impl_->run = std::move(run);
}

void Log::Mask(std::string secret) {
  if (secret.empty()) return;
  const std::lock_guard lock(impl_->mutex);
  impl_->secrets.push_back(std::move(secret));
  std::sort(impl_->secrets.begin(), impl_->secrets.end(),
            [](const std::string& a, const std::string& b) { return a.size() > b.size(); });
}

void Log::SetLevel(LogLevel level) {
  impl_->level = level;
}

bool Log::enabled(LogLevel level) const {
  return level >= impl_->level;
}

void Log::Write(LogLevel level, std::string_view message, std::initializer_list<LogField> fields) {
  if (!enabled(level)) return;
  const std::lock_guard lock(impl_->mutex);
  if (impl_->format == LogFormat::kJson) {
    impl_->ComposeJson(level, message, fields);
  } else {
    impl_->ComposeText(level, message, fields);
  }
  impl_->line += '\n';
  // One write a line, past stdio: lines of several processes on one stream do not mix, and none waits in a
  // buffer for a crash.
  std::fflush(impl_->out);
  const int fd = ::fileno(impl_->out);
  if (fd >= 0) return WriteAll(fd, impl_->line);
  // A stream that is none of the system's, as that which keeps the progress bar and the log apart.
  std::fwrite(impl_->line.data(), 1, impl_->line.size(), impl_->out);
  std::fflush(impl_->out);
}

}  // namespace tmdbc
