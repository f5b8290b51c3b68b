// SPDX-License-Identifier: MIT
#include "base/service_notify.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstddef>
#include <cstring>
#include <filesystem>
#include <map>

namespace tmdbc {
namespace {

constexpr long kPid = 4711;
constexpr MonoTime kNow = MonoTime(std::chrono::hours(1));

std::map<std::string, std::string>* g_environment = nullptr;
const char* FakeGetenv(const char* name) {
  const auto found = g_environment->find(name);
  return found == g_environment->end() ? nullptr : found->second.c_str();
}

// The manager's end of the socket.
class ServiceNotifyTest : public ::testing::Test {
 protected:
  void SetUp() override {
    g_environment = &environment_;
    std::string pattern = (std::filesystem::temp_directory_path() / "tmdbc-notify-XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
  }
  void TearDown() override {
    if (socket_ >= 0) ::close(socket_);
    std::filesystem::remove_all(folder_);
  }

  // "@name" is abstract.
  void Listen(const std::string& name) {
    socket_ = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, name.data(), name.size());
    if (name[0] == '@') address.sun_path[0] = '\0';
    const auto length = socklen_t(offsetof(sockaddr_un, sun_path) + name.size() + (name[0] == '@' ? 0 : 1));
    ASSERT_EQ(::bind(socket_, reinterpret_cast<sockaddr*>(&address), length), 0) << std::strerror(errno);
    environment_["NOTIFY_SOCKET"] = name;
  }
  // The next datagram, empty when there is none.
  std::string Receive() const {
    char buffer[1024];
    const ssize_t length = ::recv(socket_, buffer, sizeof buffer, 0);
    return length < 0 ? "" : std::string(buffer, std::size_t(length));
  }

  std::map<std::string, std::string> environment_;
  std::string folder_;
  int socket_ = -1;
};

TEST_F(ServiceNotifyTest, TellsTheManagerEachChangeOfState) {
  Listen(folder_ + "/notify");
  ServiceNotify notify(FakeGetenv, kPid);
  notify.Ready();
  EXPECT_EQ(Receive(), "READY=1");
  notify.Status("waiting\nfor tomorrow");
  EXPECT_EQ(Receive(), "STATUS=waiting for tomorrow");
  notify.Reloading(kNow);
  EXPECT_EQ(Receive(), "RELOADING=1\nMONOTONIC_USEC=3600000000");
  notify.Stopping();
  EXPECT_EQ(Receive(), "STOPPING=1");
  EXPECT_EQ(Receive(), "");
}

TEST_F(ServiceNotifyTest, KnowsAbstractNames) {
  Listen("@tmdbc-notify-test-" + std::to_string(::getpid()));
  ServiceNotify(FakeGetenv, kPid).Ready();
  EXPECT_EQ(Receive(), "READY=1");
}

TEST_F(ServiceNotifyTest, TellsAStatusOnce) {
  Listen(folder_ + "/notify");
  ServiceNotify notify(FakeGetenv, kPid);
  notify.Status("working");
  notify.Status("working");
  notify.Status("waiting");
  EXPECT_EQ(Receive(), "STATUS=working");
  EXPECT_EQ(Receive(), "STATUS=waiting");
}

TEST_F(ServiceNotifyTest, SaysThatItIsAliveAtHalfOfTheTimeAllowed) {
  Listen(folder_ + "/notify");
  environment_["WATCHDOG_USEC"] = "20000000";
  environment_["WATCHDOG_PID"] = "4711";
  ServiceNotify notify(FakeGetenv, kPid);
  int told = 0;
  for (int second = 0; second < 60; ++second) {
    notify.Alive(kNow + std::chrono::seconds(second));
    told += Receive() == "WATCHDOG=1";
  }
  EXPECT_EQ(told, 6);
}

// To put a large catalog into a bucket takes longer than a manager waits by itself.
TEST_F(ServiceNotifyTest, AsksForTimeWhileItStops) {
  Listen(folder_ + "/notify");
  ServiceNotify notify(FakeGetenv, kPid);
  notify.Alive(kNow);
  EXPECT_EQ(Receive(), "");
  notify.Stopping();
  EXPECT_EQ(Receive(), "STOPPING=1");
  int asked = 0;
  for (int second = 0; second < 60; ++second) {
    notify.Alive(kNow + std::chrono::seconds(second));
    asked += Receive() == "EXTEND_TIMEOUT_USEC=60000000";
  }
  EXPECT_EQ(asked, 6);
}

TEST_F(ServiceNotifyTest, IsSilentAboutItsLifeWhenNobodyAsked) {
  Listen(folder_ + "/notify");
  ServiceNotify(FakeGetenv, kPid).Alive(kNow);
  EXPECT_EQ(Receive(), "");
  // Meant for another process, whose child this is.
  environment_["WATCHDOG_USEC"] = "20000000";
  environment_["WATCHDOG_PID"] = "1";
  ServiceNotify(FakeGetenv, kPid).Alive(kNow);
  EXPECT_EQ(Receive(), "");
}

TEST_F(ServiceNotifyTest, DoesNothingWithoutAManager) {
  const auto speak = [] {
    ServiceNotify notify(FakeGetenv, kPid);
    notify.Ready();
    notify.Status("working");
    notify.Alive(kNow);
  };
  speak();
  environment_["WATCHDOG_USEC"] = "1";
  for (const std::string& name : {std::string("/nonexistent/notify"), std::string("relative"), std::string(),
                                  std::string("@"), "/" + std::string(200, 'x')}) {
    environment_["NOTIFY_SOCKET"] = name;
    speak();
  }
}

TEST_F(ServiceNotifyTest, AManagerThatDoesNotReadBlocksNothing) {
  Listen(folder_ + "/notify");
  ServiceNotify notify(FakeGetenv, kPid);
  for (int i = 0; i < 10'000; ++i) notify.Ready();
  EXPECT_EQ(Receive(), "READY=1");
}

}  // namespace
}  // namespace tmdbc
