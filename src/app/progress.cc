// SPDX-License-Identifier: MIT
#include "app/progress.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>

#include "app/output.h"

namespace tmdbc {
namespace {

constexpr std::chrono::seconds kPlainInterval{10};
constexpr int kBarWidth = 24;
constexpr std::string_view kWipe = "\r\x1b[K";

int Columns(std::FILE* terminal) {
  winsize size{};
  if (::ioctl(::fileno(terminal), TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return 80;
  return size.ws_col;
}

double Share(const Progress& progress) {
  return progress.total > 0 ? double(progress.done) / double(progress.total) : 1;
}

ssize_t WriteWiped(void* cookie, const char* bytes, std::size_t size) {
  auto* terminal = static_cast<std::FILE*>(cookie);
  std::fwrite(kWipe.data(), 1, kWipe.size(), terminal);
  std::fwrite(bytes, 1, size, terminal);
  std::fflush(terminal);
  return ssize_t(size);
}

}  // namespace

std::string FormatDuration(std::chrono::seconds time) {
  const std::int64_t s = time.count();
  if (s >= 86'400) return fmt::format("{} d {:02} h", s / 86'400, s % 86'400 / 3600);
  if (s >= 3600) return fmt::format("{} h {:02} min", s / 3600, s % 3600 / 60);
  if (s >= 60) return fmt::format("{} min {:02} s", s / 60, s % 60);
  return fmt::format("{} s", s);
}

std::string FormatCount(std::int64_t count) {
  std::string digits = fmt::format("{}", count);
  for (std::ptrdiff_t at = std::ptrdiff_t(digits.size()) - 3; at > (count < 0); at -= 3)
    digits.insert(std::size_t(at), ",");
  return digits;
}

std::string Counted(std::int64_t count, std::string_view one) {
  return fmt::format("{} {}{}", FormatCount(count), one, count == 1 ? "" : "s");
}

std::optional<std::chrono::seconds> TimeLeft(std::int64_t items, double per_second) {
  if (items <= 0) return std::chrono::seconds(0);
  const double seconds = double(items) / per_second;
  if (!(per_second > 0) || seconds > 1e9) return std::nullopt;
  return std::chrono::seconds(std::llround(std::ceil(seconds)));
}

std::string ProgressLine(const Progress& p) {
  std::string line = fmt::format("{:.1f} %  {}/{}  {:.1f}/s  ETA {}  queue {}  errors {}", 100 * Share(p),
                                 FormatCount(p.done), FormatCount(p.total), p.requests_per_second,
                                 p.left ? FormatDuration(*p.left) : "-", FormatCount(p.total - p.done),
                                 FormatCount(p.errors));
  if (p.throttled > 0) line += fmt::format("  429s {}", FormatCount(p.throttled));
  if (p.dead > 0) line += fmt::format("  dead {}", FormatCount(p.dead));
  return line;
}

std::string ProgressBar(const Progress& progress, int columns) {
  const int filled = std::clamp(int(Share(progress) * kBarWidth), 0, kBarWidth);
  std::string line =
      fmt::format("[{:#>{}}{:->{}}] {}", "", filled, "", kBarWidth - filled, ProgressLine(progress));
  if (columns > 1 && line.size() >= std::size_t(columns)) line.resize(std::size_t(columns) - 1);
  return line;
}

std::FILE* LogStream(std::FILE* out, bool text) {
  if (!text || !TakesEscapes(::fileno(out))) return out;
  std::FILE* wiped =
      ::fopencookie(out, "w", {.read = nullptr, .write = WriteWiped, .seek = nullptr, .close = nullptr});
  if (wiped == nullptr) return out;
  std::setvbuf(wiped, nullptr, _IOLBF, 1 << 16);
  return wiped;
}

void ProgressMeter::Show(const Progress& progress) {
  const MonoTime now = clock_.Mono();
  if (bar_) {
    const std::string bar = ProgressBar(progress, Columns(out_));
    std::fputs(fmt::format("{}{}", kWipe, bar).c_str(), out_);  // a terminal that is gone is not an error
    std::fflush(out_);
  } else if (!shown_ || now - *shown_ >= kPlainInterval) {
    if (shown_ || progress.done > 0) {
      log_.Info(ProgressLine(progress));
    }
    shown_ = now;
  }
}

void ProgressMeter::Clear() {
  if (!bar_) return;
  std::fputs(std::string(kWipe).c_str(), out_);
  std::fflush(out_);
}

}  // namespace tmdbc
