// SPDX-License-Identifier: MIT
// SharedConfig: one profile of the files that every AWS program shares
// (https://docs.aws.amazon.com/sdkref/latest/guide/file-format.html): ~/.aws/config and ~/.aws/credentials, or the
// files that AWS_CONFIG_FILE and AWS_SHARED_CREDENTIALS_FILE name. What both have, the second decides.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "base/result.h"

namespace tmdbc::aws {

// getenv, or what stands for it: nullptr for what is not set. An empty variable counts as not set.
using Environment = std::function<const char*(const char* name)>;

// Empty when not set.
std::string Variable(const Environment& environment, const char* name);

struct SharedConfig {
  std::string profile;  // AWS_PROFILE, else "default"
  bool named = false;   // AWS_PROFILE says so: it must be there
  bool found = false;   // in one of the files
  std::string config_path, credentials_path;
  std::map<std::string, std::string> values;  // names in lower case; secrets among them

  // Empty when the profile does not say.
  const std::string& value(const std::string& name) const;

  // A file that is not there has no profiles. kInvalid for one that cannot be read, or a line that is neither a
  // heading nor a name and a value; it names the line, never its text.
  static Result<SharedConfig> Load(const Environment& environment);
};

// The profiles of one file. `headings_say_profile`: as ~/.aws/config has it, "[profile name]" but for "[default]".
Result<std::map<std::string, std::map<std::string, std::string>>> ParseProfiles(std::string_view text,
                                                                                const std::string& path,
                                                                                bool headings_say_profile);

// AWS_REGION, AWS_DEFAULT_REGION, the profile's `region`. kInvalid with a sentence when none of them says.
Result<std::string> FindRegion(const Environment& environment);

}  // namespace tmdbc::aws
