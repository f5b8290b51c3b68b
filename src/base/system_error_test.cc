// SPDX-License-Identifier: MIT
#include "base/system_error.h"

#include <gtest/gtest.h>

#include <cerrno>

namespace tmdbc {
namespace {

TEST(SystemErrorTest, SaysWhatAPersonCanDoAboutIt) {
  const struct {
    int error;
    ErrorCode code;
    Hint hint;
  } kRows[] = {
      {ENOSPC, ErrorCode::kNoSpace, Hint::kFreeSpace},   {EDQUOT, ErrorCode::kNoSpace, Hint::kFreeSpace},
      {EFBIG, ErrorCode::kNoSpace, Hint::kFreeSpace},    {ENOENT, ErrorCode::kNotFound, Hint::kNone},
      {EEXIST, ErrorCode::kExists, Hint::kNone},         {EACCES, ErrorCode::kIo, Hint::kPermission},
      {EPERM, ErrorCode::kIo, Hint::kPermission},        {EROFS, ErrorCode::kIo, Hint::kReadOnly},
      {EIO, ErrorCode::kIo, Hint::kNone},
  };
  for (const auto& row : kRows) {
    const Error error = SystemError("open", "records/movie.jsonl", row.error).error();
    EXPECT_EQ(error.code, row.code) << error.message;
    EXPECT_EQ(error.hint, row.hint) << error.message;
    EXPECT_TRUE(error.message.starts_with("open records/movie.jsonl: ")) << error.message;
  }
}

}  // namespace
}  // namespace tmdbc
