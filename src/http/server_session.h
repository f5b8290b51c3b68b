// SPDX-License-Identifier: MIT
// ServerSession: one connection of a Server. It reads a request, lets the handler answer, sends, and again. Everything
// happens in the loop's thread. Private to server.cc.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <queue>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "http/answer_head.h"
#include "http/connection_stream.h"
#include "http/request_head.h"
#include "http/server.h"

namespace tmdbc::http {

class ServerSession;

// What sessions share, and what they ask of the loop.
struct SessionHost {
  static constexpr MonoTime kNever = MonoTime::max();
  // By time: the session to look at. Its own deadline may have moved on since.
  struct Timer {
    MonoTime at;
    std::uint64_t session;
    bool operator>(const Timer& other) const { return at > other.at; }
  };

  SessionHost(ServerOptions o, const Clock& c, Server::Handler h)
      : options(std::move(o)), clock(c), handler(std::move(h)) {}
  virtual ~SessionHost() = default;
  // The session has closed its connection; it lives until no event of this round can name it.
  virtual void Closed(ServerSession& session) = 0;

  const ServerOptions options;
  const Clock& clock;
  const Server::Handler handler;

  std::uint64_t turns = 0;  // connections and requests so far
  std::uint64_t round = 0;  // how often epoll has told of something
  std::priority_queue<Timer, std::vector<Timer>, std::greater<>> timers;
  std::vector<std::uint64_t> again;  // sessions that gave way to others with requests unread
  ServerStats stats;
  AnswerHead head;
  std::string record;  // room for ConnectionStream::Send()
};

class ServerSession {
 public:
  ServerSession(SessionHost& host, std::uint64_t id, int socket, std::string address);
  ServerSession(const ServerSession&) = delete;
  ServerSession& operator=(const ServerSession&) = delete;

  std::uint64_t id() const { return id_; }
  const std::string& address() const { return request_.peer_address; }
  bool PeerHasLeft() const { return stream_.PeerHasLeft(); }
  // Among the open connections of its address.
  bool counted = true;
  // SessionHost::turns when it was opened or its last whole request had come.
  std::uint64_t turn = 0;
  void SetOverLimit() { request_.over_connection_limit = true; }

  // Goes on as far as it can. The socket is watched for edges, so whatever would block is remembered in readable_ and
  // write_blocked_ until the next one.
  void Advance();
  void OnEvents(std::uint32_t events);
  // That of SessionHost::timers.
  void OnTimer(MonoTime at);
  // As Server::Complete().
  void Complete(std::uint64_t ticket, Answer answer);
  // The answer under way is the last one; without one the connection ends now.
  void EndSoon();
  void Close();

 private:
  static constexpr MonoTime kNever = SessionHost::kNever;
  enum class State : std::uint8_t { kHandshake, kReading, kWaiting, kWriting, kDraining, kClosed };
  // What follows when a wait or a write is over.
  enum class After : std::uint8_t { kSend, kPiece, kWaitForPiece, kEnd, kClose };
  // What the deadline ends while a request is waited for.
  enum class Limit : std::uint8_t { kNone, kIdle, kRequest };

  // Time.
  void SetDeadline(MonoTime at);
  void Arm();
  void OnDeadline();

  // Reading. False: it waits for more, or the connection is closed.
  bool Handshake();
  bool ReadRequest();
  void TakeHead();
  bool Fill();
  void LimitWait();
  void WaitedTooLong();

  // Answering.
  void Handle();
  void Refuse(int status, std::string_view why);
  void WaitThen(Duration pause, After after);
  void CheckWhileWaiting();
  void GoOn();
  void BeginSending();
  void SendPiece();
  void Write(After after);
  bool WriteOut();

  // Ending.
  void End();
  void Reset();
  void ShutDown();
  void ReadAway();

  SessionHost& host_;
  const std::uint64_t id_;
  ConnectionStream stream_;

  State state_ = State::kReading;
  After after_ = After::kEnd;
  bool readable_ = true;             // reading may give something
  bool ending_seen_ = false;         // the client has closed its side, or broken the connection
  bool write_blocked_ = false;       // the deadline is that of the write
  bool last_ = false;                // no request after the one under way
  std::uint64_t told_in_round_ = 0;  // by epoll, of something not read yet
  // The deadline in force, and the earliest timer that is set for this session: it looks then, and sets another.
  MonoTime deadline_ = kNever, armed_ = kNever;
  Limit limit_ = Limit::kNone;

  RequestHeadParser parser_;
  std::string input_;
  std::size_t used_ = 0, filled_ = 0;  // of input_: parsed, read
  bool head_taken_ = false;            // request_ is it; body_left_ bytes of its body are still to come
  std::uint64_t body_left_ = 0;
  MonoTime ended_{}, begun_{};  // the last answer, the first byte of the request after it
  ServerRequest request_;

  Answer answer_;
  bool keep_ = false, head_only_ = false;
  std::string head_, chunk_;
  std::vector<std::string_view> parts_;  // what goes out now
  std::size_t part_ = 0;                 // those before it are out
  std::string_view rest_;                // of a body in pieces: not sent yet
  std::size_t piece_ = 0;
};

}  // namespace tmdbc::http
