// SPDX-License-Identifier: MIT
// MirrorStore: the pieces of the store of a process that works, opened in one place; each part of the program
// takes the piece it needs. Commands that only look have OpenedStore. One thread.
#pragma once

#include <memory>
#include <utility>

#include "base/clock.h"
#include "base/files.h"
#include "base/sqlite.h"
#include "storage/ledger.h"
#include "storage/popularity_table.h"
#include "storage/record_reader.h"
#include "storage/record_writer.h"

namespace tmdbc {

struct MirrorStore {
  // Recovers, as RecordWriter::Open() does and with its errors. All three outlive the store.
  static Result<std::unique_ptr<MirrorStore>> Open(FileSystem& files, Database& catalog, const Clock& clock,
                                                   const RecordWriterOptions& options = {}) {
    TRY_ASSIGN(auto writer, RecordWriter::Open(files, catalog, clock, options));
    return std::make_unique<MirrorStore>(files, catalog, std::move(writer));
  }

  MirrorStore(FileSystem& files, Database& catalog, std::unique_ptr<RecordWriter> opened)
      : reader(files, catalog), ledger(catalog), popularity(catalog), writer(std::move(opened)) {}

  RecordReader reader;
  RecordLedger ledger;
  PopularityTable popularity;
  const std::unique_ptr<RecordWriter> writer;  // never null
};

}  // namespace tmdbc
