// SPDX-License-Identifier: MIT
#include "app/command_line.h"

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <deque>
#include <map>
#include <memory>
#include <string_view>
#include <vector>

#include "base/version.h"
#include "base/words.h"

namespace tmdbc {
namespace {

constexpr const char* kProgram = "tmdb-collector";
constexpr const char* kAbout = "Keeps a complete, versioned copy of TMDB in a folder.";
// For a person who types the name alone.
constexpr const char* kFirstSteps =
    R"({1}

The three commands you need first:

  {0} run --once                     mirrors TMDB now; the same again goes on where it ended
  {0} query --type=movie --id=550    prints a record as TMDB sent it
  {0} status                         what is stored, queued and given up

The others: {2}.
`{0} --help` lists commands and settings, `{0} run --help` the flags of one.
A key of your own is needed: TMDB_API_KEY in .env or the environment (https://www.themoviedb.org/settings/api).
)";

std::string ExitCodes() {
  std::string text = "Exit codes:";
  for (const ExitMeaning& exit : ExitMeanings())
    text += fmt::format("{} {} {}", exit.code == kExitDone ? "" : ",", int(exit.code), exit.words);
  return text + ".";
}

std::string FirstSteps() {
  std::string others;
  for (const Command& command : CommandTable()) {
    const bool first = command.name == "run" || command.name == "query" || command.name == "status";
    if (command.hidden || first) continue;
    others += fmt::format("{}{}", others.empty() ? "" : ", ", command.name);
  }
  return fmt::format(fmt::runtime(kFirstSteps), kProgram, kAbout, others);
}

// CLI11's parser, made from our tables, and where it puts what it found.
class Parser {
 public:
  Parser() : app_(kAbout, kProgram) {
    app_.set_help_flag("-h,--help", "print this help");
    app_.set_version_flag("--version", fmt::format("{} {}", kProgram, kVersion), "print the version");
    app_.get_formatter()->column_width(34);
    app_.footer(ExitCodes());
    app_.require_subcommand(0, 1);
    app_.allow_extras();
    app_.add_option("--config", config_path_, "read this file instead of tmdb-collector.toml")
        ->type_name("FILE")
        ->group("Everywhere");
    const std::string about_debug = "say everything: LOG_LEVEL=debug, and where each setting came from";
    debug_ = app_.add_flag("--debug", about_debug);
    debug_->group("Everywhere");
    AddSettings();
    for (const Command& command : CommandTable()) AddCommand(command);
  }

  // CLI11 says "help wanted" and "bad usage" with exceptions; they end here.
  Result<std::variant<Invocation, HelpText>> Parse(int argc, const char* const* argv) {
    TRY(NoEmptyValues(argc, argv));
    TRY(NoFlagAsValue(argc, argv));
    const std::vector<const char*> words = HelpAsFlag(argc, argv);
    try {
      app_.parse(int(words.size()), words.data());
    } catch (const CLI::CallForHelp&) {
      const bool of_nothing = argc > 2 && std::string_view(argv[1]) == "help" && app_.get_subcommands().empty();
      if (of_nothing) return UnknownCommand(argv[2]);
      return HelpText{Help()};
    } catch (const CLI::CallForVersion& version) {
      return HelpText{std::string(version.what()) + "\n"};
    } catch (const CLI::ArgumentMismatch& error) {
      const std::string what = error.what();
      return Fail(ErrorCode::kInvalid, "{} needs a value; see --help", what.substr(0, what.find(':')));
    } catch (const CLI::ParseError& error) {
      return Fail(ErrorCode::kInvalid, "{}; see --help", ShowValue(error.what()));
    }
    const Leaf* leaf = ChosenLeaf();
    const bool only_words = std::find(argv, argv + argc, std::string_view("--")) != argv + argc;
    TRY(CheckExtras(leaf, only_words));
    if (argc <= 1) return HelpText{FirstSteps()};
    if (leaf == nullptr && app_.get_subcommands().empty())
      return Fail(ErrorCode::kInvalid, "which command? tmdb-collector --help lists them");
    if (leaf == nullptr) return NoCommand();
    return Collect(*leaf);
  }

 private:
  struct Given {
    const Option* option;
    CLI::Option* parsed;
  };
  struct Leaf {
    const Command* command;
    CLI::App* app;
    std::vector<Given> options;
  };

  // `help`, `help queue list` and `version`, as other programs have them.
  static std::vector<const char*> HelpAsFlag(int argc, const char* const* argv) {
    std::vector<const char*> words(argv, argv + argc);
    if (argc < 2) return words;
    const std::string_view first = argv[1];
    if (first == "version" && argc == 2) words[1] = "--version";
    if (first != "help") return words;
    words.erase(words.begin() + 1);
    words.push_back("--help");
    return words;
  }

  // CLI11 takes the next word for the value of "--type=", and so would swallow another flag.
  static Result<void> NoEmptyValues(int argc, const char* const* argv) {
    for (int i = 1; i < argc; ++i) {
      const std::string_view word = argv[i];
      if (word == "--") break;
      if (!word.starts_with("--") || !word.ends_with('=')) continue;
      const std::string_view flag = word.substr(0, word.size() - 1);
      if (flag.find('=') == std::string_view::npos) return EmptyValue(flag);
    }
    return {};
  }

  // Nor is a flag the value of the one in front of it: `run --data-dir --once` would be a daemon in ./--once.
  static Result<void> NoFlagAsValue(int argc, const char* const* argv) {
    for (int i = 1; i + 1 < argc; ++i) {
      const std::string_view word = argv[i], next = argv[i + 1];
      if (word == "--") break;
      if (next.starts_with("--") && next.size() > 2 && TakesValue(word))
        return Fail(ErrorCode::kInvalid, "{} needs a value; see --help", word);
    }
    return {};
  }
  static bool TakesValue(std::string_view flag) {
    if (flag == "--config") return true;
    for (const Setting& setting : SettingsTable()) {
      if (flag == FlagOf(setting)) return true;
    }
    for (const Command& command : CommandTable()) {
      for (const Option& option : command.options) {
        if (flag.starts_with("--") && flag == option.flag) return !option.value.empty();
      }
    }
    return false;
  }
  static std::unexpected<Error> EmptyValue(std::string_view flag) {
    if (!flag.starts_with('-')) return Fail(ErrorCode::kInvalid, "{} is empty; see --help", flag);
    return Fail(ErrorCode::kInvalid, "{} has an empty value: give it one, or leave the flag out",
                ShowValue(flag));
  }

  void AddSettings() {
    for (const Setting& setting : SettingsTable()) {
      if (setting.secret) continue;
      std::string help = fmt::format("{}{}", setting.name,
                                     setting.fallback.empty() ? "" : fmt::format(" ({})", setting.fallback));
      auto* option = app_.add_option(FlagOf(setting), texts_.emplace_back(), std::move(help));
      option->group("Settings (docs/configuration.md)")->take_last();
      settings_.emplace_back(&setting, option);
    }
  }

  // "queue list" is the command list of the command queue.
  CLI::App* ParentOf(std::string_view name) {
    const auto blank = name.find(' ');
    if (blank == std::string_view::npos) return &app_;
    const std::string group(name.substr(0, blank));
    CLI::App*& made = groups_[group];
    if (made != nullptr) return made;
    made = app_.add_subcommand(group, "list | dead | redrive | purge: look at the queue and mend it");
    made->set_help_flag("-h,--help", "print this help");
    made->require_subcommand(0, 1)->allow_extras()->fallthrough();
    return made;
  }

  void AddCommand(const Command& command) {
    CLI::App* parent = ParentOf(command.name);
    const auto blank = command.name.rfind(' ');
    const std::string name(blank == std::string_view::npos ? command.name : command.name.substr(blank + 1));
    CLI::App* app = parent->add_subcommand(name, std::string(command.summary));
    app->set_help_flag("-h,--help", "print this help");
    app->allow_extras()->fallthrough();
    if (command.hidden) app->group("");
    std::string footer(command.details);
    footer += footer.empty() ? "" : "\n";
    app->footer(footer + "Also --config, --debug and every setting as a flag: see tmdb-collector --help.");
    Leaf leaf{&command, app, {}};
    for (const Option& option : command.options) {
      const std::string flag(option.flag);
      const std::string help(option.help);
      CLI::Option* parsed = option.value.empty() ? app->add_flag(flag, help)
                                                 : app->add_option(flag, texts_.emplace_back(), help);
      // A word without a flag has its name already.
      const std::string_view value_name = option.flag.starts_with('-') ? option.value : "";
      if (!option.value.empty()) parsed->type_name(std::string(value_name))->take_last();
      leaf.options.push_back({&option, parsed});
    }
    leaves_.push_back(std::move(leaf));
  }

  // The innermost command that was named asks for its own help.
  std::string Help() const {
    const CLI::App* app = &app_;
    std::string words = kProgram;
    while (!app->get_subcommands().empty()) {
      app = app->get_subcommands().front();
      words += " " + app->get_name();
    }
    return OneBlankLine(app->help(app == &app_ ? "" : words.substr(0, words.rfind(' '))));
  }

  // CLI11 puts two between the groups of options.
  static std::string OneBlankLine(std::string text) {
    for (auto at = text.find("\n\n\n"); at != std::string::npos; at = text.find("\n\n\n", at))
      text.erase(at, 1);
    return text;
  }

  const Leaf* ChosenLeaf() const {
    for (const Leaf& leaf : leaves_) {
      if (leaf.app->parsed()) return &leaf;
    }
    return nullptr;
  }

  // Behind "--" even what begins like a flag is a word.
  Result<void> CheckExtras(const Leaf* leaf, bool only_words) const {
    const std::vector<std::string> extras = app_.remaining(true);
    if (extras.empty()) return {};
    const std::string& word = extras.front();
    if (word.starts_with("-") && !only_words) return UnknownFlag(word, leaf);
    if (leaf != nullptr)
      return Fail(ErrorCode::kInvalid, "'{}' is one word too many; see --help", ShowValue(word));
    return UnknownCommand(word);
  }

  std::unexpected<Error> UnknownFlag(const std::string& word, const Leaf* leaf) const {
    const std::string flag = word.substr(0, word.find('='));
    for (const Setting& setting : SettingsTable()) {
      if (setting.secret && flag == FlagOf(setting)) {
        return Fail(ErrorCode::kInvalid,
                    "{} is not a flag, for every user of this machine can read command lines: put {} in .env or "
                    "the environment",
                    flag, setting.name);
      }
    }
    std::vector<std::string> known = {"--help", "--config", "--debug", "--version"};
    if (leaf != nullptr) {
      for (const Given& given : leaf->options) known.emplace_back(given.option->flag);
    }
    for (const auto& [setting, option] : settings_) known.push_back(FlagOf(*setting));
    return Fail(ErrorCode::kInvalid, "{} is not a flag{}{}", ShowValue(flag),
                leaf ? fmt::format(" of {}", leaf->command->name) : "", HintOrHelp(DidYouMean(flag, known)));
  }

  std::unexpected<Error> UnknownCommand(const std::string& word) const {
    const CLI::App* parent = app_.get_subcommands().empty() ? &app_ : app_.get_subcommands().front();
    std::vector<std::string> known;
    for (const CLI::App* app :
         parent->get_subcommands([](const CLI::App* sub) { return !sub->get_group().empty(); })) {
      known.push_back(app->get_name());
    }
    return Fail(ErrorCode::kInvalid, "'{}' is not a command{}{}", ShowValue(word),
                parent == &app_ ? "" : fmt::format(" of {}", parent->get_name()),
                HintOrHelp(DidYouMean(word, known)));
  }

  static std::unexpected<Error> NoCommand() {
    return Fail(ErrorCode::kInvalid, "queue what: list, dead, redrive or purge?");
  }

  static std::string HintOrHelp(std::string hint) { return hint.empty() ? "; see --help" : std::move(hint); }

  // CLI11 lets a switch have a value, and counts with it: --once=3.
  static Result<bool> IsOn(const CLI::Option* flag) {
    for (const std::string& value : flag->results()) {
      if (value != "true")
        return Fail(ErrorCode::kInvalid, "{} takes no value; see --help", flag->get_name());
    }
    return flag->count() > 0;
  }

  Result<std::variant<Invocation, HelpText>> Collect(const Leaf& leaf) const {
    Invocation invocation;
    invocation.command = leaf.command;
    if (app_.count("--config") > 0) invocation.config_path = config_path_;
    for (const auto& [setting, option] : settings_) {
      if (option->count() == 0) continue;
      if (option->results().back().empty()) return EmptyValue(FlagOf(*setting));
      invocation.flags.push_back({std::string(setting->name), option->results().back(), FlagOf(*setting)});
    }
    for (const Given& given : leaf.options) {
      const bool is_switch = given.option->value.empty();
      if (is_switch) TRY(IsOn(given.parsed));
      if (given.parsed->count() == 0) continue;
      std::string value = !is_switch                      ? given.parsed->results().back()
                          : given.option->setting.empty() ? std::string()
                                                          : std::string("true");
      if (!is_switch && value.empty()) return EmptyValue(given.option->flag);
      if (given.option->setting.empty()) {
        invocation.arguments.Set(given.option->flag, std::move(value));
      } else {
        invocation.flags.push_back(
            {std::string(given.option->setting), std::move(value), std::string(given.option->flag)});
      }
    }
    TRY_ASSIGN(const bool debug, IsOn(debug_));
    if (debug) invocation.flags.push_back({"LOG_LEVEL", "debug", "--debug"});
    return invocation;
  }

  CLI::App app_;
  std::string config_path_;
  CLI::Option* debug_ = nullptr;
  std::deque<std::string> texts_;  // where CLI11 writes values; they stay where they are
  std::vector<std::pair<const Setting*, CLI::Option*>> settings_;
  std::vector<Leaf> leaves_;
  std::map<std::string, CLI::App*> groups_;
};

}  // namespace

Result<std::variant<Invocation, HelpText>> ParseCommandLine(int argc, const char* const* argv) {
  return Parser().Parse(argc, argv);
}

}  // namespace tmdbc
