// SPDX-License-Identifier: MIT
// What errno says of a call about a file: kNotFound, kExists, kNoSpace, else kIo, with what helps.
#pragma once

#include <string>

#include "base/result.h"

namespace tmdbc {

// `act`: "open", in a message "open PATH: No such file or directory".
std::unexpected<Error> SystemError(const char* act, const std::string& path, int error);

}  // namespace tmdbc
