// SPDX-License-Identifier: MIT
#include "aws/lambda_runtime.h"

#include <fmt/format.h>
#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <initializer_list>
#include <utility>
#include <vector>

#include "base/json_writer.h"
#include "base/words.h"
#include "http/http.h"

namespace tmdbc::aws {
namespace {

constexpr std::string_view kBase = "/2018-06-01/runtime";
constexpr std::size_t kMostHeadBytes = 64 << 10;
constexpr std::size_t kReadBytes = 64 << 10;

// A connection to the host, for one request.
class RuntimeSocket {
 public:
  static Result<RuntimeSocket> Connect(const std::string& host, const std::string& port) {
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    if (const int code = ::getaddrinfo(host.c_str(), port.c_str(), &hints, &found); code != 0) {
      return Fail(ErrorCode::kUnavailable, "{}:{}: {}", host, port, ::gai_strerror(code));
    }
    int error = 0;
    for (const addrinfo* address = found; address != nullptr; address = address->ai_next) {
      const int fd = ::socket(address->ai_family, address->ai_socktype | SOCK_CLOEXEC, address->ai_protocol);
      if (fd < 0) continue;
      if (::connect(fd, address->ai_addr, address->ai_addrlen) == 0) {
        ::freeaddrinfo(found);
        return RuntimeSocket(fd);
      }
      error = errno;
      ::close(fd);
    }
    ::freeaddrinfo(found);
    return Fail(ErrorCode::kUnavailable, "{}:{}: {}", host, port, std::strerror(error));
  }
  RuntimeSocket(RuntimeSocket&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  RuntimeSocket& operator=(RuntimeSocket&&) = delete;
  ~RuntimeSocket() {
    if (fd_ >= 0) ::close(fd_);
  }

  Result<void> Send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent < 0 && errno == EINTR) continue;
      if (sent <= 0) return Fail(ErrorCode::kUnavailable, "send: {}", std::strerror(errno));
      bytes.remove_prefix(std::size_t(sent));
    }
    return {};
  }
  // Appends what has come; false at the end.
  Result<bool> Receive(std::string& to) {
    while (true) {
      char buffer[kReadBytes];
      const ssize_t got = ::recv(fd_, buffer, sizeof buffer, 0);
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return Fail(ErrorCode::kUnavailable, "receive: {}", std::strerror(errno));
      to.append(buffer, std::size_t(got));
      return got > 0;
    }
  }

 private:
  explicit RuntimeSocket(int fd) : fd_(fd) {}
  int fd_;
};

std::unexpected<Error> NotHttp(const char* what) {
  return Fail(ErrorCode::kUnavailable, "an answer that is not HTTP: {}", what);
}

std::optional<std::uint64_t> ParseNumber(std::string_view text, int base = 10) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, base);
  return error == std::errc() && end == text.data() + text.size() && !text.empty() ? std::optional(number)
                                                                                    : std::nullopt;
}

// Status line and headers, without the empty line.
Result<http::Response> ParseHead(std::string_view head) {
  http::Response response;
  std::size_t line_at = 0;
  while (line_at < head.size()) {
    const std::size_t end = std::min(head.find("\r\n", line_at), head.size());
    const std::string_view line = head.substr(line_at, end - line_at);
    if (line_at == 0) {
      if (!line.starts_with("HTTP/1.") || line.size() < 12) return NotHttp("no status line");
      response.status = int(ParseNumber(line.substr(9, 3)).value_or(0));
      if (response.status < 100) return NotHttp("no status");
    } else if (const std::size_t colon = line.find(':'); colon != std::string_view::npos) {
      std::string_view value = line.substr(colon + 1);
      value.remove_prefix(std::min(value.find_first_not_of(" \t"), value.size()));
      value = value.substr(0, value.find_last_not_of(" \t") + 1);
      response.headers.emplace_back(line.substr(0, colon), value);
    }
    line_at = end + 2;
  }
  return response;
}

// Bodies in pieces (RFC 9112 section 7.1), as Go's server sends large ones. True once all has come; `text` is what
// follows the head, `body` what it says.
Result<bool> Unchunk(std::string_view text, std::string& body) {
  body.clear();
  while (true) {
    const std::size_t end = text.find("\r\n");
    if (end == std::string_view::npos) return false;
    const auto size = ParseNumber(text.substr(0, std::min(end, text.find(';'))), 16);
    if (!size || *size > kMostEventBytes) return NotHttp("no size of a piece");
    text.remove_prefix(end + 2);
    if (*size == 0) return text.starts_with("\r\n") || text.find("\r\n\r\n") != std::string_view::npos;
    if (text.size() < *size + 2) return false;
    body += text.substr(0, *size);
    text.remove_prefix(*size + 2);
  }
}

// The one answer that comes on the connection.
Result<http::Response> ReadAnswer(RuntimeSocket& socket) {
  std::string text;
  std::size_t head_end = std::string::npos;
  while ((head_end = text.find("\r\n\r\n")) == std::string::npos) {
    if (text.size() > kMostHeadBytes) return NotHttp("headers without end");
    TRY_ASSIGN(const bool more, socket.Receive(text));
    if (!more) return Fail(ErrorCode::kUnavailable, "the connection was closed before an answer came");
  }
  TRY_ASSIGN(http::Response response, ParseHead(std::string_view(text).substr(0, head_end)));
  text.erase(0, head_end + 4);
  const bool chunked = Lower(response.header("Transfer-Encoding")).find("chunked") != std::string::npos;
  const std::string_view stated = response.header("Content-Length");
  const auto length = ParseNumber(stated);
  if (!stated.empty() && !length) return NotHttp("a length that is none");
  while (true) {
    if (chunked) {
      TRY_ASSIGN(const bool whole, Unchunk(text, response.body));
      if (whole) return response;
    } else if (length && text.size() >= *length) {
      response.body = text.substr(0, *length);
      return response;
    }
    // Twice: what comes in pieces is longer by their heads.
    if (text.size() > 2 * kMostEventBytes || (length && *length > kMostEventBytes)) {
      return Fail(ErrorCode::kUnavailable, "an answer of more than {} bytes", kMostEventBytes);
    }
    TRY_ASSIGN(const bool more, socket.Receive(text));
    if (more) continue;
    if (chunked || length) return Fail(ErrorCode::kUnavailable, "the connection was closed within an answer");
    response.body = std::move(text);
    return response;
  }
}

Result<http::Response> Exchange(const std::string& host, const std::string& port, std::string_view method,
                                const std::string& path, std::initializer_list<http::Header> headers,
                                std::string_view body) {
  std::string head =
      fmt::format("{} {}{} HTTP/1.1\r\nHost: {}:{}\r\nConnection: close\r\n", method, kBase, path, host, port);
  for (const auto& [name, value] : headers) head += fmt::format("{}: {}\r\n", name, value);
  if (method == "POST") head += fmt::format("Content-Length: {}\r\n", body.size());
  head += "\r\n";
  TRY_ASSIGN(RuntimeSocket socket, RuntimeSocket::Connect(host, port));
  TRY(socket.Send(head));
  TRY(socket.Send(body));
  return ReadAnswer(socket);
}

std::string ErrorBody(const FunctionError& error) {
  JsonWriter out;
  out.BeginObject().Field("errorMessage", error.message).Field("errorType", error.type).Key("stackTrace").BeginArray();
  out.EndArray().EndObject();
  return out.text();
}

// A POST that the host must take.
Result<void> Post(const char* act, const std::string& host, const std::string& port, const std::string& path,
                  std::initializer_list<http::Header> headers, std::string_view body) {
  const auto answer = Exchange(host, port, "POST", path, headers, body);
  if (!answer) return Within(act, answer.error());
  if (answer->status / 100 == 2) return {};
  return Fail(answer->status == 413 ? ErrorCode::kInvalid : ErrorCode::kUnavailable, "{}: HTTP {}: {}", act,
              answer->status, ShowValue(answer->body));
}

}  // namespace

Result<LambdaRuntime> LambdaRuntime::At(std::string_view address) {
  const std::size_t colon = address.rfind(':');
  const auto port = colon == std::string_view::npos ? std::nullopt : ParseNumber(address.substr(colon + 1));
  if (!port || *port == 0 || *port > 65'535 || colon == 0) {
    return Fail(ErrorCode::kInvalid, "AWS_LAMBDA_RUNTIME_API is '{}': Lambda sets it to HOST:PORT", ShowValue(address));
  }
  return LambdaRuntime(std::string(address.substr(0, colon)), std::string(address.substr(colon + 1)));
}

Result<Invocation> LambdaRuntime::Next() {
  constexpr const char* kAct = "ask Lambda for the next event";
  auto answer = Exchange(host_, port_, "GET", "/invocation/next", {}, "");
  if (!answer) return Within(kAct, answer.error());
  if (answer->status != 200) return Fail(ErrorCode::kUnavailable, "{}: HTTP {}", kAct, answer->status);
  Invocation invocation;
  invocation.request_id = answer->header("Lambda-Runtime-Aws-Request-Id");
  if (invocation.request_id.empty()) return Fail(ErrorCode::kUnavailable, "{}: it came without an id", kAct);
  if (const auto ms = ParseNumber(answer->header("Lambda-Runtime-Deadline-Ms"))) {
    invocation.deadline = Time(std::chrono::milliseconds(std::min<std::uint64_t>(*ms, std::uint64_t{1} << 52)));
  }
  invocation.function_arn = answer->header("Lambda-Runtime-Invoked-Function-Arn");
  invocation.trace_id = answer->header("Lambda-Runtime-Trace-Id");
  invocation.event = std::move(answer->body);
  return invocation;
}

Result<void> LambdaRuntime::Respond(const Invocation& invocation, std::string_view json) {
  if (json.size() > kMostEventBytes) {
    return Fail(ErrorCode::kInvalid, "answer event {}: {} bytes are more than Lambda takes", invocation.request_id,
                json.size());
  }
  return Post("answer an event", host_, port_, fmt::format("/invocation/{}/response", invocation.request_id),
              {{"Content-Type", "application/json"}}, json);
}

Result<void> LambdaRuntime::FailInvocation(const Invocation& invocation, const FunctionError& error) {
  return Post("tell Lambda of an error", host_, port_, fmt::format("/invocation/{}/error", invocation.request_id),
              {{"Content-Type", "application/json"}, {"Lambda-Runtime-Function-Error-Type", error.type}},
              ErrorBody(error));
}

Result<void> LambdaRuntime::FailInit(const FunctionError& error) {
  return Post("tell Lambda of an error", host_, port_, "/init/error",
              {{"Content-Type", "application/json"}, {"Lambda-Runtime-Function-Error-Type", error.type}},
              ErrorBody(error));
}

std::string FunctionErrorType(std::string_view name, ErrorCode code) {
  const auto word = [code] {
    switch (code) {
      case ErrorCode::kInvalid:
        return "Invalid";
      case ErrorCode::kNotFound:
        return "NotFound";
      case ErrorCode::kExists:
        return "Exists";
      case ErrorCode::kUnavailable:
        return "Unavailable";
      case ErrorCode::kDenied:
        return "Denied";
      case ErrorCode::kCorrupt:
        return "Corrupt";
      case ErrorCode::kUnreadable:
        return "Unreadable";
      case ErrorCode::kNoSpace:
        return "NoSpace";
      case ErrorCode::kBusy:
        return "Busy";
      case ErrorCode::kIo:
        return "Io";
      case ErrorCode::kInternal:
        return "Internal";
    }
    return "Unknown";
  };
  return fmt::format("{}.{}", name, word());
}

Error ServeLambda(LambdaRuntime& runtime, std::string_view name, Log& log,
                  const std::function<Result<std::string>(const Invocation&)>& handle) {
  while (true) {
    const auto invocation = runtime.Next();
    if (!invocation) return invocation.error();
    log.SetRun(invocation->request_id);
    auto answer = handle(*invocation);
    if (answer) {
      const auto answered = runtime.Respond(*invocation, *answer);
      if (answered) continue;
      answer = std::unexpected(answered.error());
    }
    log.Error("the event failed", {{"error", answer.error().message}});
    const auto told = runtime.FailInvocation(*invocation, {.type = FunctionErrorType(name, answer.error().code),
                                                           .message = answer.error().message});
    // Whether the host is gone shows with the next event.
    if (!told) log.Error("the failure could not be told", {{"error", told.error().message}});
  }
}

}  // namespace tmdbc::aws
