// SPDX-License-Identifier: MIT
// The VFS that our databases are opened with (https://www.sqlite.org/vfs.html). It passes everything on to the
// system's, with two additions. Pages get their checksums as they are written (page_checksum.h). And a quota or
// a file size limit that is reached is SQLITE_FULL, as a full disk is: SQLite itself knows ENOSPC alone and
// calls the others a disk I/O error.
#pragma once

#include <optional>

#include "base/result.h"

namespace tmdbc {

// Its name, for sqlite3_open_v2(). Registers it at the first call; any thread.
const char* OurVfs();

// errno of the last file operation of a database that failed in this thread, for its report; 0 when none did
// since it was last asked for.
int TakeVfsError();

// The same of a file that is not on this machine: what its VFS knows of a failure in this thread, in words, for the
// report of the operation that is about to fail.
void NoteVfsFailure(Error failure);
std::optional<Error> TakeVfsFailure();

}  // namespace tmdbc
