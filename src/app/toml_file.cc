// SPDX-License-Identifier: MIT
#include "app/toml_file.h"

// Its exceptions are off: a parse result says what went wrong.
#define TOML_EXCEPTIONS 0
#include <toml++/toml.h>

#include <algorithm>

#include "app/words.h"

namespace tmdbc {
namespace {

std::string Place(const std::string& path, const toml::source_region& source) {
  return fmt::format("{}:{}", path, source.begin.line);
}

// The text that an environment variable would hold.
Result<std::string> TextOf(const toml::node& node, std::string_view key, const std::string& place) {
  if (const auto* text = node.as_string()) return text->get();
  if (const auto* number = node.as_integer()) return fmt::format("{}", number->get());
  if (const auto* number = node.as_floating_point()) return fmt::format("{}", number->get());
  if (const auto* flag = node.as_boolean()) return std::string(flag->get() ? "true" : "false");
  if (const auto* list = node.as_array()) {
    std::string joined;
    for (const toml::node& item : *list) {
      const auto* text = item.as_string();
      if (text == nullptr) return Fail(ErrorCode::kInvalid, "{}: {} holds something that is not a text", place, key);
      joined += joined.empty() ? "" : ",";
      joined += text->get();
    }
    return list->empty() ? "none" : joined;
  }
  return Fail(ErrorCode::kInvalid, "{}: {} must be a text, a number, true, false or a list of texts", place, key);
}

class TomlReader {
 public:
  explicit TomlReader(const std::string& path) : path_(path) {}

  Result<void> Read(const toml::table& table, bool top) {
    for (const auto& [key, node] : table) {
      const std::string_view name = key.str();
      if (top && node.is_table() && IsSection(name)) {
        TRY(Read(*node.as_table(), false));
      } else {
        TRY(Take(name, node));
      }
    }
    return {};
  }

  std::vector<GivenSetting> TakeGiven() {
    // toml++ sorts the keys; we want the order of the file, so that the first mistake in it is the one that is told.
    std::ranges::stable_sort(found_, {}, &Found::line);
    std::vector<GivenSetting> given;
    for (Found& found : found_) given.push_back(std::move(found.given));
    return given;
  }

 private:
  struct Found {
    std::uint32_t line;
    GivenSetting given;
  };

  Result<void> Take(std::string_view key, const toml::node& node) {
    const std::string place = Place(path_, node.source());
    const auto setting = std::ranges::find(SettingsTable(), key, TomlKeyOf);
    if (setting == SettingsTable().end()) return Unknown(key, node, place);
    const auto twice = std::ranges::find(found_, setting->name, [](const Found& found) { return std::string_view(found.given.name); });
    if (twice != found_.end()) {
      return Fail(ErrorCode::kInvalid, "{}: {} is given twice (also at {})", place, key, twice->given.source);
    }
    TRY_ASSIGN(std::string text, TextOf(node, key, place));
    if (!text.empty()) found_.push_back({node.source().begin.line, {std::string(setting->name), std::move(text), place}});
    return {};
  }

  static std::unexpected<Error> Unknown(std::string_view key, const toml::node& node, const std::string& place) {
    std::vector<std::string> known;
    for (const Setting& setting : SettingsTable()) {
      known.push_back(node.is_table() ? std::string(setting.section) : TomlKeyOf(setting));
    }
    return Fail(ErrorCode::kInvalid, "{}: {} is not a {}{}", place, ShowValue(key), node.is_table() ? "section" : "setting",
                DidYouMean(Lower(key), known));
  }

  const std::string& path_;
  std::vector<Found> found_;
};

}  // namespace

Result<std::vector<GivenSetting>> ParseTomlSettings(std::string_view text, const std::string& path) {
  const toml::parse_result parsed = toml::parse(text, path);
  if (!parsed) {
    // The parser's own words may quote the text of the file, and with it the key.
    const bool may_quote = text.find("tmdb_api_key") == std::string_view::npos;
    return Fail(ErrorCode::kInvalid, "{}: not valid TOML{}{}", Place(path, parsed.error().source()), may_quote ? ": " : "",
                may_quote ? ShowValue(parsed.error().description()) : " (is a text without quotes there?)");
  }
  TomlReader reader(path);
  TRY(reader.Read(parsed.table(), true));
  return reader.TakeGiven();
}

}  // namespace tmdbc
