// SPDX-License-Identifier: MIT
#include "translate.h"

#include <algorithm>
#include <array>
#include <deque>
#include <vector>

#include "json.h"
#include "target.h"

namespace tmdbc::sim {
namespace {

constexpr std::array<std::string_view, 5> kTexts = {"name", "title", "overview", "tagline", "biography"};
constexpr std::array<std::string_view, 3> kLists = {"seasons", "episodes", "genres"};

bool IsOneOf(std::string_view name, const auto& names) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

// "de-DE" is German where there is no other German.
std::string_view CodeOf(std::string_view language) {
  return language.substr(0, language.find('-'));
}

}  // namespace

std::string Translated(std::string body, std::string_view language) {
  const std::string_view code = CodeOf(language);
  if (code.empty() || code == "en") return body;
  std::vector<RawPart> parts = PartsOf(body);
  std::deque<std::string> values;
  for (RawPart& part : parts) {
    if (IsOneOf(part.name, kTexts) && part.value.size() > 2 && part.value.front() == '"') {
      std::string text = "\"[";
      text.append(code).append("] ").append(part.value.substr(1));
      part.value = values.emplace_back(std::move(text));
    } else if (IsOneOf(part.name, kLists)) {
      JsonWriter list;
      list.Array();
      for (const std::string_view element : ElementsOf(part.value))
        list.Raw(Translated(std::string(element), language));
      part.value = values.emplace_back(list.EndArray().Take());
    }
  }
  return ObjectOf(parts);
}

std::string VideosIn(const std::string& part, std::string_view wanted, std::string_view language) {
  const std::string_view code = language.empty() ? "en" : CodeOf(language);
  const std::vector<std::string_view> codes = wanted.empty() ? std::vector{code} : Split(wanted, ',');
  JsonWriter json;
  json.Object().Key("results").Array();
  for (const std::string_view video : ElementsOf(PartOf(part, "results").value_or("[]"))) {
    std::string_view of = PartOf(video, "iso_639_1").value_or("null");
    if (of.size() > 2 && of.front() == '"') of = of.substr(1, of.size() - 2);
    if (IsOneOf(of, codes)) json.Raw(video);
  }
  return json.EndArray().EndObject().Take();
}

}  // namespace tmdbc::sim
