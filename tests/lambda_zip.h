// SPDX-License-Identifier: MIT
// What tools/lambda_zip packs, unpacked as Lambda does it, and the emulator of Lambda's runtime that AWS gives away
// (tools/emulators/install lambda brings it).
#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "http/server.h"
#include "http/server_test_client.h"
#include "program.h"

namespace tmdbc::testing {

// Packed once a process, when it is first asked for.
inline const std::filesystem::path& UnpackedZip() {
  static const TempDir folder;
  static const std::filesystem::path task = [] {
    const char* source = std::getenv("TMDBC_SOURCE_DIR");
    const auto zip = folder.path() / "lambda.zip";
    const std::string tool =
        (std::filesystem::path(source != nullptr ? source : ".") / "tools/lambda_zip").string();
    const Finished packed = RunToEnd({tool, CollectorPath(), zip.string()}, {}, folder.path());
    EXPECT_EQ(packed.code, 0) << packed.err;
    const Finished unpacked = RunToEnd(
        {"/usr/bin/unzip", "-q", zip.string(), "-d", (folder.path() / "task").string()}, {}, folder.path());
    EXPECT_EQ(unpacked.code, 0) << unpacked.err;
    EXPECT_LT(std::filesystem::file_size(zip), 50u << 20) << "what Lambda takes directly";
    return folder.path() / "task";
  }();
  return task;
}

// A port that nobody listens on.
inline std::uint16_t FreePort() {
  const SystemClock clock;
  return http::Server::Listen({}, clock, [](const http::ServerRequest&) { return http::Answer{}; })
      .value()
      ->port();
}

// The command that runs the zip as function `handler`, and what it is asked. The environment is up to who starts it.
class RuntimeEmulator {
 public:
  std::vector<std::string> Command(const std::string& handler) const {
    const char* installed = std::getenv("TMDBC_EMULATORS");
    const auto folder =
        std::filesystem::path(installed != nullptr ? installed : TMDBC_BINARY_DIR "/emulators");
    const auto emulator = folder / "lambda/aws-lambda-rie";
    EXPECT_TRUE(std::filesystem::exists(emulator))
        << emulator << " is not there: tools/emulators/install lambda brings it";
    return {emulator.string(),
            "--runtime-interface-emulator-address",
            fmt::format("127.0.0.1:{}", port_),
            "--runtime-api-address",
            fmt::format("127.0.0.1:{}", api_),
            (UnpackedZip() / "bootstrap").string(),
            handler};
  }
  // What it takes besides.
  static Environment Settings(const std::string& handler) {
    return {{"LAMBDA_TASK_ROOT", UnpackedZip().string()},
            {"AWS_LAMBDA_FUNCTION_NAME", handler},
            {"AWS_LAMBDA_FUNCTION_TIMEOUT", "900"}};
  }
  // The answer's body; waits until it has opened its port.
  std::string Invoke(const std::string& event) const {
    http::SeenAnswer answer;
    for (int tries = 0; answer.status == 0 && tries < 500; ++tries) {
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
      http::TestConnection connection(port_);
      if (!connection.connected()) continue;
      connection.Send(
          fmt::format("POST /2015-03-31/functions/function/invocations HTTP/1.1\r\nHost: x\r\n"
                      "Content-Length: {}\r\n\r\n{}",
                      event.size(), event));
      answer = connection.Read(false);
    }
    return answer.body;
  }

 private:
  const std::uint16_t port_ = FreePort(), api_ = FreePort();
};

}  // namespace tmdbc::testing
