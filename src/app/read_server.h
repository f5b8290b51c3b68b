// SPDX-License-Identifier: MIT
// ReadServer: the read API and the dashboard of one store, listening as the settings say: what `serve` is, and what
// `run` has beside it. It reads through connections of its own, so that it waits for nobody who writes, and nobody for
// it.
#pragma once

#include <memory>
#include <string>
#include <thread>

#include "app/demand_desk.h"
#include "base/log.h"
#include "base/result.h"
#include "settings/settings.h"

namespace tmdbc {

class ReadServer {
 public:
  // Opens the store and listens; both references outlive it. kInvalid with what to do, when there is no store yet or a
  // setting is wrong; kUnavailable when the port is in use. `demands`: fetches what is asked for and not
  // stored, outlives the server; null: nothing is fetched.
  static Result<std::unique_ptr<ReadServer>> Open(const Settings& settings, Log& log, DemandDesk* demands = nullptr);
  // Ends at once what Start() has begun and Finish() has not ended.
  ~ReadServer();
  ReadServer(const ReadServer&) = delete;
  ReadServer& operator=(const ReadServer&) = delete;

  // "https://127.0.0.1:8080"
  std::string url() const;
  // "s3://BUCKET", or DATA_DIR.
  const std::string& store_name() const;
  // Its numbers as Prometheus reads them. Any thread.
  std::string MetricsText() const;

  // Whether another store lies where this one was opened: all answers are 503 then. Noticed within seconds. Any thread.
  bool store_replaced() const;

  // Serves in a thread of its own, which takes no signals.
  void Start();
  // Looks at the certificate now, and not within a second. Any thread.
  void Reload();
  // Ends in good order: what is under way is answered, for some seconds at most.
  void Finish();

 private:
  struct Parts;
  explicit ReadServer(std::unique_ptr<Parts> parts);

  const std::unique_ptr<Parts> parts_;
  std::thread thread_;
};

}  // namespace tmdbc
