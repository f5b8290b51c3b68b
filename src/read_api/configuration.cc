// SPDX-License-Identifier: MIT
#include "read_api/configuration.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

#include "base/safe_text.h"
#include "read_api/genres.h"
#include "read_api/plain_body.h"

namespace tmdbc::read_api {
namespace {

constexpr std::chrono::hours kConfigurationMaxAge{12};  // TMDB's own

// The body with the pictures at another address than TMDB's.
std::string WithImagesAt(const JsonObject& configuration, std::string_view base_url) {
  std::string url;
  AppendJsonString(url, base_url);
  JsonSplice out = JsonSplice::Object();
  for (const JsonMember& member : configuration.members()) {
    if (!HasName(member, "images")) {
      out.Add(member.whole);
      continue;
    }
    JsonSplice images = JsonSplice::Object(member.value.size());
    const JsonObject stored(member.value);
    for (const JsonMember& of_images : stored.members()) {
      const bool is_address = HasName(of_images, "base_url") || HasName(of_images, "secure_base_url");
      is_address ? images.Add(of_images.name, url) : images.Add(of_images.whole);
    }
    out.Add("images", std::move(images).Take());
  }
  return std::move(out).Take();
}

Answer Missing() {
  Answer answer = ErrorAnswer(34);
  answer.fidelity = Fidelity::kMissing;
  return answer;
}

Answer AnswerOf(const std::shared_ptr<const Record>& list) {
  return list == nullptr ? Missing() : Answer{.body = list->body, .max_age = kConfigurationMaxAge};
}

}  // namespace

Answer Configuration(Call& call) {
  const auto list = call.FindList("configuration");
  if (list == nullptr) return Missing();
  const auto names = call.Appends();
  if (!names) return ErrorAnswer(27);
  const JsonObject stored(list->body);
  const std::string body = call.image_base_url().empty() ? list->body : WithImagesAt(stored, call.image_base_url());
  if (names->empty()) return {.body = body, .max_age = kConfigurationMaxAge};
  constexpr std::string_view kNames[] = {"countries", "jobs", "languages", "primary_translations",
                                         "timezones"};
  JsonSplice out = JsonSplice::Object(body.size());
  const JsonObject configuration(body);
  for (const JsonMember& member : configuration.members()) out.Add(member.whole);
  for (const std::string_view name : *names) {
    if (std::ranges::find(kNames, name) == std::end(kNames)) continue;
    const auto appended = call.FindList("configuration/" + std::string(name));
    if (appended == nullptr) {
      call.Worsen(Fidelity::kMissing);
    } else {
      out.Add(name, appended->body);
    }
  }
  return {.body = std::move(out).Take(), .max_age = kConfigurationMaxAge};
}

Answer ConfigurationList(Call& call) {
  const std::string path = call.path();
  // The names of countries are stored in English alone.
  const bool named = path == "configuration/countries" || path == "watch/providers/regions";
  if (named && !call.language().IsStored()) call.Worsen(Fidelity::kApproximate);
  return AnswerOf(call.FindList(path));
}

Answer Genres(Call& call) {
  const Language language = call.language();
  const std::string path = call.path();
  if (language.IsStored()) return AnswerOf(call.FindList(path));
  const MediaType type = call.part(1) == "tv" ? MediaType::kTv : MediaType::kMovie;
  if (const auto list = GenreList(call, type, language)) return AnswerOf(list);
  call.Worsen(Fidelity::kApproximate);
  return AnswerOf(call.FindList(path));
}

Answer Providers(Call& call) {
  const auto list = call.FindList(call.path());
  const auto region = call.query().Get("watch_region");
  if (list == nullptr || !region) return AnswerOf(list);
  JsonSplice rows = JsonSplice::Array(list->body.size());
  const JsonObject object(list->body);
  for (const JsonSlice provider : ElementsOf(object["results"])) {
    if (!MemberOf(MemberOf(provider, "display_priorities"), *region).empty()) rows.Add(provider);
  }
  call.Worsen(Fidelity::kApproximate);
  const std::string results = std::move(rows).Take();
  const NewValue values[] = {{"results", results}};
  return {.body = WithValues(object, values), .max_age = kConfigurationMaxAge};
}

Answer Timezones(Call& call) {
  const auto list = call.FindList("configuration/timezones");
  if (list == nullptr) return Missing();
  // [{"iso_3166_1":"AD","zones":[...]}] was [{"AD":[...]}].
  JsonSplice rows = JsonSplice::Array(list->body.size());
  for (const JsonSlice entry : ElementsOf(list->body)) {
    const JsonObject country(entry);
    JsonSplice row = JsonSplice::Object();
    row.Add(PlainText(country["iso_3166_1"]), country["zones"]);
    rows.Add(std::move(row).Take());
  }
  call.Worsen(Fidelity::kDerived);
  return {.body = std::move(rows).Take(), .max_age = kConfigurationMaxAge};
}

}  // namespace tmdbc::read_api
