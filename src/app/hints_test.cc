// SPDX-License-Identifier: MIT
#include "app/hints.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <cstring>

namespace tmdbc {
namespace {

TEST(Hints, WhoRunsOutOfOpenFilesIsToldHowToHaveMore) {
  for (const int error : {EMFILE, ENFILE}) {
    const std::string words = Explain(Error{ErrorCode::kIo, std::string("list records: ") + std::strerror(error)});
    EXPECT_TRUE(words.starts_with("list records: ")) << words;
    EXPECT_NE(words.find("`ulimit -n 1024`"), std::string::npos) << words;
  }
  EXPECT_EQ(Explain(Error{ErrorCode::kIo, "list records: Input/output error"}), "list records: Input/output error");
}

TEST(Hints, WhoMeetsTheLargestSizeOfAFileIsToldWhereThatIsSet) {
  const Error largest{ErrorCode::kNoSpace, std::string("write a: ") + std::strerror(EFBIG), Hint::kFreeSpace};
  EXPECT_NE(Explain(largest).find("`ulimit -f`"), std::string::npos) << Explain(largest);
  EXPECT_EQ(Explain(largest).find("free some space"), std::string::npos) << Explain(largest);
  const Error full{ErrorCode::kNoSpace, std::string("write a: ") + std::strerror(ENOSPC), Hint::kFreeSpace};
  EXPECT_NE(Explain(full).find("free some space"), std::string::npos) << Explain(full);
}

}  // namespace
}  // namespace tmdbc
