// SPDX-License-Identifier: MIT
#include "read_api/texts.h"

namespace tmdbc::read_api {
namespace {

constexpr JsonSlice kNoText = "\"\"";

JsonSlice OrElse(JsonSlice value, JsonSlice instead) {
  return IsBlank(value) ? instead : value;
}

// What has no such member in English has none in any language.
JsonSlice Translated(const JsonObject& body, const JsonObject& entry, std::string_view name) {
  return body[name].empty() ? JsonSlice() : OrElse(entry[name], kNoText);
}

}  // namespace

std::string_view TitleMember(MediaType type) {
  return type == MediaType::kMovie ? "title" : "name";
}

JsonSlice PosterIn(const Language& language, JsonSlice images, std::string_view original_language) {
  JsonSlice original, first;
  for (const JsonSlice image : ElementsOf(images)) {
    const std::string_view code = PlainText(MemberOf(image, "iso_639_1"));
    if (code == language.code()) return MemberOf(image, "file_path");
    if (first.empty()) first = MemberOf(image, "file_path");
    if (original.empty() && !code.empty() && code == original_language)
      original = MemberOf(image, "file_path");
  }
  return original.empty() ? first : original;
}

Texts TextsIn(const Language& language, MediaType type, const JsonObject& body) {
  const std::string_view name = TitleMember(type);
  if (language.IsStored()) {
    return {.title = body[name],
            .overview = body["overview"],
            .tagline = body["tagline"],
            .homepage = body["homepage"],
            .runtime = body["runtime"],
            .biography = body["biography"],
            .poster_path = body["poster_path"]};
  }
  const JsonSlice translations = MemberOf(body["translations"], "translations");
  const JsonObject entry(MemberOf(TranslationFor(translations, language), "data"));
  Texts texts{.tagline = Translated(body, entry, "tagline"),
              .biography = Translated(body, entry, "biography")};
  if (type == MediaType::kPerson) {  // nothing else of a person changes
    texts.title = body[name];
    texts.homepage = body["homepage"];
    return texts;
  }
  // A collection's name is called title among its translations.
  const JsonSlice title = OrElse(entry[name], type == MediaType::kCollection ? entry["title"] : JsonSlice());
  const JsonSlice original = body[type == MediaType::kMovie ? "original_title" : "original_name"];
  texts.title = OrElse(title, OrElse(original, body[name]));
  texts.overview = Translated(body, entry, "overview");
  texts.homepage = OrElse(entry["homepage"], body["homepage"]);
  const auto minutes = IntegerOf(entry["runtime"]);
  texts.runtime = minutes.value_or(0) > 0 ? entry["runtime"] : body["runtime"];
  const JsonSlice poster =
      PosterIn(language, MemberOf(body["images"], "posters"), PlainText(body["original_language"]));
  texts.poster_path = poster.empty() ? body["poster_path"] : poster;
  return texts;
}

}  // namespace tmdbc::read_api
