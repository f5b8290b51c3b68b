// SPDX-License-Identifier: MIT
#include "base/system_error.h"

#include <cerrno>
#include <cstring>

namespace tmdbc {

std::unexpected<Error> SystemError(const char* act, const std::string& path, int error) {
  ErrorCode code = ErrorCode::kIo;
  Hint hint = Hint::kNone;
  const char* more = "";
  switch (error) {
    case EFBIG:
      more = " (the largest that this process, or the file system, may write)";
      [[fallthrough]];
    case ENOSPC:
    case EDQUOT:
      code = ErrorCode::kNoSpace;
      hint = Hint::kFreeSpace;
      break;
    case ENOENT:
      code = ErrorCode::kNotFound;
      break;
    case EEXIST:
      code = ErrorCode::kExists;
      break;
    case EACCES:
    case EPERM:
      hint = Hint::kPermission;
      break;
    case EROFS:
      hint = Hint::kReadOnly;
      break;
    default:
      break;
  }
  return Fail(code, hint, "{} {}: {}{}", act, path, std::strerror(error), more);
}

}  // namespace tmdbc
