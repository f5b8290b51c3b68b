// SPDX-License-Identifier: MIT
#include "app/completions.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>

#include "base/words.h"
#include "tmdb/media_id.h"

namespace tmdbc {
namespace {

constexpr std::string_view kSettingsGroup = "--config";  // what every command takes, besides its own

// A flag as the shells see it.
struct Flag {
  std::string name;  // "--type"
  std::string help;
  bool takes_value = false;
  bool takes_file = false;
  std::vector<std::string> choices = {};
};

bool TakesFile(std::string_view value) {
  return value == "FILE";
}

std::vector<Flag> FlagsOf(const Command& command) {
  std::vector<Flag> flags;
  for (const Option& option : command.options) {
    if (!option.flag.starts_with('-')) continue;
    flags.push_back({.name = std::string(option.flag),
                     .help = std::string(option.help),
                     .takes_value = !option.value.empty(),
                     .takes_file = TakesFile(option.value),
                     .choices = ChoicesOf(option)});
  }
  return flags;
}

std::vector<Flag> FlagsEverywhere() {
  std::vector<Flag> flags = {{.name = "--help", .help = "print the help"},
                             {.name = std::string(kSettingsGroup),
                              .help = "read this file instead of tmdb-collector.toml",
                              .takes_value = true,
                              .takes_file = true},
                             {.name = "--debug", .help = "say everything, and where each setting came from"}};
  for (const Setting& setting : SettingsTable()) {
    if (setting.secret) continue;
    flags.push_back({.name = FlagOf(setting),
                     .help = std::string(setting.name),
                     .takes_value = true,
                     .takes_file = setting.name == "DATA_DIR",
                     .choices = ChoicesOf(setting)});
  }
  return flags;
}

// A command that is a word of its own, with those below it: "queue" with "list", "dead"...
struct Word {
  std::string name, help;
  const Command* command = nullptr;  // null: only what is below it runs
  std::vector<Word> below = {};

  // The words that stand for a file or a choice.
  const Option* positional() const {
    if (command == nullptr) return nullptr;
    const auto found =
        std::ranges::find_if(command->options, [](const Option& o) { return !o.flag.starts_with('-'); });
    return found == command->options.end() ? nullptr : &*found;
  }
};

std::vector<Word> WordsOfTable() {
  std::vector<Word> words;
  for (const Command& command : CommandTable()) {
    if (command.hidden) continue;
    const auto blank = command.name.find(' ');
    const std::string first(command.name.substr(0, blank));
    if (blank == std::string_view::npos) {
      words.push_back({.name = first, .help = std::string(command.summary), .command = &command});
      continue;
    }
    auto group = std::ranges::find(words, first, &Word::name);
    if (group == words.end()) {
      words.push_back({.name = first, .help = "look at the queue and mend it"});
      group = std::prev(words.end());
    }
    group->below.push_back({.name = std::string(command.name.substr(blank + 1)),
                            .help = std::string(command.summary),
                            .command = &command});
  }
  return words;
}

std::string NamesOf(const std::vector<Flag>& flags) {
  std::string names;
  for (const Flag& flag : flags)
    names += fmt::format("{}{}{}", names.empty() ? "" : " ", flag.name, flag.takes_value ? "=" : "");
  return names;
}

std::string NamesOf(const std::vector<Word>& words) {
  std::string names;
  for (const Word& word : words) names += (names.empty() ? "" : " ") + word.name;
  return names;
}

// --- bash ---

std::string Bash() {
  const std::vector<Word> words = WordsOfTable();
  std::string flags_of, values_of, below_of, files_of;
  std::set<std::string> seen;
  const auto add_values = [&](const std::vector<Flag>& flags) {
    for (const Flag& flag : flags) {
      if (!flag.takes_value || !seen.insert(flag.name).second) continue;
      if (flag.takes_file) {
        values_of += fmt::format("    {}) _tmdb_collector_files ;;\n", flag.name);
      } else {
        values_of += fmt::format("    {}) COMPREPLY=($(compgen -W '{}' -- \"$cur\")) ;;\n", flag.name,
                                 fmt::join(flag.choices, " "));
      }
    }
  };
  const auto add_command = [&](const std::string& name, const Word& word) {
    const std::vector<Flag> flags = FlagsOf(*word.command);
    flags_of += fmt::format("    '{}') flags='{}' ;;\n", name, NamesOf(flags));
    add_values(flags);
    const Option* positional = word.positional();
    if (positional == nullptr) return;
    if (TakesFile(positional->value)) {
      files_of += fmt::format("    '{}') _tmdb_collector_files ;;\n", name);
    } else {
      files_of += fmt::format("    '{}') COMPREPLY=($(compgen -W '{}' -- \"$cur\")) ;;\n", name,
                              fmt::join(ChoicesOf(*positional), " "));
    }
  };
  for (const Word& word : words) {
    if (word.command != nullptr) add_command(word.name, word);
    if (word.below.empty()) continue;
    below_of += fmt::format("    '{}') below='{}' ;;\n", word.name, NamesOf(word.below));
    for (const Word& inner : word.below) add_command(word.name + " " + inner.name, inner);
  }
  add_values(FlagsEverywhere());
  return fmt::format(R"(# bash completion for tmdb-collector, printed by `tmdb-collector completions bash`

_tmdb_collector_files() {{
  compopt -o filenames 2>/dev/null
  COMPREPLY=($(compgen -f -- "$cur"))
}}

_tmdb_collector() {{
  local cur=${{COMP_WORDS[COMP_CWORD]}} at=$COMP_CWORD flag='' command='' below='' flags='' i word
  COMPREPLY=()
  # "--type=mov" comes as three words, for '=' is among COMP_WORDBREAKS.
  if [ "$cur" = '=' ]; then
    cur='' flag=${{COMP_WORDS[at - 1]}}
  elif [ "$at" -gt 1 ] && [ "${{COMP_WORDS[at - 1]}}" = '=' ]; then
    flag=${{COMP_WORDS[at - 2]}}
  elif [[ "$cur" != -* && "${{COMP_WORDS[at - 1]}}" == --* ]]; then
    flag=${{COMP_WORDS[at - 1]}}
  fi
  case $flag in
{}    *) flag='' ;;
  esac
  [ -z "$flag" ] || return 0
  for ((i = 1; i < at; ++i)); do
    word=${{COMP_WORDS[i]}}
    [[ "$word" == -* || "$word" == '=' || "${{COMP_WORDS[i - 1]}}" == '=' ]] && continue
    if [ -z "$command" ]; then command=$word; elif [[ " $below " == *" $word "* ]]; then command+=" $word"; fi
    case $command in
{}    *) below='' ;;
    esac
  done
  case $command in
{}  esac
  if [[ "$cur" == -* ]]; then
    COMPREPLY=($(compgen -W "$flags {}" -- "$cur"))
    [[ "${{COMPREPLY[*]}}" == *= ]] && compopt -o nospace 2>/dev/null
  elif [ -z "$command" ]; then
    COMPREPLY=($(compgen -W '{}' -- "$cur"))
  elif [ -n "$below" ]; then
    COMPREPLY=($(compgen -W "$below" -- "$cur"))
  else
    case $command in
{}    esac
  fi
  return 0
}}

complete -F _tmdb_collector tmdb-collector
)",
                     values_of, below_of, flags_of, NamesOf(FlagsEverywhere()), NamesOf(words), files_of);
}

// --- zsh ---

// Within single quotes, and with nothing that _arguments or _describe would take for itself.
std::string ZshText(std::string_view text) {
  std::string safe;
  for (const char c : text) {
    if (c == '\'') {
      safe += "'\\''";
    } else if (c == ':' || c == '[' || c == ']' || c == '\\') {
      safe += '\\';
      safe += c;
    } else {
      safe += c;
    }
  }
  return safe;
}

std::string ZshFlag(const Flag& flag) {
  std::string spec = fmt::format("'{}{}[{}]", flag.name, flag.takes_value ? "=" : "", ZshText(flag.help));
  if (flag.takes_file) {
    spec += ":file:_files";
  } else if (!flag.choices.empty()) {
    spec += fmt::format(":value:({})", fmt::join(flag.choices, " "));
  } else if (flag.takes_value) {
    spec += ":value: ";
  }
  return spec + "'";
}

std::string ZshArguments(const Word& word, std::string_view margin) {
  std::string lines = fmt::format("{}_arguments $everywhere", margin);
  for (const Flag& flag : FlagsOf(*word.command)) lines += fmt::format(" \\\n{}  {}", margin, ZshFlag(flag));
  if (const Option* positional = word.positional()) {
    const std::string action =
        TakesFile(positional->value) ? "_files" : fmt::format("({})", fmt::join(ChoicesOf(*positional), " "));
    lines += fmt::format(" \\\n{}  '1:{}:{}'", margin, Lower(positional->value), action);
  }
  return lines + "\n";
}

std::string ZshDescribe(const std::vector<Word>& words) {
  std::string list;
  for (const Word& word : words) list += fmt::format(" '{}:{}'", word.name, ZshText(word.help));
  return list;
}

std::string Zsh() {
  const std::vector<Word> words = WordsOfTable();
  std::string everywhere, cases;
  for (const Flag& flag : FlagsEverywhere()) everywhere += fmt::format("\n    {}", ZshFlag(flag));
  for (const Word& word : words) {
    cases += fmt::format("        {})\n", word.name);
    if (word.below.empty()) {
      cases += ZshArguments(word, "          ");
    } else {
      cases += fmt::format(
          "          below=({})\n          if (( CURRENT == 2 )); then _describe command below; else\n"
          "            shift words; (( CURRENT-- ))\n            case $words[1] in\n",
          ZshDescribe(word.below));
      for (const Word& inner : word.below)
        cases += fmt::format("              {})\n{}                ;;\n", inner.name,
                             ZshArguments(inner, "                "));
      cases += "            esac\n          fi\n";
    }
    cases += "          ;;\n";
  }
  return fmt::format(R"(#compdef tmdb-collector
# zsh completion for tmdb-collector, printed by `tmdb-collector completions zsh`

_tmdb-collector() {{
  local curcontext=$curcontext state line
  local -a everywhere commands below
  everywhere=({}
  )
  commands=({})
  _arguments -C $everywhere '1: :->command' '*:: :->arguments'
  case $state in
    command) _describe command commands ;;
    arguments)
      case $words[1] in
{}      esac
      ;;
  esac
}}

if [ "$funcstack[1]" = _tmdb-collector ]; then _tmdb-collector "$@"; else compdef _tmdb-collector tmdb-collector; fi
)",
                     everywhere, ZshDescribe(words), cases);
}

// --- fish ---

std::string FishText(std::string_view text) {
  std::string quoted = "'";
  for (const char c : text) {
    if (c == '\'' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted + "'";
}

std::string FishFlag(const Flag& flag, std::string_view condition) {
  std::string line = fmt::format("complete -c tmdb-collector{} -l {} -d {}", condition, flag.name.substr(2),
                                 FishText(flag.help));
  if (flag.takes_file) {
    line += " -r -F";
  } else if (!flag.choices.empty()) {
    line += fmt::format(" -x -a '{}'", fmt::join(flag.choices, " "));
  } else if (flag.takes_value) {
    line += " -x";
  }
  return line + "\n";
}

std::string FishCommand(const Word& word, const std::string& condition) {
  std::string text;
  for (const Flag& flag : FlagsOf(*word.command)) text += FishFlag(flag, condition);
  if (const Option* positional = word.positional()) {
    text += TakesFile(positional->value) ? fmt::format("complete -c tmdb-collector{} -F\n", condition)
                                         : fmt::format("complete -c tmdb-collector{} -a '{}'\n", condition,
                                                       fmt::join(ChoicesOf(*positional), " "));
  }
  return text;
}

std::string Fish() {
  std::string text =
      "# fish completion for tmdb-collector, printed by `tmdb-collector completions fish`\n\n"
      "complete -c tmdb-collector -f\n";
  for (const Flag& flag : FlagsEverywhere()) text += FishFlag(flag, "");
  for (const Word& word : WordsOfTable()) {
    text += fmt::format("complete -c tmdb-collector -n __fish_use_subcommand -a {} -d {}\n", word.name,
                        FishText(word.help));
    const std::string seen = "__fish_seen_subcommand_from " + word.name;
    if (word.command != nullptr) text += FishCommand(word, fmt::format(" -n '{}'", seen));
    for (const Word& inner : word.below) {
      text += fmt::format(
          "complete -c tmdb-collector -n '{}; and not __fish_seen_subcommand_from {}' -a {} -d {}\n", seen,
          NamesOf(word.below), inner.name, FishText(inner.help));
      text +=
          FishCommand(inner, fmt::format(" -n '{}; and __fish_seen_subcommand_from {}'", seen, inner.name));
    }
  }
  return text;
}

// "movie", "tv" of "a list of movie, tv or person"; empty when any part is more than one small word.
std::vector<std::string> WordsOfSentence(std::string_view sentence) {
  for (const std::string_view start : {"a list of "}) {
    if (sentence.starts_with(start)) sentence.remove_prefix(start.size());
  }
  std::vector<std::string> words;
  while (!sentence.empty()) {
    const auto end = std::min(sentence.find(", "), sentence.find(" or "));
    const std::string_view word = sentence.substr(0, end);
    const bool small = !word.empty() && std::ranges::all_of(word, [](unsigned char c) {
      return (c >= 'a' && c <= 'z') || c == '_' || c == '/';
    });
    if (!small) return {};
    words.emplace_back(word);
    if (end == std::string_view::npos) break;
    sentence.remove_prefix(end + (sentence.substr(end).starts_with(", ") ? 2 : 4));
  }
  return words.size() > 1 ? words : std::vector<std::string>();
}

}  // namespace

std::vector<std::string> ChoicesOf(const Option& option) {
  if (!option.setting.empty()) return ChoicesOf(*FindSetting(option.setting));
  if (option.value == "MODE") return {"auto", "export", "changes", "ids"};
  if (option.value == "SHELL") return {"bash", "zsh", "fish"};
  if (option.value != "TYPE") return {};
  std::vector<std::string> types;
  for (const MediaType type : kRecordTypes) types.emplace_back(Name(type));
  types.emplace_back(Name(MediaType::kEpisode));
  return types;
}

std::vector<std::string> ChoicesOf(const Setting& setting) {
  return WordsOfSentence(setting.allowed);
}

Result<std::string> CompletionScript(std::string_view shell) {
  if (shell == "bash") return Bash();
  if (shell == "zsh") return Zsh();
  if (shell == "fish") return Fish();
  if (shell.empty()) return Fail(ErrorCode::kInvalid, "completions for which shell: bash, zsh or fish?");
  return Fail(ErrorCode::kInvalid, "'{}' is not a shell that we complete for: use bash, zsh or fish",
              ShowValue(shell));
}

}  // namespace tmdbc
