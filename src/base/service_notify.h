// SPDX-License-Identifier: MIT
// ServiceNotify: tells the service manager how this process is, by systemd's protocol: one datagram of lines
// NAME=value to the socket that $NOTIFY_SOCKET names (sd_notify(3), whose manual allows and explains doing so
// without the library). Without that variable, as on a person's terminal, every call does nothing. A manager
// that does not listen is not an error: nothing here fails or blocks. One thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"

namespace tmdbc {

class ServiceNotify {
 public:
  // As the environment says; `getenv` gives nullptr for what is not set, `pid` is this process.
  ServiceNotify(const char* (*getenv)(const char* name), long pid);
  ~ServiceNotify();
  ServiceNotify(const ServiceNotify&) = delete;
  ServiceNotify& operator=(const ServiceNotify&) = delete;

  // The service has started, or its reload is complete.
  void Ready();
  // What it does now, for people (`systemctl status`): one line.
  void Status(std::string_view text);
  // It begins to read its settings again; Ready() ends that.
  void Reloading(MonoTime now);
  void Stopping();
  // That it is alive, if the manager wants to know and half of the time it allows has passed. While it stops: that it
  // needs more time for that. Call it often.
  void Alive(MonoTime now);

 private:
  void Send(std::string_view lines);

  int socket_ = -1;
  std::optional<Duration> alive_every_;
  std::optional<MonoTime> alive_next_;
  std::optional<MonoTime> extend_next_;  // it stops
  std::string status_;
};

}  // namespace tmdbc
