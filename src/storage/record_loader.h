// SPDX-License-Identifier: MIT
// RecordLoader: one stored line, read by its place and believed only when its frame inflates with the right
// checksum and the line is that of the wanted id and version. One thread.
#pragma once

#include <cstdint>

#include "base/compression.h"
#include "base/files.h"
#include "storage/record.h"
#include "storage/record_index.h"

namespace tmdbc {

class RecordLoader {
 public:
  // `files` outlives the loader.
  explicit RecordLoader(FileSystem& files) : files_(files) {}

  // kCorrupt when what is there is not that record. The message names record, file and offset.
  Result<StoredRecord> Load(MediaId id, std::int64_t version, const Place& place);

 private:
  Result<StoredRecord> LoadLine(MediaId id, std::int64_t version, const Place& place);

  FileSystem& files_;
  ZstdDecoder decoder_;
};

}  // namespace tmdbc
