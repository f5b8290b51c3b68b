// SPDX-License-Identifier: MIT
#include "read_api/api_request.h"

#include <algorithm>
#include <array>
#include <cctype>

#include "base/percent.h"

namespace tmdbc::read_api {
namespace {

constexpr std::array<std::string_view, 3> kNotAboutTheAnswer = {"api_key", "callback", "session_id"};

std::string_view Trimmed(std::string_view text) {
  const auto begin = text.find_first_not_of(' ');
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(' ') - begin + 1);
}

// Calls `visit` with each part of `text` between separators, empty ones included.
template <class Visit>
void ForEachPart(std::string_view text, char separator, const Visit& visit) {
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find(separator, begin), text.size());
    visit(text.substr(begin, end - begin));
    begin = end + 1;
  }
}

}  // namespace

Query Query::Parse(std::string_view text) {
  Query query;
  ForEachPart(text, '&', [&](std::string_view pair) {
    const std::size_t equals = std::min(pair.find('='), pair.size());
    std::string name = FormDecoded(pair.substr(0, equals));
    if (name.empty() || equals == pair.size()) return;
    query.values_[std::move(name)] = FormDecoded(pair.substr(equals + 1));
  });
  return query;
}

std::optional<std::string_view> Query::Get(std::string_view name) const {
  const auto found = values_.find(name);
  if (found == values_.end() || found->second.empty()) return std::nullopt;
  return found->second;
}

bool Query::IsTrue(std::string_view name) const {
  const auto value = Get(name);
  constexpr std::string_view kTrue = "true";
  return value && std::ranges::equal(*value, kTrue, [](char a, char b) {
           return std::tolower(static_cast<unsigned char>(a)) == b;
         });
}

std::vector<std::string_view> Query::List(std::string_view name) const {
  std::vector<std::string_view> parts;
  ForEachPart(Get(name).value_or(""), ',', [&](std::string_view part) {
    if (part = Trimmed(part); !part.empty()) parts.push_back(part);
  });
  return parts;
}

std::string Query::Canonical() const {
  std::string out;
  for (const auto& [name, value] : values_) {
    if (value.empty() || std::ranges::find(kNotAboutTheAnswer, name) != kNotAboutTheAnswer.end()) continue;
    if (!out.empty()) out += '&';
    AppendPercentEncoded(out, name);
    out += '=';
    AppendPercentEncoded(out, value);
  }
  return out;
}

std::optional<ApiRequest> ApiRequest::Parse(std::string_view target) {
  const std::size_t question = std::min(target.find('?'), target.size());
  const std::string_view path = target.substr(0, question);
  if (path != "/3" && !path.starts_with("/3/")) return std::nullopt;
  ApiRequest request;
  ForEachPart(path.substr(2), '/', [&](std::string_view part) {
    if (!part.empty()) request.path.push_back(PercentDecoded(part));
  });
  if (question < target.size()) request.query = Query::Parse(target.substr(question + 1));
  return request;
}

}  // namespace tmdbc::read_api
