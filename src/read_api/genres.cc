// SPDX-License-Identifier: MIT
#include "read_api/genres.h"

#include <array>
#include <map>
#include <optional>
#include <string_view>

#include "tmdb/configuration_lists.h"

namespace tmdbc::read_api {
namespace {

std::optional<MediaId> ListId(MediaType type, const std::string& tag) {
  const auto id = ConfigurationId("genre/" + std::string(Name(type)) + "/list?language=" + tag);
  if (!id) return std::nullopt;
  return MediaId{MediaType::kConfiguration, *id};
}

}  // namespace

std::shared_ptr<const Record> GenreList(Call& call, MediaType type, const Language& language) {
  const auto find = [&](const std::string& tag) -> std::shared_ptr<const Record> {
    const auto id = ListId(type, tag);
    return id ? call.FindList(*id) : nullptr;
  };
  if (auto list = find(language.Tag())) return list;
  const std::string own = Language::Parse(language.code()).Tag();
  if (own != language.Tag()) {
    if (auto list = find(own)) return list;
  }
  // A language without a list in its own country: the first of TMDB's tags that speaks it.
  const auto tags = call.FindList({MediaType::kConfiguration, kPrimaryTranslations});
  if (tags == nullptr) return nullptr;
  for (const JsonSlice tag : ElementsOf(tags->body)) {
    if (PlainText(tag).substr(0, 2) == language.code()) return find(std::string(PlainText(tag)));
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
  std::map<std::string_view, JsonSlice> names;
  for (const JsonSlice genre : ElementsOf(MemberOf(list->body, "genres"))) {
    const JsonObject object(genre);
    if (!IsBlank(object["name"])) names[object["id"]] = object["name"];
  }
  JsonSplice out = JsonSplice::Array(genres.size());
  for (const JsonSlice genre : ElementsOf(genres)) {
    const JsonObject object(genre);
    const auto name = names.find(object["id"]);
    const JsonSlice text = name == names.end() ? JsonSlice() : name->second;
    out.Add(WithValues(object, std::array{NewValue{"name", text}}));
  }
  return std::move(out).Take();
}

}  // namespace tmdbc::read_api
