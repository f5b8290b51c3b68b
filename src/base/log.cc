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

#include "base/safe_text.h"

namespace tmdbc {
namespace {

constexpr std::string_view kLevelNames[] = {"trace", "debug", "info", "warn", "error"};
constexpr std::string_view kLevelLabels[] = {"TRACE", "DEBUG", "INFO ", "WARN ", "ERROR"};

// In a text line a value stands bare unless that would leave in doubt where it ends.
void AppendBare(std::string& out, std::string_view text) {
  const bool plain = !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c > ' ' && c < 0x7f && c != '"' && c != '=') || (c & 0x80) != 0;
  });
  plain ? AppendPrintable(out, text) : AppendJsonString(out, text);
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
      format == LogFormat::kJson ? AppendJsonString(line, Masked(*text)) : AppendBare(line, Masked(*text));
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
    AppendPrintable(line, Masked(message));
    for (const LogField& field : fields) {
      line += ' ';
      AppendPrintable(line, field.key);
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
      AppendJsonString(line, run);
      line += R"(,"message":)";
    } else {
      line += R"(","message":)";
    }
    AppendJsonString(line, Masked(message));
    for (const LogField& field : fields) {
      line += ',';
      AppendJsonString(line, field.key);
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
