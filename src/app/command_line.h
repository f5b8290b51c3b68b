// SPDX-License-Identifier: MIT
// The command line: from argv to a command of the table, its arguments and the settings given as flags; or to
// a help text. The only file behind it that knows CLI11.
#pragma once

#include <string>
#include <variant>

#include "app/command.h"
#include "settings/settings.h"

namespace tmdbc {

struct Invocation {
  const Command* command = nullptr;
  Arguments arguments;
  std::optional<std::string> config_path;
  std::vector<GivenSetting> flags;
};

// Asked for by --help or --version.
struct HelpText {
  std::string text;
};

// kInvalid with one sentence for unknown commands and flags (and the closest known one), missing values,
// stray words.
Result<std::variant<Invocation, HelpText>> ParseCommandLine(int argc, const char* const* argv);

}  // namespace tmdbc
