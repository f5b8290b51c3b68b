// SPDX-License-Identifier: MIT
#include "settings/settings_docs.h"

#include <fmt/format.h>

#include <algorithm>

#include "settings/settings.h"

namespace tmdbc {
namespace {

constexpr std::string_view kIntroduction = R"md(# Configuration

Printed from the settings table by `tmdb-collector settings --markdown`; src/settings/settings.cc is the place to
change.

Each setting may be given in five places. The later wins:

1. its default;
2. `tmdb-collector.toml` in the working directory, or the file that `--config` names;
3. `.env` in the working directory;
4. the environment;
5. a flag of any command, written after or before its name: `tmdb-collector run --once --rate-limit-requests=40`.

An unknown setting, or a value that is not allowed, ends the program with exit code 2 and a sentence that names the
setting, the value, the place it came from and what is allowed. An empty value in a file or in the environment counts as
not given. `tmdb-collector settings` (`--json`) prints every setting, and the schedules in force, with its value and
where it came from; `--debug` writes the same to the log.

The key is never a flag, for every user of a machine can read its command lines. It is shown as `***` wherever it would
appear.

## The two files

`tmdb-collector.toml` has the names in lower case. The headings are for the reader: a key means the same under each of
them, and may be given once. Lists may be TOML arrays.

```toml
[collector]
rate_limit_requests = 40
collector_concurrency = 20

[harvester]
media_types = ["movie", "tv"]

[storage]
data_dir = "/var/lib/tmdb"
```

`.env` has `NAME=value` lines, with an optional `export` before. `#` begins a comment at the start of a line or after a
blank. In single quotes a value is taken as it stands; in double quotes `\"`, `\\` and `\n` are understood. Nothing is
expanded. In the environment a quote is part of the value (docker run --env-file passes them on), and no value may begin
or end with one. Variables of other programs may stand there too: a name is refused only when it is nearly one of ours.

## Schedules

`run` without --once harvests by a schedule: every COLLECTION_INTERVAL minutes, or by COLLECTION_SCHEDULE. Several, with
words of their own, stand in `tmdb-collector.toml`; they take the place of those two settings:

```toml
[[schedule]]
name = "exports"                    # 1 to 64 letters, digits, - _ and .; under it is remembered what has run
expression = "cron(30 9 * * ? *)"
timezone = "Europe/Berlin"          # COLLECTION_TIMEZONE when it is left out
mode = "export"                     # auto (when it is left out), export or changes, as for `harvest --mode`
limit = 10000                       # new ids of each type, the most popular ones; all of them when it is left out

[[schedule]]
name = "changes"
expression = "rate(2 hours)"
mode = "changes"
types = ["movie", "tv"]             # MEDIA_TYPES when it is left out
```

An expression is one of these, in the grammar of Amazon EventBridge:

- `rate(N minutes)`, `hours` or `days`; the unit is singular when N is 1.
- `cron(minutes hours day-of-month month day-of-week year)`. Exactly one of day-of-month and day-of-week must be `?`.
- `at(yyyy-mm-ddThh:mm:ss)`: once.

| field | values | may hold |
| --- | --- | --- |
| minutes | 0-59 | `,` `-` `*` `/` |
| hours | 0-23 | `,` `-` `*` `/` |
| day-of-month | 1-31 | `,` `-` `*` `/`, alone `?`, `L` (the last), `LW` (the last Monday to Friday), `15W` (the Monday to Friday nearest to the 15th) |
| month | 1-12 or JAN-DEC | `,` `-` `*` `/` |
| day-of-week | 1-7 or SUN-SAT, 1 is Sunday | `,` `-` `*`, alone `?`, `L` (Saturday), `6L` (the last Friday of the month), `6#3` (its third Friday) |
| year | 1970-2199 | `,` `-` `*` `/` |

A schedule that was never run starts at once, `at()` at its time. After downtime, a suspended machine or a clock that
was put forward, what was missed runs once. A run that was killed or stopped is taken up again at the next start; one
that ended with exit code 3 is tried again after 15 minutes. Where clocks are put forward, a time that they leave out
does not happen; where they are put back, a time that comes twice counts once. One run is under way at a time: when
another is due while the queue is still being fetched, and has been for 15 minutes, its harvest comes first and the
queue goes on after it.

## Proxies and certificates

These are read from the environment alone, as most programs do, and from no file.

| variable | what it says |
| --- | --- |
| `https_proxy`, `http_proxy` | the proxy for https and for http URLs: `http://proxy.example:3128`, with `user:password@` where it asks for it. `HTTPS_PROXY` counts too, `HTTP_PROXY` does not |
| `all_proxy` | the proxy for both where the above are not set; `socks5h://` works as well |
| `no_proxy` | what is asked directly: names (and all below them), addresses, blocks such as 10.0.0.0/8, with commas between; `*` is everything |
| `SSL_CERT_FILE` | a PEM file of the authorities whose certificates are believed, in place of the system's: for a proxy that opens TLS, or a server with a certificate of your own |
| `SSL_CERT_DIR` | a folder of them, under the names that `openssl rehash` gives |

127.0.0.0/8, ::1 and localhost are always asked directly. An error behind a proxy names it. A certificate that is not
believed is not tried again.

## AWS

Where S3_BUCKET_NAME is set, key and region come from where every AWS program has them; the first that says so counts.
These variables may stand in `.env` too; those of the environment come first.

| variable | what it says |
| --- | --- |
| `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN` | the key itself |
| `AWS_PROFILE` | the profile of `~/.aws/credentials` and `~/.aws/config` that has it, or the command that prints it; `default` when it is not set |
| `AWS_SHARED_CREDENTIALS_FILE`, `AWS_CONFIG_FILE` | those two files, elsewhere |
| `AWS_WEB_IDENTITY_TOKEN_FILE`, `AWS_ROLE_ARN`, `AWS_ROLE_SESSION_NAME` | the role of a web identity, asked of STS; EKS sets these. A profile may say the same |
| `AWS_CONTAINER_CREDENTIALS_RELATIVE_URI`, `_FULL_URI`, `AWS_CONTAINER_AUTHORIZATION_TOKEN`, `_TOKEN_FILE` | a container's role; AWS sets these |
| `AWS_EC2_METADATA_DISABLED` | `true`: no question about an instance's role, which comes last |
| `AWS_REGION`, `AWS_DEFAULT_REGION` | the region; else `region` of the profile |
| `AWS_ENDPOINT_URL`, `AWS_ENDPOINT_URL_S3`, `_SQS`, `_SSM`, `_STS` | other addresses of the services, for tests |

A profile may hold a key, name a web identity, or have a `credential_process`: a command that prints a key. It is asked
again five minutes before that key expires, so that a process can stay for as long as you like. Profiles with SSO
(`sso_session`, `sso_start_url`), with a role that the key of another profile assumes (`role_arn` with `source_profile`
or `credential_source`), or with `login_session` are not read, and the error says so. The AWS CLI (version 2) reads
them; name it in a second profile and use that:

    [profile mirror]
    region = eu-central-1
    credential_process = aws configure export-credentials --profile my-sso --format process

## Reload

SIGHUP (`systemctl reload`) makes `run` read the two files again. Settings that say so below, and the schedules, take
effect at once; the others are named in the log and wait for a restart. When a file is not right it is told in the log,
and everything stays as it was.

)md";

constexpr std::string_view kEnvIntroduction =
    R"(# Copy this file to .env and fill in what you need; docs/configuration.md explains it.
# What is commented out shows the default.

)";

// What the deployment reads besides.
constexpr std::string_view kEnvForDeployment = R"(
# The region of the bucket, and of `npm run deploy`, such as us-east-1 (docs/aws.md).
# AWS_REGION=

# Who gets mails from the alarms of `npm run setup-alerts`.
# ALERT_EMAIL=
)";

std::string Heading(std::string_view section) {
  return fmt::format("## [{}]\n\n", section);
}

// "`3`", or words where there is none.
std::string Default(const Setting& setting) {
  const std::string fallback = FallbackOf(setting);
  return fallback.empty() ? "not set" : fmt::format("`{}`", fallback);
}

// Broken at blanks, where a line would be longer than the longest line of this repository; what follows the first line
// is indented by `margin`. A word that is longer stays whole.
std::string Wrapped(std::string_view text, std::string_view margin = "") {
  constexpr std::size_t kColumns = 120;
  std::string wrapped;
  std::size_t column = 0;
  while (!text.empty()) {
    const std::string_view word = text.substr(0, text.find(' '));
    text.remove_prefix(std::min(word.size() + 1, text.size()));
    if (column > 0 && column + 1 + word.size() > kColumns) {
      wrapped.append("\n").append(margin);
      column = margin.size();
    } else if (column > 0) {
      wrapped += ' ';
      ++column;
    }
    wrapped += word;
    column += word.size();
  }
  return wrapped;
}

}  // namespace

std::string SettingsMarkdown() {
  std::string text(kIntroduction);
  std::string_view section;
  for (const Setting& setting : SettingsTable()) {
    if (setting.section != section) text += Heading(section = setting.section);
    text += fmt::format("### {}\n\n{}\n\n", setting.name, Wrapped(setting.description));
    text += Wrapped(fmt::format("- Default: {}", Default(setting)), "  ") + "\n";
    text += Wrapped(fmt::format("- Allowed: {}", setting.allowed), "  ") + "\n";
    text += fmt::format("- Flag: {}, toml: `{}`\n\n",
                        setting.secret ? "none" : fmt::format("`{}`", FlagOf(setting)), TomlKeyOf(setting));
    if (setting.reloads) {
      text.pop_back();
      text += "- Reload: takes effect at SIGHUP\n\n";
    }
  }
  text.pop_back();
  return text;
}

std::string EnvExample() {
  std::string text(kEnvIntroduction);
  for (const Setting& setting : SettingsTable()) {
    const bool needed = setting.name == "TMDB_API_KEY";
    text += Wrapped(fmt::format("# {}", setting.description), "# ");
    text += fmt::format("\n{}{}={}\n\n", needed ? "" : "# ", setting.name, FallbackOf(setting));
  }
  text.pop_back();
  text += kEnvForDeployment;
  return text;
}

}  // namespace tmdbc
