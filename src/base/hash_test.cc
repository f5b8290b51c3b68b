// SPDX-License-Identifier: MIT
#include "base/hash.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <thread>

#include "base/files.h"

namespace tmdbc {
namespace {

TEST(Sha256Hex, GivesThePublishedAnswers) {
  // FIPS 180-4 examples, as sha256sum prints them.
  EXPECT_EQ(Sha256Hex(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(Sha256Hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(Sha256Base64("abc"), "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=");
  EXPECT_EQ(Sha256Hex("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  EXPECT_EQ(Sha256Hex(std::string(1'000'000, 'a')),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(Sha256Hex, CountsZeroBytes) {
  EXPECT_NE(Sha256Hex(std::string(1, '\0')), Sha256Hex(""));
}

TEST(Sha256Hex, AnswersTheSameOnEveryThread) {
  const std::string text(20'000, 'x');
  const std::string expected = Sha256Hex(text);
  std::string other;
  std::jthread([&] { other = Sha256Hex(text); }).join();
  EXPECT_EQ(other, expected);
}

TEST(Sha256, HashesWhatComesInPieces) {
  Sha256 sha;
  sha.Add("a");
  sha.Add("bc");
  EXPECT_EQ(sha.Finish(), Sha256Hex("abc"));
  EXPECT_EQ(sha.Finish(), Sha256Hex(""));
}

TEST(Sha256, OfAFileIsThatOfItsBytes) {
  std::string folder = (std::filesystem::temp_directory_path() / "tmdbc-hash-XXXXXX").string();
  ASSERT_NE(::mkdtemp(folder.data()), nullptr);
  PosixFileSystem files(folder);
  // None, one byte, and whole pieces with and without a rest.
  for (const std::size_t size : {0, 1, 2 << 20, (2 << 20) + 1}) {
    const std::string bytes(size, 'x');
    ASSERT_TRUE(WriteWhole(files, "file", bytes));
    EXPECT_EQ(Sha256OfFile(files, "file"), Sha256Hex(bytes)) << size;
  }
  EXPECT_EQ(Sha256OfFile(files, "absent").error().code, ErrorCode::kNotFound);
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace tmdbc
