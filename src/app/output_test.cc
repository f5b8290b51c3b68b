// SPDX-License-Identifier: MIT
#include "app/output.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>
#include <utility>

namespace tmdbc {
namespace {

using Reader = OutStream::Reader;

// Standard output is a pipe that holds one page; the other end is the test's.
class OutStreamTest : public ::testing::Test {
 protected:
  OutStreamTest() : handler_(::signal(SIGPIPE, SIG_IGN)) {
    int ends[2];
    EXPECT_EQ(::pipe2(ends, O_CLOEXEC), 0);
    reader_ = ends[0];
    ::fcntl(reader_, F_SETPIPE_SZ, 4096);
    std::fflush(stdout);
    stdout_ = ::dup(STDOUT_FILENO);
    ::dup2(ends[1], STDOUT_FILENO);
    ::close(ends[1]);
  }
  ~OutStreamTest() override {
    GiveStdoutBack();
    CloseReader();
    ::signal(SIGPIPE, handler_);
  }

  void GiveStdoutBack() {
    if (stdout_ < 0) return;
    ::dup2(stdout_, STDOUT_FILENO);
    ::close(std::exchange(stdout_, -1));
  }
  void CloseReader() {
    if (reader_ >= 0) ::close(std::exchange(reader_, -1));
  }
  // To the end of the stream.
  std::string ReadAll() const {
    std::string all;
    char buffer[1000];
    for (ssize_t n; (n = ::read(reader_, buffer, sizeof buffer)) > 0;) all.append(buffer, std::size_t(n));
    return all;
  }

  StopFlag stop_;
  int reader_ = -1;

 private:
  int stdout_ = -1;
  void (*const handler_)(int);
};

std::string Numbers() {
  std::string text;
  for (int i = 0; i < 20'000; ++i) text += std::to_string(i) + "\n";
  return text;
}

TEST_F(OutStreamTest, WaitsForASlowReader) {
  const std::string text = Numbers();
  std::string read;
  std::thread reader([&] { read = ReadAll(); });
  OutStream out(stop_);
  const auto written = out.Write(text);
  const Reader looked = out.Check();
  GiveStdoutBack();
  reader.join();
  ASSERT_TRUE(written) << written.error().message;
  EXPECT_EQ(*written, Reader::kReads);
  EXPECT_EQ(looked, Reader::kReads);
  EXPECT_EQ(read, text);
}

TEST_F(OutStreamTest, AfterAStopWhatTheReaderTakesStillComes) {
  const std::string text = Numbers();
  std::string read;
  std::thread reader([&] { read = ReadAll(); });
  stop_.Request();
  OutStream out(stop_, std::chrono::seconds(60));
  const auto written = out.Write(text);
  GiveStdoutBack();
  reader.join();
  ASSERT_TRUE(written);
  EXPECT_EQ(*written, Reader::kReads);
  EXPECT_EQ(read, text);
}

TEST_F(OutStreamTest, AfterAStopAReaderThatTakesNothingIsNotWaitedFor) {
  OutStream out(stop_, std::chrono::milliseconds(20));
  stop_.Request();
  const auto written = out.Write(Numbers());
  const auto again = out.Write("more");
  GiveStdoutBack();
  EXPECT_EQ(written.value(), Reader::kStalled);
  EXPECT_EQ(again.value(), Reader::kStalled);
  const std::string read = ReadAll();
  EXPECT_LT(read.size(), Numbers().size());
  EXPECT_TRUE(Numbers().starts_with(read));
}

TEST_F(OutStreamTest, AReaderThatHasGoneIsNoError) {
  OutStream writes(stop_), looks(stop_);
  const Reader before = looks.Check();
  CloseReader();
  const Reader looked = looks.Check();
  const auto written = writes.Write("x");
  const auto again = writes.Write("y");
  GiveStdoutBack();
  EXPECT_EQ(before, Reader::kReads);
  EXPECT_EQ(looked, Reader::kGone);
  EXPECT_EQ(written.value(), Reader::kGone);
  EXPECT_EQ(again.value(), Reader::kGone);
}

// A terminal that knows escapes, one that does not, and what is none.
TEST(TakesEscapes, OnlyATerminalThatKnowsThem) {
  const int terminal = ::posix_openpt(O_RDWR | O_NOCTTY);
  ASSERT_GE(terminal, 0);
  ASSERT_EQ(::grantpt(terminal), 0);
  ASSERT_EQ(::unlockpt(terminal), 0);
  const int side = ::open(::ptsname(terminal), O_RDWR | O_NOCTTY);
  ASSERT_GE(side, 0);
  ::setenv("TERM", "xterm", 1);
  EXPECT_TRUE(TakesEscapes(side));
  for (const char* term : {"dumb", ""}) {
    ::setenv("TERM", term, 1);
    EXPECT_FALSE(TakesEscapes(side)) << term;
  }
  ::unsetenv("TERM");
  EXPECT_FALSE(TakesEscapes(side));
  ::close(side);
  ::close(terminal);
  ::setenv("TERM", "xterm", 1);
  const int file = ::open("/dev/null", O_WRONLY);
  EXPECT_FALSE(TakesEscapes(file));
  ::close(file);
}

}  // namespace
}  // namespace tmdbc
