// SPDX-License-Identifier: MIT
#include "read_api/media_filter.h"

#include <algorithm>

#include "read_api/language.h"

namespace tmdbc::read_api {
namespace {

bool IsNoLanguage(std::string_view code) {
  return code.empty() || code == "xx" || code == "null";
}

template <class Passes>
std::string WithFilteredArrays(JsonSlice text, const Passes& passes) {
  const JsonObject object(text);
  JsonSplice out = JsonSplice::Object(text.size());
  for (const JsonMember& member : object.members()) {
    if (!IsArray(member.value)) {
      out.Add(member.whole);
      continue;
    }
    JsonSplice kept = JsonSplice::Array(member.value.size());
    for (const JsonSlice element : ElementsOf(member.value)) {
      if (passes(element)) kept.Add(element);
    }
    out.Add(member.name, std::move(kept).Take());
  }
  return std::move(out).Take();
}

}  // namespace

void LanguageFilter::Add(std::string_view tag) {
  if (IsNoLanguage(tag)) {
    without_language_ = true;
  } else {
    codes_.push_back(Language::Parse(tag).code());
  }
}

LanguageFilter LanguageFilter::OfImages(const Query& query) {
  LanguageFilter filter = OfStills(query);
  const auto language = query.Get("language");
  if (!language) return filter;
  filter.all_ = false;
  filter.Add(*language);
  return filter;
}

LanguageFilter LanguageFilter::OfStills(const Query& query) {
  LanguageFilter filter;
  const std::vector<std::string_view> list = query.List("include_image_language");
  filter.all_ = list.empty();
  for (const std::string_view tag : list) filter.Add(tag);
  return filter;
}

LanguageFilter LanguageFilter::OfVideos(const Query& query) {
  LanguageFilter filter;
  const std::vector<std::string_view> list = query.List("include_video_language");
  for (const std::string_view tag : list) filter.Add(tag);
  if (list.empty()) filter.Add(query.Get("language").value_or("en"));
  return filter;
}

bool LanguageFilter::LetsThrough(JsonSlice image_or_video) const {
  if (all_) return true;
  const std::string_view code = PlainText(MemberOf(image_or_video, "iso_639_1"));
  if (IsNoLanguage(code)) return without_language_;
  return std::ranges::find(codes_, code) != codes_.end();
}

std::string FilteredBy(const LanguageFilter& filter, JsonSlice object) {
  if (filter.LetsAllThrough()) return std::string(object);
  return WithFilteredArrays(object, [&](JsonSlice element) { return filter.LetsThrough(element); });
}

std::string TitlesOfCountry(std::string_view country, JsonSlice object) {
  return WithFilteredArrays(
      object, [&](JsonSlice title) { return PlainText(MemberOf(title, "iso_3166_1")) == country; });
}

}  // namespace tmdbc::read_api
