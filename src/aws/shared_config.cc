// SPDX-License-Identifier: MIT
#include "aws/shared_config.h"

#include <algorithm>
#include <cctype>

#include "base/text_file.h"
#include "base/words.h"

namespace tmdbc::aws {
namespace {

constexpr std::size_t kMaxConfigBytes = 1 << 20;

using Profiles = std::map<std::string, std::map<std::string, std::string>>;

bool IsBlank(char c) {
  return c == ' ' || c == '\t';
}

std::string_view Trimmed(std::string_view text) {
  while (!text.empty() && IsBlank(text.front())) text.remove_prefix(1);
  while (!text.empty() && IsBlank(text.back())) text.remove_suffix(1);
  return text;
}

// A comment begins a line, or follows a blank.
std::string_view WithoutComment(std::string_view line) {
  for (std::size_t i = 0; i < line.size(); ++i) {
    if ((line[i] == '#' || line[i] == ';') && (i == 0 || IsBlank(line[i - 1]))) return line.substr(0, i);
  }
  return line;
}

// The profile that "[...]" begins; empty for another section ("[sso-session x]"), whose lines are passed over.
std::string ProfileOf(std::string_view heading, bool headings_say_profile) {
  heading = Trimmed(heading);
  if (!headings_say_profile || heading == "default") return std::string(heading);
  constexpr std::string_view kWord = "profile";
  if (!heading.starts_with(kWord) || heading.size() == kWord.size() || !IsBlank(heading[kWord.size()]))
    return "";
  return std::string(Trimmed(heading.substr(kWord.size())));
}

std::string PathOf(const Environment& environment, const char* variable, const char* name) {
  std::string path = Variable(environment, variable);
  const std::string home = Variable(environment, "HOME");
  if (path.empty()) return home + "/.aws/" + name;
  if (path.starts_with("~/")) path.replace(0, 1, home);
  return path;
}

Result<void> Merge(const std::string& path, bool headings_say_profile, SharedConfig& config) {
  const auto text = ReadTextFile(path, kMaxConfigBytes);
  if (!text && text.error().code == ErrorCode::kNotFound) return {};
  TRY(text);
  TRY_ASSIGN(Profiles profiles, ParseProfiles(*text, path, headings_say_profile));
  const auto profile = profiles.find(config.profile);
  if (profile == profiles.end()) return {};
  config.found = true;
  for (auto& [name, value] : profile->second) config.values.insert_or_assign(name, std::move(value));
  return {};
}

}  // namespace

std::string Variable(const Environment& environment, const char* name) {
  const char* const value = environment(name);
  return value ? std::string(Trimmed(value)) : "";
}

const std::string& SharedConfig::value(const std::string& name) const {
  static const std::string none;
  const auto at = values.find(name);
  return at == values.end() ? none : at->second;
}

Result<Profiles> ParseProfiles(std::string_view text, const std::string& path, bool headings_say_profile) {
  Profiles profiles;
  std::map<std::string, std::string>* into =
      nullptr;  // null: before the first heading, or in another section
  int number = 0;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view raw = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    ++number;
    const std::string_view line = Trimmed(WithoutComment(raw));
    if (line.empty()) continue;
    if (line.front() == '[') {
      if (line.back() != ']') return Fail(ErrorCode::kInvalid, "{}:{}: this heading has no ]", path, number);
      const std::string profile = ProfileOf(line.substr(1, line.size() - 2), headings_say_profile);
      into = profile.empty() ? nullptr : &profiles[profile];
      continue;
    }
    // An indented line belongs to the value above it: "s3 =" and what follows.
    if (into == nullptr || IsBlank(raw.front())) continue;
    const std::size_t equals = line.find('=');
    if (equals == std::string_view::npos || equals == 0) {
      return Fail(ErrorCode::kInvalid, "{}:{}: this line is neither a heading nor name = value", path,
                  number);
    }
    (*into)[Lower(Trimmed(line.substr(0, equals)))] = std::string(Trimmed(line.substr(equals + 1)));
  }
  return profiles;
}

Result<SharedConfig> SharedConfig::Load(const Environment& environment) {
  SharedConfig config;
  config.profile = Variable(environment, "AWS_PROFILE");
  config.named = !config.profile.empty();
  if (!config.named) config.profile = "default";
  config.config_path = PathOf(environment, "AWS_CONFIG_FILE", "config");
  config.credentials_path = PathOf(environment, "AWS_SHARED_CREDENTIALS_FILE", "credentials");
  TRY(Merge(config.config_path, true, config));
  TRY(Merge(config.credentials_path, false, config));
  return config;
}

Result<std::string> FindRegion(const Environment& environment) {
  for (const char* const name : {"AWS_REGION", "AWS_DEFAULT_REGION"}) {
    if (std::string region = Variable(environment, name); !region.empty()) return region;
  }
  TRY_ASSIGN(const SharedConfig config, SharedConfig::Load(environment));
  if (const std::string& region = config.value("region"); !region.empty()) return region;
  return Fail(
      ErrorCode::kInvalid,
      "no AWS region is known: set AWS_REGION (eu-central-1, us-east-1, ...), or `region` of profile '{}' in {}",
      config.profile, config.config_path);
}

}  // namespace tmdbc::aws
