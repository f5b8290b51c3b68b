// SPDX-License-Identifier: MIT
// credential_process: a profile may name a command that prints a key
// (https://docs.aws.amazon.com/sdkref/latest/guide/feature-process-credentials.html). So every way to a key that some
// program of AWS knows is open to us too: SSO, roles of other profiles, `aws configure export-credentials --format
// process`. Any thread; blocks for as long as the command takes.
#pragma once

#include <chrono>
#include <string>

#include "aws/sigv4.h"
#include "base/result.h"

namespace tmdbc::aws {

// What a command of the shell prints to its standard output; what it says to standard error goes where ours goes.
// kUnavailable when it cannot be started, ends with anything but 0, prints more than `most` bytes, or for as long as
// `patience` says prints nothing, or does not end when it has closed its output (then it is killed). Its output, a
// secret, is in no error.
Result<std::string> OutputOf(const std::string& command, std::size_t most,
                             std::chrono::milliseconds patience);

// {"Version":1,"AccessKeyId":"..","SecretAccessKey":"..","SessionToken":"..","Expiration":"2026-11-22T10:00:00Z"}; the
// last two may be missing. kDenied with what is wrong with it, never its text. `who` is for errors.
Result<Credentials> ParseProcessKey(const std::string& json, const std::string& who);

}  // namespace tmdbc::aws
