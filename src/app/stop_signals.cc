// SPDX-License-Identifier: MIT
#include "app/stop_signals.h"

#include <signal.h>
#include <unistd.h>

#include <cerrno>

namespace tmdbc {
namespace {

// The one piece of state that a handler can reach.
std::atomic<StopSignals*> g_signals{nullptr};

void Handle(int signal, void (*handler)(int)) {
  struct sigaction action{};
  action.sa_handler = handler;
  // Without SA_RESTART: a wait in a system call ends, and the loop sees the flag.
  ::sigaction(signal, &action, nullptr);
}

bool IsIgnored(int signal) {
  struct sigaction action{};
  ::sigaction(signal, nullptr, &action);
  return action.sa_handler == SIG_IGN;
}

}  // namespace

void StopSignals::OnSignal(int signal) {
  const int error = errno;
  StopSignals* const signals = g_signals.load(std::memory_order_relaxed);
  // isatty(3) is a single ioctl: it may be called here.
  const bool reload =
      signal == SIGHUP && signals != nullptr && signals->reload_on_hangup_ &&
      (!signals->on_terminal_ || ::isatty(STDERR_FILENO) == 1);
  if (reload) {
    signals->reload_.store(true, std::memory_order_relaxed);
  } else {
    if (signals == nullptr || (signals->flag_.requested() && signal != SIGHUP)) ::_exit(128 + signal);
    signals->flag_.Request();
  }
  errno = error;
}

StopSignals::StopSignals() {
  g_signals.store(this, std::memory_order_relaxed);
  Handle(SIGTERM, OnSignal);
  Handle(SIGINT, OnSignal);
  if (!IsIgnored(SIGHUP)) Handle(SIGHUP, OnSignal);
  Handle(SIGPIPE, SIG_IGN);  // a peer that hangs up is an error of that connection, not the end of the process
}

StopSignals::~StopSignals() {
  Handle(SIGTERM, SIG_DFL);
  Handle(SIGINT, SIG_DFL);
  if (!IsIgnored(SIGHUP)) Handle(SIGHUP, SIG_DFL);
  g_signals.store(nullptr, std::memory_order_relaxed);
}

void StopSignals::ReloadOnHangup() {
  on_terminal_ = ::isatty(STDERR_FILENO) == 1;
  reload_on_hangup_ = true;
  Handle(SIGHUP, OnSignal);
}

}  // namespace tmdbc
