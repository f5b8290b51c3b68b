// SPDX-License-Identifier: MIT
#include "tables/generation_draft.h"

#include <algorithm>

#include "storage/record.h"
#include "tables/check.h"
#include "tables/spec.h"

namespace tmdbc::tables {

bool CanBeMadeAgain(std::string_view table) {
  return table != "popularity_daily" && table != "snapshots";
}

GenerationDraft::GenerationDraft(TableFolder& folder, const Manifest* previous,
                                 const std::set<std::string>& lost, bool build)
    : folder_(folder), previous_(previous), lost_(lost), build_(build) {
  next_.spec = kSpecVersion;
  next_.generation = 1;
  if (previous_ != nullptr) {
    next_.generation = previous_->generation + 1;
    next_.parent = previous_->generation;
    if (!build_) {
      next_.sequences = previous_->sequences;
      next_.marks = previous_->marks;
    }
    next_.exports = previous_->exports;
  }
  for (const Table& table : Tables()) {
    TableFiles& files = next_.tables[table.name];
    if (previous_ == nullptr || !previous_->tables.contains(table.name)) continue;
    const TableFiles& old = previous_->tables.find(table.name)->second;
    files.delta_version = old.delta_version;
    files.built_bytes = old.built_bytes;
    if (build_ && CanBeMadeAgain(table.name)) continue;
    files.width = old.width;
    files.files = old.files;
    std::erase_if(files.files, [&](const DataFile& file) { return lost_.contains(file.path); });
  }
}

const DataFile* GenerationDraft::Old(std::string_view table, std::string_view partition) const {
  if (previous_ == nullptr) return nullptr;
  const auto found = previous_->tables.find(table);
  if (found == previous_->tables.end()) return nullptr;
  const auto& files = found->second.files;
  const auto file =
      std::ranges::find(files, partition, [](const DataFile& one) { return PartitionOf(one.path); });
  return file == files.end() || lost_.contains(file->path) ? nullptr : &*file;
}

Result<std::string> GenerationDraft::OldFile(std::string_view table, std::string_view partition) {
  const DataFile* old = build_ && CanBeMadeAgain(table) ? nullptr : Old(table, partition);
  if (old == nullptr) return "";
  if (!whole_.contains(old->path)) {
    TRY_ASSIGN(const std::string fault, FaultOf(folder_.files(), *old));
    if (!fault.empty()) {
      damaged_ = old->path;
      return Fail(ErrorCode::kCorrupt, "{}: {}", old->path, fault);
    }
    whole_.insert(old->path);
  }
  return folder_.Full(old->path);
}

void GenerationDraft::Distrust(std::string_view table, std::string_view partition) {
  if (const DataFile* old = Old(table, partition)) damaged_ = old->path;
}

bool GenerationDraft::HasOldFiles(std::string_view table) const {
  if (previous_ == nullptr || (build_ && CanBeMadeAgain(table))) return false;
  const auto found = previous_->tables.find(table);
  return found != previous_->tables.end() && !found->second.files.empty();
}

std::int64_t GenerationDraft::Width(std::string_view table) const {
  return next_.tables.find(table)->second.width;
}

void GenerationDraft::SetWidth(std::string_view table, std::int64_t width) {
  next_.tables.find(table)->second.width = width;
}

Result<void> GenerationDraft::Put(std::string_view table, std::string_view partition,
                                  const std::optional<PartWriter::Part>& part) {
  auto& files = next_.tables.find(table)->second.files;
  std::erase_if(files, [&](const DataFile& file) { return PartitionOf(file.path) == partition; });
  if (!part) return {};
  DataFile file = part->file;
  const DataFile* old = Old(table, partition);
  const std::string temporary = part->temporary.substr(folder_.root().size() + 1);
  bool stays = old != nullptr && old->sha256 == file.sha256 && old->bytes == file.bytes;
  if (stays && !whole_.contains(old->path)) {
    // A build has not read the old one.
    TRY_ASSIGN(const std::string fault, FaultOf(folder_.files(), *old));
    stays = fault.empty();
  }
  if (stays) {
    file = *old;
    TRY(folder_.Remove(temporary));
  } else {
    file.path = DataPath(table, partition, next_.generation);
    files_.push_back({temporary, file.path});
  }
  files.insert(std::ranges::upper_bound(files, file.path, {}, &DataFile::path), file);
  return {};
}

const Manifest& GenerationDraft::Finish(Time now) {
  next_.committed_at = ToMillis(now);
  for (auto& [name, table] : next_.tables) {
    const TableFiles* old = nullptr;
    if (previous_ != nullptr && previous_->tables.contains(name)) old = &previous_->tables.find(name)->second;
    // A log says the schema too.
    const bool says_so = old != nullptr && old->delta_version >= 0 && old->files == table.files &&
                         previous_->spec == next_.spec;
    if (!says_so) ++table.delta_version;
    if (build_) {
      table.built_bytes = 0;
      for (const DataFile& file : table.files) table.built_bytes = std::max(table.built_bytes, file.bytes);
    }
  }
  return next_;
}

std::int64_t GenerationDraft::bytes() const {
  std::int64_t bytes = 0;
  for (const auto& [name, table] : next_.tables) {
    for (const DataFile& file : table.files) {
      if (std::ranges::find(files_, file.path, &NewFile::path) != files_.end()) bytes += file.bytes;
    }
  }
  return bytes;
}

}  // namespace tmdbc::tables
