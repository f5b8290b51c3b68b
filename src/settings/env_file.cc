// SPDX-License-Identifier: MIT
#include "settings/env_file.h"

#include <algorithm>

namespace tmdbc {
namespace {

class EnvParser {
 public:
  EnvParser(std::string_view text, const std::string& path) : rest_(text), path_(path) {}

  Result<std::vector<GivenSetting>> Parse() {
    if (rest_.starts_with("\xef\xbb\xbf")) rest_.remove_prefix(3);
    if (const auto nul = rest_.find('\0'); nul != std::string_view::npos)
      return Bad(1 + int(std::ranges::count(rest_.substr(0, nul), '\n')), "a NUL byte: this is not text");
    std::vector<GivenSetting> variables;
    while (!rest_.empty()) {
      SkipBlanks();
      if (!AtLineEnd() && rest_.front() != '#') TRY(TakeVariable(variables));
      SkipLine();
    }
    return variables;
  }

 private:
  bool AtLineEnd() const { return rest_.empty() || rest_.front() == '\n' || rest_.front() == '\r'; }

  char Take() {
    const char c = rest_.front();
    rest_.remove_prefix(1);
    line_ += c == '\n';
    return c;
  }

  void SkipBlanks() {
    while (!rest_.empty() && (rest_.front() == ' ' || rest_.front() == '\t')) Take();
  }

  void SkipLine() {
    while (!rest_.empty() && Take() != '\n') {
    }
  }

  // Whatever another program may call a variable: all up to a blank, an equals sign or the end of the line.
  std::string TakeName() {
    std::string name;
    while (!AtLineEnd() && rest_.front() != '=' && rest_.front() != ' ' && rest_.front() != '\t')
      name += Take();
    return name;
  }

  std::unexpected<Error> Bad(int line, std::string_view what) const {
    return Fail(ErrorCode::kInvalid, "{}:{}: {}", path_, line, what);
  }

  // A line that cannot be read is a mistake where it is nearly one of our settings; else it is another
  // program's, whose grammar we do not know, and it ends with the line.
  Result<void> TakeVariable(std::vector<GivenSetting>& variables) {
    const int line = line_;
    std::string name = TakeName();
    if (name == "export" && !AtLineEnd() && rest_.front() != '=') {
      SkipBlanks();
      name = TakeName();
    }
    SkipBlanks();
    const std::string_view after_name = rest_;
    auto value = TakeAssigned(line);
    if (value) {
      variables.push_back({std::move(name), *std::move(value), fmt::format("{}:{}", path_, line)});
    } else if (NearestSetting(name) != nullptr) {
      return std::unexpected(std::move(value).error());
    } else {
      rest_ = after_name;
      line_ = line;
    }
    return {};
  }

  Result<std::string> TakeAssigned(int line) {
    if (rest_.empty() || rest_.front() != '=')
      return Bad(line, "a line is NAME=value, a comment that begins with #, or empty");
    Take();
    SkipBlanks();
    return TakeValue(line);
  }

  Result<std::string> TakeValue(int line) {
    if (AtLineEnd()) return std::string();
    if (rest_.front() == '\'' || rest_.front() == '"') return TakeQuoted(line);
    std::string value;
    bool after_blank = true;
    while (!AtLineEnd() && !(after_blank && rest_.front() == '#')) {
      value += Take();
      after_blank = value.back() == ' ' || value.back() == '\t';
    }
    while (!value.empty() && (value.back() == ' ' || value.back() == '\t')) value.pop_back();
    return value;
  }

  Result<std::string> TakeQuoted(int line) {
    const char quote = Take();
    std::string value;
    while (true) {
      if (rest_.empty()) return Bad(line, "the quote that opens here is never closed");
      char c = Take();
      if (c == quote) break;
      if (c == '\\' && quote == '"' && !rest_.empty()) {
        const char escaped = rest_.front();
        if (escaped == '"' || escaped == '\\' || escaped == 'n') {
          Take();
          c = escaped == 'n' ? '\n' : escaped;
        }
      }
      value += c;
    }
    SkipBlanks();
    if (!AtLineEnd() && rest_.front() != '#')
      return Bad(line_, "nothing but a comment may follow the closing quote");
    return value;
  }

  std::string_view rest_;
  const std::string& path_;
  int line_ = 1;
};

}  // namespace

Result<std::vector<GivenSetting>> ParseEnvFile(std::string_view text, const std::string& path) {
  return EnvParser(text, path).Parse();
}

}  // namespace tmdbc
