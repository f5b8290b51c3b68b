// SPDX-License-Identifier: MIT
#include "base/text_file.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>
#include <string_view>

#include "base/descriptor.h"

namespace tmdbc {
namespace {

std::string UnixLineEnds(std::string_view text) {
  std::string lines;
  lines.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\r') {
      lines += text[i];
    } else if (i + 1 == text.size() || text[i + 1] != '\n') {
      lines += '\n';
    }
  }
  return lines;
}

using Steady = std::chrono::steady_clock;

std::unexpected<Error> CannotRead(const std::string& path, int error) {
  return Fail(error == ENOENT ? ErrorCode::kNotFound : ErrorCode::kInvalid, "read {}: {}", path, std::strerror(error));
}

// Whether bytes came; without a deadline it waits for as long as somebody may still write.
bool AwaitBytes(int file, std::optional<Steady::time_point> deadline) {
  pollfd in{.fd = file, .events = POLLIN, .revents = 0};
  int wait_ms = -1;
  if (deadline) wait_ms = int(std::max(std::chrono::ceil<std::chrono::milliseconds>(*deadline - Steady::now()).count(), 0L));
  return ::poll(&in, 1, wait_ms) > 0 && (in.revents & POLLIN) != 0;
}

// A pipe that nobody has opened for writing yet gives an end, too: until the deadline somebody may still come.
Result<std::string> ReadAll(int file, const std::string& path, std::size_t most, bool is_pipe,
                            std::chrono::milliseconds writer_wait) {
  const auto deadline = Steady::now() + writer_wait;
  std::string text(most, '\0');
  std::size_t got = 0;
  while (got < most) {
    const ssize_t n = ::read(file, text.data() + got, most - got);
    if (n > 0) {
      got += std::size_t(n);
    } else if (n < 0 && errno == EAGAIN) {
      AwaitBytes(file, {});
    } else if (n < 0 && errno != EINTR) {
      return CannotRead(path, errno);
    } else if (n == 0 && (got > 0 || !is_pipe)) {
      break;
    } else if (n == 0 && !AwaitBytes(file, deadline)) {
      return Fail(ErrorCode::kInvalid, "read {}: it is a pipe, and nobody writes into it", path);
    }
  }
  text.resize(got);
  return text;
}

}  // namespace

Result<std::string> ReadTextFile(const std::string& path, std::size_t max_bytes,
                                 std::chrono::milliseconds writer_wait) {
  // O_NONBLOCK: to open a pipe would wait for somebody who writes.
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (file.get() < 0) return CannotRead(path, errno);
  struct stat info{};
  if (::fstat(file.get(), &info) != 0) return CannotRead(path, errno);
  if (S_ISDIR(info.st_mode)) return Fail(ErrorCode::kInvalid, "read {}: it is a folder, not a file", path);
  TRY_ASSIGN(std::string text, ReadAll(file.get(), path, max_bytes + 1, S_ISFIFO(info.st_mode), writer_wait));
  if (text.size() > max_bytes)
    return Fail(ErrorCode::kInvalid, "read {}: it is larger than {} MiB", path, max_bytes >> 20);
  if (text.starts_with("\xff\xfe") || text.starts_with("\xfe\xff"))
    return Fail(ErrorCode::kInvalid, "read {}: it is in UTF-16: save it as UTF-8", path);
  if (text.find('\0') != std::string::npos)
    return Fail(ErrorCode::kInvalid, "read {}: it holds NUL bytes: save it as UTF-8 text", path);
  if (text.starts_with("\xef\xbb\xbf")) text.erase(0, 3);
  return text.find('\r') == std::string::npos ? text : UnixLineEnds(text);
}

}  // namespace tmdbc
