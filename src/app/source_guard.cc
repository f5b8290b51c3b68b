// SPDX-License-Identifier: MIT
#include "app/source_guard.h"

#include "app/words.h"
#include "harvester/accepted_exports.h"

namespace tmdbc {
namespace {

constexpr std::string_view kTmdb = "api.themoviedb.org";
constexpr std::string_view kThisMachine = "this machine";

// "[::1]" of "http://[::1]:4711/3", in lower case.
std::string HostOf(std::string_view url) {
  const auto scheme = url.find("://");
  if (scheme != std::string_view::npos) url.remove_prefix(scheme + 3);
  url = url.substr(0, url.find('/'));
  if (url.starts_with('[')) return Lower(url.substr(0, url.find(']') + 1));
  return Lower(url.substr(0, url.find(':')));
}

// 127.0.0.0/8, not a name that begins so.
bool IsLoopback(std::string_view host) {
  return host.starts_with("127.") && host.find_first_not_of("0123456789.") == std::string_view::npos;
}

Result<bool> HoldsNothing(Database& catalog, RecordStore& store, IdQueue& queue) {
  TRY_ASSIGN(const auto exports, AcceptedExports(catalog));
  TRY_ASSIGN(const auto queued, queue.Counts());
  if (!exports.empty() || !queued.empty()) return false;
  TRY_ASSIGN(const auto stored, store.Counts());
  return stored.empty();
}

}  // namespace

std::string SourceOf(std::string_view api_base_url) {
  const std::string host = HostOf(api_base_url);
  if (host == kTmdb || host == "api.tmdb.org") return std::string(kTmdb);
  if (host == "localhost" || host.ends_with(".localhost") || host == "[::1]" || IsLoopback(host))
    return std::string(kThisMachine);
  return host;
}

Result<void> RequireSource(Database& catalog, RecordStore& store, IdQueue& queue, const std::string& data_dir,
                           std::string_view api_base_url) {
  const std::string source = SourceOf(api_base_url);
  TRY(catalog.Execute(
      "CREATE TABLE IF NOT EXISTS app_properties(name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID"));
  TRY_ASSIGN(Statement get, catalog.Prepare("SELECT value FROM app_properties WHERE name = 'source'"));
  TRY_ASSIGN(const bool known, get.Step());
  const std::string filled_from(known ? get.Text(0) : std::string_view());
  get.Reset();
  if (filled_from == source) return {};
  if (known) {
    TRY_ASSIGN(const bool empty, HoldsNothing(catalog, store, queue));
    if (!empty) {
      return Fail(
          ErrorCode::kInvalid,
          "DATA_DIR {} was filled from {}{}, and TMDB_API_BASE_URL is {}: to keep them apart name another "
          "folder with --data-dir, or remove {} if it is not needed any more",
          data_dir, filled_from, filled_from == kThisMachine ? " (a simulated TMDB)" : "", api_base_url,
          data_dir);
    }
  }
  TRY_ASSIGN(Statement put, catalog.Prepare("INSERT OR REPLACE INTO app_properties VALUES('source', ?1)"));
  return put.Bind(source).Run();
}

}  // namespace tmdbc
