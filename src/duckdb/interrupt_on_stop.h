// SPDX-License-Identifier: MIT
// InterruptOnStop: a thread that looks at a stop flag twenty times a second and, once it is set, ends whatever runs on
// a connection, until it is destroyed itself. DuckDB looks at no flag of ours, and at no interrupt while it makes one
// large value.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

#include "base/stop.h"
#include "duckdb/database.h"

namespace tmdbc::duckdb {

class InterruptOnStop {
 public:
  // Both outlive it.
  // `gives_up`, unless empty, is called once, in the thread, when it still lives a second after it saw the flag.
  InterruptOnStop(const StopFlag& stop, const Connection& connection, std::function<void()> gives_up = {});
  InterruptOnStop(const InterruptOnStop&) = delete;
  ~InterruptOnStop();

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool done_ = false;  // guarded by mutex_
  std::thread thread_;
};

}  // namespace tmdbc::duckdb
