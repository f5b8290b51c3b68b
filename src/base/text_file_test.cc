// SPDX-License-Identifier: MIT
#include "base/text_file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <thread>

namespace tmdbc {
namespace {

class TextFileTest : public ::testing::Test {
 protected:
  ~TextFileTest() override { std::filesystem::remove(path_); }
  Result<std::string> Read(std::string_view bytes) {
    std::ofstream(path_, std::ios::binary) << bytes;
    return ReadTextFile(path_, 1 << 20);
  }
  const std::string path_ = ::testing::TempDir() + "text-file-" + std::to_string(::getpid());
};

TEST_F(TextFileTest, WhateverEditorItComesFromTheTextIsTheSame) {
  for (const std::string_view bytes : {"a=1\nb=2\n",
                                       "\xef\xbb\xbf"
                                       "a=1\nb=2\n",
                                       "a=1\r\nb=2\r\n", "a=1\rb=2\r"})
    EXPECT_EQ(Read(bytes).value_or("?"), "a=1\nb=2\n");
}

TEST_F(TextFileTest, AnotherEncodingIsNamed) {
  EXPECT_NE(Read(std::string_view("\xff\xfe"
                                  "a\0=\0",
                                  6))
                .error()
                .message.find("UTF-16"),
            std::string::npos);
  EXPECT_NE(Read(std::string_view("a\0=\0", 4)).error().message.find("NUL"), std::string::npos);
}

TEST_F(TextFileTest, AnAbsentFileAFolderAndAHugeOneAreNamed) {
  EXPECT_EQ(ReadTextFile(path_ + "-absent", 10).error().code, ErrorCode::kNotFound);
  EXPECT_NE(ReadTextFile(::testing::TempDir(), 10).error().message.find("folder"), std::string::npos);
  EXPECT_NE(Read(std::string((1 << 20) + 1, 'a')).error().message.find("larger than 1 MiB"),
            std::string::npos);
}

TEST_F(TextFileTest, APipeIsReadToItsEndAndNotWaitedForWhereNobodyWrites) {
  ASSERT_EQ(::mkfifo(path_.c_str(), 0600), 0);
  EXPECT_EQ(ReadTextFile(path_, 10, std::chrono::milliseconds(1)).error().message,
            "read " + path_ + ": it is a pipe, and nobody writes into it");
  std::thread writer([&] {
    std::ofstream pipe(path_);  // waits for the reader
    pipe << "a=1\n" << std::flush << "b=2\n";
  });
  EXPECT_EQ(ReadTextFile(path_, 10).value_or("?"), "a=1\nb=2\n");
  writer.join();
}

}  // namespace
}  // namespace tmdbc
