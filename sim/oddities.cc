// SPDX-License-Identifier: MIT
#include "oddities.h"

#include <algorithm>
#include <array>
#include <deque>
#include <vector>

#include "json.h"

namespace tmdbc::sim {
namespace {

constexpr std::array<std::string_view, kOddities> kOddityNames = {
    "empty-seasons", "null-season-number", "lone-surrogate", "huge-integer", "huge-real", "byte-order-mark",
    "deep",          "heavy-504",          "heavy-500",      "heavy-large"};

constexpr int kDepth = 900;

}  // namespace

std::string_view NameOf(Oddity oddity) {
  return kOddityNames[static_cast<std::size_t>(oddity)];
}

std::optional<Oddity> OddityOf(std::string_view name) {
  const auto at = std::find(kOddityNames.begin(), kOddityNames.end(), name);
  if (at == kOddityNames.end()) return std::nullopt;
  return static_cast<Oddity>(at - kOddityNames.begin());
}

void Oddities::Set(Oddity oddity, Kind kind, std::optional<std::int64_t> id, bool on) {
  auto& ids = of_[{oddity, kind}];
  if (on) {
    ids.insert(id.value_or(0));
  } else if (id) {
    ids.erase(*id);
  } else {
    ids.clear();
  }
  ++edition_;
}

bool Oddities::Has(Oddity oddity, Kind kind, std::int64_t id) const {
  const auto ids = of_.find({oddity, kind});
  return ids != of_.end() && (ids->second.contains(0) || ids->second.contains(id));
}

std::string Oddities::Applied(Kind kind, std::int64_t id, std::string body) const {
  if (of_.empty()) return body;
  std::vector<RawPart> parts = PartsOf(body);
  std::deque<std::string> values;  // never moves what `parts` points to
  const auto find = [&](std::string_view name) {
    return std::find_if(parts.begin(), parts.end(), [&](const RawPart& part) { return part.name == name; });
  };
  if (const auto seasons = find("seasons"); seasons != parts.end()) {
    if (Has(Oddity::kEmptySeasons, kind, id)) seasons->value = "[]";
    auto entries = ElementsOf(seasons->value);
    if (!entries.empty() && Has(Oddity::kNullSeasonNumber, kind, id)) {
      std::vector<RawPart> members = PartsOf(entries.front());
      for (RawPart& member : members) {
        if (member.name == "season_number") member.value = "null";
      }
      entries.front() = values.emplace_back(ObjectOf(members));
      JsonWriter list;
      list.Array();
      for (const std::string_view entry : entries) list.Raw(entry);
      seasons->value = values.emplace_back(list.EndArray().Take());
    }
  }
  if (Has(Oddity::kLoneSurrogate, kind, id)) {
    const auto name = find(kind == Kind::kMovie ? "title" : "name");
    if (name != parts.end()) name->value = values.emplace_back("\"Half a pair \\ud83d of two\"");
  }
  if (Has(Oddity::kHugeInteger, kind, id)) parts.push_back({"budget_in_yen", "12345678901234567890123"});
  if (Has(Oddity::kHugeReal, kind, id)) parts.push_back({"weight", "1e400"});
  if (Has(Oddity::kDeep, kind, id))
    parts.push_back({"tree", values.emplace_back(std::string(kDepth, '[') + std::string(kDepth, ']'))});
  return ObjectOf(parts);
}

}  // namespace tmdbc::sim
