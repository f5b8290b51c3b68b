// SPDX-License-Identifier: MIT
// ConnectionPlaces: a peer never sees more than so many connections of ours at once, in use, idle and just closed
// ones together. It makes the sockets and closes them. A closed connection keeps its place until the peer has
// closed its side too (and 50 ms more, for a server that counts a little late), at most a second; one that broke
// or that we gave up keeps it for the whole second. One thread.
#pragma once

#include <cstddef>
#include <vector>

#include "base/clock.h"

namespace tmdbc::http {

class ConnectionPlaces {
 public:
  // `clock` outlives them.
  ConnectionPlaces(const Clock& clock, int limit) : clock_(clock), limit_(limit) {}
  ~ConnectionPlaces();
  ConnectionPlaces(const ConnectionPlaces&) = delete;
  ConnectionPlaces& operator=(const ConnectionPlaces&) = delete;

  int limit() const { return limit_; }
  bool HasFree() const { return open_ + Held() < limit_; }
  // A socket; -1 when the system gives none. Requires HasFree().
  int Open(int family, int type, int protocol);
  // Ends one that Open() made.
  void Close(int fd);
  // From now on connections are closed without ceremony: the program ends.
  void End() { ending_ = true; }

  // Sockets that are open, and places that closed ones hold.
  int open() const { return open_; }
  int Held() const;

  // Frees what need not be held any longer. Call it often.
  void Reap();
  // Closed connections remembered so far, and: those closed since then broke, or were given up.
  std::size_t mark() const { return held_.size(); }
  void BrokeSince(std::size_t mark);

  struct Place {
    int fd;  // our side is shut down, the peer's not yet; -1 when it is closed altogether
    MonoTime until;
  };
  const std::vector<Place>& held() const { return held_; }

 private:
  const Clock& clock_;
  const int limit_;
  int open_ = 0;
  bool ending_ = false;
  std::vector<Place> held_;
};

}  // namespace tmdbc::http
