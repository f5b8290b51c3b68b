// SPDX-License-Identifier: MIT
#include "app/settings_docs.h"

#include <fmt/format.h>

#include "app/settings.h"

namespace tmdbc {
namespace {

constexpr std::string_view kIntroduction = R"(# Configuration

Printed from the settings table by `tmdb-collector settings --markdown`; src/app/settings.cc is the place to change.

Each setting may be given in five places. The later wins:

1. its default;
2. `tmdb-collector.toml` in the working directory, or the file that `--config` names;
3. `.env` in the working directory;
4. the environment;
5. a flag of any command, written after or before its name: `tmdb-collector run --once --rate-limit-requests=40`.

An unknown setting, or a value that is not allowed, ends the program with exit code 2 and a sentence that names the setting, the
value, the place it came from and what is allowed. An empty value in a file or in the environment counts as not given.
`tmdb-collector settings` prints every setting with its value and where it came from; `--debug` writes the same to the log.

The key is never a flag, for every user of a machine can read its command lines. It is shown as `***` wherever it would appear.

## The two files

`tmdb-collector.toml` has the names in lower case. The headings are for the reader: a key means the same under each of them, and may be
given once. Lists may be TOML arrays.

```toml
[collector]
rate_limit_requests = 40
collector_concurrency = 20

[harvester]
media_types = ["movie", "tv"]

[storage]
data_dir = "/var/lib/tmdb"
```

`.env` has `NAME=value` lines, with an optional `export` before. `#` begins a comment at the start of a line or after a blank. In single
quotes a value is taken as it stands; in double quotes `\"`, `\\` and `\n` are understood. Nothing is expanded. Variables of other programs
may stand there too: a name is refused only when it is nearly one of ours.

)";

constexpr std::string_view kEnvIntroduction =
    R"(# Copy this file to .env and fill in what you need; docs/configuration.md explains it.
# What is commented out shows the default.

)";

std::string Heading(std::string_view section) {
  return fmt::format("## [{}]\n\n", section);
}

// "`3`", or words where there is none.
std::string Default(const Setting& setting) {
  const std::string fallback = FallbackOf(setting);
  return fallback.empty() ? "not set" : fmt::format("`{}`", fallback);
}

}  // namespace

std::string SettingsMarkdown() {
  std::string text(kIntroduction);
  std::string_view section;
  for (const Setting& setting : SettingsTable()) {
    if (setting.section != section) text += Heading(section = setting.section);
    text += fmt::format("### {}\n\n{}\n\n", setting.name, setting.description);
    text += fmt::format("- Default: {}\n- Allowed: {}\n- Flag: {}, toml: `{}`\n\n", Default(setting),
                        setting.allowed, setting.secret ? "none" : fmt::format("`{}`", FlagOf(setting)),
                        TomlKeyOf(setting));
  }
  text.pop_back();
  return text;
}

std::string EnvExample() {
  std::string text(kEnvIntroduction);
  for (const Setting& setting : SettingsTable()) {
    text += fmt::format("# {}\n{}{}={}\n\n", setting.description, setting.secret ? "" : "# ", setting.name,
                        FallbackOf(setting));
  }
  text.pop_back();
  return text;
}

}  // namespace tmdbc
