// SPDX-License-Identifier: MIT
// MirrorView: the port through which the dashboard sees the mirror; the program around it makes one for each thread.
// It only reads, beside the process at work. One thread.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/files.h"
#include "base/result.h"
#include "base/sqlite.h"
#include "storage/ledger.h"
#include "storage/record_reader.h"

namespace tmdbc::dashboard {

class MirrorView {
 public:
  virtual ~MirrorView() = default;

  // What the process at work says, the queue, the schedules, and of each type what the last Count() found: one object,
  // at the same cost whatever is stored. docs/dashboard.md has its members.
  virtual Result<std::string> Status() = 0;
  // Counts what is stored: 0.1 s a million records. An error: it cannot be told, nor can anything that reads every id.
  virtual Result<void> Count() = 0;
  // Every id against the exports, an object by type: a second a million records.
  virtual Result<std::string> Coverage() = 0;
  // The newest `max`, as an array of {"type","id","tries","died","reason"}.
  virtual Result<std::string> DeadLetters(int max) = 0;

  virtual RecordReader& reader() = 0;
  virtual RecordLedger& ledger() = 0;
  virtual FileSystem& files() = 0;
  virtual Database& catalog() = 0;
  // What is written from now on will be seen, too; else it is good for one look.
  virtual bool lasting() const = 0;
};

// Any thread.
using OpenView = std::function<Result<std::unique_ptr<MirrorView>>()>;

}  // namespace tmdbc::dashboard
