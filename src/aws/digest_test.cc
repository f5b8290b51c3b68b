// SPDX-License-Identifier: MIT
#include "aws/digest.h"

#include <gtest/gtest.h>

#include "base/hash.h"

namespace tmdbc::aws {
namespace {

TEST(Digest, KeysAHash) {
  // RFC 4231, test case 2.
  EXPECT_EQ(LowerHex(HmacSha256("Jefe", "what do ya want for nothing?")),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

TEST(Digest, StatesMd5AsTheHeaderWantsIt) {
  EXPECT_EQ(Md5Base64(""), "1B2M2Y8AsgTpgAmY7PhCfg==");  // RFC 1321: d41d8cd98f00b204e9800998ecf8427e
}

}  // namespace
}  // namespace tmdbc::aws
