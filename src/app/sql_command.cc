// SPDX-License-Identifier: MIT
// sql: one statement that reads, over the newest generation of the tables. The store itself is not opened: it runs
// beside every process, and a generation that a publish replaces meanwhile stays readable for a day.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <iterator>
#include <new>
#include <thread>

#include "app/command.h"
#include "app/duckdb_place.h"
#include "app/memory_bound.h"
#include "app/newest_tables.h"
#include "app/output.h"
#include "app/sql_output.h"
#include "app/stop_signals.h"
#include "app/tables_publish.h"
#include "app/temporary_folder.h"
#include "base/clock.h"
#include "base/safe_text.h"
#include "base/system_error.h"
#include "base/words.h"
#include "duckdb/interrupt_on_stop.h"
#include "tables/sandbox.h"

namespace tmdbc {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kMemory = 1ull << 30;   // bytes; DuckDB keeps to it, but for single values
// Of the whole process; a thread's stack and the allocator's store for it come on top.
constexpr std::uint64_t kAllMemory = kMemory + kMemory / 2, kMemoryOfAThread = 64 << 20;
constexpr std::size_t kMaxStatement = 1 << 20;  // bytes

struct SqlQuestion {
  std::string statement;
  SqlFormat format = SqlFormat::kTable;
  bool explain = false, views = false;
  std::optional<std::string> out;  // a file
};

Result<std::string> StatementOf(const Arguments& arguments) {
  const auto given = arguments.Get("STATEMENT");
  if (!given) {
    return Fail(
        ErrorCode::kInvalid,
        "sql needs a statement, in quotes: tmdb-collector sql \"SELECT count(*) FROM movies\"; - reads it from "
        "stdin");
  }
  if (*given != "-") return *given;
  std::string text(kMaxStatement + 1, '\0');
  std::cin.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(std::cin.gcount()));
  if (text.size() > kMaxStatement)
    return Fail(ErrorCode::kInvalid, "the statement on stdin has more than {} bytes", kMaxStatement);
  return text;
}

// What is written there goes in its place by a rename: over nothing but a file, and none of the mirror's.
Result<void> MayReplace(const std::string& file, const std::string& data_dir) {
  std::error_code error;
  if (file == "-") return Fail(ErrorCode::kInvalid, "--out is -: Parquet goes into a file, name one");
  const fs::path mirror = fs::weakly_canonical(data_dir, error);
  const fs::path place = fs::weakly_canonical(fs::absolute(file, error).parent_path(), error);
  if (std::ranges::mismatch(mirror, place).in1 == mirror.end())
    return Fail(ErrorCode::kInvalid, "--out={} is within the mirror, {}: name another place", ShowValue(file),
                ShowValue(data_dir));
  const auto status = fs::symlink_status(file, error);
  if (!fs::exists(status) || fs::is_regular_file(status)) return {};
  return Fail(ErrorCode::kInvalid, "--out={} is there already and is not a file of bytes: name another",
              ShowValue(file));
}

Result<SqlQuestion> SqlQuestionOf(const Arguments& arguments, const std::string& data_dir) {
  SqlQuestion question;
  question.views = arguments.Has("--views");
  question.explain = arguments.Has("--explain");
  question.out = arguments.Get("--out");
  const std::string format = arguments.Get("--format").value_or(arguments.Has("--json") ? "json" : "table");
  const auto known = ParseSqlFormat(format);
  if (!known) {
    return Fail(ErrorCode::kInvalid, "--format is '{}': use table, csv, jsonl, json or parquet",
                ShowValue(format));
  }
  question.format = *known;
  if (question.views) {
    if (arguments.Has("STATEMENT"))
      return Fail(ErrorCode::kInvalid, "--views runs no statement: leave it out");
    return question;
  }
  if ((question.format == SqlFormat::kParquet) != question.out.has_value()) {
    return Fail(ErrorCode::kInvalid,
                "--format=parquet and --out=FILE go together: the other formats are printed");
  }
  if (question.explain && question.out)
    return Fail(ErrorCode::kInvalid, "--explain prints a plan: leave --format and --out away");
  if (question.out) TRY(MayReplace(*question.out, data_dir));
  TRY_ASSIGN(question.statement, StatementOf(arguments));
  if (question.statement.contains('\0')) return Fail(ErrorCode::kInvalid, "the statement holds a NUL byte");
  return question;
}

// DuckDB's words have several lines, and point at a place of the statement with the last of them.
void PrintSqlError(const Error& error, LogFormat format) {
  if (format == LogFormat::kJson) return PrintError(error, format);
  std::string text = "tmdb-collector: ";
  for (std::string_view rest = error.message;;) {
    const auto end = rest.find('\n');
    AppendPrintable(text, rest.substr(0, end));
    text += '\n';
    if (end == std::string_view::npos) break;
    rest.remove_prefix(end + 1);
  }
  text = MaskKeys(text);
  (void)std::fwrite(text.data(), 1, text.size(), stderr);
}

Result<void> WriteParquet(tables::Sandbox& sandbox, const std::string& temporary, const std::string& file) {
  auto written = sandbox.WriteParquet();
  if (!written) {
    // A person knows the name that they gave.
    std::string& words = written.error().message;
    for (auto at = words.find(temporary); at != std::string::npos;
         at = words.find(temporary, at + file.size()))
      words.replace(at, temporary.size(), file);
  }
  std::error_code error;
  if (written) {
    fs::rename(temporary, file, error);
    if (!error) return {};
    written = Fail(ErrorCode::kIo, "write {}: {}", file, error.message());
  }
  fs::remove(temporary, error);
  return written;
}

Result<void> Answer(tables::Sandbox& sandbox, const SqlQuestion& question, const std::string& temporary,
                    const StopFlag& stop) {
  TRY(sandbox.Check());
  if (question.out) return WriteParquet(sandbox, temporary, *question.out);
  if (question.explain) {
    TRY_ASSIGN(const std::string plan, sandbox.Explain());
    return WriteOut(plan + (plan.ends_with('\n') ? "" : "\n"));
  }
  TRY_ASSIGN(auto rows, sandbox.Run());
  OutStream out(stop);
  return PrintRows(rows, question.format, out);
}

// The same, where memory that is refused is an error like others.
Result<void> BoundedAnswer(tables::Sandbox& sandbox, const SqlQuestion& question, const std::string& temporary,
                           const StopFlag& stop) {
  try {
    return Answer(sandbox, question, temporary, stop);
  } catch (const std::bad_alloc&) {
    return Fail(ErrorCode::kIo, "the answer takes more than {} MB of memory: ask for less of it at once",
                kAllMemory >> 20);
  }
}

}  // namespace

Result<int> SqlCommand(const Settings& settings, const Arguments& arguments) {
  TRY_ASSIGN(const SqlQuestion question, SqlQuestionOf(arguments, settings.data_dir));
  if (!settings.s3_bucket_name.empty()) {
    return Fail(ErrorCode::kInvalid,
                "S3_BUCKET_NAME is '{}': sql reads the tables under DATA_DIR ({}) alone; take it out",
                settings.s3_bucket_name, settings.data_dir);
  }
  std::error_code error;
  const std::string folder = fs::weakly_canonical(TablesFolder(settings), error).string();
  if (error) return SystemError("open", TablesFolder(settings), error.value());
  TRY_ASSIGN(const auto manifest, NewestTables(folder));
  if (!manifest) {
    PrintError(
        fmt::format("there are no tables in {} yet: `tmdb-collector tables` makes them", settings.data_dir),
        settings.log_format);
    return kExitPartly;
  }
  if (question.views) {
    TRY(WriteOut(tables::ViewsScript(*manifest, folder + "/")));
    return kExitDone;
  }
  if (const auto old = WhyTablesAreBehind(settings, *manifest, SystemClock().Now()); !old.empty())
    PrintError(old, settings.log_format);
  TRY_ASSIGN(const auto library, LoadDuckdb(settings));
  tables::SandboxOptions options;
  options.threads = static_cast<int>(std::clamp(std::thread::hardware_concurrency(), 1u, 64u));
  options.memory_limit = kMemory;
  // Before there is a folder to be left behind.
  const StopSignals signals;
  // Not in the tables' folder: its tmp/ is the publish's, which empties it.
  TRY_ASSIGN(const auto temporary, TemporaryFolder::Make());
  options.temporary_folder = temporary.path();
  if (question.out)
    options.output_file =
        fmt::format("{}.{}.tmp", fs::absolute(*question.out).lexically_normal().string(), ::getpid());
  auto sandbox = tables::Sandbox::Open(library, folder, *manifest, question.statement, options);
  if (!sandbox) return std::unexpected(ExplainTables(sandbox.error(), folder, *manifest));
  // Of a single value DuckDB lets nobody interrupt what it does.
  const duckdb::InterruptOnStop interrupt(signals.flag(), sandbox->connection(), [&] {
    std::error_code ignored;
    fs::remove_all(options.temporary_folder, ignored);
    if (!options.output_file.empty()) fs::remove(options.output_file, ignored);
    PrintError("stopped", settings.log_format);
    std::_Exit(kExitPartly);
  });
  const MemoryBound bound(kAllMemory + std::uint64_t(options.threads) * kMemoryOfAThread);
  const auto answer = BoundedAnswer(*sandbox, question, options.output_file, signals.flag());
  if (answer) return kExitDone;
  if (signals.flag().requested()) {
    PrintError("stopped", settings.log_format);
    return kExitPartly;
  }
  const Error why = ExplainTables(answer.error(), folder, *manifest);
  PrintSqlError(why, settings.log_format);
  return ExitCodeOf(why.code);
}

}  // namespace tmdbc
