// SPDX-License-Identifier: MIT
// What tests of calls to AWS share: a key, a clock that a test moves, a transport that a function answers.
#pragma once

#include <cstring>
#include <map>
#include <random>
#include <string>
#include <utility>

#include "aws/aws_client.h"
#include "aws/credentials.h"
#include "testing/fake_clock.h"
#include "testing/scripted_transport.h"

namespace tmdbc::aws {

using Reply = testing::ScriptedTransport::Reply;

inline constexpr const char* kTestSecret = "wJalrXUtnFEMI/K7MDENG";
inline constexpr const char* kTestToken = "IQoJb3JpZ2luX2VjEA==";

// The value of the header of that name; empty when there is none.
inline std::string HeaderOf(const http::Request& request, std::string_view name) {
  for (const auto& [key, value] : request.headers)
    if (key == name) return value;
  return "";
}

struct AwsWorld {
  // `answer` is asked for each request.
  explicit AwsWorld(testing::ScriptedTransport::Script answer) : transport(clock, std::move(answer)) {}

  testing::FakeClock clock;
  std::map<std::string, std::string> set = {{"AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"},
                                            {"AWS_SECRET_ACCESS_KEY", kTestSecret},
                                            {"AWS_SESSION_TOKEN", kTestToken},
                                            {"HOME", "/nowhere"}};
  testing::ScriptedTransport transport;
  std::mt19937_64 random{1};
  CredentialChain credentials{[this](const char* name) -> const char* {
                                const auto at = set.find(name);
                                return at == set.end() ? nullptr : at->second.c_str();
                              },
                              clock, transport};
  AwsClient client{clock, transport, credentials, "us-east-1", random};
};

}  // namespace tmdbc::aws
