// SPDX-License-Identifier: MIT
#include "app/source_guard.h"

#include <simdjson.h>

#include "app/app_properties.h"
#include "base/files.h"
#include "base/json.h"
#include "base/json_writer.h"
#include "base/words.h"
#include "harvester/accepted_exports.h"
#include "http/proxy.h"

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

// {"source":"api.themoviedb.org"}. In a file of its own, for catalog.db may be lost and made again.
constexpr const char* kSourceFile = "source.json";
constexpr std::uint64_t kMaxSourceBytes = 4096;
constexpr std::string_view kSourceProperty = "source";

// Empty when there is none, or none that can be read.
Result<std::string> SourceInFile(FileSystem& files) {
  const auto json = files.Read(kSourceFile, 0, kMaxSourceBytes);
  if (!json && json.error().code != ErrorCode::kNotFound) return std::unexpected(json.error());
  const auto parsed = ParsedJson::ParseString(json.value_or("{}"));
  std::string_view source;
  if (!parsed || parsed->root()["source"].get(source) != simdjson::SUCCESS) return std::string();
  return std::string(source);
}

Result<void> WriteSource(FileSystem& files, const std::string& source) {
  JsonWriter json;
  json.BeginObject().Field("source", source).EndObject();
  return WriteWhole(files, kSourceFile, json.text() + "\n");
}

Result<bool> HoldsNothing(Database& catalog, RecordLedger& ledger, QueueView& queue) {
  TRY_ASSIGN(const auto exports, AcceptedExports(catalog));
  TRY_ASSIGN(const auto queued, queue.Counts());
  if (!exports.empty() || !queued.empty()) return false;
  TRY_ASSIGN(const auto stored, ledger.Counts());
  return stored.empty();
}

std::unexpected<Error> Another(const std::string& place, const std::string& filled_from, std::string_view api_base_url) {
  const char* const simulated = filled_from == kThisMachine ? " (a simulated TMDB)" : "";
  if (place.starts_with("s3://")) {
    return Fail(ErrorCode::kInvalid,
                "{} was filled from {}{}, and TMDB_API_BASE_URL is {}: to keep them apart name another bucket with "
                "S3_BUCKET_NAME; if it is the same TMDB behind another address, `verify --adopt-source`",
                place, filled_from, simulated, api_base_url);
  }
  return Fail(
      ErrorCode::kInvalid,
      "DATA_DIR {} was filled from {}{}, and TMDB_API_BASE_URL is {}: to keep them apart name another "
      "folder with --data-dir, or remove {} if it is not needed any more; if it is the same TMDB behind another "
      "address, `verify --adopt-source`",
      place, filled_from, simulated, api_base_url, place);
}

}  // namespace

std::string SourceOf(std::string_view api_base_url) {
  std::string host = HostOf(api_base_url);
  if (host == kTmdb || host == "api.tmdb.org") return std::string(kTmdb);
  if (http::IsLoopback(http::HostNameOf(api_base_url))) return std::string(kThisMachine);
  return host;
}

Result<void> RequireSource(Database& catalog, RecordLedger& ledger, QueueView& queue, FileSystem& files,
                           const std::string& place, std::string_view api_base_url) {
  const std::string source = SourceOf(api_base_url);
  TRY_ASSIGN(const std::optional<std::string> known, GetProperty(catalog, kSourceProperty));
  std::string filled_from = known.value_or("");
  TRY_ASSIGN(const std::string in_file, SourceInFile(files));
  if (!known) filled_from = in_file;
  if (!filled_from.empty() && filled_from != source) {
    TRY_ASSIGN(const bool empty, HoldsNothing(catalog, ledger, queue));
    if (!empty) {
      return Another(place, filled_from, api_base_url);
    }
  }
  if (in_file != source) {
    // Where catalog.db knows it, a full disk can wait for the second place.
    const auto written = WriteSource(files, source);
    if (!written && !(known && filled_from == source)) return written;
  }
  if (known && filled_from == source) return {};
  return PutProperty(catalog, kSourceProperty, source);
}

Result<void> AdoptSource(Database& catalog, FileSystem& files, std::string_view api_base_url) {
  TRY(WriteSource(files, SourceOf(api_base_url)));
  return PutProperty(catalog, kSourceProperty, SourceOf(api_base_url));
}

}  // namespace tmdbc
