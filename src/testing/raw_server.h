// SPDX-License-Identifier: MIT
// RawServer: a server for tests of HTTP clients that can do anything rude, because a script writes its bytes
// and breaks its connections. One thread a connection. It counts what an operator of a connection limit
// would: sockets accepted and not closed yet.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace tmdbc::testing {

// Several servers may share one, as one peer address would.
struct ConnectionCount {
  std::atomic<int> open{0};
  std::atomic<int> peak{0};
};

class RawServer {
 public:
  class Connection {
   public:
    explicit Connection(int fd) : fd_(fd) {}
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;
    ~Connection() { Close(); }

    // The head of the next request, or nothing when the peer has gone.
    std::optional<std::string> ReadRequest();
    // The body behind it: `size` bytes, fewer when the peer has gone.
    std::string ReadBody(std::size_t size);
    void Send(std::string_view bytes);
    // A whole answer with its Content-Length.
    void Answer(std::string_view body, std::string_view more_headers = "",
                std::string_view status = "200 OK");
    // Returns when the peer has closed its side (or the server ends).
    void WaitForClose();
    void Close();
    // RST instead of FIN.
    void Reset();

   private:
    friend class RawServer;
    std::mutex mutex_;  // guards fd_ against Stop()
    int fd_;
    std::string unread_;
  };
  // Runs on a thread of its own; the connection is closed when it returns.
  using Script = std::function<void(Connection&)>;

  explicit RawServer(Script script, ConnectionCount* count = nullptr);
  ~RawServer();
  RawServer(const RawServer&) = delete;
  RawServer& operator=(const RawServer&) = delete;

  // "http://127.0.0.1:43210", without a slash at the end.
  std::string url() const;
  int accepted() const { return accepted_; }

 private:
  void AcceptLoop();

  const Script script_;
  ConnectionCount own_count_;
  ConnectionCount& count_;
  std::uint16_t port_ = 0;
  const int listener_;
  std::atomic<int> accepted_{0};
  std::atomic<bool> ending_{false};
  std::mutex mutex_;
  std::vector<std::unique_ptr<Connection>> connections_;  // guarded by mutex_
  std::vector<std::jthread> threads_;                     // of the accepting thread; joined at the end
  std::jthread acceptor_;
};

// A port of this machine that nobody listens on.
std::uint16_t ClosedPort();

}  // namespace tmdbc::testing
