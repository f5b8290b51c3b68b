// SPDX-License-Identifier: MIT
// The grammar of .env: NAME=value lines, with an optional "export" before and blanks around; '#' begins a
// comment at the start of a line or after a blank. A value in single quotes is taken as it stands, one in
// double quotes knows \" \\ \n; both may span lines. Nothing is expanded.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "settings/settings.h"

namespace tmdbc {

// Every variable in the order of the file, ours or not, with the source "path:line". kInvalid names the line,
// never its text: it may be a secret.
Result<std::vector<GivenSetting>> ParseEnvFile(std::string_view text, const std::string& path);

}  // namespace tmdbc
