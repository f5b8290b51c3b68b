// SPDX-License-Identifier: MIT
#include "tables/manifest.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <functional>

#include "base/json.h"
#include "base/json_writer.h"

namespace tmdbc::tables {
namespace {

using simdjson::dom::array;
using simdjson::dom::element;
using simdjson::dom::object;

constexpr std::string_view kSuffix = ".json";

template <class T>
Result<T> Member(const object& of, std::string_view name) {
  T value;
  if (of[name].get(value) != simdjson::SUCCESS)
    return Fail(ErrorCode::kCorrupt, "the manifest has no good '{}'", name);
  return value;
}

// No reader follows a path out of the folder.
bool StaysInside(std::string_view path) {
  const auto slash = path.find('/');
  return slash != std::string_view::npos && slash > 0 &&
         path.find('/', slash + 1) == std::string_view::npos && path.find("..") == std::string_view::npos &&
         path.ends_with(".parquet");
}

Result<DataFile> ParseFile(const object& json) {
  DataFile file;
  TRY_ASSIGN(const auto path, Member<std::string_view>(json, "path"));
  if (!StaysInside(path))
    return Fail(ErrorCode::kCorrupt, "the manifest names no file of a table: '{}'", path);
  file.path = path;
  TRY_ASSIGN(file.rows, Member<std::int64_t>(json, "rows"));
  TRY_ASSIGN(file.bytes, Member<std::int64_t>(json, "bytes"));
  TRY_ASSIGN(file.first, Member<std::int64_t>(json, "first"));
  TRY_ASSIGN(file.last, Member<std::int64_t>(json, "last"));
  TRY_ASSIGN(const auto sha256, Member<std::string_view>(json, "sha256"));
  file.sha256 = sha256;
  return file;
}

Result<FeedMark> ParseMark(const element& json) {
  object members;
  if (json.get(members) != simdjson::SUCCESS) return Fail(ErrorCode::kCorrupt, "the manifest has a mark that is none");
  FeedMark mark;
  TRY_ASSIGN(mark.id, Member<std::int64_t>(members, "id"));
  TRY_ASSIGN(mark.version, Member<std::int64_t>(members, "version"));
  TRY_ASSIGN(const auto fetched_at, Member<std::string_view>(members, "fetched_at"));
  const auto time = ParseTime(fetched_at);
  if (!time) return Fail(ErrorCode::kCorrupt, "the manifest has no good 'fetched_at'");
  mark.fetched_at = *time;
  TRY_ASSIGN(mark.stats, Member<bool>(members, "stats"));
  return mark;
}

Result<TableFiles> ParseTable(const object& json) {
  TableFiles table;
  TRY_ASSIGN(table.delta_version, Member<std::int64_t>(json, "delta_version"));
  TRY_ASSIGN(table.width, Member<std::int64_t>(json, "width"));
  // The first manifests had none.
  if (json["built_bytes"].error() != simdjson::NO_SUCH_FIELD) {
    TRY_ASSIGN(table.built_bytes, Member<std::int64_t>(json, "built_bytes"));
  }
  TRY_ASSIGN(const array files, Member<array>(json, "files"));
  for (const element one : files) {
    object file;
    if (one.get(file) != simdjson::SUCCESS)
      return Fail(ErrorCode::kCorrupt, "the manifest has a file that is none");
    TRY_ASSIGN(auto parsed, ParseFile(file));
    table.files.push_back(std::move(parsed));
  }
  return table;
}

}  // namespace

std::string FormatManifest(const Manifest& manifest) {
  JsonWriter json;
  json.BeginObject()
      .Field("format", kManifestFormat)
      .Field("spec", manifest.spec)
      .Field("generation", manifest.generation)
      .Field("parent", manifest.parent)
      .Field("committed_at", FormatTime(manifest.committed_at))
      .Field("purged", manifest.purged)
      .Key("sequences")
      .BeginObject();
  for (const auto& [type, sequence] : manifest.sequences) json.Field(Name(type), sequence);
  json.EndObject().Key("marks").BeginObject();
  for (const auto& [type, marks] : manifest.marks) {
    json.Key(Name(type)).BeginArray();
    for (const FeedMark& mark : marks) {
      json.BeginObject()
          .Field("id", mark.id)
          .Field("version", mark.version)
          .Field("fetched_at", FormatTime(mark.fetched_at))
          .Field("stats", mark.stats)
          .EndObject();
    }
    json.EndArray();
  }
  json.EndObject().Key("exports").BeginObject();
  for (const auto& [name, day] : manifest.exports) json.Field(name, FormatDate(day));
  json.EndObject().Key("tables").BeginObject();
  for (const auto& [name, table] : manifest.tables) {
    json.Key(name)
        .BeginObject()
        .Field("delta_version", table.delta_version)
        .Field("width", table.width)
        .Field("built_bytes", table.built_bytes)
        .Key("files")
        .BeginArray();
    for (const DataFile& file : table.files) {
      json.BeginObject()
          .Field("path", file.path)
          .Field("rows", file.rows)
          .Field("bytes", file.bytes)
          .Field("first", file.first)
          .Field("last", file.last)
          .Field("sha256", file.sha256)
          .EndObject();
    }
    json.EndArray().Key("recent").Null().EndObject();
  }
  json.EndObject().Key("superseded").BeginObject().EndObject().EndObject();
  return json.text() + "\n";
}

Result<Manifest> ParseManifest(std::string_view text) {
  auto parsed = ParsedJson::Parse(text);
  if (!parsed) return Fail(ErrorCode::kCorrupt, "the manifest is not JSON: {}", parsed.error().message);
  object json;
  if (parsed->root().get(json) != simdjson::SUCCESS)
    return Fail(ErrorCode::kCorrupt, "the manifest is not an object");
  TRY_ASSIGN(const auto format, Member<std::int64_t>(json, "format"));
  if (format != kManifestFormat) {
    return Fail(ErrorCode::kInvalid, Hint::kNewStore, "the tables have the format {}, this program knows {}",
                format, kManifestFormat);
  }
  Manifest manifest;
  TRY_ASSIGN(const auto spec, Member<std::int64_t>(json, "spec"));
  manifest.spec = int(spec);
  TRY_ASSIGN(manifest.generation, Member<std::int64_t>(json, "generation"));
  TRY_ASSIGN(manifest.parent, Member<std::int64_t>(json, "parent"));
  TRY_ASSIGN(const auto committed_at, Member<std::string_view>(json, "committed_at"));
  const auto time = ParseTime(committed_at);
  if (!time) return Fail(ErrorCode::kCorrupt, "the manifest has no good 'committed_at'");
  manifest.committed_at = *time;
  TRY_ASSIGN(manifest.purged, Member<bool>(json, "purged"));
  TRY_ASSIGN(const object sequences, Member<object>(json, "sequences"));
  for (const auto [name, value] : sequences) {
    const auto type = ParseMediaType(name);
    if (!type) continue;  // of a later program
    TRY_ASSIGN(manifest.sequences[*type], Member<std::int64_t>(sequences, name));
  }
  // The first manifests had none of these.
  if (json["marks"].error() != simdjson::NO_SUCH_FIELD) {
    TRY_ASSIGN(const object marks, Member<object>(json, "marks"));
    for (const auto [name, value] : marks) {
      const auto type = ParseMediaType(name);
      if (!type) continue;
      TRY_ASSIGN(const array of_type, Member<array>(marks, name));
      for (const element one : of_type) {
        TRY_ASSIGN(manifest.marks[*type].emplace_back(), ParseMark(one));
      }
    }
  }
  if (json["exports"].error() != simdjson::NO_SUCH_FIELD) {
    TRY_ASSIGN(const object exports, Member<object>(json, "exports"));
    for (const auto [name, value] : exports) {
      TRY_ASSIGN(const auto date, Member<std::string_view>(exports, name));
      const auto day = ParseDate(date);
      if (!day) return Fail(ErrorCode::kCorrupt, "the manifest has no good day of '{}'", name);
      manifest.exports[std::string(name)] = *day;
    }
  }
  TRY_ASSIGN(const object tables, Member<object>(json, "tables"));
  for (const auto [name, value] : tables) {
    TRY_ASSIGN(const object table, Member<object>(tables, name));
    TRY_ASSIGN(auto files, ParseTable(table));
    manifest.tables.emplace(name, std::move(files));
  }
  return manifest;
}

std::string ManifestPath(std::int64_t generation) {
  return fmt::format("manifests/{:09}{}", generation, kSuffix);
}

std::optional<std::int64_t> ParseManifestName(std::string_view name) {
  if (!name.ends_with(kSuffix)) return std::nullopt;
  name.remove_suffix(kSuffix.size());
  std::int64_t generation = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), generation);
  if (name.size() < 9 || error != std::errc() || end != name.data() + name.size() || generation < 1)
    return std::nullopt;
  return generation;
}

std::string FormatHint(std::int64_t generation) {
  return fmt::format("{{\"generation\":{}}}\n", generation);
}

std::optional<std::int64_t> ParseHint(std::string_view json) {
  const auto parsed = ParsedJson::Parse(json);
  std::int64_t generation = 0;
  if (!parsed || parsed->root()["generation"].get(generation) != simdjson::SUCCESS) return std::nullopt;
  return generation;
}

std::string DataPath(std::string_view table, std::string_view partition, std::int64_t generation) {
  return fmt::format("{}/{}.{:09}.parquet", table, partition, generation);
}

std::string_view PartitionOf(std::string_view path) {
  const std::string_view name = path.substr(path.rfind('/') + 1);
  return name.substr(0, name.find('.'));
}

Result<std::int64_t> NewestGeneration(BlobReader& folder) {
  TRY_ASSIGN(const auto paths, folder.List("manifests"));
  std::int64_t newest = 0;
  for (const std::string& path : paths)
    newest = std::max(newest, ParseManifestName(path.substr(path.rfind('/') + 1)).value_or(0));
  return newest;
}

Result<Manifest> ReadManifest(BlobReader& folder, std::int64_t generation) {
  const std::string path = ManifestPath(generation);
  TRY_ASSIGN(const std::string text, folder.Read(path, 0, kMaxManifestBytes));
  auto manifest = ParseManifest(text);
  if (!manifest) return Within(path.c_str(), manifest.error());
  if (manifest->generation != generation)
    return Fail(ErrorCode::kCorrupt, "{} says that it is generation {}", path, manifest->generation);
  return manifest;
}

Result<std::optional<Manifest>> NewestWholeBefore(BlobReader& folder, std::int64_t generation) {
  TRY_ASSIGN(const auto paths, folder.List("manifests"));
  std::vector<std::int64_t> older;
  for (const std::string& path : paths) {
    const auto number = ParseManifestName(path.substr(path.rfind('/') + 1));
    if (number && *number < generation) older.push_back(*number);
  }
  std::ranges::sort(older, std::greater());
  for (const std::int64_t number : older) {
    auto manifest = ReadManifest(folder, number);
    if (manifest) return *std::move(manifest);
    if (!IsDamage(manifest.error())) return std::unexpected(manifest.error());
  }
  return std::nullopt;
}

}  // namespace tmdbc::tables
