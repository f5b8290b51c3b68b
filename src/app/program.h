// SPDX-License-Identifier: MIT
// The program, from its command line to its exit code.
#pragma once

namespace tmdbc {

int RunProgram(int argc, const char* const* argv);

}  // namespace tmdbc
