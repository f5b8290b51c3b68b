// SPDX-License-Identifier: MIT
#include "app/stop_signals.h"

#include <signal.h>
#include <unistd.h>

#include <atomic>

namespace tmdbc {
namespace {

// The one piece of state that a handler can reach.
std::atomic<StopFlag*> g_stop{nullptr};

void OnSignal(int signal) {
  StopFlag* stop = g_stop.load(std::memory_order_relaxed);
  if (stop == nullptr || stop->requested()) ::_exit(128 + signal);
  stop->Request();
}

void Handle(int signal, void (*handler)(int)) {
  struct sigaction action{};
  action.sa_handler = handler;
  // Without SA_RESTART: a wait in a system call ends, and the loop sees the flag.
  ::sigaction(signal, &action, nullptr);
}

}  // namespace

StopSignals::StopSignals() {
  g_stop.store(&flag_, std::memory_order_relaxed);
  Handle(SIGTERM, OnSignal);
  Handle(SIGINT, OnSignal);
  Handle(SIGPIPE,
         SIG_IGN);  // a peer that hangs up is an error of that connection, not the end of the process
}

StopSignals::~StopSignals() {
  Handle(SIGTERM, SIG_DFL);
  Handle(SIGINT, SIG_DFL);
  g_stop.store(nullptr, std::memory_order_relaxed);
}

}  // namespace tmdbc
