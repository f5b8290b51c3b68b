// SPDX-License-Identifier: MIT
#include "read_api/genres.h"

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string_view>

namespace tmdbc::read_api {
std::shared_ptr<const Record> GenreList(Call& call, MediaType type, const Language& language) {
  const std::string path = "genre/" + std::string(Name(type)) + "/list?language=";
  const auto find = [&](std::string_view tag) { return call.FindList(path + std::string(tag)); };
  if (auto list = find(language.Tag())) return list;
  const std::string own = Language::Parse(language.code()).Tag();
  if (own != language.Tag()) {
    if (auto list = find(own)) return list;
  }
  // A language without a list in its own country: the first of TMDB's tags that speaks it.
  const auto tags = call.FindList("configuration/primary_translations");
  if (tags == nullptr) return nullptr;
  for (const JsonSlice tag : ElementsOf(tags->body)) {
    if (PlainText(tag).substr(0, 2) == language.code()) return find(PlainText(tag));
  }
  return nullptr;
}

std::string GenresIn(Call& call, MediaType type, const Language& language, JsonSlice genres) {
  if (language.IsStored() || genres.size() <= 2) return std::string(genres);
  const auto list = GenreList(call, type, language);
  if (list == nullptr) {
    call.Worsen(Fidelity::kApproximate);
    return std::string(genres);
  }
  std::map<std::optional<std::int64_t>, JsonSlice> names;
  for (const JsonSlice genre : ElementsOf(MemberOf(list->body, "genres"))) {
    const JsonObject object(genre);
    if (!IsBlank(object["name"])) names[IntegerOf(object["id"])] = object["name"];
  }
  JsonSplice out = JsonSplice::Array(genres.size());
  for (const JsonSlice genre : ElementsOf(genres)) {
    const JsonObject object(genre);
    const auto name = names.find(IntegerOf(object["id"]));
    const JsonSlice text = name == names.end() ? JsonSlice() : name->second;
    out.Add(WithValues(object, std::array{NewValue{"name", text}}));
  }
  return std::move(out).Take();
}

}  // namespace tmdbc::read_api
