// SPDX-License-Identifier: MIT
#include "aws/key_process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "base/clock.h"
#include "base/json.h"

extern char** environ;

namespace tmdbc::aws {
namespace {

class Pipe {
 public:
  Pipe() { made_ = ::pipe2(ends_.data(), O_CLOEXEC) == 0; }
  ~Pipe() {
    CloseIn();
    if (made_) ::close(ends_[0]);
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  bool made() const { return made_; }
  int out() const { return ends_[0]; }
  int in() const { return ends_[1]; }
  void CloseIn() {
    if (made_ && ends_[1] >= 0) ::close(ends_[1]);
    ends_[1] = -1;
  }

 private:
  std::array<int, 2> ends_ = {-1, -1};
  bool made_ = false;
};

// 0, or errno.
int StartShell(const std::string& command, const Pipe& pipe, pid_t& child) {
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_adddup2(&actions, pipe.in(), STDOUT_FILENO);
  std::string shell = "sh", flag = "-c", line = command;
  std::array<char*, 4> words = {shell.data(), flag.data(), line.data(), nullptr};
  const int error = ::posix_spawn(&child, "/bin/sh", &actions, nullptr, words.data(), environ);
  ::posix_spawn_file_actions_destroy(&actions);
  return error;
}

int WaitFor(pid_t child) {
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return status;
}

// True once it has ended; WaitFor() then returns at once.
bool EndsWithin(pid_t child, std::chrono::milliseconds patience) {
  const auto until = std::chrono::steady_clock::now() + patience;
  for (;;) {
    siginfo_t ended{};
    if (::waitid(P_PID, id_t(child), &ended, WEXITED | WNOHANG | WNOWAIT) == 0 && ended.si_pid == child) return true;
    if (std::chrono::steady_clock::now() >= until) return false;
    ::poll(nullptr, 0, 5);
  }
}

// All that comes out of the pipe; why not, otherwise.
Result<std::string> ReadToEnd(int from, std::size_t most, std::chrono::milliseconds patience) {
  std::string text;
  std::array<char, 4096> buffer;
  for (;;) {
    pollfd wait{.fd = from, .events = POLLIN, .revents = 0};
    const int ready = ::poll(&wait, 1, int(patience.count()));
    if (ready < 0 && errno == EINTR) continue;
    if (ready < 0) return Fail(ErrorCode::kUnavailable, "{}", std::strerror(errno));
    if (ready == 0) return Fail(ErrorCode::kUnavailable, "says nothing for {} ms", patience.count());
    const ssize_t got = ::read(from, buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return Fail(ErrorCode::kUnavailable, "{}", std::strerror(errno));
    if (got == 0) return text;
    text.append(buffer.data(), std::size_t(got));
    if (text.size() > most) return Fail(ErrorCode::kUnavailable, "prints more than {} bytes", most);
  }
}

std::string Printed(simdjson::dom::element object, const char* name) {
  std::string_view text;
  return object[name].get_string().get(text) == simdjson::SUCCESS ? std::string(text) : "";
}

// As our times, or with the offset that Python's programs write: 2026-11-22T10:00:00+00:00.
Result<Time> ParseExpiration(std::string_view text) {
  constexpr std::string_view kOffset = "+00:00";
  const std::size_t begin = text.size() - std::min(text.size(), kOffset.size());
  const std::string_view offset = text.substr(begin);
  if (offset.size() < kOffset.size() || (offset[0] != '+' && offset[0] != '-')) return ParseTime(text);
  int hours = 0, minutes = 0;
  const bool read = std::from_chars(&offset[1], &offset[3], hours).ptr == &offset[3] && offset[3] == ':' &&
                    std::from_chars(&offset[4], offset.data() + 6, minutes).ptr == offset.data() + 6;
  TRY_ASSIGN(const Time there, ParseTime(std::string(text.substr(0, begin)) + "Z"));
  if (!read) return Fail(ErrorCode::kInvalid, "not a time");
  const Duration ahead = std::chrono::hours(hours) + std::chrono::minutes(minutes);
  return offset[0] == '+' ? there - ahead : there + ahead;
}

}  // namespace

Result<std::string> OutputOf(const std::string& command, std::size_t most,
                             std::chrono::milliseconds patience) {
  Pipe pipe;
  if (!pipe.made()) return Fail(ErrorCode::kUnavailable, "cannot be started: {}", std::strerror(errno));
  pid_t child = 0;
  if (const int error = StartShell(command, pipe, child); error != 0)
    return Fail(ErrorCode::kUnavailable, "cannot be started: {}", std::strerror(error));
  pipe.CloseIn();
  auto text = ReadToEnd(pipe.out(), most, patience);
  if (text && !EndsWithin(child, patience))
    text = Fail(ErrorCode::kUnavailable, "does not end within {} ms", patience.count());
  if (!text) ::kill(child, SIGKILL);
  const int status = WaitFor(child);
  TRY(text);
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return text;
  if (WIFSIGNALED(status)) return Fail(ErrorCode::kUnavailable, "was ended by signal {}", WTERMSIG(status));
  return Fail(ErrorCode::kUnavailable, "ended with {}", WEXITSTATUS(status));
}

Result<Credentials> ParseProcessKey(const std::string& text, const std::string& who) {
  const auto json = ParsedJson::ParseString(text);
  std::int64_t version = 0;
  if (!json || !json->root().is_object())
    return Fail(ErrorCode::kDenied, "no AWS credentials: {} prints what is not a JSON object", who);
  const auto root = json->root();
  if (root["Version"].get_int64().get(version) != simdjson::SUCCESS || version != 1)
    return Fail(ErrorCode::kDenied, "no AWS credentials: {} prints another Version than 1", who);
  Credentials key{
      Printed(root, "AccessKeyId"), Printed(root, "SecretAccessKey"), Printed(root, "SessionToken"), {}};
  if (key.access_key_id.empty() || key.secret_access_key.empty())
    return Fail(ErrorCode::kDenied, "no AWS credentials: {} prints no AccessKeyId and SecretAccessKey", who);
  if (const std::string expires = Printed(root, "Expiration"); !expires.empty()) {
    const auto time = ParseExpiration(expires);
    if (!time)
      return Fail(ErrorCode::kDenied, "no AWS credentials: {} prints an Expiration that is not a time", who);
    key.expires = *time;
  }
  return key;
}

}  // namespace tmdbc::aws
