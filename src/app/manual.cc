// SPDX-License-Identifier: MIT
#include "app/manual.h"

#include <fmt/format.h>

#include <string_view>

#include "app/command.h"
#include "base/version.h"
#include "settings/settings.h"

namespace tmdbc {
namespace {

// Text as it stands: no letter of it is a request or an escape, and a hyphen stays one that can be pasted.
std::string Roff(std::string_view text) {
  std::string safe = text.starts_with('.') || text.starts_with('\'') ? "\\&" : "";
  for (const char c : text) {
    if (c == '\\') {
      safe += "\\e";
    } else if (c == '-') {
      safe += "\\-";
    } else {
      safe += c;
    }
  }
  return safe;
}

std::string Title(std::string_view name, int section) {
  return fmt::format(
      ".\\\" Printed by `tmdb-collector manual`.\n.TH {} {} \"\" \"TMDB Data Collector {}\" \"TMDB Data Collector\"\n",
      Roff(name), section, kVersion);
}

std::string Term(std::string_view term, std::string_view value, std::string_view text) {
  std::string lines = fmt::format(".TP\n\\fB{}\\fR", Roff(term));
  if (!value.empty()) lines += fmt::format("{}\\fI{}\\fR", term.starts_with('-') ? "=" : " ", Roff(value));
  return lines + "\n" + Roff(text) + "\n";
}

std::string CommandSection(const Command& command) {
  std::string text =
      fmt::format(".SS \"tmdb\\-collector {}\"\n{}.\n", Roff(command.name), Roff(command.summary));
  if (!command.details.empty()) text += fmt::format(".PP\n{}\n", Roff(command.details));
  for (const Option& option : command.options) {
    const bool is_word = !option.flag.starts_with('-');
    text += Term(option.flag, is_word ? "" : option.value, option.help);
  }
  return text;
}

}  // namespace

std::string CommandsManual() {
  std::string text = Title("TMDB-COLLECTOR", 1);
  text +=
      ".SH NAME\ntmdb\\-collector \\- keeps a complete, versioned copy of The Movie Database in a folder\n"
      ".SH SYNOPSIS\n\\fBtmdb\\-collector\\fR \\fICOMMAND\\fR [\\fIFLAGS\\fR]\n"
      ".SH DESCRIPTION\nThree commands are enough to begin with:\n.PP\n.nf\n"
      "  tmdb\\-collector run \\-\\-once\n  tmdb\\-collector query \\-\\-type=movie \\-\\-id=550\n"
      "  tmdb\\-collector status\n.fi\n.PP\nA key of TMDB's is needed: TMDB_API_KEY in .env or the environment.\n"
      "Settings are in tmdb\\-collector.toml(5); each is also a flag of every command.\n.SH COMMANDS\n";
  for (const Command& command : CommandTable()) {
    if (!command.hidden) text += CommandSection(command);
  }
  text += ".SH OPTIONS\nThese go with every command:\n" +
          Term("--help", "", "print the flags of the command; without one the commands and settings") +
          Term("--version", "", "without a command: print the version") +
          Term("--config", "FILE", "read this file instead of tmdb-collector.toml") +
          Term("--debug", "", "say everything: LOG_LEVEL=debug, and where each setting came from");
  text += ".SH \"EXIT STATUS\"\n";
  for (const ExitMeaning& exit : ExitMeanings())
    text += Term(fmt::format("{}", int(exit.code)), "", exit.words);
  text += ".SH FILES\n" + Term("./tmdb-collector.toml", "", "settings, or the file that --config names") +
          Term("./.env", "", "settings as NAME=value lines") +
          Term("./data", "", "the store, where DATA_DIR names no other folder");
  return text + ".SH \"SEE ALSO\"\ntmdb\\-collector.toml(5), /usr/share/doc/tmdb\\-data\\-collector\n";
}

std::string SettingsManual() {
  std::string text = Title("TMDB-COLLECTOR.TOML", 5);
  text +=
      ".SH NAME\ntmdb\\-collector.toml \\- the settings of tmdb\\-collector(1)\n.SH DESCRIPTION\n"
      "Weaker sources first: the default, tmdb\\-collector.toml (the name in lower case), .env, the environment, a flag.\n"
      ".SH SETTINGS\n";
  for (const Setting& setting : SettingsTable()) {
    text += Term(setting.name, "", setting.description);
    const std::string fallback = FallbackOf(setting);
    text += fmt::format(".br\nDefault: {}\n.br\nAllowed: {}\n.br\n{}\n",
                        fallback.empty() ? "not set" : Roff(fallback), Roff(setting.allowed),
                        setting.secret ? "Flag: none" : "Flag: " + Roff(FlagOf(setting)));
  }
  return text + ".SH \"SEE ALSO\"\ntmdb\\-collector(1)\n";
}

}  // namespace tmdbc
