// SPDX-License-Identifier: MIT
#include <exception>

#include "app/output.h"
#include "app/program.h"

int main(int argc, char** argv) {
  // We throw nothing; a library might, and memory might run out.
  try {
    return tmdbc::RunProgram(argc, argv);
  } catch (const std::exception& error) {
    tmdbc::PrintError(error.what(), tmdbc::LogFormat::kText);
    return 3;
  }
}
