// SPDX-License-Identifier: MIT
// A plain HTTP client for tests of servers: one blocking connection that shows exactly what came, framing
// errors and resets included. Only tests include it.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>

namespace tmdbc::http {

struct SeenAnswer {
  int status = 0;                              // 0: no status line came
  std::map<std::string, std::string> headers;  // names in lower case
  std::string body;                            // without the chunks around it
  bool whole = false;                          // the framing says that nothing is missing
  bool reset = false;                          // the connection broke with RST
};

class TestConnection {
 public:
  // `from` is the address that the server will see.
  explicit TestConnection(std::uint16_t port, const char* from = "127.0.0.1")
      : fd_(::socket(AF_INET, SOCK_STREAM, 0)) {
    const sockaddr_in source = Address(from, 0);
    const sockaddr_in target = Address("127.0.0.1", port);
    // No answer within this time fails the test instead of hanging it.
    const timeval patience{.tv_sec = 30, .tv_usec = 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    connected_ = ::bind(fd_, reinterpret_cast<const sockaddr*>(&source), sizeof source) == 0 &&
                 ::connect(fd_, reinterpret_cast<const sockaddr*>(&target), sizeof target) == 0;
  }
  TestConnection(TestConnection&& other) noexcept
      : fd_(std::exchange(other.fd_, -1)), connected_(other.connected_), input_(std::move(other.input_)) {}
  TestConnection& operator=(TestConnection&&) = delete;
  ~TestConnection() {
    if (fd_ >= 0) ::close(fd_);
  }

  bool connected() const { return connected_; }
  void Send(std::string_view bytes) { (void)!::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL); }
  SeenAnswer Get(std::string_view target, std::string_view more_headers = "",
                 std::string_view method = "GET") {
    std::string request(method);
    request.append(" ")
        .append(target)
        .append(" HTTP/1.1\r\nHost: test\r\n")
        .append(more_headers)
        .append("\r\n");
    Send(request);
    return Read(method == "HEAD");
  }
  SeenAnswer Read(bool head_only = false) {
    SeenAnswer answer;
    std::size_t head_end;
    while ((head_end = input_.find("\r\n\r\n")) == std::string::npos) {
      if (!More(answer)) return answer;
    }
    ParseHead(std::string_view(input_).substr(0, head_end), answer);
    input_.erase(0, head_end + 4);
    if (head_only || answer.status == 304 || answer.status == 204) {
      answer.whole = true;
    } else if (answer.headers.contains("transfer-encoding")) {
      ReadChunks(answer);
    } else if (answer.headers.contains("content-length")) {
      const std::size_t length = std::stoul(answer.headers.at("content-length"));
      while (input_.size() < length && More(answer)) {
      }
      answer.whole = input_.size() >= length;
      answer.body = input_.substr(0, length);
      input_.erase(0, length);
    } else {
      while (More(answer)) {
      }
      answer.whole = !answer.reset;
      answer.body = std::exchange(input_, {});
    }
    return answer;
  }
  // True when the server has closed in good order and nothing more is to be read.
  bool AtEnd() {
    SeenAnswer answer;
    return input_.empty() && !More(answer) && !answer.reset;
  }
  // As AtEnd(), but by RST.
  bool WasReset() {
    SeenAnswer answer;
    while (More(answer)) {
    }
    return answer.reset;
  }

 private:
  static sockaddr_in Address(const char* text, std::uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    ::inet_pton(AF_INET, text, &address.sin_addr);
    return address;
  }

  bool More(SeenAnswer& answer) {
    char buffer[16384];
    const ssize_t n = ::recv(fd_, buffer, sizeof buffer, 0);
    if (n > 0) input_.append(buffer, static_cast<std::size_t>(n));
    answer.reset = n < 0 && errno == ECONNRESET;
    return n > 0;
  }

  static void ParseHead(std::string_view head, SeenAnswer& answer) {
    std::from_chars(head.data() + 9, head.data() + 12, answer.status);
    for (auto line_end = head.find("\r\n"); line_end != std::string_view::npos;
         line_end = head.find("\r\n")) {
      head.remove_prefix(line_end + 2);
      const std::string_view line = head.substr(0, head.find("\r\n"));
      const auto colon = line.find(": ");
      std::string name(line.substr(0, colon));
      for (char& c : name) c = static_cast<char>(std::tolower(c));
      answer.headers[name] = std::string(line.substr(colon + 2));
    }
  }

  void ReadChunks(SeenAnswer& answer) {
    while (true) {
      std::size_t line_end;
      while ((line_end = input_.find("\r\n")) == std::string::npos) {
        if (!More(answer)) return;
      }
      std::size_t length = 0;
      std::from_chars(input_.data(), input_.data() + line_end, length, 16);
      input_.erase(0, line_end + 2);
      while (input_.size() < length + 2) {
        if (More(answer)) continue;
        answer.body += input_.substr(0, length);
        return;
      }
      answer.body += input_.substr(0, length);
      input_.erase(0, length + 2);
      if (length == 0) {
        answer.whole = true;
        return;
      }
    }
  }

  int fd_;
  bool connected_ = false;
  std::string input_;
};

}  // namespace tmdbc::http
