// SPDX-License-Identifier: MIT
// verify: that the settings are right was checked before it began; then the store, and with --key the key.
#include <fmt/format.h>

#include "app/command.h"
#include "app/data_dir.h"
#include "app/json_writer.h"
#include "app/output.h"
#include "app/progress.h"
#include "app/version.h"
#include "http/curl_transport.h"
#include "storage/record_store.h"

namespace tmdbc {
namespace {

using Report = RecordStore::VerifyReport;

constexpr std::size_t kShownRecords = 20;  // of one damaged place, for a person; --json names all
constexpr std::chrono::seconds kKeyTimeout{10};

Result<Report> CheckStore(const Settings& settings, bool rebuild, bool deep) {
  auto dir =
      rebuild ? DataDir::OpenForWriting(settings.data_dir) : DataDir::OpenForReading(settings.data_dir);
  if (!dir) return std::unexpected(dir.error());
  TRY_ASSIGN(Database catalog, dir->OpenCatalog());
  PosixFileSystem files(dir->path());
  if (!rebuild) {
    TRY_ASSIGN(const auto store, RecordStore::OpenReadOnly(files, catalog));
    return store->Verify(deep);
  }
  // Not Open(): what it would recover is what is to be made anew.
  TRY_ASSIGN(const auto store, RecordStore::OpenReadOnly(files, catalog));
  TRY_ASSIGN(Report rebuilt, store->Rebuild());
  if (!deep || !rebuilt.damage.empty()) return rebuilt;
  return store->Verify(true);
}

std::string DamageText(const RecordStore::Damage& damage) {
  std::string text = fmt::format("damaged   {} at {}: {}\n", damage.file, damage.offset, damage.what);
  for (std::size_t i = 0; i < std::min(damage.records.size(), kShownRecords); ++i) {
    text += fmt::format("          {}\n", ToString(damage.records[i]));
  }
  if (damage.records.size() > kShownRecords) {
    text += fmt::format("          and {} more (--json names them all)\n",
                        FormatCount(std::int64_t(damage.records.size() - kShownRecords)));
  }
  return text;
}

std::string StoreText(const Report& report, bool deep) {
  // Without --deep no record was read, and none is vouched for.
  const std::string read = deep ? fmt::format("{} records in ", FormatCount(report.records)) : "";
  const char* const good =
      deep ? "all is well" : "sizes, numbers and state files are right (--deep reads every byte)";
  std::string text =
      fmt::format("store     {}{} segments, {:.1f} MB: {}\n", read, FormatCount(report.segments),
                  double(report.bytes) / 1e6,
                  report.damage.empty() ? good : fmt::format("{} places are damaged", report.damage.size()));
  for (const auto& damage : report.damage) text += DamageText(damage);
  return text;
}

void AddStore(JsonWriter& json, const Report& report) {
  json.BeginObject()
      .Field("segments", report.segments)
      .Field("frames", report.frames)
      .Field("records", report.records);
  json.Field("bytes", report.bytes).Key("damage").BeginArray();
  for (const auto& damage : report.damage) {
    json.BeginObject()
        .Field("file", damage.file)
        .Field("offset", damage.offset)
        .Field("what", damage.what)
        .Key("records")
        .BeginArray();
    for (const MediaId id : damage.records)
      json.BeginObject().Field("type", Name(id.type)).Field("id", id.id).EndObject();
    json.EndArray().EndObject();
  }
  json.EndArray().EndObject();
}

// One request that needs no more than a good key.
Result<void> CheckKey(const Settings& settings) {
  TRY(RequireKey(settings));
  const SystemClock clock;
  TRY_ASSIGN(const auto transport, http::CurlTransport::Create(clock));
  http::Request request = MakeRequest(ApiAccessOf(settings), Call{.path = "configuration", .appends = {}});
  request.timeout = kKeyTimeout;
  transport->Start(std::move(request), {});
  const MonoTime deadline = clock.Mono() + 2 * kKeyTimeout;
  while (clock.Mono() < deadline) {
    for (const http::Outcome& outcome : transport->Wait(deadline)) {
      if (!outcome.response)
        return Fail(ErrorCode::kUnavailable, "try the key at {}: {}", settings.tmdb_api_base_url,
                    outcome.failure_text);
      const int status = outcome.response->status;
      if (status == 200) return {};
      if (status == 401)
        return Fail(ErrorCode::kDenied, "try the key at {}: TMDB refuses it (HTTP 401)",
                    settings.tmdb_api_base_url);
      return Fail(ErrorCode::kUnavailable, "try the key at {}: HTTP {}", settings.tmdb_api_base_url, status);
    }
  }
  return Fail(ErrorCode::kUnavailable, "try the key at {}: no answer", settings.tmdb_api_base_url);
}

}  // namespace

Result<int> VerifyCommand(const Settings& settings, const Arguments& arguments) {
  const bool try_key = arguments.Has("--key");
  // Before the store, which may take minutes.
  if (try_key) TRY(CheckKey(settings));
  const bool rebuild = arguments.Has("--rebuild"), deep = arguments.Has("--deep");
  TRY_ASSIGN(const Report report, CheckStore(settings, rebuild, deep));
  if (arguments.Has("--json")) {
    JsonWriter json;
    json.BeginObject()
        .Field("ok", report.damage.empty())
        .Field("settings", "ok")
        .Field("key", try_key ? "ok" : "not tried")
        .Key("store");
    AddStore(json, report);
    TRY(WriteOut(json.EndObject().text() + "\n"));
  } else {
    TRY(WriteOut(fmt::format("settings  good\nkey       {}\n{}",
                             try_key ? "TMDB takes it" : "not tried (--key tries it)",
                             StoreText(report, deep || rebuild))));
  }
  return report.damage.empty() ? kExitDone : kExitPartly;
}

}  // namespace tmdbc
