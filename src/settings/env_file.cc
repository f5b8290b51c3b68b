// SPDX-License-Identifier: MIT
#include "settings/env_file.h"

#include <algorithm>
#include <cctype>

namespace tmdbc {
namespace {

class EnvParser {
 public:
  EnvParser(std::string_view text, const std::string& path) : rest_(text), path_(path) {}

  Result<std::vector<GivenSetting>> Parse() {
    if (rest_.starts_with("\xef\xbb\xbf")) rest_.remove_prefix(3);
    std::vector<GivenSetting> variables;
    while (!rest_.empty()) {
      SkipBlanks();
      if (!AtLineEnd() && rest_.front() != '#') {
        TRY_ASSIGN(auto variable, ParseVariable());
        variables.push_back(std::move(variable));
      }
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

  std::string TakeName() {
    std::string name;
    while (!rest_.empty() &&
           (std::isalnum(static_cast<unsigned char>(rest_.front())) || rest_.front() == '_'))
      name += Take();
    return name;
  }

  std::unexpected<Error> Bad(int line, std::string_view what) const {
    return Fail(ErrorCode::kInvalid, "{}:{}: {}", path_, line, what);
  }

  Result<GivenSetting> ParseVariable() {
    const int line = line_;
    std::string name = TakeName();
    if (name == "export" && !AtLineEnd() && (rest_.front() == ' ' || rest_.front() == '\t')) {
      SkipBlanks();
      name = TakeName();
    }
    SkipBlanks();
    if (name.empty() || std::isdigit(static_cast<unsigned char>(name[0])) || rest_.empty() ||
        rest_.front() != '=') {
      return Bad(line, "a line is NAME=value, a comment that begins with #, or empty");
    }
    Take();
    SkipBlanks();
    TRY_ASSIGN(std::string value, TakeValue(line));
    if (value.find('\0') != std::string::npos) return Bad(line, "a value cannot hold a NUL byte");
    return GivenSetting{std::move(name), std::move(value), fmt::format("{}:{}", path_, line)};
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
