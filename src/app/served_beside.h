// SPDX-License-Identifier: MIT
// ServedBeside: the read API and the dashboard, served in a process that works on the store. One thread: the
// pipeline's.
#pragma once

#include <memory>

#include "app/pipeline.h"
#include "app/read_server.h"

namespace tmdbc {

class ServedBeside {
 public:
  // The pipeline outlives it. With SERVE_UPSTREAM the pipeline fetches what is asked for and not stored.
  static Result<std::unique_ptr<ServedBeside>> Start(const Settings& settings, Pipeline& pipeline);
  // Before the pipeline closes: nothing reads a store that is being closed.
  ~ServedBeside();
  ServedBeside(const ServedBeside&) = delete;
  ServedBeside& operator=(const ServedBeside&) = delete;

  ReadServer& server() { return *server_; }

 private:
  ServedBeside(Pipeline& pipeline, std::unique_ptr<ReadServer> server);

  Pipeline& pipeline_;
  const std::unique_ptr<ReadServer> server_;
};

}  // namespace tmdbc
