// SPDX-License-Identifier: MIT
// The grammar of .env: NAME=value lines, with an optional "export" before and blanks around; '#' begins a
// comment at the start of a line or after a blank. A value in single quotes is taken as it stands, one in
// double quotes knows \" \\ \n; both may span lines. Nothing is expanded. Lines of other programs may have a
// grammar of their own: they are passed over.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "settings/settings.h"

namespace tmdbc {

// Every variable that can be read, in the order of the file, ours or not, with the source "path:line".
// kInvalid for a line that cannot, when its name is nearly one of our settings; it names the line, never
// its text, which may be a secret.
Result<std::vector<GivenSetting>> ParseEnvFile(std::string_view text, const std::string& path);

}  // namespace tmdbc
