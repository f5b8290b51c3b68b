// SPDX-License-Identifier: MIT
// Completions: what a shell needs to complete our commands, flags and their values, made from the tables of
// commands and settings, so that it cannot lag behind them. Pure; any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "app/command.h"
#include "base/result.h"

namespace tmdbc {

// For "bash", "zsh" or "fish"; kInvalid for another shell.
Result<std::string> CompletionScript(std::string_view shell);

// What may stand for the value of an option, or of a setting by the end of its sentence "use ..."; empty when
// that is not a closed list. {"movie","tv",...} for "TYPE" and for "a list of movie, tv...".
std::vector<std::string> ChoicesOf(const Option& option);
std::vector<std::string> ChoicesOf(const Setting& setting);

}  // namespace tmdbc
