// SPDX-License-Identifier: MIT
#include "read_api/details.h"

#include <charconv>
#include <optional>
#include <utility>

#include "base/json.h"
#include "tmdb/media_traits.h"

namespace tmdbc::read_api {
namespace {

constexpr std::chrono::hours kDetailsMaxAge{8};

std::optional<std::int64_t> IdOf(std::string_view text) {
  std::int64_t id = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id);
  if (error != std::errc() || end != text.data() + text.size() || id <= 0) return std::nullopt;
  return id;
}

// The body without what was appended to it.
Result<std::string> PlainBody(const Record& record) {
  TRY_ASSIGN(const auto parsed, ParsedJson::ParseString(record.body));
  simdjson::dom::object object;
  if (parsed.root().get(object) != simdjson::SUCCESS)
    return Fail(ErrorCode::kCorrupt, "{} is no object", ToString(record.source.id));
  const std::string_view namespaces = TraitsOf(record.source.id.type).all_namespaces;
  std::vector<bool> cut;
  for (const auto& member : object)
    cut.push_back((", " + std::string(namespaces) + ",").contains(", " + std::string(member.key) + ","));
  return WithoutMembers(record.body, RawMembers(record.body), cut);
}

}  // namespace

Answer MovieDetails(Call& call) {
  const auto id = IdOf(call.part(1));
  if (!id) return ErrorAnswer(6);
  const MediaId movie{MediaType::kMovie, *id};
  const auto record = call.Find(movie);
  if (!record) return call.NotFound(movie);
  auto body = PlainBody(*record);
  if (!body) return ErrorAnswer(11);
  return {.body = *std::move(body), .max_age = kDetailsMaxAge};
}

}  // namespace tmdbc::read_api
