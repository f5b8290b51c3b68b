// SPDX-License-Identifier: MIT
// A text file that a person wrote: read whole, whatever editor it comes from.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>

#include "base/result.h"

namespace tmdbc {

// UTF-8 with \n line ends: a byte order mark is dropped, \r\n and a lone \r become \n. kNotFound when there is no
// such file; kInvalid for a folder, a file of more than `max_bytes`, one that cannot be read, UTF-16, and a
// file that holds NUL bytes. A pipe is read to its end, however long that takes, when somebody has written to it within
// `writer_wait`; else it is kInvalid.
Result<std::string> ReadTextFile(const std::string& path, std::size_t max_bytes,
                                 std::chrono::milliseconds writer_wait = std::chrono::seconds(5));

}  // namespace tmdbc
