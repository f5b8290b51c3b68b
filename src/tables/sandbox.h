// SPDX-License-Identifier: MIT
// Sandbox: a statement that somebody wrote, run over one generation of the tables, and nothing else. It may be one
// statement that reads (DuckDB's type SELECT); it sees the files of that generation and no others; it can attach,
// install and set nothing. One thread; InterruptOnStop may stop it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "duckdb/database.h"
#include "tables/manifest.h"
#include "tables/views.h"

namespace tmdbc::tables {

struct SandboxOptions {
  int threads = 1;
  std::uint64_t memory_limit = 1ull << 30;  // bytes
  std::string temporary_folder = {};        // of this process alone; empty: nothing is spilled
  std::string output_file = {};             // what WriteParquet() writes; empty: nothing is written
};

class Sandbox {
 public:
  // `folder`: the tables' folder as an absolute path. `statement`: what is to run; only the views that it may name are
  // made, for all of them take 30 ms.
  static Result<Sandbox> Open(const duckdb::Library& library, const std::string& folder,
                              const Manifest& manifest, std::string statement, const SandboxOptions& options);

  const duckdb::Connection& connection() const { return connection_; }

  // kInvalid, in DuckDB's words, when it does not parse or bind; or when it is not one statement that reads.
  Result<void> Check();
  // Runs it. Check() has passed.
  Result<duckdb::Rows> Run();
  // Its plan with the time of each step, as text for people. Check() has passed. It runs the statement.
  Result<std::string> Explain();
  // Writes its rows to SandboxOptions::output_file as Parquet. Check() has passed. What is there is replaced; what
  // fails may leave a part of it.
  Result<void> WriteParquet();

 private:
  Result<duckdb::Statement> Prepare();
  Sandbox(duckdb::Database database, duckdb::Connection connection, std::vector<View> views,
          std::string statement, std::string output_file);

  duckdb::Database database_;
  duckdb::Connection connection_;
  std::vector<View> left_;  // views that were not made
  std::string statement_;
  std::string output_file_;
};

}  // namespace tmdbc::tables
