// SPDX-License-Identifier: MIT
#include "tables/sandbox.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/words.h"

namespace tmdbc::tables {
namespace {

constexpr std::string_view kWhatReads =
    "one statement that reads is allowed: SELECT, FROM, WITH, VALUES, DESCRIBE, SHOW or "
    "SUMMARIZE";

// The views that the statement may name, with those that they need: every one whose name stands in it somewhere. Too
// many do no harm; DuckDB's own list of the tables of a statement is empty for some that join.
std::set<std::string> Mentioned(const std::vector<View>& views, const std::string& statement) {
  const std::string text = Lower(statement);
  std::set<std::string> names;
  for (const View& view : views) {
    if (!text.contains(Lower(view.name))) continue;
    names.insert(view.name);
    names.insert(view.needs.begin(), view.needs.end());
  }
  return names;
}

// It asks what there is, and not for a table.
bool AsksForAll(const std::string& statement) {
  const std::string text = Lower(statement);
  return std::ranges::any_of(
      std::initializer_list<std::string_view>{"show", "information_schema", "duckdb_", "pg_", "sqlite_",
                                              "query_table", "pragma_"},
      [&](std::string_view word) { return text.contains(word); });
}

}  // namespace

Sandbox::Sandbox(duckdb::Database database, duckdb::Connection connection, std::vector<View> views,
                 std::string statement, std::string output_file)
    : database_(std::move(database)),
      connection_(std::move(connection)),
      left_(std::move(views)),
      statement_(std::move(statement)),
      output_file_(std::move(output_file)) {}

Result<Sandbox> Sandbox::Open(const duckdb::Library& library, const std::string& folder,
                              const Manifest& manifest, std::string statement,
                              const SandboxOptions& options) {
  TRY_ASSIGN(auto database, duckdb::Database::Open(library, {.threads = options.threads,
                                                             .memory_limit = options.memory_limit,
                                                             .temporary_folder = options.temporary_folder,
                                                             .keep_order = true}));
  TRY_ASSIGN(auto connection, database.Connect());
  // Each file by its name and not the folder: FROM enable_logging(...) is a statement that reads, and writes its log to
  // wherever it may. To what ends in .parquet it does not.
  std::string paths = options.output_file.empty() ? "" : duckdb::Quoted(options.output_file);
  for (const auto& [name, files] : manifest.tables) {
    for (const DataFile& file : files.files)
      paths += (paths.empty() ? "" : ", ") + duckdb::Quoted(fmt::format("{}/{}", folder, file.path));
  }
  TRY(connection.Execute(fmt::format("SET allowed_paths = [{}]", paths)));
  TRY(connection.Execute("SET enable_external_access = false"));
  std::vector<View> views = ViewsOf(manifest, folder + "/"), left;
  const auto wanted = Mentioned(views, statement);
  const bool all = wanted.empty() || AsksForAll(statement);
  for (View& view : views) {
    if (all || wanted.contains(view.name)) {
      TRY(connection.Execute(view.statement));
    } else {
      left.push_back(std::move(view));
    }
  }
  TRY(connection.Execute("SET lock_configuration = true"));
  return Sandbox(std::move(database), std::move(connection), std::move(left), std::move(statement),
                 options.output_file);
}

Result<duckdb::Statement> Sandbox::Prepare() {
  auto prepared = connection_.Prepare(statement_);
  if (prepared || left_.empty() || !prepared.error().message.starts_with("Catalog Error")) return prepared;
  // Again with every view there, so that what DuckDB proposes instead is the nearest there is.
  for (const View& view : left_) TRY(connection_.Execute(view.statement));
  left_.clear();
  return connection_.Prepare(statement_);
}

Result<void> Sandbox::Check() {
  const auto prepared = Prepare();
  if (!prepared) {
    const bool several = prepared.error().message.starts_with("there are ");
    if (several && Lower(statement_).contains("pivot"))
      return Fail(ErrorCode::kInvalid, "{}; a PIVOT is one when its values are named: ON column IN (...)",
                  kWhatReads);
    if (several) return Fail(ErrorCode::kInvalid, "{}; there is more than one statement", kWhatReads);
    return std::unexpected(prepared.error());
  }
  if (!prepared->IsSelect()) return Fail(ErrorCode::kInvalid, "{}", kWhatReads);
  return {};
}

Result<duckdb::Rows> Sandbox::Run() {
  return connection_.Query(statement_);
}

Result<std::string> Sandbox::Explain() {
  TRY_ASSIGN(auto rows, connection_.Query("EXPLAIN ANALYZE " + statement_));
  std::string text;
  for (;;) {
    TRY_ASSIGN(const bool more, rows.Next());
    if (!more) return text;
    for (std::size_t row = 0; row < rows.size(); ++row) text += rows.Varchar(rows.columns().size() - 1, row);
  }
}

Result<void> Sandbox::WriteParquet() {
  // It is one whole statement: nothing in it can end the parenthesis, and a comment ends with its line.
  std::string statement = statement_;
  while (!statement.empty() && std::string_view(" \t\r\n;").contains(statement.back())) statement.pop_back();
  return connection_.Execute(
      fmt::format("COPY (\n{}\n) TO {} (FORMAT parquet, COMPRESSION zstd, USE_TMP_FILE false)", statement,
                  duckdb::Quoted(output_file_)));
}

}  // namespace tmdbc::tables
