// SPDX-License-Identifier: MIT
#include "app/run_status.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

namespace tmdbc {
namespace {

const Time kStarted =
    Time(std::chrono::sys_days(std::chrono::year(2026) / 11 / 22)) + std::chrono::milliseconds(1234);

TEST(RunStatus, ComesBackAsItWasWritten) {
  auto catalog = Database::Open(":memory:", Database::Mode::kReadWrite);
  ASSERT_TRUE(catalog);
  ASSERT_TRUE(CreateRunStatus(*catalog));
  RunStatus status = StatusOfThisProcess("run", kStarted);
  status.requests = 1200;
  status.throttled = 3;
  status.settled = 1100;
  status.requests_per_second = 39.6;
  status.settled_per_second = 38.5;
  status.errors = {{"http 503", 12}, {"timeout", 1}};
  ASSERT_TRUE(WriteRunStatus(*catalog, status));
  status.errors = {{"timeout", 2}};
  ASSERT_TRUE(WriteRunStatus(*catalog, status));
  const auto read = ReadRunStatus(*catalog);
  ASSERT_TRUE(read && *read);
  EXPECT_EQ((*read)->command, "run");
  EXPECT_EQ((*read)->pid, ::getpid());
  EXPECT_EQ((*read)->started, kStarted);
  EXPECT_EQ((*read)->requests, 1200);
  EXPECT_EQ((*read)->throttled, 3);
  EXPECT_EQ((*read)->settled, 1100);
  EXPECT_DOUBLE_EQ((*read)->requests_per_second, 39.6);
  EXPECT_EQ((*read)->errors, (std::map<std::string, std::int64_t>{{"timeout", 2}}));
  EXPECT_TRUE((*read)->running());
}

TEST(RunStatus, OfAStoreWithoutOneIsEmpty) {
  auto catalog = Database::Open(":memory:", Database::Mode::kReadWrite);
  ASSERT_TRUE(catalog);
  const auto read = ReadRunStatus(*catalog);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_FALSE(*read);
}

TEST(RunStatus, AProcessThatEndedOrWhoseNumberAnotherHasIsNotRunning) {
  RunStatus status = StatusOfThisProcess("run", kStarted);
  EXPECT_TRUE(status.running());
  status.ended = true;
  EXPECT_FALSE(status.running());
  status.ended = false;
  status.process_start -= 1;
  EXPECT_FALSE(status.running());
}

TEST(RunStatus, AKilledProcessIsNotRunning) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(0);
  ASSERT_EQ(::waitpid(child, nullptr, 0), child);
  RunStatus status = StatusOfThisProcess("run", kStarted);
  status.pid = child;
  EXPECT_FALSE(status.running());
}

}  // namespace
}  // namespace tmdbc
