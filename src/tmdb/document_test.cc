// SPDX-License-Identifier: MIT
#include "tmdb/document.h"

#include <gtest/gtest.h>

namespace tmdbc {
namespace {

ContentHash HashOf(std::string_view json) {
  const auto hash = HashContent(json);
  EXPECT_TRUE(hash.has_value()) << json << ": " << (hash ? "" : hash.error().message);
  return hash.value_or(ContentHash{});
}

TEST(HashContent, IgnoresTheOrderOfMembersAndWhiteSpace) {
  EXPECT_EQ(HashOf(R"({"id":1,"title":"A"})"), HashOf("{ \"title\" : \"A\",\n\"id\":1 }"));
}

}  // namespace
}  // namespace tmdbc
