// SPDX-License-Identifier: MIT
#include "app/tables_publish.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <utility>
#include <vector>

#include "app/newest_tables.h"
#include "app/opened_bucket.h"
#include "app/opened_store.h"
#include "harvester/accepted_exports.h"
#include "tables/bucket_tables.h"
#include "tmdb/export_line.h"

namespace tmdbc {

namespace {

Result<tables::PublishReport> PublishThere(const Settings& settings, const tables::PublishPorts& ports,
                                           const tables::PublishOptions& options) {
  TRY_ASSIGN(const auto bucket, OpenedBucket::Open(settings));
  TRY(bucket->Probe());
  std::error_code error;
  std::filesystem::create_directories(std::filesystem::path(options.root).parent_path(), error);
  if (error) return Fail(ErrorCode::kIo, "make folder {}: {}", options.root, error.message());
  auto report = tables::PublishToBucket(ports, options, bucket->objects());
  if (report) return report;
  if (!IsDamage(report.error())) return std::unexpected(OfBucket(bucket->name(), report.error()));
  return Fail(report.error().code, "{}/tables: {}: `tables --rebuild` makes all tables again", bucket->name(),
              report.error().message);
}

}  // namespace

std::string TablesFolder(const Settings& settings) {
  if (settings.s3_bucket_name.empty()) return settings.data_dir + "/tables";
  return fmt::format("{}/bucket/{}/tables", settings.data_dir, settings.s3_bucket_name);
}

Result<tables::PublishReport> PublishTables(const Settings& settings, const duckdb::Library& library, bool rebuild,
                                            const StopFlag& stop,
                                            std::function<void(const tables::PublishProgress&)> progress) {
  const bool in_bucket = !settings.s3_bucket_name.empty();
  // Lines of numbers ask for many records one by one.
  TRY_ASSIGN(const auto opened, OpenedStore::ForReadingAll(settings));
  OpenedStore& store = *opened;
  // A damaged manifest is told with what helps.
  if (!rebuild && !in_bucket) TRY(NewestTables(TablesFolder(settings)));
  std::vector<tables::PopularityExport> exports;
  TRY_ASSIGN(const auto accepted, AcceptedExports(store.catalog));
  for (const AcceptedExport& one : accepted) {
    const auto file = std::ranges::find(kExportFiles, one.name, &ExportFile::name);
    const std::string path = KeptExportPath(one.name, one.date);
    if (file == kExportFiles.end() || !file->has_popularity) continue;
    TRY_ASSIGN(const bool kept, store.files.Exists(path));
    if (kept) exports.push_back({one.name, file->type, one.date, path});
  }
  tables::PublishOptions options;
  options.root = TablesFolder(settings);
  options.rebuild = rebuild;
  options.popularity_minimum = settings.popularity_history_min;
  const tables::PublishPorts ports{store.feed, store.reader, library, store.clock, stop, store.files,
                                   std::move(exports), std::move(progress)};
  return in_bucket ? PublishThere(settings, ports, options) : tables::Publish(ports, options);
}

}  // namespace tmdbc
