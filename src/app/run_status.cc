// SPDX-License-Identifier: MIT
#include "app/run_status.h"

#include <unistd.h>

#include <charconv>
#include <fstream>
#include <iterator>

namespace tmdbc {
namespace {

// Field 22 of /proc/PID/stat, counted after the command's closing parenthesis (proc(5)); 0 when there is no
// such process.
std::int64_t ProcessStart(std::int64_t pid) {
  std::ifstream file(fmt::format("/proc/{}/stat", pid));
  std::string stat((std::istreambuf_iterator<char>(file)), {});
  auto at = stat.rfind(')');
  for (int field = 2; field < 22 && at != std::string::npos; ++field) at = stat.find(' ', at + 1);
  if (at == std::string::npos) return 0;
  std::int64_t start = 0;
  std::from_chars(stat.data() + at + 1, stat.data() + stat.size(), start);
  return start;
}

std::int64_t Micros(Time time) {
  return time.time_since_epoch().count();
}
Time FromMicros(std::int64_t micros) {
  return Time(Duration(micros));
}

Result<bool> HasTable(Database& catalog) {
  TRY_ASSIGN(Statement query,
             catalog.Prepare("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'run_status'"));
  return query.Step();
}

}  // namespace

bool RunStatus::running() const {
  return !ended && ProcessStart(pid) == process_start;
}

RunStatus StatusOfThisProcess(std::string command, Time now) {
  RunStatus status;
  status.command = std::move(command);
  status.pid = ::getpid();
  status.process_start = ProcessStart(status.pid);
  status.started = status.updated = now;
  return status;
}

Result<void> CreateRunStatus(Database& catalog) {
  return catalog.Execute(
      "CREATE TABLE IF NOT EXISTS run_status(id INTEGER PRIMARY KEY CHECK (id = 1), command TEXT, pid "
      "INTEGER, process_start INTEGER,"
      " started INTEGER, updated INTEGER, ended INTEGER, requests INTEGER, throttled INTEGER, settled "
      "INTEGER,"
      " requests_per_second REAL, settled_per_second REAL);"
      "CREATE TABLE IF NOT EXISTS run_error(class TEXT PRIMARY KEY, count INTEGER NOT NULL) WITHOUT ROWID");
}

Result<void> WriteRunStatus(Database& catalog, const RunStatus& s) {
  return catalog.Transact([&]() -> Result<void> {
    TRY_ASSIGN(
        Statement put,
        catalog.Prepare("INSERT OR REPLACE INTO run_status VALUES(1,?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11)"));
    TRY(put.Bind(s.command, s.pid, s.process_start, Micros(s.started), Micros(s.updated), s.ended, s.requests,
                 s.throttled, s.settled, s.requests_per_second, s.settled_per_second)
            .Run());
    TRY(catalog.Execute("DELETE FROM run_error"));
    TRY_ASSIGN(Statement error, catalog.Prepare("INSERT INTO run_error VALUES(?1,?2)"));
    for (const auto& [name, count] : s.errors) TRY(error.Bind(name, count).Run());
    return {};
  });
}

Result<std::optional<RunStatus>> ReadRunStatus(Database& catalog) {
  TRY_ASSIGN(const bool there, HasTable(catalog));
  if (!there) return std::nullopt;
  TRY_ASSIGN(Statement get,
             catalog.Prepare(
                 "SELECT command, pid, process_start, started, updated, ended, requests, throttled, settled,"
                 " requests_per_second, settled_per_second FROM run_status"));
  TRY_ASSIGN(const bool row, get.Step());
  if (!row) return std::nullopt;
  RunStatus s;
  s.command = get.Text(0);
  s.pid = get.Int(1);
  s.process_start = get.Int(2);
  s.started = FromMicros(get.Int(3));
  s.updated = FromMicros(get.Int(4));
  s.ended = get.Int(5) != 0;
  s.requests = get.Int(6);
  s.throttled = get.Int(7);
  s.settled = get.Int(8);
  s.requests_per_second = get.Real(9);
  s.settled_per_second = get.Real(10);
  TRY_ASSIGN(Statement errors, catalog.Prepare("SELECT class, count FROM run_error"));
  while (true) {
    TRY_ASSIGN(const bool more, errors.Step());
    if (!more) break;
    s.errors.emplace(errors.Text(0), errors.Int(1));
  }
  return s;
}

}  // namespace tmdbc
