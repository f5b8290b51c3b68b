// SPDX-License-Identifier: MIT
// Command: what the table of commands says of each: its words, its flags, its function. The parser
// (command_line.h) knows CLI11, the commands do not: they read plain Arguments.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "settings/settings.h"

namespace tmdbc {

// The promise to scripts; ExitMeanings() has the words.
enum ExitCode : int {
  kExitDone = 0,
  kExitPartly = 1,
  kExitUsage = 2,
  kExitUnusable = 3,
  kExitDenied = 4,
};
struct ExitMeaning {
  ExitCode code;
  std::string_view words;
};
std::span<const ExitMeaning> ExitMeanings();

// "--id: 'x' is not an id: ...": the error, with the flag that was meant in front.
std::unexpected<Error> WithinFlag(const char* flag, const Error& error);

// The exit code of a command that ends with this error.
int ExitCodeOf(ErrorCode code);

struct Option {
  std::string_view flag;   // "--type"
  std::string_view value;  // what the help calls its value: "TYPE"; empty for a switch
  std::string_view help;
  std::string_view setting;  // when not empty: the flag is another name for this setting's; a switch gives it "true"
};

class Arguments {
 public:
  void Set(std::string_view flag, std::string value) { values_[std::string(flag)] = std::move(value); }
  bool Has(std::string_view flag) const { return values_.contains(flag); }
  std::optional<std::string> Get(std::string_view flag) const;
  // The value of a flag that must be there.
  Result<std::string> Need(std::string_view flag) const;
  // Its value as a whole number from `low` to `high`; empty when it is not there.
  Result<std::optional<std::int64_t>> Number(std::string_view flag, std::int64_t low,
                                             std::int64_t high) const;

 private:
  std::map<std::string, std::string, std::less<>> values_;
};

struct Command {
  std::string_view name;  // "status", "queue list"
  std::string_view summary;
  std::span<const Option> options;
  std::string_view details;  // the end of its help
  bool hidden;               // from the list of commands
  // The exit code, or an error to be printed whose code is mapped by ExitCodeOf().
  Result<int> (*run)(const Settings& settings, const Arguments& arguments);
  bool without_settings = false;  // it prints what the tables say, whatever stands in the settings
};

// Every command, in the order of the help.
std::span<const Command> CommandTable();

// One a file: run_command.cc...
Result<int> RunCommand(const Settings& settings, const Arguments& arguments);
Result<int> HarvestCommand(const Settings& settings, const Arguments& arguments);
Result<int> CollectCommand(const Settings& settings, const Arguments& arguments);
Result<int> TriggerCommand(const Settings& settings, const Arguments& arguments);
Result<int> ImagesCommand(const Settings& settings, const Arguments& arguments);
Result<int> ServeCommand(const Settings& settings, const Arguments& arguments);
Result<int> StatusCommand(const Settings& settings, const Arguments& arguments);
Result<int> QueryCommand(const Settings& settings, const Arguments& arguments);
Result<int> ChangesCommand(const Settings& settings, const Arguments& arguments);
Result<int> QueueListCommand(const Settings& settings, const Arguments& arguments);
Result<int> QueueDeadCommand(const Settings& settings, const Arguments& arguments);
Result<int> QueueRedriveCommand(const Settings& settings, const Arguments& arguments);
Result<int> QueuePurgeCommand(const Settings& settings, const Arguments& arguments);
Result<int> CompactCommand(const Settings& settings, const Arguments& arguments);
Result<int> VerifyCommand(const Settings& settings, const Arguments& arguments);
Result<int> TablesCommand(const Settings& settings, const Arguments& arguments);
Result<int> SqlCommand(const Settings& settings, const Arguments& arguments);
Result<int> PushCommand(const Settings& settings, const Arguments& arguments);
Result<int> PullCommand(const Settings& settings, const Arguments& arguments);
Result<int> SettingsCommand(const Settings& settings, const Arguments& arguments);
Result<int> CompletionsCommand(const Settings& settings, const Arguments& arguments);
Result<int> ManualCommand(const Settings& settings, const Arguments& arguments);
Result<int> LambdaCommand(const Settings& settings, const Arguments& arguments);

}  // namespace tmdbc
