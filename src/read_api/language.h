// SPDX-License-Identifier: MIT
// Language: what a client asks for as `language`, and which of a record's stored texts answers it. Pure; any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "read_api/json_slice.h"

namespace tmdbc::read_api {

class Language {
 public:
  // English as TMDB speaks it: en-US, the language of every stored body.
  Language() = default;
  // "de-DE", "de_de", "de", "zh-Hans-CN" (its script is passed over); English for what is not a tag.
  static Language Parse(std::string_view tag);

  const std::string& code() const { return code_; }      // "de"
  const std::string& region() const { return region_; }  // "DE"; empty when none was asked for
  // The stored bodies speak it: en, en-US.
  bool IsStored() const { return code_ == "en" && (region_.empty() || region_ == "US"); }
  // "de-DE": with its region, else its language's own country.
  std::string Tag() const;
  bool operator==(const Language&) const = default;

 private:
  std::string code_ = "en";
  std::string region_;
};

// The entry of translations[] that answers `language`: both codes; else the language in its own country (de-DE,
// pt-PT, zh-CN); else the first one in the language. Empty when it is in none.
JsonSlice TranslationFor(JsonSlice translations, const Language& language);

// Which of `tags` ("de", "pt-BR") answers `language`, by the same order; its place, or tags.size().
std::size_t TagFor(const std::vector<std::string_view>& tags, const Language& language);

}  // namespace tmdbc::read_api
