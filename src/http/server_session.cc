// SPDX-License-Identifier: MIT
#include "http/server_session.h"

#include <fmt/format.h>
#include <sys/epoll.h>

#include <algorithm>
#include <cstring>
#include <span>
#include <utility>

namespace tmdbc::http {
namespace {

constexpr std::size_t kReadSize = 16 << 10;
// Of one connection before the others get their turn: what it sent in one go is answered one after the other.
constexpr int kRequestsAtOnce = 16;
constexpr Duration kDrainLimit = std::chrono::seconds(1);

}  // namespace

ServerSession::ServerSession(SessionHost& host, std::uint64_t id, int socket, std::string address)
    : host_(host), id_(id), stream_(socket, host.options.tls.get()), parser_(host.options.head) {
  request_.peer_address = std::move(address);
  ended_ = begun_ = host.clock.Mono();
  if (!stream_.is_tls()) return;
  state_ = State::kHandshake;
  SetDeadline(begun_ + host.options.request_limit);
}

void ServerSession::OnEvents(std::uint32_t events) {
  constexpr std::uint32_t kEnding = EPOLLRDHUP | EPOLLHUP | EPOLLERR;
  // TLS may have to read in order to write.
  if ((events & (EPOLLIN | kEnding)) != 0 || stream_.is_tls()) readable_ = true;
  if ((events & kEnding) != 0) ending_seen_ = true;
  told_in_round_ = host_.round;
  if (state_ == State::kWaiting && ending_seen_) return CheckWhileWaiting();
  Advance();
}

void ServerSession::Advance() {
  for (int requests = 0;;) {
    switch (state_) {
      case State::kHandshake:
        if (!Handshake()) return;
        break;
      case State::kReading:
        // Others have their turn between the requests that it sent in one go.
        if (++requests > kRequestsAtOnce) return host_.again.push_back(id_);
        if (!ReadRequest()) return;
        break;
      case State::kWriting:
        if (!WriteOut()) return;
        break;
      case State::kDraining:
        return ReadAway();
      case State::kWaiting:
      case State::kClosed:
        return;
    }
  }
}

void ServerSession::OnTimer(MonoTime at) {
  if (at != armed_) return;  // another was set for an earlier time
  armed_ = kNever;
  if (deadline_ == kNever) return;
  if (deadline_ > host_.clock.Mono()) return Arm();
  deadline_ = kNever;
  OnDeadline();
}

void ServerSession::Complete(std::uint64_t ticket, Answer answer) {
  if (state_ != State::kWaiting || after_ != After::kSend || ticket != request_.ticket) return;
  answer_ = std::move(answer);
  BeginSending();
  Advance();
}

void ServerSession::EndSoon() {
  last_ = true;
  keep_ = false;
  if (state_ == State::kHandshake) return Close();
  if (state_ != State::kReading || head_taken_ || used_ < filled_) return;
  ShutDown();
  Advance();
}

void ServerSession::Close() {
  if (state_ == State::kClosed) return;
  state_ = State::kClosed;
  deadline_ = kNever;
  stream_.Close();
  host_.Closed(*this);  // it may be one of this session's own functions that goes on
}

void ServerSession::SetDeadline(MonoTime at) {
  deadline_ = at;
  if (at < armed_) Arm();
}

void ServerSession::Arm() {
  armed_ = deadline_;
  host_.timers.push({armed_, id_});
}

void ServerSession::OnDeadline() {
  switch (state_) {
    case State::kReading:
      return WaitedTooLong();
    case State::kWaiting:
      GoOn();
      return Advance();
    case State::kWriting:
      // Closing in good order would leave what the kernel holds to be read some day.
      return Reset();
    case State::kHandshake:
    case State::kDraining:
      return Close();
    case State::kClosed:
      return;
  }
}

bool ServerSession::Handshake() {
  switch (stream_.Handshake()) {
    case ConnectionStream::Handshaken::kYes:
      state_ = State::kReading;
      ended_ = begun_ = host_.clock.Mono();
      return true;
    case ConnectionStream::Handshaken::kNotYet:
      return false;
    case ConnectionStream::Handshaken::kNo:
      if (host_.options.refused) host_.options.refused(0, "no TLS handshake", address());
      Close();
  }
  return false;
}

bool ServerSession::ReadRequest() {
  while (true) {
    if (!head_taken_ && used_ < filled_) {
      switch (parser_.Parse(std::string_view(input_.data() + used_, filled_ - used_))) {
        case RequestHeadParser::Outcome::kRefused:
          Refuse(parser_.refusal().status, parser_.refusal().why);
          return true;
        case RequestHeadParser::Outcome::kWhole:
          TakeHead();
          if (body_left_ > host_.options.max_request_body) {
            Refuse(413, "the body is too long");
            return true;
          }
          break;
        case RequestHeadParser::Outcome::kIncomplete:
          break;
      }
    }
    if (head_taken_) {
      const std::size_t taken = std::min<std::uint64_t>(body_left_, filled_ - used_);
      request_.body.append(input_.data() + used_, taken);
      used_ += taken;
      body_left_ -= taken;
      if (body_left_ == 0) {
        Handle();
        return true;
      }
    }
    if (!Fill()) return false;
  }
}

void ServerSession::TakeHead() {
  const RequestHead& head = parser_.head();
  request_.method.assign(head.method);
  request_.target.assign(head.target);
  request_.host.assign(head.host);
  request_.headers.resize(head.fields.size());
  for (std::size_t i = 0; i < head.fields.size(); ++i) {
    request_.headers[i].first.assign(head.fields[i].first);
    request_.headers[i].second.assign(head.fields[i].second);
  }
  request_.body.clear();
  used_ += parser_.size();
  body_left_ = head.length;
  keep_ = head.keep_alive && !request_.over_connection_limit && !last_;
  head_taken_ = true;
  parser_.Reset();
  if (!head.expects_continue || filled_ - used_ >= body_left_ || body_left_ > host_.options.max_request_body) return;
  // Were it lost, the client sends its body all the same.
  stream_.SendNow("HTTP/1.1 100 Continue\r\n\r\n");
}

// Reads what the socket has; false when there is nothing yet, or the client is gone.
bool ServerSession::Fill() {
  if (!readable_) {
    LimitWait();
    return false;
  }
  if (used_ > 0) {
    std::memmove(input_.data(), input_.data() + used_, filled_ - used_);
    filled_ -= used_;
    used_ = 0;
  }
  if (input_.size() < filled_ + kReadSize) input_.resize(filled_ + kReadSize);
  const std::size_t room = input_.size() - filled_;
  // What it was told of had come by then, at least its beginning; what is read later may not have.
  const bool first_look = std::exchange(told_in_round_, 0) == host_.round;
  request_.round = first_look && filled_ == 0 && !head_taken_ ? host_.round : 0;
  const bool stamped = host_.options.stamp_arrivals && !stream_.is_tls();
  char* const end = input_.data() + filled_;
  const ssize_t n =
      stamped ? stream_.ReceiveStamped(end, room, host_.clock, request_.received) : stream_.Receive(end, room);
  if (n > 0) {
    if (filled_ == 0 && !head_taken_) begun_ = host_.clock.Mono();
    if (!stamped) request_.received = begun_;
    filled_ += std::size_t(n);
    // Less than there was room for: there is no more (epoll(7)), but perhaps the end.
    readable_ = stream_.is_tls() || std::size_t(n) == room || ending_seen_;
    return true;
  }
  if (n == ConnectionStream::kNotNow) {
    readable_ = false;
    LimitWait();
    return false;
  }
  Close();
  return false;
}

// What is waited for comes in time: the first byte of a request, then, however slowly, the whole of it.
void ServerSession::LimitWait() {
  const Limit limit = filled_ > used_ || head_taken_ ? Limit::kRequest : Limit::kIdle;
  if (limit == limit_) return;
  limit_ = limit;
  SetDeadline(limit == Limit::kRequest ? begun_ + host_.options.request_limit : ended_ + host_.options.idle_limit);
}

void ServerSession::WaitedTooLong() {
  // A loop that was busy has not read yet what came in time.
  if (limit_ == Limit::kIdle && !stream_.is_tls() && stream_.Peek() != ConnectionStream::Waiting::kNothing) {
    limit_ = Limit::kNone;
    readable_ = true;
  } else if (limit_ == Limit::kRequest) {
    Refuse(408, "the request took too long to come");
  } else {
    ShutDown();
  }
  Advance();
}

void ServerSession::Handle() {
  limit_ = Limit::kNone;
  deadline_ = kNever;
  head_taken_ = false;
  turn = ++host_.turns;
  request_.idle = request_.earlier == 0 ? Duration(0) : begun_ - ended_;
  request_.ticket = id_ << 24 | (request_.earlier & 0xFFFFFF);
  head_only_ = request_.method == "HEAD";
  answer_ = host_.handler(request_);
  ++request_.earlier;
  request_.round = 0;  // not of one that came behind it
  if (answer_.delay > Duration(0)) return WaitThen(answer_.delay, After::kSend);
  BeginSending();
}

void ServerSession::Refuse(int status, std::string_view why) {
  if (host_.options.refused) host_.options.refused(status, why, address());
  limit_ = Limit::kNone;
  head_taken_ = false;
  keep_ = head_only_ = false;
  answer_ = Answer{};
  answer_.status = status;
  answer_.headers = {{"Content-Type", "text/plain"}};
  answer_.body = std::make_shared<const std::string>(std::string(why) + '\n');
  BeginSending();
}

// The next step follows after `pause`, unless the client leaves before: that is noticed at once, so that its
// connection no longer counts as open.
void ServerSession::WaitThen(Duration pause, After after) {
  state_ = State::kWaiting;
  after_ = after;
  SetDeadline(host_.clock.Mono() + pause);
  if (ending_seen_) CheckWhileWaiting();
}

void ServerSession::CheckWhileWaiting() {
  if (stream_.Peek() == ConnectionStream::Waiting::kGone) Close();
}

void ServerSession::GoOn() {
  switch (after_) {
    case After::kSend:
      return BeginSending();
    case After::kPiece:
      return SendPiece();
    case After::kWaitForPiece:
      return WaitThen(answer_.trickle_pause, After::kPiece);
    case After::kEnd:
      return End();
    case After::kClose:
      return Close();
  }
}

// Writes parts_ out; they point to what stays as it is until then.
void ServerSession::Write(After after) {
  state_ = State::kWriting;
  after_ = after;
  part_ = 0;
  write_blocked_ = false;
  deadline_ = kNever;
}

void ServerSession::BeginSending() {
  parts_.clear();
  if (answer_.silent) return End();
  if (answer_.raw) {
    parts_.push_back(*answer_.raw);
    return Write(After::kEnd);
  }
  const std::string_view body = answer_.body ? std::string_view(*answer_.body) : std::string_view();
  const bool bodiless = head_only_ || answer_.status == 204 || answer_.status == 304;
  if (answer_.framing == Answer::Framing::kUntilClose || answer_.ending != Answer::Ending::kKeep) keep_ = false;
  host_.head.Write(answer_, body.size(), keep_, host_.clock.Now(), head_);
  parts_.push_back(head_);
  if (bodiless) return Write(After::kEnd);

  rest_ = body.substr(0, answer_.cut_body_after.value_or(body.size()));
  const bool chunked = answer_.framing == Answer::Framing::kChunked;
  if (answer_.trickle_pieces > 0) {
    piece_ = std::max<std::size_t>(1, rest_.size() / answer_.trickle_pieces);
    return Write(After::kWaitForPiece);
  }
  if (chunked && !rest_.empty()) {
    // A body that is cut is announced whole, so that the chunk stays unfinished too.
    chunk_ = fmt::format("{:x}\r\n", body.size());
    parts_.emplace_back(chunk_);
  }
  parts_.push_back(rest_);
  if (chunked && !answer_.cut_body_after) parts_.emplace_back(rest_.empty() ? "0\r\n\r\n" : "\r\n0\r\n\r\n");
  Write(After::kEnd);
}

void ServerSession::SendPiece() {
  const bool chunked = answer_.framing == Answer::Framing::kChunked;
  const std::string_view piece = rest_.substr(0, piece_);
  rest_.remove_prefix(piece.size());
  parts_.clear();
  if (chunked && !piece.empty()) {
    chunk_ = fmt::format("{:x}\r\n", piece.size());
    parts_.emplace_back(chunk_);
  }
  parts_.push_back(piece);
  if (chunked && !piece.empty()) parts_.emplace_back("\r\n");
  if (!rest_.empty()) return Write(After::kWaitForPiece);
  if (chunked && !answer_.cut_body_after) parts_.emplace_back("0\r\n\r\n");
  Write(After::kEnd);
}

bool ServerSession::WriteOut() {
  while (true) {
    while (part_ < parts_.size() && parts_[part_].empty()) ++part_;
    if (part_ == parts_.size()) break;
    const ssize_t n = stream_.Send(std::span(parts_).subspan(part_), host_.record);
    if (n == ConnectionStream::kNotNow) {
      if (!std::exchange(write_blocked_, true)) SetDeadline(host_.clock.Mono() + host_.options.write_limit);
      return false;
    }
    if (n < 0) {
      Close();
      return false;
    }
    host_.stats.bytes_sent += std::uint64_t(n);
    for (std::size_t left = std::size_t(n); left > 0;) {
      const std::size_t taken = std::min(left, parts_[part_].size());
      parts_[part_].remove_prefix(taken);
      left -= taken;
      if (parts_[part_].empty()) ++part_;
    }
  }
  deadline_ = kNever;
  GoOn();
  return state_ != State::kClosed;
}

void ServerSession::End() {
  switch (answer_.ending) {
    case Answer::Ending::kKeep:
      if (!keep_) return ShutDown();
      answer_ = Answer{};
      ended_ = begun_ = host_.clock.Mono();
      state_ = State::kReading;
      return;
    case Answer::Ending::kClose:
      return ShutDown();
    case Answer::Ending::kReset:
      return Reset();
    case Answer::Ending::kHang:
      return WaitThen(answer_.hang, After::kClose);
  }
}

void ServerSession::Reset() {
  stream_.Reset();
  Close();
}

// Ends in good order. Reads on until the client closes too, a second at most: closing with unread bytes would send a
// RST, which can overtake the answer (RFC 9112 section 9.6).
void ServerSession::ShutDown() {
  stream_.ShutDown();
  state_ = State::kDraining;
  SetDeadline(host_.clock.Mono() + kDrainLimit);
}

void ServerSession::ReadAway() {
  for (int i = 0; i < kRequestsAtOnce; ++i) {
    switch (stream_.ThrowAway()) {
      case ConnectionStream::Waiting::kBytes: break;
      case ConnectionStream::Waiting::kNothing: return;
      case ConnectionStream::Waiting::kGone: return Close();
    }
  }
  host_.again.push_back(id_);
}

}  // namespace tmdbc::http
