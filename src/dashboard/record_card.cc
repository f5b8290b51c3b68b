// SPDX-License-Identifier: MIT
#include "dashboard/record_card.h"

#include <fmt/format.h>

#include <array>
#include <cstdint>
#include <utility>

#include "base/json.h"
#include "base/json_writer.h"
#include "base/safe_text.h"

namespace tmdbc::dashboard {
namespace {

using simdjson::dom::element;

std::string Cut(std::string_view text) {
  if (text.size() <= RecordCard::kMaxText) return std::string(text);
  std::size_t end = 0;
  while (true) {  // whole characters
    const std::size_t length = Utf8Length(text.substr(end));
    if (length == 0 || end + length > RecordCard::kMaxText) break;
    end += length;
  }
  return std::string(text.substr(0, end)) + "…";
}

// The text of the first of `names` that has one.
template <std::size_t N>
std::string TextOf(element object, const std::array<const char*, N>& names) {
  for (const char* name : names) {
    std::string_view text;
    if (object[name].get(text) == simdjson::SUCCESS && !text.empty()) return Cut(text);
  }
  return "";
}
std::string TextOf(element object, const char* name) {
  return TextOf(object, std::array{name});
}

constexpr std::array kTitles = {"title", "name"};

// The elements of an array; none where there is no such thing.
std::vector<element> ElementsOf(simdjson::simdjson_result<element> value) {
  simdjson::dom::array array;
  if (value.get(array) != simdjson::SUCCESS) return {};
  return {array.begin(), array.end()};
}

std::string RoleOf(element credit) {
  if (std::string role = TextOf(credit, "character"); !role.empty()) return role;
  for (const element role : ElementsOf(credit["roles"]))
    if (std::string text = TextOf(role, "character"); !text.empty()) return text;
  return "";
}

void AddPeople(element body, RecordCard& card) {
  for (const char* where : {"credits", "aggregate_credits", "combined_credits"}) {
    for (const element credit : ElementsOf(body[where]["cast"])) {
      if (card.people.size() == RecordCard::kPeople) return;
      // Of a person's credits the title counts; a cast member has a name alone.
      RecordCard::Credit one{TextOf(credit, kTitles), RoleOf(credit)};
      if (!one.name.empty()) card.people.push_back(std::move(one));
    }
    if (!card.people.empty()) return;
  }
}

void AddFacts(element body, RecordCard& card) {
  const auto text = [&](const char* label, const char* name) {
    if (std::string value = TextOf(body, name); !value.empty())
      card.facts.emplace_back(label, std::move(value));
  };
  const auto number = [&](const char* label, const char* name, const char* unit) {
    std::int64_t value = 0;
    if (body[name].get(value) == simdjson::SUCCESS && value > 0)
      card.facts.emplace_back(label, fmt::format("{}{}", value, unit));
  };
  text("status", "status");
  number("runtime", "runtime", " min");
  number("seasons", "number_of_seasons", "");
  number("episodes", "number_of_episodes", "");
  number("season", "season_number", "");
  text("language", "original_language");
  text("known for", "known_for_department");
  text("born in", "place_of_birth");
  text("died", "deathday");
  text("country", "origin_country");
  text("headquarters", "headquarters");
  double votes = 0;
  std::int64_t voters = 0;
  if (body["vote_average"].get(votes) == simdjson::SUCCESS &&
      body["vote_count"].get(voters) == simdjson::SUCCESS && voters > 0)
    card.facts.emplace_back("rated", fmt::format("{:.1f} by {}", votes, voters));
  if (const auto episodes = ElementsOf(body["episodes"]); !episodes.empty())
    card.facts.emplace_back("episodes", fmt::format("{}", episodes.size()));
}

}  // namespace

RecordCard CardOf(std::string_view data) {
  RecordCard card;
  const auto parsed = ParsedJson::Parse(data);
  if (!parsed || !parsed->root().is_object()) return card;
  const element body = parsed->root();
  card.title = TextOf(body, kTitles);
  card.original_title = TextOf(body, std::array{"original_title", "original_name"});
  if (card.original_title == card.title) card.original_title.clear();
  card.date = TextOf(body, std::array{"release_date", "first_air_date", "air_date", "birthday"});
  card.text = TextOf(body, std::array{"overview", "biography", "description"});
  for (const element genre : ElementsOf(body["genres"]))
    if (std::string name = TextOf(genre, "name"); !name.empty()) card.genres.push_back(std::move(name));
  AddPeople(body, card);
  AddFacts(body, card);
  return card;
}

std::string TitleOf(std::string_view data) {
  const auto parsed = ParsedJson::Parse(data);
  return parsed && parsed->root().is_object() ? TextOf(parsed->root(), kTitles) : "";
}

std::string CardJson(const RecordCard& card) {
  JsonWriter json;
  json.BeginObject()
      .Field("title", card.title)
      .Field("original_title", card.original_title)
      .Field("date", card.date);
  json.Field("text", card.text).Key("genres").BeginArray();
  for (const std::string& genre : card.genres) json.Text(genre);
  json.EndArray().Key("people").BeginArray();
  for (const auto& [name, role] : card.people)
    json.BeginObject().Field("name", name).Field("role", role).EndObject();
  json.EndArray().Key("facts").BeginArray();
  for (const auto& [label, value] : card.facts) json.BeginArray().Text(label).Text(value).EndArray();
  return json.EndArray().EndObject().text();
}

}  // namespace tmdbc::dashboard
